/* SPDX-License-Identifier: Apache-2.0 */
/* An ADD from RESERVED to ATTACHED, or back. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/octets.h"
#include "engine/plan.h"

static void internal_fail(struct engine *e, struct vf *vf, const struct vfk_err *err)
{
	struct cni_fail fail;

	cni_fail_from(&fail, err, vf->rec.addr);
	setup_failed(e, vf, VF_EV_SETUP_FAILED, LEASE_EV_SETUP_FAILED, &fail);
}

/* The request is the VF's ADD from here on. */
static void take(struct vf *vf, struct request *rq)
{
	list_remove(&rq->waiting);
	vf->adder = rq;
	rq->vf = vf;
	fd_auto(&vf->netns_fd);
	vf->netns_fd = fd_steal(&rq->netns_fd);
}

void setup_reserve(struct engine *e, struct request *rq)
{
	struct vf *vf = rq->vf;
	struct vfk_err err = { 0 };
	struct cni_fail fail = { 0 };

	vf->rec.attach_seq = journal_last(e->journal) + 1;
	if (rq->own && own_take(e, vf, rq, &fail) < 0) {
		vf->rec.attach_seq = 0;
		request_fail_as(e, rq, &fail);
		return;
	}
	vf->rec.owner = rq->cni.att;
	vf->rec.pod = rq->cni.pod;
	vf->rec.nonce = rq->nonce;
	vf->rec.client_start_ns = rq->start_ns;
	vf->rec.wanted = rq->cni.wanted;
	/* Unique like the sequence: no lease can be asked for twice under one id (R9). */
	vf->rec.lease_id = delegate_wanted(rq) ? vf->rec.attach_seq : 0;
	vf->rec.plan = PLAN_ATTACH;
	vf->rec.begun = vf->rec.done = vf->rec.touched = vf->rec.attempts = 0;
	if (vf_event(e, vf, VF_EV_ADD, true) < 0) {
		/* Refused by the disk: the VF is FREE as before, without an owner. */
		memset(&vf->rec.owner, 0, sizeof(vf->rec.owner));
		memset(&vf->rec.pod, 0, sizeof(vf->rec.pod));
		memset(&vf->rec.wanted, 0, sizeof(vf->rec.wanted));
		vf->rec.plan = PLAN_NONE;
		vf->rec.attach_seq = vf->rec.lease_id = 0;
		vf->rec.n_own = 0;
		request_fail(e, rq, 11, "no ADD is served: %s", e->broken);
		return;
	}
	take(vf, rq);
	if (!delegate_wanted(rq)) {
		rq->state = REQ_SETUP;
		setup_next(e, vf);
		return;
	}
	if (lease_ask(e, rq, &err) < 0) {
		internal_fail(e, vf, &err);
		return;
	}
	rq->state = REQ_SYNC;
	rq->wait_seq = sync_want(e);
}

void setup_synced(struct engine *e, struct request *rq)
{
	rq->state = REQ_IPAM;
	lease_run_add(e, rq);
}

/* Row "RESERVED, same owner and same request nonce", after an engine died: its client is
 * here again.  Steps are idempotent, so the plan simply runs once more. */
void setup_resume(struct engine *e, struct request *rq)
{
	struct vf *vf = rq->vf;
	struct lease *l = node_lease(e->node, vf->rec.lease_id);
	struct vfk_err err = { 0 };
	size_t len;

	take(vf, rq);
	rq->lease = l;
	vf->rec.done = 0;
	if (!l) {
		rq->state = REQ_SETUP;
		if (own_again(rq, vf, &err) < 0)
			internal_fail(e, vf, &err);
		else
			setup_next(e, vf);
		return;
	}
	rq->holds_lease = l->rec.id;
	if (l->state == LEASE_ASKED) {
		/* Its plugin runs or has ended: RAN comes, or the byte is let go (R9). */
		rq->state = REQ_IPAM;
		rq->run_sent = true;
		l->runner = rq;
		if (rq->early_out) {
			VFK_AUTO(free_auto) char *out = VFK_STEAL(rq->early_out);

			lease_ran(e, rq, &rq->early, out, rq->early_len);
		}
		return;
	}
	VFK_AUTO(free_auto)
	char *text = node_blob_get(e->node, e->journal, vf->rec.result_blob, &len, &err);

	if (!text || cni_ipam_parse(&rq->ipam, text, len, &err) < 0) {
		internal_fail(e, vf, &err);
		return;
	}
	rq->state = REQ_SETUP;
	setup_next(e, vf);
}

