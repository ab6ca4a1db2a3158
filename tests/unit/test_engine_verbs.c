/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK, GC and STATUS in the engine: what each finds, what it does then, and that none of them
 * ever does more. */
#include "engine_world.h"

#include "engine/cordon.h"

#define CONF(version, more)                                                              \
	"{\"cniVersion\":\"" version "\",\"name\":\"net\",\"type\":\"vfkeeper\"" more "}"
#define IPAM ",\"ipam\":{\"type\":\"host-local\"}"
#define PREV(mac, ip)                                                                      \
	",\"prevResult\":{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\"},"    \
	"{\"name\":\"net1\",\"mac\":\"" mac "\",\"sandbox\":\"/run/netns/x\"}],\"ips\":[{" \
	"\"address\":\"" ip                                                                \
	"\",\"interface\":1},{\"address\":\"10.9.9.9/8\",\"interface\":0}"                 \
	"],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\"}]}"

static struct ew_client *attach(struct ew *w, const char *container, unsigned vf,
				const char *ipam)
{
	struct ew_client *c = EW_ADD(w, .container = container, .vf = vf, .ipam = ipam);

	if (ipam)
		ew_ran_ok(w, c);
	EW_OK(c);
	return c;
}

#define CHECK(w, conf)                                                                   \
	ew_ask(w, (struct ew_call){ .verb = CNI_CHECK, .container = "c1", .text = (conf) })
#define GC(w, more)                                                                      \
	ew_ask(w, (struct ew_call){                                                      \
			  .verb = CNI_GC, .container = "", .text = CONF("1.1.0", more) })
#define STATUS(w, more)                                                                  \
	ew_ask(w, (struct ew_call){ .verb = CNI_STATUS,                                  \
				    .container = "",                                     \
				    .text = CONF("1.1.0", more) })

/* --- CHECK ----------------------------------------------------------------------- */

/* The job that a CHECK has started, while jobs are held. */
static const struct job_req *check_job(struct ew *w)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == JOB_CHECK)
			return w->jobs[i].rq;
	return NULL;
}

static void check_without_a_record(void)
{
	struct ew *w = ew_new(1);

	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "\"code\":100");
	EW_FAILED(CHECK(w, CONF("1.0.0", "")),
		  "container c1 interface net1 has no VF on record");
	SUITE_INT(w->n_jobs_ever, 1); /* discovery */
	ew_free(w);
}

static void check_expects_prev_result(void)
{
	struct ew *w = ew_new(1);
	const struct job_req *rq;
	const struct drv_ip *ips;
	const struct drv_route *routes;

	attach(w, "c1", 0, "host-local");
	w->hold_jobs = true;
	CHECK(w, CONF("1.0.0", PREV("02:11:22:33:44:55", "10.1.2.3/24")));
	rq = check_job(w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rq);
	SUITE_INT(rq->has_netns, 1);
	SUITE_STR(rq->call.ifname, "net1");
	SUITE_INT(rq->expect.hwaddr_len, 6);
	SUITE_INT(rq->expect.hwaddr[5], 0x55);
	SUITE_INT(rq->expect.mtu_bytes, 0); /* nobody asked for one */
	SUITE_INT(rq->call.n_ips, 1);	    /* those of other interfaces are not ours */
	ips = (const void *)(rq + 1);
	SUITE_INT(ips[0].addr[3], 3);
	SUITE_INT(ips[0].prefix_len, 24);
	SUITE_INT(rq->call.n_routes, 1);
	routes = (const void *)(ips + 1);
	SUITE_INT(routes[0].has_gateway, 1);
	SUITE_INT(routes[0].gateway[3], 1);
	ew_free(w);
}

static void check_expects_the_result_of_the_add(void)
{
	struct ew *w = ew_new(1);
	const struct job_req *rq;

	attach(w, "c1", 0, "host-local");
	w->hold_jobs = true;
	CHECK(w, CONF("1.0.0", IPAM));
	rq = check_job(w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rq);
	SUITE_INT(rq->call.n_ips, 1);
	SUITE_INT(rq->expect.hwaddr_len, 6);
	ew_free(w);
}

