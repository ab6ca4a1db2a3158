/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl import: a VF that ib-sriov-cni or sriov-cni attached becomes an attachment of ours.  The
 * request's stdin is that plugin's file, its environment and namespace are the pod's.  A
 * worker looks whether the VF is really there; then the VF's record is written, then its
 * lease's, and the answer goes out when both are on the disk: the file may be put away. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "cni/json_print.h"
#include "cni/peer_cache.h"
#include "engine/baseline.h"
#include "engine/plan.h"
#include "engine/view-internal.h"

/* "1": look, and change nothing. */
#define DRY_RUN "VFKEEPER_DRY_RUN"

static bool is_dry(const struct request *rq)
{
	const char *value = cni_env_get(rq->env, rq->env_len, DRY_RUN);

	return value && !strcmp(value, "1");
}

/* Whether its owner on record is who the file is of. */
static bool is_done(const struct vf *vf, const struct request *rq)
{
	return vf->fsm.state == VF_ATTACHED &&
	       attachment_equal(&vf->rec.owner, &rq->cni.att);
}

/* It is done, and its lease is on record as well: only its answer was lost. */
static bool has_all(const struct engine *e, const struct vf *vf, const struct request *rq)
{
	return is_done(vf, rq) &&
	       (!vf->rec.lease_id || node_lease(e->node, vf->rec.lease_id));
}

/* R12: a DEL of it may have been answered, and nobody would call another.  One that found nothing
 * on record counts to its end: it did not see this import. */
static bool came_too_late(const struct engine *e, const struct request *rq)
{
	return recent_del_refuses(e->recent_del, &rq->cni.att, rq->start_ns) ||
	       (recent_del_settled(e->recent_del, &rq->cni.att) &&
		rq->start_ns <= e->settled_ns);
}

/* False: the VF cannot be taken over, and the request is answered. */
static bool can_take(struct engine *e, struct request *rq, const struct vf *vf)
{
	const struct vf *other = node_vf_of(e->node, &rq->cni.att);
	const struct lease *l = node_lease_of(e->node, &rq->cni.att);
	char addr[PCI_STRLEN], is[PCI_STRLEN], owner[400];

	pci_format(rq->cni.device, addr);
	if (l && !is_done(vf, rq)) /* its DEL came, and would be answered before it is free */
		request_fail(e, rq, 11,
			     "a lease of container %.64s interface %s is %s, by our own "
			     "records (vfctl leases)",
			     rq->cni.att.container, rq->cni.att.ifname,
			     lease_state_name(l->state));
	else if (!is_done(vf, rq) && came_too_late(e, rq))
		request_fail(e, rq, 11,
			     "a DEL of container %.64s interface %s came after this import "
			     "began",
			     rq->cni.att.container, rq->cni.att.ifname);
	else if (lease_own_del_runs(e, &rq->cni.att)) /* P8: its address may be free already */
		request_fail(e, rq, 11,
			     "a DEL of container %.64s interface %s is under way",
			     rq->cni.att.container, rq->cni.att.ifname);
	else if (other && other != vf)
		request_fail(e, rq, 7,
			     "container %.64s interface %s has VF %s on record, not %s",
			     rq->cni.att.container, rq->cni.att.ifname,
			     pci_format(other->rec.addr, is), addr);
	else if (is_done(vf, rq) || vf->fsm.state == VF_FREE ||
		 (vf->fsm.state == VF_FAULTED && vf->fsm.foreign))
		return true;
	else if (vf->fsm.state == VF_FAULTED)
		request_fail(e, rq, 7, "VF %s is FAULTED: %s (vfctl explain %s)", addr,
			     vf->rec.reason, addr);
	else
		request_fail(e, rq, vf->fsm.state == VF_ATTACHED ? 7 : 11,
			     "VF %s is %s, of %s, by our own records", addr,
			     vf_state_name(vf->fsm.state),
			     who(e, vf, owner, sizeof(owner)));
	return false;
}

