/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "drivers/link.h"

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif
/* The headers of older distributions end before these; their numbers are for ever. */
#define ATTR_PARENT_DEV_NAME 56
#define ATTR_PARENT_DEV_BUS_NAME 57
#define MAX_ATTR ATTR_PARENT_DEV_BUS_NAME

/* --- reading -------------------------------------------------------------------- */

static void get_string(struct nlattr *a, char *out, size_t cap)
{
	out[0] = '\0';
	if (a)
		nla_strlcpy(out, a, cap);
}

static uint32_t get_u32(struct nlattr *a)
{
	return a && nla_len(a) >= (int)sizeof(uint32_t) ? nla_get_u32(a) : 0;
}

static unsigned count_altnames(struct nlattr *list)
{
	struct nlattr *a;
	unsigned n = 0;
	int left;

	if (list)
		nla_for_each_nested(a, list, left) n += nla_type(a) == IFLA_ALT_IFNAME;
	return n;
}

static void parse_ipoib(struct nlattr *data, struct link *out)
{
	struct nlattr *tb[IFLA_IPOIB_MAX + 1];

	if (!data || nla_parse_nested(tb, IFLA_IPOIB_MAX, data, NULL))
		return;
	if (tb[IFLA_IPOIB_MODE])
		out->ipoib_mode = nla_get_u16(tb[IFLA_IPOIB_MODE]);
	if (tb[IFLA_IPOIB_PKEY])
		out->ipoib_pkey = nla_get_u16(tb[IFLA_IPOIB_PKEY]);
}

static bool parse(struct nlmsghdr *h, struct link *out)
{
	struct nlattr *tb[MAX_ATTR + 1], *info[IFLA_INFO_MAX + 1] = { NULL };
	struct ifinfomsg *ifi;

	if (nlmsg_parse(h, sizeof(*ifi), tb, MAX_ATTR, NULL) < 0)
		return false;
	ifi = nlmsg_data(h);
	memset(out, 0, sizeof(*out));
	out->ifindex = (uint32_t)ifi->ifi_index;
	out->flags = ifi->ifi_flags;
	out->mtu_bytes = get_u32(tb[IFLA_MTU]);
	get_string(tb[IFLA_IFNAME], out->ifname, sizeof(out->ifname));
	get_string(tb[IFLA_IFALIAS], out->alias, sizeof(out->alias));
	get_string(tb[ATTR_PARENT_DEV_NAME], out->parent_dev, sizeof(out->parent_dev));
	get_string(tb[ATTR_PARENT_DEV_BUS_NAME], out->parent_bus, sizeof(out->parent_bus));
	if (tb[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL)) {
		get_string(info[IFLA_INFO_KIND], out->kind, sizeof(out->kind));
		if (!strcmp(out->kind, "ipoib"))
			parse_ipoib(info[IFLA_INFO_DATA], out);
	}
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) <= (int)sizeof(out->hwaddr)) {
		out->hwaddr_len = (uint8_t)nla_len(tb[IFLA_ADDRESS]);
		memcpy(out->hwaddr, nla_data(tb[IFLA_ADDRESS]), out->hwaddr_len);
	}
	out->peer = get_u32(tb[IFLA_LINK]);
	out->peer_nsid = tb[IFLA_LINK_NETNSID] ? (int32_t)get_u32(tb[IFLA_LINK_NETNSID]) :
						 LINK_SAME_NETNS;
	out->n_altnames = count_altnames(tb[IFLA_PROP_LIST]);
	return true;
}

bool link_parse(const struct nlmsghdr *msg, struct link *out)
{
	return msg->nlmsg_type == RTM_NEWLINK &&
	       parse((struct nlmsghdr *)(uintptr_t)msg, out);
}

bool link_parse_event(const struct nlmsghdr *msg, struct link *out, bool *gone)
{
	*gone = msg->nlmsg_type == RTM_DELLINK;
	return (*gone || msg->nlmsg_type == RTM_NEWLINK) &&
	       parse((struct nlmsghdr *)(uintptr_t)msg, out);
}

struct got {
	struct link *out;
	bool any;
};

static int take_one(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct got *g = arg;

	(void)err;
	g->any |= link_parse(msg, g->out);
	return 0;
}

