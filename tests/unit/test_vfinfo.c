/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to the kernel about VFs, byte by byte, and what is read of its answers. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "drivers/vfinfo.h"
#include "io/nl.h"
#include "netns.h"
#include "suite.h"

#define MAX_PARTS 16

static const struct vf_settings all = {
	.has = VFINFO_ALL,
	.mac = { 2, 0, 0, 0, 0xbe, 1 },
	.vlan = 10,
	.qos = 3,
	.vlan_proto = 0x88a8,
	.min_tx_mbps = 10,
	.max_tx_mbps = 200,
	.spoofchk = 1,
	.trust = 1,
	.link_state = LINK_STATE_DISABLE,
	.node_guid = 0x0102030405060708,
	.port_guid = 0x1112131415161718,
};

/* The one attribute of each VF_INFO of a message, in its order. */
struct parts {
	struct nl_msg *msg;
	unsigned n;
	struct nlattr *a[MAX_PARTS];
};

static struct parts parts_of(uint16_t index, const struct vf_settings *set, uint32_t has)
{
	struct parts p = { .msg = vfinfo_message(7, index, set, has) };
	struct nlattr *tb[IFLA_MAX + 1], *info;
	struct ifinfomsg *ifi;
	int left;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p.msg);
	ifi = nlmsg_data(nlmsg_hdr(p.msg));
	SUITE_INT(nlmsg_hdr(p.msg)->nlmsg_type, RTM_SETLINK);
	SUITE_INT(ifi->ifi_index, 7);
	SUITE_INT(ifi->ifi_change, 0); /* the PF itself is left alone */
	CU_ASSERT_FATAL(nlmsg_parse(nlmsg_hdr(p.msg), sizeof(*ifi), tb, IFLA_MAX, NULL) >=
			0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tb[IFLA_VFINFO_LIST]);
	nla_for_each_nested(info, tb[IFLA_VFINFO_LIST], left)
	{
		SUITE_INT(nla_type(info), IFLA_VF_INFO);
		CU_ASSERT_FATAL(p.n < MAX_PARTS);
		p.a[p.n] = nla_data(info);
		/* alone: the kernel returns after a GUID, and forgets the rest */
		SUITE_INT(NLA_ALIGN(p.a[p.n]->nla_len), nla_len(info));
		p.n++;
	}
	return p;
}

static void each_setting_is_a_nest_of_its_own(void)
{
	static const int order[] = {
		IFLA_VF_MAC,	      IFLA_VF_VLAN_LIST,    IFLA_VF_RATE,
		IFLA_VF_SPOOFCHK,     IFLA_VF_TRUST,	    IFLA_VF_LINK_STATE,
		IFLA_VF_IB_NODE_GUID, IFLA_VF_IB_PORT_GUID,
	};
	struct parts p = parts_of(5, &all, VFINFO_ALL);
	struct ifla_vf_mac mac;
	struct ifla_vf_rate rate;
	struct ifla_vf_guid guid;
	struct ifla_vf_link_state state;

	SUITE_INT(p.n, VFK_ARRAY_SIZE(order));
	for (size_t i = 0; i < VFK_ARRAY_SIZE(order) && i < p.n; i++) {
		uint32_t vf;

		SUITE_INT(nla_type(p.a[i]), order[i]);
		if (order[i] == IFLA_VF_VLAN_LIST)
			continue;
		memcpy(&vf, nla_data(p.a[i]), sizeof(vf));
		SUITE_INT(vf, 5);
	}
	memcpy(&mac, nla_data(p.a[0]), sizeof(mac));
	CU_ASSERT(!memcmp(mac.mac, all.mac, 6));
	for (size_t i = 6; i < sizeof(mac.mac); i++)
		SUITE_INT(mac.mac[i], 0);
	memcpy(&rate, nla_data(p.a[2]), sizeof(rate));
	SUITE_INT(rate.min_tx_rate, 10);
	SUITE_INT(rate.max_tx_rate, 200);
	memcpy(&state, nla_data(p.a[5]), sizeof(state));
	SUITE_INT(state.link_state, 2);
	memcpy(&guid, nla_data(p.a[6]), sizeof(guid));
	SUITE_INT(nla_len(p.a[6]), 16);
	CU_ASSERT_EQUAL(guid.guid, all.node_guid);
	nlmsg_free(p.msg);
}

