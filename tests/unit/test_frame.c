/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/frame.h"
#include "suite.h"

static int a = -1, b = -1; /* both ends */
static char buf[FRAME_MAX];
static int fds[FRAME_MAX_FDS];
static unsigned n_fds;
static struct vfk_err err;

static void up(void)
{
	int ends[2];

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   0, ends) == 0);
	a = ends[0];
	b = ends[1];
	err = (struct vfk_err){ 0 };
}

static void down(void)
{
	close(a);
	close(b);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void carries_a_frame(void)
{
	struct frame_cancel {
		struct frame_hdr hdr;
		char text[8];
	} out = { .hdr = { .version = 1, .type = FRAME_CANCEL }, .text = "payload" }, *in;

	up();
	SUITE_INT(frame_send(a, &out.hdr, sizeof(out), NULL, 0, &err), 0);
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), sizeof(out));
	in = (struct frame_cancel *)(void *)buf;
	SUITE_INT(in->hdr.magic, 0x314b4656);
	SUITE_INT(in->hdr.version, 1);
	SUITE_INT(in->hdr.type, FRAME_CANCEL);
	SUITE_INT(in->hdr.len, sizeof(out));
	SUITE_INT(in->hdr.n_fds, 0);
	SUITE_INT(n_fds, 0);
	SUITE_STR(in->text, "payload");
	down();
}

static void carries_descriptors(void)
{
	int memfds[FRAME_MAX_FDS];
	struct frame_hdr hdr = { .version = 1, .type = FRAME_RUN };

	for (int i = 0; i < FRAME_MAX_FDS; i++) {
		memfds[i] = memfd_create("x", MFD_CLOEXEC);
		CU_ASSERT(write(memfds[i], &"abc"[i], 1) == 1);
	}
	for (unsigned n = 1; n <= FRAME_MAX_FDS; n++) {
		up();
		SUITE_INT(frame_send(a, &hdr, sizeof(hdr), memfds, n, &err), 0);
		SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), sizeof(hdr));
		SUITE_INT(n_fds, n);
		for (unsigned i = 0; i < n_fds; i++) {
			char c = 0;

			CU_ASSERT(pread(fds[i], &c, 1, 0) == 1);
			SUITE_INT(c, "abc"[i]);
			SUITE_INT(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
			close(fds[i]);
		}
		down();
	}
	for (int i = 0; i < FRAME_MAX_FDS; i++)
		close(memfds[i]);
}

static void tells_silence_from_the_end(void)
{
	up();
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), -VFK_E_SYS);
	SUITE_INT(err.sys, EAGAIN);
	SUITE_STR(err.msg, "receive frame: EAGAIN");
	shutdown(a, SHUT_WR);
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), 0);
	down();
}

static void says_why_it_cannot_send(void)
{
	struct frame_hdr hdr = { .version = 1, .type = FRAME_CANCEL };

	up();
	close(b);
	signal(SIGPIPE, SIG_DFL);
	SUITE_INT(frame_send(a, &hdr, sizeof(hdr), NULL, 0, &err), -VFK_E_SYS);
	SUITE_INT(err.sys, EPIPE); /* and no SIGPIPE */
	SUITE_INT(frame_send(a, &hdr, sizeof(hdr) - 1, NULL, 0, &err), -VFK_E_SYS);
	SUITE_INT(err.sys, EMSGSIZE);
	SUITE_INT(frame_send(a, &hdr, FRAME_MAX + 1, NULL, 0, &err), -VFK_E_SYS);
	SUITE_INT(frame_send(a, &hdr, sizeof(hdr), fds, FRAME_MAX_FDS + 1, &err),
		  -VFK_E_SYS);
	close(a);
}

/* Sends raw bytes and descriptors; expects a refusal with nothing left open. */
static void refused(const void *bytes, size_t len, unsigned n, const char *why)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	char expected[100];
	int before;

	up();
	before = count_fds();
	if (n) {
		ctl.align.cmsg_level = SOL_SOCKET;
		ctl.align.cmsg_type = SCM_RIGHTS;
		ctl.align.cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned i = 0; i < n; i++)
			memcpy(CMSG_DATA(&ctl.align) + i * sizeof(int), &a, sizeof(int));
		msg.msg_control = &ctl;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	CU_ASSERT(sendmsg(a, &msg, 0) == (ssize_t)len);
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), -VFK_E_DECODE);
	snprintf(expected, sizeof(expected), "receive frame: %s", why);
	SUITE_STR(err.msg, expected);
	SUITE_INT(n_fds, 0);
	SUITE_INT(count_fds(), before);
	down();
}

static void refuses_what_is_no_frame(void)
{
	struct frame_hdr good = { FRAME_MAGIC, 1, FRAME_CANCEL, sizeof(good), 0 }, h;

	refused("x", 1, 0, "shorter than its header");
	refused(&good, sizeof(good) - 1, 0, "shorter than its header");
	h = good;
	h.magic++;
	refused(&h, sizeof(h), 0, "wrong magic");
	h = good;
	h.len++;
	refused(&h, sizeof(h), 0, "wrong length");
	h = good;
	h.n_fds = 1;
	refused(&h, sizeof(h), 0, "wrong number of descriptors");
	refused(&good, sizeof(good), 2, "wrong number of descriptors");
}

static void refuses_lost_descriptors(void)
{
	struct frame_hdr h = { FRAME_MAGIC, 1, FRAME_RUN, sizeof(h), FRAME_MAX_FDS + 1 };

	refused(&h, sizeof(h), FRAME_MAX_FDS + 1, "descriptors were lost");
	refused(&h, sizeof(h), 8, "descriptors were lost");
}

