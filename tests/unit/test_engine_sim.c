/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator (tests/sim) found, one case for each. */
#include "engine_world.h"

static int no_memfd(void *ctx, const char *name, const void *bytes, size_t len)
{
	(void)ctx;
	(void)name;
	(void)bytes;
	(void)len;
	return -1;
}

static bool traced(const struct ew *w, const char *what)
{
	return strstr(w->trace.data, what) != NULL;
}

/* The steps of two VFs need RTNL; the second ADD ends while its job waits for the first. */
static void waiting_steps(void)
{
	struct ew *w = ew_new(2);

	w->hold_jobs = true;
	EW_ADD(w, .container = "c1", .vf = 0);
	EW_ADD(w, .container = "c2", .vf = 1);
	SUITE_INT(w->n_jobs, 1);
	EW_DEL(w, .container = "c2", .vf = 1, .netns = "");
	ew_trace_clear(w);
	ew_job_end(w, 0);
	CU_ASSERT_FALSE(traced(w, "job STEPS 8"));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

static void add_during_look(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *del, *add;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->hold_jobs = true;
	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	CU_ASSERT_TRUE(traced(w, "job IDENTIFY"));
	add = EW_ADD(w, .container = "c1", .ipam = "host-local");
	CU_ASSERT_TRUE(traced(w, "run ADD"));
	ew_job_end(w, 0);
	EW_OK(del);
	CU_ASSERT_FALSE(traced(w, "run DEL"));
	CU_ASSERT_FALSE(add->answered);
	ew_free(w);
}

static void no_descriptor_to_pay(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add, *del;

	add = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_ran_ok(w, add);
	EW_OK(add);
	w->e->ops.memfd = no_memfd;
	del = EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = "");
	SUITE_INT(del->n_runs, 0);
	w->e->ops.memfd = ew_memfd;
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE"); /* a worker has paid */
	ew_free(w);
}

static void sync_all_del_late(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add, *del;

	w->e->config.sync_all = true;
	add = EW_ADD(w, .container = "c1");
	EW_OK(add);
	w->fail_steps = STEP_BIT(LINK_HOME);
	w->hold_sync = true;
	del = EW_DEL(w, .container = "c1", .netns = "");
	ew_pass(w, 3100 * NS_PER_MS);
	ew_pass(w, NS_PER_S);
	CU_ASSERT_FALSE(del->answered);
	w->hold_sync = false;
	ew_pass(w, 100 * NS_PER_MS);
	EW_OK(del);
	ew_free(w);
}

static void sync_all_add_del(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	w->e->config.sync_all = true;
	w->hold_sync = true;
	add = EW_ADD(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	CU_ASSERT_FALSE(add->answered);
	EW_DEL(w, .container = "c1", .netns = "");
	EW_FAILED(add, "came after this ADD began");
	w->hold_sync = false;
	ew_settle(w);
	ew_free(w);
}

static void sync_all_add_failed_sync(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	w->e->config.sync_all = true;
	w->hold_jobs = true;
	add = EW_ADD(w, .container = "c1");
	journal_synced(w->journal, 0, 1, EIO); /* no new file is synced yet */
	w->hold_sync = true;
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	CU_ASSERT_FALSE(add->answered);
	ew_free(w);
}

static void paid_though_not_verified(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	add = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_ran_ok(w, add);
	EW_OK(add);
	w->fail_steps = STEP_BIT(VERIFY);
	ew_ran_ok(w, EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = ""));
	SUITE_STR(ew_state(w, 0), "DETACHING");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void unbound(void)
{
	struct ew *w = ew_new(2);

	w->unbound_vf = 1;
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	SUITE_STR(ew_vf(w, 0)->rec.reason,
		  "it was unbound from its driver by nobody that is on record");
	w->unbound_vf = 0;
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void no_descriptor_to_discover(void)
{
	struct ew *w = ew_new(1);

	w->ops.memfd = no_memfd;
	ew_die(w);
	ew_start(w);
	CU_ASSERT_FALSE(ew_vf(w, 0)->seen);
	w->e->ops.memfd = ew_memfd;
	ew_pass(w, 2 * NS_PER_S);
	CU_ASSERT_TRUE(ew_vf(w, 0)->seen);
	ew_free(w);
}

/* It told the engine before us so; ours has it run a plugin of its own at once. */
static void result_of_another_run(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_ran_ok(w, c);
	c = EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = "");
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"no\"}");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	c = EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = "",
		   .has_run = true);
	SUITE_INT(c->n_runs, 1);
	ew_ran_ok(w, c);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_ran_ok(w, c);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	EW_OK(c);
	ew_free(w);
}

static void ended_while_its_turn_is_awaited(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	w->e->max_young = 0;
	add = EW_ADD(w, .container = "c1", .ipam = "host-local");
	SUITE_STR(ew_lease(w, "c1"), "ASKED");
	w->hold_ipam = true;
	EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = "");
	w->e->max_young = 4;
	ew_pass(w, NS_PER_S);
	ew_pass(w, NS_PER_S);
	CU_ASSERT_FALSE(traced(w, "run ADD"));
	(void)add;
	ew_free(w);
}

