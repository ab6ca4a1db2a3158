/* SPDX-License-Identifier: Apache-2.0 */
/* The least that an engine can cost: answers every packet on a SOCK_SEQPACKET socket with the
 * packet itself and closes.  echo-server SOCKET.  Links nothing of vfkeeper. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buf[64 * 1024];

static void serve(int epoll, int fd)
{
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) < 0)
		perror("echo-server: send");
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct epoll_event ev = { .events = EPOLLIN }, evs[64];
	int listener, epoll;

	if (argc != 2 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	memcpy(addr.sun_path, argv[1], strlen(argv[1]));
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	ev.data.fd = listener;
	if (listener < 0 || epoll < 0 ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(listener, 4096) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) < 0) {
		perror("echo-server");
		return 1;
	}
	for (;;) {
		int n = epoll_wait(epoll, evs, 64, -1);

		for (int i = 0; i < n; i++) {
			if (evs[i].data.fd != listener) {
				serve(epoll, evs[i].data.fd);
				continue;
			}
			ev.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (ev.data.fd >= 0 &&
			    epoll_ctl(epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) < 0)
				close(ev.data.fd);
		}
	}
}
