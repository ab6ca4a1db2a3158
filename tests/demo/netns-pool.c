/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, removes or looks into many named network namespaces quickly; what it makes is what
 * "ip netns add" makes.  Links nothing of vfkeeper.
 *
 *   netns-pool add|del DIR PREFIX FIRST LAST
 *   netns-pool look DIR PREFIX FIRST LAST IFNAME
 *
 * 'look' prints a line "NUMBER up|down ADDRESS/PREFIX" for each namespace that has a link of
 * that name ("-" for a link without an IPv4 address). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int add_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0)
		return -1;
	close(fd);
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	return mount("/proc/self/ns/net", path, "none", MS_BIND, NULL);
}

static int del_one(const char *path)
{
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return -1;
	return 0;
}

static int look_into(const char *path, long number, const char *ifname)
{
	char address[INET_ADDRSTRLEN] = "-", prefix[8] = "";
	struct ifaddrs *list, *at;
	const char *state = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0 || close(fd) < 0 || getifaddrs(&list) < 0)
		return -1;
	for (at = list; at; at = at->ifa_next) {
		const struct sockaddr_in *in = (const void *)at->ifa_addr;
		const struct sockaddr_in *mask = (const void *)at->ifa_netmask;

		if (strcmp(at->ifa_name, ifname))
			continue;
		state = at->ifa_flags & IFF_UP ? "up" : "down";
		if (!in || !mask || in->sin_family != AF_INET)
			continue;
		inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
		snprintf(prefix, sizeof(prefix), "/%d",
			 __builtin_popcount(mask->sin_addr.s_addr));
	}
	freeifaddrs(list);
	if (state)
		printf("%ld %s %s%s\n", number, state, address, prefix);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char path[512];

	if (!(argc == 6 && (!strcmp(what, "add") || !strcmp(what, "del"))) &&
	    !(argc == 7 && !strcmp(what, "look"))) {
		fputs("usage: netns-pool add|del DIR PREFIX FIRST LAST\n"
		      "       netns-pool look DIR PREFIX FIRST LAST IFNAME\n",
		      stderr);
		return 2;
	}
	for (long i = atol(argv[4]); i <= atol(argv[5]); i++) {
		int rc;

		snprintf(path, sizeof(path), "%s/%s%ld", argv[2], argv[3], i);
		if (what[0] == 'l')
			rc = look_into(path, i, argv[6]);
		else
			rc = what[0] == 'a' ? add_one(path) : del_one(path);
		if (rc < 0) {
			fprintf(stderr, "netns-pool: %s %s: %s\n", argv[1], path,
				strerror(errno));
			return 1;
		}
	}
	return 0;
}
