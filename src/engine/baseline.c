/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/baseline.h"

#include <string.h>

#define ON_PF                                                                            \
	(HAS_NODE_GUID | HAS_PORT_GUID | HAS_MAC | HAS_LINK_STATE | HAS_VLAN |           \
	 HAS_SPOOFCHK | HAS_TRUST | HAS_MIN_TX | HAS_MAX_TX)
#define OF_LINK (HAS_MTU | HAS_PROMISC | HAS_ALLMULTI | HAS_IPOIB_MODE)
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

static void take(struct vf_settings *out, const struct vf_settings *from, uint32_t bits)
{
	if (bits & HAS_LINK_STATE)
		out->link_state = from->link_state;
	if (bits & HAS_NODE_GUID)
		out->node_guid = from->node_guid;
	if (bits & HAS_PORT_GUID)
		out->port_guid = from->port_guid;
	if (bits & HAS_MAC)
		memcpy(out->mac, from->mac, sizeof(out->mac));
	if (bits & HAS_VLAN) {
		out->vlan = from->vlan;
		out->qos = from->qos;
		out->vlan_proto = from->vlan_proto;
	}
	if (bits & HAS_SPOOFCHK)
		out->spoofchk = from->spoofchk;
	if (bits & HAS_TRUST)
		out->trust = from->trust;
	if (bits & HAS_MIN_TX)
		out->min_tx_mbps = from->min_tx_mbps;
	if (bits & HAS_MAX_TX)
		out->max_tx_mbps = from->max_tx_mbps;
	if (bits & HAS_MTU)
		out->mtu_bytes = from->mtu_bytes;
	if (bits & HAS_PROMISC)
		out->promisc = from->promisc;
	if (bits & HAS_ALLMULTI)
		out->allmulti = from->allmulti;
	if (bits & HAS_IPOIB_MODE)
		out->ipoib_mode = from->ipoib_mode;
	out->has |= bits;
}

/* Bits of 'among' whose settings differ. */
static uint32_t differing(const struct vf_settings *a, const struct vf_settings *b,
			  uint32_t among)
{
	uint32_t same = 0;

	same |= a->link_state == b->link_state ? HAS_LINK_STATE : 0;
	same |= a->node_guid == b->node_guid ? HAS_NODE_GUID : 0;
	same |= a->port_guid == b->port_guid ? HAS_PORT_GUID : 0;
	same |= !memcmp(a->mac, b->mac, sizeof(a->mac)) ? HAS_MAC : 0;
	same |= a->vlan == b->vlan && a->qos == b->qos && a->vlan_proto == b->vlan_proto ?
			HAS_VLAN :
			0;
	same |= a->spoofchk == b->spoofchk ? HAS_SPOOFCHK : 0;
	same |= a->trust == b->trust ? HAS_TRUST : 0;
	same |= a->min_tx_mbps == b->min_tx_mbps ? HAS_MIN_TX : 0;
	same |= a->max_tx_mbps == b->max_tx_mbps ? HAS_MAX_TX : 0;
	same |= a->mtu_bytes == b->mtu_bytes ? HAS_MTU : 0;
	return among & ~same;
}

bool baseline_equal(const struct vf_baseline *a, const struct vf_baseline *b)
{
	uint32_t compared = ON_PF | HAS_MTU;

	return !strcmp(a->ifname, b->ifname) && !strcmp(a->driver, b->driver) &&
	       a->set.has == b->set.has && !differing(&a->set, &b->set, compared) &&
	       baseline_modes_equal(&a->set, &b->set) && mac_equal(a, b);
}

void baseline_fill(struct vf_baseline *seen, const struct vf_baseline *base)
{
	uint32_t lacks = base->set.has & ~seen->set.has & ON_PF;

	if (seen->valid && base->valid)
		take(&seen->set, &base->set, lacks);
}

bool baseline_overridden(const struct vf_baseline *base, const struct vf_settings *given,
			 const struct vf_baseline *seen)
{
	struct vf_settings due = base->set;

	take(&due, given, given->has & ON_PF);
	return base->valid && seen->valid &&
	       differing(&seen->set, &due, seen->set.has & base->set.has & ON_PF);
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
	uint32_t set = before->set.has & given->has & ON_PF, all = set & seen->set.has;
	uint32_t as_given = all & ~differing(&seen->set, given, all);
	const struct vf_baseline have = *seen;

	take(&seen->set, &before->set, as_given | (set & ~all));
	mend_link(seen, before, given, all);
	return seen->set.has != have.set.has || differing(&seen->set, &have.set, all) ||
	       !mac_equal(seen, &have);
}

/* What is the VF's own is nobody else's, whoever was given it. */
void baseline_former(struct vf_baseline *before, struct vf_settings *given)
{
	uint32_t has = differing(&before->set, given, given->has & before->set.has & ON_PF);
	struct vf_baseline kept = { .valid = false };
	struct vf_settings of_given = { .has = 0 };

	take(&kept.set, &before->set, has);
	take(&of_given, given, has);
	if (has & ADDRESSES) {
		kept.hwaddr_len = before->hwaddr_len;
		memcpy(kept.hwaddr, before->hwaddr, sizeof(kept.hwaddr));
	}
	*before = kept;
	*given = of_given;
}

void baseline_owed(struct vf_baseline *out, const struct vf_baseline *base,
		   const struct vf_baseline *seen)
{
	bool is_given = seen->set.has & HAS_MAC && seen->hwaddr_len == MAC_LEN &&
			!memcmp(seen->set.mac, seen->hwaddr, MAC_LEN);

	*out = *seen;
	baseline_fill(out, base);
	take(&out->set, &base->set, base->set.has & OF_LINK);
	memcpy(out->ifname, base->ifname, sizeof(out->ifname));
	if (base->rdma_dev[0] && seen->rdma_dev[0])
		memcpy(out->rdma_dev, base->rdma_dev, sizeof(out->rdma_dev));
	if (base->hwaddr_len == MAC_LEN && !is_given)
		memcpy(out->hwaddr, base->hwaddr, sizeof(out->hwaddr));
}