static void check_asks_ipam_and_writes_nothing(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;
	uint64_t seq;

	attach(w, "c1", 0, "host-local");
	seq = journal_last(w->journal);
	c = CHECK(w, CONF("1.0.0", IPAM));
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_CHECK);
	SUITE_STR(c->runs[0].type, "host-local");
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(c->text, "");
	c = CHECK(w, CONF("1.0.0", IPAM));
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":11,\"msg\":\"address is gone\"}");
	EW_FAILED(c, "IPAM plugin \\\"host-local\\\": address is gone");
	c = CHECK(w, CONF("1.0.0", IPAM));
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":4,\"msg\":\"unknown CNI_COMMAND: CHECK\"}");
	EW_OK(c); /* a plugin from before CHECK */
	c = CHECK(w, CONF("1.0.0", IPAM ",\"ipamCheck\":false"));
	SUITE_INT(c->n_runs, 0);
	EW_OK(c);
	SUITE_INT(journal_last(w->journal), seq);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

static void check_tells_each_difference(void)
{
	struct ew *w = ew_new(2);

	attach(w, "c1", 0, NULL);
	w->check_differs = true;
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "VF 0000:3b:00.1: link net1 is down");
	w->check_differs = false;
	ew_tell(w, WHERE_HOME, true);
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "its link is on the host");
	ew_tell(w, WHERE_ELSEWHERE, true);
	EW_FAILED(CHECK(w, CONF("1.0.0", "")),
		  "its link is in another network namespace than /run/netns/x");
	ew_tell(w, WHERE_GONE, true);
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "it is gone from the bus");
	ew_tell(w, WHERE_UNKNOWN, true);
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "\"code\":11");
	w->told = false;
	EW_FAILED(CHECK(w, CONF("1.0.0", ",\"deviceID\":\"0000:3b:00.2\"")),
		  "deviceID is 0000:3b:00.2");
	EW_FAILED(CHECK(w, CONF("1.0.0", ",\"prevResult\":{\"cniVersion\":\"1.0.0\"}")),
		  "prevResult: it has no interface net1");
	EW_FAILED(CHECK(w, CONF("1.0.0", ",\"prevResult\":{\"ips\":[{\"address\":5}]}")),
		  "\"code\":7");
	EW_OK(CHECK(w, CONF("1.0.0", "")));
	node_pf(w->e->node, EW_PF)->ports[0] = PORT_FATAL;
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "a port of its PF is in state FATAL");
	SUITE_STR(ew_state(w, 0), "ATTACHED"); /* looked at, never touched */
	ew_free(w);
}

static void check_compares_settings(void)
{
	struct ew *w = ew_new(1);

	EW_OK(EW_ADD(w, .container = "c1",
		     .text = CONF("1.0.0", ",\"deviceID\":\"0000:3b:00.1\",\"vlan\":7,"
					   "\"runtimeConfig\":{\"infinibandGUID\":"
					   "\"02:00:00:00:00:00:bb:61\"}")));
	w->check_seen.valid = true;
	w->check_seen.set = ew_vf(w, 0)->rec.wanted;
	EW_OK(CHECK(w, CONF("1.0.0", "")));
	w->check_seen.set.vlan = 8;
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "its vlan is 8, not 7");
	w->check_seen.set.vlan = 7;
	w->check_seen.set.port_guid = 1;
	EW_FAILED(CHECK(w, CONF("1.0.0", "")),
		  "its port GUID is 00:00:00:00:00:00:00:01, not 02:00:00:00:00:00:bb:61");
	w->check_seen.set.has = 0; /* what a driver cannot read says nothing */
	EW_OK(CHECK(w, CONF("1.0.0", "")));
	ew_free(w);
}

