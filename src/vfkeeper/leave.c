/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/leave.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"

/* The two parts of the request, mapped: both are memory already. */
struct parts {
	const void *env, *in;
	size_t env_len, in_len;
};

static const void *map(int fd, size_t len_bytes)
{
	void *p;

	if (len_bytes == 0)
		return "";
	p = mmap(NULL, len_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static const char *var(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int write_entry(int fd, const struct request *rq, const struct parts *p)
{
	struct spool_hdr hdr = {
		.magic = SPOOL_MAGIC,
		.version = 1,
		.dialect = rq->frame.dialect,
		.start_ns = rq->frame.start_ns,
		.env_len = rq->frame.env_len,
		.stdin_len = rq->frame.stdin_len,
	};
	struct iovec iov[3] = {
		{ &hdr, sizeof(hdr) },
		{ (void *)p->env, p->env_len },
		{ (void *)p->in, p->in_len },
	};
	size_t left = sizeof(hdr) + p->env_len + p->in_len;

	/* Without a boot id the entry settles only the lease, as one of an older boot.
	 */
	if (clock_boot_id(hdr.boot_id) < 0)
		hdr.boot_id[0] = '\0';
	hdr.crc = frame_crc32(0, &hdr, sizeof(hdr));
	hdr.crc = frame_crc32(hdr.crc, p->env, p->env_len);
	hdr.crc = frame_crc32(hdr.crc, p->in, p->in_len);
	for (struct iovec *v = iov; left;) {
		ssize_t n = writev(fd, v, (int)(iov + 3 - v));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		left -= (size_t)n;
		for (; v < iov + 3 && (size_t)n >= v->iov_len; v++)
			n -= (ssize_t)v->iov_len;
		if (v < iov + 3) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return fsync(fd);
}

/* Whether an entry of a later DEL of this attachment is there: the attachment that it is to
 * release may be newer than this DEL. */
static bool has_later(int dir, const char *name, const struct request *rq)
{
	VFK_AUTO(fd_auto)
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char boot_id[sizeof(((struct spool_hdr *)0)->boot_id)] = "";
	struct spool_hdr hdr;

	return fd >= 0 && read(fd, &hdr, sizeof(hdr)) == sizeof(hdr) &&
	       hdr.magic == SPOOL_MAGIC && hdr.version == 1 &&
	       hdr.start_ns > rq->frame.start_ns && clock_boot_id(boot_id) >= 0 &&
	       !memcmp(hdr.boot_id, boot_id, strlen(boot_id) + 1);
}

/* One at a time, so that of two DELs the later one stays. */
static int put_in_place(int dir, const char *tmp, const char *name, const struct request *rq)
{
	while (flock(dir, LOCK_EX) < 0)
		if (errno != EINTR)
			return -1;
	if (has_later(dir, name, rq))
		return unlinkat(dir, tmp, 0);
	if (renameat(dir, tmp, dir, name) < 0)
		return -1;
	return fsync(dir);
}

static int write_spool(const struct request *rq, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int dir = -1;
	VFK_AUTO(fd_auto) int fd = -1;
	struct parts p = { .env_len = rq->frame.env_len, .in_len = rq->frame.stdin_len };
	char name[32], tmp[64];
	uint64_t key;
	int rc;

	p.in = map(rq->fds[0], p.in_len);
	p.env = map(rq->fds[1], p.env_len);
	if (!p.in || !p.env)
		return vfk_err_set(err, VFK_E_SYS, errno, "map the request");
	dir = open(vfk_path(PATH_SPOOL), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT) {
		rc = paths_make(err);
		if (rc < 0)
			return rc;
		dir = open(vfk_path(PATH_SPOOL), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", vfk_path(PATH_SPOOL));
	key = spool_key(var("CNI_CONTAINERID"), var("CNI_IFNAME"), p.in, p.in_len);
	snprintf(name, sizeof(name), "%016" PRIx64 ".del", key);
	/* With the nonce: two DELs of one attachment may be written at the same time.
	 */
	snprintf(tmp, sizeof(tmp), "%016" PRIx64 "-%016" PRIx64 ".tmp", key,
		 rq->frame.nonce.lo);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "create %s/%s",
				   vfk_path(PATH_SPOOL), tmp);
	if (write_entry(fd, rq, &p) < 0 || put_in_place(dir, tmp, name, rq) < 0) {
		rc = vfk_err_set(err, VFK_E_SYS, errno, "write %s/%s",
				 vfk_path(PATH_SPOOL), name);
		unlinkat(dir, tmp, 0);
		return rc;
	}
	return 0;
}

/* Leaves the caller's session, pipes and namespace descriptor: whoever waits for their
 * end does not wait for our disk. */
static int keep_nothing(int fds[3])
{
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10 + i);
		if (fds[i] < 0)
			return -1;
	}
	setsid();
	for (int i = 0; i < 3; i++) {
		if (dup2(fds[i], i) != i)
			return -1;
		fds[i] = i;
	}
	return (int)syscall(SYS_close_range, 3u, ~0u, 0);
}

static _Noreturn void run_child(struct request *rq, int report)
{
	struct vfk_err err = { .msg = "" };
	int fds[3] = { rq->fds[0], rq->fds[1], report };
	const char *text = "K"; /* kept */

	if (keep_nothing(fds) < 0)
		_exit(1);
	rq->fds[0] = fds[0];
	rq->fds[1] = fds[1];
	if (write_spool(rq, &err) < 0)
		text = err.msg;
	_exit(write(fds[2], text, strlen(text)) < 0);
}

static int wait_for_report(int fd, int64_t until_ns, struct vfk_err *err)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char text[sizeof(err->msg)];
	ssize_t n;

	do
		n = poll(&pfd, 1, clock_left_ms(until_ns));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0, "the disk is slow");
	n = read(fd, text, sizeof(text) - 1);
	if (n == 1 && text[0] == 'K')
		return 0;
	text[n > 0 ? n : 0] = '\0';
	return vfk_err_set(err, VFK_E_SYS, 0, "%s", n > 0 ? text : "its writer ended");
}

int leave_del(const struct request *rq, int64_t until_ns, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int report = -1;
	struct request copy = *rq;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "pipe");
	report = ends[0];
	pid = fork();
	if (pid == 0)
		run_child(&copy, ends[1]);
	close(ends[1]);
	if (pid < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "fork");
	return wait_for_report(report, until_ns, err);
}
