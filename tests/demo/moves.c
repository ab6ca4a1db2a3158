/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own floor: moves spare veth links into network namespaces and back with one
 * RTM_SETLINK each and nothing else, and says how long that took.  Raw netlink, no library,
 * links nothing of vfkeeper.
 *
 *   moves [-n COUNT] [-d DIR] [-p PREFIX] [-r FILE] make|in|out|both
 *
 * 'make' makes COUNT veth pairs sp0, sp1, ... in the present namespace; 'in' moves spI to
 * DIR/PREFIX<I+1> as "spare0" and sets it up; 'out' fetches it back under its name; 'both'
 * does 'in' and 'out' for one link after the other.  Prints "count=N seconds=S p50_us=N
 * p99_us=N" (both: one line for the way in, one for the way out); -r writes microseconds,
 * one a line. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *dir = "/run/netns", *prefix = "pod", *result_file;
static int count = 100;

struct request {
	struct nlmsghdr hdr;
	struct ifinfomsg info;
	char attrs[512];
};

static void die(const char *what)
{
	fprintf(stderr, "moves: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct rtattr *put(struct request *rq, unsigned short type, const void *data,
			  size_t len)
{
	struct rtattr *at = (struct rtattr *)((char *)rq + NLMSG_ALIGN(rq->hdr.nlmsg_len));

	at->rta_type = type;
	at->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(at), data, len);
	rq->hdr.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(rq->hdr.nlmsg_len) + RTA_ALIGN(at->rta_len));
	return at;
}

static void end(struct request *rq, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)rq + NLMSG_ALIGN(rq->hdr.nlmsg_len) -
					 (char *)nest);
}

static void begin(struct request *rq, uint16_t type, uint16_t flags)
{
	memset(rq, 0, sizeof(*rq));
	rq->hdr.nlmsg_len = NLMSG_LENGTH(sizeof(rq->info));
	rq->hdr.nlmsg_type = type;
	rq->hdr.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	rq->info.ifi_family = AF_UNSPEC;
}

/* Sends and waits for the acknowledgement. */
static void ask(int sock, struct request *rq, const char *what)
{
	char answer[4096];
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)answer;
	const struct nlmsgerr *status;
	ssize_t n;

	if (send(sock, rq, rq->hdr.nlmsg_len, 0) < 0)
		die(what);
	n = recv(sock, answer, sizeof(answer), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*status)) || hdr->nlmsg_type != NLMSG_ERROR) {
		errno = n < 0 ? errno : EPROTO;
		die(what);
	}
	status = NLMSG_DATA(hdr);
	if (status->error) {
		errno = -status->error;
		die(what);
	}
}

static int route_socket(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (sock < 0)
		die("netlink socket");
	return sock;
}

static void name_of(int i, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "sp%d", i);
}

