/* SPDX-License-Identifier: Apache-2.0 */
/* Making record and kernel agree again: at the start of an engine (P5, R13), at discovery,
 * and from time to time. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "drivers/registry.h"
#include "engine/baseline.h"
#include "engine/plan.h"

#define RECONCILE_STEP_NS (NS_PER_S / 10)
/* No more than the workers that are kept: none is made for it. */
#define RECONCILE_BATCH 8

/* Journal bytes per file for so many VFs: a snapshot of every VF and lease (R15) with room
 * for as many records again. */
static uint64_t journal_size_for(size_t n_vfs)
{
	return UINT64_C(4) * 1024 * 1024 + n_vfs * UINT64_C(12) * 1024;
}

static bool old_boot(const struct engine *e, const struct rec_meta *meta)
{
	return meta->boot_id[0] && strcmp(meta->boot_id, e->boot_id) != 0;
}

/* R13.  By each record of its own: the one of the node may be among what was damaged. */
static void reboot(struct engine *e)
{
	cause_set(e, CAUSE_ENGINE, "first engine of boot %.36s", e->boot_id);
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (vf->fsm.state != VF_ABSENT && old_boot(e, &vf->rec.meta))
			vf_event(e, vf, VF_EV_REBOOT, false);
	}
	list_each(it, &e->node->leases) {
		struct lease *l = list_entry(it, struct lease, link);

		if ((l->state == LEASE_ASKED || l->state == LEASE_HELD) &&
		    old_boot(e, &l->rec.meta))
			lease_event(e, l, LEASE_EV_REBOOT, false);
	}
}

/* A RESERVED VF of an engine before us. */
void recover_reserved(struct engine *e, struct vf *vf)
{
	struct lease *l = node_lease(e->node, vf->rec.lease_id);
	bool lost = now_ns(e) - vf->since_boot_ns > LOST_PLUGIN_NS;

	if (vf->adder || vf->job || vf->fsm.state != VF_RESERVED)
		return;
	vf->stuck = vf_byte_held(e, vf); /* by nobody that this engine knows */
	if (vf->stuck || (l && lease_byte_held(e, l->rec.id) && !lost)) {
		/* R9: its client is alive and will come; or a step is in the kernel. */
		vf->retry_at_ns = now_ns(e) + BYTE_POLL_NS;
		wake(e, vf->retry_at_ns);
		return;
	}
	cause_set(e, CAUSE_ENGINE, "replay of a half-done ADD");
	if (l && (l->state == LEASE_ASKED || l->state == LEASE_HELD))
		lease_release(e, l, LEASE_EV_REPLAY);
	release_begin(e, vf, VF_EV_REPLAY);
}

/* Leases that no VF stands for any more. */
static void recover_lease(struct engine *e, struct lease *l)
{
	const struct vf *vf = node_vf(e->node, l->rec.vf);
	/* One that is being released has let go of its lease before: where the record of that is
	 * among what was damaged, it does so now. */
	bool owned = vf && vf->rec.lease_id == l->rec.id &&
		     (vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_ATTACHED);

	cause_set(e, CAUSE_ENGINE, "replay of lease %llu", (unsigned long long)l->rec.id);
	if (export_lease(e, l)) /* the engine before us wrote the VF's record only */
		return;
	if (!owned && l->state == LEASE_ASKED)
		lease_release(e, l, LEASE_EV_REPLAY);
	else if (!owned && l->state == LEASE_HELD)
		lease_release(e, l, LEASE_EV_SETUP_FAILED);
	if (l->state == LEASE_OWED) {
		l->wait_until_ns = now_ns(e) + LOST_PLUGIN_NS;
		l->retry_at_ns = now_ns(e) + e->config.retry_min_ms * NS_PER_MS;
		wake(e, l->retry_at_ns);
	}
}

/* Whether the engine before us may have left it between unbind and bind. */
static bool may_be_half_bound(const struct vf *vf)
{
	const struct rec_vf *rec = &vf->rec;
	uint32_t may = rec->begun | (rec->touched & STEP_BIT(REBIND));

	if (vf->fsm.state == VF_RESERVED)
		return may & ~rec->done & STEP_BIT(REBIND);
	return vf->fsm.state == VF_DETACHING && !(rec->done & STEP_BIT(REBIND_HOME)) &&
	       may & (STEP_BIT(REBIND) | STEP_BIT(REBIND_HOME));
}

