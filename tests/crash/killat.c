/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a call with all that it starts under ptrace and ends (SIGKILL) one process in front of
 * its Nth state-changing system call, or has that call fail.  A seccomp filter stops the
 * processes at the calls that count only, so that a run is nearly as fast as without.
 *
 *   killat [-k ROLE:N] [-e ERRNO] [-s SERVICE] [-a PROGRAM] [-i FILE] [-o FILE] [-g FILE]
 *          [-l FILE] [-q MS] [-c CALL] [-w WHAT] [-p] COMMAND...
 *   killat -n      prints the names of the calls
 *
 *   -k ROLE:N   which call; ROLE is client, loop, spawner, worker or plugin
 *   -e ERRNO    the call fails with this instead, and every system call counts (0: each
 *               one with an error that suits it)
 *   -s SERVICE  started first; the command runs when it says READY=1 or ends
 *   -a PROGRAM  started untraced when the service has ended or, where there is none, as
 *               soon as somebody was killed: what systemd, or an operator, would do
 *   -i FILE     standard input of the command
 *   -o FILE     standard output of the command
 *   -g FILE     standard error of all
 *   -l FILE     a line for every call that counts, with what it writes to or which netlink
 *               message it sends, and one at the end of the command
 *   -c CALL     only this one counts, and nothing of it is left out: "close", "recvmsg"
 *   -w WHAT     only what writes to this, or sends this netlink message, counts
 *   -q MS       how long nothing may happen before the call and before the engine is asked
 *               to end (150: an engine looks at its VFs 100 ms after discovery)
 *   -p          no tracing, for a trace by strace; whoever started us ends the engine
 *
 * Said on standard output, a line each: "killed ROLE N CALL [WHAT]" or "failed ROLE N CALL";
 * "call STATUS" (exit status, or 128 + signal, of the command); then, unless somebody was
 * killed, "count ROLE N" for each role when all have ended.  After a kill the others go on
 * until standard input ends; then they are killed, too. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

enum role { R_NONE, R_CLIENT, R_LOOP, R_SPAWNER, R_WORKER, R_PLUGIN, R_COUNT };

static const char *const role_names[R_COUNT] = { "none",    "client", "loop",
						 "spawner", "worker", "plugin" };

struct proc {
	pid_t pid; /* 0: free */
	enum role role;
	bool told;    /* whose child it is, is known */
	bool stopped; /* its first stop has come */
	bool waiting; /* stopped before it was told */
	/* The polls that it made since its last other call: a repeated one counts once. */
	unsigned n_polls;
	uint64_t polls[8];
};

static struct proc procs[512];
static unsigned counts[R_COUNT];
static enum role victim_role;
static unsigned victim_n;
static int fail_errno = -1;
static bool hit, plain;
static const char *service, *avenger, *in_path, *out_path, *log_path;
static pid_t service_pid, call_pid;
static bool call_over, service_ready, ending;
static int quiet_ms = 150, notify_fd = -1;
static const struct call *only;
static const char *only_on;
static FILE *list;
static int64_t since; /* nothing has happened */

