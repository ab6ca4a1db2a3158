// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: devlink of an Ethernet PF, for switchdev mode.  In that mode each VF has a
 * representor, a link of the PF's PCI function; and what a card in that mode leaves to the
 * switch is refused.  Forwarding is as before: nothing passes through a representor. */
#include <net/devlink.h>
#include "sim.h"

#define REP_INDEX 0x10000

struct rep {
	struct devlink_port port;
	struct net_device *netdev;
};

struct sim_switch {
	struct sim_dev *d;
	int n_reps;
	struct rep *reps; /* of the VFs that there were when the mode was set */
};

static netdev_tx_t rep_xmit(struct sk_buff *skb, struct net_device *n)
{
	dev_kfree_skb(skb);
	n->stats.tx_dropped++;
	return NETDEV_TX_OK;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
static struct devlink_port *rep_port(struct net_device *n)
{
	return &(*(struct rep **)netdev_priv(n))->port;
}
#endif

static const struct net_device_ops rep_ops = {
	.ndo_start_xmit = rep_xmit,
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	.ndo_get_devlink_port = rep_port,
#endif
};

static void rep_drop(struct rep *rep)
{
	if (rep->netdev) {
		devlink_port_type_clear(&rep->port);
		unregister_netdev(rep->netdev);
		free_netdev(rep->netdev);
	}
	devl_port_unregister(&rep->port);
}

static int rep_netdev(struct sim_dev *d, struct rep *rep)
{
	struct net_device *n = alloc_etherdev(sizeof(struct rep *));
	int r;

	if (!n)
		return -ENOMEM;
	*(struct rep **)netdev_priv(n) = rep;
	n->netdev_ops = &rep_ops;
	eth_hw_addr_random(n);
	SET_NETDEV_DEV(n, &d->pdev->dev);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	SET_NETDEV_DEVLINK_PORT(n, &rep->port);
#endif
	r = register_netdev(n);
	if (r) {
		free_netdev(n);
		return r;
	}
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	devlink_port_type_eth_set(&rep->port, n);
#endif
	rep->netdev = n;
	return 0;
}

static int rep_add(struct devlink *dl, struct sim_dev *d, struct rep *rep, int vf)
{
	__be64 id = cpu_to_be64(sim_guid(d->pdev));
	int r;

	memcpy(rep->port.attrs.switch_id.id, &id, sizeof(id));
	rep->port.attrs.switch_id.id_len = sizeof(id);
	devlink_port_attrs_pci_vf_set(&rep->port, 0, PCI_FUNC(d->pdev->devfn), vf, false);
	r = devl_port_register(dl, &rep->port, REP_INDEX + vf);
	if (r)
		return r;
	r = rep_netdev(d, rep);
	if (r)
		devl_port_unregister(&rep->port);
	return r;
}

static void to_legacy(struct sim_switch *sw)
{
	while (sw->n_reps)
		rep_drop(&sw->reps[--sw->n_reps]);
	kfree(sw->reps);
	sw->reps = NULL;
	sw->d->pf->switchdev = false;
}

static int to_switchdev(struct devlink *dl, struct sim_switch *sw)
{
	int n = pci_num_vf(sw->d->pdev), r;

	sw->reps = kcalloc(n, sizeof(*sw->reps), GFP_KERNEL);
	if (!sw->reps)
		return -ENOMEM;
	while (sw->n_reps < n) {
		r = rep_add(dl, sw->d, &sw->reps[sw->n_reps], sw->n_reps);
		if (r) {
			to_legacy(sw);
			return r;
		}
		sw->n_reps++;
	}
	sw->d->pf->switchdev = true;
	return 0;
}

static int mode_get(struct devlink *dl, u16 *mode)
{
	struct sim_switch *sw = devlink_priv(dl);

	*mode = sw->d->pf->switchdev ? DEVLINK_ESWITCH_MODE_SWITCHDEV :
				       DEVLINK_ESWITCH_MODE_LEGACY;
	return 0;
}

static int mode_set(struct devlink *dl, u16 mode, struct netlink_ext_ack *extack)
{
	struct sim_switch *sw = devlink_priv(dl);

	if (mode != DEVLINK_ESWITCH_MODE_LEGACY && mode != DEVLINK_ESWITCH_MODE_SWITCHDEV)
		return -EOPNOTSUPP;
	if ((mode == DEVLINK_ESWITCH_MODE_SWITCHDEV) == sw->d->pf->switchdev)
		return 0;
	if (mode == DEVLINK_ESWITCH_MODE_SWITCHDEV)
		return to_switchdev(dl, sw);
	to_legacy(sw);
	return 0;
}

static const struct devlink_ops ops = {
	.eswitch_mode_get = mode_get,
	.eswitch_mode_set = mode_set,
};

/* Without it there is no devlink, as with many a card. */
void sim_devlink_add(struct sim_dev *d)
{
	struct devlink *dl = devlink_alloc(&ops, sizeof(struct sim_switch), &d->pdev->dev);

	if (!dl)
		return;
	((struct sim_switch *)devlink_priv(dl))->d = d;
	d->pf->devlink = dl;
	devlink_register(dl);
}

void sim_devlink_drop(struct sim_dev *d)
{
	struct devlink *dl = d->pf->devlink;

	if (!dl)
		return;
	devlink_unregister(dl);
	devl_lock(dl);
	to_legacy(devlink_priv(dl));
	devl_unlock(dl);
	devlink_free(dl);
	d->pf->devlink = NULL;
}
