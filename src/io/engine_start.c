/* SPDX-License-Identifier: Apache-2.0 */
#include "io/engine_start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/engine_exec.h"
#include "base/paths.h"

#define DEATHS_MAX 5 /* engines that ended without a word, then we give up */

static _Noreturn void become_engine(int lock_fd, int ready_fd)
{
	/* Nobody has to reap it: it belongs to init from here on. */
	if (fork() != 0)
		_exit(0);
	engine_exec(lock_fd, ready_fd);
}

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
		int rc = poll(&p, 1, clock_left_ms(until_ns));

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
