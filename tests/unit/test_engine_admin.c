/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator does to the engine: cordon, retry, reconcile. */
#include "engine/cordon.h"
#include "engine/view.h"
#include "engine_world.h"

static char *said; /* the last answer */
static struct vfk_err why;
static int wait_for_now;
static uint64_t pending_now;

static void forget(void)
{
	free(said);
	said = NULL;
	memset(&why, 0, sizeof(why));
}

/* Asks; what has to wait is looked at with 'waits' and 'finish'. */
static int ask(struct ew *w, const char *command, const char *a, const char *b)
{
	struct ctl_request rq = { .version = CTL_VERSION };
	struct view_status facts = { .mode = "test" };

	forget();
	snprintf(rq.command, sizeof(rq.command), "%s", command);
	if (a)
		snprintf(rq.args[rq.n_args++], sizeof(rq.args[0]), "%s", a);
	if (b)
		snprintf(rq.args[rq.n_args++], sizeof(rq.args[0]), "%s", b);
	wait_for_now = engine_admin(w->e, &rq, &facts, &said, &pending_now, &why);
	ew_settle(w);
	return wait_for_now;
}

static bool waits(struct ew *w)
{
	return engine_waits(w->e, (enum engine_wait)wait_for_now, pending_now);
}

static void finish(struct ew *w)
{
	CU_ASSERT_FALSE(waits(w));
	SUITE_INT(engine_waited(w->e, (enum engine_wait)wait_for_now, pending_now, &said,
				&why),
		  0);
}

static bool told(const char *part)
{
	return said && strstr(said, part);
}

static void cordoned_vf_takes_no_add(void)
{
	struct ew *w = ew_new(2);

	EW_OK(EW_ADD(w, .container = "c1", .vf = 0));
	SUITE_INT(ask(w, "cordon", "0000:3b:00.1", NULL), ENGINE_WAIT_DISK);
	finish(w);
	CU_ASSERT_TRUE(told("\"scope\": \"vf\""));
	SUITE_STR(ew_state(w, 0), "ATTACHED"); /* who has it keeps it */
	EW_OK(EW_DEL(w, .container = "c1", .vf = 0));
	SUITE_STR(ew_state(w, 0), "FREE");
	EW_FAILED(EW_ADD(w, .container = "c2", .vf = 0),
		  "VF 0000:3b:00.1 is cordoned by an administrator (vfctl uncordon "
		  "0000:3b:00.1)");
	EW_OK(EW_ADD(w, .container = "c3", .vf = 1));
	ew_die(w); /* the next engine knows it from the journal */
	ew_start(w);
	ew_settle(w);
	EW_FAILED(EW_ADD(w, .container = "c4", .vf = 0), "\"code\":11");
	SUITE_INT(ask(w, "uncordon", "0000:3b:00.1", NULL), ENGINE_WAIT_DISK);
	finish(w);
	EW_OK(EW_ADD(w, .container = "c5", .vf = 0));
	forget();
	ew_free(w);
}

static void cordoned_node_and_pf(void)
{
	struct ew *w = ew_new(1);
	const char *status =
		"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\"}";

	ask(w, "cordon", "0000:3b:00.0", NULL);
	finish(w);
	EW_FAILED(EW_ADD(w, .container = "c1", .vf = 0), "its PF is cordoned");
	EW_FAILED(ew_ask(w, (struct ew_call){ .verb = CNI_STATUS,
					      .container = "",
					      .text = status }),
		  "every PF is cordoned");
	ask(w, "cordon", "node", NULL);
	ask(w, "uncordon", "0000:3b:00.0", NULL);
	finish(w);
	EW_FAILED(EW_ADD(w, .container = "c1", .vf = 0), "this node is cordoned");
	ask(w, "uncordon", "node", NULL);
	EW_OK(ew_ask(w, (struct ew_call){
				.verb = CNI_STATUS, .container = "", .text = status }));
	SUITE_INT(ask(w, "cordon", "nothing", NULL), -VFK_E_NOTFOUND);
	forget();
	ew_free(w);
}

/* As ask, with a reason. */
static int ask_why(struct ew *w, const char *what, const char *reason)
{
	struct ctl_request rq = { .version = CTL_VERSION,
				  .command = "cordon",
				  .n_args = reason ? 3 : 2 };
	struct view_status facts = { .mode = "test" };

	forget();
	snprintf(rq.args[0], sizeof(rq.args[0]), "%s", what);
	snprintf(rq.args[1], sizeof(rq.args[1]), "--reason");
	snprintf(rq.args[2], sizeof(rq.args[2]), "%s", reason ? reason : "");
	wait_for_now = engine_admin(w->e, &rq, &facts, &said, &pending_now, &why);
	ew_settle(w);
	return wait_for_now;
}