static void make_links(void)
{
	int sock = route_socket();

	for (int i = 0; i < count; i++) {
		struct ifinfomsg peer = { 0 };
		struct rtattr *info, *data, *other;
		struct request rq;
		char name[IFNAMSIZ], peer_name[IFNAMSIZ];

		name_of(i, name);
		snprintf(peer_name, sizeof(peer_name), "peer%d", i);
		begin(&rq, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
		put(&rq, IFLA_IFNAME, name, strlen(name) + 1);
		info = put(&rq, IFLA_LINKINFO, NULL, 0);
		put(&rq, IFLA_INFO_KIND, "veth", 5);
		data = put(&rq, IFLA_INFO_DATA, NULL, 0);
		other = put(&rq, VETH_INFO_PEER, &peer, sizeof(peer));
		put(&rq, IFLA_IFNAME, peer_name, strlen(peer_name) + 1);
		end(&rq, other);
		end(&rq, data);
		end(&rq, info);
		ask(sock, &rq, name);
	}
	close(sock);
}

static void set_link(int sock, int index, int to_netns, const char *name, bool up)
{
	struct request rq;

	begin(&rq, RTM_NEWLINK, 0);
	rq.info.ifi_index = index;
	if (up) {
		rq.info.ifi_flags = IFF_UP;
		rq.info.ifi_change = IFF_UP;
	}
	put(&rq, IFLA_NET_NS_FD, &to_netns, sizeof(to_netns));
	put(&rq, IFLA_IFNAME, name, strlen(name) + 1);
	ask(sock, &rq, name);
}

static int open_netns(int i)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%d", dir, prefix, i + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* Only the message itself is timed: opening the namespace is not the kernel's floor. */
static int64_t move_in(int i, int home_sock)
{
	int ns = open_netns(i);
	char name[IFNAMSIZ];
	int64_t t;
	int index;

	name_of(i, name);
	index = (int)if_nametoindex(name);
	if (!index)
		die(name);
	t = now_ns();
	set_link(home_sock, index, ns, "spare0", true);
	t = now_ns() - t;
	close(ns);
	return t;
}

static int64_t move_out(int i, int home)
{
	int ns = open_netns(i);
	char name[IFNAMSIZ];
	int sock, index;
	int64_t t;

	name_of(i, name);
	if (setns(ns, CLONE_NEWNET) < 0)
		die("setns");
	sock = route_socket();
	index = (int)if_nametoindex("spare0");
	if (!index)
		die("spare0");
	t = now_ns();
	set_link(sock, index, home, name, false);
	t = now_ns() - t;
	close(sock);
	close(ns);
	if (setns(home, CLONE_NEWNET) < 0)
		die("setns");
	return t;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(int64_t *took, int64_t wall_ns)
{
	if (result_file) {
		FILE *f = fopen(result_file, "ae");

		if (!f)
			die(result_file);
		for (int i = 0; i < count; i++)
			fprintf(f, "%" PRId64 "\n", took[i] / 1000);
		if (fclose(f))
			die(result_file);
	}
	qsort(took, (size_t)count, sizeof(*took), by_value);
	printf("count=%d seconds=%.3f p50_us=%" PRId64 " p99_us=%" PRId64 "\n", count,
	       (double)wall_ns / 1e9, took[(count - 1) / 2] / 1000,
	       took[(count - 1) * 99 / 100] / 1000);
}

static void move_all(bool in, bool out)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int sock = route_socket();
	int64_t *took_in = calloc((size_t)count, sizeof(*took_in));
	int64_t *took_out = calloc((size_t)count, sizeof(*took_out));
	int64_t sum_in = 0, sum_out = 0;

	if (home < 0 || !took_in || !took_out)
		die("start");
	for (int i = 0; i < count; i++) {
		if (in)
			sum_in += took_in[i] = move_in(i, sock);
		if (out)
			sum_out += took_out[i] = move_out(i, home);
	}
	if (in)
		report(took_in, sum_in);
	if (out)
		report(took_out, sum_out);
	free(took_in);
	free(took_out);
	close(sock);
	close(home);
}

int main(int argc, char **argv)
{
	const char *what;
	int c;

	while ((c = getopt(argc, argv, "n:d:p:r:")) != -1) {
		if (c == 'n')
			count = atoi(optarg);
		else if (c == 'd')
			dir = optarg;
		else if (c == 'p')
			prefix = optarg;
		else if (c == 'r')
			result_file = optarg;
		else
			return 2;
	}
	what = optind < argc ? argv[optind] : "";
	if (count < 1) {
		fputs("moves: -n needs a positive number\n", stderr);
		return 2;
	}
	if (!strcmp(what, "make"))
		make_links();
	else if (!strcmp(what, "in"))
		move_all(true, false);
	else if (!strcmp(what, "out"))
		move_all(false, true);
	else if (!strcmp(what, "both"))
		move_all(true, true);
	else {
		fputs("usage: moves [-n COUNT] [-d DIR] [-p PREFIX] [-r FILE] "
		      "make|in|out|both\n",
		      stderr);
		return 2;
	}
	return 0;
}