static void die(const char *what)
{
	fprintf(stderr, "killat: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct proc *proc_find(pid_t pid)
{
	for (size_t i = 0; i < sizeof(procs) / sizeof(*procs); i++)
		if (procs[i].pid == pid)
			return &procs[i];
	return NULL;
}

static struct proc *proc_get(pid_t pid)
{
	struct proc *p = proc_find(pid);

	if (p)
		return p;
	p = proc_find(0);
	if (!p) {
		errno = ENFILE;
		die("processes");
	}
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	return p;
}

static unsigned n_procs(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(procs) / sizeof(*procs); i++)
		n += procs[i].pid != 0;
	return n;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what a child runs with --- */

static void install_filter(void)
{
	static struct sock_filter f[2 * CALLS_MAX + 4];
	struct sock_fprog prog = { .filter = f };
	unsigned n = 0;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	for (const struct call *c = only ? only : calls; c->name && fail_errno < 0; c++) {
		if (only && c != only)
			break;
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      (unsigned)c->nr, 0, 1);
		f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, fail_errno < 0 ?
								       SECCOMP_RET_ALLOW :
								       SECCOMP_RET_TRACE);
	prog.len = (unsigned short)n;
	/* Without NO_NEW_PRIVS: as it would be without us.  That takes root. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(126);
}

static void put_on(const char *path, int flags, int target)
{
	int fd = open(path, flags, 0644);

	if (fd < 0 || (fd != target && (dup2(fd, target) < 0 || close(fd) < 0)))
		_exit(126);
}

static pid_t start(char *const argv[], bool traced, bool is_call)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int go[2];
	sigset_t none;
	pid_t pid;
	char byte = 0;

	if (pipe2(go, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		put_on(is_call && in_path ? in_path : "/dev/null", O_RDONLY, 0);
		if (is_call && out_path)
			put_on(out_path, O_WRONLY | O_CREAT | O_TRUNC, 1);
		else
			put_on("/dev/null", O_WRONLY, 1);
		if (log_path)
			put_on(log_path, O_WRONLY | O_CREAT | O_APPEND, 2);
		if (read(go[0], &byte, 1) != 1)
			_exit(126);
		if (traced)
			install_filter();
		execv(argv[0], argv);
		_exit(127);
	}
	if (traced) {
		if (ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
			die("ptrace");
		proc_get(pid)->told = proc_get(pid)->stopped = true;
	}
	if (write(go[1], "g", 1) != 1)
		die("go");
	close(go[0]);
	close(go[1]);
	return pid;
}

/* --- stops --- */

static enum role role_of_exec(pid_t pid, enum role before)
{
	char path[64], exe[512];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return before;
	exe[n] = '\0';
	name = strrchr(exe, '/') + 1;
	if (!strncmp(name, "vfkeeper-engine", 15) || !strncmp(name, "vfkeeperd", 9))
		return R_LOOP;
	if (!strcmp(name, "vfkeeper") || !strcmp(name, "vfkeeper-replay") ||
	    !strcmp(name, "ib-sriov") || !strcmp(name, "sriov"))
		return R_CLIENT;
	return R_PLUGIN;
}

static enum role role_of_child(enum role parent)
{
	if (parent == R_LOOP)
		return R_SPAWNER;
	return parent == R_SPAWNER ? R_WORKER : parent;
}

static void resume(pid_t pid, int sig)
{
	if (ptrace(PTRACE_CONT, pid, 0, sig) < 0 && errno != ESRCH)
		die("continue");
}

/* true: it was made before, since the last call that is no poll. */
static bool repeated(struct proc *p, const struct call *c, uint64_t what)
{
	uint64_t key = ((uint64_t)c->nr << 48) ^ what;

	if (!(c->flags & CALL_POLL)) {
		p->n_polls = 0;
		return false;
	}
	for (unsigned i = 0; i < p->n_polls; i++)
		if (p->polls[i] == key)
			return true;
	if (p->n_polls < sizeof(p->polls) / sizeof(*p->polls))
		p->polls[p->n_polls++] = key;
	return false;
}

/* Not what cannot fail when its arguments are good, and not what the kernel has done even
 * where it says that it failed (close). */
static bool call_may_fail(long nr, unsigned long long arg1)
{
	static const long never[] = { SYS_exit,
				      SYS_exit_group,
				      SYS_rt_sigreturn,
				      SYS_getpid,
				      SYS_getppid,
				      SYS_gettid,
				      SYS_getuid,
				      SYS_geteuid,
				      SYS_getgid,
				      SYS_getegid,
				      SYS_alarm,
				      SYS_umask,
				      SYS_uname,
				      SYS_set_tid_address,
				      SYS_set_robust_list,
				      SYS_rseq,
				      SYS_rt_sigprocmask,
				      SYS_rt_sigaction,
				      SYS_arch_prctl,
				      SYS_execve,
				      SYS_close,
				      SYS_close_range,
				      SYS_munmap,
				      SYS_mprotect,
				      SYS_brk,
				      SYS_futex,
				      SYS_restart_syscall,
				      SYS_timerfd_settime,
				      SYS_getsockname,
				      SYS_sched_getaffinity };

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (never[i] == nr)
			return false;
	return nr != SYS_fcntl || arg1 == F_DUPFD_CLOEXEC || arg1 == F_OFD_SETLK ||
	       arg1 == F_SETLK || arg1 == F_ADD_SEALS;
}

static int call_errno(long nr)
{
	switch (nr) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_mkdir:
	case SYS_rename:
	case SYS_renameat2:
		return ENOSPC;
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_read:
	case SYS_pread64:
	case SYS_fstat:
	case SYS_newfstatat:
	case SYS_getdents64:
		return EIO;
	case SYS_open:
	case SYS_openat:
	case SYS_socket:
	case SYS_socketpair:
	case SYS_accept4:
	case SYS_dup:
	case SYS_pipe2:
	case SYS_memfd_create:
	case SYS_signalfd4:
	case SYS_eventfd2:
	case SYS_epoll_create1:
	case SYS_inotify_init1:
		return EMFILE;
	case SYS_fork:
	case SYS_clone:
	case SYS_clone3:
		return EAGAIN;
	case SYS_sendmsg:
	case SYS_sendto:
		return ENOBUFS;
	case SYS_flock:
	case SYS_fcntl:
		return ENOLCK;
	case SYS_poll:
	case SYS_epoll_wait:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_wait4:
		return EINTR;
	case SYS_readlink:
	case SYS_access:
	case SYS_statfs:
	case SYS_fstatfs:
	case SYS_unlink:
	case SYS_setns:
		return EIO;
	}
	return ENOMEM;
}

static bool peek(const struct proc *p, uintptr_t at, void *to, size_t size)
{
	struct iovec here = { to, size }, there = { (void *)at, size };

	return process_vm_readv(p->pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static void avenge(void)
{
	char *const argv[] = { (char *)(uintptr_t)avenger, NULL };

	if (avenger)
		start(argv, false, false);
}

/* The type of the netlink message that a sendmsg sends; 0: it sends none. */
static unsigned netlink_type(const struct proc *p, uintptr_t at)
{
	struct msghdr msg;
	struct iovec vec;
	struct nlmsghdr nl;
	uint16_t family;

	if (!peek(p, at, &msg, sizeof(msg)) ||
	    !peek(p, (uintptr_t)msg.msg_name, &family, sizeof(family)) ||
	    family != AF_NETLINK || !peek(p, (uintptr_t)msg.msg_iov, &vec, sizeof(vec)) ||
	    !peek(p, (uintptr_t)vec.iov_base, &nl, sizeof(nl)))
		return 0;
	return nl.nlmsg_type;
}

/* Asks, and changes nothing; or a netlink socket gets its address. */
static bool is_query(const struct proc *p, const struct call *c,
		     const struct user_regs_struct *regs)
{
	uint16_t family = AF_UNSPEC;

	if (c->nr == SYS_bind)
		return peek(p, regs->rsi, &family, sizeof(family)) && family == AF_NETLINK;
	return c->nr == SYS_sendmsg && netlink_asks(netlink_type(p, regs->rsi));
}

/* " WHAT": the file that is written to, or the type of a netlink message. */
static void on_what(const struct proc *p, const struct call *c,
		    const struct user_regs_struct *regs, char *text, size_t size)
{
	char path[64], name[200];
	unsigned type;
	ssize_t n;

	text[0] = '\0';
	if (c && (c->nr == SYS_write || c->nr == SYS_pwrite64)) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)p->pid, (int)regs->rdi);
		n = readlink(path, name, sizeof(name) - 1);
		if (n > 0 && name[0] == '/')
			snprintf(text, size, " %.*s", (int)n, name);
	} else if (c && c->nr == SYS_sendmsg) {
		type = netlink_type(p, regs->rsi);
		if (type)
			snprintf(text, size, " netlink:%#x", type);
	}
}

