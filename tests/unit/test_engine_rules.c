/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of who may act, and promises that a table row does not show, as far as the
 * engine alone keeps them; tests/netns has those that need processes. */
#include "engine_world.h"

static void r9_locked_lease_is_not_paid(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	uint64_t byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);

	ew_hold(w, byte);
	ew_gone(w, c);
	SUITE_STR(ew_state(w, 0), "FREE"); /* R10: the VF does not wait for the plugin */
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_trace_clear(w);
	ew_pass(w, 60 * NS_PER_S);
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	ew_let_go(w);
	ew_pass(w, NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job IPAM"));
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* What hangs for ever keeps its byte, and is not waited for. */
static void r9_pays_after_130_s(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	uint64_t id = ew_vf(w, 0)->rec.lease_id;

	ew_hold(w, inflight_lease(id));
	ew_gone(w, c);
	ew_pass(w, 129 * NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_INT(node_lease(w->e->node, id)->rec.attempts, 0);
	ew_pass(w, 2 * NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_let_go(w);
	ew_free(w);
}

/* Who pays beside a byte that stays locked locks another one, which the next engine knows. */
static void r9_pays_beside_it_once(void)
{
	struct ew *w = ew_new(1);
	uint64_t id;

	EW_ADD(w, .container = "c1", .ipam = "host-local");
	id = ew_vf(w, 0)->rec.lease_id;
	ew_die(w);
	ew_hold(w, inflight_lease_beside(id));
	ew_start(w);
	ew_trace_clear(w);
	ew_pass(w, 1000 * NS_PER_S);
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_let_go(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* The limit counts from the last plugin that was run for the lease, not from the first. */
static void r9_130_s_from_the_last_plugin(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add = EW_ADD(w, .container = "c1", .ipam = "host-local"), *del;
	uint64_t byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);

	ew_hold(w, byte);
	ew_gone(w, add);
	ew_pass(w, 100 * NS_PER_S);
	ew_let_go(w);
	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	SUITE_INT(del->n_runs, 1);
	ew_hold(w, byte);
	ew_pass(w, 40 * NS_PER_S);
	ew_gone(w, del); /* what it ran has not ended */
	ew_trace_clear(w);
	ew_pass(w, 100 * NS_PER_S);
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_let_go(w);
	ew_free(w);
}

static void r9_waits_at_most_130_s(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	uint64_t byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);

	ew_hold(w, byte);
	ew_die(w);
	(void)c;
	ew_start(w);
	ew_pass(w, 100 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_free(w);
}

static void r9_late_result_is_not_used(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add = EW_ADD(w, .container = "c1", .ipam = "host-local"), *del;

	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	/* The plugin had ended when CANCEL came: its addresses are given back. */
	CU_ASSERT_TRUE(add->cancelled);
	ew_ran(w, add, RUN_EXITED, 0, EW_IPAM_ANSWER);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_INT(add->n_runs, 2);
	SUITE_INT(add->runs[1].verb, CNI_DEL);
	ew_ran_ok(w, add);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	EW_FAILED(add, "\"code\":11");
	EW_OK(del);
	ew_free(w);
}

/* R9: the engine dies while the plugin runs; the plugin's end is told before the new engine
 * has found the VF. */
static void r9_result_that_comes_early(void)
{
	struct ew *w = ew_new(1);
	struct frame_ran ran = { .outcome = RUN_EXITED };
	struct ew_client *c;
	uint64_t id;

	EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42);
	id = ew_vf(w, 0)->rec.lease_id;
	ew_die(w);
	ew_hold(w, inflight_lease(id));
	w->hold_jobs = true; /* discovery does not end */
	ew_start(w);
	w->e->node->rec.records_missing = true;
	w->e->node->rec.vfs_verified = false;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42);
	ran.run_id = id;
	engine_ran(w->e, c, &ran, EW_IPAM_ANSWER, strlen(EW_IPAM_ANSWER));
	CU_ASSERT_FALSE(c->answered);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_free(w);
}

/* P8: the engine before had its client pay already, and could not write that down: that the
 * plugin was not found then says nothing of the ADD. */
static void p8_a_result_may_be_of_the_del(void)
{
	struct frame_ran ran = { .outcome = RUN_NOT_FOUND };
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42);
	ran.run_id = ew_vf(w, 0)->rec.lease_id;
	ew_die(w);
	ew_hold(w, inflight_lease(ran.run_id));
	ew_start(w);
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42,
		   .has_run = true, .run_id = ran.run_id);
	engine_ran(w->e, c, &ran, "", 0);
	ew_settle(w);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_free(w);
}

