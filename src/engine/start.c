/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "drivers/registry.h"
#include "io/ctl_client.h"
#include "io/disk.h"

#define POLL_MS 10
#define START_WAIT_MS 10000
#define GIVE_WAY_MS 2000

#define FILES_WANTED 65536 /* as the unit's LimitNOFILE */

static void raise_limit(int which, rlim_t wanted)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max >= wanted) {
		(void)setrlimit(which, &limit);
		return;
	}
	limit.rlim_max = wanted;
	if (setrlimit(which, &limit) == 0)
		return;
	/* Without CAP_SYS_RESOURCE: as far as it goes. */
	if (getrlimit(which, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(which, &limit);
	}
}

void start_limits(void)
{
	static const int unlimited[] = { RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_AS, RLIMIT_CPU,
					 RLIMIT_NPROC };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(unlimited); i++)
		raise_limit(unlimited[i], RLIM_INFINITY);
	raise_limit(RLIMIT_NOFILE, FILES_WANTED);
}

static void nap(void)
{
	struct timespec ts = { .tv_nsec = POLL_MS * NS_PER_MS };

	nanosleep(&ts, NULL);
}

static int try_lock(int fd)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &fl);
}

/* An open file description lock: it ends with the process, whatever kills it, and the
 * workers, forked before, do not share it (R7). */
static int lock_file(const char *path, int wait_ms, int *out, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int64_t until = clock_boot_ns() + wait_ms * NS_PER_MS;

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	while (try_lock(fd) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", path);
		if (clock_boot_ns() >= until)
			return vfk_err_set(err, VFK_E_BUSY, 0, "another engine holds %s",
					   path);
		nap();
	}
	*out = fd_steal(&fd);
	return 0;
}

static int lock_guard(const char *path, int wait_ms, int *out, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t until = clock_boot_ns() + wait_ms * NS_PER_MS;

	if (fd < 0 && errno == EACCES) /* the bus's rescan file is for writing only */
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) { /* nothing there that two could spoil */
		log_warn("start", "%s is not there: its driver will find nothing", path);
		*out = -1;
		return 0;
	}
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return vfk_err_set(err, VFK_E_SYS, errno, "lock %s", path);
		if (clock_boot_ns() >= until)
			return vfk_err_set(err, VFK_E_BUSY, 0,
					   "an engine with another /run holds %s", path);
		nap();
	}
	*out = fd_steal(&fd);
	return 0;
}

int start_lock(struct start_lock *lock, const struct config *cfg, int wait_ms,
	       struct vfk_err *err)
{
	const struct driver *const *drv = registry_drivers(&cfg->env);
	char last[VFK_PATH_MAX] = "";

	lock->n_guards = 0;
	lock->lock_fd = -1;
	if (lock_file(vfk_path(PATH_LOCK), wait_ms, &lock->lock_fd, err) < 0)
		return -err->kind;
	for (; *drv && lock->n_guards < VFK_ARRAY_SIZE(lock->guard_fds); drv++) {
		char path[VFK_PATH_MAX] = "";

		(*drv)->guard_path(&cfg->env, path, sizeof(path));
		if (!path[0] || !strcmp(path, last)) /* one bus, two drivers */
			continue;
		memcpy(last, path, sizeof(last));
		if (lock_guard(path, wait_ms, &lock->guard_fds[lock->n_guards], err) < 0) {
			start_unlock(lock);
			return -err->kind;
		}
		lock->n_guards += lock->guard_fds[lock->n_guards] >= 0;
	}
	return 0;
}

void start_unlock(struct start_lock *lock)
{
	while (lock->n_guards)
		close(lock->guard_fds[--lock->n_guards]);
	fd_auto(&lock->lock_fd);
	lock->lock_fd = -1;
}

bool start_unreachable(const struct start_lock *lock)
{
	static const enum vfk_path sockets[] = { PATH_CNI_SOCK, PATH_CONTROL_SOCK };
	struct stat mine, there;

	if (stat(vfk_path(PATH_LOCK), &there) < 0)
		return errno == ENOENT;
	if (fstat(lock->lock_fd, &mine) == 0 &&
	    (mine.st_dev != there.st_dev || mine.st_ino != there.st_ino))
		return true;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(sockets); i++)
		if (stat(vfk_path(sockets[i]), &there) < 0 && errno == ENOENT)
			return true;
	return false;
}