void recover_begin(struct engine *e)
{
	reboot(e);
	cause_set(e, CAUSE_ENGINE, "engine started");
	record_node(e);
	list_each_safe(it, &e->node->leases)
		recover_lease(e, list_entry(it, struct lease, link));
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		vf->since_boot_ns = now_ns(e);
		cause_set(e, CAUSE_ENGINE, "engine started");
		if (may_be_half_bound(vf))
			rebind_first(e, vf);
		if (vf->fsm.state == VF_RESERVED) {
			recover_reserved(e, vf);
		} else if (vf->fsm.state == VF_DETACHING) {
			vf->rebind = (vf->rec.touched & STEP_BIT(REBIND)) != 0;
			vf->netns_until_ns = now_ns(e) + 60 * NS_PER_S;
			release_next(e, vf);
		} else if (vf->fsm.state == VF_FAULTED) {
			vf->retry_at_ns = now_ns(e) + e->config.retry_max_ms * NS_PER_MS;
			wake(e, vf->retry_at_ns);
		}
	}
	discover_start(e);
}

void vf_vanished(struct engine *e, struct vf *vf)
{
	struct cni_fail fail;
	char addr[PCI_STRLEN];

	job_forget_waiting(vf);
	if (vf->fsm.state == VF_RESERVED) {
		cni_fail_set(&fail, 11,
			     "VF %s went from the bus while it was being attached",
			     pci_format(vf->rec.addr, addr));
		setup_failed(e, vf, VF_EV_VANISHED, LEASE_EV_SETUP_FAILED, &fail);
	} else {
		release_begin(e, vf, VF_EV_VANISHED);
	}
	fd_auto(&vf->netns_fd);
	vf->netns_fd = -1;
}

static void discover_later(struct engine *e)
{
	e->rediscover_at_ns = now_ns(e) + NS_PER_S;
	wake(e, e->rediscover_at_ns);
}

void discover_start(struct engine *e)
{
	struct job *job;

	if (e->discovering) {
		e->rediscover = true;
		return;
	}
	job = job_new(e, JOB_DISCOVER, LOCK_NONE, NULL, 0);
	if (job)
		job->memfd = e->ops.memfd(e->ops.ctx, "discovered", "", 0);
	if (!job || job->memfd < 0 || !job_takes(job, job->memfd)) {
		job_free(job);
		discover_later(e); /* nothing else would begin the first one again */
		return;
	}
	e->discovering = true;
	e->discover_began_ns = now_ns(e);
	job_submit(e, job);
}

void discover_wait(struct engine *e, struct request *rq)
{
	rq->state = REQ_WAIT_DISCOVERY;
	if (!e->discovering && !e->rediscover_at_ns)
		discover_start(e);
}

const char *discover_failed(const struct engine *e, const struct request *rq)
{
	return e->discover_error[0] && e->discovered_at_ns >= rq->arrived_ns ?
		       e->discover_error :
		       NULL;
}

bool handed_out(const struct engine *e, const struct vf_baseline *seen)
{
	const struct vf_settings *set = &seen->set;

	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];
		const struct vf_settings *w = &vf->rec.wanted;

		/* What is kept of these is of an earlier incarnation. */
		if (vf->fsm.state == VF_ABSENT || vf->fsm.foreign)
			continue;
		if ((w->has & set->has & HAS_PORT_GUID) && w->port_guid == set->port_guid)
			return true;
		if ((w->has & set->has & HAS_MAC) &&
		    !memcmp(w->mac, set->mac, sizeof(w->mac)))
			return true;
		if (w->has & HAS_MAC && seen->hwaddr_len == sizeof(w->mac) &&
		    !memcmp(w->mac, seen->hwaddr, sizeof(w->mac)))
			return true;
	}
	return false;
}

/* PFs set a GUID again that a VF had before it went.  One that an attachment had been 'given' is
 * nobody's baseline (P4), nor is another VF's name: it is undone like all that an attachment has
 * set. */
static void take_stale(struct engine *e, struct vf *vf, const struct vf_baseline *base,
		       bool given)
{
	cause_set(e, CAUSE_EVENT,
		  given ? "it came back with the GUID or MAC of an attachment" :
			  "its link came with the name of another VF's");
	vf->rec.baseline = *base;
	vf->rec.touched = STEP_BIT(LINK_SETTINGS) | (given ? STEP_BIT(SETTINGS) : 0);
	if (!given)
		memset(&vf->rec.wanted, 0, sizeof(vf->rec.wanted));
	release_begin(e, vf, VF_EV_STALE);
}