static void check_beside_a_release(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	attach(w, "c1", 0, NULL);
	w->hold_jobs = true;
	c = CHECK(w, CONF("1.0.0", ""));
	EW_DEL(w, .container = "c1");
	EW_FAILED(CHECK(w, CONF("1.0.0", "")), "it is DETACHING");
	ew_job_end(w, 0);
	EW_FAILED(c, "was released while it was looked at");
	c = CHECK(w, CONF("1.0.0", ""));
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void check_that_hangs_ends_at_its_deadline(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	attach(w, "c1", 0, NULL);
	w->hold_jobs = true;
	c = ew_ask(w, (struct ew_call){ .verb = CNI_CHECK,
					.container = "c1",
					.gives_up = w->now_ns + 60 * NS_PER_S,
					.text = CONF("1.0.0", "") });
	ew_pass(w, 59 * NS_PER_S);
	EW_FAILED(c, "the kernel does not answer");
	ew_gone(w, CHECK(w, CONF("1.0.0", ""))); /* and a caller that ends does no harm */
	w->hold_jobs = false;
	ew_settle(w);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* --- GC -------------------------------------------------------------------------- */

#define VALID(...) ",\"cni.dev/valid-attachments\":[" __VA_ARGS__ "]"
#define ONE(id) "{\"containerID\":\"" id "\",\"ifname\":\"net1\"}"

static void gc_releases_what_is_not_valid(void)
{
	struct ew *w = ew_new(3);

	attach(w, "c1", 0, NULL);
	attach(w, "c2", 1, NULL);
	EW_OK(EW_ADD(w, .container = "c3",
		     .text = "{\"cniVersion\":\"1.1.0\",\"name\":\"other\",\"type\":\"x\","
			     "\"deviceID\":\"0000:3b:00.3\"}"));
	EW_OK(GC(w, VALID(ONE("c2"))));
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	SUITE_STR(ew_state(w, 2), "ATTACHED"); /* of another network */
	/* R12: it counts as a DEL of each. */
	EW_FAILED(EW_ADD(w, .container = "c1", .start = 1), "came after this ADD began");
	EW_OK(GC(w, VALID()));
	SUITE_STR(ew_state(w, 1), "FREE");
	SUITE_STR(ew_state(w, 2), "ATTACHED");
	ew_free(w);
}

static void gc_knows_the_older_key(void)
{
	struct ew *w = ew_new(2);

	attach(w, "c1", 0, NULL);
	attach(w, "c2", 1, NULL);
	EW_OK(GC(w, ",\"cni.dev/attachments\":[" ONE("c1") "]"));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_state(w, 1), "FREE");
	ew_free(w);
}

static void gc_refuses_a_list_that_it_cannot_read(void)
{
	static const char *const bad[] = {
		CONF("1.1.0", ",\"cni.dev/valid-attachments\":{}"),
		CONF("1.1.0", ",\"cni.dev/valid-attachments\":\"c1\""),
		CONF("1.1.0", VALID("1")),
		CONF("1.1.0", VALID("{\"containerID\":\"c1\"}")),
		CONF("1.1.0", VALID("{\"containerID\":7,\"ifname\":\"net1\"}")),
		CONF("1.1.0", VALID("{\"containerID\":\"\",\"ifname\":\"net1\"}")),
		CONF("1.1.0", VALID(ONE("c1") ",null")),
	};
	struct ew *w = ew_new(1);

	attach(w, "c1", 0, NULL);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++)
		EW_FAILED(ew_ask(w, (struct ew_call){ .verb = CNI_GC,
						      .container = "",
						      .text = bad[i] }),
			  "cni.dev/valid-attachments");
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

static void gc_without_a_list_asks_the_kernel(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	attach(w, "c1", 0, NULL);
	attach(w, "c2", 1, NULL);
	EW_OK(GC(w, "")); /* their namespaces live */
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	w->hold_jobs = true;
	c = GC(w, "");
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(w->n_jobs, 2);
	ew_tell(w, WHERE_HOME, false);
	ew_job_end(w, 0);
	CU_ASSERT_FALSE(c->answered);
	w->told = w->hold_jobs = false;
	ew_settle(w);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	ew_free(w);
}

static void gc_pays_and_delegates(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *c;

	attach(w, "c1", 0, "host-local");
	attach(w, "c2", 1, "host-local");
	w->hold_ipam = true;
	c = GC(w, IPAM VALID(ONE("c2")));
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	CU_ASSERT_FALSE(c->answered);
	SUITE_INT(c->n_runs, 0);
	w->hold_ipam = false;
	ew_settle(w);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	SUITE_STR(ew_lease(w, "c2"), "HELD");
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_GC);
	SUITE_INT(c->runs[0].flags, 0); /* the configuration as it came */
	ew_ran_ok(w, c);
	EW_OK(c);
	c = GC(w, IPAM VALID(ONE("c2")));
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":5,\"msg\":\"no disk\"}");
	EW_FAILED(c, "no disk");
	c = GC(w, IPAM VALID(ONE("c2")));
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":4,\"msg\":\"unknown CNI_COMMAND: GC\"}");
	EW_OK(c);
	c = GC(w, IPAM); /* no list: the plugin must not take that for "nothing is valid" */
	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].flags, RUN_STORED);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

