/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "fsm/vf.h"
#include "suite.h"

#include "fsm_grid.h"

/* Columns of the grid, and the letter of each state. */
static const enum vf_state states[] = { VF_FREE,      VF_RESERVED, VF_ATTACHED,
					VF_DETACHING, VF_FAULTED,  VF_ABSENT };
#define N_STATES (sizeof(states) / sizeof(states[0]))
static const char letters[] = "FRADXN"; /* faulted = X, not there = N */
/* journal setup restore capture alarm replY forget, in bit order */
static const char todo_letters[] = "jsrcayf";

#define EV(name) VF_EV_##name
/* clang-format off */
static const struct grid_row grid[] = {
	/*                   FREE      RESERVED  ATTACHED  DETACHING  FAULTED     ABSENT */
	{ EV(ADD),           { "R.js", "-",      "-",      "-",       "-",        "-" } },
	{ EV(SETUP_DONE),    { "-",    "A.jy",   "-",      "-",       "-",        "-" } },
	{ EV(SETUP_FAILED),  { "-",    "D.jr",   "-",      "-",       "-",        "-" } },
	{ EV(DEL),           { "-",    "D.jry",  "D.jr",   "-",       "D.jr",     "-" } },
	{ EV(GC),            { "-",    "D.jry",  "D.jr",   "-",       "D.jr",     "-" } },
	{ EV(CALLER_GONE),   { "-",    "D.jr",   "-",      "-",       "-",        "-" } },
	{ EV(REPLAY),        { "-",    "D.jr",   "-",      "-",       "-",        "-" } },
	{ EV(NETNS_GONE),    { "-",    "D.jry",  "D.jr",   "-",       "-",        "-" } },
	{ EV(RETURNED),      { "D.jr", "-",      "D.jr",   "-",       "-",        "-" } },
	{ EV(ADMIN_RELEASE), { "-",    "D.jry",  "D.jr",   "-",       "D.jr",     "-" } },
	{ EV(RESTORE_DONE),  { "-",    "-",      "-",      "F.jyf",   "-",        "-" } },
	{ EV(GAVE_UP),       { "-",    "-",      "-",      "X.jay",   "-",        "-" } },
	{ EV(FATAL),         { "-",    "D.jr",   "-",      "X.jay",   "-",        "-" } },
	{ EV(RETRY),         { "-",    "-",      "-",      "-",       "D.jr|-",   "-" } },
	{ EV(ADMIN_RETRY),   { "-",    "-",      "-",      "-",       "D.jr|-",   "-" } },
	{ EV(PF_RECOVERED),  { "-",    "-",      "-",      "-",       "D.jr|-",   "-" } },
	{ EV(VANISHED),      { "N.jf", "N.jayf", "N.jaf",  "N.jayf",  "N.jf",     "-" } },
	{ EV(REBOOT),        { "N.jf", "N.jf",   "N.jf",   "N.jf",    "N.jf",     "-" } },
	{ EV(APPEARED),      { "-",    "-",      "-",      "-",       "-",        "F.jc|X.ja" } },
	{ EV(ADOPT),         { "D.jr", "-",      "-",      "-",       "D.jr",     "-" } },
	{ EV(HOME),          { "-",    "-",      "-",      "-",       "-|F.jc",   "-" } },
	{ EV(TIMEOUT),       { "-",    "D.jry",  "-",      "X.jay",   "-",        "-" } },
	{ EV(STEP),          { "-",    "R.j",    "-",      "D.j",     "-",        "-" } },
	{ EV(BASELINE),      { "F.j",  "-",      "-",      "-",       "-",        "-" } },
	{ EV(TAKEN),         { "-|X.ja", "-",    "-",      "-",       "-",        "-" } },
	{ EV(IMPORTED),      { "A.j",  "-",      "-",      "-",       "-|A.j",    "-" } },
	{ EV(EXPORTED),      { "-",    "-",      "-|X.jaf", "-",       "-",        "-" } },
	{ EV(STALE),         { "-",    "-",      "-",      "-",       "-|D.jrc",  "D.jrc" } },
};
/* clang-format on */
#define N_EVENTS (sizeof(grid) / sizeof(grid[0]))

/* Pairs whose last row has a guard on purpose: where it does not hold the event is refused,
 * which is the right answer and not a forgotten row. */
