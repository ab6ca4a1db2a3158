/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/baseline.h"

#include <string.h>

#define ADDRESSES (HAS_NODE_GUID | HAS_PORT_GUID | HAS_MAC)
#define GUID_AT 12 /* in an address of InfiniBand */
#define MAC_LEN 6

bool baseline_modes_equal(const struct vf_settings *a, const struct vf_settings *b)
{
	uint32_t both = a->has & b->has;

	return (!(both & HAS_PROMISC) || a->promisc == b->promisc) &&
	       (!(both & HAS_ALLMULTI) || a->allmulti == b->allmulti) &&
	       (!(both & HAS_IPOIB_MODE) || a->ipoib_mode == b->ipoib_mode);
}

/* That of an IPoIB link has a number of its queue in it, and its port GUID is compared anyway. */
static bool mac_equal(const struct vf_baseline *a, const struct vf_baseline *b)
{
	return a->hwaddr_len != MAC_LEN || b->hwaddr_len != MAC_LEN ||
	       !memcmp(a->hwaddr, b->hwaddr, MAC_LEN);
}

bool baseline_equal(const struct vf_baseline *a, const struct vf_baseline *b)
{
	return !strcmp(a->ifname, b->ifname) && !strcmp(a->driver, b->driver) &&
	       a->set.has == b->set.has && a->set.link_state == b->set.link_state &&
	       a->set.node_guid == b->set.node_guid &&
	       a->set.port_guid == b->set.port_guid &&
	       !memcmp(a->set.mac, b->set.mac, sizeof(a->set.mac)) &&
	       a->set.vlan == b->set.vlan && a->set.qos == b->set.qos &&
	       a->set.vlan_proto == b->set.vlan_proto &&
	       a->set.spoofchk == b->set.spoofchk && a->set.trust == b->set.trust &&
	       a->set.min_tx_mbps == b->set.min_tx_mbps &&
	       a->set.max_tx_mbps == b->set.max_tx_mbps &&
	       a->set.mtu_bytes == b->set.mtu_bytes &&
	       baseline_modes_equal(&a->set, &b->set) && mac_equal(a, b);
}

static void guid_octets(uint64_t guid, uint8_t out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(guid >> (56 - 8 * i));
}

/* The address of an IPoIB link ends with its port GUID, that of an Ethernet link is the MAC
 * that its PF has for it. */
static void mend_link(struct vf_baseline *is, const struct vf_baseline *before,
		      const struct vf_settings *given, uint32_t all)
{
	uint8_t guid[8];

	guid_octets(given->port_guid, guid);
	if (all & HAS_PORT_GUID && is->hwaddr_len == sizeof(is->hwaddr) &&
	    !memcmp(is->hwaddr + GUID_AT, guid, sizeof(guid)))
		guid_octets(is->set.port_guid, is->hwaddr + GUID_AT);
	if (all & HAS_MAC && is->hwaddr_len == MAC_LEN && before->hwaddr_len == MAC_LEN &&
	    !memcmp(is->hwaddr, given->mac, MAC_LEN))
		memcpy(is->hwaddr, before->hwaddr, MAC_LEN);
}

bool baseline_mend(struct vf_baseline *seen, const struct vf_baseline *before,
		   const struct vf_settings *given)
{
	const struct vf_settings *was = &before->set, have = seen->set;
	struct vf_settings *is = &seen->set;
	uint32_t all = is->has & was->has & given->has;

	if (all & HAS_LINK_STATE && is->link_state == given->link_state)
		is->link_state = was->link_state;
	if (all & HAS_NODE_GUID && is->node_guid == given->node_guid)
		is->node_guid = was->node_guid;
	if (all & HAS_PORT_GUID && is->port_guid == given->port_guid)
		is->port_guid = was->port_guid;
	if (all & HAS_VLAN && is->vlan == given->vlan) {
		is->vlan = was->vlan;
		is->qos = was->qos;
		is->vlan_proto = was->vlan_proto;
	}
	if (all & HAS_MIN_TX && is->min_tx_mbps == given->min_tx_mbps)
		is->min_tx_mbps = was->min_tx_mbps;
	if (all & HAS_MAX_TX && is->max_tx_mbps == given->max_tx_mbps)
		is->max_tx_mbps = was->max_tx_mbps;
	if (all & HAS_SPOOFCHK && is->spoofchk == given->spoofchk)
		is->spoofchk = was->spoofchk;
	if (all & HAS_TRUST && is->trust == given->trust)
		is->trust = was->trust;
	if (all & HAS_MAC && !memcmp(is->mac, given->mac, sizeof(is->mac)))
		memcpy(is->mac, was->mac, sizeof(is->mac));
	mend_link(seen, before, given, all);
	return memcmp(is, &have, sizeof(have)) != 0;
}

static struct vf_settings only(const struct vf_settings *set, uint32_t has)
{
	struct vf_settings out = { .has = has };

	if (has & HAS_NODE_GUID)
		out.node_guid = set->node_guid;
	if (has & HAS_PORT_GUID)
		out.port_guid = set->port_guid;
	if (has & HAS_MAC)
		memcpy(out.mac, set->mac, sizeof(out.mac));
	return out;
}

/* What is the VF's own is nobody else's, whoever was given it. */
static uint32_t exchanged(const struct vf_settings *was, const struct vf_settings *given)
{
	uint32_t has = given->has & was->has & ADDRESSES;

	if (was->node_guid == given->node_guid)
		has &= ~(uint32_t)HAS_NODE_GUID;
	if (was->port_guid == given->port_guid)
		has &= ~(uint32_t)HAS_PORT_GUID;
	if (!memcmp(was->mac, given->mac, sizeof(was->mac)))
		has &= ~(uint32_t)HAS_MAC;
	return has;
}

void baseline_former(struct vf_baseline *before, struct vf_settings *given)
{
	uint32_t has = exchanged(&before->set, given);
	struct vf_baseline kept = { .set = only(&before->set, has) };

	if (has) {
		kept.hwaddr_len = before->hwaddr_len;
		memcpy(kept.hwaddr, before->hwaddr, sizeof(kept.hwaddr));
	}
	*before = kept;
	*given = only(given, has);
}
