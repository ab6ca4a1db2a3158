// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: what the RDMA core asks about a device and its port, and the objects
 * that need no work.  All mandatory verbs must be there, or the core silently keeps the
 * device from ib_ipoib. */
#include <linux/slab.h>
#include <rdma/ib_sa.h>
#include <rdma/uverbs_ioctl.h>
#include "sim.h"

void sim_gid(struct sim_dev *d, union ib_gid *gid)
{
	gid->global.subnet_prefix = SIM_PREFIX;
	gid->global.interface_id = cpu_to_be64(d->port_guid);
}

static int query_device(struct ib_device *ib, struct ib_device_attr *a, struct ib_udata *u)
{
	struct sim_dev *d = to_sim(ib);

	memset(a, 0, sizeof(*a));
	a->fw_ver = 20ULL << 32 | 43 << 16 | 3000;
	a->sys_image_guid = ib->node_guid;
	a->vendor_id = SIM_OUI;
	a->vendor_part_id = d->pdev->device;
	a->max_mr_size = ~0ULL;
	a->page_size_cap = PAGE_SIZE;
	a->max_qp = 1024;
	a->max_qp_wr = 1000;
	a->max_send_sge = SIM_SGE;
	a->max_recv_sge = SIM_SGE;
	a->max_cq = 1024;
	a->max_cqe = 65535;
	a->max_mr = 1024;
	a->max_pd = 1024;
	a->max_ah = 65535;
	a->max_mcast_grp = 1024;
	a->max_mcast_qp_attach = 64;
	a->max_total_mcast_qp_attach = 65536;
	a->max_pkeys = d->eth ? 1 : SIM_PKEYS;
	a->max_srq_sge = 1;
	a->device_cap_flags = IB_DEVICE_CHANGE_PHY_PORT | IB_DEVICE_SYS_IMAGE_GUID;
	if (d->pdev->is_virtfn) /* keeps ib_ipoib from offering administration of VFs */
		a->kernel_cap_flags |= IBK_VIRTUAL_FUNCTION;
	return 0;
}

static int query_port(struct ib_device *ib, u32 port, struct ib_port_attr *a)
{
	struct sim_dev *d = to_sim(ib);
	bool up = sim_state(d) == IB_PORT_ACTIVE;

	if (d->eth)
		up = d->netdev && netif_running(d->netdev) && netif_carrier_ok(d->netdev);
	a->state = up ? IB_PORT_ACTIVE : IB_PORT_DOWN;
	a->phys_state = up ? IB_PORT_PHYS_STATE_LINK_UP : IB_PORT_PHYS_STATE_DISABLED;
	a->max_mtu = IB_MTU_4096;
	a->active_mtu = IB_MTU_4096;
	a->max_msg_sz = 1 << 30;
	a->max_vl_num = 4;
	a->active_width = IB_WIDTH_4X;
	a->active_speed = IB_SPEED_HDR;
	if (d->eth) {
		a->port_cap_flags = IB_PORT_CM_SUP;
		a->gid_tbl_len = ROCE_GIDS;
		a->pkey_tbl_len = 1;
		return 0;
	}
	a->port_cap_flags = IB_PORT_SYS_IMAGE_GUID_SUP;
	a->gid_tbl_len = SIM_GIDS;
	a->pkey_tbl_len = SIM_PKEYS;
	a->lid = d->lid;
	a->sm_lid = SM_LID;
	a->subnet_timeout = 18;
	return 0;
}

static int get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *im)
{
	im->max_mad_size = IB_MGMT_MAD_SIZE;
	if (to_sim(ib)->eth) {
		im->core_cap_flags =
			RDMA_CORE_PORT_IBA_ROCE | RDMA_CORE_PORT_IBA_ROCE_UDP_ENCAP;
		im->gid_tbl_len = ROCE_GIDS;
		im->pkey_tbl_len = 1;
		return 0;
	}
	im->core_cap_flags = RDMA_CORE_PORT_IBA_IB;
	im->gid_tbl_len = SIM_GIDS;
	im->pkey_tbl_len = SIM_PKEYS;
	return 0;
}

