/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "io/inflight.h"

/* A lease's byte lies above 2^60. */
_Static_assert(sizeof(off_t) == 8, "64-bit file offsets are needed");

static struct flock lock_of(uint64_t byte)
{
	/* Open file description locks want l_pid to be 0. */
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1
	};
}

int inflight_lock(const char *path, uint64_t byte, int *fd, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct flock lock = lock_of(byte);

	if (opened < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open %s", path);
	if (fcntl(opened, F_OFD_SETLK, &lock)) {
		if (errno == EAGAIN || errno == EACCES)
			return vfk_err_set(err, VFK_E_BUSY, 0,
					   "byte 0x%llx of %s is locked",
					   (unsigned long long)byte, path);
		return vfk_err_set(err, VFK_E_SYS, errno, "lock byte 0x%llx of %s",
				   (unsigned long long)byte, path);
	}
	*fd = fd_steal(&opened);
	return 0;
}

bool inflight_held(int fd, uint64_t byte)
{
	struct flock lock = lock_of(byte);

	if (fcntl(fd, F_OFD_GETLK, &lock)) {
		log_error("inflight", "byte 0x%llx: cannot tell whether it is locked: %s",
			  (unsigned long long)byte, vfk_errno_name(errno));
		return true;
	}
	return lock.l_type != F_UNLCK;
}
