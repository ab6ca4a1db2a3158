/* SPDX-License-Identifier: Apache-2.0 */
/* The table "DEL finds" (vfkeeper-rules(7), WHAT A DEL FINDS): what a DEL meets, and what is
 * done then. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/plan.h"
#include "io/inflight.h"

/* A DEL whose configuration could not be read does not know its network. */
static bool same_attachment(const struct attachment *add, const struct attachment *del)
{
	return !strcmp(add->container, del->container) &&
	       !strcmp(add->ifname, del->ifname) &&
	       (!del->network[0] || !strcmp(add->network, del->network));
}

/* A DEL of an attachment ends the ADDs of it that came before (R10, R12). */
static void end_waiting_adds(struct engine *e, const struct request *del)
{
	unsigned pass = ++e->pass;
	bool again = true;

	while (again) {
		again = false;
		list_each(it, &e->requests) {
			struct request *rq = list_entry(it, struct request, link);

			if (rq->pass == pass)
				continue;
			rq->pass = pass;
			if (rq == del || !rq->parsed || rq->cni.verb != CNI_ADD ||
			    !same_attachment(&rq->cni.att, &del->cni.att) ||
			    rq->start_ns > del->start_ns)
				continue;
			if (rq->state != REQ_WAIT_DISCOVERY && rq->state != REQ_QUEUED &&
			    rq->state != REQ_OBSERVE && rq->state != REQ_PAY_FIRST &&
			    rq->state != REQ_ANSWER_SYNC)
				continue;
			request_fail(e, rq, 11,
				     "a DEL of container %.64s interface %s came "
				     "after this ADD began",
				     del->cni.att.container, del->cni.att.ifname);
			again = true;
			break;
		}
	}
}

/* The path may have become a plain file: then the namespace is gone. */
static void keep_netns(struct engine *e, struct vf *vf, struct request *rq)
{
	bool own;

	if (vf->netns_fd < 0 && rq->netns_fd >= 0 &&
	    e->ops.netns_valid(e->ops.ctx, rq->netns_fd, &own) && !own)
		vf->netns_fd = fd_steal(&rq->netns_fd);
}

static void wait_for(struct engine *e, struct request *rq)
{
	rq->state = REQ_RELEASE;
	rq->deadline_ns = within_client(rq, now_ns(e) + e->config.del_wait_ms * NS_PER_MS);
	wake(e, rq->deadline_ns);
	if (!rq->client) /* from the spool, or the caller has gone: nobody waits */
		request_free(rq);
	else
		requests_check(e);
}

/* Row "a record of this owner". */
static void release_vf(struct engine *e, struct request *rq, struct vf *vf)
{
	struct lease *l = node_lease(e->node, vf->rec.lease_id);
	struct cni_fail fail;

	rq->vf = vf;
	rq->attach_seq = vf->rec.attach_seq;
	rq->lease = l;
	keep_netns(e, vf, rq);
	if (l)
		lease_take_conf(e, l, rq);
	else if (vf->fsm.state == VF_ATTACHED && vf->rec.lease_id && delegate_wanted(rq))
		l = rq->lease = lease_adopt(e, rq, vf); /* its import ended half way */
	if (vf->fsm.state == VF_RESERVED) {
		cni_fail_set(&fail, 11,
			     "a DEL of container %.64s interface %s came while it "
			     "was being attached",
			     rq->cni.att.container, rq->cni.att.ifname);
		setup_failed(e, vf, VF_EV_DEL, LEASE_EV_DEL, &fail);
	} else {
		if (l && l->state != LEASE_OWED)
			lease_release(e, l, LEASE_EV_DEL);
		if (vf->fsm.state != VF_DETACHING) {
			release_begin(e, vf, VF_EV_DEL);
		} else if (vf->retry_at_ns) {
			vf->retry_at_ns = 0;
			release_next(e, vf);
		}
	}
	wait_for(e, rq);
}

void del_wait_for_lease(struct engine *e, struct request *rq, struct lease *l)
{
	rq->lease = l;
	lease_take_conf(e, l, rq);
	if (l->state != LEASE_OWED)
		lease_release(e, l, LEASE_EV_DEL);
	l->retry_at_ns = 0;
	rq->state = REQ_RELEASE;
	if (rq->client && lease_payable(e, l, rq))
		lease_pay(e, l, rq);
	else
		wake(e, now_ns(e));
	wait_for(e, rq);
}

static void look_at_link(struct engine *e, struct request *rq)
{
	struct job *job = job_look(e, rq, NULL, JOB_IDENTIFY, 0);

	if (!job)
		return;
	rq->identified = true;
	rq->state = REQ_IDENTIFY;
	/* From its arrival on, however often it is begun anew. */
	rq->deadline_ns =
		within_client(rq, rq->arrived_ns + e->config.del_wait_ms * NS_PER_MS);
	wake(e, rq->deadline_ns);
	job_submit(e, job);
}

/* What an import has put on record while somebody looked at the link: it was there before. */
static struct vf *imported(const struct engine *e, const struct request *rq)
{
	struct vf *vf = node_vf_of(e->node, &rq->cni.att);

	return vf && !vf->rec.client_start_ns && !rq->old_boot ? vf : NULL;
}