static void look(struct engine *e, struct request *rq, const struct vf *vf)
{
	struct job *job = job_look(e, rq, vf, JOB_IMPORT, 0);

	if (!job)
		return;
	rq->state = REQ_LOOK;
	job_submit(e, job);
}

void import_begin(struct engine *e, struct request *rq)
{
	struct vfk_err err = { 0 };
	char addr[PCI_STRLEN];
	struct vf *vf;

	if (!engine_can_record(e)) {
		request_fail(e, rq, 11, "nothing can be recorded: %s",
			     e->broken[0] ? e->broken : "the journal cannot be synced");
		return;
	}
	if (!rq->cni.has_device || !rq->cni.att.network[0] ||
	    rq->cni.dialect == DIALECT_VFKEEPER) {
		request_fail(e, rq, 7, "it is no file of ib-sriov-cni or sriov-cni");
		return;
	}
	rq->cni.wanted.has &= peer_can_set(rq->cni.dialect);
	if (!netns_check(e, rq))
		return;
	vf = node_vf(e->node, rq->cni.device);
	if (!vf || vf->fsm.state == VF_ABSENT) {
		if (discover_failed(e, rq))
			request_fail(e, rq, 11, "the node's VFs cannot be listed: %s",
				     discover_failed(e, rq));
		else if (e->discovered_at_ns < rq->arrived_ns)
			discover_wait(e, rq);
		else
			request_fail(e, rq, 7, "VF %s is not on this node",
				     pci_format(rq->cni.device, addr));
		return;
	}
	if (!can_take(e, rq, vf))
		return;
	if (!has_all(e, vf, rq) && lease_limits(e, rq, &err) < 0)
		request_fail_err(e, rq, &err, vf->rec.addr);
	else
		look(e, rq, vf);
}

/* Where the VF is, as the worker saw it.  A VF for user space has no link: that its pod lives
 * is all that can be seen. */
static bool is_in_pod(struct engine *e, struct request *rq, const struct job_res *res)
{
	const struct drv_out *out = &res->out;
	char addr[PCI_STRLEN];

	pci_format(rq->cni.device, addr);
	if (out->where == WHERE_IN_POD ||
	    (out->where == WHERE_HOME && pci_user_driver(out->seen.driver)))
		return true;
	if (out->where == WHERE_HOME)
		request_fail(e, rq, 7, "VF %s is at home, in no pod", addr);
	else if (out->where == WHERE_GONE)
		request_fail(e, rq, 7, "VF %s is gone from the bus", addr);
	else
		request_fail(e, rq, 11, "VF %s is not in the namespace of container %.64s",
			     addr, rq->cni.att.container);
	return false;
}

static uint32_t touched_by(const struct vf_settings *wanted, bool has_link)
{
	uint32_t steps = plan_attach(wanted, has_link, true, false);

	/* What they set and did not write down is put back as well. */
	steps |= STEP_BIT(SETTINGS);
	return has_link ? steps | STEP_BIT(LINK_SETTINGS) : steps;
}

/* The record of the attachment, written.  Our own baseline is the better one (P4): theirs may
 * have been taken from a VF that carried an earlier pod's GUID. */
static int take(struct engine *e, struct request *rq, struct vf *vf,
		const struct drv_out *out)
{
	struct rec_vf *was = malloc(sizeof(*was)), *rec = &vf->rec;
	struct vf_baseline theirs = out->seen;

	if (!was)
		return -1;
	*was = *rec;
	peer_cache_before(rq->cni.conf, rq->cni.dialect, &theirs);
	if (!rec->baseline.valid) {
		tidy_name(e, vf, &theirs);
		rec->baseline = theirs;
	} else {
		/* Where ours is just what this pod was given, we took it for an operator's change
		 * while the other plugin was at its ADD: there its file is right. */
		baseline_mend(&rec->baseline, &theirs, &rq->cni.wanted);
	}
	rec->owner = rq->cni.att;
	rec->pod = rq->cni.pod;
	rec->attach_seq = journal_last(e->journal) + 1;
	/* It began before any DEL that may come (P3), and no ADD of ours stands behind it. */
	memset(&rec->nonce, 0, sizeof(rec->nonce));
	rec->client_start_ns = 0;
	rec->netns_cookie = out->netns_cookie;
	rec->nsid = out->nsid;
	rec->ifindex = out->ifindex;
	rec->wanted = rq->cni.wanted;
	rec->touched = touched_by(&rec->wanted, plan_has_link(rec));
	rec->plan = PLAN_NONE;
	rec->begun = rec->done = rec->attempts = 0;
	rec->reason[0] = '\0';
	rec->n_own = 0;
	rec->lease_id = delegate_wanted(rq) ? rec->attach_seq : 0;
	if (vf_event(e, vf, VF_EV_IMPORTED, true) < 0) {
		*rec = *was;
		free(was);
		return -1;
	}
	free(was);
	vf->rebind = vf->link_left = false;
	vf->verified = true;
	vf->retry_at_ns = 0;
	return 0;
}

