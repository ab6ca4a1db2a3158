/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/pod.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "base/octets.h"
#include "drivers/link.h"
#include "io/nl.h"

/* An IPoIB address begins with the number of a queue pair, which is another after each
 * rebind: only the rest names the port. */
#define IPOIB_LEN 20
#define IPOIB_QPN_LEN 4

int pod_open(const struct drv_call *call, struct vnl **pod, struct vfk_err *err)
{
	if (call->netns_fd < 0)
		return vfk_err_set(err, VFK_E_NETNS, 0, "the pod has no network namespace");
	return vnl_open(pod, NETLINK_ROUTE, call->netns_fd, err);
}

int pod_identify(struct vnl *home, struct vnl *pod, const struct drv_call *call,
		 struct drv_out *out, struct vfk_err *err)
{
	uint64_t home_cookie;
	int rc = vnl_netns_cookie(pod, &out->netns_cookie, err);

	if (rc >= 0)
		rc = vnl_netns_cookie(home, &home_cookie, err);
	if (rc >= 0 && home_cookie == out->netns_cookie)
		return vfk_err_set(err, VFK_E_NETNS, 0,
				   "the pod's network namespace is the node's own");
	if (rc >= 0)
		rc = netns_id_assign(home, call->netns_fd, &out->nsid, err);
	return rc;
}

void pod_tell(const struct link *link, struct drv_out *out)
{
	out->ifindex = link->ifindex;
	out->mtu_bytes = link->mtu_bytes;
	out->hwaddr_len = link->hwaddr_len;
	memcpy(out->hwaddr, link->hwaddr, sizeof(out->hwaddr));
}

/* --- CNI CHECK ------------------------------------------------------------------ */

static int differs(struct vfk_err *err, const char *fmt, ...) VFK_PRINTF(2, 3);
static int differs(struct vfk_err *err, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)vfk_err_set(err, VFK_E_KERNEL, 0, "%s", text);
	return 1;
}

static int check_link(const struct link *link, const struct drv_call *call,
		      const struct pod_expect *want, struct vfk_err *err)
{
	unsigned skip = want->hwaddr_len == IPOIB_LEN ? IPOIB_QPN_LEN : 0;
	char is[OCTETS_TEXT], wanted[OCTETS_TEXT];

	if (strcmp(link->ifname, call->ifname) != 0)
		return differs(err, "its link is called %s in the pod, not %s",
			       link->ifname, call->ifname);
	if (!(link->flags & IFF_UP))
		return differs(err, "link %s is down", link->ifname);
	if (want->hwaddr_len && (want->hwaddr_len != link->hwaddr_len ||
				 memcmp(want->hwaddr + skip, link->hwaddr + skip,
					want->hwaddr_len - skip) != 0))
		return differs(err, "link %s has the address %s, not %s", link->ifname,
			       octets_format(link->hwaddr, link->hwaddr_len, is, sizeof(is)),
			       octets_format(want->hwaddr, want->hwaddr_len, wanted,
					     sizeof(wanted)));
	if (want->mtu_bytes && want->mtu_bytes != link->mtu_bytes)
		return differs(err, "link %s has MTU %u, not %u", link->ifname,
			       link->mtu_bytes, want->mtu_bytes);
	return 0;
}

/* What a dump has shown of the wanted addresses or routes so far. */
struct seen {
	const struct drv_call *call;
	uint32_t ifindex;
	bool ip[DRV_MAX_IPS], route[DRV_MAX_ROUTES];
};

static size_t addr_len(uint8_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

static bool attr_is(const struct nlattr *attr, const uint8_t *bytes, size_t len)
{
	return attr && (size_t)nla_len(attr) >= len && !memcmp(nla_data(attr), bytes, len);
}

static int take_address(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *ifa;
	struct seen *s = arg;

	(void)err;
	if (!msg) {
		memset(s->ip, 0, sizeof(s->ip));
		return 0;
	}
	ifa = nlmsg_data(msg);
	if (msg->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(*ifa), tb, IFA_MAX,
			NULL) < 0 ||
	    ifa->ifa_index != s->ifindex)
		return 0;
	for (unsigned i = 0; i < s->call->n_ips; i++) {
		const struct drv_ip *ip = &s->call->ips[i];

		if (ip->family == ifa->ifa_family && ip->prefix_len == ifa->ifa_prefixlen &&
		    attr_is(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], ip->addr,
			    addr_len(ip->family)))
			s->ip[i] = true;
	}
	return 0;
}

