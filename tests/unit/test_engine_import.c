/* SPDX-License-Identifier: Apache-2.0 */
/* What ib-sriov-cni and sriov-cni attached becomes ours, and back: the engine's part. */
#include "engine/cordon.h"
#include "engine/view.h"
#include "engine_world.h"

#define FILE_OF(ifname, ipam)                                                            \
	"{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"\",\"HostIFNames\":\"" ifname        \
	"\",\"Master\":\"pf0\",\"cniVersion\":\"0.4.0\",\"deviceID\":\"0000:3b:00.1\","  \
	"\"ipam\":{" ipam "},\"name\":\"net\",\"type\":\"ib-sriov\"}"
#define FILE_PLAIN FILE_OF("ib7", "")
#define FILE_IPAM FILE_OF("ib7", "\"type\":\"fake\"")

static char *said;
static struct vfk_err why;

static int ask(struct ew *w, const char *command, const char *a, uint64_t number)
{
	struct ctl_request rq = { .version = CTL_VERSION };
	struct view_status facts = { .mode = "test" };
	uint64_t pending = 0;
	int rc;

	free(said);
	said = NULL;
	memset(&why, 0, sizeof(why));
	snprintf(rq.command, sizeof(rq.command), "%s", command);
	if (a) {
		snprintf(rq.args[0], sizeof(rq.args[0]), "%s", a);
		snprintf(rq.args[1], sizeof(rq.args[1]), "%llu",
			 (unsigned long long)number);
		rq.n_args = number ? 2 : 1;
	}
	rc = engine_admin(w->e, &rq, &facts, &said, &pending, &why);
	ew_settle(w);
	return rc;
}

static bool told(const char *part)
{
	return said && strstr(said, part);
}

static struct ew_client *import(struct ew *w, const char *container, const char *text)
{
	return ew_ask(w, (struct ew_call){ .verb = CNI_IMPORT,
					   .dialect = DIALECT_IB_SRIOV,
					   .container = container,
					   .text = text });
}

/* A world whose first VF is in somebody's pod, with nothing on record. */
static struct ew *foreign_world(void)
{
	struct ew *w = ew_new(2);

	ew_die(w);
	mem_fini(&w->disk);
	mem_init(&w->disk);
	w->foreign_vf = 1;
	ew_start(w);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	return w;
}

static void foreign_becomes_attached(void)
{
	struct ew *w = foreign_world();
	struct vf *vf;

	w->check_seen = (struct vf_baseline){ .valid = true, .driver = "simvf" };
	EW_OK(import(w, "c1", FILE_IPAM));
	w->foreign_vf = 0;
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_die(w);
	ew_start(w);
	vf = ew_vf(w, 0);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(vf->rec.owner.network, "net");
	SUITE_STR(vf->rec.owner.ifname, "net1");
	SUITE_STR(vf->rec.baseline.ifname, "ib7");
	SUITE_STR(vf->rec.baseline.driver, "simvf");
	SUITE_INT(vf->rec.nsid, 5);
	SUITE_INT(vf->rec.netns_cookie, 77);
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	CU_ASSERT_FALSE(vf->fsm.foreign);
	ew_free(w);
}

/* R15: one that has what it asks for, and whose client has not heard so, needs nothing more. */
static void spared_when_it_comes_again(void)
{
	struct ew *w = foreign_world();

	EW_OK(import(w, "c1", FILE_IPAM));
	for (unsigned i = 0; w->e->node->n_leases < 4 * w->e->node->n_vfs; i++)
		node_lease_add(w->e->node, 1000 + i)->state = LEASE_HELD;
	EW_OK(import(w, "c1", FILE_IPAM));
	EW_FAILED(import(w, "c2", FILE_IPAM), "by our own records");
	ew_free(w);
}

/* P4: what we saw of the free VF is what it was like; theirs may be an earlier pod's. */
static void own_baseline_counts_more(void)
{
	struct ew *w = ew_new(1);

	EW_OK(import(w, "c1", FILE_PLAIN));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	ew_free(w);
}

/* Nor has it the name that a free VF's link got while it was away. */
static void name_of_another_is_not_taken(void)
{
	struct ew *w = foreign_world();

	w->names[1] = "ib7";
	ew_look(w);
	EW_OK(import(w, "c1", FILE_PLAIN));
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vfk3b01");
	ew_free(w);
}

