/* SPDX-License-Identifier: Apache-2.0 */
/* The table "ADD finds" (vfkeeper-rules(7), WHAT AN ADD FINDS): what an ADD meets, and
 * what is done then.  Each row is one function or one case here, named by the row. */
#include "engine/engine-internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "engine/cordon.h"

/* A namespace that nobody holds any more is gone within so many looks. */
#define DYING_LOOKS 4
#define DYING_NS (200 * NS_PER_MS)
/* A free VF that nothing can be learned about is given up after so many. */
#define BLIND_LOOKS 40

bool netns_check(struct engine *e, struct request *rq)
{
	bool own = false;
	const char *override;

	if (rq->netns_errno > 0) {
		request_fail(e, rq, 8, "cannot open CNI_NETNS %s: %s", rq->cni.netns_path,
			     vfk_errno_name(rq->netns_errno));
		return false;
	}
	if (rq->netns_fd < 0 || !e->ops.netns_valid(e->ops.ctx, rq->netns_fd, &own)) {
		request_fail(e, rq, 8, "CNI_NETNS %s is not a network namespace",
			     rq->cni.netns_path);
		return false;
	}
	override = cni_env_get(rq->env, rq->env_len, "CNI_NETNS_OVERRIDE");
	if (own &&
	    !(override && (!strcmp(override, "1") || !strcasecmp(override, "true")))) {
		request_fail(e, rq, 8,
			     "CNI_NETNS %s is the namespace of the VFs themselves",
			     rq->cni.netns_path);
		return false;
	}
	return true;
}

/* R11: what leases has to be a program that the engine may run later to pay. */
static int check_plugin(struct engine *e, struct request *rq)
{
	char path[PATH_MAX], *slash;

	if (!delegate_wanted(rq))
		return own_check(e, rq);
	if (!e->ops.find_plugin(e->ops.ctx, rq->cni.cni_path, rq->cni.ipam_type, path,
				sizeof(path))) {
		request_fail(e, rq, 7, "IPAM plugin %s is not in CNI_PATH %s",
			     rq->cni.ipam_type, rq->cni.cni_path);
		return -1;
	}
	if (!e->ops.plugin_trusted(e->ops.ctx, path)) {
		request_fail(e, rq, 7,
			     "IPAM plugin %s or its directory can be written by others than "
			     "root, as whom vfkeeper runs it when it releases a lease: chown "
			     "root, chmod go-w",
			     path);
		return -1;
	}
	slash = strrchr(path, '/');
	*slash = '\0';
	if (!config_is_plugin_dir(&e->config, path[0] ? path : "/")) {
		request_fail(e, rq, 7,
			     "IPAM plugin %s/%s lies outside plugin_dirs %s "
			     "(vfkeeper.conf)",
			     path, rq->cni.ipam_type, e->config.plugin_dirs);
		return -1;
	}
	return 0;
}

static bool same_request(const struct vf *vf, const struct request *rq)
{
	return attachment_equal(&vf->rec.owner, &rq->cni.att) &&
	       vf->rec.nonce.hi == rq->nonce.hi && vf->rec.nonce.lo == rq->nonce.lo;
}

/* R4: its client has lost the engine that reserved for it; what it needs is there. */
static bool comes_again(const struct engine *e, const struct request *rq)
{
	const struct vf *vf = node_vf_of(e->node, &rq->cni.att);

	return vf && same_request(vf, rq);
}

/* Everything that can be said without looking at the VF; nothing is touched yet. */
static int check(struct engine *e, struct request *rq)
{
	struct vfk_err err = { 0 };

	if (!engine_can_record(e)) {
		request_fail(e, rq, 11, "no ADD is served: %s",
			     e->broken[0] ?
				     e->broken :
				     "the journal could not be synced and a new file is being begun");
		return -1;
	}
	if (recent_del_refuses(e->recent_del, &rq->cni.att, rq->start_ns)) {
		request_fail(e, rq, 11,
			     "a DEL of container %.64s interface %s came after "
			     "this ADD began",
			     rq->cni.att.container, rq->cni.att.ifname);
		return -1;
	}
	if (!rq->cni.has_device) {
		request_fail(e, rq, 7, "deviceID is required (the PCI address of the VF)");
		return -1;
	}
	if (!netns_check(e, rq))
		return -1;
	if (cni_result_possible(&rq->cni, &err) < 0 ||
	    (!comes_again(e, rq) && lease_limits(e, rq, &err) < 0)) {
		request_fail_err(e, rq, &err, PCI_NONE);
		return -1;
	}
	return check_plugin(e, rq);
}

