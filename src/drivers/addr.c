/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes in a pod. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "drivers/link.h"

static size_t addr_len(uint8_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

static const char *text(uint8_t family, const uint8_t *addr, unsigned prefix_len,
			char out[64])
{
	char a[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, a, sizeof(a));
	snprintf(out, 64, "%s/%u", a, prefix_len);
	return out;
}

static int check_family(uint8_t family, unsigned prefix_len, const char *what,
			struct vfk_err *err)
{
	if ((family == AF_INET || family == AF_INET6) && prefix_len <= 8 * addr_len(family))
		return 0;
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "%s of family %u with prefix length %u", what, family,
			   prefix_len);
}

static int add_address(struct vnl *nl, uint32_t ifindex, const struct drv_ip *ip,
		       struct vfk_err *err)
{
	/* The IPAM leased it to nobody else, and a pod must not meet a tentative address:
	 * no duplicate address detection. */
	struct ifaddrmsg ifa = { .ifa_family = ip->family,
				 .ifa_prefixlen = ip->prefix_len,
				 .ifa_index = ifindex,
				 .ifa_scope = RT_SCOPE_UNIVERSE,
				 .ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0 };
	struct nl_msg *msg;
	uint32_t v4, broadcast;
	char name[64];
	int rc;

	rc = check_family(ip->family, ip->prefix_len, "address", err);
	if (rc < 0)
		return rc;
	msg = vnl_msg_new(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &ifa, sizeof(ifa));
	if (msg && (nla_put(msg, IFA_LOCAL, (int)addr_len(ip->family), ip->addr) ||
		    nla_put(msg, IFA_ADDRESS, (int)addr_len(ip->family), ip->addr))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	if (msg && ip->family == AF_INET && ip->prefix_len < 31) {
		memcpy(&v4, ip->addr, sizeof(v4));
		broadcast = v4 | htonl(UINT32_MAX >> ip->prefix_len);
		if (nla_put(msg, IFA_BROADCAST, sizeof(broadcast), &broadcast)) {
			nlmsg_free(msg);
			msg = NULL;
		}
	}
	rc = vnl_request(nl, msg, NULL, NULL, err);
	if (rc < 0)
		return vfk_err_wrap(err, "add address %s",
				    text(ip->family, ip->addr, ip->prefix_len, name));
	return 0;
}

static const uint8_t *gateway_of(const struct drv_route *r, const struct drv_call *call)
{
	if (r->has_gateway)
		return r->gateway;
	if (r->scope >= RT_SCOPE_LINK)
		return NULL;
	for (unsigned i = 0; i < call->n_ips; i++)
		if (call->ips[i].family == r->family && call->ips[i].has_gateway)
			return call->ips[i].gateway;
	return NULL;
}

static int put_route(struct nl_msg *msg, uint32_t ifindex, const struct drv_route *r,
		     const uint8_t *gateway)
{
	int len = (int)addr_len(r->family);
	struct nlattr *metrics;

	if (nla_put_u32(msg, RTA_OIF, ifindex) ||
	    (r->prefix_len && nla_put(msg, RTA_DST, len, r->dst)) ||
	    (gateway && nla_put(msg, RTA_GATEWAY, len, gateway)) ||
	    (r->priority && nla_put_u32(msg, RTA_PRIORITY, r->priority)) ||
	    (r->table && nla_put_u32(msg, RTA_TABLE, r->table)))
		return -1;
	if (!r->mtu && !r->advmss)
		return 0;
	metrics = nla_nest_start(msg, RTA_METRICS);
	if (!metrics || (r->mtu && nla_put_u32(msg, RTAX_MTU, r->mtu)) ||
	    (r->advmss && nla_put_u32(msg, RTAX_ADVMSS, r->advmss)))
		return -1;
	return nla_nest_end(msg, metrics);
}

static int add_route(struct vnl *nl, uint32_t ifindex, const struct drv_route *r,
		     const struct drv_call *call, struct vfk_err *err)
{
	const uint8_t *gateway = gateway_of(r, call);
	struct rtmsg rtm = { .rtm_family = r->family,
			     .rtm_dst_len = r->prefix_len,
			     .rtm_protocol = RTPROT_BOOT,
			     .rtm_type = RTN_UNICAST,
			     .rtm_table = r->table && r->table < 256 ? (uint8_t)r->table :
								       RT_TABLE_MAIN };
	struct vfk_err own;
	struct nl_msg *msg;
	char name[64];
	int rc;

	rc = check_family(r->family, r->prefix_len, "route", err);
	if (rc < 0)
		return rc;
	if (r->scope >= 0)
		rtm.rtm_scope = (uint8_t)r->scope;
	else
		rtm.rtm_scope = gateway || r->family == AF_INET6 ? RT_SCOPE_UNIVERSE :
								   RT_SCOPE_LINK;
	msg = vnl_msg_new(RTM_NEWROUTE, NLM_F_CREATE, &rtm, sizeof(rtm));
	if (msg && put_route(msg, ifindex, r, gateway) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(nl, msg, NULL, NULL, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EEXIST)
		return 0; /* the kernel has this very route already */
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "add route %s",
				    text(r->family, r->dst, r->prefix_len, name));
	}
	return 0;
}

