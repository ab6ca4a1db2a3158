/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: what control.sock's commands do to the engine. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#include "cni/cni_json.h"
#include "engine/cordon.h"
#include "engine/ctl_cmds.h"
#include "engine/plan.h"
#include "engine/view-internal.h"

static void fill(const struct engine *e, struct view_status *facts)
{
	facts->boot_id = e->boot_id;
	facts->broken = e->broken;
	facts->journal_failed = e->journal && journal_failed(e->journal);
	facts->last_seq = journal_last_or_zero(e);
	facts->durable_upto = e->journal ? journal_durable(e->journal) : 0;
	facts->n_dropped_events = e->dropped_events;
	facts->n_looks = e->n_looks;
	facts->n_port_changes = e->n_port_changes;
	facts->n_port_failures = e->n_port_failures;
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

bool engine_waits(const struct engine *e, enum engine_wait wait, uint64_t pending)
{
	const struct vf *vf;

	switch (wait) {
	case ENGINE_WAIT_VF:
		vf = node_vf(e->node, pending);
		return vf &&
		       (vf->fsm.state == VF_DETACHING || vf->fsm.state == VF_RESERVED);
	case ENGINE_WAIT_DISK:
		return !synced(e, pending);
	case ENGINE_WAIT_LOOKS:
		return !look_over(e);
	}
	return false;
}

static int vf_json(const struct engine *e, pci_addr_t addr, char **json, struct vfk_err *err)
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

static int cordons_json(const struct engine *e, uint64_t seq, char **json,
			struct vfk_err *err)
{
	struct view_status facts = { 0 };
	struct view view = view_of(e, &facts);
	json_t *doc;

	if (!synced(e, seq))
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "it is so now, but the journal could not be synced: it may "
				   "not outlive a loss of power");
	doc = json_object();
	view_set(doc, "cordons", view_cordons(&view));
	return view_dump(doc, json, err);
}

int engine_waited(struct engine *e, enum engine_wait wait, uint64_t pending, char **json,
		  struct vfk_err *err)
{
	switch (wait) {
	case ENGINE_WAIT_VF:
		return vf_json(e, pending, json, err);
	case ENGINE_WAIT_DISK:
		return cordons_json(e, pending, json, err);
	case ENGINE_WAIT_LOOKS:
		break;
	}
	return look_end(e, json, err);
}

/* Takes "--reason TEXT" out of the words; NULL: none was given. */
static int take_reason(const char **words, unsigned *n_words, const char **reason,
		       struct vfk_err *err)
{
	unsigned n = 0;

	*reason = NULL;
	for (unsigned i = 0; i < *n_words; i++) {
		if (strcmp(words[i], "--reason") != 0)
			words[n++] = words[i];
		else if (i + 1 < *n_words)
			*reason = words[++i];
		else
			return vfk_err_set(err, VFK_E_USAGE, 0, "--reason needs a text");
	}
	*n_words = n;
	if (!n)
		return vfk_err_set(err, VFK_E_USAGE, 0, "cordon what?");
	if (*reason && strlen(*reason) >= REC_REASON_LEN)
		return vfk_err_set(err, VFK_E_USAGE, 0, "a reason has at most %d bytes",
				   REC_REASON_LEN - 1);
	if (*reason && (!cni_text_valid(*reason) || !cni_one_line(*reason)))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "a reason is one line of UTF-8 without control "
				   "characters");
	return 0;
}

/* cordon and uncordon.  What is so already is said again without a record. */
static int cordon(struct engine *e, const struct ctl_request *rq, bool on,
		  uint64_t *pending, struct vfk_err *err)
{
	const char *words[CTL_MAX_ARGS], *reason = NULL;
	unsigned n_words = rq->n_args;
	const struct rec_cordon *is;
	struct rec_node *old;
	enum cordon_scope scope;
	pci_addr_t addr;
	int rc = 0;

	for (unsigned i = 0; i < rq->n_args; i++)
		words[i] = rq->args[i];
	if (on && take_reason(words, &n_words, &reason, err) < 0)
		return -err->kind;
	if (cordon_target(e->node, words, n_words, &scope, &addr, err) < 0)
		return -err->kind;
	if (!engine_can_record(e))
		return vfk_err_set(err, VFK_E_BUSY, 0, "it cannot be recorded: %.190s",
				   e->broken[0] ? e->broken :
						  "the journal cannot be synced");
	is = cordon_get(e->node, scope, addr);
	if (on ? is && (!reason || !strcmp(reason, is->reason)) : !is) {
		*pending = sync_want(e);
		return ENGINE_WAIT_DISK;
	}
	old = malloc(sizeof(*old));
	if (!old)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "cordon");
	*old = e->node->rec;
	cause_set(e, CAUSE_ADMIN, "vfctl %s %.50s%s%.50s", rq->command, words[0],
		  n_words > 1 ? " " : "", n_words > 1 ? words[1] : "");
	if (on)
		rc = cordon_add(e->node, scope, addr, reason ? reason : "",
				e->ops.wall_ns(e->ops.ctx), err);
	else
		cordon_remove(e->node, scope, addr);
	if (rc == 0 && record_node(e) < 0) {
		e->node->rec = *old;
		rc = vfk_err_set(err, VFK_E_SYS, 0, "it cannot be recorded: %.190s",
				 e->broken);
	}
	free(old);
	if (rc < 0)
		return rc;
	log_notice("engine", "%s cause=\"%s\"", on ? "cordoned" : "uncordoned",
		   e->cause.cause_text);
	*pending = sync_want(e);
	for (size_t i = 0; on && i < e->node->n_vfs; i++)
		vf_queue_run(e, e->node->vfs[i]); /* who waits is refused now */
	return ENGINE_WAIT_DISK;
}