/* But what we took for an operator's change while the other plugin was at its ADD is the pod's. */
static void pods_guid_is_no_baseline(void)
{
	struct ew *w = ew_new(1);
	struct vf_baseline *b = &ew_vf(w, 0)->rec.baseline;

	b->set.has |= HAS_NODE_GUID | HAS_PORT_GUID;
	b->set.node_guid = 7; /* not the pod's: it stays */
	b->set.port_guid = UINT64_C(0x020000000000bb01);
	EW_OK(import(w, "c1",
		     "{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"02:00:00:00:00:00:aa:01\","
		     "\"HostIFNames\":\"ib7\",\"deviceID\":\"0000:3b:00.1\",\"name\":\"net\","
		     "\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:bb:01\"}}"));
	b = &ew_vf(w, 0)->rec.baseline;
	CU_ASSERT_EQUAL(b->set.port_guid, UINT64_C(0x020000000000aa01));
	CU_ASSERT_EQUAL(b->set.node_guid, 7);
	SUITE_STR(b->ifname, "vf0");
	ew_free(w);
}

static void answer_waits_for_the_disk(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	w->hold_sync = true;
	c = import(w, "c1", FILE_IPAM);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	CU_ASSERT_FALSE(c->answered);
	w->hold_sync = false;
	ew_settle(w);
	EW_OK(c);
	/* Nor is one that is on record already answered before. */
	ew_free(w);
}

static void never_synced_is_a_failure(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	w->sync_errno = EIO;
	c = import(w, "c1", FILE_PLAIN);
	ew_pass(w, 200 * NS_PER_S);
	CU_ASSERT_TRUE(c->answered);
	SUITE_INT(c->exit_code, 1);
	ew_free(w);
}

static void again_is_harmless(void)
{
	struct ew *w = foreign_world();
	uint64_t seq;

	EW_OK(import(w, "c1", FILE_IPAM));
	seq = ew_vf(w, 0)->rec.attach_seq;
	EW_OK(import(w, "c1", FILE_IPAM));
	SUITE_INT(ew_vf(w, 0)->rec.attach_seq, seq);
	SUITE_INT(w->e->node->n_leases, 1);
	ew_free(w);
}

/* It ended between the two records. */
static void half_an_import(struct ew *w)
{
	EW_OK(import(w, "c1", FILE_IPAM));
	node_lease_remove(w->e->node, node_lease(w->e->node, ew_vf(w, 0)->rec.lease_id));
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	w->foreign_vf = 0;
}

static void half_an_import_is_completed(void)
{
	struct ew *w = foreign_world();

	half_an_import(w);
	EW_OK(import(w, "c1", FILE_IPAM));
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	ew_free(w);
}

static void half_an_import_is_paid(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	half_an_import(w);
	c = EW_DEL(w, .container = "c1", .vf = 0, .ipam = "fake");
	SUITE_INT(c->n_runs, 1);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

static char *stored_conf(struct ew *w, const char *container)
{
	struct attachment att = { .ifname = "net1" };
	struct lease *l;
	size_t len;

	snprintf(att.container, sizeof(att.container), "%s", container);
	l = node_lease_of(w->e->node, &att);
	return l ? node_blob_get(w->e->node, w->e->journal, l->rec.request_blob, &len,
				 &why) :
		   NULL;
}

/* The file keeps no more of the IPAM than its type: the pod's DEL has it all. */
static void del_pays_with_its_own(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;
	uint32_t env_len;
	char *blob;

	EW_OK(import(w, "c1", FILE_IPAM));
	w->foreign_vf = 0;
	c = EW_DEL(w, .container = "c1", .vf = 0,
		   .text = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
			   "\"ipam\":{\"type\":\"fake\",\"pool\":\"x\"}}");
	SUITE_STR(ew_lease(w, "c1"), "OWED");
	SUITE_INT(c->n_runs, 1);
	blob = stored_conf(w, "c1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(blob);
	memcpy(&env_len, blob, sizeof(env_len));
	CU_ASSERT_PTR_NOT_NULL(strstr(blob + sizeof(env_len) + env_len, "\"pool\":\"x\""));
	free(blob);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

/* An ADD's own configuration is never replaced by a DEL's (R11). */
static void but_not_an_adds(void)
{
	struct ew *w = ew_new(1);
	char *before, *after;

	ew_attach(w, "c1", "fake");
	before = stored_conf(w, "c1");
	EW_DEL(w, .container = "c1", .vf = 0,
	       .text = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","
		       "\"ipam\":{\"type\":\"fake\",\"pool\":\"x\"}}");
	after = stored_conf(w, "c1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(before);
	CU_ASSERT_PTR_NOT_NULL_FATAL(after);
	CU_ASSERT_EQUAL(memcmp(before, after, 40), 0);
	free(before);
	free(after);
	ew_free(w);
}

/* Ends the first job of that kind; false: there is none. */
static bool job_ends(struct ew *w, enum job_kind kind)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == kind) {
			ew_job_end(w, i);
			return true;
		}
	return false;
}

/* A look that was asked for before knows nothing of the pod: it must not end what was
 * imported. */
static void look_of_the_time_before(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	w->hold_jobs = true;
	engine_vf_touched(w->e, EW_VF(0));
	ew_pass(w, NS_PER_S);
	c = import(w, "c1", FILE_PLAIN);
	w->now_ns += NS_PER_S;
	CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_IMPORT));
	ew_settle(w);
	EW_OK(c);
	ew_tell(w, WHERE_ELSEWHERE, false); /* of no pod's number */
	CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_OBSERVE));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* Also one that waits for its turn, of a loop that hung: it does not name the pod. */
