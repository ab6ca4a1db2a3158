/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "fsm/graph.h"
#include "fsm/lease.h"
#include "fsm/port.h"
#include "fsm/vf.h"
#include "suite.h"

struct page {
	char text[16384];
	size_t len;
	bool terminated; /* every piece ended where its length said */
};

static void add(void *arg, const char *text, size_t len_bytes)
{
	struct page *p = arg;

	if (strlen(text) != len_bytes)
		p->terminated = false;
	if (p->len + len_bytes >= sizeof(p->text))
		return;
	memcpy(p->text + p->len, text, len_bytes);
	p->len += len_bytes;
	p->text[p->len] = '\0';
}

static const char *drawn(void (*draw)(enum fsm_machine, fsm_write_fn, void *),
			 enum fsm_machine m)
{
	static struct page page;

	page = (struct page){ .terminated = true };
	draw(m, add, &page);
	CU_ASSERT(page.terminated);
	CU_ASSERT(page.len > 0);
	return page.text;
}

static size_t n_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The machine of the ports is small enough to be compared as a whole. */
static void whole_diagram(void)
{
	SUITE_STR(drawn(fsm_diagram, FSM_PORT),
		  "UNKNOWN\n"
		  "  +-- LINK_DOWN --------------> DOWN\n"
		  "  +-- LINK_INIT --------------> INIT\n"
		  "  +-- LINK_ACTIVE ------------> ACTIVE\n"
		  "  +-- DEVICE_FATAL -----------> FATAL\n"
		  "DOWN\n"
		  "  +-- LOST -------------------> UNKNOWN\n"
		  "  +-- LINK_INIT --------------> INIT\n"
		  "  +-- LINK_ACTIVE ------------> ACTIVE\n"
		  "  +-- DEVICE_FATAL -----------> FATAL\n"
		  "INIT\n"
		  "  +-- LOST -------------------> UNKNOWN\n"
		  "  +-- LINK_DOWN --------------> DOWN\n"
		  "  +-- LINK_ACTIVE ------------> ACTIVE\n"
		  "  +-- DEVICE_FATAL -----------> FATAL\n"
		  "ACTIVE\n"
		  "  +-- LOST -------------------> UNKNOWN\n"
		  "  +-- LINK_DOWN --------------> DOWN\n"
		  "  +-- LINK_INIT --------------> INIT\n"
		  "  +-- DEVICE_FATAL -----------> FATAL\n"
		  "FATAL\n"
		  "  +-- DEVICE_RECOVERED, LOST -> UNKNOWN\n");
}

static void wrapped_diagram(void)
{
	const char *text = drawn(fsm_diagram, FSM_LEASE);

	CU_ASSERT_PTR_NOT_NULL(strstr(text,
				      "  +-- FAILED, TIMEOUT, DEL, CALLER_GONE, REPLAY, "
				      "SETUP_FAILED, ---> OWED\n"
				      "      GC, NETNS_GONE, ADMIN_RELEASE, REBOOT\n"));
	text = drawn(fsm_diagram, FSM_VF);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  |   NETNS_GONE, ADMIN_RELEASE, FATAL\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  +-- APPEARED [is_foreign] ----"));
}

/* Walks the diagram and counts, for each row of the table, that its label stands below its
 * state, before the next state. */
static void diagram_has_every_row(void)
{
	for (int m = 0; m < FSM_N_MACHINES; m++) {
		static char text[16384];
		size_t n_labels = 0;

		snprintf(text, sizeof(text), "%s", drawn(fsm_diagram, (enum fsm_machine)m));
		for (size_t i = 0; i < fsm_n_edges((enum fsm_machine)m); i++) {
			struct fsm_edge e;
			char state[64], label[64];
			const char *part, *end;

			fsm_edge((enum fsm_machine)m, i, &e);
			snprintf(state, sizeof(state), "\n%s\n  +--", e.from);
			part = strncmp(text, state + 1, strlen(state) - 1) ?
				       strstr(text, state) :
				       text;
			CU_ASSERT_PTR_NOT_NULL_FATAL(part);
			for (end = part + 1; *end && !(end[0] == '\n' && end[1] >= 'A');
			     end++)
				;
			snprintf(label, sizeof(label), "%s%s%s%s", e.event,
				 e.guard ? " [" : "", e.guard ? e.guard : "",
				 e.guard ? "]" : "");
			part = strstr(part, label);
			CU_ASSERT(part && part < end);
		}
		for (const char *p = text; *p; p++)
			n_labels += *p == ',' || !strncmp(p, "+--", 3);
		SUITE_INT(n_labels, fsm_n_edges((enum fsm_machine)m));
	}
}

