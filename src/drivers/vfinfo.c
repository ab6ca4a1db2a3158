/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/vfinfo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#define NOT_SUPPORTED 524 /* the kernel's own, which has no name outside */
#define RATES (HAS_MIN_TX | HAS_MAX_TX)

/* In the order in which the kernel gets them; both rates are one command of the device's. */
static const struct {
	uint32_t has;
	const char *key;
} parts[] = {
	{ HAS_MAC, "mac" },
	{ HAS_VLAN, "vlan" },
	{ RATES, "max_tx_rate, min_tx_rate" },
	{ HAS_SPOOFCHK, "spoofchk" },
	{ HAS_TRUST, "trust" },
	{ HAS_LINK_STATE, "link_state" },
	{ HAS_NODE_GUID, "GUID" },
	{ HAS_PORT_GUID, "GUID" },
};

/* --- writing -------------------------------------------------------------------- */

/* A nest of its own for each attribute: the kernel returns after a GUID. */
static int put(struct nl_msg *msg, int type, const void *value, int len)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_VF_INFO);

	if (!info || nla_put(msg, type, len, value))
		return -1;
	return nla_nest_end(msg, info);
}

static int put_guid(struct nl_msg *msg, int type, uint16_t index, uint64_t guid)
{
	struct ifla_vf_guid g;

	memset(&g, 0, sizeof(g)); /* with the padding: it is sent */
	g.vf = index;
	g.guid = guid;
	return put(msg, type, &g, sizeof(g));
}

static int put_mac(struct nl_msg *msg, uint16_t index, const struct vf_settings *set)
{
	struct ifla_vf_mac mac = { .vf = index };

	memcpy(mac.mac, set->mac, sizeof(set->mac));
	return put(msg, IFLA_VF_MAC, &mac, sizeof(mac));
}

/* The old attribute knows 802.1Q only; the new one is a list, and older kernels of a stable
 * series check it wrongly: so only where it has to be. */
static int put_vlan(struct nl_msg *msg, uint16_t index, const struct vf_settings *set)
{
	struct ifla_vf_vlan vlan = { .vf = index, .vlan = set->vlan, .qos = set->qos };
	struct ifla_vf_vlan_info with = { .vf = index,
					  .vlan = set->vlan,
					  .qos = set->qos,
					  .vlan_proto = htons(set->vlan_proto) };
	struct nlattr *info, *list;

	if (set->vlan_proto != ETH_P_8021AD)
		return put(msg, IFLA_VF_VLAN, &vlan, sizeof(vlan));
	info = nla_nest_start(msg, IFLA_VF_INFO);
	list = info ? nla_nest_start(msg, IFLA_VF_VLAN_LIST) : NULL;
	if (!list || nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(with), &with))
		return -1;
	nla_nest_end(msg, list);
	return nla_nest_end(msg, info);
}

static int put_part(struct nl_msg *msg, uint16_t index, const struct vf_settings *set,
		    uint32_t part)
{
	struct ifla_vf_rate rate = { .vf = index,
				     .min_tx_rate = set->min_tx_mbps,
				     .max_tx_rate = set->max_tx_mbps };
	struct ifla_vf_spoofchk spoofchk = { .vf = index, .setting = set->spoofchk };
	struct ifla_vf_trust trust = { .vf = index, .setting = set->trust };
	struct ifla_vf_link_state state = { .vf = index, .link_state = set->link_state };

	switch (part) {
	case HAS_MAC:
		return put_mac(msg, index, set);
	case HAS_VLAN:
		return put_vlan(msg, index, set);
	case RATES:
		return put(msg, IFLA_VF_RATE, &rate, sizeof(rate));
	case HAS_SPOOFCHK:
		return put(msg, IFLA_VF_SPOOFCHK, &spoofchk, sizeof(spoofchk));
	case HAS_TRUST:
		return put(msg, IFLA_VF_TRUST, &trust, sizeof(trust));
	case HAS_LINK_STATE:
		return put(msg, IFLA_VF_LINK_STATE, &state, sizeof(state));
	case HAS_NODE_GUID:
		return put_guid(msg, IFLA_VF_IB_NODE_GUID, index, set->node_guid);
	case HAS_PORT_GUID:
		return put_guid(msg, IFLA_VF_IB_PORT_GUID, index, set->port_guid);
	}
	return -1;
}

