/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/port_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/verbs.h"

#define MAX_PFS 64

struct watched {
	pci_addr_t pf;
	struct verbs verbs;
	bool told; /* that it cannot be opened */
};

struct port_watch {
	int sock;
	struct watched pfs[MAX_PFS];
	unsigned n;
};

static struct watched *place(struct port_watch *w, pci_addr_t pf)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->pfs[i].pf == pf)
			return &w->pfs[i];
	if (w->n == MAX_PFS)
		return NULL;
	w->pfs[w->n] = (struct watched){ .pf = pf, .verbs = { -1, -1 } };
	return &w->pfs[w->n++];
}

static void listen_to(struct port_watch *w, const struct port_request *rq)
{
	struct watched *p = place(w, rq->pf);
	struct vfk_err err = { 0 };
	char addr[PCI_STRLEN];
	int rc;

	if (!p || p->verbs.events >= 0)
		return;
	rc = verbs_open(&rq->env, rq->pf, &p->verbs, &err);
	if (rc < 0 && rc != -VFK_E_GONE && !p->told)
		log_warn("verbs", "pf=%s: %s; its ports are asked from time to time only",
			 pci_format(rq->pf, addr), err.msg);
	p->told = rc < 0 && rc != -VFK_E_GONE;
}

static void tell(const struct port_watch *w, const struct watched *p, bool fatal)
{
	const struct port_message msg = { .pf = p->pf, .fatal = fatal };

	if (send(w->sock, &msg, sizeof(msg), MSG_NOSIGNAL) < 0)
		_exit(0); /* there is no engine any more */
}

/* All events that are there, told as one. */
static void read_events(struct port_watch *w, struct watched *p)
{
	bool port = false, fatal = false, end = false;

	for (unsigned i = 0; i < 256 && !end; i++) {
		unsigned number;
		enum verbs_event ev = verbs_read(&p->verbs, &number);

		if (ev == VERBS_NONE)
			break;
		port |= ev == VERBS_PORT;
		fatal |= ev == VERBS_FATAL;
		end = ev == VERBS_FATAL || ev == VERBS_END;
	}
	/* An open context keeps a device that goes from being gone. */
	if (end)
		verbs_close(&p->verbs);
	if (fatal || port || end)
		tell(w, p, fatal);
}

static _Noreturn void watch(int sock)
{
	static struct port_watch w;

	w.sock = sock;
	for (;;) {
		struct pollfd fds[MAX_PFS + 1] = { { .fd = sock, .events = POLLIN } };
		unsigned n = w.n;

		for (unsigned i = 0; i < n; i++) /* one that is closed is ignored */
			fds[i + 1] = (struct pollfd){ w.pfs[i].verbs.events, POLLIN, 0 };
		if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
			_exit(1);
		for (unsigned i = 0; i < n; i++)
			if (fds[i + 1].revents)
				read_events(&w, &w.pfs[i]);
		if (fds[0].revents) {
			struct port_request rq;
			ssize_t len = recv(sock, &rq, sizeof(rq), 0);

			if (len == (ssize_t)sizeof(rq))
				listen_to(&w, &rq);
			else if (len >= 0 || errno != EINTR)
				_exit(0);
		}
	}
}

int port_watch_start(int *fd, struct vfk_err *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "socket of the port watcher");
	pid = fork();
	if (pid < 0) {
		vfk_err_set(err, VFK_E_SYS, errno, "fork the port watcher");
		close(pair[0]);
		close(pair[1]);
		return -VFK_E_SYS;
	}
	if (pid == 0) {
		/* Nothing of the starter's, above all not its lock (R2). */
		if (dup2(pair[1], 3) < 0 || close_range(4, ~0u, 0) < 0)
			_exit(1);
		signal(SIGTERM, SIG_IGN); /* of the service's group: it ends with the engine */
		signal(SIGINT, SIG_IGN);
		prctl(PR_SET_NAME, "vfk-ports");
		watch(3);
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*fd = pair[0];
	return 0;
}
