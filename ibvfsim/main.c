// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: probe, removal and the life of a function.
 *
 * Every function of a card, physical or virtual, becomes one ib_device with one port.
 * Class 0x0207: InfiniBand, the kernel's ib_ipoib makes the network link.  Class 0x0200:
 * Ethernet with RoCE, ether.c makes the network link. */
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include "sim.h"

static char *driver_name = "mlx5_core";
module_param(driver_name, charp, 0444);
MODULE_PARM_DESC(driver_name, "name below /sys/bus/pci/drivers");

static char *ib_name = "mlx5_%d";
module_param(ib_name, charp, 0444);
MODULE_PARM_DESC(ib_name, "names of the RDMA devices");

char *sim_eth_name = "eth%d";
module_param_named(eth_name, sim_eth_name, charp, 0444);
MODULE_PARM_DESC(eth_name, "names of the Ethernet links");

int sim_vf_policy = IFLA_VF_LINK_STATE_AUTO;
module_param_named(vf_policy, sim_vf_policy, int, 0644);
MODULE_PARM_DESC(vf_policy, "link state policy of a new VF: 0 auto, 1 enable, 2 disable");

bool sim_sa_on = true;
module_param_named(sa_on, sim_sa_on, bool, 0644);
MODULE_PARM_DESC(sa_on, "the subnet administrator answers");

int sim_sa_delay_ms;
module_param_named(sa_delay_ms, sim_sa_delay_ms, int, 0644);
MODULE_PARM_DESC(sa_delay_ms, "how long the subnet administrator takes");

bool sim_live_guid;
module_param_named(live_guid, sim_live_guid, bool, 0644);
MODULE_PARM_DESC(live_guid, "a GUID takes effect at once instead of at the VF's probe");

bool sim_vendor_sysfs;
module_param_named(vendor_sysfs, sim_vendor_sysfs, bool, 0644);
MODULE_PARM_DESC(vendor_sysfs, "sriov/N/{node,port,policy} below the PF, from the next sriov_numvfs on");

bool sim_netns = true;
module_param_named(netns, sim_netns, bool, 0444);
MODULE_PARM_DESC(netns, "RDMA devices may change their network namespace");

DEFINE_SPINLOCK(sim_lock);
DEFINE_MUTEX(sim_mutex);
LIST_HEAD(sim_devs);
static DEFINE_IDA(lids);

u64 sim_guid(struct pci_dev *p)
{
	return SIM_OUI << 40 | 0x0300000000ULL | (u64)pci_domain_nr(p->bus) << 16 |
	       p->bus->number << 8 | p->devfn;
}

/* The port as its owner sees it: the wire, the policy of the VF, and its health. */
enum ib_port_state sim_state(struct sim_dev *d)
{
	struct sim_vfcfg *c = sim_cfg(d);

	if (!d->link_up || d->dead || !d->pf)
		return IB_PORT_DOWN;
	if (!c || c->policy == IFLA_VF_LINK_STATE_ENABLE)
		return IB_PORT_ACTIVE;
	if (c->policy == IFLA_VF_LINK_STATE_DISABLE || !d->pf->dev->link_up ||
	    d->pf->dev->dead)
		return IB_PORT_DOWN;
	return IB_PORT_ACTIVE;
}

/* Lost when the RDMA core has no clients on the device just now, as with a real one. */
void sim_event(struct sim_dev *d, enum ib_event_type type)
{
	struct ib_event e = { .device = &d->ibdev, .event = type, .element.port_num = 1 };

	if (!ib_device_try_get(&d->ibdev))
		return;
	ib_dispatch_event(&e);
	ib_device_put(&d->ibdev);
}

struct sim_dev *sim_find_vf(struct sim_pf *pf, int vf)
{
	struct sim_dev *d;

	lockdep_assert_held(&sim_mutex);
	list_for_each_entry(d, &sim_devs, node)
		if (d->pf == pf && d->vf == vf && !d->going)
			return d;
	return NULL;
}

/* Tells the world about a port whose state was 'was'. */
static void port_changed(struct sim_dev *d, enum ib_port_state was)
{
	enum ib_port_state now = sim_state(d);

	if (now == was)
		return;
	if (d->eth)
		sim_eth_carrier(d); /* the event follows from the link's notification */
	else
		sim_event(d, now == IB_PORT_ACTIVE ? IB_EVENT_PORT_ACTIVE :
						     IB_EVENT_PORT_ERR);
}

static void change(struct sim_dev *d, bool *flag, bool to)
{
	enum ib_port_state *was;
	struct sim_dev *v;
	int n = 0;

	lockdep_assert_held(&sim_mutex);
	was = kcalloc(d->pf->n_vfs + 1, sizeof(*was), GFP_KERNEL);
	if (!was)
		return;
	list_for_each_entry(v, &sim_devs, node)
		if (!v->going && (v == d || (d->vf < 0 && v->pf == d->pf)))
			was[n++] = sim_state(v);
	*flag = to;
	n = 0;
	list_for_each_entry(v, &sim_devs, node)
		if (!v->going && (v == d || (d->vf < 0 && v->pf == d->pf)))
			port_changed(v, was[n++]);
	kfree(was);
}

