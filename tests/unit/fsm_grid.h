/* SPDX-License-Identifier: Apache-2.0 */
/* Expectation tables of the state machines, kept apart from their rows: a grid of events by
 * states.  A cell says where the event leads and what it asks for, by one letter each:
 * "D.jr" = to the state with letter D, todo bits with the letters j and r; "-" = refused.
 * "ours|theirs": two cells where a guard decides.  Every cell of the grid is compared with
 * the step function and every row of the table must fire in some cell, so that nothing can
 * be added, changed or removed on one side only. */
#ifndef VFK_TESTS_FSM_GRID_H
#define VFK_TESTS_FSM_GRID_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define GRID_STATES_MAX 8
#define GRID_CELL 32

struct grid_row {
	int event;
	const char *cell[GRID_STATES_MAX];
};

/* Part 'variant' (0, 1) of a cell with '|', else the whole cell. */
static inline void grid_expected(const char *cell, int variant, char out[GRID_CELL])
{
	const char *bar = strchr(cell, '|');

	if (!bar)
		snprintf(out, GRID_CELL, "%s", cell);
	else if (variant == 0)
		snprintf(out, GRID_CELL, "%.*s", (int)(bar - cell), cell);
	else
		snprintf(out, GRID_CELL, "%s", bar + 1);
}

/* What happened, in the same letters.  A todo bit without a letter shows as '?'. */
static inline void grid_actual(bool taken, char to, unsigned todo,
			       const char *todo_letters, char out[GRID_CELL])
{
	size_t n = 0;

	if (!taken) {
		snprintf(out, GRID_CELL, "-");
		return;
	}
	out[n++] = to;
	out[n++] = '.';
	for (unsigned bit = 0; bit < 32 && n < GRID_CELL - 1; bit++) {
		if (todo & (1u << bit))
			out[n++] = bit < strlen(todo_letters) ? todo_letters[bit] : '?';
	}
	out[n] = '\0';
}

#endif