/* Returns true if the process is to be left alone (it was killed). */
static bool on_call(struct proc *p)
{
	struct user_regs_struct regs;
	const struct call *c;
	char name[24], what[256];

	if (ptrace(PTRACE_GETREGS, p->pid, 0, &regs) < 0)
		return false; /* killed by somebody else meanwhile */
	c = only ? only : call_find((long)regs.orig_rax);
	if (fail_errno < 0 && !only &&
	    (!c || !call_counts(c, regs.rdi, regs.rsi, regs.rdx, regs.r8) ||
	     is_query(p, c, &regs) || repeated(p, c, c->flags & CALL_FD ? regs.rdi : 0)))
		return false;
	if (fail_errno >= 0 && !call_may_fail((long)regs.orig_rax, regs.rsi))
		return false;
	snprintf(name, sizeof(name), c ? "%s" : "%.0s%ld", c ? c->name : "",
		 (long)regs.orig_rax);
	on_what(p, c, &regs, what, sizeof(what));
	if (only_on && (!what[0] || strcmp(what + 1, only_on) != 0))
		return false;
	counts[p->role]++;
	if (list)
		fprintf(list, "%s %u %s %d%s\n", role_names[p->role], counts[p->role],
			name, (int)p->pid, what);
	if (hit || p->role != victim_role || counts[p->role] != victim_n)
		return false;
	hit = true;
	if (fail_errno >= 0) {
		int e = fail_errno ? fail_errno : call_errno((long)regs.orig_rax);

		regs.orig_rax = (unsigned long long)-1;
		regs.rax = (unsigned long long)-(long)e;
		if (ptrace(PTRACE_SETREGS, p->pid, 0, &regs) < 0)
			die("set registers");
		say("failed %s %u %s %d\n", role_names[p->role], victim_n, name, e);
		return false;
	}
	if (kill(p->pid, SIGKILL) < 0)
		die("kill");
	say("killed %s %u %s%s\n", role_names[p->role], victim_n, name, what);
	if (!service || !service_pid)
		avenge();
	return true;
}