static const struct {
	enum vf_state from;
	enum vf_event event;
} refusable[] = {
	{ VF_FREE, EV(TAKEN) },		  /* a free VF that nobody uses */
	{ VF_FAULTED, EV(RETRY) },	  /* never take what somebody else uses */
	{ VF_FAULTED, EV(ADMIN_RETRY) },  /* likewise */
	{ VF_FAULTED, EV(PF_RECOVERED) }, /* likewise */
	{ VF_FAULTED, EV(HOME) },	  /* what is ours comes home by a release only */
	{ VF_FAULTED, EV(IMPORTED) },	  /* and is nobody else's */
	{ VF_ATTACHED, EV(EXPORTED) },	  /* not before it is somebody else's */
	{ VF_FAULTED, EV(STALE) },	  /* as HOME */
};
#define N_REFUSABLE (sizeof(refusable) / sizeof(refusable[0]))

static char letter_of(enum vf_state state)
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
			for (int foreign = 0; foreign < 2; foreign++) {
				struct vf_fsm vf = { states[s], foreign };
				char expected[GRID_CELL], actual[GRID_CELL], text[160];
				unsigned todo = 0xdead0000;
				bool taken = vf_step(&vf, (enum vf_event)grid[e].event,
						     &todo);

				grid_expected(grid[e].cell[s], foreign, expected);
				grid_actual(taken, letter_of(vf.state), todo,
					    todo_letters, actual);
				snprintf(text, sizeof(text),
					 "%s %s foreign=%d gives %s, expected %s",
					 vf_state_name(states[s]),
					 vf_event_name((enum vf_event)grid[e].event),
					 foreign, actual, expected);
				suite_str(actual, expected, text, __FILE__, __LINE__);
			}
		}
	}
}

static void refused_changes_nothing(void)
{
	for (size_t e = 0; e < N_EVENTS; e++) {
		for (size_t s = 0; s < N_STATES; s++) {
			for (int foreign = 0; foreign < 2; foreign++) {
				struct vf_fsm vf = { states[s], foreign };
				unsigned todo = 0xdead0000;

				if (vf_step(&vf, (enum vf_event)grid[e].event, &todo)) {
					CU_ASSERT_EQUAL(todo & ~0x7fu, 0);
					continue;
				}
				CU_ASSERT_EQUAL(vf.state, states[s]);
				CU_ASSERT_EQUAL(vf.foreign, (bool)foreign);
				CU_ASSERT_EQUAL(todo, 0xdead0000);
			}
		}
	}
}

static void foreign_is_kept_only_while_faulted(void)
{
	for (size_t i = 0; i < vf_n_rows; i++) {
		struct vf_fsm vf = { vf_rows[i].from, true };
		unsigned todo;

		if (!vf_step(&vf, vf_rows[i].event, &todo))
			continue;
		CU_ASSERT_EQUAL(vf.foreign, vf.state == VF_FAULTED);
	}
}

static size_t first_match(const struct vf_fsm *vf, enum vf_event event)
{
	for (size_t i = 0; i < vf_n_rows; i++) {
		const struct vf_row *r = &vf_rows[i];

		if (r->from == vf->state && r->event == event && (!r->guard || r->guard(vf)))
			return i;
	}
	return vf_n_rows;
}

static void every_row_fires(void)
{
	for (size_t i = 0; i < vf_n_rows; i++) {
		struct vf_fsm ours = { vf_rows[i].from, false };
		struct vf_fsm theirs = { vf_rows[i].from, true };

		bool fires = first_match(&ours, vf_rows[i].event) == i ||
			     first_match(&theirs, vf_rows[i].event) == i;

		if (!fires)
			printf("row %zu: %s %s\n", i, vf_state_name(vf_rows[i].from),
			       vf_event_name(vf_rows[i].event));
		CU_ASSERT(fires);
	}
}

/* One row per grid cell that is not refused; two for a cell with two targets. */
static void counts_agree(void)
{
	size_t expected = 0, n_states = 0, n_events = 0;

	for (size_t e = 0; e < N_EVENTS; e++) {
		for (size_t s = 0; s < N_STATES; s++) {
			char a[GRID_CELL], b[GRID_CELL];

			grid_expected(grid[e].cell[s], 0, a);
			grid_expected(grid[e].cell[s], 1, b);
			expected += strcmp(a, "-") != 0;
			expected += strcmp(b, "-") != 0 && strcmp(a, b) != 0;
		}
	}
	SUITE_INT(vf_n_rows, expected);
	for (int v = -1; v < 300; v++) {
		n_states += vf_state_valid(v);
		n_events += vf_event_valid(v);
	}
	SUITE_INT(n_states, N_STATES);
	SUITE_INT(n_events, N_EVENTS);
	for (size_t e = 0; e < N_EVENTS; e++)
		CU_ASSERT(vf_event_valid(grid[e].event));
}