struct nl_msg *vfinfo_message(uint32_t pf_ifindex, uint16_t index,
			      const struct vf_settings *set, uint32_t has)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)pf_ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_SETLINK, 0, &ifi, sizeof(ifi));
	struct nlattr *list = msg ? nla_nest_start(msg, IFLA_VFINFO_LIST) : NULL;
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < VFK_ARRAY_SIZE(parts); i++)
		if (has & parts[i].has)
			ok = put_part(msg, index, set, parts[i].has) >= 0;
	if (!ok) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, list);
	return msg;
}

static bool refused_for_good(int sys)
{
	return sys == EOPNOTSUPP || sys == NOT_SUPPORTED || sys == EPROTONOSUPPORT ||
	       sys == EINVAL || sys == EPERM || sys == ERANGE;
}

static int say(struct vfk_err *err, const struct vfk_err *own, uint16_t index,
	       const char *key)
{
	if (own->sys == EPROTONOSUPPORT)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "vlanProto: the driver of the PF cannot give its VFs "
				   "VLANs of this protocol");
	if (own->sys == EOPNOTSUPP || own->sys == NOT_SUPPORTED)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "the driver of the PF sets no %s of its VFs", key);
	if (err)
		*err = *own;
	return vfk_err_wrap(err, "set %s of VF %u on its PF", key, index);
}

static const char *key_of(uint32_t has)
{
	const char *key = NULL;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(parts); i++) {
		if (!(has & parts[i].has))
			continue;
		if (key && strcmp(key, parts[i].key) != 0)
			return "up";
		key = parts[i].key;
	}
	return key;
}

/* One at a time: which of them is it? */
static int set_each(struct vnl *nl, uint32_t pf_ifindex, uint16_t index,
		    const struct vf_settings *set, uint32_t has, struct vfk_err *err)
{
	struct vfk_err own;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(parts); i++) {
		uint32_t part = parts[i].has;

		if (has & part &&
		    vnl_request(nl, vfinfo_message(pf_ifindex, index, set, part), NULL,
				NULL, &own) < 0)
			return say(err, &own, index, parts[i].key);
	}
	return 0;
}

int vfinfo_set(struct vnl *nl, uint32_t pf_ifindex, uint16_t index,
	       const struct vf_settings *set, uint32_t mask, struct vfk_err *err)
{
	uint32_t has = set->has & mask & VFINFO_ALL;
	struct vfk_err own;
	int rc;

	if (!has)
		return 0;
	rc = vnl_request(nl, vfinfo_message(pf_ifindex, index, set, has), NULL, NULL, &own);
	if (rc == -VFK_E_KERNEL && refused_for_good(own.sys))
		return set_each(nl, pf_ifindex, index, set, has, err);
	if (rc >= 0)
		return 0;
	if (err)
		*err = own;
	return vfk_err_wrap(err, "set %s of VF %u on its PF", key_of(has), index);
}

/* --- reading -------------------------------------------------------------------- */

struct each {
	void (*fn)(void *arg, uint16_t index, const struct vf_settings *set);
	void *arg;
};

static bool get(struct nlattr *attr, void *out, size_t len)
{
	if (!attr || nla_len(attr) < (int)len)
		return false;
	memcpy(out, nla_data(attr), len);
	return true;
}

static void read_ethernet(struct nlattr *tb[], struct vf_settings *set)
{
	struct ifla_vf_mac mac;
	struct ifla_vf_rate rate;
	struct ifla_vf_spoofchk spoofchk;
	struct ifla_vf_trust trust;

	if (get(tb[IFLA_VF_MAC], &mac, sizeof(mac))) {
		memcpy(set->mac, mac.mac, sizeof(set->mac));
		set->has |= HAS_MAC;
	}
	if (get(tb[IFLA_VF_RATE], &rate, sizeof(rate))) {
		set->min_tx_mbps = rate.min_tx_rate;
		set->max_tx_mbps = rate.max_tx_rate;
		set->has |= RATES;
	}
	/* All ones: the driver does not tell. */
	if (get(tb[IFLA_VF_SPOOFCHK], &spoofchk, sizeof(spoofchk)) &&
	    spoofchk.setting <= 1) {
		set->spoofchk = (uint8_t)spoofchk.setting;
		set->has |= HAS_SPOOFCHK;
	}
	if (get(tb[IFLA_VF_TRUST], &trust, sizeof(trust)) && trust.setting <= 1) {
		set->trust = (uint8_t)trust.setting;
		set->has |= HAS_TRUST;
	}
}