static void take_baseline(struct vf *vf, const struct vf_baseline *base)
{
	vf->rec.baseline = *base;
	/* What was kept of an earlier incarnation has served. */
	memset(&vf->rec.wanted, 0, sizeof(vf->rec.wanted));
}

static void appear(struct engine *e, struct vf *vf, const struct job_found *found)
{
	const struct drv_vf *seen = &found->vf;
	struct vf_baseline base = seen->seen;
	bool elsewhere = seen->where == WHERE_ELSEWHERE, stale, twin, foreign, named;

	if (old_boot(e, &vf->rec.meta)) { /* no card keeps it so long */
		memset(&vf->rec.baseline, 0, sizeof(vf->rec.baseline));
		memset(&vf->rec.wanted, 0, sizeof(vf->rec.wanted));
	}
	stale = baseline_mend(&base, &vf->rec.baseline, &vf->rec.wanted);
	twin = !elsewhere && seen->bound && handed_out(e, &base);
	foreign = elsewhere || !seen->bound || twin;
	named = !foreign && tidy_name(e, vf, &base);
	vf->rec.pf = seen->pf;
	vf->rec.index = seen->index;
	vf->rec.incarnation = seen->incarnation;
	vf->rec.ifindex = seen->ifindex;
	snprintf(vf->rec.driver, sizeof(vf->rec.driver), "%s", found->driver);
	vf->fsm.foreign = foreign;
	vf->own_known = !seen->bound; /* without a driver there is no link */
	if (twin) {
		snprintf(vf->rec.reason, sizeof(vf->rec.reason),
			 "it has a GUID or MAC that a pod has been given");
	} else if (foreign) {
		snprintf(vf->rec.reason, sizeof(vf->rec.reason),
			 "%s when it was found, by "
			 "nobody that is on record",
			 seen->bound ? "its link was outside the home namespace" :
				       "it was bound to no driver");
	} else if (stale || named) {
		take_stale(e, vf, &base, stale);
		return;
	} else {
		take_baseline(vf, &base); /* P4: nobody owns it, its link is home */
		vf->rec.reason[0] = '\0';
		vf->verified = true;
	}
	vf_event(e, vf, VF_EV_APPEARED, false);
}

/* A VF that had a driver, or of which nothing is known, and that has none now: there is
 * nothing to hand out (R14). */
static bool unbound(const struct vf *vf, const struct vf_baseline *seen)
{
	return seen->valid && !seen->driver[0] &&
	       (vf->rec.baseline.driver[0] || !vf->rec.baseline.valid);
}

static void taken(struct engine *e, struct vf *vf, const char *why)
{
	cause_set(e, CAUSE_EVENT, "%s", why);
	vf->fsm.foreign = true;
	vf->own_known = false;
	snprintf(vf->rec.reason, sizeof(vf->rec.reason), "%s by nobody that is on record",
		 why);
	vf_event(e, vf, VF_EV_TAKEN, false);
}

/* A link that joins the multicast group of its partition in a pod is cut to the MTU of that, until
 * it is made anew: the free VF was not like that.  An operator's MTU is one that changed since the
 * VF was last seen free. */
static bool mtu_was_cut(const struct vf *vf, const struct vf_baseline *seen)
{
	const struct vf_settings *base = &vf->rec.baseline.set, *set = &seen->set;

	return set->has & base->has & HAS_IPOIB_MODE && !set->ipoib_mode &&
	       set->has & base->has & HAS_MTU && set->mtu_bytes < base->mtu_bytes &&
	       (!vf->mtu_free || vf->mtu_free == set->mtu_bytes);
}

/* What a look has not seen, or not seen as it was, of a FREE VF. */
static void fill(const struct vf *vf, struct vf_baseline *seen)
{
	baseline_fill(seen, &vf->rec.baseline);
	if (mtu_was_cut(vf, seen))
		seen->set.mtu_bytes = vf->rec.baseline.set.mtu_bytes;
}

static struct judgement judge_free(const struct engine *e, const struct vf *vf,
				   enum drv_where where, const struct vf_baseline *look)
{
	const struct judgement nothing = { .found = false };
	const struct vf_baseline *base = &vf->rec.baseline;
	struct vf_baseline filled = *look;
	const struct vf_baseline *seen = &filled;

