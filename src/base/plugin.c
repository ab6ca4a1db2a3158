/* SPDX-License-Identifier: Apache-2.0 */
#include "base/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* linux/close_range.h; its header is not there with musl-gcc. */
#define CLOSE_CLOEXEC (1u << 2)

bool plugin_find(const char *search, const char *type, char *out, size_t cap_bytes)
{
	size_t type_len = strlen(type);

	if (!type_len || strchr(type, '/'))
		return false;
	while (*search) {
		size_t dir_len = strcspn(search, ":");
		struct stat st;

		if (dir_len && dir_len + 1 + type_len < cap_bytes) {
			memcpy(out, search, dir_len);
			out[dir_len] = '/';
			memcpy(out + dir_len + 1, type, type_len + 1);
			if (stat(out, &st) == 0 && S_ISREG(st.st_mode))
				return true;
		}
		search += dir_len + (search[dir_len] == ':');
	}
	return false;
}

static bool roots_alone(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

bool plugin_trusted(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash || len >= sizeof(dir))
		return false;
	memcpy(dir, path, len);
	memcpy(dir + len, "/", len ? 1 : 2);
	dir[len ? len : 1] = '\0';
	return roots_alone(path) && roots_alone(dir);
}

/* What the child does between fork and exec: nothing but system calls. */
struct child {
	const char *path;
	char *const *envp;
	int in, out, keep, procs, report;
	pid_t parent;
};

/* Puts 'fd' on 'target', inherited, even where both are the same number. */
static bool put_on(int fd, int target)
{
	if (fd == target)
		return fcntl(fd, F_SETFD, 0) == 0;
	return dup2(fd, target) == target;
}

/* A file that is still written elsewhere can be executed a moment later. */
static void exec_patiently(const struct child *c)
{
	char *const argv[] = { (char *)c->path, NULL };
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	for (int tries = 0; tries < 20; tries++) {
		execve(c->path, argv, c->envp);
		if (errno != ETXTBSY)
			return;
		nanosleep(&pause, NULL);
	}
}

static _Noreturn void run_child(const struct child *c)
{
	sigset_t none;
	int failed;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL); /* ignored by us; that would be inherited */
	setpgid(0, 0);
	/* The parent may have ended before prctl: then nobody would end this one. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != c->parent ||
	    !put_on(c->in, STDIN_FILENO) || !put_on(c->out, STDOUT_FILENO) ||
	    (c->procs >= 0 && write(c->procs, "0", 1) != 1) ||
	    syscall(SYS_close_range, 3u, ~0u, CLOSE_CLOEXEC) < 0 ||
	    (c->keep >= 0 && fcntl(c->keep, F_SETFD, 0) < 0))
		failed = errno;
	else
		failed = (exec_patiently(c), errno);
	while (write(c->report, &failed, sizeof(failed)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* A duplicate above the standard descriptors, so that putting one in place never
 * overwrites another. */
static int dup_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static ssize_t read_report(int fd, int *failed)
{
	ssize_t n;

	do
		n = read(fd, failed, sizeof(*failed));
	while (n < 0 && errno == EINTR);
	return n;
}

