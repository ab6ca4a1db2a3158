/* SPDX-License-Identifier: Apache-2.0 */
/* Sends hostile packets to a SOCK_SEQPACKET socket.
 *
 *   packet SOCKET N_FDS COUNT [< BYTES]
 *
 * Connects COUNT times, sends what stdin holds as one packet with N_FDS descriptors (of an
 * empty memfd) each time, and waits at most 10 s for the other side.  Prints one line for the
 * last connection: "eof", "reset", "answer EXIT TEXT" (an ANSWER frame), "N bytes", or
 * "silence".  COUNT 0 connects 300 times, sends nothing and keeps all open for one second. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_BYTES (192 * 1024)
#define MAX_FDS 16

static char bytes[MAX_BYTES], answer[MAX_BYTES];

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		exit(2);
	memcpy(addr.sun_path, path, strlen(path));
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		printf("connect: %s\n", strerror(errno));
		exit(1);
	}
	return sock;
}

static void send_packet(int sock, size_t len, int n_fds)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = { 0 };
	struct iovec iov = { bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[MAX_FDS];

	if (n_fds > 0) {
		struct cmsghdr *c;

		for (int i = 0; i < n_fds; i++)
			fds[i] = memfd_create("empty", MFD_CLOEXEC);
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		printf("send: %s; ", strerror(errno));
	for (int i = 0; i < n_fds; i++)
		close(fds[i]);
}

static void say_answer(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	uint16_t type;
	int32_t exit_code;
	ssize_t n;

	if (poll(&p, 1, 10000) <= 0) {
		puts("silence");
		return;
	}
	n = recv(sock, answer, sizeof(answer) - 1, 0);
	if (n < 0) {
		puts(errno == ECONNRESET ? "reset" : strerror(errno));
		return;
	}
	if (n == 0) {
		puts("eof");
		return;
	}
	/* {u32 magic, u16 version, u16 type, u32 len, u32 n_fds, i32 exit, u32 text_len} */
	memcpy(&type, answer + 6, sizeof(type));
	memcpy(&exit_code, answer + 16, sizeof(exit_code));
	if (n >= 24 && type == 5)
		printf("answer %d %s\n", exit_code, answer + 24);
	else
		printf("%zd bytes\n", n);
}

int main(int argc, char **argv)
{
	size_t len;
	int n_fds, count, sock = -1;

	if (argc != 4)
		return 2;
	n_fds = atoi(argv[2]);
	count = atoi(argv[3]);
	if (n_fds < 0 || n_fds > MAX_FDS)
		return 2;
	if (count == 0) {
		for (int i = 0; i < 300; i++)
			(void)dial(argv[1]);
		sleep(1);
		puts("held");
		return 0;
	}
	len = fread(bytes, 1, sizeof(bytes), stdin);
	for (int i = 0; i < count; i++) {
		if (sock >= 0)
			close(sock);
		sock = dial(argv[1]);
		send_packet(sock, len, n_fds);
	}
	say_answer(sock);
	return 0;
}