void setup_lease_held(struct engine *e, struct request *rq)
{
	rq->state = REQ_SETUP;
	setup_next(e, rq->vf);
}

/* A VF without a link has no address that could be seen: what its PF holds, if that is any. */
static void say_mac_of_pf(struct request *rq, const struct vf *vf)
{
	static const uint8_t none[6];
	const struct vf_settings *set = vf->rec.wanted.has & HAS_MAC ?
						&vf->rec.wanted :
						&vf->rec.baseline.set;

	if (rq->hwaddr_len || plan_has_link(&vf->rec) || !(set->has & HAS_MAC) ||
	    !memcmp(set->mac, none, sizeof(none)))
		return;
	memcpy(rq->hwaddr, set->mac, sizeof(set->mac));
	rq->hwaddr_len = sizeof(set->mac);
}

static void attached(struct engine *e, struct vf *vf)
{
	struct request *rq = vf->adder;
	struct cni_link link = { .mtu_bytes = rq->mtu_bytes, .pci = vf->rec.addr };
	struct vfk_err err = { 0 };
	uint64_t blob;

	say_mac_of_pf(rq, vf);
	octets_format(rq->hwaddr, rq->hwaddr_len, link.mac, sizeof(link.mac));
	VFK_AUTO(free_auto)
	char *text = cni_result(&rq->cni, &link, rq->cni.ipam_type[0] ? &rq->ipam : NULL,
				&err);

	if (text && strlen(text) > 64 * 1024) {
		vfk_err_set(&err, VFK_E_LIMIT, 0,
			    "the result has %zu bytes, 65536 are allowed", strlen(text));
		internal_fail(e, vf, &err);
		return;
	}
	blob = text ? record_blob(e, text, strlen(text), &err) : 0;
	if (!blob) {
		internal_fail(e, vf, &err);
		return;
	}
	node_blob_drop(e->node, vf->rec.result_blob);
	vf->rec.result_blob = blob;
	/* What nobody will see done to it is on record before the pod begins. */
	if (plan_for_user(&vf->rec))
		vf->rec.touched |= STEP_BIT(SETTINGS);
	if (vf_event(e, vf, VF_EV_SETUP_DONE, true) < 0) {
		vfk_err_set(&err, VFK_E_BUSY, 0, "%s", e->broken);
		internal_fail(e, vf, &err);
		return;
	}
	vf->adder = NULL;
	vf->verified = true;
	fd_auto(&vf->netns_fd);
	vf->netns_fd = -1;
	request_answer(e, rq, 0, text);
	vf_queue_run(e, vf);
}