/* R9: the byte of a lease that is owed is kept by the very client that waits until it is
 * paid, for an engine that knows of that only what the client says. */
static void r9_byte_of_the_one_who_waits(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local",
				     .nonce = 42);
	struct frame_ran old = { .outcome = RUN_EXITED, .status = 1 };
	uint64_t id = ew_vf(w, 0)->rec.lease_id;

	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"no\"}");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_die(w);
	ew_hold(w, inflight_lease(id));
	ew_start(w);
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42,
		   .has_run = true, .run_id = id);
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_DEL);
	old.run_id = id;
	engine_ran(w->e, c, &old, "", 0);
	ew_ran_ok(w, c); /* paid; now it is asked anew */
	SUITE_INT(c->n_runs, 2);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

static void a_client_is_answered_before_it_gives_up(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	c = EW_DEL(w, .container = "c1", .gives_up = w->now_ns + 3 * NS_PER_S);
	ew_pass(w, 1100 * NS_PER_MS);
	EW_OK(c); /* P2: not after three seconds of its own */
	SUITE_STR(ew_state(w, 0), "DETACHING");
	w->hold_jobs = false;
	ew_settle(w);
	ew_free(w);
}

static void r10_del_during_ipam(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add = EW_ADD(w, .container = "c1", .ipam = "host-local"), *del;

	del = EW_DEL(w, .container = "c1", .ipam = "host-local");
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_TRUE(add->cancelled);
	CU_ASSERT_FALSE(del->answered);
	ew_ran(w, add, RUN_CANCELLED, 0, "");  /* the plugin's group was ended */
	SUITE_INT(add->runs[1].verb, CNI_DEL); /* by whom holds the byte */
	ew_ran_ok(w, add);
	EW_FAILED(add,
		  "\"code\":11,\"msg\":\"a DEL of container c1 interface net1 came while it "
		  "was being attached");
	EW_OK(del);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void r11_plugin_outside_plugin_dirs(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->plugin_outside = true;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	EW_FAILED(c, "\"code\":7,\"msg\":\"IPAM plugin /somewhere/host-local lies outside "
		     "plugin_dirs /usr/bin (vfkeeper.conf)\"");
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_INT(c->n_runs, 0);
	ew_free(w);
}

static void r11_plugin_that_others_can_write(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->plugin_untrusted = true;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	EW_FAILED(c,
		  "\"code\":7,\"msg\":\"IPAM plugin /usr/bin/host-local or its directory can "
		  "be written by others than root, as whom vfkeeper runs it when it releases a "
		  "lease: chown root, chmod go-w\"");
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_INT(c->n_runs, 0);
	ew_free(w);
}

static void r12_add_that_began_before_its_del(void)
{
	struct ew *w = ew_new(1);
	uint64_t early = (uint64_t)w->now_ns;
	struct ew_client *c;

	EW_DEL(w, .container = "c1");
	c = EW_ADD(w, .container = "c1", .start = early);
	EW_FAILED(c, "\"code\":11,\"msg\":\"a DEL of container c1 interface net1 came after this ADD "
		     "began\"");
	c = EW_ADD(w, .container = "c1"); /* DEL then ADD of the same ID is legal */
	EW_OK(c);
	ew_free(w);
}

static void r12_del_ends_a_waiting_add(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	add = EW_ADD(w, .container = "c2");
	CU_ASSERT_FALSE(add->answered);
	EW_DEL(w, .container = "c2");
	EW_FAILED(add, "\"code\":11");
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* A DEL of c1 that its client left in the spool at 'asked_ns' is read now. */
static void read_from_spool(struct ew *w, uint64_t asked_ns)
{
	static const char env[] = "CNI_COMMAND=DEL\0CNI_CONTAINERID=c1\0CNI_IFNAME=net1\0"
				  "CNI_PATH=/usr/bin";
	static const char text[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\","
				   "\"type\":\"vfkeeper\"}";
	struct vfk_err err = { 0 };

	SUITE_INT(engine_spooled(w->e, DIALECT_VFKEEPER, env, sizeof(env), text,
				 strlen(text), EW_BOOT, asked_ns, &err),
		  0);
	ew_settle(w);
}

/* The DEL is that of the attachment before: the ADD waits until that is released. */
static void r12_an_older_del_ends_no_add(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;
	uint64_t asked_ns;

	ew_attach(w, "c1", NULL);
	asked_ns = (uint64_t)w->now_ns;
	w->hold_jobs = true;
	read_from_spool(w, asked_ns);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	add = EW_ADD(w, .container = "c1");
	CU_ASSERT_FALSE(add->answered);
	read_from_spool(w, asked_ns); /* once more: nobody could remove its file */
	CU_ASSERT_FALSE(add->answered);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(add);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* An ADD that began in between is the newer of the two, however late the DEL is read. */
static void r12_a_del_counts_from_when_it_was_asked(void)
{
	struct ew *w = ew_new(1);
	uint64_t asked_ns;

	ew_attach(w, "c1", NULL);
	asked_ns = (uint64_t)w->now_ns;
	w->now_ns += 60 * NS_PER_S;
	read_from_spool(w, asked_ns);
	SUITE_STR(ew_state(w, 0), "FREE");
	EW_FAILED(EW_ADD(w, .container = "c1", .start = asked_ns), "came after this ADD");
	EW_OK(EW_ADD(w, .container = "c1", .start = asked_ns + 1));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	read_from_spool(w, asked_ns); /* P3: nor does it release that */
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* Nor does it where it finds nothing; but an import that began before that would have no DEL. */
static void r12_nor_one_that_finds_nothing(void)
{
	static const char file[] =
		"{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"\",\"HostIFNames\":\"ib7\","
		"\"Master\":\"pf0\",\"cniVersion\":\"0.4.0\",\"deviceID\":\"0000:3b:00.1\","
		"\"ipam\":{},\"name\":\"net\",\"type\":\"ib-sriov\"}";
	struct ew *w = ew_new(1);
	uint64_t asked_ns = (uint64_t)w->now_ns;

	w->now_ns += 60 * NS_PER_S;
	read_from_spool(w, asked_ns);
	EW_FAILED(ew_ask(w, (struct ew_call){ .verb = CNI_IMPORT,
					      .dialect = DIALECT_IB_SRIOV,
					      .container = "c1",
					      .start = asked_ns + 1,
					      .text = file }),
		  "came after this import began");
	EW_FAILED(EW_ADD(w, .container = "c1", .start = asked_ns), "came after this ADD");
	EW_OK(EW_ADD(w, .container = "c1", .start = asked_ns + 1));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

static void r13_first_engine_of_a_boot(void)
{
	struct ew *w = ew_new(3);
	struct ew_client *c;

	ew_attach(w, "c1", "host-local");
	EW_ADD(w, .container = "c2", .vf = 1, .ipam = "host-local");
	ew_die(w);
	w->boot_id[0] = '9';
	w->incarnation = 2;
	w->hold_ipam = true;
	ew_start(w);
	for (unsigned i = 0; i < 3; i++)
		SUITE_STR(ew_state(w, i), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_STR(ew_lease(w, "c2"), "OWED");
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	c = EW_ADD(w, .container = "c9");
	EW_OK(c);
	w->hold_ipam = false;
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void r14_foreign_vf(void)
{
	struct ew *w = ew_new(0);
	struct ew_client *c;

	w->n_vfs = 2;
	w->foreign_vf = 1;
	ew_tell(w, WHERE_ELSEWHERE, false);
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	SUITE_STR(ew_state(w, 1), "FREE");
	CU_ASSERT_FALSE(ew_vf(w, 0)->rec.baseline.valid);
	c = EW_ADD(w, .container = "c1");
	EW_FAILED(c, "is FAULTED");
	/* It comes home by itself. */
	w->foreign_vf = 0;
	ew_tell(w, WHERE_HOME, false);
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_TRUE(ew_vf(w, 0)->rec.baseline.valid);
	ew_free(w);
}

static void r15_limits_refuse_an_add_only(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	char name[16];

	w->fail_ipam = true;
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		c = EW_ADD(w, .container = name, .ipam = "host-local");
		w->hold_ipam = true;
		ew_gone(w, c);
		w->hold_ipam = false;
	}
	SUITE_INT(w->e->node->n_leases, 4);
	c = EW_ADD(w, .container = "c5", .ipam = "host-local");
	EW_FAILED(c, "IPAM owes the release of 4 leases");
	SUITE_STR(ew_state(w, 0), "FREE");
	c = EW_DEL(w, .container = "c0", .ipam = "host-local");
	if (c->n_runs)
		ew_ran_ok(w, c);
	ew_pass(w, 4 * NS_PER_S);
	EW_OK(c);
	ew_free(w);
}

static void r15_spares_an_add_that_comes_again(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	char name[16];

	w->fail_ipam = true;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		ew_gone(w, EW_ADD(w, .container = name, .ipam = "host-local"));
	}
	c = EW_ADD(w, .container = "c3", .ipam = "host-local", .nonce = 5);
	ew_ran(w, c, RUN_EXITED, 0, EW_IPAM_ANSWER);
	EW_OK(c);
	SUITE_INT(w->e->node->n_leases, 4);
	ew_die(w);
	ew_start(w);
	c = EW_ADD(w, .container = "c3", .ipam = "host-local", .nonce = 5);
	EW_OK(c);
	SUITE_INT(c->n_runs, 0);
	EW_FAILED(EW_ADD(w, .container = "c4", .ipam = "host-local"), "IPAM owes");
	ew_free(w);
}

static void p8_a_plugin_that_never_ran_owes_nothing(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "nosuch");

	ew_ran(w, c, RUN_NOT_FOUND, 0, "");
	EW_FAILED(c, "nosuch");
	SUITE_INT(w->e->node->n_leases, 0);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void p4_a_free_vf_that_is_taken(void)
{
	struct ew *w = ew_new(2);

	ew_die(w);
	w->foreign_vf = 1;
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	CU_ASSERT_TRUE(ew_vf(w, 0)->fsm.foreign);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	ew_tell(w, WHERE_ELSEWHERE, false);
	EW_FAILED(EW_ADD(w, .container = "c1"), "\"code\":11");
	ew_free(w);
}

/* Its PF gives it again what it had before it went: what a pod has now. */
static void p4_a_vf_that_appears_with_a_guid_of_a_pod(void)
{
	struct ew *w = ew_new(2);

	EW_OK(ew_add_rebound(w, "c1", 0));
	w->gone_vf = 2;
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 1), "ABSENT");
	w->gone_vf = 0;
	w->twin_vf = 2;
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 1), "FAULTED");
	CU_ASSERT_FALSE(ew_vf(w, 1)->rec.baseline.valid);
	EW_FAILED(EW_ADD(w, .container = "c2", .vf = 1), "a GUID or MAC that a pod has");
	/* It waits for the pod, or for an operator. */
	w->twin_vf = 0;
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 1), "FREE");
	CU_ASSERT_TRUE(ew_vf(w, 1)->rec.baseline.valid);
	ew_free(w);
}