static void lines_fit(void)
{
	for (int m = 0; m < FSM_N_MACHINES; m++) {
		for (int kind = 0; kind < 2; kind++) {
			const char *text = drawn(kind ? fsm_table : fsm_diagram,
						 (enum fsm_machine)m);

			for (const char *line = text; *line;) {
				size_t len = strcspn(line, "\n");

				/* A man page indents by 6 and is 78 wide. */
				CU_ASSERT(len <= (kind ? 88 : 78));
				CU_ASSERT(len > 0 && line[len - 1] != ' ');
				line += len + 1;
			}
		}
	}
}

static void table_lines(void)
{
	SUITE_INT(n_lines(drawn(fsm_table, FSM_VF)), vf_n_rows + 1);
	SUITE_INT(n_lines(drawn(fsm_table, FSM_LEASE)), lease_n_rows + 1);
	SUITE_INT(n_lines(drawn(fsm_table, FSM_PORT)), port_n_rows + 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(drawn(fsm_table, FSM_PORT),
		       "FROM     EVENT             GUARD  TO       TO DO, IN THIS ORDER\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(drawn(fsm_table, FSM_PORT),
		       "FATAL    DEVICE_RECOVERED  -      UNKNOWN  TELL QUERY RETRY\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(drawn(fsm_table, FSM_VF),
		       "\nFREE       TAKEN          is_foreign  FAULTED    JOURNAL ALARM\n"));
}

static void dot_is_a_digraph(void)
{
	for (int m = 0; m < FSM_N_MACHINES; m++) {
		const char *text = drawn(fsm_dot, (enum fsm_machine)m);
		size_t depth = 0, quotes = 0;
		char head[32];

		snprintf(head, sizeof(head), "digraph %s {\n",
			 fsm_machine_name((enum fsm_machine)m));
		SUITE_INT(strncmp(text, head, strlen(head)), 0);
		for (const char *p = text; *p; p++) {
			quotes += *p == '"';
			depth += *p == '{';
			depth -= *p == '}';
		}
		SUITE_INT(depth, 0);
		SUITE_INT(quotes, 2 * fsm_n_edges((enum fsm_machine)m));
		SUITE_INT(n_lines(text), 3 + fsm_n_states((enum fsm_machine)m) +
						 fsm_n_edges((enum fsm_machine)m));
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(drawn(fsm_dot, FSM_VF),
				      "\tABSENT -> FAULTED [label=\"APPEARED [is_foreign]\\n"
				      "JOURNAL ALARM\"];\n"));
}

static void machines_by_name(void)
{
	enum fsm_machine m = FSM_PORT;

	CU_ASSERT(fsm_machine_find("vf", &m));
	SUITE_INT(m, FSM_VF);
	CU_ASSERT(fsm_machine_find("lease", &m));
	SUITE_INT(m, FSM_LEASE);
	CU_ASSERT(fsm_machine_find("port", &m));
	SUITE_INT(m, FSM_PORT);
	CU_ASSERT_FALSE(fsm_machine_find("", &m));
	CU_ASSERT_FALSE(fsm_machine_find("VF", &m));
}

static void names_of_everything(void)
{
	for (int m = 0; m < FSM_N_MACHINES; m++) {
		for (size_t i = 0; i < fsm_n_states((enum fsm_machine)m); i++)
			CU_ASSERT_STRING_NOT_EQUAL(fsm_state((enum fsm_machine)m, i), "?");
		for (size_t i = 0; i < fsm_n_events((enum fsm_machine)m); i++)
			CU_ASSERT_STRING_NOT_EQUAL(fsm_event((enum fsm_machine)m, i), "?");
		for (size_t i = 0; i < fsm_n_edges((enum fsm_machine)m); i++) {
			struct fsm_edge e;

			fsm_edge((enum fsm_machine)m, i, &e);
			CU_ASSERT(e.n_todo > 0);
			for (unsigned k = 0; k < e.n_todo; k++)
				CU_ASSERT_STRING_NOT_EQUAL(e.todo[k], "?");
		}
	}
	SUITE_INT(fsm_n_states(FSM_VF), 6);
	SUITE_INT(fsm_n_events(FSM_LEASE), 18);
}

VFK_SUITE(fsm_graph, { "the port machine is drawn like this", whole_diagram },
	  { "long lists of events are wrapped behind the arrow", wrapped_diagram },
	  { "the diagram shows every row of the table once", diagram_has_every_row },
	  { "lines are short and have no blanks at their end", lines_fit },
	  { "the table has a heading and a line per row", table_lines },
	  { "the digraph has a node per state and an edge per row", dot_is_a_digraph },
	  { "machines are found by their names", machines_by_name },
	  { "states, events and actions all have names", names_of_everything })
