/* SPDX-License-Identifier: Apache-2.0 */
/* A VF from DETACHING to FREE, or to FAULTED and back with growing pauses. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/plan.h"

#define NETNS_KEPT_NS (60 * NS_PER_S)

static int64_t back_off_ns(const struct engine *e, uint32_t attempts)
{
	int64_t ns = e->config.retry_min_ms * NS_PER_MS;
	int64_t max = e->config.retry_max_ms * NS_PER_MS;

	while (attempts-- > 1 && ns < max)
		ns *= 2;
	return ns < max ? ns : max;
}

static void netns_let_go(struct vf *vf)
{
	fd_auto(&vf->netns_fd);
	vf->netns_fd = -1;
}

bool release_begin(struct engine *e, struct vf *vf, enum vf_event ev)
{
	int todo = vf_event(e, vf, ev, false);

	if (todo < 0)
		return false;
	if (ev == VF_EV_RETRY || ev == VF_EV_PF_RECOVERED) /* one round, not a new siege */
		vf->rec.attempts = e->config.give_up_after - 1;
	vf->retry_at_ns = 0;
	vf->netns_until_ns = now_ns(e) + NETNS_KEPT_NS;
	if (vf->netns_fd >= 0)
		wake(e, vf->netns_until_ns);
	if (todo & VF_DO_RESTORE)
		release_next(e, vf);
	else
		release_over(e, vf);
	return true;
}

bool vf_link_has_left(const struct vf *vf)
{
	uint32_t plan = plan_detach(vf->rec.touched, plan_has_link(&vf->rec), vf->rebind);

	return vf->link_left || !(plan & STEP_BIT(LINK_HOME)) ||
	       (vf->rec.done & STEP_BIT(LINK_HOME));
}

static void restored(struct engine *e, struct vf *vf)
{
	cause_set(e, CAUSE_ENGINE, "everything is as the baseline says");
	vf_event(e, vf, VF_EV_RESTORE_DONE, false);
	/* An adopted VF has no baseline yet: the next look takes one (P4). */
	vf->verified = vf->rec.baseline.valid;
	netns_let_go(vf);
	release_over(e, vf);
}

/* A round of the plan is over and some of its steps failed. */
static void round_failed(struct engine *e, struct vf *vf)
{
	vf->plan_failed = 0;
	vf->rec.attempts++;
	if (vf->rec.attempts >= e->config.give_up_after) {
		cause_set(e, CAUSE_ENGINE, "%u rounds of the detach plan failed",
			  vf->rec.attempts);
		vf_event(e, vf, VF_EV_GAVE_UP, false);
		vf->retry_at_ns = now_ns(e) + e->config.retry_max_ms * NS_PER_MS;
		wake(e, vf->retry_at_ns);
		netns_let_go(vf);
		release_over(e, vf);
		return;
	}
	vf_event(e, vf, VF_EV_STEP, false);
	vf->retry_at_ns = now_ns(e) + back_off_ns(e, vf->rec.attempts);
	wake(e, vf->retry_at_ns);
}

/* A link that does not come home, in a namespace that nobody gave a way into, is made anew by
 * taking the driver off.  What has device files then gives up their numbers. */
static bool may_take_driver(const struct vf *vf)
{
	const struct vf_baseline *base = &vf->rec.baseline;

	return vf->netns_fd < 0 && (!base->valid || base->rdma_dev[0]);
}

void release_next(struct engine *e, struct vf *vf)
{
	uint32_t plan, pending, batch;
	enum drv_lock lock;
	struct job *job;

	if (vf->job || vf->fsm.state != VF_DETACHING)
		return;
	if (vf->act_after_seq && engine_can_record(e) && !synced(e, vf->act_after_seq))
		return; /* vfs_synced comes back */
	vf->act_after_seq = 0;
	plan = plan_detach(vf->rec.touched, plan_has_link(&vf->rec), vf->rebind);
	pending = plan & ~vf->rec.done & ~vf->plan_failed;
	if (!(plan & ~vf->rec.done)) {
		restored(e, vf);
		return;
	}
	/* Verifying makes no sense while something is known to be wrong. */
	if (vf->plan_failed)
		pending &= ~STEP_BIT(VERIFY);
	if (vf->plan_failed & STEP_BIT(LINK_HOME))
		pending &= ~STEP_BIT(LINK_BASELINE);
	if (!pending) {
		round_failed(e, vf);
		return;
	}
	if (vf_byte_held(e, vf)) { /* a step of an engine before us, or one that is stuck */
		vf->stuck = true;
		vf->retry_at_ns = now_ns(e) + BYTE_POLL_NS;
		wake(e, vf->retry_at_ns);
		return;
	}
	vf->stuck = false;
	batch = plan_batch(pending, &lock);
	if (batch & STEP_BIT(LINK_HOME) && may_take_driver(vf))
		lock = LOCK_REBIND;
	if ((vf->rec.begun | batch) != vf->rec.begun) {
		vf->rec.begun |= batch;
		vf_event(e, vf, VF_EV_STEP, false);
	}
	job = job_new(e, JOB_STEPS, lock, vf, 0);
	if (!job || !job_for_vf(job, vf, vf->netns_fd)) {
		job_free(job);
		vf->retry_at_ns = now_ns(e) + back_off_ns(e, 1);
		wake(e, vf->retry_at_ns);
		return;
	}
	job->steps = job->req->steps = batch;
	job_submit(e, job);
}