static void gc_says_what_it_could_not_release(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	attach(w, "c1", 0, "host-local");
	w->fail_ipam = true;
	c = GC(w, VALID());
	EW_FAILED(c, "GC: 1 of 1 not released yet, the first: lease of container c1: plugin "
		     "failed");
	SUITE_STR(ew_state(w, 0), "FREE"); /* a stuck IPAM never keeps a VF */
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	w->fail_ipam = false;
	EW_OK(GC(w, VALID())); /* and a GC makes the engine try again */
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static void gc_ends_an_add_under_way(void)
{
	struct ew *w = ew_new(2);
	struct ew_client *add = EW_ADD(w, .container = "c1", .ipam = "host-local");
	struct ew_client *late, *gc;

	/* One that began after the GC did is none of its business (P3). */
	late = EW_ADD(w, .container = "c2", .vf = 1, .ipam = "host-local",
		      .start = (uint64_t)w->now_ns + 100 * NS_PER_S);
	gc = GC(w, VALID());
	CU_ASSERT_TRUE(add->cancelled);
	CU_ASSERT_FALSE(late->cancelled);
	ew_ran(w, add, RUN_CANCELLED, 0, "");
	ew_ran_ok(w, add); /* its client pays: it has the byte */
	EW_FAILED(add, "a GC of network net that does not name container c1");
	ew_ran_ok(w, late);
	EW_OK(late);
	EW_OK(gc);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_state(w, 1), "ATTACHED");
	ew_free(w);
}

