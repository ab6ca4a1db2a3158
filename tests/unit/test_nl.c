/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/log.h"
#include "io/nl.h"
#include "netns.h"

static struct vnl *open_nl(int netns_fd)
{
	struct vfk_err err = { 0 };
	struct vnl *nl = NULL;

	CU_ASSERT_EQUAL_FATAL(vnl_open(&nl, NETLINK_ROUTE, netns_fd, &err), 0);
	return nl;
}

static struct nl_msg *get_link(int ifindex, const char *name)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	struct nl_msg *msg = vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi));

	if (name)
		nla_put_string(msg, IFLA_IFNAME, name);
	return msg;
}

static int count(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	int *n = arg;

	(void)err;
	if (!msg)
		*n = 0;
	else if (msg->nlmsg_type == RTM_NEWLINK)
		++*n;
	return 0;
}

static void request_and_answer(void)
{
	struct vfk_err err = { 0 };
	struct vnl *nl;
	int n = 0;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	CU_ASSERT_EQUAL(vnl_request(nl, get_link(0, "lo"), count, &n, &err), 0);
	SUITE_INT(n, 1);
	SUITE_STR(err.msg, "");
	CU_ASSERT_EQUAL(vnl_request(nl, get_link(1, NULL), NULL, NULL, &err), 0);
	vnl_close(nl);
}

static void refusal_has_its_errno(void)
{
	struct vfk_err err = { 0 };
	struct vnl *nl;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	CU_ASSERT_EQUAL(vnl_request(nl, get_link(4711, NULL), NULL, NULL, &err),
			-VFK_E_KERNEL);
	SUITE_INT(err.sys, ENODEV);
	SUITE_STR(err.msg, "the kernel refused: ENODEV");
	vnl_close(nl);
}

static void refusal_has_the_kernels_words(void)
{
	struct vfk_err err = { 0 };
	struct ifinfomsg ifi = { 0 };
	struct nl_msg *msg;
	struct nlattr *info;
	struct vnl *nl;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	msg = vnl_msg_new(RTM_NEWLINK, NLM_F_CREATE, &ifi, sizeof(ifi));
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "no-such-kind");
	nla_nest_end(msg, info);
	CU_ASSERT_EQUAL(vnl_request(nl, msg, NULL, NULL, &err), -VFK_E_KERNEL);
	SUITE_STR(err.msg, "the kernel refused (Unknown device type): EOPNOTSUPP");
	vnl_close(nl);
}

static void words_that_mean_success_are_left_out(void)
{
	struct vfk_err err = { 0 };
	struct rtmsg rtm = { .rtm_family = AF_INET,
			     .rtm_type = RTN_UNICAST,
			     .rtm_table = RT_TABLE_MAIN,
			     .rtm_dst_len = 32 };
	struct nl_msg *msg;
	struct vnl *nl;
	uint32_t dst = 0x01020304;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	/* The kernel says "Nexthop id does not exist" here. */
	msg = vnl_msg_new(RTM_NEWROUTE, NLM_F_CREATE, &rtm, sizeof(rtm));
	nla_put(msg, RTA_DST, 4, &dst);
	nla_put_u32(msg, RTA_NH_ID, 4711);
	CU_ASSERT_EQUAL(vnl_request(nl, msg, NULL, NULL, &err), -VFK_E_KERNEL);
	SUITE_STR(err.msg, "the kernel refused: EINVAL");
	vnl_close(nl);
}

static void large_dump(void)
{
	struct vfk_err err = { 0 };
	struct ifinfomsg ifi = { 0 };
	struct vnl *nl;
	int n = -1;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	CU_ASSERT(netns_sh(-1, "for i in $(seq 30); do"
			       " echo link add d$i type veth peer e$i; done | ip -batch -"));
	CU_ASSERT_EQUAL(vnl_dump(nl, vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi)),
				 count, &n, &err),
			0);
	SUITE_INT(n, 61);
	CU_ASSERT(netns_sh(-1,
			   "for i in $(seq 30); do echo link del d$i; done | ip -batch -"));
	vnl_close(nl);
}

static int stop_at_second(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	int *n = arg;

	if (msg && ++*n == 2)
		return vfk_err_set(err, VFK_E_LIMIT, 0, "enough");
	return 0;
}

static void stopped_dump_leaves_nothing_behind(void)
{
	struct vfk_err err = { 0 };
	struct ifinfomsg ifi = { 0 };
	struct vnl *nl;
	int n = 0;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	CU_ASSERT(netns_sh(-1, "ip link add d1 type veth peer e1"));
	CU_ASSERT_EQUAL(vnl_dump(nl, vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi)),
				 stop_at_second, &n, &err),
			-VFK_E_LIMIT);
	SUITE_STR(err.msg, "enough");
	SUITE_INT(n, 2);
	n = 0;
	CU_ASSERT_EQUAL(vnl_request(nl, get_link(0, "lo"), count, &n, &err), 0);
	SUITE_INT(n, 1);
	CU_ASSERT(netns_sh(-1, "ip link del d1"));
	vnl_close(nl);
}

