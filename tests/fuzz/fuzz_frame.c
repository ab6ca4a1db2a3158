/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: one byte for the number of descriptors that come along, then the packet. */
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/frame.h"

const char fuzz_name[] = "fuzz_frame";

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	struct frame_request rq = { .hdr = { FRAME_MAGIC, FRAME_VERSION, FRAME_REQUEST,
					     sizeof(rq), 3 },
				    .verb = CNI_ADD,
				    .dialect = DIALECT_VFKEEPER };
	struct frame_run run = { .hdr = { FRAME_MAGIC, FRAME_VERSION, FRAME_RUN,
					  sizeof(run), 1 },
				 .type = "host-local" };
	struct frame_hdr cancel = { FRAME_MAGIC, FRAME_VERSION, FRAME_CANCEL,
				    sizeof(cancel), 0 };
	const void *frames[] = { &rq, &run, &cancel };
	const size_t lens[] = { sizeof(rq), sizeof(run), sizeof(cancel) };
	const uint8_t fds[] = { 3, 1, 0 };

	if (n >= 3)
		return 0;
	out[0] = fds[n];
	memcpy(out + 1, frames[n], lens[n]);
	return lens[n] + 1;
}

static void send_packet(int sock, const uint8_t *data, size_t len, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[8];

	for (unsigned i = 0; i < 8; i++)
		fds[i] = sock;
	if (n_fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
	}
	FUZZ_HOLDS(sendmsg(sock, &msg, 0) == (ssize_t)len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[FRAME_MAX];
	int pair[2], fds[FRAME_MAX_FDS], next;
	unsigned n_fds = 99, sent;
	struct vfk_err err = { 0 };
	ssize_t got;

	if (len < 2)
		return 0;
	sent = data[0] % 9;
	FUZZ_HOLDS(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			       pair));
	send_packet(pair[0], data + 1, len - 1, sent);
	got = frame_recv(pair[1], buf, sizeof(buf), fds, &n_fds, &err);
	if (got > 0) {
		const struct frame_hdr *hdr = (const struct frame_hdr *)buf;

		FUZZ_HOLDS((size_t)got == len - 1 && hdr->len == (size_t)got);
		FUZZ_HOLDS(hdr->magic == FRAME_MAGIC && hdr->n_fds == n_fds &&
			   n_fds == sent);
		FUZZ_HOLDS(n_fds <= FRAME_MAX_FDS);
		for (unsigned i = 0; i < n_fds; i++)
			FUZZ_HOLDS((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) && !close(fds[i]));
	} else {
		FUZZ_HOLDS(got < 0 && err.kind == VFK_E_DECODE && err.msg[0]);
	}
	close(pair[0]);
	close(pair[1]);
	/* No descriptor stays behind: the lowest free one is what it was. */
	next = fcntl(0, F_DUPFD_CLOEXEC, 3);
	FUZZ_HOLDS(next <= pair[0]);
	if (next >= 0)
		close(next);
	return 0;
}