static void a_protocol_goes_in_network_order(void)
{
	struct parts p = parts_of(3, &all, HAS_VLAN);
	const struct nlattr *info;
	const uint8_t *bytes;

	SUITE_INT(p.n, 1);
	SUITE_INT(nla_type(p.a[0]), IFLA_VF_VLAN_LIST);
	info = nla_data(p.a[0]);
	SUITE_INT(nla_type(info), IFLA_VF_VLAN_INFO);
	SUITE_INT(nla_len(info), 16);
	bytes = nla_data(info);
	SUITE_INT(bytes[12], 0x88);
	SUITE_INT(bytes[13], 0xa8);
	SUITE_INT(bytes[14] | bytes[15], 0);
	nlmsg_free(p.msg);
}

static void an_ordinary_vlan_goes_the_old_way(void)
{
	struct vf_settings set = all;
	struct ifla_vf_vlan vlan;
	struct parts p;

	set.vlan_proto = 0x8100;
	p = parts_of(3, &set, HAS_VLAN);
	SUITE_INT(p.n, 1);
	SUITE_INT(nla_type(p.a[0]), IFLA_VF_VLAN);
	memcpy(&vlan, nla_data(p.a[0]), sizeof(vlan));
	SUITE_INT(vlan.vlan, 10);
	SUITE_INT(vlan.qos, 3);
	nlmsg_free(p.msg);
}

static void one_rate_takes_both(void)
{
	struct parts p = parts_of(3, &all, HAS_MIN_TX);

	SUITE_INT(p.n, 1);
	SUITE_INT(nla_type(p.a[0]), IFLA_VF_RATE);
	nlmsg_free(p.msg);
}

static void what_is_not_asked_for_is_not_sent(void)
{
	struct parts p = parts_of(3, &all, HAS_TRUST | HAS_LINK_STATE);

	SUITE_INT(p.n, 2);
	SUITE_INT(nla_type(p.a[0]), IFLA_VF_TRUST);
	SUITE_INT(nla_type(p.a[1]), IFLA_VF_LINK_STATE);
	nlmsg_free(p.msg);
}

/* --- answers --------------------------------------------------------------------- */

static struct {
	unsigned n;
	uint16_t index[4];
	struct vf_settings set[4];
} seen;

static void take(void *arg, uint16_t index, const struct vf_settings *set)
{
	(void)arg;
	CU_ASSERT_FATAL(seen.n < 4);
	seen.index[seen.n] = index;
	seen.set[seen.n++] = *set;
}

static void put_vf(struct nl_msg *msg, uint32_t vf, uint16_t vlan, uint16_t proto,
		   uint32_t spoofchk)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_VF_INFO), *list;
	struct ifla_vf_mac mac = { .vf = vf, .mac = { 2, 0, 0, 0, 0, (uint8_t)vf } };
	struct ifla_vf_vlan v = { .vf = vf, .vlan = vlan, .qos = 1 };
	struct ifla_vf_vlan_info vi = {
		.vf = vf, .vlan = vlan, .qos = 1, .vlan_proto = htons(proto)
	};
	struct ifla_vf_rate rate = { .vf = vf, .min_tx_rate = 1, .max_tx_rate = 9 };
	struct ifla_vf_spoofchk s = { .vf = vf, .setting = spoofchk };
	struct ifla_vf_link_state state = { .vf = vf, .link_state = 1 };

	nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
	nla_put(msg, IFLA_VF_VLAN, sizeof(v), &v);
	nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
	nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(s), &s);
	nla_put(msg, IFLA_VF_LINK_STATE, sizeof(state), &state);
	list = nla_nest_start(msg, IFLA_VF_VLAN_LIST);
	nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(vi), &vi);
	nla_nest_end(msg, list);
	nla_nest_end(msg, info);
}