static void p10_an_unreadable_configuration_costs_no_owner(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", NULL);
	ew_die(w);
	w->config.env.sim_path[0] = '\0'; /* no driver is enabled: discovery finds nothing */
	w->n_vfs = 0;
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c1");
	ew_free(w);
}

static void a_link_that_discovery_has_not_come_to(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->identified = EW_VF(0);
	w->e->discovered = false;
	vf_event(w->e, ew_vf(w, 0), VF_EV_VANISHED, false);
	c = EW_DEL(w, .container = "c9");
	/* It waited for discovery, then adopted what it found. */
	EW_OK(c);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job STEPS"));
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void caller_gone_frees_the_vf(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	w->hold_jobs = true;
	c = EW_ADD(w, .container = "c1");
	ew_gone(w, c);
	SUITE_STR(ew_state(w, 0), "DETACHING"); /* its step is still in the kernel */
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void netns_death_releases_without_a_del(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", "host-local");
	ew_tell(w, WHERE_UNKNOWN, false);
	engine_nsid_gone(w->e, 5);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_pass(w, 2 * NS_PER_S);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void netns_dies_during_a_look(void)
{
	struct ew *w = ew_new(1);

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	observe_start(w->e, ew_vf(w, 0), NULL); /* it finds all well: it looked too early */
	engine_turn(w->e);
	engine_nsid_gone(w->e, 5);
	ew_job_end(w, 0);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	w->hold_jobs = false;
	ew_tell(w, WHERE_UNKNOWN, false);
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void a_look_does_not_stop_a_release(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	engine_nsid_gone(w->e, 5);
	ew_settle(w);
	SUITE_INT(w->n_jobs, 1); /* OBSERVE is under way */
	c = EW_DEL(w, .container = "c1");
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* P5: the engine dies after each of its jobs in turn; the caller comes back (R4). */
static void dies_after_every_job(void)
{
	for (unsigned n = 0; n < 12; n++) {
		struct ew *w = ew_new(1);
		struct ew_client *c;

		w->hold_jobs = w->hold_sync = w->hold_ipam = true;
		c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 5);
		for (unsigned i = 0; i < n; i++) {
			if (w->n_jobs)
				ew_job_end(w, 0);
			else if (!c->answered && c->n_runs && !(i & 1))
				ew_ran_ok(w, c);
		}
		w->hold_jobs = w->hold_sync = w->hold_ipam = false;
		ew_die(w);
		ew_start(w);
		if (!c->answered) {
			c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 5);
			for (unsigned i = 0; i < 4 && !c->answered; i++) {
				if (c->n_runs)
					ew_ran_ok(w, c);
				ew_pass(w, NS_PER_S);
			}
		}
		EW_OK(c);
		SUITE_STR(ew_state(w, 0), "ATTACHED");
		SUITE_STR(ew_lease(w, "c1"), "HELD");
		c = EW_DEL(w, .container = "c1", .ipam = "host-local");
		if (!c->answered && c->n_runs)
			ew_ran_ok(w, c);
		EW_OK(c);
		SUITE_STR(ew_state(w, 0), "FREE");
		SUITE_STR(ew_lease(w, "c1"), "NONE");
		ew_free(w);
	}
}

VFK_SUITE(
	engine_rules,
	{ "R9: nobody pays a lease whose byte is locked", r9_locked_lease_is_not_paid },
	{ "R9: for at most 130 s", r9_waits_at_most_130_s },
	{ "R9: a lease whose byte stays locked is paid after 130 s", r9_pays_after_130_s },
	{ "R9: it is paid beside its byte once at a time", r9_pays_beside_it_once },
	{ "R9: 130 s count from the last plugin", r9_130_s_from_the_last_plugin },
	{ "R9: a result for a lease that is not ASKED is not used",
	  r9_late_result_is_not_used },
	{ "R9: who holds the byte of an owed lease may pay it",
	  r9_byte_of_the_one_who_waits },
	{ "R9: a result that comes before the VF is found is used",
	  r9_result_that_comes_early },
	{ "a client is answered before it gives up",
	  a_client_is_answered_before_it_gives_up },
	{ "R10: DEL during a running IPAM ADD frees the VF at once", r10_del_during_ipam },
	{ "R11: a plugin outside plugin_dirs is refused, both named",
	  r11_plugin_outside_plugin_dirs },
	{ "R11: a plugin that others than root can write is refused",
	  r11_plugin_that_others_can_write },
	{ "R12: an ADD that began before a DEL of its attachment is refused",
	  r12_add_that_began_before_its_del },
	{ "R12: a DEL ends a waiting ADD of its attachment", r12_del_ends_a_waiting_add },
	{ "R12: a DEL from the spool ends no ADD that came after it",
	  r12_an_older_del_ends_no_add },
	{ "R12: nor does one that finds nothing, but an import has to be newer",
	  r12_nor_one_that_finds_nothing },
	{ "R12: a DEL from the spool counts from when it was asked",
	  r12_a_del_counts_from_when_it_was_asked },
	{ "R13: the first engine of a boot does the REBOOT step",
	  r13_first_engine_of_a_boot },
	{ "R14: a VF that appears in use is FAULTED until it comes home", r14_foreign_vf },
	{ "R15: a limit refuses an ADD and never a DEL", r15_limits_refuse_an_add_only },
	{ "R15: a limit spares an ADD whose engine died and that comes again",
	  r15_spares_an_add_that_comes_again },
	{ "P4: a free VF whose link somebody took is not given to a pod",
	  p4_a_free_vf_that_is_taken },
	{ "P4: a VF that appears with a GUID that a pod has is not handed out",
	  p4_a_vf_that_appears_with_a_guid_of_a_pod },
	{ "P8: a result may be of the DEL that an engine before ordered",
	  p8_a_result_may_be_of_the_del },
	{ "P8: a plugin that never ran owes nothing",
	  p8_a_plugin_that_never_ran_owes_nothing },
	{ "P10: a configuration that cannot be read costs no VF its owner",
	  p10_an_unreadable_configuration_costs_no_owner },
	{ "a DEL whose link discovery has not come to waits for it",
	  a_link_that_discovery_has_not_come_to },
	{ "the caller of an ADD ends: the VF is released", caller_gone_frees_the_vf },
	{ "the death of the netns releases without a DEL",
	  netns_death_releases_without_a_del },
	{ "a netns that dies during a look at its VF is looked at again",
	  netns_dies_during_a_look },
	{ "a DEL that comes during a look at the VF is carried out",
	  a_look_does_not_stop_a_release },
	{ "P5: the engine dies after each of its jobs", dies_after_every_job })