static void journal_first_and_always(void)
{
	SUITE_INT(VF_DO_JOURNAL, 1);
	for (size_t i = 0; i < vf_n_rows; i++)
		CU_ASSERT(vf_rows[i].todo & VF_DO_JOURNAL);
}

static bool is_refusable(enum vf_state from, enum vf_event event)
{
	for (size_t i = 0; i < N_REFUSABLE; i++) {
		if (refusable[i].from == from && refusable[i].event == event)
			return true;
	}
	return false;
}

static void last_row_has_no_guard(void)
{
	size_t n_guarded_pairs = 0;

	for (size_t i = 0; i < vf_n_rows; i++) {
		const struct vf_row *r = &vf_rows[i];
		bool is_last = true;

		CU_ASSERT_EQUAL(r->guard == NULL, r->guard_name == NULL);
		for (size_t k = i + 1; k < vf_n_rows; k++) {
			if (vf_rows[k].from != r->from || vf_rows[k].event != r->event)
				continue;
			is_last = false;
			/* Behind a row without guard nothing of the pair is ever looked at. */
			CU_ASSERT_PTR_NOT_NULL(r->guard);
		}
		if (!is_last || !r->guard)
			continue;
		n_guarded_pairs++;
		if (!is_refusable(r->from, r->event)) {
			printf("%s %s\n", vf_state_name(r->from), vf_event_name(r->event));
			CU_FAIL("the last row of a pair has a guard, and it is not allowed to");
		}
	}
	SUITE_INT(n_guarded_pairs, N_REFUSABLE);
}

/* Reachability over the rows that an unchanged 'foreign' does not forbid. */
static void spread(bool reached[N_STATES])
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < vf_n_rows; i++) {
			size_t from = strchr(letters, letter_of(vf_rows[i].from)) - letters;
			size_t to = strchr(letters, letter_of(vf_rows[i].to)) - letters;

			if (reached[from] && !reached[to])
				reached[to] = more = true;
		}
	}
}

static void every_state_is_reachable(void)
{
	bool reached[N_STATES] = { false };

	reached[strchr(letters, 'N') - letters] = true; /* a VF begins as ABSENT */
	spread(reached);
	for (size_t i = 0; i < N_STATES; i++)
		CU_ASSERT(reached[i]);
}

static void every_state_leads_to_free(void)
{
	for (size_t i = 0; i < N_STATES; i++) {
		bool reached[N_STATES] = { false };

		reached[i] = true;
		spread(reached);
		CU_ASSERT(reached[strchr(letters, 'F') - letters]);
	}
}

static bool leaves(enum vf_state from, enum vf_event event)
{
	for (int foreign = 0; foreign < 2; foreign++) {
		struct vf_fsm vf = { from, foreign };
		unsigned todo;

		if (!vf_step(&vf, event, &todo) || vf.state == from)
			return false;
	}
	return true;
}

/* Work is under way in the states that are entered with SETUP or RESTORE.  Each of them is
 * left when the work fails, when its time is over and when the device dies; the others
 * rest, and know no deadline.  A VF may vanish in any state, and no state survives a boot. */
static void ways_out(void)
{
	for (size_t s = 0; s < N_STATES; s++) {
		bool works = false;

		for (size_t i = 0; i < vf_n_rows; i++) {
			if (vf_rows[i].to == states[s] &&
			    (vf_rows[i].todo & (VF_DO_SETUP | VF_DO_RESTORE)))
				works = true;
		}
		SUITE_INT(works, states[s] == VF_RESERVED || states[s] == VF_DETACHING);
		SUITE_INT(leaves(states[s], EV(TIMEOUT)), works);
		SUITE_INT(leaves(states[s], EV(FATAL)), works);
		SUITE_INT(leaves(states[s], EV(SETUP_FAILED)) ||
				  leaves(states[s], EV(GAVE_UP)),
			  works);
		SUITE_INT(leaves(states[s], EV(VANISHED)), states[s] != VF_ABSENT);
		SUITE_INT(leaves(states[s], EV(REBOOT)), states[s] != VF_ABSENT);
	}
}

/* P3: who has a VF loses it only to these events. */
static void only_these_release_an_owner(void)
{
	static const enum vf_event releasing[] = { EV(DEL),	      EV(GC),
						   EV(NETNS_GONE),    EV(RETURNED),
						   EV(ADMIN_RELEASE), EV(VANISHED),
						   EV(REBOOT),	      EV(EXPORTED) };

	for (size_t i = 0; i < vf_n_rows; i++) {
		bool found = false;

		if (vf_rows[i].from != VF_ATTACHED)
			continue;
		for (size_t k = 0; k < sizeof(releasing) / sizeof(releasing[0]); k++)
			found |= releasing[k] == vf_rows[i].event;
		CU_ASSERT(found);
	}
}