static void gc_does_not_wait_for_ever(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	attach(w, "c1", 0, NULL);
	w->hold_jobs = true;
	c = GC(w, VALID());
	ew_pass(w, 31 * NS_PER_S);
	EW_OK(c); /* the engine owns what is left (P2) */
	SUITE_STR(ew_state(w, 0), "DETACHING");
	w->hold_jobs = false;
	ew_settle(w);
	ew_pass(w, 10 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* --- STATUS ---------------------------------------------------------------------- */

static void status_tells_what_stands_against_an_add(void)
{
	struct ew *w = ew_new(1);

	EW_OK(STATUS(w, ""));
	w->e->node->rec.records_missing = true;
	w->e->node->rec.vfs_verified = false;
	EW_FAILED(STATUS(w, ""), "records may be missing");
	w->e->node->rec.records_missing = false;
	snprintf(w->e->broken, sizeof(w->e->broken), "write journal: ENOSPC");
	EW_FAILED(STATUS(w, ""), "\"code\":50");
	EW_FAILED(STATUS(w, ""), "cannot serve ADD: write journal: ENOSPC");
	w->e->broken[0] = '\0';
	ew_free(w);
}

static void status_tells_of_ports(void)
{
	struct ew *w = ew_new(2);
	struct pf *pf, *other;
	struct vfk_err err = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(node_pf_add(w->e->node, EW_PF + 0x100));
	pf = node_pf(w->e->node, EW_PF);
	other = node_pf(w->e->node, EW_PF + 0x100);
	other->n_ports = 1;
	other->ports[0] = PORT_ACTIVE; /* but it has no VFs */
	pf->ports[0] = PORT_FATAL;
	EW_FAILED(STATUS(w, ""), "\"code\":51");
	pf->ports[0] = PORT_DOWN;
	EW_FAILED(STATUS(w, ""), "\"code\":51");
	EW_FAILED(STATUS(w, ""), "port 1 of 0000:3b:00.0 is DOWN (vfctl ports)");
	pf->ports[0] = PORT_INIT;
	EW_FAILED(STATUS(w, ""), "is INIT (");
	pf->ports[0] = PORT_UNKNOWN;
	EW_OK(STATUS(w, ""));
	/* One of two ports is enough, but not where the other has failed. */
	pf->n_ports = 2;
	pf->ports[0] = PORT_DOWN;
	pf->ports[1] = PORT_ACTIVE;
	EW_OK(STATUS(w, ""));
	pf->ports[1] = PORT_FATAL;
	EW_FAILED(STATUS(w, ""), "port 2 of 0000:3b:00.0 is FATAL");
	/* Another PF that works is enough, unless it is cordoned. */
	ew_vf(w, 1)->rec.pf = other->addr;
	EW_OK(STATUS(w, ""));
	SUITE_INT(cordon_add(w->e->node, CORDON_PF, other->addr, "", 1, &err), 0);
	EW_FAILED(STATUS(w, ""), "port 2 of 0000:3b:00.0 is FATAL (vfctl");
	cordon_remove(w->e->node, CORDON_PF, other->addr);
	other->ports[0] = PORT_DOWN;
	EW_FAILED(STATUS(w, ""), "is FATAL, and 1 more PF is no better");
	SUITE_INT(cordon_add(w->e->node, CORDON_NODE, 0, "", 1, &err), 0);
	EW_FAILED(STATUS(w, ""), "\"code\":50"); /* what somebody wanted comes first */
	ew_free(w);
}

/* A link may come back: the pod need not be made anew for that. */
static void a_port_without_link_takes_adds(void)
{
	struct ew *w = ew_new(1);

	node_pf(w->e->node, EW_PF)->ports[0] = PORT_DOWN;
	EW_OK(EW_ADD(w, .container = "c1"));
	ew_free(w);
}

static void full_node_is_ready(void)
{
	struct ew *w = ew_new(1);

	attach(w, "c1", 0, NULL);
	EW_OK(STATUS(w, ""));
	ew_free(w);
}

static void status_asks_ipam_once_a_minute(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = STATUS(w, IPAM), *beside;

	SUITE_INT(c->n_runs, 1);
	SUITE_INT(c->runs[0].verb, CNI_STATUS);
	beside = STATUS(w, IPAM); /* never behind the plugin that another one runs */
	EW_OK(beside);
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":51,\"msg\":\"pool is gone\"}");
	EW_FAILED(c, "\"code\":51");
	c = STATUS(w, IPAM);
	SUITE_INT(c->n_runs, 0);
	EW_FAILED(c, "pool is gone");
	ew_pass(w, 61 * NS_PER_S);
	c = STATUS(w, IPAM);
	SUITE_INT(c->n_runs, 1);
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":999,\"msg\":\"no disk\"}");
	EW_FAILED(c, "\"code\":50");
	ew_pass(w, 61 * NS_PER_S);
	c = STATUS(w, IPAM);
	ew_ran(w, c, RUN_EXITED, 1, "{\"code\":4,\"msg\":\"unknown CNI_COMMAND: STATUS\"}");
	EW_OK(c);
	EW_OK(STATUS(w, IPAM));
	ew_free(w);
}

