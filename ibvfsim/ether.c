// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: Ethernet functions.  One switch per PF joins it with its VFs and enforces
 * what "ip link set PF vf N ..." says:
 *
 * mac	      the address of the VF from its next probe on; an untrusted VF may not change it
 * spoofchk   frames of the VF with another source address are dropped
 * vlan, qos  frames of the VF carry this tag inside the switch (802.1Q or 802.1ad); only
 *	      frames with it reach the VF, without it; frames that the VF tags are dropped
 * rate	      frames of the VF above max_tx_rate (Mb/s) are dropped
 * trust      the VF may change its address, and hears all its VLAN when promiscuous
 * state      carrier of the VF
 * query_rss  is stored and shown
 *
 * The PF, and VFs without a vlan, see foreign tags as tagged frames. */
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include "sim.h"

#define LINK_MBPS 100000

struct eth {
	struct sim_dev *d;
};

struct tag {
	__be16 proto; /* 0: none */
	u16 tci;
};

static struct sim_dev *eth_dev(struct net_device *n)
{
	return ((struct eth *)netdev_priv(n))->d;
}

void sim_eth_carrier(struct sim_dev *d)
{
	if (!d->netdev || !netif_running(d->netdev))
		return;
	if (sim_state(d) == IB_PORT_ACTIVE)
		netif_carrier_on(d->netdev);
	else
		netif_carrier_off(d->netdev);
}

static int eth_open(struct net_device *n)
{
	struct sim_dev *d = eth_dev(n);

	if (d->dead)
		return -ENXIO;
	if (sim_state(d) == IB_PORT_ACTIVE)
		netif_carrier_on(n);
	netif_start_queue(n);
	return 0;
}

static int eth_stop(struct net_device *n)
{
	netif_stop_queue(n);
	netif_carrier_off(n);
	return 0;
}

/* ---- the switch ---- */

static bool has_vlan(const struct sim_vfcfg *c)
{
	return c && c->eth.vlan;
}

/* The tag of 'c', which has one, as it is on the wire. */
static struct tag vf_tag(const struct sim_vfcfg *c)
{
	return (struct tag){
		.proto = c->eth.vlan_proto,
		.tci = c->eth.vlan | c->eth.qos << VLAN_PRIO_SHIFT,
	};
}

/* Frames from above come with the Ethernet header in front and any tag behind it. */
static struct tag frame_tag(const struct sk_buff *skb)
{
	struct vlan_ethhdr buf;
	const struct vlan_ethhdr *h = skb_header_pointer(skb, 0, sizeof(buf), &buf);

	if (!h || !eth_type_vlan(h->h_vlan_proto))
		return (struct tag){};
	return (struct tag){ h->h_vlan_proto, ntohs(h->h_vlan_TCI) };
}

/* Token bucket of 10 ms, at least one large frame. */
static bool within_rate(struct sim_vfcfg *c, u32 len)
{
	u64 now = ktime_get_ns(), passed;
	s64 rate, depth;

	if (!c || !c->eth.max_tx_rate)
		return true;
	rate = (s64)c->eth.max_tx_rate * 125000; /* bytes per second */
	depth = max_t(s64, rate / 100, 10000);
	passed = min_t(u64, now - c->filled_ns, NSEC_PER_SEC);
	c->bucket = min_t(s64, c->bucket + div_s64(passed * rate, NSEC_PER_SEC), depth);
	c->filled_ns = now;
	if (c->bucket < len)
		return false;
	c->bucket -= len;
	return true;
}

static bool may_send(struct sim_vfcfg *c, const struct sk_buff *skb, struct tag t)
{
	if (!c)
		return true;
	if (c->eth.spoofchk && !is_zero_ether_addr(c->eth.mac) &&
	    !ether_addr_equal(skb->data + ETH_ALEN, c->eth.mac))
		return false;
	if (has_vlan(c) && t.proto)
		return false;
	return within_rate(c, skb->len);
}

static bool hears(struct sim_dev *d, const u8 *dst)
{
	struct sim_vfcfg *c = sim_cfg(d);

	return is_multicast_ether_addr(dst) || ether_addr_equal(dst, d->netdev->dev_addr) ||
	       ((d->netdev->flags & IFF_PROMISC) && (!c || c->eth.trusted));
}

