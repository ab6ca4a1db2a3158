/* SPDX-License-Identifier: Apache-2.0 */
/* The three machines as data, and their pictures: everything that vfctl fsm, the headers
 * and vfkeeper-fsm(7) show is generated here from the rows.  No I/O: text goes to a
 * callback.  Layer: fsm. */
#ifndef VFK_FSM_GRAPH_H
#define VFK_FSM_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

enum fsm_machine { FSM_VF, FSM_LEASE, FSM_PORT };
#define FSM_N_MACHINES 3

#define FSM_TODO_MAX 8

/* One row of a table, by names.  All strings are static. */
struct fsm_edge {
	const char *from, *event, *to;
	const char *guard; /* NULL: always */
	unsigned n_todo;
	const char *todo[FSM_TODO_MAX]; /* in bit order */
};

const char *fsm_machine_name(enum fsm_machine m); /* "vf", "lease", "port" */
bool fsm_machine_find(const char *name, enum fsm_machine *out);

size_t fsm_n_states(enum fsm_machine m);
const char *fsm_state(enum fsm_machine m, size_t i);
size_t fsm_n_events(enum fsm_machine m);
const char *fsm_event(enum fsm_machine m, size_t i);
size_t fsm_n_edges(enum fsm_machine m);
void fsm_edge(enum fsm_machine m, size_t i, struct fsm_edge *out);

/* 'text' is NUL-terminated, 'len_bytes' its length; valid during the call only. */
typedef void (*fsm_write_fn)(void *arg, const char *text, size_t len_bytes);

/* For each state the arrows that leave it, those of one target together:
 *	FREE
 *	  +-- ADD --------------> RESERVED
 * 88 columns at most. */
void fsm_diagram(enum fsm_machine m, fsm_write_fn write, void *arg);
/* Columns: from, event, guard, to, actions; a heading first; one line per row. */
void fsm_table(enum fsm_machine m, fsm_write_fn write, void *arg);
/* A digraph for Graphviz, named like the machine. */
void fsm_dot(enum fsm_machine m, fsm_write_fn write, void *arg);

#endif