static enum rdma_link_layer get_link_layer(struct ib_device *ib, u32 port)
{
	return to_sim(ib)->eth ? IB_LINK_LAYER_ETHERNET : IB_LINK_LAYER_INFINIBAND;
}

static int add_gid(const struct ib_gid_attr *attr, void **context)
{
	return 0;
}

static int del_gid(const struct ib_gid_attr *attr, void **context)
{
	return 0;
}

static int query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	memset(gid, 0, sizeof(*gid));
	if (index == 0)
		sim_gid(to_sim(ib), gid);
	return 0;
}

static int query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	if (index >= SIM_PKEYS)
		return -EINVAL;
	*pkey = to_sim(ib)->pkey[index];
	return 0;
}

static int modify_port(struct ib_device *ib, u32 port, int mask, struct ib_port_modify *pm)
{
	return 0;
}

static int modify_device(struct ib_device *ib, int mask, struct ib_device_modify *dm)
{
	if (mask & IB_DEVICE_MODIFY_NODE_DESC)
		memcpy(ib->node_desc, dm->node_desc, IB_DEVICE_NODE_DESC_MAX);
	return 0;
}

static void get_dev_fw_str(struct ib_device *ib, char *s)
{
	snprintf(s, IB_FW_VERSION_NAME_MAX, "20.43.3000");
}

static int alloc_ucontext(struct ib_ucontext *c, struct ib_udata *u)
{
	bool ignore = false;
	struct sim_dev *d = to_sim(c->device);

	return d->pf ? sim_gate(d->pf, SIM_OP_OPEN, d->vf, &ignore) : 0;
}

static void dealloc_ucontext(struct ib_ucontext *c)
{
}

/* Being there is what lets the core move the device to another network namespace. */
static void disassociate_ucontext(struct ib_ucontext *c)
{
}

static int alloc_pd(struct ib_pd *pd, struct ib_udata *u)
{
	return 0;
}

static int dealloc_pd(struct ib_pd *pd, struct ib_udata *u)
{
	return 0;
}

static struct ib_mr *get_dma_mr(struct ib_pd *pd, int access)
{
	struct ib_mr *mr = kzalloc(sizeof(*mr), GFP_KERNEL);

	return mr ?: ERR_PTR(-ENOMEM);
}

/* Addresses of work requests are kernel addresses here, so nothing of user space may be
 * registered or posted: there is no user-space data path. */
static struct ib_mr *reg_user_mr(struct ib_pd *pd, u64 start, u64 len, u64 virt, int access,
				 struct ib_udata *u)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int dereg_mr(struct ib_mr *mr, struct ib_udata *u)
{
	kfree(mr);
	return 0;
}

static const struct ib_device_ops verbs_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.uverbs_abi_ver = 1,
	.add_gid = add_gid,
	.alloc_pd = alloc_pd,
	.alloc_ucontext = alloc_ucontext,
	.dealloc_pd = dealloc_pd,
	.dealloc_ucontext = dealloc_ucontext,
	.del_gid = del_gid,
	.dereg_mr = dereg_mr,
	.get_dev_fw_str = get_dev_fw_str,
	.get_dma_mr = get_dma_mr,
	.get_link_layer = get_link_layer,
	.get_port_immutable = get_port_immutable,
	.modify_device = modify_device,
	.modify_port = modify_port,
	.query_device = query_device,
	.query_gid = query_gid,
	.query_pkey = query_pkey,
	.query_port = query_port,
	.reg_user_mr = reg_user_mr,
	.size_ib_pd = sizeof(struct ib_pd),
	.size_ib_ucontext = sizeof(struct ib_ucontext),
};

static const struct ib_device_ops netns_ops = {
	.disassociate_ucontext = disassociate_ucontext,
};

void sim_verbs_ops(struct ib_device *ib)
{
	ib_set_device_ops(ib, &verbs_ops);
	if (sim_netns)
		ib_set_device_ops(ib, &netns_ops);
}