static void reap_quietly(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int plugin_start(struct plugin_run *run, const char *path, int stdin_fd,
		 char *const envp[], int keep_fd, int procs_fd, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int in = -1;
	VFK_AUTO(fd_auto) int out = memfd_create("plugin stdout", MFD_CLOEXEC);
	VFK_AUTO(fd_auto) int high_out = -1;
	VFK_AUTO(fd_auto) int keep = -1;
	VFK_AUTO(fd_auto) int procs = -1;
	VFK_AUTO(fd_auto) int report = -1;
	struct child child = { .path = path, .envp = envp, .keep = -1, .parent = getpid() };
	int ends[2], failed = 0;
	pid_t pid;

	run->pidfd = -1;
	if (out < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "memfd for the output of %s",
				   path);
	in = dup_high(stdin_fd);
	high_out = dup_high(out);
	if (keep_fd >= 0)
		keep = dup_high(keep_fd);
	if (procs_fd >= 0)
		procs = dup_high(procs_fd);
	if (in < 0 || high_out < 0 || (keep_fd >= 0 && keep < 0) ||
	    (procs_fd >= 0 && procs < 0) || lseek(in, 0, SEEK_SET) < 0 ||
	    pipe2(ends, O_CLOEXEC) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "prepare %s", path);
	report = ends[0];
	child.in = in;
	child.out = high_out;
	child.keep = keep;
	child.procs = procs;
	child.report = ends[1];
	if (child.report < 3) {
		child.report = dup_high(ends[1]);
		close(ends[1]);
	}
	pid = child.report < 0 ? -1 : fork();
	if (pid == 0)
		run_child(&child);
	failed = errno;
	if (child.report >= 0)
		close(child.report);
	if (pid < 0)
		return vfk_err_set(err, VFK_E_SYS, failed, "fork for %s", path);
	failed = EIO;
	if (read_report(report, &failed) != 0) {
		reap_quietly(pid);
		return vfk_err_set(err, VFK_E_SYS, failed, "execute %s", path);
	}
	run->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (run->pidfd < 0) {
		failed = errno;
		kill(-pid, SIGKILL);
		reap_quietly(pid);
		return vfk_err_set(err, VFK_E_SYS, failed, "pidfd of %s", path);
	}
	run->pid = pid;
	run->out_fd = fd_steal(&out);
	return 0;
}

void plugin_kill(const struct plugin_run *run)
{
	kill(-run->pid, SIGKILL);
}

void plugin_reap(struct plugin_run *run, enum run_outcome *outcome, int *status)
{
	siginfo_t info = { 0 };
	int rc;

	/* First without reaping: as long as the leader is a zombie, its number (that of
	 * the group) belongs to nobody else. */
	do
		rc = waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOWAIT);
	while (rc < 0 && errno == EINTR);
	if (rc == 0) {
		kill(-run->pid, SIGKILL);
		reap_quietly(run->pid);
	}
	*outcome = info.si_code == CLD_EXITED ? RUN_EXITED : RUN_SIGNALLED;
	*status = info.si_status;
	close(run->pidfd);
	run->pidfd = -1;
}

/* Length of the name in "NAME=value", or 0 for what is no variable. */
static size_t name_len(const char *var)
{
	const char *eq = strchr(var, '=');

	return eq ? (size_t)(eq - var) : 0;
}

static bool same_name(const char *a, const char *b, size_t len)
{
	return !strncmp(a, b, len) && b[len] == '=';
}

static bool is_verb(const char *var)
{
	return same_name("CNI_COMMAND", var, strlen("CNI_COMMAND"));
}

/* The next whole string of the block, or NULL. */
static const char *next_var(const char *at, const char *end)
{
	return at < end && memchr(at, '\0', (size_t)(end - at)) ? at : NULL;
}

static bool in_block(const char *var, const char *block, const char *end)
{
	size_t len = name_len(var);
	const char *v;

	for (; len && (v = next_var(block, end)); block = v + strlen(v) + 1)
		if (same_name(var, v, len))
			return true;
	return false;
}

char **plugin_env(char *const base[], const char *over, size_t over_len, const char *verb)
{
	static const char key[] = "CNI_COMMAND=";
	const char *end = over ? over + over_len : NULL, *v;
	size_t n = 0, verb_len = strlen(verb);
	char **env, *text;

	for (size_t i = 0; base[i]; i++)
		n++;
	for (const char *at = over; (v = next_var(at, end)); at = v + strlen(v) + 1)
		n++;
	env = malloc((n + 2) * sizeof(*env) + sizeof(key) + verb_len);
	if (!env)
		return NULL;
	text = (char *)(env + n + 2);
	memcpy(text, key, sizeof(key) - 1);
	memcpy(text + sizeof(key) - 1, verb, verb_len + 1);
	n = 0;
	for (size_t i = 0; base[i]; i++)
		if (!is_verb(base[i]) && !in_block(base[i], over, end))
			env[n++] = base[i];
	for (const char *at = over; (v = next_var(at, end)); at = v + strlen(v) + 1)
		if (!is_verb(v))
			env[n++] = (char *)v;
	env[n++] = text;
	env[n] = NULL;
	return env;
}
