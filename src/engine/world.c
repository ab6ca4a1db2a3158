/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/plugin.h"
#include "io/file.h"
#include "io/inflight.h"

static int64_t boot_ns(void *ctx)
{
	(void)ctx;
	return clock_boot_ns();
}

static int64_t wall_ns(void *ctx)
{
	(void)ctx;
	return clock_wall_ns();
}

static int lock(void *ctx, uint64_t byte, int *fd, struct vfk_err *err)
{
	(void)ctx;
	return inflight_lock(vfk_path(PATH_INFLIGHT), byte, fd, err);
}

static bool held(void *ctx, uint64_t byte)
{
	const struct world *w = ctx;

	return inflight_held(w->inflight_fd, byte);
}

static int new_memfd(void *ctx, const char *name, const void *bytes, size_t len)
{
	int fd = file_memfd(name, bytes, len);

	(void)ctx;
	return fd < 0 ? -1 : fd;
}

static char *slurp(void *ctx, int fd, size_t *len)
{
	(void)ctx;
	return file_of_memfd(fd, STDIN_MAX, len);
}

static bool find_plugin(void *ctx, const char *cni_path, const char *type, char *out,
			size_t cap)
{
	(void)ctx;
	return plugin_find(cni_path, type, out, cap);
}

static bool trusted(void *ctx, const char *path)
{
	(void)ctx;
	return plugin_trusted(path);
}

static bool netns_valid(void *ctx, int fd, bool *own)
{
	struct statfs fs;
	struct stat st, mine;

	(void)ctx;
	*own = false;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st) < 0)
		return false;
	/* Both are held open now, so that device and inode identify (P7). */
	if (stat("/proc/self/ns/net", &mine) == 0)
		*own = st.st_dev == mine.st_dev && st.st_ino == mine.st_ino;
	return true;
}

int world_open(struct world *w, struct engine_ops *ops, struct vfk_err *err)
{
	w->inflight_fd = open(vfk_path(PATH_INFLIGHT), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->inflight_fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s",
				   vfk_path(PATH_INFLIGHT));
	ops->boot_ns = boot_ns;
	ops->wall_ns = wall_ns;
	ops->lock = lock;
	ops->held = held;
	ops->memfd = new_memfd;
	ops->slurp = slurp;
	ops->find_plugin = find_plugin;
	ops->plugin_trusted = trusted;
	ops->netns_valid = netns_valid;
	return 0;
}

void world_close(struct world *w)
{
	fd_auto(&w->inflight_fd);
	w->inflight_fd = -1;
}