static void read_vlan(struct nlattr *tb[], struct vf_settings *set)
{
	struct ifla_vf_vlan_info info;
	struct ifla_vf_vlan vlan;
	struct nlattr *list[IFLA_VF_VLAN_INFO_MAX + 1] = { NULL };

	if (get(tb[IFLA_VF_VLAN], &vlan, sizeof(vlan))) {
		set->vlan = (uint16_t)vlan.vlan;
		set->qos = (uint16_t)vlan.qos;
		set->vlan_proto = ETH_P_8021Q;
		set->has |= HAS_VLAN;
	}
	/* Without a VLAN a protocol says nothing, and some drivers leave it zero. */
	if (tb[IFLA_VF_VLAN_LIST] && set->vlan &&
	    !nla_parse_nested(list, IFLA_VF_VLAN_INFO_MAX, tb[IFLA_VF_VLAN_LIST], NULL) &&
	    get(list[IFLA_VF_VLAN_INFO], &info, sizeof(info)) && info.vlan_proto)
		set->vlan_proto = ntohs(info.vlan_proto);
}

static void read_both(struct nlattr *tb[], struct vf_settings *set)
{
	struct ifla_vf_link_state state;
	struct ifla_vf_guid guid;

	if (get(tb[IFLA_VF_LINK_STATE], &state, sizeof(state))) {
		set->link_state = (uint8_t)state.link_state;
		set->has |= HAS_LINK_STATE;
	}
	if (get(tb[IFLA_VF_IB_NODE_GUID], &guid, sizeof(guid))) {
		set->node_guid = guid.guid;
		set->has |= HAS_NODE_GUID;
	}
	if (get(tb[IFLA_VF_IB_PORT_GUID], &guid, sizeof(guid))) {
		set->port_guid = guid.guid;
		set->has |= HAS_PORT_GUID;
	}
}

static void take_vf(const struct each *each, struct nlattr *info)
{
	struct nlattr *tb[IFLA_VF_MAX + 1];
	struct vf_settings set = { 0 };
	uint32_t index;

	if (nla_parse_nested(tb, IFLA_VF_MAX, info, NULL) < 0 || !tb[IFLA_VF_MAC] ||
	    nla_len(tb[IFLA_VF_MAC]) < (int)sizeof(index))
		return;
	memcpy(&index, nla_data(tb[IFLA_VF_MAC]), sizeof(index));
	if (index > UINT16_MAX)
		return;
	read_ethernet(tb, &set);
	read_vlan(tb, &set);
	read_both(tb, &set);
	each->fn(each->arg, (uint16_t)index, &set);
}

void vfinfo_read(const struct nlmsghdr *msg,
		 void (*fn)(void *arg, uint16_t index, const struct vf_settings *set),
		 void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1], *info;
	struct each each = { fn, arg };
	const char *end = (const char *)msg + msg->nlmsg_len;
	int left;

	if (msg->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(struct ifinfomsg), tb,
			IFLA_MAX, NULL) < 0 ||
	    !tb[IFLA_VFINFO_LIST])
		return;
	/* The 16 bits of its length wrap around where VFs are many and the kernel tells much of
	 * each; the rest of the list follows all the same, and nothing else of this type does. */
	info = nla_data(tb[IFLA_VFINFO_LIST]);
	for (left = (int)(end - (const char *)info);
	     nla_ok(info, left) && nla_type(info) == IFLA_VF_INFO;
	     info = nla_next(info, &left))
		take_vf(&each, info);
}

static int take_link(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	const struct each *each = arg;

	(void)err;
	vfinfo_read(msg, each->fn, each->arg);
	return 0;
}

int vfinfo_each(struct vnl *nl, uint32_t pf_ifindex,
		void (*fn)(void *arg, uint16_t index, const struct vf_settings *set),
		void *arg, struct vfk_err *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)pf_ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi));
	struct each each = { fn, arg };
	int rc;

	if (msg &&
	    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(nl, msg, take_link, &each, err);
	return rc < 0 ? vfk_err_wrap(err, "list the VFs of a PF") : 0;
}
