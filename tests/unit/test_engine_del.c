/* SPDX-License-Identifier: Apache-2.0 */
/* The table "DEL finds": each row is a case named after it. */
#include "engine_world.h"

static void own_record_is_released(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	ew_trace_clear(w);
	c = EW_DEL(w, .container = "c1");
	EW_OK(c);
	SUITE_STR(c->text, "");
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(w->trace.data, "job STEPS 3100;answer 0;");
	CU_ASSERT_TRUE(attachment_none(&ew_vf(w, 0)->rec.owner));
	ew_free(w);
}

static void own_record_with_lease(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", "host-local");
	ew_trace_clear(w);
	c = EW_DEL(w, .container = "c1", .ipam = "host-local");
	/* R11: IPAM DEL only after the link has left, with the ADD's configuration. */
	SUITE_STR(w->trace.data, "job STEPS 3100;run DEL;");
	SUITE_INT(c->runs[0].flags, RUN_STORED);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	SUITE_INT(w->e->node->n_leases, 0);
	ew_free(w);
}

static void newer_attachment_is_not_released(void)
{
	struct ew *w = ew_new(1);
	uint64_t before = (uint64_t)w->now_ns;
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	ew_trace_clear(w);
	c = EW_DEL(w, .container = "c1", .start = before);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(w->trace.data, "answer 0;");
	ew_free(w);
}

/* Leaves c1 with an OWED lease and no VF. */
static void owe(struct ew *w)
{
	EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_die(w);
	w->fail_ipam = true; /* the engine tries to pay at once */
	ew_start(w);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_STR(ew_state(w, 0), "FREE");
}

