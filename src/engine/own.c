/* SPDX-License-Identifier: Apache-2.0 */
/* An ADD with IPAM of our own: its addresses go into the VF's RESERVED record, and are free
 * again with the record that gives the VF back (own_ipam.h). */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int own_check(struct engine *e, struct request *rq)
{
	struct cni_fail fail = { .code = 7 };

	if (!rq->cni.ipam_own)
		return 0;
	free(rq->own);
	rq->own = own_ipam_parse(&rq->cni, &e->config, &fail);
	if (rq->own)
		return 0;
	request_fail_as(e, rq, &fail);
	return -1;
}

static int compare(const void *a, const void *b)
{
	addr_num left = *(const addr_num *)a, right = *(const addr_num *)b;

	return (left > right) - (left < right);
}

static bool in_a_range(const struct own_ipam *own, uint8_t family, addr_num addr)
{
	for (unsigned i = 0; i < own->n_ranges; i++)
		if (own->all[i].family == family && addr >= own->all[i].span.first &&
		    addr <= own->all[i].span.last)
			return true;
	return false;
}

/* What the records of all VFs hold of the ranges: no other is compared with. */
static bool gather(const struct node *n, const struct own_ipam *own, struct own_held *held)
{
	memset(held, 0, sizeof(*held));
	held->v4 = calloc(n->n_vfs * REC_OWN_MAX + 1, sizeof(addr_num));
	held->v6 = calloc(n->n_vfs * REC_OWN_MAX + 1, sizeof(addr_num));
	if (!held->v4 || !held->v6)
		return false;
	for (size_t i = 0; i < n->n_vfs; i++) {
		const struct rec_vf *rec = &n->vfs[i]->rec;

		for (unsigned k = 0; k < rec->n_own; k++) {
			addr_num addr = addr_to_num(rec->own[k].family, rec->own[k].addr);

			if (!in_a_range(own, rec->own[k].family, addr))
				continue;
			if (rec->own[k].family == AF_INET)
				held->v4[held->n_v4++] = addr;
			else
				held->v6[held->n_v6++] = addr;
		}
	}
	qsort(held->v4, held->n_v4, sizeof(addr_num), compare);
	qsort(held->v6, held->n_v6, sizeof(addr_num), compare);
	return true;
}

/* What the request gets as if a plugin had answered. */
static int answered(struct request *rq, const struct rec_vf *rec, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *text = own_ipam_answer(rq->own, rec->own, rec->n_own);

	if (!text)
		return vfk_err_set(err, VFK_E_IPAM, 0,
				   "the addresses on record are in no range of ipam");
	return cni_ipam_parse(&rq->ipam, text, strlen(text), err);
}

/* After damage, a VF in a namespace that nobody has a record of may have an address of ours: it
 * is taken back, as far as it can be seen. */
static bool is_unknown(const struct engine *e, const struct vf *vf)
{
	return e->node->rec.records_missing && vf->fsm.foreign && !vf->own_known;
}

static const struct vf *unknown_user(const struct engine *e)
{
	for (size_t i = 0; i < e->node->n_vfs; i++)
		if (is_unknown(e, e->node->vfs[i]))
			return e->node->vfs[i];
	return NULL;
}

bool own_waits(struct engine *e, struct request *rq)
{
	bool first = !rq->own_looked, waits = false;

	for (size_t i = 0; rq->own && i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (!is_unknown(e, vf))
			continue;
		if (first)
			observe_start(e, vf, NULL);
		waits |= vf->job != NULL;
	}
	rq->own_looked = true;
	return waits;
}

void own_seen(struct vf *vf, const struct drv_out *out)
{
	_Static_assert(DRV_MAX_SEEN_ADDRS <= REC_OWN_MAX, "all fit");

	if (out->where != WHERE_ELSEWHERE)
		return;
	vf->own_known = out->addrs_known;
	vf->rec.n_own = out->n_addrs;
	for (unsigned i = 0; i < out->n_addrs; i++) {
		vf->rec.own[i].family = out->addrs[i].family;
		memcpy(vf->rec.own[i].addr, out->addrs[i].addr,
		       sizeof(vf->rec.own[i].addr));
	}
}

int own_take(struct engine *e, struct vf *vf, struct request *rq, struct cni_fail *fail)
{
	const struct vf *unknown = unknown_user(e);
	struct vfk_err err = { 0 };
	struct own_held held;
	char addr[PCI_STRLEN];
	bool good;

	if (unknown) {
		cni_fail_set(fail, 11,
			     "records may be missing, and VF %s is in a namespace that nobody "
			     "has a record of: its addresses cannot be seen",
			     pci_format(unknown->rec.addr, addr));
		return -1;
	}
	good = gather(e->node, rq->own, &held);
	if (!good)
		cni_fail_set(fail, 11, "out of memory");
	else
		good = own_ipam_pick(rq->own, &held, vf->rec.attach_seq, vf->rec.own,
				     &vf->rec.n_own, fail);
	free(held.v4);
	free(held.v6);
	if (good && answered(rq, &vf->rec, &err) < 0) {
		cni_fail_from(fail, &err, vf->rec.addr);
		good = false;
	}
	if (good)
		return 0;
	vf->rec.n_own = 0;
	return -1;
}

int own_again(struct request *rq, const struct vf *vf, struct vfk_err *err)
{
	return rq->own ? answered(rq, &vf->rec, err) : 0;
}
