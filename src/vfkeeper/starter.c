/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/engine_exec.h"
#include "base/paths.h"

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

int starter_spawn(struct starter *s, struct vfk_err *err)
{
	int ends[2], failed;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "pipe for an engine");
	pid = fork();
	if (pid == 0)
		engine_exec(s->lock_fd, ends[1]);
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