static void slow_ipam_is_no_failure(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c;

	c = ew_ask(w, (struct ew_call){ .verb = CNI_STATUS,
					.container = "",
					.gives_up = w->now_ns + NS_PER_S,
					.text = CONF("1.1.0", IPAM) });
	CU_ASSERT_FALSE(c->answered);
	ew_pass(w, 710 * NS_PER_MS);
	CU_ASSERT_TRUE(c->cancelled);
	EW_OK(c);
	c = STATUS(w, IPAM);
	SUITE_INT(c->n_runs, 0); /* not again for a minute: it would wait each time */
	EW_OK(c);
	ew_free(w);
}

static void result_of_an_earlier_run_is_not_taken(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *c = STATUS(w, IPAM);
	struct frame_ran old = { .run_id = c->runs[0].run_id - 1,
				 .outcome = RUN_EXITED,
				 .status = 1 };

	engine_ran(w->e, c, &old, "{\"code\":50,\"msg\":\"old\"}", 23);
	CU_ASSERT_FALSE(c->answered);
	ew_ran_ok(w, c);
	EW_OK(c);
	ew_free(w);
}

static void young_plugins_wait_for_their_turn(void)
{
	struct ew *w = ew_new(1);
	struct ew_client *all[EW_MAX_CLIENTS / 2];
	unsigned n_run = 0;

	attach(w, "c1", 0, "host-local");
	for (size_t i = 0; i < VFK_ARRAY_SIZE(all); i++)
		all[i] = CHECK(w, CONF("1.0.0", IPAM));
	for (size_t i = 0; i < VFK_ARRAY_SIZE(all); i++)
		n_run += all[i]->n_runs;
	CU_ASSERT_TRUE(n_run <= w->e->max_young);
	for (unsigned round = 0; round < 100; round++) {
		for (size_t i = 0; i < VFK_ARRAY_SIZE(all); i++)
			if (all[i]->n_runs && !all[i]->answered)
				ew_ran_ok(w, all[i]);
		ew_pass(w, NS_PER_S / 4);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(all); i++)
		EW_OK(all[i]);
	ew_free(w);
}

VFK_SUITE(
	engine_verbs, { "CHECK of an attachment without a record", check_without_a_record },
	{ "CHECK expects what prevResult says of our interface", check_expects_prev_result },
	{ "CHECK without prevResult expects the result of the ADD",
	  check_expects_the_result_of_the_add },
	{ "CHECK asks the IPAM plugin and writes nothing",
	  check_asks_ipam_and_writes_nothing },
	{ "CHECK tells each difference and touches nothing", check_tells_each_difference },
	{ "CHECK compares the settings of the device", check_compares_settings },
	{ "CHECK beside a release", check_beside_a_release },
	{ "CHECK that hangs ends at its deadline", check_that_hangs_ends_at_its_deadline },
	{ "GC releases what is not valid, of its network only",
	  gc_releases_what_is_not_valid },
	{ "GC knows the key's older name", gc_knows_the_older_key },
	{ "GC refuses a list that it cannot read, and touches nothing",
	  gc_refuses_a_list_that_it_cannot_read },
	{ "GC without a list releases only what has lost its namespace",
	  gc_without_a_list_asks_the_kernel },
	{ "GC pays leases and has the IPAM plugin collect", gc_pays_and_delegates },
	{ "GC says what it could not release", gc_says_what_it_could_not_release },
	{ "R10, P3: GC ends an ADD that began before it", gc_ends_an_add_under_way },
	{ "P2: GC does not wait for ever", gc_does_not_wait_for_ever },
	{ "STATUS tells what stands against an ADD",
	  status_tells_what_stands_against_an_add },
	{ "STATUS fails where no port that is used works", status_tells_of_ports },
	{ "an ADD on a port without a link is served", a_port_without_link_takes_adds },
	{ "a node whose VFs are all in use is ready", full_node_is_ready },
	{ "STATUS asks the IPAM plugin once a minute", status_asks_ipam_once_a_minute },
	{ "an IPAM plugin that is slow is no failure of STATUS", slow_ipam_is_no_failure },
	{ "the result of an earlier run is not taken",
	  result_of_an_earlier_run_is_not_taken },
	{ "R8: young plugins wait for their turn", young_plugins_wait_for_their_turn })
