/* SPDX-License-Identifier: Apache-2.0 */
/* The table "ADD finds": each row is a case named after it. */
#include "engine_world.h"

static void free_is_reserved(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	ew_trace_clear(w);
	c = EW_ADD(w, .container = "c1");
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_state(w, 1), "FREE");
	/* The answer comes after the record: nothing follows it. */
	SUITE_STR(w->trace.data, "job STEPS 8;answer 0;");
	if (!strstr(c->text, "\"mac\":\"02:00:00:00:00:01\""))
		SUITE_STR(c->text, "mac");
	ew_free(w);
}

static void free_with_ipam(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	ew_trace_clear(w);
	w->hold_sync = true;
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	/* P1: no IPAM before ASKED is synced. */
	SUITE_STR(ew_lease(w, "c1"), "ASKED");
	SUITE_INT(c->n_runs, 0);
	w->hold_sync = false;
	ew_settle(w);
	SUITE_INT(c->n_runs, 1);
	SUITE_STR(c->runs[0].type, "host-local");
	/* A VF that IPAM was not asked for yet is untouched. */
	SUITE_INT(ew_vf(w, 0)->rec.touched, 0);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(w->trace.data, "job SYNC;run ADD;job STEPS 28;answer 0;");
	if (!strstr(c->text, "10.1.2.3/24"))
		SUITE_STR(c->text, "10.1.2.3/24");
	ew_free(w);
}

/* Kills the engine while 'c1' is RESERVED with its plugin under way; its lease's byte. */
static uint64_t die_in_ipam(struct ew *w, uint64_t nonce)
{
	uint64_t byte;

	EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = nonce);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);
	ew_die(w);
	return byte;
}

static void reserved_without_a_byte_is_replayed(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	die_in_ipam(w, 0);
	w->fail_ipam = true; /* the engine tries to pay at once */
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	c = EW_ADD(w, .container = "c2");
	EW_OK(c);
	ew_free(w);
}

static void reserved_same_nonce_resumes(void)
{
	struct ew *w = ew_new(1);
	uint64_t byte = die_in_ipam(w, 42);
	struct ew_client *c;
	struct frame_ran ran = { .outcome = RUN_EXITED };

	ew_hold(w, byte);
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 42);
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(c->n_runs, 0); /* R9: never asked twice */
	ran.run_id = ew_vf(w, 0)->rec.lease_id;
	engine_ran(w->e, c, &ran, EW_IPAM_ANSWER, strlen(EW_IPAM_ANSWER));
	ew_settle(w);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_free(w);
}

static void result_of_another_lease(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	struct frame_ran ran = { .outcome = RUN_EXITED, .run_id = 4711 };

	engine_ran(w->e, c, &ran, EW_IPAM_ANSWER, strlen(EW_IPAM_ANSWER));
	ew_settle(w);
	CU_ASSERT_FALSE(c->answered);
	SUITE_STR(ew_lease(w, "c1"), "ASKED");
	ew_free(w);
}

static void held_same_nonce_resumes(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = EW_ADD(w, .container = "c1", .ipam = "host-local",
				     .nonce = 7);
	uint64_t byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);

	w->hold_jobs = true;
	ew_ran_ok(w, c);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_die(w);
	w->hold_jobs = false;
	ew_hold(w, byte);
	ew_start(w);
	c = EW_ADD(w, .container = "c1", .ipam = "host-local", .nonce = 7);
	EW_OK(c);
	if (!strstr(c->text, "10.1.2.3/24"))
		SUITE_STR(c->text, "10.1.2.3/24");
	ew_free(w);
}

/* The steps that are under way; NULL: none. */
static const struct job_req *under_way(const struct ew *w)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == JOB_STEPS)
			return w->jobs[i].rq;
	return NULL;
}

