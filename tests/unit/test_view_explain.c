/* SPDX-License-Identifier: Apache-2.0 */
#include "view_rig.h"

#define MAX_STORY 16
static struct view_record tale[MAX_STORY];
static const struct view_record *told[MAX_STORY];
static size_t n_told;

static struct rec_vf *tell(uint64_t seq, int64_t after_ms, enum vf_state from,
			   enum vf_event event, enum vf_state to, enum cause_kind cause,
			   const char *cause_text)
{
	struct view_record *r = &tale[n_told];
	const struct rec_vf *last = n_told ? &tale[n_told - 1].vf : NULL;

	*r = (struct view_record){ .seq = seq, .type = REC_VF };
	if (last && tale[n_told - 1].type == REC_VF)
		r->vf = *last;
	r->vf.addr = PF_A + 2;
	r->vf.from = from;
	r->vf.event = event;
	r->vf.state = to;
	r->vf.meta.wall_ns = (T0 + after_ms) * MS;
	r->vf.meta.boot_ns = (1000 + after_ms) * MS;
	snprintf(r->vf.meta.boot_id, sizeof(r->vf.meta.boot_id), "b1");
	r->vf.meta.cause = cause;
	snprintf(r->vf.meta.cause_text, sizeof(r->vf.meta.cause_text), "%s", cause_text);
	told[n_told] = r;
	n_told++;
	return &r->vf;
}

static const char *story(const struct view *v, pci_addr_t addr, const struct vf *vf)
{
	static struct strbuf out;
	struct vfk_err err = { 0 };
	char *json = NULL;

	strbuf_free(&out);
	CU_ASSERT_EQUAL_FATAL(view_dump(view_explain(v, addr, vf, told, n_told), &json,
					&err),
			      0);
	CU_ASSERT_EQUAL(view_text(&out, "explain", json, strlen(json), &err), 0);
	free(json);
	return out.data;
}