/* A release or retry by an administrator is synced before it is acted on (vfkeeper-rules(7)):
 * the record first, the steps after. */
static void begin_synced(struct engine *e, struct vf *vf, enum vf_event ev)
{
	vf->act_after_seq = UINT64_MAX;
	release_begin(e, vf, ev);
	vf->act_after_seq = engine_can_record(e) ? sync_want(e) : 0;
	release_next(e, vf);
}

static int retry(struct engine *e, const struct ctl_request *rq, uint64_t *pending,
		 struct vfk_err *err)
{
	const char *words[CTL_MAX_ARGS];
	const struct vf *found;
	struct vf *vf;
	char addr[PCI_STRLEN];

	for (unsigned i = 0; i < rq->n_args; i++)
		words[i] = rq->args[i];
	if (view_find(e->node, words, rq->n_args, &found, err) < 0)
		return -err->kind;
	vf = node_vf(e->node, found->rec.addr);
	pci_format(vf->rec.addr, addr);
	if (vf->fsm.foreign)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "VF %s is in use outside vfkeeper: end that use, or take it "
				   "with 'vfctl release %s --force'",
				   addr, addr);
	if (vf->fsm.state != VF_FAULTED && vf->fsm.state != VF_DETACHING)
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "VF %s is %s: only a FAULTED VF, or one whose release waits "
				   "for its next attempt, can be tried again",
				   addr, vf_state_name(vf->fsm.state));
	cause_set(e, CAUSE_ADMIN, "vfctl retry %s", addr);
	*pending = vf->rec.addr;
	if (vf->fsm.state == VF_FAULTED) {
		begin_synced(e, vf, VF_EV_ADMIN_RETRY);
	} else {
		vf->retry_at_ns = 0;
		release_next(e, vf);
	}
	return ENGINE_WAIT_VF;
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
		return ENGINE_WAIT_VF;
	if (vf->fsm.state == VF_ABSENT)
		return vfk_err_set(err, VFK_E_GONE, 0, "VF %s is not on the bus", addr);
	cause_set(e, CAUSE_ADMIN, "vfctl release %s%s", addr, force ? " --force" : "");
	if (vf->fsm.state == VF_RESERVED && vf->adder) {
		struct cni_fail fail;

		cni_fail_set(&fail, 11, "VF %s was released by an administrator", addr);
		setup_failed(e, vf, VF_EV_ADMIN_RELEASE, LEASE_EV_ADMIN_RELEASE, &fail);
		return ENGINE_WAIT_VF;
	}
	l = node_lease(e->node, vf->rec.lease_id);
	if (l && (l->state == LEASE_HELD || l->state == LEASE_ASKED))
		lease_release(e, l, LEASE_EV_ADMIN_RELEASE);
	if (vf->fsm.foreign) /* nobody knows what was done to it */
		vf->rec.touched = PLAN_TOUCHED_ALL;
	if (vf->fsm.state == VF_DETACHING) {
		vf->retry_at_ns = 0;
		release_next(e, vf);
		return ENGINE_WAIT_VF;
	}
	begin_synced(e, vf, VF_EV_ADMIN_RELEASE);
	return ENGINE_WAIT_VF;
}

/* What is set here lasts until the configuration is read again. */
static int set_log(const struct ctl_request *rq, char **json, struct vfk_err *err)
{
	json_t *doc, *list;
	enum log_level level;

	if (rq->n_args == 1)
		return vfk_err_set(err, VFK_E_USAGE, 0, "log: which level?");
	if (rq->n_args == 2 && !log_level_parse(rq->args[1], &level))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "a level is error, warn, notice, info or debug, not %.40s",
				   rq->args[1]);
	if (rq->n_args == 2 && !log_set_module(rq->args[0], level))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "unknown module %.40s (vfctl log lists them)",
				   rq->args[0]);
	doc = json_object();
	list = json_object();
	for (size_t i = 0; log_module(i); i++)
		view_set(list, log_module(i),
			 json_string(log_level_name(log_get_module(log_module(i)))));
	view_set(doc, "modules", list);
	return view_dump(doc, json, err);
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
	case CTL_CMD_RETRY:
		return retry(e, rq, pending, err);
	case CTL_CMD_CORDON:
	case CTL_CMD_UNCORDON:
		return cordon(e, rq, cmd->id == CTL_CMD_CORDON, pending, err);
	case CTL_CMD_RECONCILE:
		if (rq->n_args && strcmp(rq->args[0], "--dry-run") != 0)
			return vfk_err_set(err, VFK_E_USAGE, 0, "usage: %s %s", cmd->name,
					   cmd->usage);
		if (look_begin(e, rq->n_args > 0, err) < 0)
			return -err->kind;
		return ENGINE_WAIT_LOOKS;
	case CTL_CMD_LOG:
		return set_log(rq, json, err);
	case CTL_CMD_REPLAY_APPLY:
		return apply(e, json, err);
	case CTL_CMD_IMPORT_DONE:
		return import_done(e, json, err);
	case CTL_CMD_EXPORT_LIST:
		return export_list(e, rq, json, err);
	case CTL_CMD_EXPORT_DONE:
		return export_done(e, rq, pending, err);
	default:
		break;
	}
	view = view_of(e, facts);
	return view_command(&view, rq, json, err);
}
