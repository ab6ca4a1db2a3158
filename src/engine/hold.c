/* SPDX-License-Identifier: Apache-2.0 */
/* In angle brackets: engine/config.h stands in this directory. */
#include <config.h>

#include "engine/hold.h"

#ifdef VFK_LOOP_HOLD

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define LOAD(field)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define KILL_IF(nr)                                                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                 \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

int hold_loop(struct vfk_err *err)
{
	struct sock_filter filter[] = {
		LOAD(nr),
		KILL_IF(__NR_fsync),
		KILL_IF(__NR_fdatasync),
		KILL_IF(__NR_setns),
		/* socket(AF_NETLINK, ...): the low word of the first argument decides. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
		LOAD(args[0]),
		KILL_IF(AF_NETLINK),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = VFK_ARRAY_SIZE(filter), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "system call filter of the loop");
	return 0;
}

#else

int hold_loop(struct vfk_err *err)
{
	(void)err;
	return 0;
}

#endif
