/* SPDX-License-Identifier: Apache-2.0 */
/* The engine and a disk that is slow, full or broken (P1, P2, P9, P10). */
#include "engine_world.h"

static void p1_record_before_the_step(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	/* Every write fails from here: no job may start. */
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 1000;
	w->disk.fail_errno = EIO;
	ew_trace_clear(w);
	c = EW_ADD(w, .container = "c1");
	EW_FAILED(c, "\"code\":11");
	SUITE_STR(w->trace.data, "answer 1;");
	ew_free(w);
}

static void p1_each_write_fails_once(void)
{
	for (unsigned n = 1; n < 30; n++) {
		struct ew *w = ew_new(1);
		unsigned before = w->disk.n_ops;
		struct ew_client *c;
		bool failed;

		w->disk.fail_at = before + n;
		w->disk.fail_count = 1;
		w->disk.fail_errno = ENOSPC;
		c = EW_ADD(w, .container = "c1", .ipam = "host-local");
		if (!c->answered && c->n_runs)
			ew_ran_ok(w, c);
		if (!c->answered && c->n_runs)
			ew_ran_ok(w, c);
		ew_pass(w, 5 * NS_PER_S);
		CU_ASSERT_TRUE(c->answered);
		failed = c->exit_code != 0;
		if (failed) {
			SUITE_STR(ew_state(w, 0), "FREE");
		} else {
			SUITE_STR(ew_state(w, 0), "ATTACHED");
			SUITE_STR(ew_lease(w, "c1"), "HELD");
		}
		ew_free(w);
	}
}

