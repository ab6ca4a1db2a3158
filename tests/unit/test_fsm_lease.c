/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "fsm/lease.h"
#include "suite.h"

#include "fsm_grid.h"

static const enum lease_state states[] = { LEASE_NONE, LEASE_ASKED, LEASE_HELD, LEASE_OWED };
#define N_STATES (sizeof(states) / sizeof(states[0]))
static const char letters[] = "NAHO";
/* journal sync run pay back-off forget, in bit order */
static const char todo_letters[] = "jsrpbf";

#define EV(name) LEASE_EV_##name
/* clang-format off */
static const struct grid_row grid[] = {
	/*                   NONE      ASKED   HELD    OWED */
	{ EV(ASK),           { "A.jsr", "-",    "-",    "-" } },
	{ EV(ANSWERED),      { "O.jp",  "H.j",  "-",    "O.jp" } },
	{ EV(FAILED),        { "-",     "O.jp", "-",    "-" } },
	{ EV(TIMEOUT),       { "-",     "O.jp", "O.jp", "-" } },
	{ EV(DEL),           { "-",     "O.jp", "O.jp", "-" } },
	{ EV(CALLER_GONE),   { "-",     "O.jp", "O.jp", "-" } },
	{ EV(REPLAY),        { "-",     "O.jp", "O.jp", "-" } },
	{ EV(SETUP_FAILED),  { "-",     "O.jp", "O.jp", "-" } },
	{ EV(GC),            { "-",     "O.jp", "O.jp", "-" } },
	{ EV(NETNS_GONE),    { "-",     "O.jp", "O.jp", "-" } },
	{ EV(ADMIN_RELEASE), { "-",     "O.jp", "O.jp", "-" } },
	{ EV(REBOOT),        { "-",     "O.j",  "O.j",  "-" } },
	{ EV(PAID),          { "-",     "-",    "-",    "N.jf" } },
	{ EV(UNPAID),        { "-",     "-",    "-",    "O.jb" } },
	{ EV(NOT_RUN),       { "-",     "N.jf", "-",    "-" } },
	{ EV(ADOPT),         { "O.jp",  "-",    "-",    "-" } },
	{ EV(IMPORTED),      { "H.j",   "-",    "-",    "-" } },
	{ EV(EXPORTED),      { "-",     "-",    "N.jf", "-" } },
};
/* clang-format on */
#define N_EVENTS (sizeof(grid) / sizeof(grid[0]))

static char letter_of(enum lease_state state)
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
			enum lease_state state = states[s];
			char actual[GRID_CELL], text[160];
			unsigned todo = 0xdead0000;
			bool taken = lease_step(&state, (enum lease_event)grid[e].event,
						&todo);

			grid_actual(taken, letter_of(state), todo, todo_letters, actual);
			snprintf(text, sizeof(text), "%s %s", lease_state_name(states[s]),
				 lease_event_name((enum lease_event)grid[e].event));
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
		CU_ASSERT(lease_event_valid(grid[e].event));
		for (size_t s = 0; s < N_STATES; s++)
			expected += strcmp(grid[e].cell[s], "-") != 0;
	}
	SUITE_INT(lease_n_rows, expected);
	for (int v = -1; v < 300; v++) {
		n_states += lease_state_valid(v);
		n_events += lease_event_valid(v);
	}
	SUITE_INT(n_states, N_STATES);
	SUITE_INT(n_events, N_EVENTS);
}

/* There are no guards: a second row of a pair would never fire. */
static void every_row_fires(void)
{
	for (size_t i = 0; i < lease_n_rows; i++) {
		for (size_t k = i + 1; k < lease_n_rows; k++)
			CU_ASSERT_FALSE(lease_rows[i].from == lease_rows[k].from &&
					lease_rows[i].event == lease_rows[k].event);
	}
}

static void journal_first_and_always(void)
{
	SUITE_INT(LEASE_DO_JOURNAL, 1);
	for (size_t i = 0; i < lease_n_rows; i++)
		CU_ASSERT(lease_rows[i].todo & LEASE_DO_JOURNAL);
}

/* P1: ASKED is on the disk before a plugin is asked, and nothing else waits for a sync. */
static void sync_before_run(void)
{
	for (size_t i = 0; i < lease_n_rows; i++) {
		unsigned todo = lease_rows[i].todo;

		SUITE_INT((todo & LEASE_DO_SYNC) != 0, lease_rows[i].to == LEASE_ASKED);
		SUITE_INT((todo & LEASE_DO_RUN) != 0, (todo & LEASE_DO_SYNC) != 0);
	}
	CU_ASSERT(LEASE_DO_SYNC < LEASE_DO_RUN);
}

/* P8: a lease that may exist ends only by a payment, by knowing that nothing was run, or in
 * somebody else's hands. */
