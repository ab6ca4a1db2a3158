/* SPDX-License-Identifier: Apache-2.0 */
/* /run/vfkeeper/durable: what this boot's engines know to be on the disk.  Mapped, so that
 * noting a sync costs a store and survives the death of the process. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "io/journal-internal.h"

#define MARK_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

struct jd_mark *jd_open(const char *path, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int fd = open(path, O_RDWR | O_CREAT | MARK_FLAGS, 0600);
	struct jd_mark *mark;
	struct stat st;

	if (fd < 0) {
		vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		vfk_err_set(err, VFK_E_SYS, 0, "%s is not a regular file", path);
		return NULL;
	}
	/* Really written, not only extended: a full /run shows here, not as SIGBUS. */
	if (st.st_size < (off_t)sizeof(*mark)) {
		static const struct jd_mark zero;
		ssize_t n = pwrite(fd, &zero, sizeof(zero), 0);

		if (n != (ssize_t)sizeof(zero)) {
			vfk_err_set(err, VFK_E_SYS, n < 0 ? errno : ENOSPC, "write %s",
				    path);
			return NULL;
		}
	}
	mark = mmap(NULL, sizeof(*mark), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mark == MAP_FAILED) {
		vfk_err_set(err, VFK_E_SYS, errno, "map %s", path);
		return NULL;
	}
	if (mark->magic != JD_MAGIC || mark->seq > JF_NUMBER_MAX) {
		memset(mark, 0, sizeof(*mark));
		mark->magic = JD_MAGIC;
	}
	return mark;
}

void jd_close(struct jd_mark *mark)
{
	if (mark)
		munmap(mark, sizeof(*mark));
}

bool jd_load(const char *path, struct jd_mark *mark)
{
	VFK_AUTO(fd_auto) int fd = path ? open(path, O_RDONLY | MARK_FLAGS) : -1;

	if (fd >= 0 && pread(fd, mark, sizeof(*mark), 0) == (ssize_t)sizeof(*mark) &&
	    mark->magic == JD_MAGIC && mark->seq <= JF_NUMBER_MAX)
		return true;
	memset(mark, 0, sizeof(*mark));
	return false;
}

uint64_t journal_durable_load(const char *path)
{
	struct jd_mark mark;

	jd_load(path, &mark);
	return mark.seq;
}