static void answers_are_read_by_their_own_numbers(void)
{
	struct ifinfomsg ifi = { .ifi_index = 7 };
	struct nl_msg *msg = vnl_msg_new(RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);

	memset(&seen, 0, sizeof(seen));
	put_vf(msg, 0, 5, 0x88a8, 1);
	put_vf(msg, 2, 6, 0, UINT32_MAX); /* 1 could not be asked */
	put_vf(msg, 3, 0, 0x88a8, 0);
	nla_nest_end(msg, list);
	vfinfo_read(nlmsg_hdr(msg), take, NULL);
	SUITE_INT(seen.n, 3);
	SUITE_INT(seen.index[1], 2);
	SUITE_INT(seen.set[1].mac[5], 2);
	SUITE_INT(seen.set[0].has, VFINFO_ETHERNET & ~HAS_TRUST); /* nobody told of it */
	SUITE_INT(seen.set[0].vlan_proto, 0x88a8);
	SUITE_INT(seen.set[0].vlan, 5);
	SUITE_INT(seen.set[0].qos, 1);
	SUITE_INT(seen.set[0].spoofchk, 1);
	SUITE_INT(seen.set[0].max_tx_mbps, 9);
	SUITE_INT(seen.set[0].min_tx_mbps, 1);
	SUITE_INT(seen.set[1].vlan_proto, 0x8100); /* some drivers leave it zero */
	SUITE_INT(seen.set[1].has & HAS_SPOOFCHK, 0);
	SUITE_INT(seen.set[2].vlan_proto, 0x8100); /* without a VLAN it says nothing */
	SUITE_INT(seen.set[2].link_state, 1);
	nlmsg_free(msg);
}

static void count_up(void *arg, uint16_t index, const struct vf_settings *set)
{
	unsigned *n = arg;

	CU_ASSERT(index == *n && set->mac[5] == (uint8_t)index);
	(*n)++;
}

/* The kernel does not look whether the length fits into its 16 bits. */
static void a_list_may_be_longer_than_its_length_says(void)
{
	struct ifinfomsg ifi = { .ifi_index = 7 };
	struct nl_msg *msg = nlmsg_alloc_size(1 << 17);
	struct nlmsghdr *h = nlmsg_put(msg, 0, 0, RTM_NEWLINK, 0, 0);
	struct nlattr *list;
	unsigned n = 0;

	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	for (unsigned i = 0; i < 600; i++)
		put_vf(msg, i, 5, 0x88a8, 1);
	CU_ASSERT((char *)nlmsg_tail(h) - (char *)list > UINT16_MAX);
	list->nla_len = (uint16_t)((char *)nlmsg_tail(h) - (char *)list);
	nla_put_u32(msg, IFLA_XDP, 1);
	vfinfo_read(h, count_up, &n);
	SUITE_INT(n, 600);
	nlmsg_free(msg);
}

static void what_a_pf_cannot_is_named(void)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct vf_settings set = all;
	struct vfk_err err;

	if (!netns_private())
		return;
	CU_ASSERT_FATAL(netns_sh(-1, "ip link add v type veth peer name w"));
	SUITE_INT(vnl_open(&nl, NETLINK_ROUTE, -1, &err), 0);
	set.has = HAS_SPOOFCHK | HAS_TRUST;
	SUITE_INT(vfinfo_set(nl, vnl_ifindex(nl, "v"), 3, &set, VFINFO_ALL, &err),
		  -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "the driver of the PF sets no spoofchk of its VFs");
	SUITE_INT(vfinfo_set(nl, vnl_ifindex(nl, "v"), 3, &set, HAS_TRUST, &err),
		  -VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, "the driver of the PF sets no trust of its VFs");
	SUITE_INT(vfinfo_set(nl, vnl_ifindex(nl, "v"), 3, &set, HAS_VLAN, &err), 0);
}

VFK_SUITE(vfinfo,
	  { "each setting is a nest of its own, in a fixed order",
	    each_setting_is_a_nest_of_its_own },
	  { "the protocol of a VLAN goes in network order",
	    a_protocol_goes_in_network_order },
	  { "a VLAN of 802.1Q goes by the attribute that every kernel knows",
	    an_ordinary_vlan_goes_the_old_way },
	  { "either rate is sent with the other", one_rate_takes_both },
	  { "what is not asked for is not sent", what_is_not_asked_for_is_not_sent },
	  { "answers are read by the numbers in them, holes and all",
	    answers_are_read_by_their_own_numbers },
	  { "a list of VFs may be longer than its length says",
	    a_list_may_be_longer_than_its_length_says },
	  { "the setting that a PF cannot make is named", what_a_pf_cannot_is_named })