/* Row "ATTACHED, same owner and same request nonce": the stored result again. */
static void repeat_result(struct engine *e, struct request *rq, const struct vf *vf)
{
	struct vfk_err err = { 0 };
	size_t len;
	VFK_AUTO(free_auto)
	char *text = node_blob_get(e->node, e->journal, vf->rec.result_blob, &len, &err);

	if (text) {
		request_answer(e, rq, 0, text);
		return;
	}
	vfk_err_wrap(&err, "it is attached, but its result is lost");
	request_fail_err(e, rq, &err, vf->rec.addr);
}

void add_begin(struct engine *e, struct request *rq)
{
	/* P10: no ADD before every VF is verified. */
	bool unverified = e->node->rec.records_missing && !e->node->rec.vfs_verified,
	     absent;
	char addr[PCI_STRLEN];
	struct vf *vf;

	if (check(e, rq) < 0)
		return;
	vf = node_vf(e->node, rq->cni.device);
	absent = !vf || vf->fsm.state == VF_ABSENT;
	if ((absent || unverified) && discover_failed(e, rq)) {
		request_fail(e, rq, 11, "the node's VFs cannot be listed: %s",
			     discover_failed(e, rq));
		return;
	}
	/* It may have appeared just now: one look, however many ask. */
	if (unverified || (absent && e->discovered_at_ns < rq->arrived_ns)) {
		discover_wait(e, rq);
		return;
	}
	if (!vf) {
		request_fail(e, rq, 7,
			     "deviceID %s is not a VF that vfkeeper knows (vfctl list)",
			     pci_format(rq->cni.device, addr));
		return;
	}
	if (absent) {
		pci_format(rq->cni.device, addr);
		request_fail(e, rq, 11, "VF %s is gone from the bus (vfctl explain %s)",
			     addr, addr);
		return;
	}
	/* R4: behind nobody, who may wait for a look that does not end. */
	if (vf->fsm.state == VF_ATTACHED && same_request(vf, rq)) {
		repeat_result(e, rq, vf);
		return;
	}
	rq->vf = vf;
	rq->state = REQ_QUEUED;
	list_push_back(&vf->queue, &rq->waiting);
	vf_queue_run(e, vf);
}

static bool same_attachment(const struct vf *vf, const struct request *rq)
{
	return !strcmp(vf->rec.owner.container, rq->cni.att.container) &&
	       !strcmp(vf->rec.owner.ifname, rq->cni.att.ifname);
}

static void refuse_owned(struct engine *e, struct request *rq, const struct vf *vf)
{
	char addr[PCI_STRLEN], owner[400];

	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, 11, "VF %s is %s by %s (vfctl explain %s)", addr,
		     vf->fsm.state == VF_RESERVED ? "being attached" : "in use",
		     who(e, vf, owner, sizeof(owner)), addr);
}

static void refuse_second(struct engine *e, struct request *rq, const struct vf *vf)
{
	char addr[PCI_STRLEN];

	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, vf->fsm.state == VF_ATTACHED ? 999 : 11,
		     "container %.64s interface %s has VF %s already: DEL it first (vfctl "
		     "explain %s)",
		     rq->cni.att.container, rq->cni.att.ifname, addr, addr);
}

/* Rows of RESERVED.  True: the request has left the queue. */
static bool found_reserved(struct engine *e, struct vf *vf, struct request *rq)
{
	bool held = vf->adder || vf->job || vf_byte_held(e, vf) ||
		    lease_byte_held(e, vf->rec.lease_id);

	if (!held) {
		recover_reserved(e, vf);
		return false;
	}
	if (same_request(vf, rq)) {
		if (!vf->adder && !vf->job && !vf_byte_held(e, vf)) {
			setup_resume(e, rq);
			return true;
		}
		/* A step of the engine before us is still in the kernel. */
		vf->retry_at_ns = now_ns(e) + BYTE_POLL_NS;
		wake(e, vf->retry_at_ns);
		return false;
	}
	if (same_attachment(vf, rq))
		refuse_second(e, rq, vf);
	else
		refuse_owned(e, rq, vf);
	return true;
}

