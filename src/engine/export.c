/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl export: what is attached as files of ib-sriov-cni and sriov-cni, and the VFs handed over
 * to them.  vfctl writes a file first, and its VF leaves our hands after that: until both are
 * done it is ours.  A VF that was handed over is as one that we never had (R14): nothing but its
 * own way home, a DEL that names its link, or an administrator ends that. */
#include "engine/engine-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/cni_json.h"
#include "cni/peer_cache.h"
#include "engine/plan.h"
#include "engine/view-internal.h"

/* Which plugin is to have it; 0: it cannot be told. */
static enum cni_dialect dialect_of(const struct vf *vf, const json_t *conf)
{
	const char *type = cni_json_text(cni_json_find(conf, "type"));
	const struct vf_settings *set = &vf->rec.wanted;

	if (type && !strcmp(type, "ib-sriov"))
		return DIALECT_IB_SRIOV;
	if (type && !strcmp(type, "sriov"))
		return DIALECT_SRIOV;
	if (!strcmp(vf->rec.driver, "infiniband"))
		return DIALECT_IB_SRIOV;
	if (!strcmp(vf->rec.driver, "ethernet"))
		return DIALECT_SRIOV;
	if (set->has & (HAS_PORT_GUID | HAS_RDMA_ISOLATION))
		return DIALECT_IB_SRIOV;
	if (set->has & (HAS_MAC | HAS_VLAN | HAS_SPOOFCHK | HAS_TRUST))
		return DIALECT_SRIOV;
	return 0;
}

/* The configuration of its ADD; NULL: it is not kept, or cannot be read. */
static json_t *conf_of(const struct engine *e, const struct lease *l)
{
	struct vfk_err ignored;
	uint32_t env_len;
	size_t len;

	if (!l || !l->rec.request_blob)
		return NULL;
	VFK_AUTO(free_auto)
	char *blob = node_blob_get(e->node, e->journal, l->rec.request_blob, &len,
				   &ignored);

	if (!blob || len < sizeof(env_len))
		return NULL;
	memcpy(&env_len, blob, sizeof(env_len));
	if (env_len > len - sizeof(env_len))
		return NULL;
	return json_loadb(blob + sizeof(env_len) + env_len,
			  len - sizeof(env_len) - env_len, 0, NULL);
}

static json_t *one(const struct engine *e, const struct vf *vf, enum cni_dialect wanted)
{
	const struct lease *l = node_lease(e->node, vf->rec.lease_id);
	const struct pf *pf = node_pf(e->node, vf->rec.pf);
	json_t *conf = conf_of(e, l), *obj = json_object();
	enum cni_dialect dialect = wanted ? wanted : dialect_of(vf, conf);
	struct vfk_err err = { 0 };
	struct peer_attached a = { .dialect = dialect,
				   .att = vf->rec.owner,
				   .device = vf->rec.addr,
				   .pf_ifname = pf ? pf->ifname : "",
				   .index = vf->rec.index,
				   .wanted = &vf->rec.wanted,
				   .before = &vf->rec.baseline,
				   .user_space = plan_for_user(&vf->rec),
				   .own_ipam = vf->rec.n_own > 0,
				   .ipam_type = l ? l->rec.plugin : "",
				   .conf = conf };
	VFK_AUTO(free_auto) char *text = NULL;
	json_t *file;

	if (vf->rec.lease_id && !l) /* damage, or an import that ended half way */
		vfk_err_set(&err, VFK_E_UNSUPPORTED, 0,
			    "the lease of its addresses is not on record: vfctl import "
			    "again, if its file is there");
	else if (dialect)
		text = peer_cache_print(&a, &err);
	else
		vfk_err_set(&err, VFK_E_USAGE, 0,
			    "it is not clear for which plugin: say --dialect");
	json_decref(conf);
	file = text ? json_string(text) : NULL;
	view_set(obj, "vf", view_addr(vf->rec.addr));
	view_set(obj, "container", view_str(vf->rec.owner.container));
	view_set(obj, "ifname", view_str(vf->rec.owner.ifname));
	view_set(obj, "plugin", dialect ? json_string(peer_name(dialect)) : NULL);
	view_set(obj, "attach_seq", json_integer((json_int_t)vf->rec.attach_seq));
	view_set(obj, "netns_cookie", json_integer((json_int_t)vf->rec.netns_cookie));
	view_set(obj, "text", file);
	view_set(obj, "refused", file ? NULL : view_str(text ? "out of memory" : err.msg));
	return obj;
}

int export_list(struct engine *e, const struct ctl_request *rq, char **json,
		struct vfk_err *err)
{
	json_t *doc = json_object(), *files = json_array(), *others = json_array();
	enum cni_dialect dialect = 0;

	if (rq->n_args && !strcmp(rq->args[0], "ib-sriov"))
		dialect = DIALECT_IB_SRIOV;
	else if (rq->n_args)
		dialect = DIALECT_SRIOV;
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];
		bool moves = vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_DETACHING;

		if (vf->fsm.state == VF_ATTACHED)
			view_append(files, one(e, vf, dialect));
		else if (moves || (vf->fsm.state == VF_FAULTED && !vf->fsm.foreign))
			view_append(others, view_addr(vf->rec.addr));
	}
	view_set(doc, "files", files);
	view_set(doc, "under_way", others);
	return view_dump(doc, json, err);
}

/* A DEL that still comes to us pays with its own configuration, since ours is given away. */
static void mark(struct engine *e)
{
	struct rec_node *node = &e->node->rec;

	if (node->records_missing)
		return;
	node->records_missing = true;
	node->vfs_verified = e->discovered;
	snprintf(node->missing_reason, sizeof(node->missing_reason),
		 "VFs were exported to other plugins");
	record_node(e);
}

bool export_lease(struct engine *e, struct lease *l)
{
	struct vf *vf = node_vf(e->node, l->rec.vf);

	/* Not one that an attachment before that one has left (R11). */
	if (l->state != LEASE_HELD || !vf || vf->rec.event != VF_EV_EXPORTED ||
	    vf->rec.lease_id != l->rec.id)
		return false;
	vf->rec.lease_id = 0;
	lease_event(e, l, LEASE_EV_EXPORTED, false);
	node_lease_remove(e->node, l);
	return true;
}

/* 'rq' has the VF and the attachment that the file was written for: by its number. */
int export_done(struct engine *e, const struct ctl_request *rq, uint64_t *pending,
		struct vfk_err *err)
{
	unsigned long long seq = strtoull(rq->args[1], NULL, 10);
	struct lease *l;
	pci_addr_t addr;
	struct vf *vf;

	vf = pci_parse(rq->args[0], &addr) ? node_vf(e->node, addr) : NULL;
	if (!vf || vf->fsm.state != VF_ATTACHED || vf->rec.attach_seq != seq)
		return vfk_err_set(err, VFK_E_GONE, 0,
				   "VF %.20s was released while its file was written",
				   rq->args[0]);
	if (!engine_can_record(e))
		return vfk_err_set(err, VFK_E_BUSY, 0, "it cannot be recorded: %.190s",
				   e->broken[0] ? e->broken :
						  "the journal cannot be synced");
	cause_set(e, CAUSE_ADMIN, "vfctl export");
	mark(e);
	l = node_lease(e->node, vf->rec.lease_id);
	vf->fsm.foreign = true;
	vf->own_known = false;
	/* First, since what a VF that is still ours has leased must stay on record. */
	vf_event(e, vf, VF_EV_EXPORTED, false);
	if (l)
		export_lease(e, l);
	*pending = sync_want(e);
	vf_queue_run(e, vf);
	return ENGINE_WAIT_DISK;
}