/* {"vf": ..., "what": "imported", ...} for vfctl. */
static void answer(struct engine *e, struct request *rq, const struct vf *vf,
		   const char *what)
{
	char addr[PCI_STRLEN];
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s}", "vf", pci_format(vf->rec.addr, addr),
				"what", what, "state", vf_state_name(vf->fsm.state),
				"ipam", delegate_wanted(rq) ? rq->cni.ipam_type : "");
	VFK_AUTO(free_auto) char *text = json_print(doc, JSON_COMPACT);

	json_decref(doc);
	if (text)
		request_answer(e, rq, 0, text);
	else
		request_fail(e, rq, 11, "out of memory");
}

void import_looked(struct engine *e, struct request *rq, const struct job_res *res)
{
	struct vf *vf = node_vf(e->node, rq->cni.device);
	struct vfk_err err = { 0 };
	bool done;

	cause_set(e, CAUSE_ADMIN, "vfctl import of %.64s/%s", rq->cni.att.container,
		  rq->cni.att.ifname);
	if (!vf) {
		request_fail(e, rq, 11, "the VF went from the bus while it was looked at");
		return;
	}
	if (!can_take(e, rq, vf)) /* it changed meanwhile */
		return;
	if (res->err.kind) {
		request_fail_err(e, rq, &res->err, vf->rec.addr);
		return;
	}
	if (!is_in_pod(e, rq, res))
		return;
	done = is_done(vf, rq);
	if (is_dry(rq)) {
		answer(e, rq, vf, done ? "on record" : "to be imported");
		return;
	}
	if (!done && take(e, rq, vf, &res->out) < 0) {
		request_fail(e, rq, 11, "it cannot be recorded: %s",
			     e->broken[0] ? e->broken : "out of memory");
		return;
	}
	/* An import that ended between the two records is completed here. */
	if (!has_all(e, vf, rq) && lease_import(e, rq, vf, &err) < 0) {
		request_fail_err(e, rq, &err, vf->rec.addr);
		return;
	}
	answer(e, rq, vf, done ? "on record" : "imported");
	vf_queue_run(e, vf);
}

int import_done(struct engine *e, char **json, struct vfk_err *err)
{
	struct rec_node *node = &e->node->rec;
	json_t *doc = json_object(), *list = json_array();
	unsigned n = 0;

	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];

		if (vf->fsm.state != VF_FAULTED || !vf->fsm.foreign)
			continue;
		view_append(list, view_addr(vf->rec.addr));
		n++;
	}
	/* Each VF that is in use has its record now: nobody's is missing. */
	if (node->records_missing && node->vfs_verified && !n && engine_can_record(e)) {
		cause_set(e, CAUSE_ADMIN, "vfctl import");
		node->records_missing = false;
		node->missing_reason[0] = '\0';
		if (record_node(e) == 0)
			log_notice("engine", "no records are missing any more cause=\"%s\"",
				   e->cause.cause_text);
	}
	view_set(doc, "foreign", list);
	view_set(doc, "records_missing", json_boolean(node->records_missing));
	return view_dump(doc, json, err);
}