void sim_link(struct sim_dev *d, bool up)
{
	change(d, &d->link_up, up);
}

void sim_die(struct sim_dev *d, bool dead)
{
	change(d, &d->dead, dead);
	if (dead)
		sim_event(d, IB_EVENT_DEVICE_FATAL);
}

int sim_set_policy(struct sim_pf *pf, int vf, int policy)
{
	enum ib_port_state was = IB_PORT_DOWN;
	bool ignore = false;
	struct sim_dev *d;
	int r;

	if (policy < IFLA_VF_LINK_STATE_AUTO || policy > IFLA_VF_LINK_STATE_DISABLE)
		return -EINVAL;
	r = sim_gate(pf, SIM_OP_STATE, vf, &ignore);
	if (r || ignore)
		return r;
	mutex_lock(&sim_mutex);
	d = sim_find_vf(pf, vf);
	if (d)
		was = sim_state(d);
	pf->vf[vf].policy = policy;
	if (d)
		port_changed(d, was);
	mutex_unlock(&sim_mutex);
	return 0;
}

static struct sim_pf *pf_new(struct pci_dev *p, struct sim_dev *d)
{
	int n = max(pci_sriov_get_totalvfs(p), 0), i;
	struct sim_pf *pf = kvzalloc(struct_size(pf, vf, n), GFP_KERNEL);

	if (!pf)
		return NULL;
	pf->dev = d;
	pf->n_vfs = n;
	for (i = 0; i < SIM_N_OPS; i++)
		pf->ops[i].vf = -1;
	for (i = 0; i < n; i++) {
		pf->vf[i].policy = sim_vf_policy;
		pf->vf[i].eth.vlan_proto = htons(ETH_P_8021Q);
	}
	return pf;
}

/* Takes the device out of everybody's sight; 'registered': as far as dev_add() came. */
static void dev_drop(struct sim_dev *d, bool registered)
{
	unsigned long flags;

	mutex_lock(&sim_mutex);
	d->going = true;
	mutex_unlock(&sim_mutex);
	if (registered)
		ib_unregister_device(&d->ibdev);
	if (d->netdev)
		unregister_netdev(d->netdev);
	mutex_lock(&sim_mutex);
	spin_lock_irqsave(&sim_lock, flags);
	list_del(&d->node);
	spin_unlock_irqrestore(&sim_lock, flags);
	mutex_unlock(&sim_mutex);
	if (d->netdev)
		free_netdev(d->netdev);
	ida_free(&lids, d->lid);
	ib_dealloc_device(&d->ibdev);
}

/* 'pf' NULL makes a decoy: a device of its own that takes the lowest names and numbers. */
static struct sim_dev *dev_new(struct pci_dev *p, struct sim_pf *pf, int vf)
{
	struct sim_dev *d = ib_alloc_device(sim_dev, ibdev);
	int lid;

	if (!d)
		return NULL;
	lid = ida_alloc_range(&lids, LID_FIRST, MLID_FIRST - 1, GFP_KERNEL);
	if (lid < 0) {
		ib_dealloc_device(&d->ibdev);
		return NULL;
	}
	d->lid = lid;
	d->pdev = p;
	d->pf = pf;
	d->vf = vf;
	d->eth = p->class >> 8 == PCI_CLASS_NETWORK_ETHERNET;
	d->link_up = true;
	d->next_qpn = 0x100 + 0x40 * (p->devfn & 0xff);
	d->pkey[0] = 0xffff;
	INIT_LIST_HEAD(&d->qps);
	INIT_LIST_HEAD(&d->mcast);
	return d;
}

static int dev_add(struct sim_dev *d)
{
	struct ib_device *ib = &d->ibdev;
	unsigned long flags;
	int r = 0;

	ib->node_type = RDMA_NODE_IB_CA;
	ib->phys_port_cnt = 1;
	ib->num_comp_vectors = 1;
	ib->local_dma_lkey = 1;
	ib->node_guid = cpu_to_be64(d->node_guid);
	if (d->pf)
		ib->dev.parent = &d->pdev->dev;
	snprintf(ib->node_desc, sizeof(ib->node_desc), "ibvfsim %s", pci_name(d->pdev));
	sim_verbs_ops(ib);
	sim_fabric_ops(ib);
	sim_vf_ops(ib);
	sim_uevent_attach(&ib->dev);
	mutex_lock(&sim_mutex);
	spin_lock_irqsave(&sim_lock, flags);
	list_add_tail(&d->node, &sim_devs);
	spin_unlock_irqrestore(&sim_lock, flags);
	mutex_unlock(&sim_mutex);
	if (d->eth) {
		r = sim_eth_add(d);
		if (!r)
			r = ib_device_set_netdev(ib, d->netdev, 1);
	}
	if (r)
		return r;
	r = ib_register_device(ib, ib_name, NULL);
	if (r && d->eth) /* else its reference keeps the link from going */
		ib_device_set_netdev(ib, NULL, 1);
	return r;
}