/* --- what a link has --- */

struct listing {
	uint32_t ifindex;
	bool too_many;
	struct drv_out *out;
};

static int take_addr(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct listing *l = arg;
	struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *ifa;
	const struct nlattr *a;
	struct drv_addr *to = &l->out->addrs[l->out->n_addrs];

	(void)err;
	if (!msg) { /* from the beginning */
		l->out->n_addrs = 0;
		l->too_many = false;
		return 0;
	}
	if (msg->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)msg, sizeof(*ifa), tb, IFA_MAX, NULL))
		return 0;
	ifa = nlmsg_data(msg);
	a = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (ifa->ifa_index != l->ifindex || ifa->ifa_scope == RT_SCOPE_LINK || !a ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6) ||
	    (size_t)nla_len(a) != addr_len(ifa->ifa_family))
		return 0;
	if (l->out->n_addrs == DRV_MAX_SEEN_ADDRS) {
		l->too_many = true;
		return 0;
	}
	memset(to, 0, sizeof(*to));
	to->family = ifa->ifa_family;
	memcpy(to->addr, nla_data(a), addr_len(ifa->ifa_family));
	l->out->n_addrs++;
	return 0;
}

void addr_list(struct vnl *nl, int32_t nsid, uint32_t ifindex, struct drv_out *out)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC, .ifa_index = ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_GETADDR, 0, &ifa, sizeof(ifa));
	struct listing l = { .ifindex = ifindex, .out = out };
	struct vfk_err err;

	if (msg && nla_put_s32(msg, IFA_TARGET_NETNSID, nsid)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	out->addrs_known = vnl_dump(nl, msg, take_addr, &l, &err) >= 0 && !l.too_many;
	if (!out->addrs_known)
		out->n_addrs = 0;
}

/* --- what it gets --- */

/* Runtimes switch IPv6 off in pods that have no IPv6 address; now this one has. */
static int enable_ipv6(void *arg, struct vfk_err *err)
{
	const struct drv_call *call = arg;
	char path[400];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/sys/net/ipv6/conf/%s/disable_ipv6",
		 call->env->proc_root, call->ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* A kernel without IPv6 refuses the address itself, and says it better. */
	if (fd < 0)
		return 0;
	n = write(fd, "0", 1);
	close(fd);
	if (n != 1)
		return vfk_err_set(err, VFK_E_KERNEL, errno, "switch IPv6 on for %s",
				   call->ifname);
	return 0;
}

int addr_configure(struct vnl *nl, uint32_t ifindex, const struct drv_call *call,
		   struct vfk_err *err)
{
	bool v6 = false;
	int rc = 0;

	for (unsigned i = 0; i < call->n_ips; i++)
		v6 |= call->ips[i].family == AF_INET6;
	if (v6) {
		rc = vnl_inside(call->netns_fd, enable_ipv6, (void *)(uintptr_t)call, err);
		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < call->n_ips && rc >= 0; i++)
		rc = add_address(nl, ifindex, &call->ips[i], err);
	for (unsigned i = 0; i < call->n_routes && rc >= 0; i++)
		rc = add_route(nl, ifindex, &call->routes[i], call, err);
	return rc;
}