	fill(vf, &filled);
	if (where == WHERE_ELSEWHERE)
		return (struct judgement){ true, VF_EV_TAKEN, "its link was moved away" };
	if (where != WHERE_HOME)
		return nothing;
	if (unbound(vf, seen))
		return (struct judgement){ true, VF_EV_TAKEN,
					   "it was unbound from its driver" };
	if (!seen->valid ||
	    (base->valid && baseline_equal(base, seen) &&
	     (!strcmp(base->rdma_dev, seen->rdma_dev) || !seen->rdma_dev[0])))
		return nothing;
	if (handed_out(e, seen))
		return (struct judgement){ false, VF_EV_BASELINE,
					   "carries a GUID or MAC that a pod has: baseline "
					   "kept" };
	if (base->valid && base->ifname[0] && strcmp(base->ifname, seen->ifname) != 0 &&
	    tidy_name_taken(e, vf, seen->ifname))
		return (struct judgement){ true, VF_EV_RETURNED,
					   "it has the name of another VF's link" };
	if (base->valid && !base->rdma_dev[0] &&
	    baseline_equal(base, seen)) /* later than its link, as at boot */
		return (struct judgement){ true, VF_EV_BASELINE, "its RDMA device came" };
	return (struct judgement){ true, VF_EV_BASELINE, "an operator changed the free VF" };
}

/* A FREE VF that somebody else may have changed. */
static void check_free(struct engine *e, struct vf *vf, enum drv_where where,
		       const struct vf_baseline *look)
{
	struct judgement j = judge_free(e, vf, where, look);
	struct vf_baseline seen = *look;
	char addr[PCI_STRLEN];

	if (j.found && j.ev == VF_EV_TAKEN) {
		taken(e, vf, j.why);
		return;
	}
	if (where != WHERE_HOME)
		return;
	vf->verified = true;
	fill(vf, &seen);
	vf->mtu_free = look->set.has & HAS_MTU ? look->set.mtu_bytes : 0;
	if (tidy_begin(e, vf, &seen))
		return;
	if (!j.found && j.why)
		log_warn("engine", "vf=%s %s", pci_format(vf->rec.addr, addr), j.why);
	if (!j.found)
		return;
	cause_set(e, CAUSE_EVENT, "%s", j.why);
	if (j.ev == VF_EV_RETURNED && !e->judging_all) {
		engine_bus_changed(e); /* two may have been exchanged: a list of all tells */
		return;
	}
	if (j.ev == VF_EV_RETURNED) {
		tidy_taken(e, vf);
		return;
	}
	vf->rec.baseline = seen;
	tidy_name(e, vf, &vf->rec.baseline);
	vf_event(e, vf, VF_EV_BASELINE, false);
}

/* The link of a VF that somebody else had.  What it was like before that is its baseline still,
 * whatever name it comes back with; one that was never free has none (P4). */
static void came_home(struct engine *e, struct vf *vf, uint32_t ifindex,
		      const struct vf_baseline *seen)
{
	bool known = vf->rec.baseline.valid && vf->rec.baseline.ifname[0];
	struct vf_baseline base = *seen;
	bool stale = !known && baseline_mend(&base, &vf->rec.baseline, &vf->rec.wanted);
	bool named;

	if (!known && handed_out(e, &base)) /* P4: the next look sees whether it still has */
		return;
	if (!known)
		vf->rec.ifindex = ifindex;
	named = !known && tidy_name(e, vf, &base);
	if (stale || named) {
		take_stale(e, vf, &base, stale);
		return;
	}
	if (!known)
		take_baseline(vf, &base);
	vf_event(e, vf, VF_EV_HOME, false);
	vf->rec.ifindex = ifindex; /* not with HOME: an engine after us has to see it, too */
	vf->verified = vf->rec.baseline.valid;
	vf->renewed = known;
	if (known)
		check_free(e, vf, WHERE_HOME, seen);
}

/* What a device does not have is known when all of it is there: the RDMA device that its driver
 * makes may be in a pod, or not back yet, and so may the driver. */
static void learn_cannot(struct vf *vf, uint32_t cannot, const struct vf_baseline *seen)
{
	if (vf->rec.baseline.rdma_dev[0] && !seen->rdma_dev[0] &&
	    (!seen->driver[0] || !strcmp(vf->rec.baseline.driver, seen->driver)))
		cannot &= ~(uint32_t)HAS_RDMA_ISOLATION;
	vf->cannot = cannot;
}