/* A DEL of a stranger writes nothing but what it wants to keep for its IPAM. */
static void blob_meets_full_disk(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 1;
	w->disk.fail_errno = ENOSPC;
	ew_ran_ok(w, EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = ""));
	ew_pass(w, 6 * NS_PER_S);
	add = EW_ADD(w, .container = "c2", .ipam = "host-local");
	SUITE_INT(add->n_runs, 1);
	ew_free(w);
}

static void released_during_sync(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	w->e->config.sync_all = true;
	w->hold_sync = true;
	add = EW_ADD(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	w->gone_vf = 1;
	discover_start(w->e);
	ew_settle(w);
	w->hold_sync = false;
	ew_settle(w);
	EW_FAILED(add, "was released");
	ew_free(w);
}

/* As many leases as VFs: what this DEL owes cannot be put on record. */
static void add_during_own_del(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *add, *del;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	ew_ran_ok(w, EW_ADD(w, .container = "c2", .vf = 1, .ipam = "host-local"));
	ew_ran_ok(w, EW_ADD(w, .container = "c3", .vf = 0, .ipam = "host-local"));
	del = EW_DEL(w, .container = "c3", .ipam = "host-local", .netns = "");
	w->hold_ipam = true;
	ew_ran(w, del, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"no\"}");
	SUITE_INT(w->e->node->n_leases, 2);
	del = EW_DEL(w, .container = "c1", .ipam = "host-local", .netns = "");
	SUITE_INT(del->n_runs, 1);
	add = EW_ADD(w, .container = "c1", .vf = 0, .ipam = "host-local");
	SUITE_INT(add->n_runs, 0);
	ew_ran_ok(w, del);
	ew_pass(w, NS_PER_S);
	SUITE_INT(add->n_runs, 1);
	ew_free(w);
}

/* The node's record is lost, those of VFs and leases are not. */
static void records_of_an_older_boot(void)
{
	struct ew *w = ew_new(2);

	ew_ran_ok(w, EW_ADD(w, .container = "c1", .vf = 0, .ipam = "host-local"));
	EW_OK(EW_ADD(w, .container = "c2", .vf = 1));
	ew_vf(w, 0)->rec.meta.boot_id[0] = 'x';
	list_entry(w->e->node->leases.next, struct lease, link)->rec.meta.boot_id[0] = 'x';
	w->e->node->rec.meta.boot_id[0] = '\0';
	w->hold_ipam = true;
	recover_begin(w->e);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	ew_free(w);
}

/* The file that a restart begins after a failed sync is synced though nobody asks for it. */
static void restart_after_failed_sync(void)
{
	struct ew *w = ew_new(1);
	struct vfk_err err = { 0 };

	journal_synced(w->journal, 0, 1, EIO);
	CU_ASSERT_EQUAL(journal_begin(w->journal, &err), 0);
	CU_ASSERT_FALSE(engine_can_record(w->e));
	recover_begin(w->e);
	ew_settle(w);
	CU_ASSERT_TRUE(engine_can_record(w->e));
	ew_free(w);
}

/* One that was taken back from somebody else has no baseline yet. */
static void unbound_without_baseline(void)
{
	struct ew *w = ew_new(1);

	memset(&ew_vf(w, 0)->rec.baseline, 0, sizeof(struct vf_baseline));
	w->unbound_vf = 1;
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	ew_free(w);
}

VFK_SUITE(engine_sim,
	  { "steps that wait are forgotten when their ADD ends", waiting_steps },
	  { "an ADD that began during a DEL's look is left alone", add_during_look },
	  { "an IPAM DEL that lacks a descriptor is tried again", no_descriptor_to_pay },
	  { "sync = all: a DEL at its deadline waits for the disk", sync_all_del_late },
	  { "sync = all: a DEL ends an ADD that waits for the disk", sync_all_add_del },
	  { "sync = all: an ADD waits for the file after a failed one",
	    sync_all_add_failed_sync },
	  { "a VF that is not as it was keeps no address", paid_though_not_verified },
	  { "a free VF without a driver is not handed out", unbound },
	  { "discovery that lacks a descriptor is tried again", no_descriptor_to_discover },
	  { "a plugin's old result is not taken for the next one's", result_of_another_run },
	  { "an ADD that ended is not asked for", ended_while_its_turn_is_awaited },
	  { "a full disk is tried again also after a blob", blob_meets_full_disk },
	  { "sync = all: an ADD whose VF went meanwhile fails", released_during_sync },
	  { "an ADD waits for a DEL that is not on record", add_during_own_del },
	  { "records tell by themselves that they are of an older boot",
	    records_of_an_older_boot },
	  { "after a failed sync a restart syncs by itself", restart_after_failed_sync },
	  { "a free VF without driver and baseline is not handed out",
	    unbound_without_baseline })
