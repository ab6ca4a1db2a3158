/* SPDX-License-Identifier: Apache-2.0 */
/* nlwatch [-a]: prints, one line each until it is killed, kernel uevents ("uevent"), link
 * notifications ("link"), namespace ids ("nsid") and RDMA notifications ("rdma").
 * -a: of all network namespaces that have an id in this one. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define RDMA_GROUP_NOTIFY 4 /* Linux 6.12; not in the headers of 6.1 */
#define RDMA_ATTR_EVENT 102
#define ATTR_PARENT 56 /* IFLA_PARENT_DEV_NAME */

static char buf[1 << 18] __attribute__((aligned(8)));

static int nl_open(int proto, const unsigned int *groups, int n, int all)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, proto), size = 16 << 20, i;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
		printf("error proto %d: %s\n", proto, strerror(errno));
		return -1;
	}
	for (i = 0; i < n; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			printf("error proto %d group %u: %s\n", proto, groups[i],
			       strerror(errno));
	if (all &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &all, sizeof(all)) < 0)
		printf("error proto %d all: %s\n", proto, strerror(errno));
	return fd;
}

static void print_uevent(const char *end, int nsid)
{
	static const char *const want[] = { "INTERFACE=",  "DRIVER=",  "NAME=",
					    "PCI_SLOT",	   "DEVNAME=", "SEQNUM=",
					    "SYNTH_UUID=", "IFINDEX=", "DEVPATH_OLD=" };
	const char *s;
	size_t i;

	printf("uevent %s nsid=%d", buf, nsid);
	for (s = buf + strlen(buf) + 1; s < end; s += strlen(s) + 1)
		for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
			if (!strncmp(s, want[i], strlen(want[i])))
				printf(" %s", s);
	printf("\n");
}

static void print_link(struct nlmsghdr *h, int nsid)
{
	struct ifinfomsg *m = NLMSG_DATA(h);
	struct rtattr *a = IFLA_RTA(m);
	int len = (int)IFLA_PAYLOAD(h);

	printf("link %s index=%d nsid=%d%s%s", h->nlmsg_type == RTM_NEWLINK ? "new" : "del",
	       m->ifi_index, nsid, m->ifi_flags & IFF_UP ? " up" : "",
	       m->ifi_flags & IFF_LOWER_UP ? " lower_up" : "");
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		switch (a->rta_type & NLA_TYPE_MASK) {
		case IFLA_IFNAME:
			printf(" name=%s", (char *)RTA_DATA(a));
			break;
		case ATTR_PARENT:
			printf(" parent=%s", (char *)RTA_DATA(a));
			break;
		case IFLA_VFINFO_LIST:
			printf(" vfinfo");
			break;
		case IFLA_NEW_NETNSID:
			printf(" new_nsid=%d", *(int *)RTA_DATA(a));
			break;
		case IFLA_NEW_IFINDEX:
			printf(" new_index=%d", *(int *)RTA_DATA(a));
			break;
		}
	}
	printf("\n");
}

static void print_nsid(struct nlmsghdr *h)
{
	struct rtgenmsg *g = NLMSG_DATA(h);
	struct rtattr *a = (void *)((char *)g + NLMSG_ALIGN(sizeof(*g)));
	int len = (int)NLMSG_PAYLOAD(h, sizeof(*g));

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == NETNSA_NSID)
			printf("nsid %s %d\n", h->nlmsg_type == RTM_NEWNSID ? "new" : "del",
			       *(int *)RTA_DATA(a));
}

static void print_rdma(struct nlmsghdr *h)
{
	struct rtattr *a = NLMSG_DATA(h);
	int len = (int)NLMSG_PAYLOAD(h, 0);

	printf("rdma op=%d", h->nlmsg_type & 0x3ff);
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		int type = a->rta_type & NLA_TYPE_MASK;

		if (type == RDMA_ATTR_EVENT)
			printf(" event=%u", *(unsigned char *)RTA_DATA(a));
		else if (type == 2)
			printf(" name=%s", (char *)RTA_DATA(a));
	}
	printf("\n");
}

static void receive(int fd, int proto)
{
	char control[256];
	struct iovec v = { buf, sizeof(buf) - 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, 0);
	struct nlmsghdr *h = (void *)buf;
	struct cmsghdr *c;
	int nsid = -1;

	if (n < 0) {
		printf("error proto %d recv: %s\n", proto, strerror(errno));
		return;
	}
	buf[n] = '\0';
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	if (proto == NETLINK_KOBJECT_UEVENT) {
		print_uevent(buf + n, nsid);
		return;
	}
	for (; NLMSG_OK(h, (unsigned int)n); h = NLMSG_NEXT(h, n)) {
		if (proto == NETLINK_RDMA)
			print_rdma(h);
		else if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
			print_link(h, nsid);
		else
			print_nsid(h);
	}
}

int main(int argc, char **argv)
{
	static const unsigned int uevent[] = { 1 }, rdma[] = { RDMA_GROUP_NOTIFY },
				  route[] = { RTNLGRP_LINK, RTNLGRP_NSID };
	int all = argc > 1 && !strcmp(argv[1], "-a"), i;
	int protos[] = { NETLINK_KOBJECT_UEVENT, NETLINK_ROUTE, NETLINK_RDMA };
	struct pollfd p[] = { { nl_open(protos[0], uevent, 1, all), POLLIN, 0 },
			      { nl_open(protos[1], route, 2, all), POLLIN, 0 },
			      { nl_open(protos[2], rdma, 1, 0), POLLIN, 0 } };

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	for (;;) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return 1;
		for (i = 0; i < 3; i++)
			if (p[i].revents)
				receive(p[i].fd, protos[i]);
	}
}