static void vf_seen(struct engine *e, const struct job_found *found)
{
	struct vf *vf = node_vf_add(e->node, found->vf.addr);

	if (!vf)
		return;
	vf->seen = true;
	learn_cannot(vf, found->vf.cannot, &found->vf.seen);
	if (vf->since_boot_ns > e->discover_began_ns || vf->job)
		return; /* it changed while the worker looked: this is old news */
	cause_set(e, CAUSE_EVENT, "discovery");
	if (vf->fsm.state != VF_ABSENT && vf->rec.incarnation != found->vf.incarnation) {
		vf_vanished(e, vf);
	}
	/* R6: a step of an engine that could write nothing down is under way still. */
	if ((vf->fsm.state == VF_ABSENT || vf->fsm.state == VF_FREE) &&
	    vf_byte_held(e, vf)) {
		vf->verified = false;
		discover_later(e);
		return;
	}
	switch (vf->fsm.state) {
	case VF_ABSENT:
		appear(e, vf, found);
		break;
	case VF_FREE:
		tidy_index(vf, found->vf.ifindex);
		check_free(e, vf, found->vf.where, &found->vf.seen);
		break;
	case VF_FAULTED:
		vf->own_known |= !found->vf.bound;
		if (vf->fsm.foreign && found->vf.where == WHERE_HOME && found->vf.bound)
			came_home(e, vf, found->vf.ifindex, &found->vf.seen);
		break;
	case VF_ATTACHED:
		if (found->vf.where == WHERE_HOME)
			observe_start(e, vf,
				      NULL); /* one exact look before anything is done */
		break;
	case VF_RESERVED:
	case VF_DETACHING:
		break;
	}
	vf_queue_run(e, vf);
}

/* An operator has given the link of this free VF another name, so that the one before is free for
 * others.  One that was made anew has lost it, and gets it back. */
static bool was_renamed(const struct vf *vf, const struct drv_vf *seen)
{
	return vf->fsm.state == VF_FREE && seen->where == WHERE_HOME && seen->seen.valid &&
	       seen->seen.ifname[0] && seen->ifindex == vf->rec.ifindex &&
	       strcmp(seen->seen.ifname, vf->rec.baseline.ifname) != 0;
}

/* Before each is judged by itself: whose baseline names are free, with all of them in view.  Those
 * who went are told so after the others only. */
static void look_at_names(struct engine *e, const char *found, size_t n)
{
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		vf->name_free = !e->discover_error[0] &&
				registry_find(&e->config.env, vf->rec.driver);
	}
	for (size_t i = 0; i < n; i++) {
		struct job_found f;
		struct vf *vf;

		memcpy(&f, found + i * sizeof(f), sizeof(f));
		vf = f.is_pf ? NULL : node_vf(e->node, f.vf.addr);
		if (vf)
			vf->name_free = !vf->job &&
					vf->since_boot_ns <= e->discover_began_ns &&
					(vf->rec.incarnation != f.vf.incarnation ||
					 was_renamed(vf, &f.vf));
	}
}

static void grow(struct engine *e)
{
	struct vfk_err err = { 0 };

	if (e->journal &&
	    journal_grow(e->journal, journal_size_for(e->node->n_vfs), &err) < 0)
		log_error("journal",
			  "cannot grow for %zu VFs: %s; an ADD may be refused for "
			  "lack of room",
			  e->node->n_vfs, err.msg);
}

