/* SPDX-License-Identifier: Apache-2.0 */
/* Makes or removes many named network namespaces quickly; what it makes is what
 * "ip netns add" makes.
 *
 *   netns-pool add|del DIR PREFIX FIRST LAST */
#include <errno.h>
#include <fcntl.h>
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

int main(int argc, char **argv)
{
	char path[512];

	if (argc != 6 || (strcmp(argv[1], "add") && strcmp(argv[1], "del"))) {
		fputs("usage: netns-pool add|del DIR PREFIX FIRST LAST\n", stderr);
		return 2;
	}
	for (long i = atol(argv[4]); i <= atol(argv[5]); i++) {
		snprintf(path, sizeof(path), "%s/%s%ld", argv[2], argv[3], i);
		if ((argv[1][0] == 'a' ? add_one : del_one)(path) < 0) {
			fprintf(stderr, "netns-pool: %s %s: %s\n", argv[1], path,
				strerror(errno));
			return 1;
		}
	}
	return 0;
}