/* Returns a copy of 'skb' as 'd' sees it, NULL when it is not for him.  'tag': its tag
 * inside the switch; 'pushed': put on by the switch, not in the data. */
static struct sk_buff *copy_for(struct sim_dev *d, struct sk_buff *skb, struct tag tag,
				bool pushed)
{
	struct sim_vfcfg *c = sim_cfg(d);
	bool strip = has_vlan(c);
	struct sk_buff *copy;

	if (strip && (tag.proto != c->eth.vlan_proto ||
		      (tag.tci & VLAN_VID_MASK) != c->eth.vlan))
		return NULL;
	if (!hears(d, skb->data))
		return NULL;
	copy = skb_clone(skb, GFP_ATOMIC);
	if (!copy)
		return NULL;
	skb_scrub_packet(copy, true);
	d->netdev->stats.rx_packets++;
	d->netdev->stats.rx_bytes += copy->len;
	copy->protocol = eth_type_trans(copy, d->netdev);
	if (pushed && !strip) {
		__vlan_hwaccel_put_tag(copy, tag.proto, tag.tci);
	} else if (!pushed && strip) {
		copy = skb_vlan_untag(copy);
		if (copy)
			__vlan_hwaccel_clear_tag(copy);
	}
	return copy;
}

static netdev_tx_t eth_xmit(struct sk_buff *skb, struct net_device *n)
{
	struct sim_dev *s = eth_dev(n), *d;
	struct sim_vfcfg *c = sim_cfg(s);
	struct tag tag = frame_tag(skb);
	bool pushed = has_vlan(c);
	struct sk_buff_head out;
	struct sk_buff *copy;
	unsigned long flags;

	__skb_queue_head_init(&out);
	spin_lock_irqsave(&sim_lock, flags);
	if (!may_send(c, skb, tag)) {
		spin_unlock_irqrestore(&sim_lock, flags);
		n->stats.tx_dropped++;
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	if (pushed)
		tag = vf_tag(c);
	n->stats.tx_packets++;
	n->stats.tx_bytes += skb->len;
	list_for_each_entry(d, &sim_devs, node) {
		if (d == s || !d->eth || d->pf != s->pf || !d->netdev ||
		    !netif_running(d->netdev) || !netif_carrier_ok(d->netdev))
			continue;
		copy = copy_for(d, skb, tag, pushed);
		if (copy)
			__skb_queue_tail(&out, copy);
	}
	spin_unlock_irqrestore(&sim_lock, flags);
	dev_kfree_skb_any(skb);
	while ((copy = __skb_dequeue(&out)))
		netif_rx(copy);
	return NETDEV_TX_OK;
}

static int eth_set_mac(struct net_device *n, void *addr)
{
	struct sim_vfcfg *c = sim_cfg(eth_dev(n));
	const struct sockaddr *sa = addr;

	if (c && !c->eth.trusted && !is_zero_ether_addr(c->eth.mac) &&
	    !ether_addr_equal(sa->sa_data, c->eth.mac))
		return -EPERM;
	return eth_mac_addr(n, addr);
}

/* ---- administration of VFs; under RTNL ---- */

/* Checks and gates a command; *cfg NULL with 0: stop there with success. */
static int admin(struct net_device *n, int vf, enum sim_op_id op, struct sim_vfcfg **cfg)
{
	struct sim_dev *d = eth_dev(n);
	bool ignore = false;
	int r;

	if (vf < 0 || vf >= pci_num_vf(d->pdev))
		return -EINVAL;
	r = sim_gate(d->pf, op, vf, &ignore);
	*cfg = ignore ? NULL : &d->pf->vf[vf];
	return r;
}

/* What a card in switchdev mode leaves to the switch. */
static int in_switchdev(struct net_device *n, int vf, enum sim_op_id op,
			struct sim_vfcfg **cfg)
{
	return eth_dev(n)->pf->switchdev ? -EOPNOTSUPP : admin(n, vf, op, cfg);
}

static int set_vf_mac(struct net_device *n, int vf, u8 *mac)
{
	struct sim_vfcfg *c;
	int r;

	if (is_multicast_ether_addr(mac))
		return -EINVAL;
	r = admin(n, vf, SIM_OP_MAC, &c);
	if (!r && c)
		ether_addr_copy(c->eth.mac, mac);
	return r;
}

static int set_vf_vlan(struct net_device *n, int vf, u16 vlan, u8 qos, __be16 proto)
{
	struct sim_vfcfg *c;
	int r;

	if (vlan >= VLAN_N_VID || qos > 7)
		return -EINVAL;
	if (!eth_type_vlan(proto))
		return -EPROTONOSUPPORT;
	if (eth_dev(n)->pf->switchdev && (vlan || qos))
		return -EOPNOTSUPP;
	r = admin(n, vf, SIM_OP_VLAN, &c);
	if (!r && c) {
		c->eth.vlan = vlan;
		c->eth.qos = qos;
		c->eth.vlan_proto = proto;
	}
	return r;
}

static int set_vf_rate(struct net_device *n, int vf, int min, int max)
{
	struct sim_vfcfg *c;
	int r;

	if (min < 0 || max < 0 || min > LINK_MBPS || max > LINK_MBPS || (max && min > max))
		return -EINVAL;
	r = admin(n, vf, SIM_OP_RATE, &c);
	if (!r && c) {
		c->eth.min_tx_rate = min;
		c->eth.max_tx_rate = max;
	}
	return r;
}

static int set_vf_spoofchk(struct net_device *n, int vf, bool on)
{
	struct sim_vfcfg *c;
	int r = in_switchdev(n, vf, SIM_OP_SPOOFCHK, &c);

	if (!r && c)
		c->eth.spoofchk = on;
	return r;
}

static int set_vf_trust(struct net_device *n, int vf, bool on)
{
	struct sim_vfcfg *c;
	int r = in_switchdev(n, vf, SIM_OP_TRUST, &c);

	if (!r && c)
		c->eth.trusted = on;
	return r;
}

static int set_vf_rss(struct net_device *n, int vf, bool on)
{
	struct sim_vfcfg *c;
	int r = admin(n, vf, SIM_OP_QUERY_RSS, &c);

	if (!r && c)
		c->eth.rss_query_en = on;
	return r;
}

static int set_vf_link_state(struct net_device *n, int vf, int state)
{
	struct sim_dev *d = eth_dev(n);

	if (vf < 0 || vf >= pci_num_vf(d->pdev))
		return -EINVAL;
	if (d->pf->switchdev)
		return -EOPNOTSUPP;
	return sim_set_policy(d->pf, vf, state);
}

static int set_vf_guid(struct net_device *n, int vf, u64 guid, int type)
{
	return -EOPNOTSUPP;
}

static int get_vf_config(struct net_device *n, int vf, struct ifla_vf_info *i)
{
	struct sim_vfcfg *c;
	int r = admin(n, vf, SIM_OP_GET_CONFIG, &c);

	if (r)
		return r;
	memset(i, 0, sizeof(*i));
	if (c) {
		*i = c->eth;
		i->linkstate = c->policy;
	}
	i->vf = vf;
	return 0;
}

static int get_vf_stats(struct net_device *n, int vf, struct ifla_vf_stats *s)
{
	struct sim_dev *d = eth_dev(n);
	struct net_device_stats *st;

	if (vf < 0 || vf >= pci_num_vf(d->pdev))
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	mutex_lock(&sim_mutex);
	d = sim_find_vf(d->pf, vf);
	if (d && d->netdev) {
		st = &d->netdev->stats;
		s->rx_packets = st->rx_packets;
		s->rx_bytes = st->rx_bytes;
		s->tx_packets = st->tx_packets;
		s->tx_bytes = st->tx_bytes;
		s->tx_dropped = st->tx_dropped;
	}
	mutex_unlock(&sim_mutex);
	return 0;
}

static void get_drvinfo(struct net_device *n, struct ethtool_drvinfo *i)
{
	strscpy(i->driver, eth_dev(n)->pdev->dev.driver->name, sizeof(i->driver));
	strscpy(i->bus_info, pci_name(eth_dev(n)->pdev), sizeof(i->bus_info));
}

static int get_link_ksettings(struct net_device *n, struct ethtool_link_ksettings *k)
{
	k->base.speed = netif_carrier_ok(n) ? LINK_MBPS : SPEED_UNKNOWN;
	k->base.duplex = netif_carrier_ok(n) ? DUPLEX_FULL : DUPLEX_UNKNOWN;
	k->base.port = PORT_OTHER;
	return 0;
}

static const struct ethtool_ops eth_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = get_link_ksettings,
};