/* Descriptors that do not fit the receiver's limit vanish without an error of recvmsg:
 * this must not be read as "none were sent". */
static void notices_its_own_limit(void)
{
	struct frame_hdr hdr = { .version = 1, .type = FRAME_RUN };
	struct rlimit old, low;

	up();
	SUITE_INT(frame_send(a, &hdr, sizeof(hdr), (int[]){ a }, 1, &err), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = (rlim_t)dup(0); /* the next free number is the limit */
	close((int)low.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &low);
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), -VFK_E_DECODE);
	setrlimit(RLIMIT_NOFILE, &old);
	SUITE_STR(err.msg, "receive frame: descriptors were lost");
	down();
}

static void refuses_what_does_not_fit(void)
{
	struct frame_hdr h = { FRAME_MAGIC, 1, FRAME_ANSWER, 100, 0 };
	char big[100] = "";

	up();
	memcpy(big, &h, sizeof(h));
	CU_ASSERT(send(a, big, sizeof(big), 0) == sizeof(big));
	SUITE_INT(frame_recv(b, buf, 50, fds, &n_fds, &err), -VFK_E_DECODE);
	SUITE_STR(err.msg, "receive frame: longer than allowed");
	down();
}

static void carries_the_largest_frame(void)
{
	static char big[FRAME_MAX];
	int size = 4 * FRAME_MAX;

	up();
	setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (size_t i = sizeof(struct frame_hdr); i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	SUITE_INT(frame_send(a, (struct frame_hdr *)(void *)big, sizeof(big), NULL, 0, &err),
		  0);
	SUITE_INT(frame_recv(b, buf, sizeof(buf), fds, &n_fds, &err), FRAME_MAX);
	CU_ASSERT(!memcmp(buf, big, sizeof(big)));
	down();
}

/* Both ends of one node may be of different builds: sizes and offsets are the protocol. */
static void has_fixed_layouts(void)
{
	SUITE_INT(sizeof(struct frame_hdr), 16);
	SUITE_INT(sizeof(struct frame_request), 72);
	SUITE_INT(offsetof(struct frame_request, nonce), 16);
	SUITE_INT(offsetof(struct frame_request, start_ns), 32);
	SUITE_INT(offsetof(struct frame_request, deadline_boot_ns), 40);
	SUITE_INT(offsetof(struct frame_request, netns_errno), 56);
	SUITE_INT(offsetof(struct frame_request, verb), 60);
	SUITE_INT(offsetof(struct frame_request, has_run), 63);
	SUITE_INT(offsetof(struct frame_request, run_id), 64);
	SUITE_INT(sizeof(struct frame_run), 288);
	SUITE_INT(offsetof(struct frame_run, type), 32);
	SUITE_INT(sizeof(struct frame_ran), 40);
	SUITE_INT(sizeof(struct frame_answer), 24);
	SUITE_INT(sizeof(struct frame_version_is), 24);
	SUITE_INT(sizeof(struct spool_hdr), 72);
	SUITE_INT(offsetof(struct spool_hdr, boot_id), 24);
	SUITE_INT(offsetof(struct spool_hdr, crc), 64);
}

/* The check value that is published with this CRC, and its neighbours. */
static void sums_as_zlib_does(void)
{
	uint32_t crc;

	SUITE_INT(frame_crc32(0, "", 0), 0);
	SUITE_INT(frame_crc32(0, "123456789", 9), 0xcbf43926);
	SUITE_INT(frame_crc32(0, "The quick brown fox jumps over the lazy dog", 43),
		  0x414fa339);
	SUITE_INT(frame_crc32(0, "\0\0\0\0", 4), 0x2144df1c);
	crc = frame_crc32(0, "1234", 4);
	SUITE_INT(frame_crc32(crc, "56789", 5), 0xcbf43926);
}

static void names_spool_entries(void)
{
	uint64_t key = spool_key("c1", "net1", "{}", 2);

	/* FNV-1a with 64 bits of "c1", NUL, "net1", NUL, "{}", computed apart. */
	SUITE_INT(key, UINT64_C(0x6c110f3d99b74e2b));
	CU_ASSERT(key != spool_key("c1n", "et1", "{}", 2));
	CU_ASSERT(key != spool_key("c1", "net2", "{}", 2));
	CU_ASSERT(key != spool_key("c1", "net1", "{ }", 3));
	SUITE_INT(spool_key("", "", "", 0), UINT64_C(0x08328807b4eb6fed));
}

VFK_SUITE(frame, { "carries a frame", carries_a_frame },
	  { "carries one to three descriptors, close-on-exec", carries_descriptors },
	  { "tells silence from the end", tells_silence_from_the_end },
	  { "says why it cannot send", says_why_it_cannot_send },
	  { "refuses what is no frame and closes what came with it",
	    refuses_what_is_no_frame },
	  { "refuses more descriptors than there is room for", refuses_lost_descriptors },
	  { "notices descriptors lost to its own limit", notices_its_own_limit },
	  { "refuses a frame that is longer than the buffer", refuses_what_does_not_fit },
	  { "carries the largest frame", carries_the_largest_frame },
	  { "has fixed layouts", has_fixed_layouts },
	  { "sums as zlib does", sums_as_zlib_does },
	  { "names spool entries by attachment and input", names_spool_entries })