static void whole_story(void)
{
	struct rec_vf *rec;
	struct vf owner_of = { 0 };
	struct node n;
	struct view v;

	build(&n);
	n_told = 0;
	own(&owner_of, CID_B, "net1", "default", "web-0");
	tell(0, 0, VF_ABSENT, VF_EV_APPEARED, VF_FREE, CAUSE_ENGINE, "discovery");
	tale[0].in_snapshot = true;
	rec = tell(812, 1000, VF_FREE, VF_EV_ADD, VF_RESERVED, CAUSE_REQUEST, "ADD c/net1");
	rec->owner = owner_of.rec.owner;
	rec->pod = owner_of.rec.pod;
	rec = tell(815, 1012, VF_RESERVED, VF_EV_STEP, VF_RESERVED, CAUSE_REQUEST,
		   "ADD c/net1");
	rec->plan = PLAN_ATTACH;
	rec->begun = STEP_BIT(SETTINGS) | STEP_BIT(LINK_TO_POD);
	rec->done = STEP_BIT(SETTINGS);
	rec = tell(816, 1020, VF_RESERVED, VF_EV_STEP, VF_RESERVED, CAUSE_REQUEST,
		   "ADD c/net1");
	rec->begun |= STEP_BIT(ADDRESSES);
	rec->done |= STEP_BIT(LINK_TO_POD) | STEP_BIT(ADDRESSES);
	rec = tell(817, 1021, VF_RESERVED, VF_EV_SETUP_DONE, VF_ATTACHED, CAUSE_REQUEST,
		   "ADD c/net1");
	rec->done |= STEP_BIT(LINK_SETTINGS);
	rec = tell(900, 252021, VF_ATTACHED, VF_EV_DEL, VF_DETACHING, CAUSE_REQUEST,
		   "DEL c/net1");
	rec->plan = PLAN_DETACH;
	rec->begun = rec->done = 0;
	rec = tell(905, 252100, VF_DETACHING, VF_EV_STEP, VF_DETACHING, CAUSE_ENGINE,
		   "failed");
	snprintf(rec->reason, sizeof(rec->reason), "link_home: it is busy");
	rec = tell(911, 258521, VF_DETACHING, VF_EV_GAVE_UP, VF_FAULTED, CAUSE_ENGINE,
		   "retries");
	rec->attempts = 8;
	snprintf(rec->reason, sizeof(rec->reason), "link_home: kernel refused: EBUSY");
	v = view_at(&n, 600, false);
	SUITE_STR(story(&v, PF_A + 3, n.vfs[2]),
		  "VF 0000:3b:00.3 is FAULTED for 10m0s, owned by pod kube-system/job-x?[31m: "
		  "link_home: kernel refused: EBUSY\n"
		  "\n"
		  "2025-11-22T18:03:48.123Z  #0  FREE  [APPEARED]\n"
		  "    as it stood where the kept history begins; last event: found on the bus\n"
		  "    cause: engine, discovery\n"
		  "2025-11-22T18:03:49.123Z  #812  FREE -> RESERVED  [ADD]  (+1.0 s)\n"
		  "    reserved for an ADD; nothing on the VF is touched yet\n"
		  "    owner: pod default/web-0, network=ibnet container=aaaaaaaaaaaa9999 "
		  "ifname=net1\n"
		  "    cause: request, ADD c/net1; then: SETUP\n"
		  "2025-11-22T18:03:49.135Z  #815  RESERVED  [STEP]  (+12 ms)\n"
		  "    done: settings; begun: link_to_pod\n"
		  "    cause: request, ADD c/net1\n"
		  "2025-11-22T18:03:49.143Z  #816  RESERVED  [STEP]  (+8 ms)\n"
		  "    done: link_to_pod, addresses\n"
		  "    cause: request, ADD c/net1\n"
		  "2025-11-22T18:03:49.144Z  #817  RESERVED -> ATTACHED  [SETUP_DONE]  (+1 ms)\n"
		  "    attached: every step is done and the result is stored (done: "
		  "link_settings)\n"
		  "    cause: request, ADD c/net1; then: REPLY\n"
		  "2025-11-22T18:08:00.144Z  #900  ATTACHED -> DETACHING  [DEL]  (+4m11s)\n"
		  "    its owner's DEL came; it is being released\n"
		  "    cause: request, DEL c/net1; then: RESTORE\n"
		  "2025-11-22T18:08:00.223Z  #905  DETACHING  [STEP]  (+79 ms)\n"
		  "    a step failed: link_home: it is busy\n"
		  "    cause: engine, failed\n"
		  "2025-11-22T18:08:06.644Z  #911  DETACHING -> FAULTED  [GAVE_UP]  (+6.4 s)\n"
		  "    the release failed too often and was given up (8 attempts): link_home: "
		  "kernel refused: EBUSY\n"
		  "    cause: engine, retries; then: ALARM, REPLY\n"
		  "\n"
		  "What to do: cure the cause named above; the engine tries again by itself, at "
		  "once with 'vfctl retry 0000:3b:00.3'.\n");
	node_fini(&n);
}