/* The engine dies during a step of c1, whose client has the answer of IPAM and comes again. */
static void die_in_step(struct ew *w)
{
	uint64_t byte = inflight_lease(ew_vf(w, 0)->rec.lease_id);

	SUITE_STR(ew_lease(w, "c1"), "HELD");
	CU_ASSERT_PTR_NOT_NULL(under_way(w));
	ew_die(w);
	w->hold_jobs = false;
	ew_hold(w, byte);
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	ew_trace_clear(w);
}

/* P2: what IPAM told the engine before us is put on the link by this one. */
static void resumed_has_its_addresses(void)
{
	static const uint8_t addr[] = { 10, 1, 2, 3 };
	struct ew_call add = {
		.verb = CNI_ADD, .container = "c1", .ipam = "host-local", .nonce = 7
	};
	struct ew *w = ew_new(1);
	struct ew_client *c = ew_ask(w, add);
	const struct job_req *job;
	const struct drv_ip *ip;

	w->hold_jobs = true;
	ew_ran_ok(w, c);
	die_in_step(w);
	w->hold_jobs = true;
	c = ew_ask(w, add);
	job = under_way(w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(job);
	SUITE_INT(job->steps, STEP_BIT(LINK_TO_POD) | STEP_BIT(ADDRESSES));
	CU_ASSERT_EQUAL_FATAL(job->call.n_ips, 1);
	ip = (const struct drv_ip *)(job + 1);
	SUITE_INT(ip->prefix_len, 24);
	SUITE_INT(memcmp(ip->addr, addr, sizeof(addr)), 0);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(c);
	ew_free(w);
}

/* What SETTINGS said is lost with the engine that they told: that a rebind has to follow. */
static void resumed_asks_again_for_a_rebind(void)
{
	struct ew_call add = { .verb = CNI_ADD,
			       .container = "c1",
			       .nonce = 7,
			       .text = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\","
				       "\"type\":\"vfkeeper\",\"deviceID\":\"0000:3b:00.1\","
				       "\"ipam\":{\"type\":\"host-local\"},"
				       "\"runtimeConfig\":{\"infinibandGUID\":"
				       "\"02:00:00:00:00:00:00:01\"}}" };
	struct ew *w = ew_new(1);
	struct ew_client *c = ew_ask(w, add);

	w->other_guid = w->hold_jobs = true;
	ew_ran_ok(w, c);
	ew_job_end(w, 0); /* SETTINGS */
	SUITE_INT(under_way(w)->steps, STEP_BIT(REBIND));
	die_in_step(w);
	SUITE_INT(ew_vf(w, 0)->rec.done, STEP_BIT(SETTINGS)); /* is on record */
	c = ew_ask(w, add);
	EW_OK(c);
	SUITE_STR(w->trace.data, "job STEPS 1;job STEPS 2;job STEPS 28;answer 0;");
	ew_free(w);
}

/* R4: not behind a look that somebody else waits for. */
static void repeated_beside_a_look(void)
{
	struct ew_call add = { .verb = CNI_ADD, .container = "c1", .nonce = 7 };
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_OK(ew_ask(w, add));
	w->hold_jobs = true;
	c = EW_ADD(w, .container = "c2");
	CU_ASSERT_FALSE(c->answered);
	CU_ASSERT_PTR_NOT_NULL(strstr(w->trace.data, "job OBSERVE;"));
	c = ew_ask(w, add);
	EW_OK(c);
	ew_free(w);
}

/* P4: nobody could put it back. */
static void without_a_baseline(void)
{
	struct ew *w = ew_new(1);

	ew_vf(w, 0)->rec.baseline.valid = false;
	EW_FAILED(EW_ADD(w, .container = "c1"), "VF 0000:3b:00.1 has no baseline");
	w->modes.valid = true; /* the look says what it is like */
	EW_OK(EW_ADD(w, .container = "c1"));
	CU_ASSERT_TRUE(ew_vf(w, 0)->rec.baseline.valid);
	ew_free(w);
}

/* So is what the last step said of the link.  That it was done is on record where the journal
 * began another file before the answer. */
static void resumed_asks_again_for_mac_and_mtu(void)
{
	struct ew_call add = {
		.verb = CNI_ADD, .container = "c1", .ipam = "host-local", .nonce = 7
	};
	struct ew *w = ew_new(1);
	struct ew_client *c = ew_ask(w, add);
	struct vfk_err err = { 0 };

	w->hold_jobs = true;
	ew_ran_ok(w, c);
	ew_vf(w, 0)->rec.done = under_way(w)->steps;
	SUITE_INT(journal_begin(w->journal, &err), 0);
	die_in_step(w);
	CU_ASSERT_TRUE(ew_vf(w, 0)->rec.done & STEP_BIT(LINK_TO_POD));
	c = ew_ask(w, add);
	EW_OK(c);
	SUITE_STR(w->trace.data, "job STEPS 28;answer 0;");
	if (!strstr(c->text, "\"mac\":\"02:00:00:00:00:01\""))
		SUITE_STR(c->text, "mac");
	if (!strstr(c->text, "\"mtu\":2044"))
		SUITE_STR(c->text, "mtu");
	ew_free(w);
}

static void attached_same_nonce_repeats(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *a = EW_ADD(w, .container = "c1", .nonce = 9);
	struct ew_client *b;

	ew_die(w);
	ew_start(w);
	ew_trace_clear(w);
	b = EW_ADD(w, .container = "c1", .nonce = 9);
	EW_OK(b);
	SUITE_STR(b->text, a->text);
	SUITE_STR(w->trace.data, "answer 0;");
	ew_free(w);
}

static void attached_another_request_is_an_error(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	EW_ADD(w, .container = "c1");
	c = EW_ADD(w, .container = "c1");
	EW_FAILED(c, "has VF 0000:3b:00.1 already");
	/* Also with another VF: one interface has one. */
	c = EW_ADD(w, .container = "c1", .vf = 1);
	EW_FAILED(c, "has VF 0000:3b:00.1 already");
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

static void attachment_has_another_vf(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	EW_OK(EW_ADD(w, .container = "c1"));
	ew_trace_clear(w);
	c = EW_ADD(w, .container = "c1", .vf = 1);
	EW_FAILED(c, "\"code\":999");
	EW_FAILED(c, "0000:3b:00.1"); /* the one that it has */
	SUITE_STR(w->trace.data, "answer 1;");
	EW_OK(EW_DEL(w, .container = "c1"));
	EW_ADD(w, .container = "c2", .ipam = "host-local");
	SUITE_STR(ew_state(w, 0), "RESERVED");
	EW_FAILED(EW_ADD(w, .container = "c2", .vf = 1), "\"code\":11");
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

/* An engine whose discovery has not worked yet, on a journal that says FREE. */
static struct ew *not_looked_at(void)
{
	struct ew *w = ew_new(1);

	ew_die(w);
	w->fail_discover = VFK_E_BUSY;
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_FALSE(ew_vf(w, 0)->verified);
	ew_trace_clear(w);
	return w;
}

static void free_but_not_looked_at(void)
{
	struct ew *w = not_looked_at();

	EW_OK(EW_ADD(w, .container = "c1"));
	SUITE_STR(w->trace.data, "job OBSERVE;job STEPS 8;answer 0;");
	ew_free(w);
	w = not_looked_at();
	ew_tell(w, WHERE_ELSEWHERE, true);
	EW_FAILED(EW_ADD(w, .container = "c1"), "\"code\":11");
	SUITE_STR(ew_state(w, 0), "FAULTED");
	ew_free(w);
}

static void owed_lease_is_paid_first(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	die_in_ipam(w, 0);
	w->fail_ipam = true; /* the engine tries to pay at once */
	ew_start(w);
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_DEL);
	SUITE_INT(c->runs[0].flags, RUN_STORED);
	ew_ran_ok(w, c);
	SUITE_INT(c->n_runs, 2);
	SUITE_INT(c->runs[1].verb, CNI_ADD);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

static void owed_lease_that_cannot_be_paid(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	die_in_ipam(w, 0);
	w->fail_ipam = true; /* the engine tries to pay at once */
	ew_start(w);
	c = EW_ADD(w, .container = "c1", .ipam = "host-local");
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"no server\"}");
	EW_FAILED(c, "\"code\":11");
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	ew_free(w);
}

static void attached_netns_gone_is_released_first(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_ADD(w, .container = "c1");
	ew_tell(w, WHERE_UNKNOWN, false);
	c = EW_ADD(w, .container = "c2");
	EW_OK(c);
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c2");
	ew_free(w);
}

static void attached_another_owner_is_refused(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_ADD(w, .container = "c1");
	ew_tell(w, WHERE_IN_POD, true);
	c = EW_ADD(w, .container = "c2");
	for (unsigned i = 0; i < 5; i++) /* it might be dying */
		ew_pass(w, 300 * NS_PER_MS);
	EW_FAILED(c, "\"code\":11,\"msg\":\"VF 0000:3b:00.1 is in use by container c1 "
		     "interface net1");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* The kernel takes its time: a look or two later it is gone. */
static void attached_netns_dying_is_waited_for(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_ADD(w, .container = "c1");
	ew_tell(w, WHERE_IN_POD, true);
	c = EW_ADD(w, .container = "c2");
	CU_ASSERT_FALSE(c->answered);
	ew_pass(w, 300 * NS_PER_MS);
	CU_ASSERT_FALSE(c->answered);
	ew_tell(w, WHERE_UNKNOWN, false);
	ew_pass(w, 300 * NS_PER_MS);
	EW_OK(c);
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c2");
	ew_free(w);
}

static void reserved_another_owner_is_refused(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	EW_ADD(w, .container = "c1", .ipam = "host-local");
	c = EW_ADD(w, .container = "c2");
	EW_FAILED(c, "is being attached by container c1 interface net1");
	ew_free(w);
}

static void detaching_is_finished_first(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *del, *add;

	EW_ADD(w, .container = "c1");
	w->hold_jobs = true;
	del = EW_DEL(w, .container = "c1");
	add = EW_ADD(w, .container = "c2");
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT_FALSE(add->answered);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(del);
	EW_OK(add);
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c2");
	ew_free(w);
}

static void detaching_past_the_deadline(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *add;

	EW_ADD(w, .container = "c1");
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	add = EW_ADD(w, .container = "c2");
	ew_pass(w, 111 * NS_PER_S);
	EW_FAILED(add,
		  "\"code\":11,\"msg\":\"VF 0000:3b:00.1 is still DETACHING at step link_home (container c1 "
		  "interface net1");
	w->hold_jobs = false;
	ew_settle(w);
	ew_free(w);
}

/* Drives VF 0 into FAULTED. */
static void make_faulted(struct ew *w)
{
	EW_ADD(w, .container = "c1");
	w->fail_steps = STEP_BIT(LINK_HOME);
	EW_DEL(w, .container = "c1");
	for (unsigned i = 0; i < 20 && ew_vf(w, 0)->fsm.state == VF_DETACHING; i++)
		ew_pass(w, 60 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
}

static void faulted_gets_one_repair(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	make_faulted(w);
	w->fail_steps = 0;
	c = EW_ADD(w, .container = "c2");
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

static void faulted_after_the_repair_is_refused(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *a;

	make_faulted(w);
	a = EW_ADD(w, .container = "c2");
	for (unsigned i = 0; i < 30 && !a->answered; i++)
		ew_pass(w, 10 * NS_PER_S);
	EW_FAILED(a, "\"code\":11");
	ew_free(w);
}

static void absent_is_one_clear_error(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	w->gone_vf = 1;
	ew_pass(w, 31 * NS_PER_S);
	ew_pass(w, 31 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "ABSENT");
	c = EW_ADD(w, .container = "c1");
	EW_FAILED(c, "VF 0000:3b:00.1 is gone from the bus");
	c = EW_ADD(w, .container = "c1", .vf = 40);
	EW_FAILED(c, "\"code\":7,\"msg\":\"deviceID 0000:3b:05.1 is not a VF that vfkeeper "
		     "knows");
	ew_free(w);
}

static void fatal_port_is_one_clear_error(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	node_pf(w->e->node, EW_PF)->ports[0] = PORT_FATAL;
	c = EW_ADD(w, .container = "c1");
	EW_FAILED(c, "port 1 of PF 0000:3b:00.0 is in state FATAL");
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* A VF has its RDMA device also while a pod has that, or while it is not back yet. */
static void an_rdma_device_may_be_away_when_its_vf_is_looked_at(void)
{
	static const char conf[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
		"\"deviceID\":\"0000:3b:00.1\",\"rdmaIsolation\":true}";
	struct ew *w = ew_new(1);

	w->rdma = true; /* at boot a device may come later than the link */
	ew_look(w);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.rdma_dev, "mlx5_0");
	EW_OK(EW_ADD(w, .container = "c1", .text = conf));
	ew_look(w);
	EW_OK(EW_DEL(w, .container = "c1", .text = conf));
	EW_OK(EW_ADD(w, .container = "c2", .text = conf));
	w->unbound_vf = 1; /* nor is its driver back */
	ew_look(w);
	w->unbound_vf = 0;
	EW_OK(EW_DEL(w, .container = "c2", .text = conf));
	EW_OK(EW_ADD(w, .container = "c3", .text = conf));
	EW_OK(EW_DEL(w, .container = "c3", .text = conf));
	w->rdma_away = true;
	engine_vf_touched(w->e, EW_VF(0)); /* a look at it alone */
	ew_pass(w, 2 * NS_PER_S);
	EW_OK(EW_ADD(w, .container = "c4", .text = conf));
	EW_OK(EW_DEL(w, .container = "c4", .text = conf));
	w->rdma_away = false;
	w->user = true; /* another driver makes none */
	ew_look(w);
	SUITE_STR(ew_vf(w, 0)->rec.baseline.driver, "vfio-pci");
	EW_FAILED(EW_ADD(w, .container = "c5", .text = conf),
		  "cannot honour rdmaIsolation: its device does not have this setting");
	ew_free(w);
}

static void what_the_vf_cannot_be_is_said_before_anything(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	uint64_t guid;

#define CONF(more)                                                                       \
	"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"x\",\"deviceID\":"        \
	"\"0000:3b:00.1\",\"ipam\":{\"type\":\"host-local\"}," more "}"
	ew_vf(w, 0)->cannot = HAS_VLAN | HAS_PORT_GUID;
	c = EW_ADD(w, .container = "c1", .text = CONF("\"vlan\":7"));
	EW_FAILED(c, "VF 0000:3b:00.1 cannot honour vlan: its device does not have this "
		     "setting (vfctl explain 0000:3b:00.1)");
	SUITE_INT(c->n_runs, 0);
	SUITE_STR(ew_state(w, 0), "FREE");
	EW_FAILED(EW_ADD(w, .container = "c1",
			 .text = CONF(
				 "\"args\":{\"cni\":{\"guid\":\"02:00:00:00:00:00:00:01\"}}")),
		  "cannot honour infinibandGUID");
	ew_vf(w, 0)->cannot = 0;
	EW_FAILED(EW_ADD(w, .container = "c1", .text = CONF("\"vfioPciMode\":true")),
		  "vfioPciMode is enabled but the device is not bound to vfio-pci driver");
	ew_vf(w, 0)->rec.baseline.ifname[0] = '\0';
	EW_FAILED(EW_ADD(w, .container = "c1", .text = CONF("\"mtu\":1400")),
		  "cannot honour mtu: it has no network device");
	snprintf(ew_vf(w, 0)->rec.baseline.ifname, 16, "vf0");
	EW_FAILED(EW_ADD(w, .container = "c1", .text = CONF("\"guidPolicy\":\"derived\"")),
		  "no /etc/machine-id to derive a GUID from");
	snprintf(w->e->config.machine_id, sizeof(w->e->config.machine_id), "one");
	c = EW_ADD(w, .container = "c1", .text = CONF("\"guidPolicy\":\"derived\""));
	guid = ew_vf(w, 0)->rec.wanted.port_guid;
	SUITE_INT(guid >> 56, 2);
	EW_DEL(w, .container = "c1");
	ew_ran(w, c, RUN_CANCELLED, 0, "");
	ew_ran_ok(w, c);
	snprintf(w->e->config.machine_id, sizeof(w->e->config.machine_id), "two");
	c = EW_ADD(w, .container = "c2", .text = CONF("\"guidPolicy\":\"derived\""));
	CU_ASSERT_NOT_EQUAL(ew_vf(w, 0)->rec.wanted.port_guid, guid);
	ew_free(w);
#undef CONF
}

VFK_SUITE(engine_add,
	  { "what the VF cannot be is said before anything is touched",
	    what_the_vf_cannot_be_is_said_before_anything },
	  { "an RDMA device may be away when its VF is looked at",
	    an_rdma_device_may_be_away_when_its_vf_is_looked_at },
	  { "ADD finds RESERVED with neither byte locked: replays it, then as below",
	    reserved_without_a_byte_is_replayed },
	  { "ADD finds RESERVED, same owner and nonce: waits for its result",
	    reserved_same_nonce_resumes },
	  { "R9: a result for another lease than its own is not used",
	    result_of_another_lease },
	  { "ADD finds RESERVED with HELD, same owner and nonce: goes on without IPAM",
	    held_same_nonce_resumes },
	  { "ADD finds RESERVED with HELD: its addresses are put on the link again",
	    resumed_has_its_addresses },
	  { "ADD finds RESERVED with SETTINGS made: makes them again, and rebinds",
	    resumed_asks_again_for_a_rebind },
	  { "ADD finds RESERVED with every step done: does them again, for MAC and MTU",
	    resumed_asks_again_for_mac_and_mtu },
	  { "ADD finds ATTACHED, same owner and nonce: the stored result again",
	    attached_same_nonce_repeats },
	  { "ADD finds ATTACHED, same container and interface, another request: an error",
	    attached_another_request_is_an_error },
	  { "ADD finds that the attachment has another VF already: an error",
	    attachment_has_another_vf },
	  { "ADD finds ATTACHED, same request: before who waits for a look",
	    repeated_beside_a_look },
	  { "ADD finds FREE, but no baseline: code 11", without_a_baseline },
	  { "ADD finds FREE, but not yet looked at: looks, then as below",
	    free_but_not_looked_at },
	  { "ADD finds an OWED lease of this attachment: pays it first",
	    owed_lease_is_paid_first },
	  { "ADD finds an OWED lease that cannot be paid: code 11",
	    owed_lease_that_cannot_be_paid },
	  { "ADD finds FREE: reserves it", free_is_reserved },
	  { "ADD finds FREE, with IPAM: asks after the sync, before the VF is touched",
	    free_with_ipam },
	  { "ADD finds ATTACHED, another owner whose netns is provably gone: releases first",
	    attached_netns_gone_is_released_first },
	  { "ADD finds ATTACHED, another owner whose netns is dying: waits for that",
	    attached_netns_dying_is_waited_for },
	  { "ADD finds ATTACHED, another owner: code 11 with owner and age",
	    attached_another_owner_is_refused },
	  { "ADD finds RESERVED, another owner: code 11 with owner",
	    reserved_another_owner_is_refused },
	  { "ADD finds DETACHING: finishes the release first", detaching_is_finished_first },
	  { "ADD finds DETACHING past its deadline: code 11 with the old owner",
	    detaching_past_the_deadline },
	  { "ADD finds FAULTED: one repair", faulted_gets_one_repair },
	  { "ADD finds FAULTED after the repair: code 11 with the reason",
	    faulted_after_the_repair_is_refused },
	  { "ADD finds ABSENT or nothing: one clear error", absent_is_one_clear_error },
	  { "ADD finds a port in FATAL: one clear error", fatal_port_is_one_clear_error })
