/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(FRAME_MAX_FDS * sizeof(int))];
};

int frame_send(int sock, struct frame_hdr *frame, size_t len_bytes, const int *fds,
	       unsigned n_fds, struct vfk_err *err)
{
	union control ctl = { 0 };
	struct iovec iov = { .iov_base = frame, .iov_len = len_bytes };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (len_bytes < sizeof(*frame) || len_bytes > FRAME_MAX || n_fds > FRAME_MAX_FDS)
		return vfk_err_set(err, VFK_E_SYS, EMSGSIZE, "send frame");
	frame->magic = FRAME_MAGIC;
	frame->len = (uint32_t)len_bytes;
	frame->n_fds = n_fds;
	if (n_fds) {
		struct cmsghdr *cmsg = &ctl.align;

		msg.msg_control = &ctl;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "send frame");
	return 0;
}

/* Collects received descriptors.  The kernel makes one SCM_RIGHTS message of all of
 * them, and the room for it bounds their number. */
static unsigned take_fds(const struct msghdr *msg, const union control *ctl,
			 int fds[FRAME_MAX_FDS])
{
	const struct cmsghdr *cmsg = &ctl->align;
	unsigned n;

	if (msg->msg_controllen < sizeof(*cmsg) || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len < CMSG_LEN(0))
		return 0;
	n = (unsigned)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(cmsg), n * sizeof(int));
	return n;
}

static const char *what_is_wrong(const struct msghdr *msg, const struct frame_hdr *hdr,
				 size_t len_bytes, unsigned n_fds)
{
	if (msg->msg_flags & MSG_CTRUNC)
		return "descriptors were lost";
	if (msg->msg_flags & MSG_TRUNC)
		return "longer than allowed";
	if (len_bytes < sizeof(*hdr))
		return "shorter than its header";
	if (hdr->magic != FRAME_MAGIC)
		return "wrong magic";
	if (hdr->len != len_bytes)
		return "wrong length";
	if (hdr->n_fds != n_fds)
		return "wrong number of descriptors";
	return NULL;
}

ssize_t frame_recv(int sock, void *buf, size_t cap_bytes, int fds[FRAME_MAX_FDS],
		   unsigned *n_fds, struct vfk_err *err)
{
	union control ctl = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = cap_bytes };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &ctl,
			      /* CMSG_SPACE is rounded up: one more would fit it. */
			      .msg_controllen = CMSG_LEN(FRAME_MAX_FDS * sizeof(int)) };
	struct frame_hdr hdr = { 0 };
	const char *wrong;
	unsigned got;
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "receive frame");
	got = take_fds(&msg, &ctl, fds);
	if (n == 0 && got == 0 && !(msg.msg_flags & MSG_CTRUNC))
		return 0;
	memcpy(&hdr, buf, (size_t)n < sizeof(hdr) ? (size_t)n : sizeof(hdr));
	wrong = what_is_wrong(&msg, &hdr, (size_t)n, got);
	if (!wrong) {
		*n_fds = got;
		return n;
	}
	while (got)
		close(fds[--got]);
	return vfk_err_set(err, VFK_E_DECODE, 0, "receive frame: %s", wrong);
}

/* Four bits at a time: a table of 16 words is enough for what the client checks. */
uint32_t frame_crc32(uint32_t crc, const void *buf, size_t len_bytes)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = buf;

	crc = ~crc;
	while (len_bytes--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static uint64_t fnv1a(uint64_t hash, const void *buf, size_t len_bytes)
{
	const uint8_t *p = buf;

	while (len_bytes--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t spool_key(const char *container, const char *ifname, const void *stdin_bytes,
		   size_t stdin_len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = fnv1a(hash, container, strlen(container) + 1);
	hash = fnv1a(hash, ifname, strlen(ifname) + 1);
	return fnv1a(hash, stdin_bytes, stdin_len);
}
