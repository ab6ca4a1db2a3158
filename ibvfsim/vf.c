// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: administration of VFs, what "ip link set PF vf N ..." reaches on an
 * InfiniBand PF, and the gate that every administrative command passes. */
#include <linux/delay.h>
#include "sim.h"

static DEFINE_SPINLOCK(knob_lock);

/* Uses up one of '*left'; SIM_ALWAYS is never used up. */
bool sim_take(int *left)
{
	bool r;

	spin_lock(&knob_lock);
	r = *left != 0;
	if (*left > 0)
		--*left;
	spin_unlock(&knob_lock);
	return r;
}

int sim_gate(struct sim_pf *pf, enum sim_op_id id, int vf, bool *ignore)
{
	struct sim_op *op = &pf->ops[id];

	spin_lock(&knob_lock);
	op->count++;
	spin_unlock(&knob_lock);
	if (op->vf < 0 || op->vf == vf) {
		if (op->delay_ms)
			msleep(op->delay_ms);
		if (sim_take(&op->fail))
			return op->err ? -(int)op->err : -EIO;
		if (sim_take(&op->ignore))
			*ignore = true;
	}
	return pf->dev && pf->dev->dead ? -ENXIO : 0;
}

int sim_set_guid(struct sim_pf *pf, int vf, u64 guid, int type)
{
	enum sim_op_id id = type == IFLA_VF_IB_NODE_GUID ? SIM_OP_NODE_GUID :
							   SIM_OP_PORT_GUID;
	bool ignore = false;
	struct sim_dev *d;
	int r;

	if (type != IFLA_VF_IB_NODE_GUID && type != IFLA_VF_IB_PORT_GUID)
		return -EINVAL;
	r = sim_gate(pf, id, vf, &ignore);
	if (r || ignore)
		return r;
	mutex_lock(&sim_mutex);
	d = sim_live_guid ? sim_find_vf(pf, vf) : NULL;
	if (id == SIM_OP_NODE_GUID) {
		pf->vf[vf].node_guid = guid;
		if (d) {
			d->node_guid = guid;
			d->ibdev.node_guid = cpu_to_be64(guid);
		}
	} else {
		pf->vf[vf].port_guid = guid;
		if (d)
			d->port_guid = guid;
	}
	if (d)
		sim_event(d, IB_EVENT_GID_CHANGE);
	mutex_unlock(&sim_mutex);
	return 0;
}

/* Returns the PF behind 'ib' if VF 'vf' of it exists, else an error pointer. */
static struct sim_pf *admin(struct ib_device *ib, int vf)
{
	struct sim_dev *d = to_sim(ib);

	if (d->pdev->is_virtfn)
		return ERR_PTR(-EOPNOTSUPP);
	if (vf < 0 || vf >= pci_num_vf(d->pdev))
		return ERR_PTR(-EINVAL);
	return d->pf;
}

static int set_vf_guid(struct ib_device *ib, int vf, u32 port, u64 guid, int type)
{
	struct sim_pf *pf = admin(ib, vf);

	return IS_ERR(pf) ? PTR_ERR(pf) : sim_set_guid(pf, vf, guid, type);
}

static int set_vf_link_state(struct ib_device *ib, int vf, u32 port, int state)
{
	struct sim_pf *pf = admin(ib, vf);

	return IS_ERR(pf) ? PTR_ERR(pf) : sim_set_policy(pf, vf, state);
}

static int get_vf_guid(struct ib_device *ib, int vf, u32 port, struct ifla_vf_guid *n,
		       struct ifla_vf_guid *p)
{
	struct sim_pf *pf = admin(ib, vf);

	if (IS_ERR(pf))
		return PTR_ERR(pf);
	n->guid = pf->vf[vf].node_guid;
	p->guid = pf->vf[vf].port_guid;
	return 0;
}

static int get_vf_config(struct ib_device *ib, int vf, u32 port, struct ifla_vf_info *i)
{
	struct sim_pf *pf = admin(ib, vf);
	bool ignore = false;
	int r;

	if (IS_ERR(pf))
		return PTR_ERR(pf);
	r = sim_gate(pf, SIM_OP_GET_CONFIG, vf, &ignore);
	if (r)
		return r;
	memset(i, 0, sizeof(*i));
	i->vf = vf;
	if (!ignore)
		i->linkstate = pf->vf[vf].policy;
	return 0;
}

static int get_vf_stats(struct ib_device *ib, int vf, u32 port, struct ifla_vf_stats *s)
{
	memset(s, 0, sizeof(*s));
	return 0;
}

static const struct ib_device_ops vf_ops = {
	.get_vf_config = get_vf_config,
	.get_vf_guid = get_vf_guid,
	.get_vf_stats = get_vf_stats,
	.set_vf_guid = set_vf_guid,
	.set_vf_link_state = set_vf_link_state,
};

void sim_vf_ops(struct ib_device *ib)
{
	ib_set_device_ops(ib, &vf_ops);
}
