/* SPDX-License-Identifier: Apache-2.0 */
/* What runs at the same time: bytes, the rebind window, RTNL, young plugins (R6, R8). */
#include "engine_world.h"

static void r6_busy_vf_is_left_alone(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	ew_attach(w, "c1", NULL);
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	ew_die(w);
	w->hold_jobs = false;
	ew_hold(w, inflight_vf(EW_VF(0)));
	ew_start(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	CU_ASSERT_TRUE(ew_vf(w, 0)->stuck);
	SUITE_INT(ew_vf(w, 0)->rec.done, 0);
	/* All others go on. */
	c = EW_ADD(w, .container = "c2", .vf = 1);
	EW_OK(c);
	ew_let_go(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_FALSE(ew_vf(w, 0)->stuck);
	ew_free(w);
}

/* The engine was killed while a step of an ADD is in the kernel. */
static void r6_busy_reserved_vf_is_shown(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;
	unsigned jobs;

	w->hold_jobs = true;
	EW_ADD(w, .container = "c1");
	ew_die(w);
	w->hold_jobs = false;
	ew_hold(w, inflight_vf(EW_VF(0)));
	ew_start(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "RESERVED");
	CU_ASSERT_TRUE(ew_vf(w, 0)->stuck);
	c = EW_ADD(w, .container = "c2", .vf = 1);
	EW_OK(c);
	jobs = w->n_jobs_ever;
	ew_pass(w, NS_PER_S);
	SUITE_INT(w->n_jobs_ever, jobs);
	ew_let_go(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_FALSE(ew_vf(w, 0)->stuck);
	ew_free(w);
}

static void r6_byte_goes_with_the_job(void)
{
	struct ew *w = ew_new(1);

	w->hold_jobs = true;
	EW_ADD(w, .container = "c1");
	SUITE_INT(w->n_jobs, 1);
	CU_ASSERT_TRUE(w->jobs[0].with_byte);
	w->hold_jobs = false;
	ew_settle(w);
	ew_free(w);
}

static void r6_late_job_makes_its_vf_stuck(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	w->hold_jobs = true;
	c = EW_ADD(w, .container = "c1");
	ew_pass(w, 31 * NS_PER_S);
	CU_ASSERT_TRUE(ew_vf(w, 0)->stuck);
	CU_ASSERT_TRUE(w->jobs[0].killed);
	CU_ASSERT_FALSE(c->answered);
	/* The kernel lets go: the worker is gone, the ADD ends, the VF is put right. */
	w->hold_jobs = false;
	ew_settle(w);
	EW_FAILED(c, "STEPS took longer than 30 s");
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void stuck_rtnl_keeps_rtnl_only(void)
{
	struct ew *w = ew_new(2);
	unsigned rtnl = 0;

	w->hold_jobs = true;
	EW_ADD(w, .container = "c1");
	ew_pass(w, 31 * NS_PER_S);
	EW_ADD(w, .container = "c2", .vf = 1);
	/* Its worker is not gone: a second RTNL job would only hang as well. */
	for (unsigned i = 0; i < w->n_jobs; i++)
		rtnl += w->jobs[i].rq->kind == JOB_STEPS;
	SUITE_INT(rtnl, 1);
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	ew_free(w);
}

/* The job that has this step; -1: none is under way. */
static int with_step(const struct ew *w, enum drv_step step, unsigned vf)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == JOB_STEPS &&
		    w->jobs[i].rq->steps & (1u << step) &&
		    w->jobs[i].rq->call.addr == EW_VF(vf))
			return (int)i;
	return -1;
}

static void r6_window_of_an_engine_before(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *a, *b;

	ew_hold(w, inflight_rebind());
	w->hold_jobs = true;
	a = ew_add_rebound(w, "c1", 0);
	ew_job_end(w, (unsigned)with_step(w, STEP_SETTINGS, 0));
	SUITE_INT(with_step(w, STEP_REBIND, 0), -1);
	w->hold_jobs = false;
	b = EW_ADD(w, .container = "c2", .vf = 1);
	EW_OK(b); /* needs no rebind */
	ew_pass(w, NS_PER_S);
	CU_ASSERT_FALSE(a->answered);
	ew_let_go(w);
	w->hold_jobs = true;
	ew_pass(w, NS_PER_S);
	CU_ASSERT_FATAL(with_step(w, STEP_REBIND, 0) >= 0);
	/* the VF's byte, the pod's namespace and the window */
	SUITE_INT(w->jobs[with_step(w, STEP_REBIND, 0)].n_fds, 3);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(a);
	ew_free(w);
}

/* Two ADDs up to the rebind of the first one, whose worker is killed. */
static struct ew *killed_in_window(struct ew_client **a, struct ew_client **b)
{
	struct ew *w = ew_new(2);

	w->hold_jobs = true;
	*a = ew_add_rebound(w, "c1", 0);
	*b = ew_add_rebound(w, "c2", 1);
	ew_job_end(w, (unsigned)with_step(w, STEP_SETTINGS, 0));
	ew_job_end(w, (unsigned)with_step(w, STEP_SETTINGS, 1));
	CU_ASSERT_FATAL(with_step(w, STEP_REBIND, 0) >= 0);
	SUITE_INT(with_step(w, STEP_REBIND, 1), -1);
	return w;
}

static void half_bound_comes_first(void)
{
	struct ew_client *a, *b;
	struct ew *w = killed_in_window(&a, &b);

	w->jobs[with_step(w, STEP_REBIND, 0)].killed = true;
	ew_job_end(w, (unsigned)with_step(w, STEP_REBIND, 0));
	while (with_step(w, STEP_REBIND_HOME, 0) < 0) {
		SUITE_INT(with_step(w, STEP_REBIND, 1), -1);
		CU_ASSERT_FATAL(w->n_jobs > 0);
		ew_job_end(w, 0);
	}
	w->hold_jobs = false;
	ew_settle(w);
	EW_FAILED(a, "worker of STEPS ended");
	EW_OK(b);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* Nobody waits for ever for a VF that cannot be put right. */
static void half_bound_is_not_waited_for_long(void)
{
	struct ew_client *a, *b;
	struct ew *w = killed_in_window(&a, &b);

	w->jobs[with_step(w, STEP_REBIND, 0)].killed = true;
	ew_hold(w, inflight_vf(EW_VF(0)));
	w->hold_jobs = false;
	ew_job_end(w, (unsigned)with_step(w, STEP_REBIND, 0));
	ew_pass(w, 5 * NS_PER_S);
	CU_ASSERT_FALSE(b->answered);
	ew_pass(w, 6 * NS_PER_S);
	EW_OK(b);
	ew_let_go(w);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void half_bound_by_an_engine_before(void)
{
	struct ew_client *a, *b;
	struct ew *w = killed_in_window(&a, &b);

	ew_die(w);
	w->hold_jobs = true;
	ew_start(w);
	CU_ASSERT_TRUE(ew_vf(w, 0)->half_bound);
	while (with_step(w, STEP_REBIND_HOME, 0) < 0) {
		SUITE_INT(with_step(w, STEP_REBIND_HOME, 1), -1);
		CU_ASSERT_FATAL(w->n_jobs > 0);
		ew_job_end(w, 0);
	}
	w->hold_jobs = false;
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

/* One VF is in the window, and the link of another, which has an RDMA device, is to come home
 * from a namespace: whether that has to wait, by whether there is a way in. */
static void link_home_beside_a_rebind(const char *netns, const char *rdma_dev, bool waits)
{
	struct ew *w = ew_new(2);
	struct ew_client *del;

	snprintf(ew_vf(w, 1)->rec.baseline.rdma_dev, 64, "%s", rdma_dev);
	EW_OK(EW_ADD(w, .container = "c2", .vf = 1));
	fd_auto(&ew_vf(w, 1)->netns_fd); /* as after the death of the engine */
	ew_vf(w, 1)->netns_fd = -1;
	w->hold_jobs = true;
	ew_add_rebound(w, "c1", 0);
	ew_job_end(w, (unsigned)with_step(w, STEP_SETTINGS, 0));
	CU_ASSERT_FATAL(with_step(w, STEP_REBIND, 0) >= 0);
	del = EW_DEL(w, .container = "c2", .vf = 1, .netns = netns);
	SUITE_INT(with_step(w, STEP_LINK_HOME, 1) < 0, waits);
	w->hold_jobs = false;
	ew_settle(w);
	EW_OK(del);
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

static void r6_link_home_may_take_the_driver(void)
{
	link_home_beside_a_rebind("", "mlx5_3", true);
	link_home_beside_a_rebind("", "", false); /* has no device files */
	link_home_beside_a_rebind("/run/netns/x", "mlx5_3", false);
}

/* A worker that ended within RDMA_HOME may have taken the driver off: over with the release. */
static void half_bound_ends_with_the_release(void)
{
	struct ew *w = ew_new(1);

	EW_OK(ew_add_rebound(w, "c1", 0));
	w->hold_jobs = true;
	EW_DEL(w, .container = "c1");
	while (with_step(w, STEP_RDMA_HOME, 0) < 0) {
		CU_ASSERT_FATAL(w->n_jobs > 0);
		ew_job_end(w, 0);
	}
	w->jobs[with_step(w, STEP_RDMA_HOME, 0)].killed = true;
	ew_job_end(w, (unsigned)with_step(w, STEP_RDMA_HOME, 0));
	CU_ASSERT_TRUE(ew_vf(w, 0)->half_bound);
	ew_vf(w, 0)->rec.touched &= ~STEP_BIT(REBIND); /* it turns out that it has not */
	ew_vf(w, 0)->rebind = false;
	w->hold_jobs = false;
	ew_pass(w, NS_PER_S);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	CU_ASSERT_FALSE(ew_vf(w, 0)->half_bound);
	ew_free(w);
}

/* A VF whose driver does not take it again, round for round, and another one that is to be
 * rebound: it comes to its turn between two rounds. */
static void half_bound_for_ever_stops_nobody(void)
{
	struct ew_client *a, *b;
	struct ew *w = killed_in_window(&a, &b);

	w->jobs[with_step(w, STEP_REBIND, 0)].killed = true;
	w->fail_steps = STEP_BIT(REBIND_HOME);
	w->hold_jobs = false;
	ew_job_end(w, (unsigned)with_step(w, STEP_REBIND, 0));
	ew_pass(w, NS_PER_S);
	EW_OK(b);
	SUITE_STR(ew_state(w, 0), "DETACHING");
	ew_free(w);
}

static void r8_young_plugins_are_bounded(void)
{
	enum { N = 40 };
	struct ew *w = ew_new(N);
	struct ew_client *clients[N];
	char name[16];
	unsigned runs = 0;

	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		clients[i] = EW_ADD(w, .container = name, .vf = i, .ipam = "host-local");
	}
	for (unsigned i = 0; i < N; i++)
		runs += clients[i]->n_runs;
	SUITE_INT(runs, w->e->max_young);
	/* One that ended makes room at once; one that is old does not count. */
	ew_ran_ok(w, clients[0]);
	ew_pass(w, NS_PER_MS);
	runs = 0;
	for (unsigned i = 0; i < N; i++)
		runs += clients[i]->n_runs;
	SUITE_INT(runs, w->e->max_young + 1);
	ew_pass(w, 2 * NS_PER_S);
	runs = 0;
	for (unsigned i = 0; i < N; i++)
		runs += clients[i]->n_runs;
	SUITE_INT(runs, 2 * w->e->max_young + 1);
	/* The end of an old one makes no room among the young. */
	ew_ran_ok(w, clients[1]);
	ew_pass(w, NS_PER_MS);
	runs = 0;
	for (unsigned i = 0; i < N; i++)
		runs += clients[i]->n_runs;
	SUITE_INT(runs, 2 * w->e->max_young + 1);
	ew_free(w);
}

VFK_SUITE(engine_locks, { "R6: the byte goes with the job", r6_byte_goes_with_the_job },
	  { "R6: nothing is rebound in the window of an engine before",
	    r6_window_of_an_engine_before },
	  { "R6: a VF whose worker died in its rebind comes before others",
	    half_bound_comes_first },
	  { "R6: such a VF is not waited for long", half_bound_is_not_waited_for_long },
	  { "R6: one that never gets a driver stops nobody",
	    half_bound_for_ever_stops_nobody },
	  { "R6: what was without a driver is forgotten with its release",
	    half_bound_ends_with_the_release },
	  { "R6: the window is kept where the way home may be the driver's end",
	    r6_link_home_may_take_the_driver },
	  { "R6: a VF that an engine before was rebinding comes before others",
	    half_bound_by_an_engine_before },
	  { "R6: a VF whose byte is locked is busy, all others go on",
	    r6_busy_vf_is_left_alone },
	  { "R6: a VF that an ADD has, with a step in the kernel, is shown as stuck",
	    r6_busy_reserved_vf_is_shown },
	  { "R6: a step past its deadline makes its VF stuck until the worker is gone",
	    r6_late_job_makes_its_vf_stuck },
	  { "a job stuck under RTNL keeps RTNL", stuck_rtnl_keeps_rtnl_only },
	  { "R8: at most 2 x CPUs plugins in their first second",
	    r8_young_plugins_are_bounded })