void discover_done(struct engine *e, struct job *job, const struct job_res *res)
{
	size_t len = 0, n_before = e->node->n_vfs;
	VFK_AUTO(free_auto) char *bytes = e->ops.slurp(e->ops.ctx, job->memfd, &len);
	size_t n = bytes ? len / sizeof(struct job_found) : 0;

	e->discovering = false;
	e->discover_ended_ns = now_ns(e);
	e->discover_took_ns = e->discover_ended_ns - e->discover_began_ns;
	if (res->err.kind == VFK_E_BUSY) {
		/* Links are moving: neither an answer nor a failure.  Who waits goes on to. */
		log_info("engine", "discovery: %s", res->err.msg);
		discover_later(e);
		return;
	}
	e->discovered_at_ns = e->discover_began_ns;
	snprintf(e->discover_error, sizeof(e->discover_error), "%.190s",
		 res->err.kind ? res->err.msg :
		 bytes	       ? "" :
				 "what it found cannot be read");
	if (e->discover_error[0])
		log_error("engine", "discovery: %s", e->discover_error);
	for (size_t i = 0; i < e->node->n_vfs; i++)
		e->node->vfs[i]->seen = false;
	for (size_t i = 0; i < e->node->n_pfs; i++)
		e->node->pfs[i].seen = false;
	look_at_names(e, bytes, n);
	e->judging_all = true;
	for (size_t i = 0; i < n; i++) {
		struct job_found found;

		memcpy(&found, bytes + i * sizeof(found), sizeof(found));
		if (found.is_pf)
			pf_seen(e, &found);
		else
			vf_seen(e, &found);
	}
	e->judging_all = false;
	for (size_t i = 0; i < e->node->n_vfs; i++)
		e->node->vfs[i]->name_free = false;
	if (!e->discover_error[0]) {
		e->discovered = true;
		pfs_unseen(e);
		if (e->node->rec.records_missing && !e->node->rec.vfs_verified) {
			e->node->rec.vfs_verified = true;
			cause_set(e, CAUSE_ENGINE, "every VF was looked at");
			record_node(e);
		}
		for (size_t i = 0; i < e->node->n_vfs; i++) {
			struct vf *vf = e->node->vfs[i];

			/* A driver that is not enabled has not looked: a configuration that
			 * cannot be read must cost no owner. */
			if (vf->seen || vf->fsm.state == VF_ABSENT ||
			    !registry_find(&e->config.env, vf->rec.driver))
				continue;
			cause_set(e, CAUSE_EVENT, "discovery did not find it");
			vf_vanished(e, vf);
		}
	}
	if (e->node->n_vfs > n_before)
		grow(e);
	if (!e->reconcile_at_ns) { /* later rounds begin by the clock, and end with a discovery */
		e->reconcile_at_ns = now_ns(e) + RECONCILE_STEP_NS;
		wake(e, e->reconcile_at_ns);
	}
	requests_discovered(e);
	if (e->rediscover) {
		e->rediscover = false;
		discover_start(e);
	}
}

void observe_start(struct engine *e, struct vf *vf, struct request *rq)
{
	struct job *job;

	if (vf->job)
		return; /* its end runs the queue again */
	job = job_new(e, JOB_OBSERVE, LOCK_NONE, vf, 0);
	if (!job)
		return;
	job_for_vf(job, vf, -1);
	e->n_looks++;
	job->request = rq;
	if (rq) {
		rq->job = job;
		rq->state = REQ_OBSERVE;
	}
	job_submit(e, job);
}

/* It is where its owner wants it; a VF without link never leaves home: only a DEL ends it. */
static bool is_in_place(const struct vf *vf, const struct drv_out *out)
{
	return !plan_has_link(&vf->rec) || out->where == WHERE_IN_POD ||
	       (out->where == WHERE_UNKNOWN && out->nsid_alive);
}

static struct judgement judge_attached(const struct vf *vf, const struct drv_out *out)
{
	if (is_in_place(vf, out) || vf->rec.nsid < 0)
		return (struct judgement){ .found = false }; /* or nothing is proved */
	if (!out->nsid_alive)
		return (struct judgement){ true, VF_EV_NETNS_GONE,
					   "its network namespace is gone" };
	if (out->where == WHERE_HOME)
		return (struct judgement){ true, VF_EV_RETURNED, "its link is at home" };
	return (struct judgement){ .found = false };
}

/* What somebody sets on the PF while a pod has the VF is no operator's word for the free one: it
 * is undone with the attachment (P4), by the record that its release begins with. */
static void look_at_pf_side(struct vf *vf, const struct vf_baseline *seen)
{
	char addr[PCI_STRLEN];

	if (vf->rec.touched & STEP_BIT(SETTINGS) ||
	    !baseline_overridden(&vf->rec.baseline, &vf->rec.wanted, seen))
		return;
	vf->rec.touched |= STEP_BIT(SETTINGS);
	log_notice("engine",
		   "vf=%s somebody changed what its PF holds for it while a pod has it: "
		   "undone when that leaves",
		   pci_format(vf->rec.addr, addr));
}