static void look_that_waits_its_turn(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	w->hold_jobs = true;
	c = import(w, "c1", FILE_PLAIN);
	observe_start(w->e, ew_vf(w, 0), NULL);
	w->now_ns += NS_PER_S;
	CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_IMPORT));
	ew_settle(w);
	EW_OK(c);
	ew_tell(w, WHERE_ELSEWHERE, false);
	CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_OBSERVE));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	ew_free(w);
}

/* R12: a DEL that found nothing has been answered meanwhile, and no other comes. */
static void import_begun_before_a_del(void)
{
	struct ew *w = foreign_world();
	struct ew_client *c;

	w->hold_jobs = true;
	c = import(w, "c1", FILE_PLAIN);
	EW_OK(EW_DEL(w, .container = "c1", .vf = 0, .netns = ""));
	CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_IMPORT));
	EW_FAILED(c, "a DEL of container c1 interface net1 came after this import");
	SUITE_STR(ew_state(w, 0), "FAULTED");
	ew_free(w);
}

/* A DEL that looks at the link ends later than it came; also one that is not the first. */
static void import_begun_before_a_del_ended(void)
{
	struct ew *w = foreign_world();
	struct ew_client *del, *c;

	for (unsigned n = 0; n < 2; n++) {
		w->hold_jobs = true;
		del = EW_DEL(w, .container = "c1", .vf = 0);
		w->now_ns += NS_PER_S;
		c = import(w, "c1", FILE_PLAIN);
		CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_IDENTIFY));
		EW_OK(del);
		CU_ASSERT_TRUE_FATAL(job_ends(w, JOB_IMPORT));
		EW_FAILED(c, "a DEL of container c1 interface net1 came after this import");
		SUITE_STR(ew_state(w, 0), "FAULTED");
		w->now_ns += NS_PER_S;
	}
	w->hold_jobs = false;
	EW_OK(import(w, "c1", FILE_PLAIN));
	ew_free(w);
}

