/* SPDX-License-Identifier: Apache-2.0 */
#include "fsm/graph.h"

#include <string.h>

#include "fsm/lease.h"
#include "fsm/port.h"
#include "fsm/vf.h"

/* What the rows of any machine have in common. */
struct plain_row {
	int from, event, to;
	const char *guard;
	unsigned todo;
};

struct machine {
	const char *name;
	const int *states, *events;
	size_t n_states, n_events;
	const size_t *n_rows;
	void (*row)(size_t i, struct plain_row *out);
	const char *(*state_name)(int value);
	const char *(*event_name)(int value);
	const char *(*todo_name)(int bit);
};

#define VALUE_(name, value) (value),

/* 'HAS_GUARD' is the expression for the guard's name of a row 'r'. */
#define DESCRIBE(lower, UPPER, guard_of_row)                                             \
	static const int lower##_states[] = { UPPER##_STATES(VALUE_) };                  \
	static const int lower##_events[] = { UPPER##_EVENTS(VALUE_) };                  \
	static void lower##_plain(size_t i, struct plain_row *out)                       \
	{                                                                                \
		const struct lower##_row *r = &lower##_rows[i];                          \
                                                                                         \
		*out = (struct plain_row){ (int)r->from, (int)r->event, (int)r->to,      \
					   guard_of_row, r->todo };                      \
	}                                                                                \
	static const char *lower##_state_text(int value)                                 \
	{                                                                                \
		return lower##_state_name((enum lower##_state)value);                    \
	}                                                                                \
	static const char *lower##_event_text(int value)                                 \
	{                                                                                \
		return lower##_event_name((enum lower##_event)value);                    \
	}                                                                                \
	static const char *lower##_todo_text(int bit)                                    \
	{                                                                                \
		return lower##_todo_name((enum lower##_todo)bit);                        \
	}