static void p2_answer_after_the_sync(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->e->config.sync_all = true;
	w->hold_sync = true;
	c = EW_ADD(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	CU_ASSERT_FALSE(c->answered);
	w->hold_sync = false;
	ew_settle(w);
	EW_OK(c);
	w->hold_sync = true;
	c = EW_DEL(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_FALSE(c->answered);
	w->hold_sync = false;
	ew_settle(w);
	EW_OK(c);
	ew_free(w);
}

static void p10_del_waits_for_no_journal_that_is_lost(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->e->config.sync_all = true;
	w->hold_sync = true;
	c = EW_DEL(w, .container = "c1");
	CU_ASSERT_FALSE(c->answered);
	w->disk.fail_at = w->disk.n_ops + 1; /* from now on nothing can be written */
	w->disk.fail_count = 100000;
	w->disk.fail_errno = EIO;
	w->sync_errno = EIO;
	w->hold_sync = false;
	ew_settle(w);
	ew_pass(w, 3 * NS_PER_S);
	EW_OK(c);
	EW_OK(EW_DEL(w, .container = "c1"));
	ew_free(w);
}

static void p10_failed_sync_begins_another_file(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->sync_errno = EIO;
	w->hold_sync = true;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_job_end(w, 0); /* the one sync that fails */
	w->sync_errno = 0;
	SUITE_INT(c->n_runs, 0);
	CU_ASSERT_TRUE(journal_failed(w->e->journal));
	EW_FAILED(EW_ADD(w, .container = "c2"), "\"code\":11");
	w->hold_sync = false;
	ew_settle(w);
	CU_ASSERT_FALSE(journal_failed(w->e->journal));
	SUITE_INT(c->n_runs, 1);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

/* A sync that ended well, of a file that is not the present one any more: one of the present
 * one is asked for, since no ADD is served before and nobody else would. */
static void p10_sync_of_a_file_that_was_left(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	ew_attach(w, "c2", NULL);
	w->sync_errno = EIO;
	w->hold_sync = true;
	c = EW_ADD(w, .container = "c1", .vf = 1, .ipam = "host-local");
	ew_job_end(w, 0);
	w->sync_errno = 0;
	SUITE_INT(w->n_jobs, 1); /* that of the next file, which then cannot be written */
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 100000;
	w->disk.fail_errno = ENOSPC;
	EW_OK(EW_DEL(w, .container = "c2"));
	w->disk.fail_at = 0;
	ew_pass(w, 6 * NS_PER_S);
	SUITE_INT(w->n_jobs, 1);
	ew_job_end(w, 0);
	SUITE_INT(c->n_runs, 1);
	w->hold_sync = false;
	ew_settle(w);
	CU_ASSERT_FALSE(journal_failed(w->e->journal));
	ew_ran_ok(w, c);
	EW_OK(c);
	EW_OK(EW_ADD(w, .container = "c3"));
	ew_free(w);
}

/* A disk on which no sync works: now and then is often enough. */
static void p10_failed_syncs_are_not_repeated_at_once(void)
{
	struct ew *w = ew_new(1);
	unsigned n_before = w->n_jobs_ever;
	struct ew_client *c;

	w->sync_errno = EIO;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_pass(w, 3 * NS_PER_S);
	CU_ASSERT(w->n_jobs_ever - n_before <= 3);
	ew_pass(w, 20 * NS_PER_S);
	CU_ASSERT(w->n_jobs_ever - n_before <= 10);
	SUITE_INT(c->n_runs, 0);
	CU_ASSERT_FALSE(engine_can_record(w->e));
	EW_FAILED(EW_ADD(w, .container = "c2"), "\"code\":11");
	w->sync_errno = 0;
	ew_pass(w, 6 * NS_PER_S);
	CU_ASSERT_TRUE(engine_can_record(w->e));
	SUITE_INT(c->n_runs, 1);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

/* The snapshot of the next file is the whole state. */
static void p9_a_new_file_has_everything(void)
{
	struct ew *w = ew_new(3);
	struct vfk_err err = { 0 };
	struct ew_client *c;

	ew_attach(w, "c1", "host-local");
	SUITE_INT(journal_begin(w->e->journal, &err), 0);
	ew_die(w);
	ew_start(w);
	SUITE_INT(w->e->node->n_vfs, 3);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c1");
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	c = EW_DEL(w, .container = "c1", .netns = "");
	SUITE_INT(c->n_runs, 1); /* the ADD's configuration is still there */
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

/* The record that said HELD is among what was damaged: the lease goes with its VF. */
static void p10_asked_lease_of_an_attached_vf(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", "host-local");
	node_lease(w->e->node, ew_vf(w, 0)->rec.lease_id)->state = LEASE_ASKED;
	ew_tell(w, WHERE_HOME, false);
	engine_nsid_gone(w->e, 5);
	ew_pass(w, NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void p10_a_full_disk_that_has_room_again(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 1000000;
	w->disk.fail_errno = ENOSPC;
	EW_OK(EW_DEL(w, .container = "c1"));
	EW_FAILED(EW_ADD(w, .container = "c2"), "ENOSPC");
	CU_ASSERT_TRUE(engine_busy(w->e)); /* nobody else knows that the VF is free */
	w->disk.fail_at = 0;
	ew_pass(w, 6 * NS_PER_S);
	CU_ASSERT_FALSE(engine_busy(w->e));
	c = EW_ADD(w, .container = "c3");
	EW_OK(c);
	/* What happened without a record is in the snapshot. */
	ew_die(w);
	ew_start(w);
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c3");
	ew_free(w);
}

/* As start_journal_late opens it. */
static struct journal *opened(struct ew *w)
{
	struct disk disk = mem_as_disk(&w->disk);
	struct journal_cfg cfg = { .disk = &disk,
				   .min_size = 256 * 1024,
				   .snapshot = node_snapshot,
				   .arg = &w->node };
	struct journal_status st;
	struct journal *j = NULL;
	struct vfk_err err;

	SUITE_INT(journal_open(&j, &cfg, NULL, &st, &err), 0);
	return j;
}

/* Its journal could not even be opened; what happened meanwhile goes to one that can. */
static void p10_a_journal_that_opens_late(void)
{
	struct ew *w = ew_new(1);
	struct journal *j;

	ew_attach(w, "c1", NULL);
	j = VFK_STEAL(w->e->journal);
	EW_OK(EW_DEL(w, .container = "c1"));
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_TRUE(engine_busy(w->e));   /* the disk says that it is ATTACHED */
	w->disk.fail_at = w->disk.n_ops + 1; /* no room for what is so: not yet */
	w->disk.fail_count = 1;
	w->disk.fail_errno = ENOSPC;
	CU_ASSERT_TRUE(engine_take_journal(w->e, j) < 0);
	EW_FAILED(EW_ADD(w, .container = "c2"), "no ADD is served");
	j = opened(w);
	SUITE_INT(engine_take_journal(w->e, j), 0);
	ew_settle(w);
	CU_ASSERT_FALSE(engine_busy(w->e));
	ew_die(w);
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* As start_journal reads it; the engine dies right behind it. */
static enum journal_verdict open_and_die(struct mem_disk *m, struct node *n)
{
	struct disk disk = mem_as_disk(m);
	struct journal_cfg cfg = {
		.disk = &disk, .min_size = 256 * 1024, .snapshot = node_snapshot, .arg = n
	};
	struct journal_status st;
	struct vfk_err err = { 0 };
	struct journal *j = NULL;

	node_init(n);
	SUITE_INT(node_open_journal(&j, &cfg, node_replay, &st, &err), 0);
	journal_close(j);
	return st.verdict;
}

static void p10_the_mark_is_in_the_first_snapshot(void)
{
	struct mem_disk disk;
	struct node n;

	mem_init(&disk);
	SUITE_INT(open_and_die(&disk, &n), JOURNAL_EMPTY);
	node_fini(&n);
	SUITE_INT(open_and_die(&disk, &n), JOURNAL_CLEAN);
	CU_ASSERT_TRUE(n.rec.records_missing);
	CU_ASSERT_FALSE(n.rec.vfs_verified);
	SUITE_STR(n.rec.missing_reason, "the journal was created");
	node_fini(&n);
	mem_fini(&disk);
}

/* That its link was moved may be among what is lost. */
static void p10_a_vf_that_was_reserved_is_put_in_order(void)
{
	const struct journal_status damaged = { .verdict = JOURNAL_DAMAGED };
	struct ew *w = ew_new(1);

	EW_ADD(w, .container = "c1", .ipam = "host-local");
	SUITE_STR(ew_state(w, 0), "RESERVED");
	node_mark_missing(w->e->node, &damaged);
	ew_trace_clear(w);
	EW_DEL(w, .container = "c1", .ipam = "host-local");
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 100;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 400;"));
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* Where no file was ever whole nothing is known, as with an empty journal. */
static void p10_a_journal_that_was_never_whole(void)
{
	struct journal_status torn = { .verdict = JOURNAL_TORN, .generation = 5 };
	struct ew *w = ew_new(1);
	struct rec_node *rec = &w->e->node->rec;

	rec->records_missing = false;
	node_mark_missing(w->e->node, &torn);
	CU_ASSERT_FALSE(rec->records_missing);
	torn.generation = 0;
	node_mark_missing(w->e->node, &torn);
	CU_ASSERT_TRUE(rec->records_missing);
	ew_free(w);
}

/* A DEL whose client has come back from a dead engine: its last moment is left for the disk. */
static void p2_a_late_del_is_synced(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->e->config.sync_all = true;
	w->hold_jobs = w->hold_sync = true;
	c = EW_DEL(w, .container = "c1", .gives_up = w->now_ns + 3 * NS_PER_S);
	ew_pass(w, 1001 * NS_PER_S / 1000);
	CU_ASSERT_FALSE(c->answered);
	w->hold_sync = false;
	ew_settle(w);
	EW_OK(c);
	ew_free(w);
}

/* A release that could not be recorded is known to this engine only. */
static void p10_a_last_try_when_it_ends(void)
{
	for (unsigned told = 0; told < 2; told++) {
		struct ew *w = ew_new(1);

		ew_attach(w, "c1", NULL);
		w->disk.fail_at = w->disk.n_ops + 1;
		w->disk.fail_count = 1000;
		w->disk.fail_errno = ENOSPC;
		EW_OK(EW_DEL(w, .container = "c1"));
		SUITE_STR(ew_state(w, 0), "FREE");
		w->disk.fail_at = 0;
		if (told)
			engine_ends(w->e);
		ew_settle(w);
		ew_die(w);
		ew_start(w);
		SUITE_STR(ew_state(w, 0), told ? "FREE" : "ATTACHED");
		ew_free(w);
	}
}

VFK_SUITE(engine_disk, { "P1: no record, no step", p1_record_before_the_step },
	  { "P1: each write fails once and nothing is lost", p1_each_write_fails_once },
	  { "P2: with sync = all the answer waits for the disk", p2_answer_after_the_sync },
	  { "P10: with sync = all a DEL does not wait for a journal that is lost",
	    p10_del_waits_for_no_journal_that_is_lost },
	  { "P10: a failed sync begins another file", p10_failed_sync_begins_another_file },
	  { "P10: a sync of a file that was left does not end it",
	    p10_sync_of_a_file_that_was_left },
	  { "P10: syncs that fail are repeated only now and then",
	    p10_failed_syncs_are_not_repeated_at_once },
	  { "P10: after damage a VF that was reserved is put in order",
	    p10_a_vf_that_was_reserved_is_put_in_order },
	  { "P10: a journal that was never whole is as an empty one",
	    p10_a_journal_that_was_never_whole },
	  { "P2: a DEL that is late is synced", p2_a_late_del_is_synced },
	  { "P10: an engine that ends tries to write once more",
	    p10_a_last_try_when_it_ends },
	  { "P9: a new file has everything", p9_a_new_file_has_everything },
	  { "P8: a lease that is ASKED after damage goes with its VF",
	    p10_asked_lease_of_an_attached_vf },
	  { "P10: that records may be missing stands in the first snapshot",
	    p10_the_mark_is_in_the_first_snapshot },
	  { "P10: what happened before the journal could be opened is not lost",
	    p10_a_journal_that_opens_late },
	  { "P10: after a full disk has room again, ADD works and nothing is stale",
	    p10_a_full_disk_that_has_room_again })