static bool is_route(const struct rtmsg *rtm, struct nlattr *tb[],
		     const struct drv_route *want)
{
	size_t len = addr_len(want->family);
	uint32_t table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;

	if (rtm->rtm_family != want->family || rtm->rtm_dst_len != want->prefix_len ||
	    rtm->rtm_type != RTN_UNICAST || (want->table && want->table != table))
		return false;
	if (want->prefix_len && !attr_is(tb[RTA_DST], want->dst, len))
		return false;
	return !want->has_gateway || attr_is(tb[RTA_GATEWAY], want->gateway, len);
}

static int take_route(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm;
	struct seen *s = arg;

	(void)err;
	if (!msg) {
		memset(s->route, 0, sizeof(s->route));
		return 0;
	}
	rtm = nlmsg_data(msg);
	if (msg->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(*rtm), tb, RTA_MAX,
			NULL) < 0)
		return 0;
	for (unsigned i = 0; i < s->call->n_routes; i++)
		if (is_route(rtm, tb, &s->call->routes[i]))
			s->route[i] = true;
	return 0;
}

static const char *text(uint8_t family, const uint8_t *addr, unsigned prefix_len,
			char out[64])
{
	char a[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, a, sizeof(a));
	snprintf(out, 64, "%s/%u", a, prefix_len);
	return out;
}

static int check_addresses(struct vnl *nl, struct seen *s, struct vfk_err *err)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };
	char name[64];
	int rc;

	if (!s->call->n_ips)
		return 0;
	rc = vnl_dump(nl, vnl_msg_new(RTM_GETADDR, 0, &ifa, sizeof(ifa)), take_address, s,
		      err);
	if (rc < 0)
		return vfk_err_wrap(err, "list the addresses of the pod");
	for (unsigned i = 0; i < s->call->n_ips; i++) {
		const struct drv_ip *ip = &s->call->ips[i];

		if (!s->ip[i])
			return differs(err, "link %s has no address %s", s->call->ifname,
				       text(ip->family, ip->addr, ip->prefix_len, name));
	}
	return 0;
}

static int check_routes(struct vnl *nl, struct seen *s, struct vfk_err *err)
{
	struct rtmsg rtm = { .rtm_family = AF_UNSPEC };
	char name[64];
	int rc;

	if (!s->call->n_routes)
		return 0;
	rc = vnl_dump(nl, vnl_msg_new(RTM_GETROUTE, 0, &rtm, sizeof(rtm)), take_route, s,
		      err);
	if (rc < 0)
		return vfk_err_wrap(err, "list the routes of the pod");
	for (unsigned i = 0; i < s->call->n_routes; i++) {
		const struct drv_route *r = &s->call->routes[i];

		if (!s->route[i])
			return differs(err, "the pod has no route to %s",
				       text(r->family, r->dst, r->prefix_len, name));
	}
	return 0;
}

int pod_check(const struct drv_call *call, uint32_t ifindex,
	      const struct pod_expect *want, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct seen s = { .call = call, .ifindex = ifindex };
	struct link link;
	int rc = vnl_open(&pod, NETLINK_ROUTE, call->netns_fd, err);

	if (call->n_ips > DRV_MAX_IPS || call->n_routes > DRV_MAX_ROUTES)
		return vfk_err_set(err, VFK_E_LIMIT, 0, "%u addresses and %u routes",
				   call->n_ips, call->n_routes);
	if (rc >= 0)
		rc = link_get(pod, LINK_HERE, ifindex, NULL, &link, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return differs(err, "its link is not in the pod any more");
	rc = check_link(&link, call, want, err);
	if (rc == 0)
		rc = check_addresses(pod, &s, err);
	if (rc == 0)
		rc = check_routes(pod, &s, err);
	return rc;
}
