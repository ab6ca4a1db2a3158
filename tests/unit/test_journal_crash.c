/* SPDX-License-Identifier: Apache-2.0 */
/* Random histories of a journal over a disk that loses power, loses the process, fails syncs
 * and fills up.  After every recovery: nothing that was synced is missing, nothing that
 * was written is missing if only the process died, the state is one that really was, and no
 * healthy journal is called damaged. */
#include <stdlib.h>

#include "base/log.h"
#include "journal_app.h"
#include "suite.h"

#define SIZE (16 * 1024)
#define N_SEEDS 400

static struct mem_disk mem;
static struct app app;

enum end { END_POWER, END_KILL, END_DIE_IN_WRITE };

/* Some changes, syncs and new files; returns the highest sequence that the sync worker
 * reported as done before the crash. */
static uint64_t live(uint64_t *seed, bool faults, enum end end)
{
	unsigned n = (unsigned)(app_roll(seed) % 60);

	if (end == END_DIE_IN_WRITE) {
		mem.die_at = mem.n_ops + 1 + (unsigned)(app_roll(seed) % 60);
		mem.die_bytes = (size_t)(app_roll(seed) % 400);
	}
	app.pad = (unsigned)(app_roll(seed) % 3) * 150;
	for (unsigned i = 0; i < n && !mem.dead; i++) {
		unsigned what = (unsigned)(app_roll(seed) % 20);

		if (what < 12) {
			if (app_set(&app, (unsigned)(app_roll(seed) % APP_CELLS),
				    app_roll(seed)) < 0)
				(void)!journal_begin(app.j, &app.err);
		} else if (what < 17) {
			app_sync(&app, &mem);
		} else if (what == 17) {
			/* If it fails, the present file stays. */
			(void)!journal_begin(app.j, &app.err);
		} else if (what == 18 && faults) {
			if (app_sync_fails(&app, &mem) && app_roll(seed) % 2)
				(void)!journal_begin(app.j, &app.err);
		} else if (what == 19 && faults) {
			mem.fail_at = mem.n_ops + 1 + (unsigned)(app_roll(seed) % 3);
			mem.fail_count = 1;
			mem.fail_errno = ENOSPC;
		}
		if (!mem.dead && journal_last(app.j) < APP_PAST)
			app_remember(&app);
	}
	return journal_durable(app.j);
}

struct tally {
	unsigned clean, torn, lost_synced, lost_written, not_a_past, refused, no_open;
};

static void crash_once(uint64_t seed, enum end end, bool faults, struct tally *t)
{
	uint64_t synced = 0; /* over all rounds */
	struct disk disk;

	mem_init(&mem);
	app_init(&app);
	app.seed = seed;
	disk = mem_as_disk(&mem);
	if (app_open(&app, &disk, NULL, SIZE) < 0)
		t->no_open++;
	for (unsigned round = 0; round < 5 && app.j; round++) {
		uint64_t now = live(&seed, faults, end), written = journal_last(app.j);
		bool died = mem.dead;

		if (now > synced)
			synced = now;
		app_close(&app);
		if (end == END_POWER)
			mem_power_loss(&mem, app_roll, &seed);
		mem.dead = false;
		mem.die_at = mem.fail_at = 0;
		if (app_open(&app, &disk, NULL, SIZE) < 0) {
			t->no_open++;
			break;
		}
		t->clean += app.st.verdict == JOURNAL_CLEAN;
		t->torn += app.st.verdict == JOURNAL_TORN;
		t->refused += app.st.verdict == JOURNAL_DAMAGED;
		t->lost_synced += app.st.last_seq < synced;
		/* A dying process may have written less than it thought. */
		if (end == END_KILL && !died && app.st.last_seq != written)
			t->lost_written++;
		if (app.st.last_seq >= APP_PAST) {
			app_close(&app);
			break;
		}
		if (app.st.last_seq &&
		    memcmp(app.cells, app.past[app.st.last_seq], sizeof(app.cells)))
			t->not_a_past++;
	}
	if (app.j)
		app_close(&app);
	mem_fini(&mem);
}

static void crashes(enum end end, bool faults)
{
	struct tally t = { 0 };

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct tally before = t;

		crash_once(seed * 7919, end, faults, &t);
		if (t.lost_synced + t.lost_written + t.not_a_past + t.refused + t.no_open !=
		    before.lost_synced + before.lost_written + before.not_a_past +
			    before.refused + before.no_open)
			printf("seed %llu\n", (unsigned long long)seed);
	}
	printf("%u clean, %u torn\n", t.clean, t.torn);
	SUITE_INT(t.lost_synced, 0);
	SUITE_INT(t.lost_written, 0);
	SUITE_INT(t.not_a_past, 0);
	SUITE_INT(t.refused, 0);
	SUITE_INT(t.no_open, 0);
	/* The histories are worth something only if both kinds occur. */
	CU_ASSERT(t.clean > 50);
	CU_ASSERT(t.torn > 20 || end == END_KILL);
}

static void power_loss(void)
{
	crashes(END_POWER, false);
}

static void power_loss_with_faults(void)
{
	crashes(END_POWER, true);
}

static void killed(void)
{
	crashes(END_KILL, false);
}

static void killed_with_faults(void)
{
	crashes(END_KILL, true);
}

static void dies_in_write(void)
{
	crashes(END_DIE_IN_WRITE, false);
}

/* One byte of what was synced, or written in this boot, is changed while nobody runs: it is
 * found, or nothing was lost by it. */
static void finds_damage(void)
{
	unsigned n_damaged = 0, n_lost = 0;

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		uint64_t roll = seed * 104729, synced, before[APP_CELLS];
		struct disk disk;
		unsigned file;

		mem_init(&mem);
		app_init(&app);
		app.seed = seed;
		disk = mem_as_disk(&mem);
		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
		synced = live(&roll, false, END_KILL);
		if (app_set(&app, 1, seed) < 0 || app_set(&app, 2, seed) < 0)
			n_lost++;
		file = 0;
		for (unsigned n = 0; n < JOURNAL_FILES; n++)
			if (mem.files[n].now[40] > mem.files[file].now[40])
				file = n;
		memcpy(before, app.cells, sizeof(before));
		app_close(&app);
		mem.files[file].now[JOURNAL_HEADER_BYTES + app_roll(&roll) % 2000] ^= 0x04;
		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
		n_damaged += app.st.verdict == JOURNAL_DAMAGED;
		if (app.st.verdict != JOURNAL_DAMAGED && app.st.last_seq < synced)
			n_lost++;
		if (app.st.verdict == JOURNAL_CLEAN &&
		    memcmp(before, app.cells, sizeof(before)))
			n_lost++;
		app_close(&app);
		mem_fini(&mem);
	}
	printf("%u of %u found damaged\n", n_damaged, N_SEEDS);
	SUITE_INT(n_lost, 0);
	CU_ASSERT(n_damaged > N_SEEDS / 4);
}

VFK_SUITE(journal_crash, { "loses nothing synced when the power fails", power_loss },
	  { "loses nothing synced when syncs and writes failed before",
	    power_loss_with_faults },
	  { "loses nothing written when the process is killed", killed },
	  { "loses nothing written when writes failed before", killed_with_faults },
	  { "recovers when the process dies within a write", dies_in_write },
	  { "never takes damage for success", finds_damage })
