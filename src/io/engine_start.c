/* SPDX-License-Identifier: Apache-2.0 */
#include "io/engine_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"

#ifndef VFK_ENGINE_PATH
#define VFK_ENGINE_PATH "/opt/cni/bin/vfkeeper-engine"
#endif

#define ENGINE_NAME "vfkeeper-engine"
#define START_FD 3
#define READY_FD 4
#define DEATHS_MAX 5 /* engines that ended without a word, then we give up */

/* --- the child --- */

/* "<directory of this program>/vfkeeper-engine", absolute, if it can be executed. */
static bool engine_beside(char *out, size_t cap_bytes)
{
	ssize_t len = readlink("/proc/self/exe", out, cap_bytes - 1);
	const char *execfn = (const char *)getauxval(AT_EXECFN);
	char *slash;

	if (len <= 0) {
		/* No /proc: an absolute AT_EXECFN says the same. */
		if (!execfn || execfn[0] != '/' || strlen(execfn) >= cap_bytes)
			return false;
		len = (ssize_t)strlen(execfn);
		memcpy(out, execfn, (size_t)len);
	}
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (!slash || (size_t)(slash + 1 - out) + sizeof(ENGINE_NAME) > cap_bytes)
		return false;
	memcpy(slash + 1, ENGINE_NAME, sizeof(ENGINE_NAME));
	return access(out, X_OK) == 0;
}

/* Best effort: an engine in the caller's cgroup would live by its limits and end with it. */
static void own_cgroup(void)
{
	const char *root = getenv("VFKEEPER_ROOT");
	char dir[VFK_PATH_MAX], procs[VFK_PATH_MAX + 16];
	int fd;

	if (snprintf(dir, sizeof(dir), "%s/sys/fs/cgroup/" ENGINE_NAME,
		     root ? root : "") >= (int)sizeof(dir))
		return;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", dir);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1) {
		/* Stays where it is: allowed. */
	}
	close(fd);
}

/* The engine serves many: of an administrator's shell it keeps only this. */
static char **engine_environ(void)
{
	static char *kept[64];
	size_t n = 0;

	for (char **v = environ; *v && n < VFK_ARRAY_SIZE(kept) - 1; v++) {
		if (!strncmp(*v, "VFKEEPER_", 9) || !strncmp(*v, "PATH=", 5))
			kept[n++] = *v;
	}
	return kept;
}

static bool place_fds(int lock_fd, int ready_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		null_fd = memfd_create("null", MFD_CLOEXEC);
	null_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 10);
	lock_fd = fcntl(lock_fd, F_DUPFD_CLOEXEC, 10);
	ready_fd = fcntl(ready_fd, F_DUPFD_CLOEXEC, 10);
	if (null_fd < 0 || lock_fd < 0 || ready_fd < 0)
		return false;
	return dup2(null_fd, 0) == 0 && dup2(null_fd, 1) == 1 && dup2(null_fd, 2) == 2 &&
	       dup2(lock_fd, START_FD) == START_FD &&
	       dup2(ready_fd, READY_FD) == READY_FD &&
	       syscall(SYS_close_range, READY_FD + 1, ~0u, 0) == 0;
}

static _Noreturn void become_engine(int lock_fd, int ready_fd)
{
	static char beside[PATH_MAX];
	char *argv[] = { ENGINE_NAME, "--start-fd", "3", "--ready-fd", "4", NULL };
	const char *path = engine_beside(beside, sizeof(beside)) ? beside : VFK_ENGINE_PATH;
	char text[PATH_MAX + 64];
	sigset_t none;
	int len;

	setsid();
	/* Nobody has to reap it: it belongs to init from here on. */
	if (fork() != 0)
		_exit(0);
	own_cgroup();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (!place_fds(lock_fd, ready_fd))
		_exit(127);
	if (chdir("/") == 0)
		execve(path, argv, engine_environ());
	len = snprintf(text, sizeof(text), "execute %s: %s", path, vfk_errno_name(errno));
	if (write(READY_FD, text, (size_t)len) != len)
		_exit(126);
	_exit(127);
}

/* --- the starter --- */

/* 1: held by '*fd'; 0: somebody else holds it. */
static int start_lock(int *fd, struct vfk_err *err)
{
	const char *path = vfk_path(PATH_START);
	int rc;

	if (*fd < 0) {
		rc = paths_make(err);
		if (rc < 0)
			return rc;
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	if (*fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", path);
}

/* Waits for the fate of a started engine.  1: ready; 0: it ended without a word. */
static int await_ready(int fd, int64_t until_ns, struct vfk_err *err)
{
	char text[400];
	ssize_t n;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left_ns = until_ns - clock_boot_ns();
		int rc = poll(&p, 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0);

		if (rc == 0)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "an engine was started and is not ready yet");
		if (rc > 0)
			break;
		if (errno != EINTR)
			return vfk_err_set(err, VFK_E_SYS, errno, "wait for an engine");
	}
	do
		n = read(fd, text, sizeof(text) - 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	if (text[0] == 'R')
		return 1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return vfk_err_set(err, VFK_E_GONE, 0, "cannot start an engine: %s", text);
}

/* Starts one; it takes over the lock, 'lock_fd' is closed. */
static int start_engine(int *lock_fd, int64_t until_ns, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int read_end = -1;
	int ends[2], failed;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "pipe for an engine");
	read_end = ends[0];
	pid = fork();
	if (pid == 0)
		become_engine(*lock_fd, ends[1]);
	failed = errno;
	close(ends[1]);
	close(*lock_fd);
	*lock_fd = -1;
	if (pid < 0)
		return vfk_err_set(err, VFK_E_SYS, failed, "fork for an engine");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return await_ready(read_end, until_ns, err);
}

int engine_connect(struct ctl_client **out, int timeout_ms, struct vfk_err *err)
{
	int64_t until_ns = clock_boot_ns() + (int64_t)timeout_ms * NS_PER_MS;
	const char *sock = vfk_path(PATH_CONTROL_SOCK);
	VFK_AUTO(fd_auto) int lock_fd = -1;
	unsigned n_died = 0;

	for (;;) {
		struct timespec pause = { 0, 10 * NS_PER_MS };
		bool held = lock_fd >= 0;
		struct vfk_err why = { 0 };
		int rc = ctl_connect(out, sock, timeout_ms, &why);

		if (rc == 0)
			return 0;
		if (why.kind != VFK_E_GONE) {
			*err = why;
			return rc;
		}
		/* Only who held the lock during a failed try may start one: the former holder
		 * may have become ready just before we got it. */
		if (!held) {
			rc = start_lock(&lock_fd, err);
			if (rc < 0)
				return rc;
			if (rc == 1)
				continue;
			close(fd_steal(&lock_fd));
		} else {
			rc = start_engine(&lock_fd, until_ns, err);
			if (rc < 0)
				return rc;
			if (rc == 1)
				continue;
			if (++n_died >= DEATHS_MAX)
				return vfk_err_set(err, VFK_E_GONE, 0,
						   "%u engines ended before they were ready",
						   n_died);
			pause.tv_nsec <<= n_died;
		}
		if (clock_boot_ns() >= until_ns)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "no engine answers at %s, and another process has been "
					   "starting one for %d s",
					   sock, timeout_ms / 1000);
		nanosleep(&pause, NULL);
	}
}
