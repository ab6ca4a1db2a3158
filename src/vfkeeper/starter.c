/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "vfkeeper/request.h"

#ifndef VFK_ENGINE_PATH
#define VFK_ENGINE_PATH "/opt/cni/bin/vfkeeper-engine"
#endif

#define ENGINE_NAME "vfkeeper-engine"
#define START_FD 3 /* what the engine is told by --start-fd and --ready-fd */
#define READY_FD 4

void starter_init(struct starter *s)
{
	*s = (struct starter){ .lock_fd = -1, .ready_fd = -1 };
}

static int open_start(void)
{
	return open(vfk_path(PATH_START), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

int starter_lock(struct starter *s, struct vfk_err *err)
{
	int rc = 0;

	if (s->lock_fd < 0)
		s->lock_fd = open_start();
	if (s->lock_fd < 0 && errno == ENOENT) {
		rc = paths_make(err);
		s->lock_fd = open_start();
	}
	if (s->lock_fd < 0) {
		if (rc < 0)
			return rc; /* what could not be made says more than ENOENT */
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", vfk_path(PATH_START));
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", vfk_path(PATH_START));
}

void starter_unlock(struct starter *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

/* "<directory of this program>/vfkeeper-engine", absolute; false: not to be told. */
static bool path_beside(char *out, size_t cap_bytes)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	const char *slash = self ? strrchr(self, '/') : NULL;
	size_t at = 0, dir_len = slash ? (size_t)(slash - self) + 1 : 0;

	if (!slash)
		return false;
	if (*self != '/') {
		if (!getcwd(out, cap_bytes))
			return false;
		at = strlen(out);
		if (at + 1 >= cap_bytes)
			return false;
		out[at++] = '/';
	}
	if (at + dir_len + sizeof(ENGINE_NAME) > cap_bytes)
		return false;
	memcpy(out + at, self, dir_len);
	memcpy(out + at + dir_len, ENGINE_NAME, sizeof(ENGINE_NAME));
	return true;
}

/* Best effort: an engine in the caller's cgroup would live by the limits of, say, a
 * Multus pod and die with it. */
static void own_cgroup(void)
{
	const char *root = getenv("VFKEEPER_ROOT");
	char path[VFK_PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/sys/fs/cgroup/" ENGINE_NAME,
			   root ? root : "");
	int fd;

	if (len < 0 || (size_t)len + sizeof("/cgroup.procs") > sizeof(path))
		return;
	mkdir(path, 0755);
	memcpy(path + len, "/cgroup.procs", sizeof("/cgroup.procs"));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (write(fd, "0", 1) < 0 && errno == EINTR)
		;
	close(fd);
}

/* The engine serves many: nothing of this request goes into its environment. */
static void drop_request_vars(void)
{
	char **to = environ;

	for (char **from = environ; *from; from++)
		if (!request_owns_var(*from))
			*to++ = *from;
	*to = NULL;
}

/* Gives the engine its descriptors: nothing, nothing, nothing, the lock, the pipe. */
static bool place_fds(int lock_fd, int ready_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		null_fd = memfd_create("null", MFD_CLOEXEC);
	null_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 10);
	lock_fd = fcntl(lock_fd, F_DUPFD_CLOEXEC, 10);
	ready_fd = fcntl(ready_fd, F_DUPFD_CLOEXEC, 10);
	return dup2(null_fd, 0) == 0 && dup2(null_fd, 1) == 1 && dup2(null_fd, 2) == 2 &&
	       dup2(lock_fd, START_FD) == START_FD &&
	       dup2(ready_fd, READY_FD) == READY_FD &&
	       syscall(SYS_close_range, READY_FD + 1, ~0u, 0) == 0;
}

static _Noreturn void become_engine(int lock_fd, int ready_fd)
{
	static char beside[PATH_MAX];
	char *argv[] = { ENGINE_NAME, "--start-fd", "3", "--ready-fd", "4", NULL };
	const char *tried = VFK_ENGINE_PATH;
	char text[PATH_MAX + 64];
	sigset_t none;
	int len, failed;

	setsid();
	own_cgroup();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (path_beside(beside, sizeof(beside)) && access(beside, X_OK) == 0)
		tried = beside;
	if (!place_fds(lock_fd, ready_fd))
		_exit(127);
	if (chdir("/") == 0) {
		drop_request_vars();
		/* SIGPIPE stays ignored: whoever waits at the ready pipe may be gone.
		 */
		execve(tried, argv, environ);
	}
	failed = errno;
	len = snprintf(text, sizeof(text), "execute %s: %s", tried, vfk_errno_name(failed));
	if (len > 0 && write(READY_FD, text, (size_t)len) < 0)
		_exit(126);
	_exit(127);
}

int starter_spawn(struct starter *s, struct vfk_err *err)
{
	int ends[2], failed;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "pipe for an engine");
	pid = fork();
	if (pid == 0)
		become_engine(s->lock_fd, ends[1]);
	failed = errno;
	close(ends[1]);
	starter_unlock(s); /* the engine's copy of it holds the lock now */
	if (pid < 0) {
		close(ends[0]);
		return vfk_err_set(err, VFK_E_SYS, failed, "fork for an engine");
	}
	s->ready_fd = ends[0];
	return 0;
}

int starter_ready(struct starter *s, int64_t now_ns, struct vfk_err *err)
{
	char text[400];
	ssize_t n;

	do
		n = read(s->ready_fd, text, sizeof(text) - 1);
	while (n < 0 && errno == EINTR);
	close(s->ready_fd);
	s->ready_fd = -1;
	if (n > 0 && text[0] == 'R') {
		s->n_died = 0;
		return 1;
	}
	if (n > 0) {
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return vfk_err_set(err, VFK_E_BUSY, 0, "cannot start an engine: %s", text);
	}
	/* 20 ms, 40 ms, ... 1.28 s: an engine that dies at once must not be started a
	 * hundred times a second. */
	s->not_before_ns = now_ns + (NS_PER_MS * 20 << (s->n_died < 6 ? s->n_died : 6));
	s->n_died++;
	return 0;
}
