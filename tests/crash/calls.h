/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that change something which outlives the calling process, and so are where
 * a process is killed.  Closing, mapping and what only the caller itself sees (dup, epoll,
 * timers) are none: a process that dies does them all by dying.  Nor is what only asks the
 * kernel, by netlink.  What is written through a shared mapping (durable, recent-del) is no
 * call; it changes between two of these.  sendto is a question on the control socket, which
 * vfkeeper-replay asks until the engine is done, and its answer. */
#ifndef VFK_TESTS_CRASH_CALLS_H
#define VFK_TESTS_CRASH_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <rdma/rdma_netlink.h>
#include <string.h>
#include <sys/syscall.h>

#define CALL_POLL 1u  /* repeated until it works: counts once between other calls */
#define CALL_FD 2u    /* of a poll: other descriptors are other polls */
#define CALL_CREAT 4u /* counts with O_CREAT or O_TRUNC */
#define CALL_LOCK 8u  /* counts with a command that locks */
#define CALL_PROC 16u /* counts unless it makes a thread */
#define CALL_LOG 32u  /* does not count on standard error */
#define CALL_TO 64u   /* does not count with an address: word for the service manager */

struct call {
	const char *name;
	long nr;
	unsigned flags;
};

#define CALLS_MAX 64

/* clang-format off */
#define C(name, flags) { #name, SYS_##name, flags }
static const struct call calls[] = {
	C(write, CALL_LOG), C(pwrite64, 0), C(writev, CALL_LOG), C(pwritev, 0),
	C(pwritev2, 0), C(sendto, CALL_TO | CALL_POLL | CALL_FD), C(sendmsg, 0),
	C(sendmmsg, 0), C(sendfile, 0), C(copy_file_range, 0), C(splice, 0),
	C(open, CALL_CREAT), C(openat, CALL_CREAT), C(creat, 0),
	C(mkdir, 0), C(mkdirat, 0), C(rmdir, 0), C(unlink, 0), C(unlinkat, 0),
	C(rename, 0), C(renameat, 0), C(renameat2, 0), C(link, 0), C(linkat, 0),
	C(symlink, 0), C(symlinkat, 0), C(truncate, 0), C(ftruncate, 0), C(fallocate, 0),
	C(chmod, 0), C(fchmod, 0), C(fchmodat, 0), C(fsync, 0), C(fdatasync, 0),
	C(sync_file_range, 0), C(flock, CALL_POLL | CALL_FD),
	C(fcntl, CALL_POLL | CALL_FD | CALL_LOCK),
	C(bind, 0), C(listen, 0), C(connect, CALL_POLL), C(shutdown, 0),
	C(fork, 0), C(vfork, 0), C(clone, CALL_PROC), C(clone3, CALL_PROC),
	C(execve, 0), C(execveat, 0), C(exit_group, 0), C(kill, 0),
	C(pidfd_send_signal, 0), C(setsid, 0), C(setpgid, 0),
	C(unshare, 0), C(setns, 0), C(mount, 0), C(umount2, 0),
	{ NULL, 0, 0 },
};
#undef C
/* clang-format on */

static inline const struct call *call_find(long nr)
{
	for (const struct call *c = calls; c->name; c++)
		if (c->nr == nr)
			return c;
	return NULL;
}

/* Others that a test may ask for by their name. */
static inline const struct call *call_named(const char *name)
{
	static const struct call more[] = { { "close", SYS_close, 0 },
					    { "recvmsg", SYS_recvmsg, 0 },
					    { "accept4", SYS_accept4, 0 },
					    { NULL, 0, 0 } };

	for (const struct call *c = more; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* RTM_GET..., and the queries of RDMA_NL_NLDEV. */
static inline bool netlink_asks(unsigned type)
{
	const unsigned nldev = RDMA_NL_NLDEV << 10;

	return type == nldev + RDMA_NLDEV_CMD_GET ||
	       type == nldev + RDMA_NLDEV_CMD_PORT_GET ||
	       type == nldev + RDMA_NLDEV_CMD_SYS_GET ||
	       (type >= RTM_BASE && type < RTM_MAX && type % 4 == RTM_GETLINK % 4);
}

/* By its arguments. */
static inline bool call_counts(const struct call *c, unsigned long long arg0,
			       unsigned long long arg1, unsigned long long arg2,
			       unsigned long long arg4)
{
	unsigned long long flags = c->nr == SYS_openat ? arg2 : arg1;

	if (c->flags & CALL_CREAT)
		return flags & (O_CREAT | O_TRUNC);
	if (c->flags & CALL_LOCK)
		return arg1 == F_SETLK || arg1 == F_SETLKW || arg1 == F_OFD_SETLK ||
		       arg1 == F_OFD_SETLKW;
	if (c->flags & CALL_PROC)
		return !(arg0 & CLONE_THREAD);
	if (c->flags & CALL_LOG)
		return arg0 != 2;
	if (c->flags & CALL_TO)
		return !arg4;
	return true;
}
#endif