static struct nl_msg *query(uint32_t ifindex, int32_t nsid)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi));

	/* Never the VF list: on a PF it costs milliseconds per VF. */
	if (msg && (nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) ||
		    (nsid >= 0 && nla_put_s32(msg, IFLA_TARGET_NETNSID, nsid)))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int link_get(struct vnl *nl, int32_t nsid, uint32_t ifindex, const char *name,
	     struct link *out, struct vfk_err *err)
{
	struct got g = { .out = out };
	struct nl_msg *msg = query(ifindex, nsid);
	struct vfk_err own;
	int rc;

	if (msg && !ifindex &&
	    nla_put_string(msg, strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME,
			   name)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(nl, msg, take_one, &g, &own);
	/* EINVAL: of an nsid without namespace. */
	if (rc == -VFK_E_KERNEL && (own.sys == ENODEV || (nsid >= 0 && own.sys == EINVAL)))
		return 0;
	if (rc < 0) {
		if (err)
			*err = own;
		if (ifindex)
			return vfk_err_wrap(err, "look at link %u", ifindex);
		return vfk_err_wrap(err, "look at link %s", name);
	}
	return g.any;
}

static int walk_one(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	const struct link_walk *walk = arg;
	struct link link;

	if (!msg)
		return walk->fn(walk->arg, NULL, err);
	return link_parse(msg, &link) ? walk->fn(walk->arg, &link, err) : 0;
}

int link_each(struct vnl *nl, int32_t nsid, const struct link_walk *walk,
	      struct vfk_err *err)
{
	int rc = vnl_dump(nl, query(0, nsid), walk_one, (void *)(uintptr_t)walk, err);

	return rc < 0 ? vfk_err_wrap(err, "list the links") : 0;
}

/* --- changing ------------------------------------------------------------------- */

int link_set(struct vnl *nl, uint32_t ifindex, const struct link_change *ch,
	     struct vfk_err *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC,
				 .ifi_index = (int)ifindex,
				 .ifi_flags = ch->flags,
				 .ifi_change = ch->change };
	struct nl_msg *msg = vnl_msg_new(RTM_SETLINK, 0, &ifi, sizeof(ifi));

	if (msg && ((ch->netns_fd >= 0 &&
		     nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)ch->netns_fd)) ||
		    (ch->ifname && nla_put_string(msg, IFLA_IFNAME, ch->ifname)) ||
		    (ch->hwaddr && nla_put(msg, IFLA_ADDRESS, ch->hwaddr_len, ch->hwaddr)) ||
		    (ch->mtu_bytes && nla_put_u32(msg, IFLA_MTU, ch->mtu_bytes)) ||
		    (ch->alias && nla_put_string(msg, IFLA_IFALIAS, ch->alias)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return vnl_request(nl, msg, NULL, NULL, err);
}

#define MAX_ALTNAMES 32
struct altnames {
	unsigned n;
	char name[MAX_ALTNAMES][128];
};

static int take_altnames(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct altnames *alt = arg;
	struct nlattr *tb[MAX_ATTR + 1], *a;
	int left;

	(void)err;
	if (msg->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(struct ifinfomsg), tb,
			MAX_ATTR, NULL) < 0 ||
	    !tb[IFLA_PROP_LIST])
		return 0;
	nla_for_each_nested(a, tb[IFLA_PROP_LIST], left) if (nla_type(a) == IFLA_ALT_IFNAME &&
							     alt->n < MAX_ALTNAMES)
		nla_strlcpy(alt->name[alt->n++], a, sizeof(alt->name[0]));
	return 0;
}

int link_drop_altnames(struct vnl *nl, uint32_t ifindex, struct vfk_err *err)
{
	struct altnames alt = { 0 };
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *msg;
	struct nlattr *list;
	int rc = vnl_request(nl, query(ifindex, LINK_HERE), take_altnames, &alt, err);

	if (rc < 0 || !alt.n)
		return rc;
	msg = vnl_msg_new(RTM_DELLINKPROP, 0, &ifi, sizeof(ifi));
	list = msg ? nla_nest_start(msg, IFLA_PROP_LIST) : NULL;
	for (unsigned i = 0; list && i < alt.n; i++)
		if (nla_put_string(msg, IFLA_ALT_IFNAME, alt.name[i]))
			list = NULL;
	if (!list) {
		nlmsg_free(msg);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "build a netlink message");
	}
	nla_nest_end(msg, list);
	return vnl_request(nl, msg, NULL, NULL, err);
}