static void leases_in_a_story(void)
{
	struct view_record *r;
	struct node n;
	struct view v;

	build(&n);
	n_told = 0;
	tell(1, 0, VF_ABSENT, VF_EV_APPEARED, VF_FREE, CAUSE_ENGINE, "discovery");
	r = &tale[n_told];
	*r = (struct view_record){ .seq = 2, .type = REC_LEASE };
	r->lease.id = 9;
	r->lease.from = LEASE_OWED;
	r->lease.event = LEASE_EV_UNPAID;
	r->lease.state = LEASE_OWED;
	r->lease.attempts = 3;
	r->lease.meta.wall_ns = (T0 + 5) * MS;
	r->lease.meta.cause = CAUSE_ENGINE;
	snprintf(r->lease.meta.boot_id, sizeof(r->lease.meta.boot_id), "b2");
	snprintf(r->lease.last_error, sizeof(r->lease.last_error), "exit code 1");
	told[n_told++] = r;
	/* The same VF and lease in a later snapshot are not told again. */
	told[n_told] = &tale[n_told];
	tale[n_told] = tale[0];
	tale[n_told++].in_snapshot = true;
	told[n_told] = &tale[n_told];
	tale[n_told] = tale[1];
	tale[n_told++].in_snapshot = true;
	v = view_at(&n, 0, false);
	SUITE_STR(story(&v, PF_A + 1, n.vfs[0]),
		  "VF 0000:3b:00.1 is FREE for 0s\n"
		  "\n"
		  "2025-11-22T18:03:48.123Z  #1  ABSENT -> FREE  [APPEARED]\n"
		  "    found on the bus\n"
		  "    cause: engine, discovery; then: CAPTURE\n"
		  "2025-11-22T18:03:48.128Z  #2  lease 9  OWED  [UNPAID]  (after a reboot)\n"
		  "    the IPAM plugin did not take the addresses back; it is asked again later "
		  "(attempt 3): exit code 1\n"
		  "    cause: engine; then: BACK_OFF\n");
	node_fini(&n);
}

static void story_of_nothing(void)
{
	struct node n;
	struct view v;

	build(&n);
	n_told = 0;
	v = view_at(&n, 0, false);
	SUITE_STR(story(&v, PF_A + 9, NULL), "VF 0000:3b:01.1 is not known any more\n\n"
					     "The journal keeps no record of it.\n");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(story(&v, PF_A + 0x101, n.vfs[3]),
		       "What to do: somebody else uses it: end that use, or take it with 'vfctl "
		       "release 0000:3c:00.1 --force'.\n"));
	node_fini(&n);
}

/* Every event of both machines has words of its own. */
static void words_for_every_event(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 0, false);
	for (int event = 1; event < 64; event++) {
		const char *text;

		if (!vf_event_valid(event) || event == VF_EV_STEP)
			continue;
		n_told = 0;
		tell(1, 0, VF_FREE, (enum vf_event)event, VF_FREE, CAUSE_ADMIN, "");
		text = story(&v, PF_A + 1, n.vfs[0]);
		CU_ASSERT_PTR_NULL(strstr(text, "newer version"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "cause: admin"));
	}
	n_told = 0;
	tell(1, 0, VF_FREE, (enum vf_event)63, VF_FREE, CAUSE_EVENT, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(story(&v, PF_A + 1, n.vfs[0]),
				      "an event of a newer version\n    cause: event\n"));
	node_fini(&n);
}

static void owner_of_the_past(void)
{
	static const char *const pod[] = { "pod", "default/web-0" };
	static const char *const cid[] = { "aaaaaaaaaaaabbbb/net1" };
	static const char *const addr[] = { "0000:3b:00.2" };
	struct node n;

	build(&n);
	CU_ASSERT(view_names_owner(&n.vfs[1]->rec, pod, 2));
	CU_ASSERT(view_names_owner(&n.vfs[1]->rec, cid, 1));
	CU_ASSERT_FALSE(view_names_owner(&n.vfs[2]->rec, pod, 2));
	CU_ASSERT_FALSE(view_names_owner(&n.vfs[0]->rec, cid, 1));
	CU_ASSERT_FALSE(view_names_owner(&n.vfs[1]->rec, addr, 1));
	node_fini(&n);
}

VFK_SUITE(view_explain,
	  { "explain tells a VF's story with times, causes and actions", whole_story },
	  { "explain tells leases, reboots, and no snapshot twice", leases_in_a_story },
	  { "explain says when there is nothing to tell", story_of_nothing },
	  { "every event has words of its own", words_for_every_event },
	  { "a record of the past is known by its owner or pod", owner_of_the_past })
