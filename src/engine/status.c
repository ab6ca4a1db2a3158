/* SPDX-License-Identifier: Apache-2.0 */
/* CNI STATUS: would an ADD be served?  Answered from what the engine knows; the IPAM plugin is
 * asked once a minute, by whoever calls then. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/cordon.h"

#define ASK_AGAIN_NS (60 * NS_PER_S)
/* The client gives up at 1 s, and would call that a failure. */
#define IPAM_LIMIT_NS (700 * NS_PER_MS)
#define MARGIN_NS (150 * NS_PER_MS)

/* An administrator wants no ADD on any of the PFs. */
static bool all_cordoned(const struct engine *e)
{
	if (cordon_get(e->node, CORDON_NODE, 0))
		return true;
	for (size_t i = 0; i < e->node->n_pfs; i++)
		if (!cordon_get(e->node, CORDON_PF, e->node->pfs[i].addr))
			return false;
	return e->node->n_pfs > 0;
}

static bool has_vfs(const struct node *n, const struct pf *pf)
{
	for (size_t i = 0; i < n->n_vfs; i++)
		if (n->vfs[i]->rec.pf == pf->addr && n->vfs[i]->fsm.state != VF_ABSENT)
			return true;
	return false;
}

/* Each PF that has VFs and is not cordoned has a port in FATAL, or none with a link: whatever an
 * ADD would make, it would reach nobody.  One PF that works is enough to be ready: which VF a
 * pod gets is not ours to say. */
static bool no_pf_works(const struct engine *e, struct cni_fail *why)
{
	const struct pf *first = NULL;
	unsigned n_others = 0;
	char addr[PCI_STRLEN], others[48] = "";
	int port = -1;

	for (size_t i = 0; i < e->node->n_pfs; i++) {
		const struct pf *pf = &e->node->pfs[i];

		if (!has_vfs(e->node, pf) || cordon_get(e->node, CORDON_PF, pf->addr))
			continue;
		if (pf_bad_port(pf) < 0)
			return false;
		n_others += first != NULL;
		if (!first)
			port = pf_bad_port(pf);
		first = first ? first : pf;
	}
	if (!first)
		return false;
	if (n_others)
		snprintf(others, sizeof(others), ", and %u more PF%s no better", n_others,
			 n_others > 1 ? "s are" : " is");
	cni_fail_set(why, 51,
		     "cannot serve ADD, and pods that run may have lost their network: "
		     "port %d of %s is %s%s (vfctl ports)",
		     port + 1, pci_format(first->addr, addr),
		     port_state_name(first->ports[port]), others);
	return true;
}

bool engine_serves_add(struct engine *e, struct cni_fail *why)
{
	if (!engine_can_record(e)) {
		cni_fail_set(why, 50, "cannot serve ADD: %s",
			     e->broken[0] ? e->broken : "the journal cannot be synced");
		return false;
	}
	if (e->node->rec.records_missing && !e->node->rec.vfs_verified) {
		cni_fail_set(why, 50,
			     "cannot serve ADD: records may be missing (%s) and "
			     "not every VF is verified yet",
			     e->node->rec.missing_reason);
		return false;
	}
	if (e->discover_error[0] && !e->node->n_vfs) {
		cni_fail_set(why, 50,
			     "cannot serve ADD: the node's VFs cannot be listed: %s",
			     e->discover_error);
		return false;
	}
	if (all_cordoned(e)) {
		const struct rec_cordon *c = cordon_get(e->node, CORDON_NODE, 0);

		cni_fail_set(why, 50,
			     "cannot serve ADD: %s cordoned by an administrator (vfctl "
			     "status)%s%s",
			     c ? "this node is" : "every PF is",
			     c && c->reason[0] ? ": " : "", c ? c->reason : "");
		return false;
	}
	return !no_pf_works(e, why);
}

/* True: nothing stands against an ADD of this network, else the request is answered. */
static bool can_serve(struct engine *e, struct request *rq)
{
	struct vfk_err err = { 0 };
	struct cni_fail why;

	if (engine_can_record(e) && e->node->rec.records_missing &&
	    !e->node->rec.vfs_verified && e->discovering && now_ns(e) < rq->deadline_ns) {
		discover_wait(e, rq); /* as an ADD would: it takes milliseconds */
		return false;
	}
	if (!engine_serves_add(e, &why)) {
		request_fail_as(e, rq, &why);
		return false;
	}
	if (lease_limits(e, rq, &err) < 0) {
		request_fail(e, rq, 50, "cannot serve ADD: %s", err.msg);
		return false;
	}
	return true;
}

/* The place for this network's plugin: its own, an empty one, or the oldest. */
static struct ipam_status *place(struct engine *e, const struct request *rq)
{
	struct ipam_status *oldest = &e->ipam_status[0];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(e->ipam_status); i++) {
		struct ipam_status *p = &e->ipam_status[i];

		if (p->asked_ns && !strcmp(p->network, rq->cni.att.network) &&
		    !strcmp(p->type, rq->cni.ipam_type))
			return p;
		if (p->asked_ns < oldest->asked_ns)
			oldest = p;
	}
	memset(oldest, 0, sizeof(*oldest));
	snprintf(oldest->network, sizeof(oldest->network), "%s", rq->cni.att.network);
	snprintf(oldest->type, sizeof(oldest->type), "%s", rq->cni.ipam_type);
	return oldest;
}

static void answer(struct engine *e, struct request *rq, const struct ipam_status *p)
{
	struct cni_fail fail = p->fail;

	if (!fail.code) {
		request_ok(e, rq);
		return;
	}
	if (fail.code != 51) /* the specification has these two */
		fail.code = 50;
	request_fail_as(e, rq, &fail);
}

void status_begin(struct engine *e, struct request *rq)
{
	int64_t until_ns = rq->arrived_ns + IPAM_LIMIT_NS;
	struct ipam_status *p;

	if (rq->gives_up_ns && rq->gives_up_ns - MARGIN_NS < until_ns)
		until_ns = rq->gives_up_ns - MARGIN_NS;
	rq->deadline_ns = until_ns;
	wake(e, until_ns);
	if (!can_serve(e, rq))
		return;
	if (!delegate_wanted(rq)) {
		request_ok(e, rq);
		return;
	}
	p = place(e, rq);
	if (p->asked_ns && now_ns(e) - p->asked_ns < ASK_AGAIN_NS) {
		answer(e, rq, p);
		return;
	}
	p->asked_ns = now_ns(e); /* whoever calls meanwhile gets the last answer */
	delegate_begin(e, rq, until_ns);
}

void status_delegated(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	struct ipam_status *p = place(e, rq);

	p->asked_ns = now_ns(e);
	if (said)
		p->fail = *said;
	else
		memset(&p->fail, 0, sizeof(p->fail));
	answer(e, rq, p);
}

void status_late(struct engine *e, struct request *rq)
{
	struct ipam_status *p;

	if (rq->state == REQ_WAIT_DISCOVERY) { /* can_serve says what is missing */
		status_begin(e, rq);
		return;
	}
	p = place(e, rq);
	log_warn("ipam", "plugin %s gave no answer to STATUS in time", rq->cni.ipam_type);
	p->asked_ns = now_ns(e);
	answer(e, rq, p);
}