/* Rows of ATTACHED. */
static bool found_attached(struct engine *e, struct vf *vf, struct request *rq)
{
	if (same_request(vf, rq)) {
		repeat_result(e, rq, vf);
		return true;
	}
	if (same_attachment(vf, rq)) {
		refuse_second(e, rq, vf);
		return true;
	}
	if (!rq->observed) { /* "whose netns is provably gone"? */
		observe_start(e, vf, rq);
		return false;
	}
	if (rq->n_looks++ < DYING_LOOKS) { /* it may be dying: the kernel takes its time */
		rq->observed = false;
		vf->retry_at_ns = now_ns(e) + DYING_NS;
		wake(e, vf->retry_at_ns);
		return false;
	}
	refuse_owned(e, rq, vf);
	return true;
}

static bool found_faulted(struct engine *e, struct vf *vf, struct request *rq)
{
	char addr[PCI_STRLEN];

	if (vf->fsm.foreign && !rq->observed) { /* it may have come home */
		observe_start(e, vf, rq);
		return false;
	}
	if (!vf->fsm.foreign && !rq->repaired) {
		rq->repaired = true;
		cause_set(e, CAUSE_REQUEST, "one repair for ADD %.64s/%s",
			  rq->cni.att.container, rq->cni.att.ifname);
		release_begin(e, vf, VF_EV_RETRY);
		return false;
	}
	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, 11, "VF %s is FAULTED: %s (vfctl explain %s)", addr,
		     vf->rec.reason[0] ? vf->rec.reason : "in use outside vfkeeper", addr);
	return true;
}

/* Row "an OWED lease of this attachment and no VF record of it". */
static bool found_owed(struct engine *e, struct request *rq)
{
	struct lease *l = node_lease_of(e->node, &rq->cni.att);

	if (!l)
		return false;
	if (l->state != LEASE_OWED) /* HELD or ASKED without a VF: its VF is gone */
		lease_release(e, l, LEASE_EV_SETUP_FAILED);
	if (rq->lease == l && rq->state == REQ_PAY_FIRST)
		return true;
	rq->state = REQ_PAY_FIRST;
	rq->lease = l;
	l->retry_at_ns = 0;
	if (lease_payable(e, l, rq))
		lease_pay(e, l, rq);
	return true;
}

static bool found_free(struct engine *e, struct vf *vf, struct request *rq)
{
	const struct pf *pf = node_pf(e->node, vf->rec.pf);
	int port = pf ? pf_bad_port(pf) : -1;
	char addr[PCI_STRLEN], of[PCI_STRLEN];

	if (port >= 0 && pf->ports[port] == PORT_FATAL) {
		request_fail(e, rq, 11, "port %d of PF %s is in state FATAL", port + 1,
			     pci_format(pf->addr, addr));
		return true;
	}
	if (!vf->verified && rq->observed) {
		/* The look said nothing (its byte is held, its link is moving): not at once
		 * again. */
		if (rq->n_looks++ >= BLIND_LOOKS) {
			pci_format(vf->rec.addr, addr);
			request_fail(e, rq, 11,
				     "VF %s cannot be looked at: its driver gives no answer "
				     "(vfctl explain %s)",
				     addr, addr);
			return true;
		}
		rq->observed = false;
		vf->retry_at_ns = now_ns(e) + BYTE_POLL_NS;
		wake(e, vf->retry_at_ns);
		return false;
	}
	if (!vf->rec.baseline.valid && rq->observed) { /* P4: nobody could put it back */
		pci_format(vf->rec.addr, addr);
		request_fail(e, rq, 11,
			     "VF %s has no baseline: it carries a GUID or MAC that a pod has, "
			     "or cannot be read (vfctl explain %s)",
			     addr, addr);
		return true;
	}
	if (!vf->verified || !vf->rec.baseline.valid) {
		observe_start(e, vf, rq);
		return false;
	}
	if (!vf_fits(e, rq, vf))
		return true;
	if (found_owed(e, rq))
		return false;
	if (lease_own_del_runs(e, &rq->cni.att) || own_waits(e, rq)) {
		vf->retry_at_ns = now_ns(e) + BYTE_POLL_NS;
		wake(e, vf->retry_at_ns);
		return false;
	}
	if (port >= 0) /* a cable that is plugged in again needs no new pod */
		log_warn("engine", "vf=%s container=%s: port %d of PF %s is %s",
			 pci_format(vf->rec.addr, addr), rq->cni.att.container, port + 1,
			 pci_format(pf->addr, of), port_state_name(pf->ports[port]));
	setup_reserve(e, rq);
	return true;
}