static int read_only(struct start_state *st, struct vfk_err *err)
{
	struct disk disk;
	int rc;

	node_fini(st->node);
	st->status = (struct journal_status){ 0 };
	if (fs_disk(&disk, vfk_path(PATH_JOURNAL), true, err) < 0)
		return -err->kind;
	rc = journal_read_own(&disk, vfk_path(PATH_DURABLE), node_replay, st->node,
			      &st->status, err);
	disk.close(disk.ctx);
	return rc;
}

/* What keeps the directory from being made says more than that it is not there. */
static int open_writable(struct node *node, struct disk *disk, struct journal_cfg *cfg,
			 struct vfk_err *err)
{
	*cfg = (struct journal_cfg){ .disk = disk,
				     .durable_path = vfk_path(PATH_DURABLE),
				     .min_size = UINT64_C(4) * 1024 * 1024,
				     .snapshot = node_snapshot,
				     .arg = node };
	if (paths_make(err) < 0)
		return -err->kind;
	return fs_disk(disk, vfk_path(PATH_JOURNAL), false, err);
}

void start_journal(struct start_state *st)
{
	struct vfk_err err = { 0 }, ignored = { 0 };
	struct journal_cfg cfg;
	struct disk disk;

	node_init(st->node);
	if (open_writable(st->node, &disk, &cfg, &err) == 0)
		(void)!node_open_journal(&st->journal, &cfg, node_replay, &st->status,
					 &err);
	if (!st->journal) {
		snprintf(st->broken, sizeof(st->broken),
			 "the journal cannot be used: %.190s", err.msg);
		log_error("journal", "%s; DEL is served, ADD is not", st->broken);
		if (read_only(st, &ignored) < 0 || st->status.verdict == JOURNAL_UNKNOWN)
			log_error("journal", "nothing of it can be read: %s", ignored.msg);
	}
	node_settle(st->node);
	node_mark_missing(st->node, &st->status);
	if (st->status.verdict == JOURNAL_TORN)
		log_warn("journal", "torn tail cut: %s", st->status.what);
	else if (st->status.verdict != JOURNAL_CLEAN)
		log_warn("journal", "records may be missing: %s",
			 st->node->rec.missing_reason);
}

struct journal *start_journal_late(const struct start_state *st, bool *unread)
{
	struct journal_status status;
	struct vfk_err err = { 0 };
	struct journal *j = NULL;
	struct journal_cfg cfg;
	struct disk disk;
	int rc;

	*unread = false;
	if (st->journal || st->status.verdict == JOURNAL_UNKNOWN ||
	    open_writable(st->node, &disk, &cfg, &err) < 0)
		return NULL;
	/* journal_open begins files and sets others aside before it tells what it found. */
	rc = journal_read_own(&disk, vfk_path(PATH_DURABLE), NULL, NULL, &status, &err);
	*unread = rc == 0 && journal_says_more(&st->status, &status);
	if (rc < 0 || *unread) {
		disk.close(disk.ctx);
		return NULL;
	}
	/* The engine has all that could be read, and knows more by now. */
	if (journal_open(&j, &cfg, NULL, &status, &err) < 0)
		return NULL;
	return j;
}

int start_take_over(int *start_fd, struct vfk_err *err)
{
	VFK_AUTO(fd_auto)
	int fd = open(vfk_path(PATH_START), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int64_t until = clock_boot_ns() + START_WAIT_MS * NS_PER_MS;
	struct vfk_err ignored = { 0 };
	struct ctl_client *ctl = NULL;
	struct strbuf text = { 0 };

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", vfk_path(PATH_START));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		/* A client is starting an engine: it is asked to give way right after. */
		if (clock_boot_ns() >= until)
			return vfk_err_set(err, VFK_E_BUSY, 0, "somebody holds %s",
					   vfk_path(PATH_START));
		nap();
	}
	if (ctl_connect(&ctl, vfk_path(PATH_CONTROL_SOCK), GIVE_WAY_MS, &ignored) == 0) {
		if (ctl_ask(ctl, "give-way", NULL, 0, GIVE_WAY_MS, &text, &ignored) < 0)
			log_debug("start", "give-way: %s", ignored.msg);
		ctl_close(ctl);
		strbuf_free(&text);
	}
	*start_fd = fd_steal(&fd);
	return 0;
}
