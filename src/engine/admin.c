/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: what control.sock's commands do to the engine. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/ctl_cmds.h"
#include "engine/plan.h"
#include "engine/view.h"

static void fill(const struct engine *e, struct view_status *facts)
{
	facts->boot_id = e->boot_id;
	facts->broken = e->broken;
	facts->journal_failed = e->journal && journal_failed(e->journal);
	facts->last_seq = journal_last_or_zero(e);
	facts->durable_upto = e->journal ? journal_durable(e->journal) : 0;
	facts->n_dropped_events = e->dropped_events;
	facts->discovered = e->discovered;
	list_each(it, &e->jobs_running)
		facts->n_jobs_running++;
	list_each(it, &e->jobs_waiting)
		facts->n_jobs_waiting++;
	list_each(it, &e->requests)
		facts->n_requests++;
}

static struct view view_of(const struct engine *e, const struct view_status *facts)
{
	return (struct view){ .node = e->node,
			      .status = facts,
			      .wall_ns = e->ops.wall_ns(e->ops.ctx),
			      .boot_ns = now_ns(e),
			      .live = true };
}

bool engine_at_rest(const struct engine *e, pci_addr_t addr)
{
	const struct vf *vf = node_vf(e->node, addr);

	return !vf || (vf->fsm.state != VF_DETACHING && vf->fsm.state != VF_RESERVED);
}

int engine_vf_json(const struct engine *e, pci_addr_t addr, char **json, struct vfk_err *err)
{
	struct view_status facts = { 0 };
	const struct vf *vf = node_vf(e->node, addr);
	struct view view = view_of(e, &facts);
	char text[PCI_STRLEN];
	json_t *doc;

	if (!vf)
		return vfk_err_set(err, VFK_E_NOTFOUND, 0, "VF %s is not known any more",
				   pci_format(addr, text));
	doc = view_show(&view, vf);
	if (!doc)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "view of a VF");
	return view_dump(doc, json, err);
}

static int release(struct engine *e, const struct ctl_request *rq, pci_addr_t *pending,
		   struct vfk_err *err)
{
	const char *words[CTL_MAX_ARGS];
	const struct vf *found;
	struct lease *l;
	struct vf *vf;
	unsigned n = 0;
	bool force = false;
	char addr[PCI_STRLEN], owner[400];

	for (unsigned i = 0; i < rq->n_args; i++) {
		if (!strcmp(rq->args[i], "--force"))
			force = true;
		else
			words[n++] = rq->args[i];
	}
	if (!n)
		return vfk_err_set(err, VFK_E_USAGE, 0, "release: which VF?");
	if (view_find(e->node, words, n, &found, err) < 0)
		return -err->kind;
	vf = node_vf(e->node, found->rec.addr);
	pci_format(vf->rec.addr, addr);
	if (vf->fsm.foreign && !force)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "VF %s is in use outside vfkeeper: --force takes it away",
				   addr);
	if ((vf->fsm.state == VF_ATTACHED || vf->fsm.state == VF_RESERVED) && !force)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "VF %s is %s by %s: --force takes it away", addr,
				   vf->fsm.state == VF_ATTACHED ? "in use" :
								  "being attached",
				   who(e, vf, owner, sizeof(owner)));
	*pending = vf->rec.addr;
	if (vf->fsm.state == VF_FREE)
		return 1;
	if (vf->fsm.state == VF_ABSENT)
		return vfk_err_set(err, VFK_E_GONE, 0, "VF %s is not on the bus", addr);
	cause_set(e, CAUSE_ADMIN, "vfctl release %s%s", addr, force ? " --force" : "");
	if (vf->fsm.state == VF_RESERVED && vf->adder) {
		struct cni_fail fail;

		cni_fail_set(&fail, 11, "VF %s was released by an administrator", addr);
		setup_failed(e, vf, VF_EV_ADMIN_RELEASE, LEASE_EV_ADMIN_RELEASE, &fail);
		return 1;
	}
	l = node_lease(e->node, vf->rec.lease_id);
	if (l && (l->state == LEASE_HELD || l->state == LEASE_ASKED))
		lease_release(e, l, LEASE_EV_ADMIN_RELEASE);
	if (vf->fsm.foreign) /* nobody knows what was done to it */
		vf->rec.touched = PLAN_TOUCHED_ALL;
	if (vf->fsm.state == VF_DETACHING) {
		vf->retry_at_ns = 0;
		release_next(e, vf);
		return 1;
	}
	/* Synced before it is acted on (vfkeeper-rules(7)): the record first, the steps after. */
	vf->act_after_seq = UINT64_MAX;
	release_begin(e, vf, VF_EV_ADMIN_RELEASE);
	vf->act_after_seq = engine_can_record(e) ? sync_want(e) : 0;
	release_next(e, vf);
	return 1;
}

/* vfkeeper-replay --apply: everything that is owed is tried at once; the caller asks again
 * until nothing is left. */
static int apply(struct engine *e, char **json, struct vfk_err *err)
{
	unsigned owed = 0, under_way = 0, faulted = 0;
	int64_t now = now_ns(e);
	json_t *doc;

	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		under_way += vf->fsm.state == VF_DETACHING || vf->fsm.state == VF_RESERVED;
		faulted += vf->fsm.state == VF_FAULTED;
	}
	list_each(it, &e->node->leases) {
		struct lease *l = list_entry(it, struct lease, link);

		if (l->state != LEASE_OWED && l->state != LEASE_ASKED)
			continue;
		owed++;
		if (!l->paying && l->rec.attempts == 0)
			l->retry_at_ns = 0;
	}
	leases_deadlines(e, now);
	doc = json_pack("{s:b,s:i,s:i,s:i,s:i}", "discovered", (int)e->discovered, "owed",
			(int)owed, "under_way", (int)under_way, "faulted", (int)faulted,
			"vfs", (int)e->node->n_vfs);
	if (!doc)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "answer");
	return view_dump(doc, json, err);
}

int engine_admin(struct engine *e, const struct ctl_request *rq, struct view_status *facts,
		 char **json, pci_addr_t *pending, struct vfk_err *err)
{
	const struct ctl_cmd *cmd;
	struct view view;

	if (ctl_cmd_check(rq, &cmd, err) < 0)
		return -err->kind;
	fill(e, facts);
	switch (cmd->id) {
	case CTL_CMD_RELEASE:
		return release(e, rq, pending, err);
	case CTL_CMD_REPLAY_APPLY:
		return apply(e, json, err);
	default:
		break;
	}
	view = view_of(e, facts);
	return view_command(&view, rq, json, err);
}