static const struct net_device_ops vf_netdev_ops = {
	.ndo_open = eth_open,
	.ndo_stop = eth_stop,
	.ndo_start_xmit = eth_xmit,
	.ndo_set_mac_address = eth_set_mac,
	.ndo_validate_addr = eth_validate_addr,
};

static const struct net_device_ops pf_netdev_ops = {
	.ndo_open = eth_open,
	.ndo_stop = eth_stop,
	.ndo_start_xmit = eth_xmit,
	.ndo_set_mac_address = eth_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_set_vf_mac = set_vf_mac,
	.ndo_set_vf_vlan = set_vf_vlan,
	.ndo_set_vf_rate = set_vf_rate,
	.ndo_set_vf_spoofchk = set_vf_spoofchk,
	.ndo_set_vf_trust = set_vf_trust,
	.ndo_set_vf_rss_query_en = set_vf_rss,
	.ndo_set_vf_link_state = set_vf_link_state,
	.ndo_set_vf_guid = set_vf_guid,
	.ndo_get_vf_config = get_vf_config,
	.ndo_get_vf_stats = get_vf_stats,
};

int sim_eth_add(struct sim_dev *d)
{
	struct sim_vfcfg *c = sim_cfg(d);
	struct net_device *n = alloc_etherdev(sizeof(struct eth));
	u64 guid = sim_guid(d->pdev);
	u8 mac[ETH_ALEN] = { SIM_OUI >> 16,	  (SIM_OUI >> 8) & 0xff,
			     SIM_OUI & 0xff,	  (guid >> 16) & 0xff,
			     (guid >> 8) & 0xff, guid & 0xff };
	int r;

	if (!n)
		return -ENOMEM;
	((struct eth *)netdev_priv(n))->d = d;
	strscpy(n->name, sim_eth_name, IFNAMSIZ);
	n->netdev_ops = d->vf < 0 && d->pf ? &pf_netdev_ops : &vf_netdev_ops;
	n->ethtool_ops = &eth_ethtool_ops;
	n->max_mtu = 9978;
	if (d->pf)
		SET_NETDEV_DEV(n, &d->pdev->dev);
	if (d->pf && !c)
		eth_hw_addr_set(n, mac);
	else if (c && !is_zero_ether_addr(c->eth.mac))
		eth_hw_addr_set(n, c->eth.mac);
	else
		eth_hw_addr_random(n);
	netif_carrier_off(n);
	mutex_lock(&sim_mutex);
	d->netdev = n;
	mutex_unlock(&sim_mutex);
	r = register_netdev(n);
	if (!r)
		return 0;
	mutex_lock(&sim_mutex);
	d->netdev = NULL;
	mutex_unlock(&sim_mutex);
	synchronize_net();
	free_netdev(n);
	return r;
}

/* A port of RoCE is what its link is. */
static int netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *n = netdev_notifier_info_to_dev(ptr);

	if (n->netdev_ops != &pf_netdev_ops && n->netdev_ops != &vf_netdev_ops)
		return NOTIFY_DONE;
	if (event == NETDEV_UP || event == NETDEV_DOWN || event == NETDEV_CHANGE)
		sim_event(eth_dev(n), netif_running(n) && netif_carrier_ok(n) ?
					      IB_EVENT_PORT_ACTIVE :
					      IB_EVENT_PORT_ERR);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_nb = { .notifier_call = netdev_event };

int sim_eth_init(void)
{
	return register_netdevice_notifier(&netdev_nb);
}

void sim_eth_exit(void)
{
	unregister_netdevice_notifier(&netdev_nb);
}