static void set_identity(struct sim_dev *d)
{
	struct sim_vfcfg *c = sim_cfg(d);

	d->node_guid = d->port_guid = sim_guid(d->pdev);
	if (!c)
		return;
	if (!d->eth || c->node_guid)
		d->node_guid = c->node_guid;
	d->port_guid = c->port_guid;
}

static int probe(struct pci_dev *p, const struct pci_device_id *id)
{
	struct sim_dev *d, *parent, *decoy = NULL;
	struct sim_pf *pf = NULL;
	bool ignore = false;
	int r, vf = -1;

	if (p->is_virtfn) {
		parent = pci_get_drvdata(pci_physfn(p));
		vf = pci_iov_vf_id(p);
		if (!parent || vf < 0)
			return -ENODEV;
		pf = parent->pf;
		r = sim_gate(pf, SIM_OP_PROBE, vf, &ignore);
		if (r || ignore) /* ignored: bound, but there is nothing */
			return r;
	}
	r = pci_enable_device(p);
	if (r)
		return r;
	if (vf >= 0 && sim_take(&sim_renumber)) {
		decoy = dev_new(p, NULL, -1);
		if (decoy && dev_add(decoy)) {
			dev_drop(decoy, false);
			decoy = NULL;
		}
	}
	r = -ENOMEM;
	d = dev_new(p, pf, vf);
	if (!d)
		goto out;
	if (vf < 0) {
		d->pf = pf_new(p, d);
		if (!d->pf) {
			ida_free(&lids, d->lid);
			ib_dealloc_device(&d->ibdev);
			goto out;
		}
		pf = d->pf;
	}
	set_identity(d);
	pci_set_drvdata(p, d);
	r = dev_add(d);
	if (r) {
		pci_set_drvdata(p, NULL);
		dev_drop(d, false);
		if (vf < 0)
			kvfree(pf);
		goto out;
	}
	sim_knobs_add(d);
	if (d->eth && vf < 0)
		sim_devlink_add(d);
out:
	if (decoy)
		dev_drop(decoy, true);
	if (r)
		pci_disable_device(p);
	return r;
}

static void remove(struct pci_dev *p)
{
	struct sim_dev *d = pci_get_drvdata(p);
	struct sim_pf *pf;
	bool ignore;

	if (!d) /* an ignored probe */
		return;
	pf = d->pf;
	if (p->is_virtfn) { /* it can only be slow */
		if (sim_gate(pf, SIM_OP_REMOVE, d->vf, &ignore))
			dev_dbg(&p->dev, "removed all the same\n");
	} else {
		sim_devlink_drop(d);
		pci_disable_sriov(p);
		sim_vendor_drop(pf);
	}
	debugfs_remove_recursive(d->dir);
	pci_set_drvdata(p, NULL);
	dev_drop(d, true);
	if (!p->is_virtfn)
		kvfree(pf);
	pci_disable_device(p);
}

static int sriov_configure(struct pci_dev *p, int n)
{
	struct sim_dev *d = pci_get_drvdata(p);
	bool ignore = false;
	int r;

	r = sim_gate(d->pf, SIM_OP_NUMVFS, -1, &ignore);
	if (r)
		return r;
	if (ignore)
		return n;
	if (!n) {
		pci_disable_sriov(p);
		sim_vendor_drop(d->pf);
		return 0;
	}
	r = pci_enable_sriov(p, n);
	if (r)
		return r;
	if (sim_vendor_sysfs) {
		r = sim_vendor_add(d->pf, n);
		if (r) {
			pci_disable_sriov(p);
			return r;
		}
	}
	return n;
}

#define SIM_ID(dev, cls)                                                               \
	{ .vendor = 0x15b3, .device = (dev), .subvendor = PCI_ANY_ID,                  \
	  .subdevice = PCI_ANY_ID, .class = (cls) << 8, .class_mask = 0xffff00 }
static const struct pci_device_id ids[] = {
	SIM_ID(0x101b, 0x0207), SIM_ID(0x101c, 0x0207), SIM_ID(0x101b, 0x0200),
	SIM_ID(0x101c, 0x0200), {}
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.sriov_configure = sriov_configure,
};

static int __init sim_init(void)
{
	int r = sim_fabric_init();

	if (r)
		return r;
	r = sim_eth_init();
	if (r)
		goto fabric;
	r = sim_uevent_init();
	if (r)
		goto eth;
	sim_knobs_init();
	driver.name = driver_name;
	r = pci_register_driver(&driver);
	if (!r)
		return 0;
	sim_knobs_exit();
	sim_uevent_exit();
eth:
	sim_eth_exit();
fabric:
	sim_fabric_exit();
	return r;
}

static void __exit sim_exit(void)
{
	pci_unregister_driver(&driver);
	sim_knobs_exit();
	sim_uevent_exit();
	sim_eth_exit();
	sim_fabric_exit();
	ida_destroy(&lids);
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("InfiniBand HCA and Ethernet NIC with SR-IOV, in software, for tests");
