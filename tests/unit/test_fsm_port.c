/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "fsm/port.h"
#include "suite.h"

#include "fsm_grid.h"

static const enum port_state states[] = { PORT_UNKNOWN, PORT_DOWN, PORT_INIT, PORT_ACTIVE,
					  PORT_FATAL };
#define N_STATES (sizeof(states) / sizeof(states[0]))
static const char letters[] = "UDIAX";
static const char todo_letters[] = "taqr"; /* tell alarm query retry */

#define EV(name) PORT_EV_##name
/* clang-format off */
static const struct grid_row grid[] = {
	/*                      UNKNOWN  DOWN    INIT    ACTIVE  FATAL */
	{ EV(LINK_DOWN),        { "D.t",  "-",    "D.t",  "D.t",  "-" } },
	{ EV(LINK_INIT),        { "I.t",  "I.t",  "-",    "I.t",  "-" } },
	{ EV(LINK_ACTIVE),      { "A.t",  "A.t",  "A.t",  "-",    "-" } },
	{ EV(DEVICE_FATAL),     { "X.ta", "X.ta", "X.ta", "X.ta", "-" } },
	{ EV(DEVICE_RECOVERED), { "-",    "-",    "-",    "-",    "U.tqr" } },
	{ EV(LOST),             { "-",    "U.tq", "U.tq", "U.tq", "U.tq" } },
};
/* clang-format on */
#define N_EVENTS (sizeof(grid) / sizeof(grid[0]))

static char letter_of(enum port_state state)
{
	for (size_t i = 0; i < N_STATES; i++) {
		if (states[i] == state)
			return letters[i];
	}
	return '?';
}

static void every_pair(void)
{
	for (size_t e = 0; e < N_EVENTS; e++) {
		for (size_t s = 0; s < N_STATES; s++) {
			enum port_state state = states[s];
			char actual[GRID_CELL], text[160];
			unsigned todo = 0xdead0000;
			bool taken = port_step(&state, (enum port_event)grid[e].event,
					       &todo);

			grid_actual(taken, letter_of(state), todo, todo_letters, actual);
			snprintf(text, sizeof(text), "%s %s", port_state_name(states[s]),
				 port_event_name((enum port_event)grid[e].event));
			suite_str(actual, grid[e].cell[s], text, __FILE__, __LINE__);
			if (!taken) {
				CU_ASSERT_EQUAL(state, states[s]);
				CU_ASSERT_EQUAL(todo, 0xdead0000);
			}
		}
	}
}

static void counts_agree(void)
{
	size_t expected = 0, n_states = 0, n_events = 0;

	for (size_t e = 0; e < N_EVENTS; e++) {
		CU_ASSERT(port_event_valid(grid[e].event));
		for (size_t s = 0; s < N_STATES; s++)
			expected += strcmp(grid[e].cell[s], "-") != 0;
	}
	SUITE_INT(port_n_rows, expected);
	for (int v = -1; v < 300; v++) {
		n_states += port_state_valid(v);
		n_events += port_event_valid(v);
	}
	SUITE_INT(n_states, N_STATES);
	SUITE_INT(n_events, N_EVENTS);
}

static void every_row_fires(void)
{
	for (size_t i = 0; i < port_n_rows; i++) {
		for (size_t k = i + 1; k < port_n_rows; k++)
			CU_ASSERT_FALSE(port_rows[i].from == port_rows[k].from &&
					port_rows[i].event == port_rows[k].event);
	}
}

static void change_is_told(void)
{
	for (size_t i = 0; i < port_n_rows; i++) {
		CU_ASSERT(port_rows[i].todo & PORT_DO_TELL);
		CU_ASSERT_NOT_EQUAL(port_rows[i].from, port_rows[i].to);
		SUITE_INT((port_rows[i].todo & PORT_DO_ALARM) != 0,
			  port_rows[i].to == PORT_FATAL);
		/* What is not known is asked for, or nobody would ever find out. */
		SUITE_INT((port_rows[i].todo & PORT_DO_QUERY) != 0,
			  port_rows[i].to == PORT_UNKNOWN);
	}
}

static void dead_device_stays_dead(void)
{
	for (size_t i = 0; i < port_n_rows; i++) {
		if (port_rows[i].from == PORT_FATAL)
			SUITE_INT(port_rows[i].to, PORT_UNKNOWN);
	}
}

static void every_state_reaches_every_state(void)
{
	for (size_t start = 0; start < N_STATES; start++) {
		bool reached[N_STATES] = { false };

		reached[start] = true;
		for (size_t round = 0; round < N_STATES; round++) {
			for (size_t i = 0; i < port_n_rows; i++) {
				if (reached[strchr(letters, letter_of(port_rows[i].from)) -
					    letters])
					reached[strchr(letters, letter_of(port_rows[i].to)) -
						letters] = true;
			}
		}
		for (size_t i = 0; i < N_STATES; i++)
			CU_ASSERT(reached[i]);
	}
}

static void every_state_is_left_when_the_device_fails(void)
{
	for (size_t s = 0; s < N_STATES; s++) {
		enum port_state state = states[s];
		unsigned todo;

		SUITE_INT(port_step(&state, EV(DEVICE_FATAL), &todo),
			  states[s] != PORT_FATAL);
		state = states[s];
		SUITE_INT(port_step(&state, EV(LOST), &todo), states[s] != PORT_UNKNOWN);
	}
}

static void fixed_values(void)
{
	static const char *const fixed_states[] = { "?",      "UNKNOWN", "DOWN", "INIT",
						    "ACTIVE", "FATAL",	 "?" };
	static const char *const fixed_events[] = { "?",
						    "LINK_DOWN",
						    "LINK_INIT",
						    "LINK_ACTIVE",
						    "DEVICE_FATAL",
						    "DEVICE_RECOVERED",
						    "LOST",
						    "?" };

	for (int i = 0; i < 7; i++)
		SUITE_STR(port_state_name((enum port_state)i), fixed_states[i]);
	for (int i = 0; i < 8; i++)
		SUITE_STR(port_event_name((enum port_event)i), fixed_events[i]);
	SUITE_STR(port_todo_name((enum port_todo)(1 << 30)), "?");
}

VFK_SUITE(fsm_port, { "every pair of state and event does what the grid says", every_pair },
	  { "table, grid, states and events have the same size", counts_agree },
	  { "every row of the table can fire", every_row_fires },
	  { "every change is told, asked for where unknown, alarmed where fatal",
	    change_is_told },
	  { "a dead device leaves FATAL only towards UNKNOWN", dead_device_stays_dead },
	  { "every state reaches every state", every_state_reaches_every_state },
	  { "every state is left when the device fails or is lost",
	    every_state_is_left_when_the_device_fails },
	  { "values that drivers send are the agreed ones", fixed_values })