static void on_fork(pid_t parent, enum role role)
{
	unsigned long child = 0;
	struct proc *p;

	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) < 0 || !child)
		return;
	p = proc_get((pid_t)child);
	p->role = role;
	p->told = true;
	if (p->waiting) {
		p->waiting = false;
		resume(p->pid, 0);
	}
}

static void on_stop(struct proc *p, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		if (!on_call(p))
			resume(p->pid, 0);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		on_fork(p->pid, role_of_child(p->role));
		resume(p->pid, 0);
		return;
	case PTRACE_EVENT_CLONE:
		on_fork(p->pid, p->role);
		resume(p->pid, 0);
		return;
	case PTRACE_EVENT_EXEC:
		p->role = role_of_exec(p->pid, p->role);
		p->n_polls = 0;
		resume(p->pid, 0);
		return;
	case PTRACE_EVENT_STOP:
		if (!p->stopped) {
			p->stopped = true;
			p->waiting = !p->told;
			if (p->told)
				resume(p->pid, 0);
		} else if (sig == SIGTRAP)
			resume(p->pid, 0);
		else if (ptrace(PTRACE_LISTEN, p->pid, 0, 0) < 0 && errno != ESRCH)
			die("listen");
		return;
	}
	resume(p->pid, sig);
}

static void on_end(pid_t pid, int status)
{
	struct proc *p = proc_find(pid);

	if (p)
		p->pid = 0;
	if (pid == call_pid) {
		call_over = true;
		if (list)
			fprintf(list, "over\n");
		say("call %d\n",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	if (pid == service_pid) {
		service_pid = 0;
		if (hit)
			avenge();
	}
	if (!WIFSIGNALED(status))
		return;
	/* It may have died before it told of a child. */
	for (size_t i = 0; i < sizeof(procs) / sizeof(*procs); i++) {
		if (!procs[i].pid || !procs[i].waiting)
			continue;
		procs[i].waiting = false;
		procs[i].told = true;
		resume(procs[i].pid, 0);
	}
}

static bool reap(void)
{
	bool any = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		any = true;
		if (WIFSTOPPED(status))
			on_stop(proc_get(pid), status);
		else
			on_end(pid, status);
	}
	return any;
}

/* --- the run --- */

static int listen_for_ready(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "killat-%d",
			   (int)getpid());

	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) < 0)
		die("socket for READY=1");
	addr.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	return fd;
}