/* The first message of the first pass changes the list under the dump's feet. */
struct change {
	int passes, n;
};

static int change_once(void *arg, const struct nlmsghdr *msg, struct vfk_err *err)
{
	struct change *c = arg;

	(void)err;
	if (!msg) {
		c->passes++;
		c->n = 0;
		return 0;
	}
	if (c->n++ == 0 && c->passes == 1)
		CU_ASSERT(netns_sh(-1, "ip link del d7"));
	return 0;
}

static void changed_dump_begins_anew(void)
{
	struct vfk_err err = { 0 };
	struct ifinfomsg ifi = { 0 };
	struct change c = { 0 };
	struct vnl *nl;

	if (!netns_private())
		return;
	nl = open_nl(-1);
	CU_ASSERT(netns_sh(-1, "for i in $(seq 45); do"
			       " echo link add d$i type veth peer e$i; done | ip -batch -"));
	CU_ASSERT_EQUAL(vnl_dump(nl, vnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi)),
				 change_once, &c, &err),
			0);
	SUITE_INT(c.passes, 2);
	SUITE_INT(c.n, 89); /* lo and 44 pairs, each once */
	CU_ASSERT(netns_sh(-1, "for i in $(seq 45); do"
			       " test $i = 7 || echo link del d$i; done | ip -batch -"));
	vnl_close(nl);
}

static void sockets_of_a_pod(void)
{
	struct vfk_err err = { 0 };
	struct vnl *home, *in_pod;
	uint64_t a = 0, b = 0, c = 0;
	struct stat x, y;
	int pod, fd = -1;

	if (!netns_private())
		return;
	pod = netns_pod();
	home = open_nl(-1);
	in_pod = open_nl(pod);
	CU_ASSERT(netns_sh(pod, "ip link add inpod type veth peer other"));
	CU_ASSERT(vnl_ifindex(in_pod, "inpod") > 1);
	SUITE_INT(vnl_ifindex(home, "inpod"), 0);
	SUITE_INT(vnl_ifindex(home, "a-name-that-is-longer-than-any"), 0);
	CU_ASSERT_EQUAL(vnl_netns_cookie(home, &a, &err), 0);
	CU_ASSERT_EQUAL(vnl_netns_cookie(in_pod, &b, &err), 0);
	CU_ASSERT(a && b && a != b);
	vnl_close(in_pod);
	in_pod = open_nl(pod);
	CU_ASSERT_EQUAL(vnl_netns_cookie(in_pod, &c, &err), 0);
	CU_ASSERT_EQUAL(b, c);
	CU_ASSERT_EQUAL(vnl_netns_fd(in_pod, &fd, &err), 0);
	CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CU_ASSERT(!fstat(fd, &x) && !fstat(pod, &y) && x.st_ino == y.st_ino);
	close(fd);
	vnl_close(in_pod);
	vnl_close(home);
	close(pod);
}

static void not_a_namespace(void)
{
	struct vfk_err err = { 0 };
	struct vnl *nl = NULL;
	int fd;

	if (!netns_private())
		return;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL(vnl_open(&nl, NETLINK_ROUTE, fd, &err), -VFK_E_NETNS);
	SUITE_STR(err.msg, "enter the network namespace: EINVAL");
	CU_ASSERT_PTR_NULL(nl);
	close(fd);
}

/* --- events --- */

struct heard {
	int links, gone_ids, here, elsewhere;
};

static void hear(void *arg, int nsid, const struct nlmsghdr *msg)
{
	struct heard *h = arg;

	h->links += msg->nlmsg_type == RTM_NEWLINK;
	h->gone_ids += msg->nlmsg_type == RTM_DELNSID;
	if (msg->nlmsg_type == RTM_NEWLINK && nsid == VNL_OWN_NSID)
		h->here++;
	else if (msg->nlmsg_type == RTM_NEWLINK)
		h->elsewhere++;
}

static struct vnl_events *subscribe(bool all_nsid)
{
	const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_NSID };
	struct vfk_err err = { 0 };
	struct vnl_events *ev = NULL;

	CU_ASSERT_EQUAL_FATAL(vnl_subscribe(&ev, NETLINK_ROUTE, groups, 2, all_nsid, &err),
			      0);
	return ev;
}