static void the_pods_end_is_seen(void)
{
	struct ew *w = foreign_world();

	EW_OK(import(w, "c1", FILE_PLAIN));
	w->foreign_vf = 0;
	w->now_ns += NS_PER_S;
	ew_tell(w, WHERE_HOME, false);
	engine_nsid_gone(w->e, 5);
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

static void what_is_refused(void)
{
	struct ew *w = foreign_world();

	ew_tell(w, WHERE_HOME, true);
	EW_FAILED(import(w, "c1", FILE_PLAIN), "is at home, in no pod");
	ew_tell(w, WHERE_ELSEWHERE, true);
	EW_FAILED(import(w, "c1", FILE_PLAIN), "is not in the namespace of container c1");
	w->told = false;
	EW_FAILED(import(w, "c1", "{\"name\":\"net\"}"), "it is no file of");
	EW_FAILED(ew_ask(w, (struct ew_call){ .verb = CNI_IMPORT,
					      .container = "c1",
					      .text = FILE_PLAIN }),
		  "it is no file of");
	EW_FAILED(import(w, "c1",
			 "{\"name\":\"net\",\"deviceID\":\"0000:af:00.1\",\"type\":\"ib-sriov\"}"),
		  "is not on this node");
	w->netns_bad = true;
	EW_FAILED(import(w, "c1", FILE_PLAIN), "is not a network namespace");
	w->netns_bad = false;
	SUITE_STR(ew_state(w, 0), "FAULTED");
	EW_OK(import(w, "c1", FILE_PLAIN));
	EW_FAILED(import(w, "c2", FILE_PLAIN), "is ATTACHED, of container c1");
	SUITE_STR(ew_vf(w, 0)->rec.owner.container, "c1");
	ew_free(w);
}

static void mark_is_taken_off(void)
{
	struct ew *w = foreign_world();

	w->e->node->rec.records_missing = true;
	w->e->node->rec.vfs_verified = true;
	SUITE_INT(ask(w, "import-done", NULL, 0), 0);
	CU_ASSERT_TRUE(told("\"records_missing\": true")); /* a VF is in use by nobody */
	CU_ASSERT_TRUE(told("0000:3b:00.1"));
	EW_OK(import(w, "c1", FILE_PLAIN));
	SUITE_INT(ask(w, "import-done", NULL, 0), 0);
	CU_ASSERT_TRUE(told("\"records_missing\": false"));
	w->foreign_vf = 0;
	ew_die(w);
	ew_start(w);
	CU_ASSERT_FALSE(w->e->node->rec.records_missing);
	ew_free(w);
}

/* --- the way back --- */

/* One that has an address by IPAM; the file that is written for it is in '*file'. */
static struct ew *attached_world(char **file)
{
	struct ew *w = ew_new(2);

	ew_attach(w, "c1", "fake");
	SUITE_INT(ask(w, "export-list", "ib-sriov", 0), 0);
	*file = VFK_STEAL(said);
	return w;
}

static struct ew *exported_world(void)
{
	VFK_AUTO(free_auto) char *file = NULL;
	struct ew *w = attached_world(&file);

	CU_ASSERT_PTR_NOT_NULL(strstr(file, "\\\"HostIFNames\\\":\\\"vf0\\\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(file, "\\\"ipam\\\":{\\\"type\\\":\\\"fake\\\"}"));
	SUITE_INT(ask(w, "export-done", "0000:3b:00.1", 4711), -VFK_E_GONE);
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_INT(ask(w, "export-done", "0000:3b:00.1", ew_vf(w, 0)->rec.attach_seq),
		  ENGINE_WAIT_DISK);
	return w;
}

static void exported_is_not_ours(void)
{
	struct ew *w = exported_world();

	SUITE_STR(ew_state(w, 0), "FAULTED");
	CU_ASSERT_TRUE(ew_vf(w, 0)->fsm.foreign);
	CU_ASSERT_TRUE(attachment_none(&ew_vf(w, 0)->rec.owner));
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	CU_ASSERT_TRUE(w->e->node->rec.records_missing);
	/* Nothing of its is touched, whatever happens. */
	w->foreign_vf = 1;
	ew_tell(w, WHERE_ELSEWHERE, false);
	engine_nsid_gone(w->e, 5);
	ew_trace_clear(w);
	ew_die(w);
	ew_start(w);
	ew_pass(w, 1000 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	SUITE_STR(ew_vf(w, 0)->rec.reason, "handed over to another plugin by vfctl export");
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "STEPS"));
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	ew_free(w);
}

static void exported_comes_back(void)
{
	struct ew *w = exported_world();

	w->foreign_vf = 1;
	EW_OK(import(w, "c1", FILE_IPAM));
	w->foreign_vf = 0;
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	SUITE_STR(ew_vf(w, 0)->rec.baseline.ifname, "vf0");
	ew_free(w);
}

static void exported_is_free_at_home(void)
{
	struct ew *w = exported_world();

	ew_tell(w, WHERE_HOME, true);
	w->check_seen = (struct vf_baseline){ .valid = true };
	engine_vf_touched(w->e, EW_VF(0));
	ew_pass(w, NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FREE");
	ew_free(w);
}

/* The engine ends when 'n' of an export's records are written.  False: it had no more. */
static bool export_of(unsigned n)
{
	VFK_AUTO(free_auto) char *file = NULL;
	struct ew *w = attached_world(&file);
	unsigned n_ops = w->disk.n_ops;
	bool cut;

	w->disk.die_at = n_ops + n + 1;
	ask(w, "export-done", "0000:3b:00.1", ew_vf(w, 0)->rec.attach_seq);
	cut = w->disk.dead;
	ew_die(w);
	w->disk.dead = false;
	w->disk.die_at = 0;
	w->foreign_vf = 1;
	ew_tell(w, WHERE_IN_POD, false);
	ew_trace_clear(w);
	ew_start(w);
	ew_pass(w, 1000 * NS_PER_S);
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "job IPAM"));
	CU_ASSERT_PTR_NULL(strstr(w->trace.data, "STEPS"));
	if (!strcmp(ew_state(w, 0), "FAULTED")) { /* it is the other plugin's */
		SUITE_STR(ew_lease(w, "c1"), "NONE");
		CU_ASSERT_TRUE(w->e->node->rec.records_missing);
		CU_ASSERT_TRUE(ew_vf(w, 0)->fsm.foreign);
	} else { /* it is ours, and the next export writes the same file */
		SUITE_STR(ew_state(w, 0), "ATTACHED");
		SUITE_STR(ew_lease(w, "c1"), "HELD");
		SUITE_INT(ask(w, "export-list", "ib-sriov", 0), 0);
		SUITE_STR(said, file);
	}
	free(said);
	said = NULL;
	ew_free(w);
	return cut;
}