static void cordon_has_a_reason(void)
{
	char longest[REC_REASON_LEN + 1];
	struct ew *w = ew_new(1);

	memset(longest, 'x', REC_REASON_LEN);
	longest[REC_REASON_LEN] = '\0';
	SUITE_INT(ask_why(w, "0000:3b:00.1", longest), -VFK_E_USAGE);
	SUITE_STR(why.msg, "a reason has at most 79 bytes");
	SUITE_INT(ask_why(w, "0000:3b:00.1", "two\nlines"), -VFK_E_USAGE);
	SUITE_INT(ask_why(w, "0000:3b:00.1", "\xff"), -VFK_E_USAGE);
	SUITE_INT(ask_why(w, "0000:3b:00.1", NULL), -VFK_E_USAGE);
	SUITE_INT(ask(w, "cordon", "--reason", "x"), -VFK_E_USAGE);
	SUITE_INT(ask(w, "uncordon", "0000:3b:00.1", "--reason"), -VFK_E_USAGE);
	CU_ASSERT_PTR_NULL(cordon_get(w->e->node, CORDON_VF, 0x3b01));
	longest[REC_REASON_LEN - 1] = '\0';
	SUITE_INT(ask_why(w, "0000:3b:00.1", longest), ENGINE_WAIT_DISK);
	SUITE_INT(ask_why(w, "0000:3b:00.1", "cable 7, swap"), ENGINE_WAIT_DISK);
	finish(w);
	CU_ASSERT_TRUE(told("\"reason\": \"cable 7, swap\""));
	SUITE_INT(w->e->node->rec.n_cordons, 1);
	ask(w, "cordon", "0000:3b:00.1", NULL); /* says nothing about it */
	ew_die(w);
	ew_start(w);
	ew_settle(w);
	EW_FAILED(EW_ADD(w, .container = "c1", .vf = 0),
		  "(vfctl uncordon 0000:3b:00.1): cable 7, swap");
	ask(w, "show", "0000:3b:00.1", NULL);
	CU_ASSERT_TRUE(told("\"cordon_reason\": \"cable 7, swap\""));
	ask_why(w, "0000:3b:00.0", "card");
	EW_FAILED(EW_ADD(w, .container = "c1", .vf = 0), "0000:3b:00.0): card");
	ask_why(w, "node", "rack");
	EW_FAILED(EW_ADD(w, .container = "c1", .vf = 0), "uncordon node): rack");
	EW_FAILED(ew_ask(w, (struct ew_call){ .verb = CNI_STATUS,
					      .container = "",
					      .text = "{\"cniVersion\":\"1.1.0\",\"name\":\"n\","
						      "\"type\":\"vfkeeper\"}" }),
		  "(vfctl status): rack");
	forget();
	ew_free(w);
}

static void cordon_is_on_the_disk_first(void)
{
	struct ew *w = ew_new(1);

	w->hold_sync = true;
	SUITE_INT(ask(w, "cordon", "node", NULL), ENGINE_WAIT_DISK);
	CU_ASSERT_TRUE(waits(w));
	w->hold_sync = false;
	ew_settle(w);
	finish(w);
	snprintf(w->e->broken, sizeof(w->e->broken), "write journal: ENOSPC");
	SUITE_INT(ask(w, "uncordon", "node", NULL), -VFK_E_BUSY);
	SUITE_STR(why.msg, "it cannot be recorded: write journal: ENOSPC");
	w->e->broken[0] = '\0';
	CU_ASSERT_PTR_NOT_NULL(cordon_get(w->e->node, CORDON_NODE, 0));
	forget();
	ew_free(w);
}

static void cordons_have_a_limit(void)
{
	struct node *n = calloc(1, sizeof(*n));

	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	node_init(n);
	memset(&why, 0, sizeof(why));
	for (unsigned i = 0; i < REC_CORDON_MAX; i++)
		SUITE_INT(cordon_add(n, CORDON_VF, i, "", 1, &why), 0);
	SUITE_INT(cordon_add(n, CORDON_VF, 999, "", 1, &why), -VFK_E_LIMIT);
	CU_ASSERT_TRUE(cordon_remove(n, CORDON_VF, 0));
	CU_ASSERT_FALSE(cordon_remove(n, CORDON_VF, 0));
	CU_ASSERT_PTR_NOT_NULL(cordon_get(n, CORDON_VF, REC_CORDON_MAX - 1));
	node_fini(n);
	free(n);
}

static void faulted_vf_is_tried_again(void)
{
	struct ew *w = ew_new(1);

	SUITE_INT(ask(w, "retry", "0000:3b:00.1", NULL), -VFK_E_USAGE);
	EW_OK(EW_ADD(w, .container = "c1", .vf = 0));
	w->fail_steps = STEP_BIT(VERIFY);
	w->fail_kind = VFK_E_KERNEL;
	EW_DEL(w, .container = "c1", .vf = 0);
	for (unsigned i = 0; i < 20 && strcmp(ew_state(w, 0), "FAULTED"); i++)
		ew_pass(w, 100 * NS_PER_S);
	SUITE_STR(ew_state(w, 0), "FAULTED");
	w->fail_steps = 0;
	w->hold_sync = true;
	SUITE_INT(ask(w, "retry", "0000:3b:00.1", NULL), ENGINE_WAIT_VF);
	SUITE_STR(ew_state(w, 0), "DETACHING"); /* the record first, the steps after */
	CU_ASSERT_TRUE(waits(w));
	w->hold_sync = false;
	ew_settle(w);
	finish(w);
	SUITE_STR(ew_state(w, 0), "FREE");
	forget();
	ew_free(w);
}

