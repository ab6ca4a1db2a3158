/* SPDX-License-Identifier: Apache-2.0 */
/* Paths on which something could be left that nobody drives on any more: each case is a
 * history that once ended in a hang, a leak or a crash. */
#include <sys/resource.h>

#include "engine_world.h"

/* A lease of c1 is OWED, and an ADD of c1 has its client pay it first. */
static struct ew_client *pays_first(struct ew *w)
{
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local");

	w->fail_ipam = true;
	ew_gone(w, c);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_DEL);
	return c;
}

static void vf_goes_while_its_plugin_runs(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *first = EW_ADD(w, .container = "c1", .ipam = "host-local");
	struct ew_client *second;

	w->incarnation = 2; /* it went and came back */
	discover_start(w->e);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	second = EW_ADD(w, .container = "c2", .ipam = "host-local");
	ew_ran(w, first, RUN_EXITED, 0, EW_IPAM_ANSWER);
	CU_ASSERT_FALSE(second->answered); /* the other's addresses are not for it */
	SUITE_INT(first->runs[first->n_runs - 1].verb, CNI_DEL);
	ew_ran_ok(w, first);
	EW_FAILED(first, "VF 0000:3b:00.1 went from the bus while it was being attached");
	ew_ran_ok(w, second);
	EW_OK(second);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void vf_goes_during_a_step(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->hold_jobs = true;
	c = EW_ADD(w, .container = "c1");
	SUITE_INT(w->n_jobs, 1);
	w->gone_vf = 1;
	discover_start(w->e);
	ew_settle(w);
	ew_job_end(w, 1);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	EW_FAILED(c, "went from the bus");
	SUITE_INT(ew_vf(w, 0)->netns_fd, -1); /* it would keep the namespace alive */
	w->hold_jobs = false;
	ew_settle(w);
	ew_free(w);
}

static void queue_goes_on_behind_who_paid_first(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *payer = pays_first(w), *next = EW_ADD(w, .container = "c2");

	CU_ASSERT_FALSE(next->answered);
	ew_ran(w, payer, RUN_EXITED, 1, "");
	EW_FAILED(payer, "cannot be released");
	ew_settle(w);
	EW_OK(next);
	ew_free(w);
}

static void queue_goes_on_when_its_first_caller_ends(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *payer = pays_first(w), *next = EW_ADD(w, .container = "c2");

	ew_gone(w, payer);
	ew_settle(w);
	EW_OK(next);
	ew_free(w);
}

static void payment_is_taken_over_from_an_add_that_is_over(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = pays_first(w);

	w->fail_ipam = false;
	ew_pass(w, 111 * NS_PER_S);
	EW_FAILED(c, "still owes the release");
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void payment_is_taken_over_from_an_add_that_a_del_ended(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = pays_first(w), *del;

	w->fail_ipam = false;
	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	EW_FAILED(c, "a DEL of container c1");
	ew_pass(w, NS_PER_S);
	if (!del->answered && del->n_runs)
		ew_ran_ok(w, del);
	EW_OK(del);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* R6, R9: kill -9 during a step.  The client comes back with its lease's byte locked while
 * the step still runs: it is resumed when the step has ended, not at its deadline. */
static void client_comes_back_during_the_last_step(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	uint64_t id;

	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 7);
	w->hold_jobs = true;
	ew_ran_ok(w, c);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	id = ew_vf(w, 0)->rec.lease_id;
	ew_die(w);
	w->hold_jobs = false;
	ew_hold(w, inflight_lease(id)); /* the client's, until its answer */
	ew_hold(w, inflight_vf(EW_VF(0)));
	ew_start(w);
	ew_pass(w, NS_PER_S); /* discovery looks once more and sleeps */
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 7);
	CU_ASSERT_FALSE(c->answered);
	w->n_held = 1; /* the step ends */
	ew_pass(w, NS_PER_S);
	EW_OK(c);
	SUITE_INT(c->n_runs, 0); /* IPAM ADD is never asked twice */
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_free(w);
}

/* A look that says nothing is not repeated as fast as workers can. */
static void unclear_look_is_not_repeated_at_once(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	unsigned before;

	ew_vf(w, 0)->verified = false;
	ew_tell(w, WHERE_UNKNOWN, true);
	before = w->n_jobs_ever;
	c = EW_ADD(w, .container = "c1");
	for (unsigned i = 0; i < 10; i++)
		ew_settle(w);
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(w->n_jobs_ever - before, 1);
	w->told = false;
	ew_pass(w, NS_PER_S);
	EW_OK(c);
	ew_free(w);
}

/* R11: the address may still be in use in the pod. */
static void faulted_vf_whose_link_is_in_the_pod_keeps_its_lease(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", "host-local");
	w->fail_steps = STEP_BIT(LINK_HOME);
	EW_DEL(w, .container = "c1");
	ew_trace_clear(w);
	for (unsigned i = 0; i < 60 && strcmp(ew_state(w, 0), "FAULTED"); i++)
		ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	w->fail_steps = 0;
	ew_pass(w, 61 * NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* An engine whose journal failed for a moment died: the lease's record is older than its
 * VF's. */
static void held_lease_without_its_vf_is_paid(void)
{
	struct ew *w = ew_new(1);
	struct vf *vf;

	ew_attach(w, "c1", "host-local");
	vf = ew_vf(w, 0);
	vf_event(w->e, vf, VF_EV_DEL, false);
	vf_event(w->e, vf, VF_EV_RESTORE_DONE, false);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_die(w);
	ew_start(w);
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* A job that cannot start asks for another turn: others may wait behind it. */
static void job_that_cannot_start_stops_nobody(void)
{
	struct ew *w = ew_new(2);

	ew_attach(w, "c1", NULL);
	w->e->node->vfs[1]->verified = false;
	ew_hold(w, inflight_vf(EW_VF(0)));
	observe_start(w->e, ew_vf(w, 0), NULL);
	observe_start(w->e, ew_vf(w, 1), NULL);
	engine_turn(w->e);
	CU_ASSERT_TRUE(w->e->wake_ns <= w->now_ns);
	ew_settle(w);
	CU_ASSERT_TRUE(ew_vf(w, 1)->verified);
	ew_free(w);
}

/* The late end of a plugin is all that a failed ADD waited for. */
static void failed_add_is_answered_when_its_plugin_ends(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local"), *del;

	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	c->byte = 0; /* its plugin is gone, and so is the lock; RAN is on its way */
	ew_pass(w, 60 * NS_PER_MS);
	SUITE_INT(del->n_runs, 1);
	ew_ran_ok(w, del);
	EW_OK(del);
	CU_ASSERT_FALSE(c->answered);
	ew_ran(w, c, RUN_CANCELLED, 0, "");
	EW_FAILED(c, "a DEL of container c1");
	ew_free(w);
}

/* P10: each begin of a new file fails twice, at any write, before it works: what is stored
 * for the release is still there. */
static void stored_request_outlives_failed_snapshots(void)
{
	for (unsigned n = 1; n < 16; n++) {
		struct ew *w = ew_new(2);
		struct vfk_err err = { 0 };
		struct ew_client *c;

		ew_attach(w, "c1", "host-local");
		for (unsigned i = 0; i < 2; i++) {
			w->disk.fail_at = w->disk.n_ops + n;
			w->disk.fail_count = 1;
			w->disk.fail_errno = ENOSPC;
			if (journal_begin(w->e->journal, &err) == 0)
				break;
		}
		w->disk.fail_at = 0;
		SUITE_INT(journal_begin(w->e->journal, &err), 0);
		SUITE_INT(journal_begin(w->e->journal, &err), 0);
		c = EW_DEL(w, .container = "c1");
		SUITE_INT(c->n_runs, 1);
		if (c->n_runs) {
			SUITE_INT(c->runs[0].flags & RUN_STORED, RUN_STORED);
			ew_ran_ok(w, c);
		}
		EW_OK(c);
		ew_free(w);
	}
}

/* P8, R5: nobody waits for a DEL from the spool, yet what it may owe is paid. */
static void spooled_del_without_a_record_pays(void)
{
	static const char env[] = "CNI_COMMAND=DEL\0CNI_CONTAINERID=c1\0CNI_IFNAME=net1\0"
				  "CNI_PATH=/usr/bin";
	static const char text[] =
		"{\"cniVersion\":\"1.1.0\",\"name\":\"net\","
		"\"type\":\"vfkeeper\",\"ipam\":{\"type\":\"host-local\"}}";
	struct ew *w = ew_new(1);
	struct vfk_err err = { 0 };

	w->e->node->rec.records_missing = true;
	ew_trace_clear(w);
	SUITE_INT(engine_spooled(w->e, DIALECT_VFKEEPER, env, sizeof(env), text,
				 strlen(text), EW_BOOT, (uint64_t)w->now_ns, &err),
		  0);
	ew_pass(w, NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job IPAM"));
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void spooled_del_of_an_earlier_boot(void)
{
	static const char env[] = "CNI_COMMAND=DEL\0CNI_CONTAINERID=c1\0CNI_IFNAME=net1\0"
				  "CNI_PATH=/usr/bin";
	static const char text[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\","
				   "\"type\":\"vfkeeper\"}";
	struct ew *w = ew_new(1);
	struct vfk_err err = { 0 };

	ew_attach(w, "c1", NULL);
	/* Its time is of another clock, and later than that of the ADD. */
	SUITE_INT(engine_spooled(w->e, DIALECT_VFKEEPER, env, sizeof(env), text,
				 strlen(text), "99999999-2222-3333-4444-555555555555",
				 (uint64_t)w->now_ns + 3600 * NS_PER_S, &err),
		  0);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* A VF that this engine does not know, and whose link is in the caller's namespace. */
static struct ew *unknown_vf(void)
{
	struct ew *w = ew_new(1);

	w->identified = EW_VF(0);
	vf_event(w->e, ew_vf(w, 0), VF_EV_VANISHED, false);
	w->n_discovered = 0;
	return w;
}

static void discovery_that_fails_is_said_once(void)
{
	struct ew *w = unknown_vf();
	struct ew_client *add, *del;

	w->fail_discover = VFK_E_KERNEL;
	add = EW_ADD(w, .container = "c1");
	EW_FAILED(add,
		  "\"code\":11,\"msg\":\"the node's VFs cannot be listed: no list of links\"");
	SUITE_INT(w->n_discovered, 1);
	del = EW_DEL(w, .container = "c1");
	EW_FAILED(del,
		  "\"code\":11,\"msg\":\"the node's VFs cannot be listed: no list of links\"");
	SUITE_INT(w->n_discovered, 2);
	w->fail_discover = 0;
	EW_OK(EW_DEL(w, .container = "c1"));
	ew_free(w);
}

static void discovery_that_is_busy_is_waited_for(void)
{
	struct ew *w = unknown_vf();
	struct ew_client *add;

	w->fail_discover = VFK_E_BUSY;
	add = EW_ADD(w, .container = "c1");
	CU_ASSERT_FALSE(add->answered);
	SUITE_INT(w->n_discovered, 1); /* and not again and again */
	ew_pass(w, NS_PER_S);
	SUITE_INT(w->n_discovered, 2);
	CU_ASSERT_FALSE(add->answered);
	w->fail_discover = 0;
	ew_pass(w, NS_PER_S);
	EW_OK(add);
	ew_free(w);
}

static void del_that_waits_for_discovery_outlives_its_caller(void)
{
	struct ew *w = unknown_vf();
	struct ew_client *del;

	w->fail_discover = VFK_E_BUSY;
	del = EW_DEL(w, .container = "c1");
	CU_ASSERT_FALSE(del->answered);
	ew_gone(w, del);
	w->fail_discover = 0;
	ew_trace_clear(w);
	ew_pass(w, NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS"));
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* Without the namespace a job would be taken for one of a pod that is gone. */
static void no_job_without_its_namespace(void)
{
	struct ew *w = ew_new(1);
	struct rlimit before, none;
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->fail_steps = STEP_BIT(LINK_HOME);
	EW_DEL(w, .container = "c1");
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT(ew_vf(w, 0)->netns_fd >= 0);
	w->fail_steps = 0;
	ew_trace_clear(w);
	CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = before;
	none.rlim_cur = 3;
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &none) == 0);
	ew_pass(w, 5 * NS_PER_S);
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job STEPS"));
	ew_pass(w, 5 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	/* An ADD says it. */
	w->hold_sync = true;
	c = EW_ADD(w, .container = "c2", .ipam = "host-local");
	w->hold_sync = false;
	ew_settle(w);
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &none) == 0);
	w->fail_ipam = true; /* paying would want descriptors, too */
	ew_ran(w, c, RUN_EXITED, 0, EW_IPAM_ANSWER);
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &before) == 0);
	ew_pass(w, 5 * NS_PER_S);
	EW_FAILED(c,
		  "\"code\":11,\"msg\":\"the engine has no descriptor left (LimitNOFILE)");
	ew_free(w);
}

static void rounds_are_30_s_apart(void)
{
	struct ew *w = ew_new(1);
	unsigned before;

	ew_pass(w, NS_PER_S);
	before = w->n_jobs_ever;
	for (unsigned i = 0; i < 100; i++)
		ew_pass(w, NS_PER_S / 4);
	SUITE_INT(w->n_jobs_ever - before, 0);
	ew_pass(w, 10 * NS_PER_S);
	CU_ASSERT_TRUE(w->n_jobs_ever > before);
	ew_free(w);
}

/* What a pod does to a VF by itself is not seen: its release restores all the same, but
 * nothing has to be done for its ADD. */
static void user_space_is_put_in_order(void)
{
	struct ew *w = ew_new(1);
	struct vf_baseline *base = &ew_vf(w, 0)->rec.baseline;

	base->ifname[0] = '\0';
	snprintf(base->driver, sizeof(base->driver), "vfio-pci");
	ew_trace_clear(w);
	EW_OK(EW_ADD(w, .container = "c1"));
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job STEPS"));
	SUITE_INT(ew_vf(w, 0)->rec.touched, STEP_BIT(SETTINGS));
	EW_OK(EW_DEL(w, .container = "c1"));
	ew_settle(w);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS 400;")); /* SETTINGS_HOME */
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

VFK_SUITE(engine_paths,
	  { "P8: a DEL from the spool without a record pays",
	    spooled_del_without_a_record_pays },
	  { "R5: a DEL from the spool of an earlier boot releases nothing of this one",
	    spooled_del_of_an_earlier_boot },
	  { "a discovery that fails is one clear error for who waits",
	    discovery_that_fails_is_said_once },
	  { "a discovery that is busy is waited for, with pauses",
	    discovery_that_is_busy_is_waited_for },
	  { "a DEL that waits for discovery outlives its caller",
	    del_that_waits_for_discovery_outlives_its_caller },
	  { "no job goes without the namespace that it needs",
	    no_job_without_its_namespace },
	  { "rounds over all VFs are 30 s apart", rounds_are_30_s_apart },
	  { "P10: a stored request outlives failed snapshots",
	    stored_request_outlives_failed_snapshots },
	  { "a VF that goes while its plugin runs fails that ADD and no other",
	    vf_goes_while_its_plugin_runs },
	  { "a VF that goes during a step fails its ADD", vf_goes_during_a_step },
	  { "the queue goes on behind an ADD that could not pay first",
	    queue_goes_on_behind_who_paid_first },
	  { "the queue goes on when its first caller ends",
	    queue_goes_on_when_its_first_caller_ends },
	  { "a payment is taken over from an ADD whose time is over",
	    payment_is_taken_over_from_an_add_that_is_over },
	  { "a payment is taken over from an ADD that a DEL ended",
	    payment_is_taken_over_from_an_add_that_a_del_ended },
	  { "R6, R9: a client that comes back during the last step is resumed",
	    client_comes_back_during_the_last_step },
	  { "a look that says nothing is not repeated at once",
	    unclear_look_is_not_repeated_at_once },
	  { "R11: a FAULTED VF whose link is in the pod keeps its lease",
	    faulted_vf_whose_link_is_in_the_pod_keeps_its_lease },
	  { "a HELD lease whose VF is free is paid by the next engine",
	    held_lease_without_its_vf_is_paid },
	  { "a VF for user space is restored without a step of its ADD",
	    user_space_is_put_in_order },
	  { "a job that cannot start stops nobody", job_that_cannot_start_stops_nobody },
	  { "a failed ADD is answered when its plugin ends",
	    failed_add_is_answered_when_its_plugin_ends })