static void export_that_is_cut_short(void)
{
	unsigned n = 0;

	while (export_of(n))
		n++;
	CU_ASSERT_EQUAL(n, 3);
}

/* Its file would have the other plugin forget the address. */
static void export_of_half_an_import(void)
{
	struct ew *w = foreign_world();

	half_an_import(w);
	SUITE_INT(ask(w, "export-list", NULL, 0), 0);
	CU_ASSERT_TRUE(told("\"text\": null"));
	CU_ASSERT_TRUE(told("the lease of its addresses is not on record"));
	free(said);
	said = NULL;
	ew_free(w);
}

/* P6: a DEL that still comes to us releases the VF, and the address with its own words. */
static void exported_and_a_del(void)
{
	struct ew *w = exported_world();
	struct ew_client *c;

	w->identified = EW_VF(0);
	c = EW_DEL(w, .container = "c1", .vf = 0, .ipam = "fake");
	SUITE_INT(c->n_runs, 1);
	ew_ran_ok(w, c);
	EW_OK(c);
	SUITE_STR(ew_state(w, 0), "FREE");
	free(said);
	said = NULL;
	ew_free(w);
}

/* P8: what a DEL gives back, without a record, is put on none meanwhile. */
static void import_while_a_del_pays(void)
{
	struct ew *w = foreign_world();
	struct ew_client *del;

	w->e->config.del_wait_ms = 60000;
	w->e->node->rec.records_missing = w->e->node->rec.vfs_verified = true;
	w->disk.fail_at = w->disk.n_ops + 1; /* so it has none */
	w->disk.fail_count = 2;
	w->disk.fail_errno = ENOSPC;
	del = EW_DEL(w, .container = "c1", .vf = 0, .netns = "", .ipam = "fake");
	CU_ASSERT_FATAL(del->n_runs == 1);
	w->disk.fail_at = 0;
	ew_pass(w, 5 * NS_PER_S + NS_PER_S / 10);
	EW_FAILED(import(w, "c1", FILE_IPAM),
		  "a DEL of container c1 interface net1 is under way");
	ew_ran_ok(w, del);
	EW_OK(del);
	ew_free(w);
}

VFK_SUITE(engine_import,
	  { "a VF that another plugin attached becomes an attachment",
	    foreign_becomes_attached },
	  { "P4: our own baseline counts more than the file's", own_baseline_counts_more },
	  { "P4: nor is the name of another VF's link", name_of_another_is_not_taken },
	  { "P4: but never what the pod was given", pods_guid_is_no_baseline },
	  { "the answer waits until the records are on the disk",
	    answer_waits_for_the_disk },
	  { "what is never synced is a failure", never_synced_is_a_failure },
	  { "a second import changes nothing", again_is_harmless },
	  { "an import that ended between its records is completed",
	    half_an_import_is_completed },
	  { "or paid by the DEL of its pod", half_an_import_is_paid },
	  { "the DEL's own configuration pays what was imported", del_pays_with_its_own },
	  { "R11: but never what an ADD of ours leased", but_not_an_adds },
	  { "R15: a limit spares an import that is done and comes again",
	    spared_when_it_comes_again },
	  { "a look from before the import ends nothing", look_of_the_time_before },
	  { "P3: nor does one that waits for its turn", look_that_waits_its_turn },
	  { "R12: a DEL that came during the import refuses it", import_begun_before_a_del },
	  { "P8: so does one that pays without a record", import_while_a_del_pays },
	  { "R12: so does one that ended during it", import_begun_before_a_del_ended },
	  { "the end of an imported pod releases its VF", the_pods_end_is_seen },
	  { "what is not so is refused, and nothing is changed", what_is_refused },
	  { "no records are missing when every VF in use has one", mark_is_taken_off },
	  { "an exported VF is left alone", exported_is_not_ours },
	  { "an import of it brings it back", exported_comes_back },
	  { "P6: an export that is cut short loses nothing", export_that_is_cut_short },
	  { "P6: what lost its lease is not exported", export_of_half_an_import },
	  { "at home it is free", exported_is_free_at_home },
	  { "P6: a DEL of it is served all the same", exported_and_a_del })