static void foreign_vf_is_not(void)
{
	struct ew *w = ew_new(1);

	ew_vf(w, 0)->fsm.state = VF_FAULTED;
	ew_vf(w, 0)->fsm.foreign = true;
	SUITE_INT(ask(w, "retry", "0000:3b:00.1", NULL), -VFK_E_BUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(why.msg, "in use outside vfkeeper"));
	SUITE_STR(ew_state(w, 0), "FAULTED");
	forget();
	ew_free(w);
}

static void dry_run_changes_nothing(void)
{
	struct ew *w = ew_new(2);

	EW_OK(EW_ADD(w, .container = "c1", .vf = 0));
	w->told = true; /* its link came home, and nobody has told the engine */
	w->where = WHERE_HOME;
	w->nsid_alive = true;
	SUITE_INT(ask(w, "reconcile", "--dry-run", NULL), ENGINE_WAIT_LOOKS);
	finish(w);
	CU_ASSERT_TRUE(told("\"event\": \"RETURNED\""));
	CU_ASSERT_TRUE(told("\"looked_at\": 2"));
	CU_ASSERT_TRUE(told("\"state\": \"ATTACHED\""));
	SUITE_STR(ew_state(w, 0), "ATTACHED");
	SUITE_INT(ask(w, "reconcile", NULL, NULL), ENGINE_WAIT_LOOKS);
	finish(w);
	CU_ASSERT_TRUE(told("\"event\": \"RETURNED\""));
	SUITE_STR(ew_state(w, 0), "FREE");
	forget();
	ew_free(w);
}

static void one_reconcile_at_a_time(void)
{
	struct ew *w = ew_new(2);

	w->hold_jobs = true;
	SUITE_INT(ask(w, "reconcile", NULL, NULL), ENGINE_WAIT_LOOKS);
	CU_ASSERT_TRUE(waits(w));
	SUITE_INT(ask(w, "reconcile", NULL, NULL), -VFK_E_BUSY);
	w->hold_jobs = false;
	ew_settle(w);
	wait_for_now = ENGINE_WAIT_LOOKS;
	finish(w);
	CU_ASSERT_TRUE(told("\"complete\": true"));
	CU_ASSERT_TRUE(told("\"dry_run\": false"));
	forget();
	ew_free(w);
}

static unsigned times(const char *trace, const char *what)
{
	unsigned n = 0;

	for (const char *at = trace; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* P1: the kernel tells one of two that sync a file at a time that a write has failed. */
static void one_sync_at_a_time(void)
{
	struct ew *w = ew_new(2);

	ew_attach(w, "c1", NULL);
	w->hold_sync = w->hold_jobs = true;
	ask(w, "release", "0000:3b:00.1", "--force");
	EW_ADD(w, .container = "c2", .vf = 1, .ipam = "host-local");
	SUITE_INT(times(w->trace.data, "job SYNC"), 1);
	ew_trace_clear(w);
	w->fail_job = true; /* the step: the sync behind it waits for the next turn */
	ew_job_end(w, 0);
	ew_pass(w, NS_PER_S);
	SUITE_INT(times(w->trace.data, "job SYNC"), 1);
	forget();
	ew_free(w);
}

/* R11: the engine that wrote that VF 0 was exported died before it wrote what became of its
 * lease; the attachment before left another one, which waits for its DEL. */
static void an_export_takes_its_own_lease(void)
{
	struct ew *w = ew_new(1);
	struct lease *l;
	struct vf *vf;

	ew_attach(w, "c1", "host-local");
	vf = ew_vf(w, 0);
	l = node_lease(w->e->node, vf->rec.lease_id);
	vf->rec.event = VF_EV_EXPORTED;
	vf->rec.lease_id++;
	CU_ASSERT_FALSE(export_lease(w->e, l));
	SUITE_STR(ew_lease(w, "c1"), "HELD");
	vf->rec.lease_id--;
	CU_ASSERT_TRUE(export_lease(w->e, l));
	SUITE_STR(ew_lease(w, "c1"), "NONE");
	ew_free(w);
}

VFK_SUITE(engine_admin,
	  { "a cordoned VF takes no ADD until it is uncordoned", cordoned_vf_takes_no_add },
	  { "a PF and the node can be cordoned, and STATUS says so", cordoned_node_and_pf },
	  { "a cordon keeps its reason, and ADD and STATUS say it", cordon_has_a_reason },
	  { "a cordon is on the disk before it is answered", cordon_is_on_the_disk_first },
	  { "R11: an export takes its own lease only", an_export_takes_its_own_lease },
	  { "P1: one sync of a file at a time", one_sync_at_a_time },
	  { "there is a limit to cordons, and it is said", cordons_have_a_limit },
	  { "a faulted VF is tried again, after its record is on the disk",
	    faulted_vf_is_tried_again },
	  { "what somebody else uses is not", foreign_vf_is_not },
	  { "a dry run finds the same and changes nothing", dry_run_changes_nothing },
	  { "there is one reconcile at a time", one_reconcile_at_a_time })