static void no_way_round_the_debt(void)
{
	for (size_t i = 0; i < lease_n_rows; i++) {
		const struct lease_row *r = &lease_rows[i];

		if (r->to != LEASE_NONE)
			continue;
		CU_ASSERT((r->from == LEASE_OWED && r->event == EV(PAID)) ||
			  (r->from == LEASE_ASKED && r->event == EV(NOT_RUN)) ||
			  (r->from == LEASE_HELD && r->event == EV(EXPORTED)));
	}
}

/* R13: the REBOOT step asks no IPAM; every other way into OWED wants the payment. */
static void every_debt_is_paid_but_at_reboot(void)
{
	for (size_t i = 0; i < lease_n_rows; i++) {
		const struct lease_row *r = &lease_rows[i];

		if (r->to == LEASE_OWED && r->event != EV(UNPAID))
			SUITE_INT((r->todo & LEASE_DO_PAY) != 0, r->event != EV(REBOOT));
	}
}

static bool leads(enum lease_state from, enum lease_event event, enum lease_state to)
{
	enum lease_state state = from;
	unsigned todo;

	return lease_step(&state, event, &todo) && state == to;
}

/* ASKED is work under way: it is left on failure and on timeout.  OWED is work under way
 * that is never given up: its failure (a timeout is one) waits and comes back.  NONE and
 * HELD rest. */
static void ways_out(void)
{
	unsigned todo = 0;
	enum lease_state owed = LEASE_OWED;

	CU_ASSERT(leads(LEASE_ASKED, EV(FAILED), LEASE_OWED));
	CU_ASSERT(leads(LEASE_ASKED, EV(TIMEOUT), LEASE_OWED));
	CU_ASSERT(leads(LEASE_OWED, EV(PAID), LEASE_NONE));
	CU_ASSERT(lease_step(&owed, EV(UNPAID), &todo));
	SUITE_INT(owed, LEASE_OWED);
	CU_ASSERT(todo & LEASE_DO_BACK_OFF);
	CU_ASSERT(leads(LEASE_ASKED, EV(REBOOT), LEASE_OWED));
	CU_ASSERT(leads(LEASE_HELD, EV(REBOOT), LEASE_OWED));
}

static void spread(bool reached[N_STATES])
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < lease_n_rows; i++) {
			size_t from = strchr(letters, letter_of(lease_rows[i].from)) -
				      letters;
			size_t to = strchr(letters, letter_of(lease_rows[i].to)) - letters;

			if (reached[from] && !reached[to])
				reached[to] = more = true;
		}
	}
}

static void reachable_both_ways(void)
{
	for (size_t i = 0; i < N_STATES; i++) {
		bool from_none[N_STATES] = { [0] = true }, from_here[N_STATES] = { false };

		spread(from_none);
		CU_ASSERT(from_none[i]);
		from_here[i] = true;
		spread(from_here);
		CU_ASSERT(from_here[0]);
	}
}

static void values_on_disk(void)
{
	static const char *const fixed_states[] = { "?",    "NONE", "ASKED",
						    "HELD", "OWED", "?" };
	static const char *const fixed_events[] = {
		"?",	      "ASK",	       "ANSWERED", "FAILED",	   "TIMEOUT",
		"DEL",	      "CALLER_GONE",   "REPLAY",   "SETUP_FAILED", "GC",
		"NETNS_GONE", "ADMIN_RELEASE", "REBOOT",   "PAID",	   "UNPAID",
		"NOT_RUN",    "ADOPT",	       "IMPORTED", "EXPORTED",	   "?"
	};

	for (int i = 0; i < (int)(sizeof(fixed_states) / sizeof(fixed_states[0])); i++)
		SUITE_STR(lease_state_name((enum lease_state)i), fixed_states[i]);
	for (int i = 0; i < (int)(sizeof(fixed_events) / sizeof(fixed_events[0])); i++)
		SUITE_STR(lease_event_name((enum lease_event)i), fixed_events[i]);
	SUITE_STR(lease_todo_name((enum lease_todo)(1 << 30)), "?");
}

VFK_SUITE(fsm_lease,
	  { "every pair of state and event does what the grid says", every_pair },
	  { "table, grid, states and events have the same size", counts_agree },
	  { "every row of the table can fire", every_row_fires },
	  { "JOURNAL is the lowest bit and in every row", journal_first_and_always },
	  { "P1: only ASKED is synced, and before the plugin is run", sync_before_run },
	  { "P8: a debt ends by payment or by certainty only", no_way_round_the_debt },
	  { "R13: every debt wants its payment but at reboot",
	    every_debt_is_paid_but_at_reboot },
	  { "ASKED is left on failure and timeout, OWED is tried again", ways_out },
	  { "every state is reachable from NONE and leads to it", reachable_both_ways },
	  { "values that reach the disk are the agreed ones", values_on_disk })
