/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/spawner.h"

#define WORKER_WAIT_NS NS_PER_S

/* Descriptors of the two kinds of process, beside stderr (0 and 1 lead nowhere). */
#define WORKER_SOCK 3
#define CONTROL_SOCK 3
#define LIFE_SOCK 4

enum spawn_op { SPAWN_WORKER = 1, SPAWN_KILL };

struct spawn_msg {
	uint32_t op; /* enum spawn_op */
	uint32_t id; /* of a SPAWN_WORKER: the reply repeats it */
	int32_t pid; /* reply, SPAWN_KILL */
	int32_t sys; /* reply: errno of what failed, 0 = a socket comes with it */
};

struct spawner {
	int control; /* requests and replies */
	int life;    /* never carries data: readable means that the spawner ended */
	pid_t pid;
	uint32_t next_id;
};

/* --- messages ------------------------------------------------------------------- */

static ssize_t send_fds(int sock, const void *buf, size_t len, const int *fds,
			unsigned n_fds)
{
	union {
		char buf[CMSG_SPACE(JOB_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} ctl = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds > JOB_MAX_FDS) {
		errno = EINVAL;
		return -1;
	}
	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = ctl.buf;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

static void take_fds(struct msghdr *msg, int *fds, unsigned *n_fds)
{
	*n_fds = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
	}
}

static void close_fds(const int *fds, unsigned n_fds)
{
	while (n_fds > 0)
		close(fds[--n_fds]);
}

/* A message that does not fit, or whose descriptors do not, is EMSGSIZE: nothing of it is
 * kept. */
static ssize_t recv_fds(int sock, void *buf, size_t cap, int fds[JOB_MAX_FDS],
			unsigned *n_fds)
{
	union {
		char buf[CMSG_SPACE(JOB_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct iovec iov = { .iov_base = buf, .iov_len = cap };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return n;
	take_fds(&msg, fds, n_fds);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_fds(fds, *n_fds);
		*n_fds = 0;
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

int worker_send(int sock, const void *buf, size_t len_bytes, const int *fds,
		unsigned n_fds, struct vfk_err *err)
{
	if (len_bytes > JOB_MAX || !len_bytes)
		return vfk_err_set(err, VFK_E_SYS, EMSGSIZE, "send a job of %zu bytes",
				   len_bytes);
	if (send_fds(sock, buf, len_bytes, fds, n_fds) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "send a job");
	return 0;
}

ssize_t worker_recv(int sock, void *buf, size_t cap_bytes, struct vfk_err *err)
{
	int fds[JOB_MAX_FDS];
	unsigned n_fds;
	ssize_t n = recv_fds(sock, buf, cap_bytes, fds, &n_fds);

	close_fds(fds, n_fds); /* a result brings none */
	/* A worker killed with a job unread resets its end. */
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "receive a result");
	return n;
}

/* --- the processes -------------------------------------------------------------- */

/* A descriptor that nothing can be read from or written to, also in a root without /dev. */
static int nowhere(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0) {
		fd = memfd_create("nowhere", MFD_ALLOW_SEALING);
		if (fd >= 0)
			fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE);
	}
	return fd;
}

/* Keeps stderr and 'keep', which become descriptors 3, 4, ...  Never fails half: a process
 * that cannot be set up ends. */
static void keep_only(const int *keep, unsigned n_keep)
{
	int nil = nowhere();
	int high[2];

	/* First out of the way of the places that are filled next. */
	for (unsigned i = 0; i < n_keep; i++) {
		high[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			_exit(1);
	}
	if (nil < 0 || dup2(nil, STDIN_FILENO) < 0 || dup2(nil, STDOUT_FILENO) < 0)
		_exit(1);
	if (fcntl(STDERR_FILENO, F_GETFD) < 0 && dup2(nil, STDERR_FILENO) < 0)
		_exit(1);
	for (unsigned i = 0; i < n_keep; i++)
		if (dup3(high[i], WORKER_SOCK + (int)i, O_CLOEXEC) < 0)
			_exit(1);
	if (close_range(WORKER_SOCK + n_keep, ~0u, 0))
		_exit(1);
}

/* The service manager, or a terminal, may signal the whole group: a step must not be cut,
 * and the engine needs its spawner until it has let go.  Blocked rather than ignored, so
 * that a plugin, which starts with an empty mask, has them as usual.  A lost stderr must
 * not end a step either. */
static void reset_signals(void)
{
	static const int later[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t mask;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL); /* SIGKILL, SIGSTOP and glibc's own say no */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(later); i++)
		sigaddset(&mask, later[i]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void worker_main(int sock, worker_fn fn) __attribute__((noreturn));
static void worker_main(int sock, worker_fn fn)
{
	/* Touched only as far as messages reach: a page or two as a rule. */
	static _Alignas(16) char job[JOB_MAX], result[JOB_MAX];

	prctl(PR_SET_NAME, "vfk-worker");
	reset_signals();
	keep_only(&sock, 1);
	for (;;) {
		int fds[JOB_MAX_FDS];
		unsigned n_fds;
		ssize_t n = recv_fds(WORKER_SOCK, job, sizeof(job), fds, &n_fds);
		size_t len;

		if (n <= 0)
			_exit(n == 0 || errno == ECONNRESET ? 0 : 1);
		len = fn(job, (size_t)n, fds, n_fds, result);
		if (!len || len > sizeof(result))
			_exit(1); /* an empty message would read as end of file */
		/* Before the answer: who reads it may look at the byte lock at once. */
		close_fds(fds, n_fds);
		if (send_fds(WORKER_SOCK, result, len, NULL, 0) < 0)
			_exit(errno == EPIPE || errno == ECONNRESET ? 0 : 1);
	}
}

/* Forks a worker; its other end goes to the loop with the reply. */
static void spawn_worker(struct spawn_msg *m, worker_fn fn)
{
	int pair[2];
	int bytes = 2 * JOB_MAX;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		m->sys = errno;
		send_fds(CONTROL_SOCK, m, sizeof(*m), NULL, 0);
		return;
	}
	/* A whole message has to fit, however small the system's default is. */
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	pid = fork();
	if (pid == 0)
		worker_main(pair[1], fn);
	m->pid = pid;
	m->sys = pid < 0 ? errno : 0;
	/* O_NONBLOCK belongs to the description: only the loop's end has it. */
	fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK);
	send_fds(CONTROL_SOCK, m, sizeof(*m), pair, pid < 0 ? 0 : 1);
	close_fds(pair, 2);
}

/* Only a child of ours, and not yet reaped: its number cannot belong to another process. */
static void kill_worker(pid_t pid)
{
	siginfo_t si;

	if (pid > 0 && !waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG))
		kill(pid, SIGKILL);
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void spawner_main(int control, int life, worker_fn fn) __attribute__((noreturn));
static void spawner_main(int control, int life, worker_fn fn)
{
	struct pollfd p[2];
	sigset_t chld;

	prctl(PR_SET_NAME, "vfk-spawner");
	reset_signals();
	keep_only((int[]){ control, life }, 2);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	p[0] = (struct pollfd){ .fd = CONTROL_SOCK, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK),
				.events = POLLIN };
	if (p[1].fd < 0)
		_exit(1);
	for (;;) {
		struct signalfd_siginfo si;
		struct spawn_msg m;
		int fds[JOB_MAX_FDS];
		unsigned n_fds;
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		while (read(p[1].fd, &si, sizeof(si)) > 0)
			reap_all();
		if (!p[0].revents)
			continue;
		n = recv_fds(CONTROL_SOCK, &m, sizeof(m), fds, &n_fds);
		close_fds(fds, n_fds);
		if (n == 0)
			break;
		/* Deaf to a loop that lives: it has to see that, and end (R7). */
		if (n != sizeof(m))
			_exit(1);
		if (m.op == SPAWN_WORKER)
			spawn_worker(&m, fn);
		else if (m.op == SPAWN_KILL)
			kill_worker(m.pid);
	}
	/* The loop is gone: idle workers see it too, a busy one ends after its step. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	_exit(0);
}

/* --- the loop's side ------------------------------------------------------------ */

/* A program may be started with standard descriptors closed; a socket in such a place
 * would be taken for stderr and stay open in every worker. */
static int fill_standard(void)
{
	int fd;

	do
		fd = nowhere();
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int spawner_start(struct spawner **out, worker_fn fn, struct vfk_err *err)
{
	struct spawner *s = calloc(1, sizeof(*s));
	int control[2] = { -1, -1 }, life[2] = { -1, -1 };
	int sys = ENOMEM;

	if (!s)
		goto fail;
	if (fill_standard() ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life)) {
		sys = errno;
		goto fail;
	}
	s->pid = fork();
	if (s->pid < 0) {
		sys = errno;
		goto fail;
	}
	if (s->pid == 0)
		spawner_main(control[1], life[1], fn);
	close(control[1]);
	close(life[1]);
	s->control = control[0];
	s->life = life[0];
	*out = s;
	return 0;
fail:
	for (int i = 0; i < 2; i++) {
		if (control[i] >= 0)
			close(control[i]);
		if (life[i] >= 0)
			close(life[i]);
	}
	free(s);
	return vfk_err_set(err, VFK_E_SYS, sys, "start the spawner");
}

int spawner_fd(const struct spawner *s)
{
	return s->life;
}

/* The reply to 'id'; an older one belongs to a request that had timed out, and its worker
 * ends because its socket is closed here. */
static int await_reply(struct spawner *s, uint32_t id, struct spawn_msg *m, int *sock,
		       struct vfk_err *err)
{
	int64_t until = clock_boot_ns() + WORKER_WAIT_NS;

	for (;;) {
		struct pollfd p = { .fd = s->control, .events = POLLIN };
		int rc = poll(&p, 1, clock_left_ms(until));
		int fds[JOB_MAX_FDS];
		unsigned n_fds;
		ssize_t n;

		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "wait for the spawner");
		if (rc == 0)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "the spawner made no worker within 1 s");
		n = recv_fds(s->control, m, sizeof(*m), fds, &n_fds);
		if (n == 0)
			return vfk_err_set(err, VFK_E_SYS, EPIPE, "the spawner ended");
		if (n < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "hear from the spawner");
		if (n == sizeof(*m) && m->id == id) {
			if (n_fds == 1)
				*sock = fds[0];
			else
				close_fds(fds, n_fds);
			if (n_fds != 1 && !m->sys)
				m->sys = EPROTO;
			return 0;
		}
		close_fds(fds, n_fds);
	}
}

int spawner_worker(struct spawner *s, int *sock, pid_t *pid, struct vfk_err *err)
{
	struct spawn_msg m = { .op = SPAWN_WORKER, .id = ++s->next_id };
	VFK_AUTO(fd_auto) int got = -1;
	int rc;

	if (send_fds(s->control, &m, sizeof(m), NULL, 0) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "ask the spawner for a worker");
	rc = await_reply(s, s->next_id, &m, &got, err);
	if (rc < 0)
		return rc;
	if (m.sys)
		return vfk_err_set(err, VFK_E_SYS, m.sys,
				   "the spawner cannot make a worker");
	*sock = fd_steal(&got);
	*pid = m.pid;
	return 0;
}

int spawner_kill(struct spawner *s, pid_t pid, struct vfk_err *err)
{
	struct spawn_msg m = { .op = SPAWN_KILL, .pid = pid };

	if (send_fds(s->control, &m, sizeof(m), NULL, 0) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno,
				   "ask the spawner to end worker %d", (int)pid);
	return 0;
}

void spawner_free(struct spawner *s)
{
	if (!s)
		return;
	close(s->control);
	close(s->life);
	waitpid(s->pid, NULL, WNOHANG); /* no zombie where it was ended already */
	free(s);
}