static void check_attached(struct engine *e, struct vf *vf, const struct drv_out *out)
{
	struct lease *l = node_lease(e->node, vf->rec.lease_id);
	struct judgement j = judge_attached(vf, out);

	if (is_in_place(vf, out))
		vf->verified = true;
	look_at_pf_side(vf, &out->seen);
	if (!j.found)
		return;
	cause_set(e, CAUSE_EVENT, "%s", j.why);
	if (out->ifindex)
		vf->rec.ifindex = out->ifindex;
	if (l && l->state != LEASE_OWED) /* ASKED: that it was HELD is among what was damaged */
		lease_release(e, l, LEASE_EV_NETNS_GONE);
	release_begin(e, vf, j.ev);
}

static struct judgement judge(const struct engine *e, const struct vf *vf,
			      const struct job_res *res)
{
	const struct drv_out *out = &res->out;

	if (res->err.kind)
		return (struct judgement){ .found = false };
	if (out->where == WHERE_GONE)
		return (struct judgement){ true, VF_EV_VANISHED,
					   "the VF is not on the bus" };
	if (vf->fsm.state == VF_FREE)
		return judge_free(e, vf, out->where, &out->seen);
	if (vf->fsm.state == VF_ATTACHED)
		return judge_attached(vf, out);
	if (vf->fsm.state == VF_FAULTED && vf->fsm.foreign && out->where == WHERE_HOME &&
	    !unbound(vf, &out->seen))
		return (struct judgement){ true, VF_EV_HOME, "its link came home" };
	return (struct judgement){ .found = false };
}

void observe_done(struct engine *e, struct vf *vf, const struct job_res *res)
{
	const struct drv_out *out = &res->out;
	struct judgement j = judge(e, vf, res);

	if (look_seen(e, vf, res, &j)) {
		/* A dry run: nothing is done. */
	} else if (res->err.kind) {
		char addr[PCI_STRLEN];

		log_warn("engine", "vf=%s cannot be looked at: %s",
			 pci_format(vf->rec.addr, addr), res->err.msg);
	} else if (out->where == WHERE_GONE) {
		cause_set(e, CAUSE_EVENT, "%s", j.why);
		vf_vanished(e, vf);
	} else if (vf->fsm.state == VF_FREE) {
		learn_cannot(vf, out->cannot, &out->seen);
		tidy_index(vf, out->ifindex);
		if (out->where == WHERE_UNKNOWN)
			engine_bus_changed(e); /* a list of all tells more than a look */
		check_free(e, vf, out->where, &out->seen);
	} else if (vf->fsm.state == VF_ATTACHED) {
		check_attached(e, vf, out);
	} else if (j.found && j.ev == VF_EV_HOME) {
		cause_set(e, CAUSE_EVENT, "%s", j.why);
		came_home(e, vf, out->ifindex, &out->seen);
	} else if (vf->fsm.state == VF_FAULTED && vf->fsm.foreign) {
		own_seen(vf, out);
	}
	if (vf->look_again) {
		vf->look_again = false;
		observe_start(e, vf, NULL);
	}
	vf_queue_run(e, vf);
}

/* A few VFs at a time, so that requests are never behind a round. */
void reconcile_turn(struct engine *e, int64_t now)
{
	unsigned looked = 0;

	if (e->rediscover_at_ns && now >= e->rediscover_at_ns) {
		e->rediscover_at_ns = 0;
		discover_start(e);
	} else if (e->rediscover_at_ns) {
		wake(e, e->rediscover_at_ns);
	}
	if (!e->reconcile_at_ns)
		return;
	if (now < e->reconcile_at_ns) {
		wake(e, e->reconcile_at_ns);
		return;
	}
	while (e->reconcile_next < e->node->n_vfs && looked < RECONCILE_BATCH) {
		struct vf *vf = e->node->vfs[e->reconcile_next++];

		if (vf->job || (vf->fsm.state != VF_ATTACHED &&
				!(vf->fsm.state == VF_FREE && !vf->verified) &&
				!(vf->fsm.state == VF_FAULTED && vf->fsm.foreign)))
			continue;
		observe_start(e, vf, NULL);
		looked++;
	}
	if (e->reconcile_next < e->node->n_vfs) {
		e->reconcile_at_ns = now + RECONCILE_STEP_NS;
	} else {
		e->reconcile_next = 0;
		e->reconcile_at_ns = now + e->config.reconcile_s * NS_PER_S;
		discover_start(e);
	}
	wake(e, e->reconcile_at_ns);
}