/* Requests and leases of this owner that wait for its link. */
static void tell(struct engine *e, const struct attachment *owner)
{
	struct lease *l = attachment_none(owner) ? NULL : node_lease_of(e->node, owner);

	if (l && l->state == LEASE_OWED) {
		l->retry_at_ns = 0;
		leases_deadlines(e, now_ns(e));
	}
	requests_check(e);
}

void release_steps_done(struct engine *e, struct vf *vf, const struct job *job,
			const struct job_res *res)
{
	bool had_left = vf_link_has_left(vf);
	uint32_t failed = job->steps & ~res->done;

	vf->rebind |= res->out.rebind_needed;
	if (res->taken)
		rebind_first(e, vf);
	if (res->out.ifindex)
		vf->rec.ifindex = res->out.ifindex;
	if (res->out.netns_cookie) {
		vf->rec.netns_cookie = res->out.netns_cookie;
		vf->rec.nsid = res->out.nsid;
	}
	if (job->steps & ~plan_detach(PLAN_TOUCHED_ALL, true, true)) {
		/* The last job of an ADD that was ended meanwhile: its effects are undone by
		 * a plan that begins only now. */
		release_next(e, vf);
		return;
	}
	vf->rec.done |= res->done;
	/* Also when a look then says that something is wrong and all is done again. */
	vf->link_left = vf_link_has_left(vf);
	if (res->err.kind) {
		char addr[PCI_STRLEN];

		snprintf(vf->rec.reason, sizeof(vf->rec.reason), "%.190s", res->err.msg);
		log_warn("engine", "vf=%s release: %s", pci_format(vf->rec.addr, addr),
			 res->err.msg);
		cause_set(e, CAUSE_ENGINE, "failed: %.100s", res->err.msg);
		/* A rebind wish of a failed step is asked again by the step itself. */
		vf->plan_failed |= failed;
		if (failed & STEP_BIT(VERIFY)) {
			/* Something is not as it should be: do it all again, and what the link
			 * and the PF hold, which somebody may have changed meanwhile. */
			vf->rec.done = 0;
			vf->rec.touched |= STEP_BIT(SETTINGS) | STEP_BIT(LINK_SETTINGS);
			vf->plan_failed = plan_detach(vf->rec.touched,
						      plan_has_link(&vf->rec), vf->rebind);
		}
	}
	if (res->done & STEP_BIT(VERIFY))
		vf->mtu_free = res->out.mtu_bytes;
	if (res->done & STEP_BIT(REBIND_HOME))
		vf->rebind = (vf->rec.touched & STEP_BIT(REBIND)) != 0;
	if (!had_left && vf_link_has_left(vf))
		tell(e, &vf->rec.owner);
	release_next(e, vf);
}

void release_over(struct engine *e, struct vf *vf)
{
	requests_check(e);
	leases_deadlines(e, now_ns(e));
	vf_queue_run(e, vf);
}

static void vf_deadline(struct engine *e, struct vf *vf, int64_t now)
{
	if (vf->netns_fd >= 0 && vf->fsm.state == VF_DETACHING) {
		if (now < vf->netns_until_ns)
			wake(e, vf->netns_until_ns);
		else /* a descriptor of ours must not keep a netns alive */
			netns_let_go(vf);
	}
	if (!vf->retry_at_ns)
		return;
	if (now < vf->retry_at_ns) {
		wake(e, vf->retry_at_ns);
		return;
	}
	vf->retry_at_ns = 0;
	switch (vf->fsm.state) {
	case VF_DETACHING:
		release_next(e, vf);
		break;
	case VF_FAULTED:
		cause_set(e, CAUSE_ENGINE, "retry of a faulted VF");
		if (!vf->fsm.foreign)
			release_begin(e, vf, VF_EV_RETRY);
		break;
	case VF_RESERVED: /* its caller may be here again, and wait for the last step (R6) */
		vf_queue_run(e, vf);
		recover_reserved(e, vf);
		break;
	case VF_FREE:
	case VF_ATTACHED:
	case VF_ABSENT:
		vf_queue_run(e, vf);
		break;
	}
}

void vfs_synced(struct engine *e)
{
	for (size_t i = 0; i < e->node->n_vfs; i++)
		if (e->node->vfs[i]->act_after_seq)
			release_next(e, e->node->vfs[i]);
}

void vfs_deadlines(struct engine *e, int64_t now)
{
	for (size_t i = 0; i < e->node->n_vfs; i++)
		vf_deadline(e, e->node->vfs[i], now);
}
