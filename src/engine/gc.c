/* SPDX-License-Identifier: Apache-2.0 */
/* CNI GC: attachments of this network that the caller does not hold valid are released as by
 * a DEL.  Where it does not say what it holds valid, only what has provably lost its network
 * namespace is.  Then the IPAM plugin collects. */
#include "engine/engine-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

#define COLLECT_NS (30 * NS_PER_S) /* then the engine goes on alone */

/* One attachment that is being collected. */
struct gc_item {
	pci_addr_t vf; /* PCI_NONE: a lease without one */
	uint64_t attach_seq, lease_id;
	bool to_look, looking; /* is its namespace gone? */
};

struct gc {
	struct cni_valid valid;
	size_t n, cap;
	struct gc_item *items;
	unsigned n_failed;
	char failed[400]; /* the first of them in words */
};

void gc_free(struct gc *gc)
{
	if (!gc)
		return;
	cni_valid_free(&gc->valid);
	free(gc->items);
	free(gc);
}

static struct gc_item *item_add(struct gc *gc, pci_addr_t vf, uint64_t attach_seq,
				uint64_t lease_id)
{
	struct gc_item *grown;

	if (gc->n == gc->cap) {
		gc->cap = gc->cap ? gc->cap * 2 : 16;
		grown = realloc(gc->items, gc->cap * sizeof(*gc->items));
		if (!grown)
			return NULL;
		gc->items = grown;
	}
	gc->items[gc->n] = (struct gc_item){ .vf = vf,
					     .attach_seq = attach_seq,
					     .lease_id = lease_id };
	return &gc->items[gc->n++];
}

/* Of this network, not valid, and not from after this GC began (P3). */
static bool stale(const struct request *rq, const struct attachment *owner)
{
	return !attachment_none(owner) && !strcmp(owner->network, rq->cni.att.network) &&
	       !cni_valid_has(&rq->gc->valid, owner);
}

static void release_one(struct engine *e, struct vf *vf)
{
	struct lease *l = node_lease(e->node, vf->rec.lease_id);
	struct cni_fail fail;

	recent_del_note(e->recent_del, &vf->rec.owner, (uint64_t)now_ns(e), now_ns(e),
			false);
	if (vf->fsm.state == VF_RESERVED) {
		cni_fail_set(&fail, 11,
			     "a GC of network %.64s that does not name container %.64s came "
			     "while it was being attached",
			     vf->rec.owner.network, vf->rec.owner.container);
		setup_failed(e, vf, VF_EV_GC, LEASE_EV_GC, &fail);
		return;
	}
	if (l && l->state != LEASE_OWED)
		lease_release(e, l, LEASE_EV_GC);
	if (vf->fsm.state != VF_DETACHING) {
		release_begin(e, vf, VF_EV_GC);
	} else if (vf->retry_at_ns) {
		vf->retry_at_ns = 0;
		release_next(e, vf);
	}
}

/* Leases that no VF stands for any more. */
static bool release_leases(struct engine *e, struct request *rq)
{
	list_each(it, &e->node->leases) {
		struct lease *l = list_entry(it, struct lease, link);
		const struct vf *vf = node_vf(e->node, l->rec.vf);

		if ((vf && vf->rec.lease_id == l->rec.id) || !stale(rq, &l->rec.owner))
			continue;
		if (!item_add(rq->gc, PCI_NONE, 0, l->rec.id))
			return false;
		if (l->state != LEASE_OWED)
			lease_release(e, l, LEASE_EV_GC);
		l->retry_at_ns = 0;
		wake(e, now_ns(e));
	}
	return true;
}

static bool collect(struct engine *e, struct request *rq)
{
	struct gc *gc = rq->gc;

	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];
		struct gc_item *item;

		if (vf->fsm.state == VF_FREE || vf->fsm.state == VF_ABSENT ||
		    !stale(rq, &vf->rec.owner) || vf->rec.client_start_ns > rq->start_ns ||
		    (!gc->valid.given && vf->fsm.state != VF_ATTACHED))
			continue;
		item = item_add(gc, vf->rec.addr, vf->rec.attach_seq, vf->rec.lease_id);
		if (!item)
			return false;
		item->to_look = !gc->valid.given;
		if (gc->valid.given)
			release_one(e, vf);
	}
	return !gc->valid.given || release_leases(e, rq);
}

static void failed(struct gc *gc, const char *fmt, ...) VFK_PRINTF(2, 3);
static void failed(struct gc *gc, const char *fmt, ...)
{
	va_list ap;

	if (gc->n_failed++)
		return;
	va_start(ap, fmt);
	vsnprintf(gc->failed, sizeof(gc->failed), fmt, ap);
	va_end(ap);
}

/* Whether the look at an attachment of unknown worth is over; it releases what has to be. */
static bool looked(struct engine *e, struct gc_item *item, struct vf *vf)
{
	if (!item->to_look)
		return true;
	if (vf->job)
		return false; /* also somebody else's look, which began before */
	if (item->looking) {
		item->to_look = false;
		return true;
	}
	if (vf->fsm.state != VF_ATTACHED)
		return true;
	item->looking = true;
	observe_start(e, vf, NULL);
	return !vf->job;
}