void setup_next(struct engine *e, struct vf *vf)
{
	struct request *rq = vf->adder;
	uint32_t pending, batch, n_ips = rq->ipam.n_ips, n_routes = rq->ipam.n_routes;
	enum drv_lock lock;
	struct job *job;

	if (vf->job || vf->fsm.state != VF_RESERVED)
		return;
	pending = plan_attach(&vf->rec.wanted, plan_has_link(&vf->rec), n_ips > 0,
			      vf->rebind) &
		  ~vf->rec.done;
	if (!pending) {
		attached(e, vf);
		return;
	}
	batch = plan_batch(pending, &lock);
	if ((vf->rec.touched | batch) != vf->rec.touched) {
		/* P1: what may be changed is on record before it is. */
		vf->rec.begun |= batch;
		vf->rec.touched |= batch;
		if (vf_event(e, vf, VF_EV_STEP, true) < 0) {
			struct vfk_err err = { 0 };

			vf->rec.touched &= ~batch;
			vfk_err_set(&err, VFK_E_BUSY, 0, "%s", e->broken);
			internal_fail(e, vf, &err);
			return;
		}
	}
	if (!(batch & STEP_BIT(ADDRESSES)))
		n_ips = n_routes = 0;
	job = job_new(e, JOB_STEPS, lock, vf,
		      n_ips * sizeof(struct drv_ip) + n_routes * sizeof(struct drv_route));
	if (!job || !job_for_vf(job, vf, vf->netns_fd)) {
		struct vfk_err err = { 0 };

		vfk_err_set(&err, VFK_E_NOMEM, 0, "%s", job ? NO_DESCRIPTOR : "attach job");
		job_free(job);
		internal_fail(e, vf, &err);
		return;
	}
	job->steps = job->req->steps = batch;
	job->req->call.n_ips = n_ips;
	job->req->call.n_routes = n_routes;
	memcpy(job->req + 1, rq->ipam.ips, n_ips * sizeof(struct drv_ip));
	memcpy((char *)(job->req + 1) + n_ips * sizeof(struct drv_ip), rq->ipam.routes,
	       n_routes * sizeof(struct drv_route));
	job_submit(e, job);
}

void setup_steps_done(struct engine *e, struct vf *vf, const struct job *job,
		      const struct job_res *res)
{
	struct request *rq = vf->adder;

	(void)job;
	vf->rec.done |= res->done;
	if (res->out.ifindex)
		vf->rec.ifindex = res->out.ifindex;
	if (res->out.netns_cookie) {
		vf->rec.netns_cookie = res->out.netns_cookie;
		vf->rec.nsid = res->out.nsid;
	}
	vf->rebind |= res->out.rebind_needed;
	if (!rq) {
		/* The ADD of an earlier engine, whose job this is not: REPLAY decides. */
		vf_queue_run(e, vf);
		return;
	}
	request_cause(e, rq);
	if (res->out.hwaddr_len) {
		memcpy(rq->hwaddr, res->out.hwaddr, sizeof(rq->hwaddr));
		rq->hwaddr_len = res->out.hwaddr_len;
	}
	if (res->out.mtu_bytes)
		rq->mtu_bytes = res->out.mtu_bytes;
	if (res->err.kind)
		internal_fail(e, vf, &res->err);
	else
		setup_next(e, vf);
}

void setup_failed(struct engine *e, struct vf *vf, enum vf_event ev,
		  enum lease_event lease_ev, const struct cni_fail *fail)
{
	struct request *rq = vf->adder;
	struct lease *l = node_lease(e->node, vf->rec.lease_id);

	vf->adder = NULL;
	if (rq)
		rq->run_waits = false; /* what was not asked for yet never will be */
	job_forget_waiting(vf);
	/* A client that is told to stop its plugin answers with RAN; until then it can run
	 * nothing else. */
	if (rq && rq->run_sent && rq->client)
		e->ops.cancel(e->ops.ctx, rq->client);
	if (l && (l->state == LEASE_ASKED || l->state == LEASE_HELD))
		lease_release(e, l, lease_ev);
	if (rq && !rq->client) {
		rq->vf = NULL;
		request_free(rq);
	} else if (rq) {
		/* Nothing is left behind when the error is said, within reason. */
		rq->fail = *fail;
		rq->state = REQ_FAILED;
		rq->vf = vf;
		rq->attach_seq = vf->rec.attach_seq;
		rq->lease = l;
		rq->deadline_ns =
			within_client(rq, now_ns(e) + e->config.del_wait_ms * NS_PER_MS);
		wake(e, rq->deadline_ns);
	}
	release_begin(e, vf, ev);
}