DESCRIBE(vf, VF, r->guard_name)
DESCRIBE(lease, LEASE, NULL)
DESCRIBE(port, PORT, NULL)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* clang-format off */
#define MACHINE(lower)                                                                   \
	{                                                                                \
		#lower, lower##_states, lower##_events, COUNT(lower##_states),           \
			COUNT(lower##_events), &lower##_n_rows, lower##_plain,           \
			lower##_state_text, lower##_event_text, lower##_todo_text        \
	}
/* clang-format on */

static const struct machine machines[FSM_N_MACHINES] = {
	[FSM_VF] = MACHINE(vf),
	[FSM_LEASE] = MACHINE(lease),
	[FSM_PORT] = MACHINE(port),
};

const char *fsm_machine_name(enum fsm_machine m)
{
	return machines[m].name;
}

bool fsm_machine_find(const char *name, enum fsm_machine *out)
{
	for (size_t i = 0; i < FSM_N_MACHINES; i++) {
		if (strcmp(machines[i].name, name))
			continue;
		*out = (enum fsm_machine)i;
		return true;
	}
	return false;
}

size_t fsm_n_states(enum fsm_machine m)
{
	return machines[m].n_states;
}

const char *fsm_state(enum fsm_machine m, size_t i)
{
	return machines[m].state_name(machines[m].states[i]);
}

size_t fsm_n_events(enum fsm_machine m)
{
	return machines[m].n_events;
}

const char *fsm_event(enum fsm_machine m, size_t i)
{
	return machines[m].event_name(machines[m].events[i]);
}

size_t fsm_n_edges(enum fsm_machine m)
{
	return *machines[m].n_rows;
}

void fsm_edge(enum fsm_machine m, size_t i, struct fsm_edge *out)
{
	struct plain_row row;

	machines[m].row(i, &row);
	*out = (struct fsm_edge){
		.from = machines[m].state_name(row.from),
		.event = machines[m].event_name(row.event),
		.to = machines[m].state_name(row.to),
		.guard = row.guard,
	};
	for (unsigned bit = 0; bit < 31 && out->n_todo < FSM_TODO_MAX; bit++) {
		if (row.todo & (1u << bit))
			out->todo[out->n_todo++] = machines[m].todo_name(1 << bit);
	}
}

/* --- text --- */

struct pen {
	fsm_write_fn write;
	void *arg;
	size_t column; /* characters since the last newline */
};

static void put(struct pen *pen, const char *text)
{
	const char *newline = strrchr(text, '\n');
	size_t len = strlen(text);

	pen->write(pen->arg, text, len);
	pen->column = newline ? strlen(newline + 1) : pen->column + len;
}

static void fill(struct pen *pen, const char *with, size_t column)
{
	while (pen->column < column)
		put(pen, with);
}

/* "EVENT" or "EVENT [guard]". */
static size_t label_len(const struct fsm_edge *e)
{
	return strlen(e->event) + (e->guard ? strlen(e->guard) + 3 : 0);
}

static void put_label(struct pen *pen, const struct fsm_edge *e)
{
	put(pen, e->event);
	if (e->guard) {
		put(pen, " [");
		put(pen, e->guard);
		put(pen, "]");
	}
}

#define LABEL_COLUMN 6	/* after "  +-- " */
#define ARROW_COLUMN 66 /* where the arrow's head stands at the latest */

/* The arrow's head stands in one column for the whole machine: behind the longest list of
 * labels that fits, lists longer than that are wrapped. */
static size_t arrow_column(enum fsm_machine m)
{
	size_t widest = 0;

	for (size_t s = 0; s < fsm_n_states(m); s++) {
		for (size_t t = 0; t < fsm_n_states(m); t++) {
			size_t width = LABEL_COLUMN;

			for (size_t i = 0; i < fsm_n_edges(m); i++) {
				struct fsm_edge e;

				fsm_edge(m, i, &e);
				if (strcmp(e.from, fsm_state(m, s)) ||
				    strcmp(e.to, fsm_state(m, t)))
					continue;
				width += label_len(&e) + 2;
			}
			if (width > widest)
				widest = width;
		}
	}
	return widest > ARROW_COLUMN ? ARROW_COLUMN : widest;
}

/* The arrows from one state to another: one line, or several with the head on the first. */
static void put_arrow(struct pen *pen, enum fsm_machine m, const char *from,
		      const char *to, bool last, size_t head)
{
	bool first_line = true, first_label = true;

	for (size_t i = 0; i < fsm_n_edges(m); i++) {
		struct fsm_edge e;

		fsm_edge(m, i, &e);
		if (strcmp(e.from, from) || strcmp(e.to, to))
			continue;
		if (first_label)
			put(pen, "  +-- ");
		else
			put(pen, ",");
		if (!first_label && pen->column + label_len(&e) + 3 > head) {
			if (first_line) {
				put(pen, " ");
				fill(pen, "-", head);
				put(pen, "> ");
				put(pen, to);
			}
			first_line = false;
			put(pen, last ? "\n" : "\n  |");
			fill(pen, " ", LABEL_COLUMN);
		} else if (!first_label) {
			put(pen, " ");
		}
		put_label(pen, &e);
		first_label = false;
	}
	if (first_line && !first_label) {
		put(pen, " ");
		fill(pen, "-", head);
		put(pen, "> ");
		put(pen, to);
	}
	if (!first_label)
		put(pen, "\n");
}

static bool is_connected(enum fsm_machine m, const char *from, const char *to)
{
	for (size_t i = 0; i < fsm_n_edges(m); i++) {
		struct fsm_edge e;

		fsm_edge(m, i, &e);
		if (!strcmp(e.from, from) && !strcmp(e.to, to))
			return true;
	}
	return false;
}

void fsm_diagram(enum fsm_machine m, fsm_write_fn write, void *arg)
{
	struct pen pen = { .write = write, .arg = arg };
	size_t head = arrow_column(m);

	for (size_t s = 0; s < fsm_n_states(m); s++) {
		const char *from = fsm_state(m, s);
		size_t last = 0;

		for (size_t t = 0; t < fsm_n_states(m); t++) {
			if (is_connected(m, from, fsm_state(m, t)))
				last = t;
		}
		put(&pen, from);
		put(&pen, "\n");
		for (size_t t = 0; t < fsm_n_states(m); t++) {
			const char *to = fsm_state(m, t);

			put_arrow(&pen, m, from, to, t == last, head);
		}
	}
}

static void put_todo(struct pen *pen, const struct fsm_edge *e, const char *between)
{
	for (unsigned i = 0; i < e->n_todo; i++) {
		if (i > 0)
			put(pen, between);
		put(pen, e->todo[i]);
	}
}

static size_t wider(size_t width, const char *text)
{
	return text && strlen(text) > width ? strlen(text) : width;
}

void fsm_table(enum fsm_machine m, fsm_write_fn write, void *arg)
{
	static const struct fsm_edge heading = {
		.from = "FROM",
		.event = "EVENT",
		.guard = "GUARD",
		.to = "TO",
		.n_todo = 1,
		.todo = { "TO DO, IN THIS ORDER" },
	};
	struct pen pen = { .write = write, .arg = arg };
	size_t from = 4, event = 5, guard = 5, to = 2;

	for (size_t i = 0; i < fsm_n_edges(m); i++) {
		struct fsm_edge e;

		fsm_edge(m, i, &e);
		from = wider(from, e.from);
		event = wider(event, e.event);
		guard = wider(guard, e.guard);
		to = wider(to, e.to);
	}
	for (size_t i = 0; i <= fsm_n_edges(m); i++) {
		struct fsm_edge e = heading;

		if (i > 0)
			fsm_edge(m, i - 1, &e);
		put(&pen, e.from);
		fill(&pen, " ", from + 2);
		put(&pen, e.event);
		fill(&pen, " ", from + event + 4);
		put(&pen, e.guard ? e.guard : "-");
		fill(&pen, " ", from + event + guard + 6);
		put(&pen, e.to);
		fill(&pen, " ", from + event + guard + to + 8);
		put_todo(&pen, &e, " ");
		put(&pen, "\n");
	}
}

void fsm_dot(enum fsm_machine m, fsm_write_fn write, void *arg)
{
	struct pen pen = { .write = write, .arg = arg };

	put(&pen, "digraph ");
	put(&pen, fsm_machine_name(m));
	put(&pen, " {\n\tnode [shape=box];\n");
	for (size_t i = 0; i < fsm_n_states(m); i++) {
		put(&pen, "\t");
		put(&pen, fsm_state(m, i));
		put(&pen, ";\n");
	}
	for (size_t i = 0; i < fsm_n_edges(m); i++) {
		struct fsm_edge e;

		fsm_edge(m, i, &e);
		put(&pen, "\t");
		put(&pen, e.from);
		put(&pen, " -> ");
		put(&pen, e.to);
		put(&pen, " [label=\"");
		put_label(&pen, &e);
		put(&pen, "\\n");
		put_todo(&pen, &e, " ");
		put(&pen, "\"];\n");
	}
	put(&pen, "}\n");
}