/* Whether nothing is to be waited for any more. */
static bool item_over(struct engine *e, struct gc *gc, struct gc_item *item, bool late)
{
	struct vf *vf = item->vf == PCI_NONE ? NULL : node_vf(e->node, item->vf);
	const struct lease *l = node_lease(e->node, item->lease_id);
	bool here = vf && vf->rec.attach_seq == item->attach_seq;
	char addr[PCI_STRLEN];

	if (here && !looked(e, item, vf))
		return late;
	if (here && vf->fsm.state == VF_ATTACHED)
		return true; /* its namespace lives */
	if (here && vf->fsm.state == VF_DETACHING)
		return late; /* P2: the engine goes on */
	if (here && vf->fsm.state == VF_FAULTED)
		failed(gc, "VF %s is FAULTED: %.150s (vfctl explain %s)",
		       pci_format(vf->rec.addr, addr), vf->rec.reason, addr);
	if (!l || l->state != LEASE_OWED)
		return true;
	if (!l->rec.attempts || l->paying)
		return late;
	failed(gc, "lease of container %.64s: %.200s", l->rec.owner.container,
	       l->rec.last_error);
	return true;
}

static void answer(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	const struct gc *gc = rq->gc;

	if (gc->n_failed)
		request_fail(e, rq, said ? said->code : 11,
			     "GC: %u of %zu not released yet, the first: %.300s%s%.200s",
			     gc->n_failed, gc->n, gc->failed, said ? "; " : "",
			     said ? said->msg : "");
	else if (said)
		request_fail_as(e, rq, said);
	else
		request_ok(e, rq);
}

/* The IPAM plugin takes a list that is not there for "nothing is valid".  So it gets what we
 * know to be. */
static bool fill_in_valid(struct engine *e, struct request *rq)
{
	struct attachment *all = calloc(e->node->n_vfs + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; all && i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];

		if (vf->fsm.state != VF_FREE && vf->fsm.state != VF_ABSENT &&
		    !strcmp(vf->rec.owner.network, rq->cni.att.network))
			all[n++] = vf->rec.owner;
	}
	rq->run_text = all ? cni_valid_conf(&rq->cni, all, n) : NULL;
	free(all);
	return rq->run_text != NULL;
}

static void collected(struct engine *e, struct request *rq)
{
	if (!delegate_wanted(rq)) {
		answer(e, rq, NULL);
		return;
	}
	if (!rq->gc->valid.given && e->node->rec.records_missing) {
		log_warn("ipam",
			 "GC of network %s names no attachments and records may be "
			 "missing: plugin %s is not asked",
			 rq->cni.att.network, rq->cni.ipam_type);
		answer(e, rq, NULL);
		return;
	}
	if (!rq->gc->valid.given && !fill_in_valid(e, rq)) {
		request_fail(e, rq, 11, "out of memory");
		return;
	}
	delegate_begin(e, rq, within_client(rq, rq->arrived_ns + 2 * COLLECT_NS));
}

/* True: the request has gone on, or is gone. */
static bool turn(struct engine *e, struct request *rq, bool late)
{
	struct gc *gc = rq->gc;
	bool over = true;

	gc->n_failed = 0;
	for (size_t i = 0; i < gc->n; i++)
		over &= item_over(e, gc, &gc->items[i], late);
	if (!over)
		return false;
	request_cause(e, rq);
	collected(e, rq);
	return true;
}

void gcs_turn(struct engine *e)
{
	bool again = e->collecting;

	while (again) {
		again = e->collecting = false;
		list_each(it, &e->requests) {
			struct request *rq = list_entry(it, struct request, link);

			if (rq->state != REQ_COLLECT)
				continue;
			e->collecting = true;
			again = turn(e, rq, false);
			if (again)
				break; /* the list has changed */
		}
	}
}

void gc_begin(struct engine *e, struct request *rq)
{
	struct cni_fail fail;

	rq->gc = calloc(1, sizeof(*rq->gc));
	if (!rq->gc) {
		request_fail(e, rq, 11, "out of memory");
		return;
	}
	if (cni_valid_parse(&rq->gc->valid, &rq->cni, &fail) < 0) {
		request_fail_as(e, rq, &fail);
		return;
	}
	rq->state = REQ_COLLECT;
	rq->deadline_ns = within_client(rq, rq->arrived_ns + COLLECT_NS);
	wake(e, rq->deadline_ns);
	if (!collect(e, rq)) {
		request_fail(e, rq, 11, "out of memory");
		return;
	}
	e->collecting = true; /* engine_turn goes on with it */
}

void gc_late(struct engine *e, struct request *rq)
{
	turn(e, rq, true);
}

void gc_delegated(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	answer(e, rq, said);
}