int link_delete(struct vnl *nl, int32_t nsid, uint32_t ifindex, struct vfk_err *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_DELLINK, 0, &ifi, sizeof(ifi));
	struct vfk_err own;
	int rc;

	if (msg && nsid >= 0 && nla_put_s32(msg, IFLA_TARGET_NETNSID, nsid)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(nl, msg, NULL, NULL, &own);
	if (rc == -VFK_E_KERNEL && (own.sys == ENODEV || (nsid >= 0 && own.sys == EINVAL)))
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc;
}

/* --- ids of namespaces ---------------------------------------------------------- */

static int take_nsid(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[NETNSA_MAX + 1];

	(void)err;
	if (msg->nlmsg_type == RTM_NEWNSID &&
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(struct rtgenmsg), tb,
			NETNSA_MAX, NULL) >= 0 &&
	    tb[NETNSA_NSID])
		*(int32_t *)arg = nla_get_s32(tb[NETNSA_NSID]);
	return 0;
}

static int nsid_request(struct vnl *nl, int type, int attr, int32_t value, int32_t *nsid,
			struct vfk_err *err)
{
	struct rtgenmsg gen = { .rtgen_family = AF_UNSPEC };
	struct nl_msg *msg = vnl_msg_new(type, 0, &gen, sizeof(gen));

	if (msg && (nla_put_s32(msg, attr, value) ||
		    (type == RTM_NEWNSID && nla_put_s32(msg, NETNSA_NSID, -1)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	*nsid = -1;
	return vnl_request(nl, msg, take_nsid, nsid, err);
}

int netns_id(struct vnl *nl, int netns_fd, int32_t *nsid, struct vfk_err *err)
{
	int rc = nsid_request(nl, RTM_GETNSID, NETNSA_FD, netns_fd, nsid, err);

	return rc < 0 ? vfk_err_wrap(err, "ask for the id of a network namespace") : 0;
}

int netns_id_assign(struct vnl *nl, int netns_fd, int32_t *nsid, struct vfk_err *err)
{
	struct vfk_err own;
	int rc = netns_id(nl, netns_fd, nsid, err);

	if (rc < 0 || *nsid >= 0)
		return rc;
	rc = nsid_request(nl, RTM_NEWNSID, NETNSA_FD, netns_fd, nsid, &own);
	if (rc < 0 && !(rc == -VFK_E_KERNEL && own.sys == EEXIST)) { /* a race: good too */
		if (err)
			*err = own;
		return vfk_err_wrap(err, "give a network namespace an id");
	}
	return netns_id(nl, netns_fd, nsid, err);
}

struct ids {
	unsigned n, cap;
	int32_t *id;
};

static int take_id(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct ids *ids = arg;
	int32_t id = -1;

	if (!msg) {
		ids->n = 0;
		return 0;
	}
	(void)take_nsid(&id, msg, err);
	if (id < 0)
		return 0;
	if (ids->n == ids->cap) {
		unsigned cap = ids->cap ? ids->cap * 2 : 64;
		int32_t *grown = realloc(ids->id, cap * sizeof(*grown));

		if (!grown)
			return vfk_err_set(err, VFK_E_NOMEM, 0,
					   "list the network namespaces");
		ids->id = grown;
		ids->cap = cap;
	}
	ids->id[ids->n++] = id;
	return 0;
}

int netns_id_each(struct vnl *nl, int (*fn)(void *arg, int32_t nsid, struct vfk_err *err),
		  void *arg, struct vfk_err *err)
{
	struct rtgenmsg gen = { .rtgen_family = AF_UNSPEC };
	struct ids ids = { 0 };
	int rc = vnl_dump(nl, vnl_msg_new(RTM_GETNSID, 0, &gen, sizeof(gen)), take_id,
			  &ids, err);

	if (rc < 0)
		rc = vfk_err_wrap(err, "list the network namespaces");
	for (unsigned i = 0; rc == 0 && i < ids.n; i++)
		rc = fn(arg, ids.id[i], err);
	free(ids.id);
	return rc;
}

int netns_id_alive(struct vnl *nl, int32_t nsid, bool *alive, struct vfk_err *err)
{
	struct vfk_err own;
	int32_t in_there;
	int rc;

	*alive = false;
	if (nsid < 0)
		return 0;
	rc = nsid_request(nl, RTM_GETNSID, NETNSA_NSID, nsid, &in_there, &own);
	if (rc == -VFK_E_KERNEL && own.sys == ENOENT)
		return 0;
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "ask whether network namespace %d lives", nsid);
	}
	*alive = true;
	return 0;
}
