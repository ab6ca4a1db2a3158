/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's files on a real file system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/disk.h"

#define FS_FILES 3
#define FS_ZEROS (256 * 1024)

struct fs {
	int dir;
	int fds[FS_FILES];
	bool read_only;
};

static void name_of(unsigned n, char name[16])
{
	snprintf(name, 16, "journal.%u", n);
}

static int fs_open(void *ctx, unsigned n, bool create, bool writable, uint64_t *size)
{
	struct fs *fs = ctx;
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	VFK_AUTO(fd_auto) int fd = -1;
	struct stat st;
	char name[16];

	if (writable && fs->read_only)
		return -EROFS;
	flags |= writable ? O_RDWR : O_RDONLY;
	if (create)
		flags |= O_CREAT;
	name_of(n, name);
	do
		fd = openat(fs->dir, name, flags, 0600);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd_auto(&fs->fds[n]);
	fs->fds[n] = fd_steal(&fd);
	*size = (uint64_t)st.st_size;
	return 0;
}

static ssize_t fs_pread(void *ctx, unsigned n, void *buf, size_t len, uint64_t off)
{
	struct fs *fs = ctx;
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fs->fds[n], (char *)buf + done, len - done,
				    (off_t)(off + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static int fs_pwrite(void *ctx, unsigned n, const void *buf, size_t len, uint64_t off)
{
	struct fs *fs = ctx;
	size_t done = 0;

	while (done < len) {
		ssize_t put = pwrite(fs->fds[n], (const char *)buf + done, len - done,
				     (off_t)(off + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -ENOSPC;
		done += (size_t)put;
	}
	return 0;
}

static int fs_extend(void *ctx, unsigned n, uint64_t size)
{
	static char zeros[FS_ZEROS]; /* not const: takes no place in the program file */
	struct fs *fs = ctx;
	struct stat st;

	if (fstat(fs->fds[n], &st) < 0)
		return -errno;
	for (uint64_t at = (uint64_t)st.st_size; at < size;) {
		size_t len = size - at < FS_ZEROS ? (size_t)(size - at) : FS_ZEROS;
		int rc = fs_pwrite(fs, n, zeros, len, at);

		if (rc < 0)
			return rc;
		at += len;
	}
	return 0;
}

static int fs_fd(void *ctx, unsigned n)
{
	return ((struct fs *)ctx)->fds[n];
}

static int fs_dir_fd(void *ctx)
{
	return ((struct fs *)ctx)->dir;
}

static int is_aside(const struct dirent *de)
{
	return strstr(de->d_name, ".damaged-") != NULL;
}

/* By the seconds at the end of the name. */
static int older_first(const struct dirent **a, const struct dirent **b)
{
	long long left = atoll(strrchr((*a)->d_name, '-') + 1);
	long long right = atoll(strrchr((*b)->d_name, '-') + 1);

	return (left > right) - (left < right);
}

/* A disk that is damaged again and again must not be filled. */
static void drop_oldest(const struct fs *fs)
{
	struct dirent **all;
	int n = scandirat(fs->dir, ".", &all, is_aside, older_first);

	for (int i = 0; i < n; i++) {
		if (i < n - DISK_ASIDE_MAX && unlinkat(fs->dir, all[i]->d_name, 0) == 0)
			log_warn("journal", "%s removed: %u set aside later are kept",
				 all[i]->d_name, DISK_ASIDE_MAX);
		free(all[i]);
	}
	if (n >= 0)
		free(all);
}

static int fs_set_aside(void *ctx, unsigned n)
{
	long long seconds = (long long)(clock_wall_ns() / NS_PER_S);
	struct fs *fs = ctx;
	char from[16], to[64];
	int rc = -EEXIST;

	if (fs->read_only)
		return -EROFS;
	name_of(n, from);
	/* Never over an earlier one. */
	for (unsigned i = 0; rc == -EEXIST && i < 1000; i++) {
		snprintf(to, sizeof(to), "%s.damaged-%lld", from, seconds + i);
		rc = renameat2(fs->dir, from, fs->dir, to, RENAME_NOREPLACE) < 0 ? -errno :
										   0;
	}
	/* Some file systems cannot exclude replacing. */
	if (rc == -EINVAL || rc == -ENOSYS)
		rc = renameat(fs->dir, from, fs->dir, to) < 0 ? -errno : 0;
	if (rc == 0) {
		fd_auto(&fs->fds[n]);
		fs->fds[n] = -1;
		drop_oldest(fs);
	}
	return rc;
}

static void fs_close(void *ctx)
{
	struct fs *fs = ctx;

	for (unsigned n = 0; n < FS_FILES; n++)
		fd_auto(&fs->fds[n]);
	fd_auto(&fs->dir);
	free(fs);
}

int fs_disk(struct disk *out, const char *dir, bool read_only, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fs *fs;

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", dir);
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "open %s", dir);
	fs->dir = fd_steal(&fd);
	fs->read_only = read_only;
	for (unsigned n = 0; n < FS_FILES; n++)
		fs->fds[n] = -1;
	*out = (struct disk){ .ctx = fs,
			      .open = fs_open,
			      .extend = fs_extend,
			      .pread = fs_pread,
			      .pwrite = fs_pwrite,
			      .fd = fs_fd,
			      .dir_fd = fs_dir_fd,
			      .set_aside = fs_set_aside,
			      .close = fs_close };
	return 0;
}