/* Row "cordoned".  Who has the VF already keeps it, and gets the stored result again. */
static bool found_cordoned(struct engine *e, struct vf *vf, struct request *rq)
{
	const struct rec_cordon *c = cordon_of(e->node, &vf->rec);
	char addr[PCI_STRLEN], of[PCI_STRLEN];

	if (!c || vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_ATTACHED)
		return false;
	pci_format(vf->rec.addr, addr);
	if (c->scope == CORDON_NODE)
		request_fail(e, rq, 11,
			     "VF %s: this node is cordoned by an administrator (vfctl "
			     "uncordon node)%s%s",
			     addr, c->reason[0] ? ": " : "", c->reason);
	else if (c->scope == CORDON_PF)
		request_fail(e, rq, 11,
			     "VF %s: its PF is cordoned by an administrator (vfctl uncordon "
			     "%s)%s%s",
			     addr, pci_format(c->addr, of), c->reason[0] ? ": " : "",
			     c->reason);
	else
		request_fail(e, rq, 11,
			     "VF %s is cordoned by an administrator (vfctl uncordon %s)%s%s",
			     addr, addr, c->reason[0] ? ": " : "", c->reason);
	return true;
}

/* The first row that matches applies.  True: the request has left the queue. */
static bool decide(struct engine *e, struct vf *vf, struct request *rq)
{
	struct vf *other = node_vf_of(e->node, &rq->cni.att);

	if (recent_del_refuses(e->recent_del, &rq->cni.att, rq->start_ns)) {
		request_fail(e, rq, 11,
			     "a DEL of container %.64s interface %s came after "
			     "this ADD began",
			     rq->cni.att.container, rq->cni.att.ifname);
		return true;
	}
	if (other && other != vf) {
		refuse_second(e, rq, other);
		return true;
	}
	if (found_cordoned(e, vf, rq))
		return true;
	switch (vf->fsm.state) {
	case VF_RESERVED:
		return found_reserved(e, vf, rq);
	case VF_ATTACHED:
		return found_attached(e, vf, rq);
	case VF_FREE:
		return found_free(e, vf, rq);
	case VF_DETACHING:
		return false; /* finish the release first; too_late() has the other half */
	case VF_FAULTED:
		return found_faulted(e, vf, rq);
	case VF_ABSENT:
		break;
	}
	list_remove(&rq->waiting);
	rq->vf = NULL;
	discover_wait(e, rq);
	return true;
}

void vf_queue_run(struct engine *e, struct vf *vf)
{
	while (!list_empty(&vf->queue)) {
		struct request *rq = list_entry(vf->queue.next, struct request, waiting);
		enum vf_state before = vf->fsm.state;

		if (rq->state == REQ_OBSERVE)
			return;
		if (vf->job && vf->fsm.state != VF_RESERVED && vf->fsm.state != VF_ATTACHED)
			return;
		request_cause(e, rq);
		if (!decide(e, vf, rq) && vf->fsm.state == before)
			return; /* it waits */
	}
}

void add_observed(struct engine *e, struct request *rq, const struct job_res *res)
{
	struct vf *vf = rq->vf;

	rq->observed = true;
	rq->state = REQ_QUEUED;
	observe_done(e, vf, res);
}