static void owed_lease_is_a_success(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	owe(w);
	c = EW_DEL(w, .container = "c1", .ipam = "host-local");
	SUITE_INT(c->n_runs, 1);
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"no server\"}");
	EW_OK(c); /* the engine pays later */
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	w->fail_ipam = false;
	ew_pass(w, 61 * NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void owed_lease_whose_plugin_hangs(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	owe(w);
	c = EW_DEL(w, .container = "c1", .ipam = "host-local");
	CU_ASSERT_FALSE(c->answered);
	ew_pass(w, 4 * NS_PER_S);
	EW_OK(c);
	CU_ASSERT_TRUE(c->cancelled);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_free(w);
}

static void link_of_a_vf_without_owner_is_adopted(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->identified = EW_VF(0);
	ew_trace_clear(w);
	c = EW_DEL(w, .container = "c9");
	EW_OK(c);
	SUITE_STR(w->trace.data,
		  "job IDENTIFY;job STEPS 100;job STEPS 200;job STEPS 400;job STEPS 3000;answer 0;");
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void caller_ends_while_its_link_is_looked_for(void)
{
	struct ew *w = ew_new(1);

	w->identified = EW_VF(0);
	ew_trace_clear(w);
	w->hold_jobs = true;
	ew_gone(w, EW_DEL(w, .container = "c9"));
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(w->trace.data,
		  "job IDENTIFY;job STEPS 100;job STEPS 200;job STEPS 400;job STEPS 3000;");
	ew_free(w);
}

/* P3: the attachment is that of the ADD now; what is in its way goes home all the same. */
static void adopted_beside_an_add(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *del, *add;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->identified = EW_VF(1);
	w->hold_jobs = true;
	del = EW_DEL(w, .container = "c9", .ipam = "host-local");
	w->now_ns += NS_PER_S;
	add = EW_ADD(w, .container = "c9", .vf = 0, .ipam = "host-local");
	SUITE_STR(ew_state(w, 0), "RESERVED");
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(del);
	SUITE_INT(del->n_runs, 0); /* it would give back what the ADD has leased */
	SUITE_STR(ew_state(w, 1), "FREE");
	SUITE_STR(ew_lease(w, "c9"), "ASKED");
	ew_ran_ok(w, add);
	EW_OK(add);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* What was imported meanwhile was there before the DEL, which is about it as well. */
static void adopted_beside_an_import(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *del;
	struct rec_vf *rec;

	ew_attach(w, "c9", NULL);
	rec = &ew_vf(w, 0)->rec;
	rec->owner.ifname[0] ^= 1; /* not yet */
	w->identified = EW_VF(1);
	w->hold_jobs = true;
	del = EW_DEL(w, .container = "c9");
	rec->owner.ifname[0] ^= 1;
	rec->client_start_ns = 0;
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(del);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

static void adopted_where_records_may_be_missing(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->e->node->rec.records_missing = true;
	w->identified = EW_VF(0);
	w->hold_jobs = true;
	c = EW_DEL(w, .container = "c9", .ipam = "host-local");
	w->hold_jobs = false;
	ew_trace_clear(w);
	ew_settle(w);
	/* Its lease, too, and only when the link has left. */
	SUITE_STR(w->trace.data,
		  "job STEPS 100;run DEL;job STEPS 200;job STEPS 400;job STEPS 3000;");
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c9"), "NONE");
	ew_free(w);
}

static void record_of_another_owner_is_left_alone(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	uint64_t seq;

	ew_attach(w, "c1", NULL);
	w->identified = EW_VF(0);
	seq = journal_last(w->e->journal);
	c = EW_DEL(w, .container = "c2");
	EW_OK(c);
	c = EW_DEL(w, .container = "c2");
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	/* P3: a stranger's DEL writes nothing. */
	SUITE_INT(journal_last(w->e->journal), seq);
	ew_free(w);
}

static void records_may_be_missing(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->e->node->rec.records_missing = true;
	c = EW_DEL(w, .container = "c7", .ipam = "host-local", .netns = "");
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_DEL);
	/* With the DEL's own configuration, which is on record now. */
	SUITE_INT(c->runs[0].flags, RUN_STORED);
	SUITE_STR(ew_lease(w, "c7"), "OWED");
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c7"), "NONE");
	/* Settled now: the next one asks nobody. */
	c = EW_DEL(w, .container = "c7", .ipam = "host-local", .netns = "");
	EW_OK(c);
	SUITE_INT(c->n_runs, 0);
	ew_free(w);
}

static void strangers_take_no_room(void)
{
	struct ew *w = ew_new(2);
	char container[16];

	w->e->node->rec.records_missing = true;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(container, sizeof(container), "s%u", i);
		EW_DEL(w, .container = container, .ipam = "host-local", .netns = "");
	}
	/* P9: what is on record depends on the VFs, whoever calls. */
	SUITE_INT(w->e->node->n_leases, 2);
	ew_free(w);
}

static void nothing_is_success(void)
{
	struct ew *w = ew_new(1);
	uint64_t seq = journal_last(w->e->journal);
	struct ew_client *c;

	ew_trace_clear(w);
	c = EW_DEL(w, .container = "c1", .netns = "", .ipam = "host-local");
	EW_OK(c);
	SUITE_STR(w->trace.data, "answer 0;");
	SUITE_INT(journal_last(w->e->journal), seq);
	ew_free(w);
}

static void text_that_is_no_json(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	c = EW_DEL(w, .container = "c1", .text = "not json", .netns = "");
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void faulted_is_success(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->fail_steps = STEP_BIT(LINK_HOME);
	EW_DEL(w, .container = "c1");
	for (unsigned i = 0; i < 20 && ew_vf(w, 0)->fsm.state == VF_DETACHING; i++)
		ew_pass(w, 60 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	c = EW_DEL(w, .container = "c1");
	ew_pass(w, 4 * NS_PER_S);
	EW_OK(c); /* P2: a live engine owns what is left */
	w->fail_steps = 0;
	ew_pass(w, 120 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void independent_steps_go_on(void)
{
	static const char conf[] =
		"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
		"\"deviceID\":\"0000:3b:00.1\",\"link_state\":\"enable\"}";
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .text = conf);

	EW_OK(c);
	w->fail_steps = STEP_BIT(LINK_HOME);
	ew_trace_clear(w);
	EW_DEL(w, .container = "c1");
	/* The PF-side settings are put back although the link does not come. */
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 100;job STEPS 400;"));
	CU_ASSERT_TRUE(ew_vf(w, 0)->rec.done & STEP_BIT(SETTINGS_HOME));
	w->fail_steps = 0;
	ew_pass(w, 60 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* P10: what cannot be put on record is asked of the plugin by the DEL itself, after the link
 * has left. */
static void adopted_where_nothing_can_be_recorded(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->identified = EW_VF(0);
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 100000;
	w->disk.fail_errno = ENOSPC;
	w->hold_jobs = true;
	c = EW_DEL(w, .container = "c9", .ipam = "host-local");
	while (w->n_jobs && w->jobs[0].rq->kind != JOB_STEPS)
		ew_job_end(w, 0);
	SUITE_INT(c->n_runs, 0); /* the address may still be on the link */
	w->hold_jobs = false;
	ew_settle(w);
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_DEL);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* As long as the link is there nobody may be told that all is done: nobody else knows. */
static void adopted_and_not_free_in_time(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->identified = EW_VF(0);
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 100000;
	w->disk.fail_errno = ENOSPC;
	w->fail_steps = STEP_BIT(LINK_HOME);
	c = EW_DEL(w, .container = "c9", .ipam = "host-local");
	ew_pass(w, 4 * NS_PER_S);
	EW_FAILED(c, "\"code\":11,\"msg\":\"VF 0000:3b:00.1 is still being released, and IPAM plugin "
		     "host-local was not asked to release yet\"");
	SUITE_INT(c->n_runs, 0);
	ew_free(w);
}

static void broken_journal_still_releases(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->disk.fail_at = w->disk.n_ops + 1;
	w->disk.fail_count = 1000;
	w->disk.fail_errno = ENOSPC;
	c = EW_DEL(w, .container = "c1");
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	c = EW_ADD(w, .container = "c2");
	EW_FAILED(c, "\"code\":11,\"msg\":\"no ADD is served: journal cannot be written");
	ew_free(w);
}

/* A step that the kernel keeps must not keep a namespace alive as well. */
static void a_namespace_is_let_go(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT(ew_vf(w, 0)->netns_fd >= 0);
	ew_pass(w, 59 * NS_PER_S);
	CU_ASSERT(ew_vf(w, 0)->netns_fd >= 0);
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	SUITE_INT(ew_vf(w, 0)->netns_fd, -1);
	w->hold_jobs = false;
	ew_pass(w, NS_PER_S); /* the step ends, late */
	ew_pass(w, NS_PER_S); /* it is tried again */
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* P3: of a namespace whose number nobody knows nothing says that it is gone. */
static void nothing_proves_its_end(void)
{
	for (int nsid = 5; nsid >= -1; nsid -= 6) {
		struct ew *w = ew_new(1);

		ew_attach(w, "c1", NULL);
		ew_vf(w, 0)->rec.nsid = nsid;
		ew_tell(w, WHERE_ELSEWHERE, false);
		engine_vf_touched(w->e, EW_VF(0));
		ew_pass(w, 2 * NS_PER_S);
		SUITE_STR(ew_state(w, 0), nsid < 0 ? "ATTACHED" : "FREE");
		ew_free(w);
	}
}

VFK_SUITE(engine_del,
	  { "DEL finds a record of this owner: releases it", own_record_is_released },
	  { "DEL finds a record with a lease: IPAM DEL after the link has left",
	    own_record_with_lease },
	  { "DEL finds a newer attachment of its ID: success, nothing",
	    newer_attachment_is_not_released },
	  { "DEL finds no VF but an OWED lease: success, the engine pays",
	    owed_lease_is_a_success },
	  { "DEL finds an OWED lease whose plugin hangs: success after three seconds",
	    owed_lease_whose_plugin_hangs },
	  { "DEL finds the link of a VF without owner: adopts, releases",
	    link_of_a_vf_without_owner_is_adopted },
	  { "a DEL whose caller ends while its link is looked for is carried out",
	    caller_ends_while_its_link_is_looked_for },
	  { "P3: that link, and an ADD came meanwhile: released as nobody's",
	    adopted_beside_an_add },
	  { "P2: that link, and an import came meanwhile: both are released",
	    adopted_beside_an_import },
	  { "DEL finds the link of a VF without owner, records may be missing: IPAM DEL as well",
	    adopted_where_records_may_be_missing },
	  { "DEL finds a record of another owner: success, nothing written",
	    record_of_another_owner_is_left_alone },
	  { "DEL finds nothing and records may be missing: IPAM DEL with its own configuration",
	    records_may_be_missing },
	  { "DELs of strangers put no more leases on record than there are VFs",
	    strangers_take_no_room },
	  { "DEL finds nothing: success, nothing", nothing_is_success },
	  { "DEL without a configuration that can be read releases all the same",
	    text_that_is_no_json },
	  { "DEL finds FAULTED: tries again and succeeds", faulted_is_success },
	  { "a failing step never skips the independent ones", independent_steps_go_on },
	  { "a stuck release lets go of the namespace after a minute",
	    a_namespace_is_let_go },
	  { "P3: a VF stays with its pod while nothing proves its end",
	    nothing_proves_its_end },
	  { "P10: DEL of an adopted VF asks IPAM itself where nothing can be recorded",
	    adopted_where_nothing_can_be_recorded },
	  { "P10: and does not succeed before it could", adopted_and_not_free_in_time },
	  { "DEL works where the journal cannot be written, ADD does not",
	    broken_journal_still_releases })