static void events_of_all_namespaces(void)
{
	struct vfk_err err = { 0 };
	struct vnl_events *ev;
	struct heard h = { 0 };
	struct pollfd p;
	int pod;

	if (!netns_private())
		return;
	ev = subscribe(true);
	pod = netns_pod();
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0); /* none yet */
	CU_ASSERT(netns_sh(-1, "ip link add here type veth peer also"));
	/* The move gives the pod an id here. */
	CU_ASSERT(netns_sh(-1,
			   "ip link add there type veth peer near &&"
			   " ip link set there netns /proc/$PPID/fd/%d",
			   pod));
	CU_ASSERT(netns_sh(pod, "ip link set there up"));
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0);
	CU_ASSERT(h.here >= 2 && h.elsewhere >= 1);
	h.gone_ids = 0;
	close(pod);
	p = (struct pollfd){ .fd = vnl_events_fd(ev), .events = POLLIN };
	while (!h.gone_ids && poll(&p, 1, 20000) == 1)
		CU_ASSERT(vnl_events_read(ev, 100, hear, &h, &err) >= 0);
	SUITE_INT(h.gone_ids, 1);
	CU_ASSERT(netns_sh(-1, "ip link del here"));
	vnl_events_free(ev);
}

static void bounded_reads(void)
{
	struct vfk_err err = { 0 };
	struct vnl_events *ev;
	struct heard h = { 0 };

	if (!netns_private())
		return;
	ev = subscribe(false);
	CU_ASSERT(netns_sh(-1, "ip link set lo up; ip link set lo down; ip link set lo up"));
	CU_ASSERT_EQUAL(vnl_events_read(ev, 1, hear, &h, &err), 1);
	SUITE_INT(h.links, 1);
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0);
	CU_ASSERT(h.links >= 3);
	vnl_events_free(ev);
}

static void lost_events_are_told(void)
{
	struct vfk_err err = { 0 };
	struct vnl_events *ev;
	struct heard h = { 0 };
	int small = 4096, rc;

	if (!netns_private())
		return;
	ev = subscribe(false);
	setsockopt(vnl_events_fd(ev), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	CU_ASSERT(netns_sh(-1, "for i in 1 2 3 4 5 6 7 8 9; do ip link set lo down;"
			       " ip link set lo up; done"));
	for (rc = 1; rc > 0;)
		rc = vnl_events_read(ev, 1, hear, &h, &err);
	CU_ASSERT_EQUAL(rc, -VFK_E_SYS);
	SUITE_STR(err.msg, "read netlink events: ENOBUFS");
	/* What is left can still be read, and new ones come again. */
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0);
	h.links = 0;
	CU_ASSERT(netns_sh(-1, "ip link set lo down"));
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0);
	SUITE_INT(h.links, 1);
	vnl_events_free(ev);
}

static void other_senders_are_dropped(void)
{
	struct vfk_err err = { 0 };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr fake = { .nlmsg_len = sizeof(fake), .nlmsg_type = RTM_NEWLINK };
	struct vnl_events *ev;
	struct heard h = { 0 };
	socklen_t len = sizeof(to);
	int other;

	if (!netns_private())
		return;
	ev = subscribe(false);
	CU_ASSERT_EQUAL(getsockname(vnl_events_fd(ev), (struct sockaddr *)&to, &len), 0);
	to.nl_groups = 0;
	other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	CU_ASSERT_EQUAL(sendto(other, &fake, sizeof(fake), 0, (struct sockaddr *)&to,
			       sizeof(to)),
			sizeof(fake));
	CU_ASSERT_EQUAL(vnl_events_read(ev, 100, hear, &h, &err), 0);
	SUITE_INT(h.links, 0);
	close(other);
	vnl_events_free(ev);
}

static void unknown_group(void)
{
	const unsigned groups[] = { 4000 };
	struct vfk_err err = { 0 };
	struct vnl_events *ev = NULL;

	CU_ASSERT_EQUAL(vnl_subscribe(&ev, NETLINK_ROUTE, groups, 1, false, &err),
			-VFK_E_SYS);
	SUITE_STR(err.msg, "subscribe to events of netlink protocol 0: EINVAL");
}

VFK_SUITE(nl, { "a request brings its answer and the acknowledgement", request_and_answer },
	  { "a refusal carries the kernel's errno", refusal_has_its_errno },
	  { "a refusal carries the kernel's own words", refusal_has_the_kernels_words },
	  { "words that a CNI caller takes for success are left out",
	    words_that_mean_success_are_left_out },
	  { "a dump of many parts is complete", large_dump },
	  { "a dump that was stopped leaves nothing to the next request",
	    stopped_dump_leaves_nothing_behind },
	  { "a dump whose list changed begins anew", changed_dump_begins_anew },
	  { "a socket can be opened in a pod and tells its namespace", sockets_of_a_pod },
	  { "a descriptor that is no network namespace is refused", not_a_namespace },
	  { "events of every namespace with an id are heard, and its end",
	    events_of_all_namespaces },
	  { "a read of events is bounded", bounded_reads },
	  { "lost events are told", lost_events_are_told },
	  { "messages of other senders than the kernel are dropped",
	    other_senders_are_dropped },
	  { "an unknown group is refused", unknown_group })
