/* SPDX-License-Identifier: Apache-2.0 */
/* uvwatch DEVICE SECONDS: prints the asynchronous events of an RDMA device as they come, with
 * the plain uverbs interface: no provider library knows the simulated device. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rdma/ib_user_verbs.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_get_context cmd;
	} req = { .hdr = { .command = IB_USER_VERBS_CMD_GET_CONTEXT } };
	struct ib_uverbs_get_context_resp resp = { 0 };
	struct ib_uverbs_async_event_desc ev;
	struct pollfd p = { .events = POLLIN };
	double end;
	ssize_t n;
	int fd;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("open: %s\n", strerror(errno));
		return 1;
	}
	req.hdr.in_words = sizeof(req) / 4;
	req.hdr.out_words = sizeof(resp) / 4;
	req.cmd.response = (uintptr_t)&resp;
	if (write(fd, &req, sizeof(req)) < 0) {
		printf("get_context: %s\n", strerror(errno));
		return 1;
	}
	printf("ready\n");
	p.fd = (int)resp.async_fd;
	end = now() + atof(argv[2]);
	while (now() < end) {
		if (poll(&p, 1, 50) <= 0)
			continue;
		n = read(p.fd, &ev, sizeof(ev));
		if (n != (ssize_t)sizeof(ev)) {
			printf("read: %s\n", n < 0 ? strerror(errno) : "end");
			return 0;
		}
		printf("event %u port %llu\n", ev.event_type,
		       (unsigned long long)ev.element);
	}
	return 0;
}
