/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/vfinfo.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

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

static int put_all(struct nl_msg *msg, uint16_t index, const struct vf_settings *set,
		   uint32_t has)
{
	struct ifla_vf_link_state state = { .vf = index, .link_state = set->link_state };
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);

	if (!list)
		return -1;
	if (has & HAS_LINK_STATE && put(msg, IFLA_VF_LINK_STATE, &state, sizeof(state)))
		return -1;
	if (has & HAS_NODE_GUID &&
	    put_guid(msg, IFLA_VF_IB_NODE_GUID, index, set->node_guid))
		return -1;
	if (has & HAS_PORT_GUID &&
	    put_guid(msg, IFLA_VF_IB_PORT_GUID, index, set->port_guid))
		return -1;
	return nla_nest_end(msg, list);
}

int vfinfo_set(struct vnl *nl, uint32_t pf_ifindex, uint16_t index,
	       const struct vf_settings *set, uint32_t mask, struct vfk_err *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)pf_ifindex };
	uint32_t has = set->has & mask & VFINFO_ALL;
	struct vfk_err own;
	struct nl_msg *msg;
	int rc;

	if (!has)
		return 0;
	msg = vnl_msg_new(RTM_SETLINK, 0, &ifi, sizeof(ifi));
	if (msg && put_all(msg, index, set, has)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(nl, msg, NULL, NULL, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EOPNOTSUPP)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "the driver of the PF sets no %s of its VFs",
				   has & (HAS_NODE_GUID | HAS_PORT_GUID) ? "GUID" :
									   "link state");
	if (rc < 0 && err)
		*err = own;
	return rc < 0 ? vfk_err_wrap(err, "set up VF %u on its PF", index) : 0;
}

/* --- reading -------------------------------------------------------------------- */

struct each {
	void (*fn)(void *arg, uint16_t index, const struct vf_settings *set);
	void *arg;
};

static void take_vf(const struct each *each, struct nlattr *info)
{
	struct nlattr *tb[IFLA_VF_MAX + 1];
	struct vf_settings set = { 0 };
	struct ifla_vf_link_state state;
	struct ifla_vf_guid guid;
	uint32_t index;

	if (nla_parse_nested(tb, IFLA_VF_MAX, info, NULL) < 0 || !tb[IFLA_VF_MAC] ||
	    nla_len(tb[IFLA_VF_MAC]) < (int)sizeof(index))
		return;
	memcpy(&index, nla_data(tb[IFLA_VF_MAC]), sizeof(index));
	if (index > UINT16_MAX)
		return;
	if (tb[IFLA_VF_LINK_STATE] &&
	    nla_len(tb[IFLA_VF_LINK_STATE]) >= (int)sizeof(state)) {
		memcpy(&state, nla_data(tb[IFLA_VF_LINK_STATE]), sizeof(state));
		set.link_state = (uint8_t)state.link_state;
		set.has |= HAS_LINK_STATE;
	}
	if (tb[IFLA_VF_IB_NODE_GUID] &&
	    nla_len(tb[IFLA_VF_IB_NODE_GUID]) >= (int)sizeof(guid)) {
		memcpy(&guid, nla_data(tb[IFLA_VF_IB_NODE_GUID]), sizeof(guid));
		set.node_guid = guid.guid;
		set.has |= HAS_NODE_GUID;
	}
	if (tb[IFLA_VF_IB_PORT_GUID] &&
	    nla_len(tb[IFLA_VF_IB_PORT_GUID]) >= (int)sizeof(guid)) {
		memcpy(&guid, nla_data(tb[IFLA_VF_IB_PORT_GUID]), sizeof(guid));
		set.port_guid = guid.guid;
		set.has |= HAS_PORT_GUID;
	}
	each->fn(each->arg, (uint16_t)index, &set);
}

static int take_link(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[IFLA_MAX + 1], *info;
	int left;

	(void)err;
	if (msg->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(struct ifinfomsg), tb,
			IFLA_MAX, NULL) < 0 ||
	    !tb[IFLA_VFINFO_LIST])
		return 0;
	nla_for_each_nested(info, tb[IFLA_VFINFO_LIST],
			    left) if (nla_type(info) == IFLA_VF_INFO) take_vf(arg, info);
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
