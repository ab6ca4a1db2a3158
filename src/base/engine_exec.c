/* SPDX-License-Identifier: Apache-2.0 */
#include "base/engine_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/paths.h"

#ifndef VFK_ENGINE_PATH
#define VFK_ENGINE_PATH "/opt/cni/bin/vfkeeper-engine"
#endif

#define ENGINE_NAME "vfkeeper-engine"
#define START_FD 3 /* what the engine is told by --start-fd and --ready-fd */
#define READY_FD 4

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

/* The engine serves many: nothing of one caller goes into its environment. */
static void keep_own_vars(void)
{
	char **to = environ;

	for (char **from = environ; *from; from++)
		if (!strncmp(*from, "VFKEEPER_", 9) || !strncmp(*from, "PATH=", 5))
			*to++ = *from;
	*to = NULL;
}

/* Nothing, nothing, nothing, the lock, the pipe. */
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

void engine_exec(int lock_fd, int ready_fd)
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
		keep_own_vars();
		/* SIGPIPE stays as it is: whoever waits at the ready pipe may be gone. */
		execve(tried, argv, environ);
	}
	failed = errno;
	len = snprintf(text, sizeof(text), "execute %s: %s", tried, vfk_errno_name(failed));
	if (len > 0 && write(READY_FD, text, (size_t)len) < 0)
		_exit(126);
	_exit(127);
}