/* P2: a DEL that finds its VF FAULTED or ABSENT may succeed because of the alarm. */
static void alarm_where_a_del_relies_on_it(void)
{
	for (size_t i = 0; i < vf_n_rows; i++) {
		const struct vf_row *r = &vf_rows[i];
		bool had_owner = r->from == VF_RESERVED || r->from == VF_ATTACHED ||
				 r->from == VF_DETACHING;

		if (r->to == VF_FAULTED || (had_owner && r->event == EV(VANISHED)))
			CU_ASSERT(r->todo & VF_DO_ALARM);
	}
}

static void values_on_disk(void)
{
	static const struct {
		int value;
		const char *name;
	} fixed_states[] = { { 1, "FREE" },	 { 2, "RESERVED" }, { 3, "ATTACHED" },
			     { 4, "DETACHING" }, { 5, "FAULTED" },  { 6, "ABSENT" } },
	  fixed_events[] = { { 1, "ADD" },
			     { 2, "SETUP_DONE" },
			     { 3, "SETUP_FAILED" },
			     { 4, "DEL" },
			     { 5, "GC" },
			     { 6, "CALLER_GONE" },
			     { 7, "REPLAY" },
			     { 8, "NETNS_GONE" },
			     { 9, "RETURNED" },
			     { 10, "ADMIN_RELEASE" },
			     { 11, "RESTORE_DONE" },
			     { 12, "GAVE_UP" },
			     { 13, "FATAL" },
			     { 14, "RETRY" },
			     { 15, "ADMIN_RETRY" },
			     { 16, "PF_RECOVERED" },
			     { 17, "VANISHED" },
			     { 18, "REBOOT" },
			     { 19, "APPEARED" },
			     { 20, "ADOPT" },
			     { 21, "HOME" },
			     { 22, "TIMEOUT" },
			     { 23, "STEP" },
			     { 24, "BASELINE" },
			     { 25, "TAKEN" },
			     { 26, "IMPORTED" },
			     { 27, "EXPORTED" },
			     { 28, "STALE" } };

	SUITE_INT(sizeof(fixed_states) / sizeof(fixed_states[0]), N_STATES);
	SUITE_INT(sizeof(fixed_events) / sizeof(fixed_events[0]), N_EVENTS);
	for (size_t i = 0; i < N_STATES; i++)
		SUITE_STR(vf_state_name((enum vf_state)fixed_states[i].value),
			  fixed_states[i].name);
	for (size_t i = 0; i < N_EVENTS; i++)
		SUITE_STR(vf_event_name((enum vf_event)fixed_events[i].value),
			  fixed_events[i].name);
}

static void unknown_values(void)
{
	struct vf_fsm vf = { (enum vf_state)77, false };
	unsigned todo = 5;

	SUITE_STR(vf_state_name((enum vf_state)0), "?");
	SUITE_STR(vf_event_name((enum vf_event)99), "?");
	SUITE_STR(vf_todo_name((enum vf_todo)(1 << 30)), "?");
	CU_ASSERT_FALSE(vf_step(&vf, EV(REBOOT), &todo));
	vf.state = VF_FREE;
	CU_ASSERT_FALSE(vf_step(&vf, (enum vf_event)0, &todo));
	CU_ASSERT_FALSE(vf_step(&vf, (enum vf_event)29, &todo));
	SUITE_INT(todo, 5);
}

VFK_SUITE(fsm_vf, { "every pair of state and event does what the grid says", every_pair },
	  { "a refused event changes neither state nor actions", refused_changes_nothing },
	  { "the mark of a foreign user is kept only while FAULTED",
	    foreign_is_kept_only_while_faulted },
	  { "every row of the table can fire", every_row_fires },
	  { "table, grid, states and events have the same size", counts_agree },
	  { "JOURNAL is the lowest bit and in every row", journal_first_and_always },
	  { "the last row of a pair has no guard but for the named pairs",
	    last_row_has_no_guard },
	  { "every state is reachable from ABSENT", every_state_is_reachable },
	  { "every state leads to FREE", every_state_leads_to_free },
	  { "states with work under way are left on failure and timeout", ways_out },
	  { "P3: an owner loses its VF only to the named events",
	    only_these_release_an_owner },
	  { "P2: the alarm is raised where a DEL relies on it",
	    alarm_where_a_del_relies_on_it },
	  { "values that reach the disk are the agreed ones", values_on_disk },
	  { "unknown values have no name and no transition", unknown_values })