/* Rows of a DEL that nothing in the records is about. */
static void nothing_on_record(struct engine *e, struct request *rq)
{
	struct lease *l = node_lease_of(e->node, &rq->cni.att);
	bool valid, own = false;

	if (l && l->state == LEASE_OWED) {
		del_wait_for_lease(e, rq, l);
		return;
	}
	if (imported(e, rq)) {
		release_vf(e, rq, imported(e, rq));
		return;
	}
	if (l || node_vf_of(e->node, &rq->cni.att)) {
		/* P3: an ADD that began while somebody looked at the link (R12 says that it is
		 * the newer of the two). */
		request_ok(e, rq);
		return;
	}
	valid = rq->netns_fd >= 0 && e->ops.netns_valid(e->ops.ctx, rq->netns_fd, &own) &&
		!own;
	if (valid && !rq->identified) {
		look_at_link(e, rq);
		return;
	}
	if (recent_del_settled(e->recent_del, &rq->cni.att) && !rq->identified) {
		request_ok(e, rq);
		return;
	}
	if (e->node->rec.records_missing && delegate_wanted(rq) &&
	    !recent_del_settled(e->recent_del, &rq->cni.att)) {
		lease_run_own_del(e, rq);
		return;
	}
	/* It counts from when it was asked, but an import that began before it was over is
	 * refused (R12). */
	recent_del_note(e->recent_del, &rq->cni.att, rq->old_boot ? 0 : rq->start_ns,
			now_ns(e), true);
	e->settled_ns = (uint64_t)now_ns(e);
	request_ok(e, rq);
}

void del_begin(struct engine *e, struct request *rq)
{
	struct vf *vf = node_vf_of(e->node, &rq->cni.att);
	struct lease *l;
	bool settled = recent_del_settled(e->recent_del, &rq->cni.att);

	if (!rq->old_boot)
		recent_del_note(e->recent_del, &rq->cni.att,
				rq->from_spool ? rq->start_ns : (uint64_t)now_ns(e),
				now_ns(e), settled && !vf);
	end_waiting_adds(e, rq);
	if (vf && (rq->old_boot || vf->rec.client_start_ns > rq->start_ns)) {
		/* P3: this attachment began after that DEL did. */
		request_ok(e, rq);
		return;
	}
	if (vf) {
		release_vf(e, rq, vf);
		return;
	}
	l = node_lease_of(e->node, &rq->cni.att);
	if (l) {
		del_wait_for_lease(e, rq, l);
		return;
	}
	nothing_on_record(e, rq);
}

static void adopt(struct engine *e, struct request *rq, struct vf *vf)
{
	bool newer = node_vf_of(e->node, &rq->cni.att) != NULL;

	vf->rec.attach_seq = journal_last_or_zero(e) + 1;
	vf->rec.touched = PLAN_TOUCHED_ALL;
	vf->link_left = false;
	keep_netns(e, vf, rq);
	if (newer) {
		/* P3: an ADD that began while somebody looked at the link has the attachment
		 * and its lease now, or an import.  What is in its way goes home, as
		 * nobody's. */
		release_begin(e, vf, VF_EV_ADOPT);
		rq->state = REQ_RELEASE;
		nothing_on_record(e, rq);
		return;
	}
	vf->rec.owner = rq->cni.att;
	vf->rec.pod = rq->cni.pod;
	rq->vf = vf;
	rq->attach_seq = vf->rec.attach_seq;
	if (e->node->rec.records_missing && delegate_wanted(rq) &&
	    !recent_del_settled(e->recent_del, &rq->cni.att)) {
		rq->lease = lease_adopt(e, rq, vf);
		rq->own_del_due = !rq->lease; /* nothing can be recorded (P10) */
	}
	release_begin(e, vf, VF_EV_ADOPT);
	wait_for(e, rq);
}

/* Row "no record, but the link CNI_IFNAME in the caller's netns is a VF without owner". */
void del_identified(struct engine *e, struct request *rq, const struct job_res *res)
{
	struct vf *vf = res->err.kind || res->addr == PCI_NONE ?
				NULL :
				node_vf(e->node, res->addr);

	request_cause(e, rq);
	if (!res->err.kind && res->addr != PCI_NONE && (!vf || vf->fsm.state == VF_ABSENT)) {
		/* It is a VF that discovery has not come to yet. */
		if (discover_failed(e, rq)) {
			request_fail(e, rq, 11, "the node's VFs cannot be listed: %s",
				     discover_failed(e, rq));
			return;
		}
		if (e->discovered_at_ns < rq->arrived_ns) {
			rq->identified = false;
			discover_wait(e, rq);
			return;
		}
	}
	if (vf && !attachment_none(&vf->rec.owner)) { /* a record of another owner */
		if (imported(e, rq) == vf)
			release_vf(e, rq, vf);
		else
			request_ok(e, rq);
		return;
	}
	if (vf && attachment_none(&vf->rec.owner) &&
	    (vf->fsm.state == VF_FREE || vf->fsm.state == VF_FAULTED)) {
		adopt(e, rq, vf);
		return;
	}
	rq->state = REQ_RELEASE;
	nothing_on_record(e, rq);
}