static void on_notify(void)
{
	char text[128];
	ssize_t n;

	while ((n = recv(notify_fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		if (strstr(text, "READY=1")) {
			service_ready = true;
			since = now_ms();
		}
	}
}

/* The engine is asked to end as a service manager would. */
static void end_engine(void)
{
	ending = true;
	for (size_t i = 0; i < sizeof(procs) / sizeof(*procs); i++)
		if (procs[i].pid && procs[i].role == R_LOOP)
			kill(procs[i].pid, SIGTERM);
}

static bool run_over(void)
{
	if (!call_over || hit)
		return false;
	return plain ? !service_pid : n_procs() == 0;
}

/* What is due when nothing has happened for a while: the call, when the service has come to
 * rest; the end of the engine, after the call. */
static void when_quiet(char **command)
{
	bool quiet = now_ms() - since >= quiet_ms;

	if (!call_pid && (!service_pid || (service_ready && quiet)))
		call_pid = start(command, !plain, true);
	else if (call_over && !hit && !ending && !plain && quiet)
		end_engine();
}

static void run(char **command, int sigchld_fd)
{
	since = now_ms();
	for (;;) {
		struct pollfd p[3] = { { .fd = sigchld_fd, .events = POLLIN },
				       { .fd = notify_fd, .events = POLLIN },
				       { .fd = hit ? 0 : -1, .events = POLLIN } };
		bool waiting = !call_pid || (call_over && !hit && !ending);
		struct signalfd_siginfo si;

		if (reap() || (call_pid && !call_over))
			since = now_ms();
		when_quiet(command);
		if (run_over())
			return;
		if (poll(p, 3, waiting ? 5 : -1) < 0 && errno != EINTR)
			die("poll");
		while (read(sigchld_fd, &si, sizeof(si)) > 0)
			;
		if (p[1].revents)
			on_notify();
		/* Told to end, or who would tell has ended: EXITKILL does the rest. */
		if (p[2].revents)
			exit(0);
	}
}

static void usage(void)
{
	fputs("usage: killat [-k ROLE:N] [-e ERRNO] [-s SERVICE] [-a PROGRAM] [-i FILE]\n"
	      "              [-o FILE] [-g FILE] [-l FILE] [-q MS] [-c CALL] [-w WHAT] [-p]\n"
	      "              COMMAND...\n",
	      stderr);
	exit(2);
}

static void victim(const char *text)
{
	const char *colon = strchr(text, ':');

	for (int r = 1; r < R_COUNT; r++)
		if (colon && !strncmp(text, role_names[r], (size_t)(colon - text)) &&
		    !role_names[r][colon - text])
			victim_role = (enum role)r;
	victim_n = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
	if (victim_role == R_NONE || !victim_n)
		usage();
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+k:e:s:a:i:o:g:l:q:c:w:pn")) >= 0) {
		switch (c) {
		case 'k':
			victim(optarg);
			break;
		case 'e':
			fail_errno = atoi(optarg);
			break;
		case 's':
			service = optarg;
			break;
		case 'a':
			avenger = optarg;
			break;
		case 'i':
			in_path = optarg;
			break;
		case 'o':
			out_path = optarg;
			break;
		case 'g':
			log_path = optarg;
			break;
		case 'l':
			list = fopen(optarg, "we");
			if (!list)
				die(optarg);
			break;
		case 'q':
			quiet_ms = atoi(optarg);
			break;
		case 'c':
			only = call_named(optarg);
			if (!only)
				usage();
			break;
		case 'w':
			only_on = optarg;
			break;
		case 'p':
			plain = true;
			break;
		case 'n':
			for (const struct call *call = calls; call->name; call++)
				printf("%s\n", call->name);
			exit(0);
		default:
			usage();
		}
	}
	if (optind >= argc)
		usage();
}

int main(int argc, char **argv)
{
	sigset_t chld;
	int fd;

	options(argc, argv);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd");
	if (service) {
		char *const service_argv[] = { (char *)(uintptr_t)service, NULL };

		notify_fd = listen_for_ready();
		service_pid = start(service_argv, !plain, false);
	}
	run(argv + optind, fd);
	for (int r = 1; r < R_COUNT && !plain; r++)
		say("count %s %u\n", role_names[r], counts[r]);
	return 0;
}
