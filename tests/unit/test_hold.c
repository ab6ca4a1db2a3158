/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "engine/hold.h"
#include "suite.h"

enum deed { SYNC, DATA_SYNC, ENTER_NETNS, OPEN_NETLINK, OPEN_UNIX, WRITE };

static void do_it(enum deed deed)
{
	switch (deed) {
	case SYNC:
		fsync(0);
		break;
	case DATA_SYNC:
		fdatasync(0);
		break;
	case ENTER_NETNS:
		setns(-1, CLONE_NEWNET);
		break;
	case OPEN_NETLINK:
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
		break;
	case OPEN_UNIX:
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		break;
	case WRITE:
		(void)!write(-1, "", 0);
		break;
	}
}

/* The signal that ends a process which does that under the filter, or 0. */
static int ends_with(enum deed deed)
{
	struct vfk_err err = { 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (hold_loop(&err) < 0)
			_exit(9);
		do_it(deed);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status)))
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void ends_what_blocks(void)
{
#ifdef VFK_LOOP_HOLD
	SUITE_INT(ends_with(SYNC), SIGSYS);
	SUITE_INT(ends_with(DATA_SYNC), SIGSYS);
	SUITE_INT(ends_with(ENTER_NETNS), SIGSYS);
	SUITE_INT(ends_with(OPEN_NETLINK), SIGSYS);
#else
	SUITE_INT(ends_with(SYNC), 0);
	SUITE_INT(ends_with(OPEN_NETLINK), 0);
#endif
}

static void lets_the_rest_through(void)
{
	SUITE_INT(ends_with(OPEN_UNIX), 0);
	SUITE_INT(ends_with(WRITE), 0);
}

VFK_SUITE(hold,
	  { "a loop that blocks is ended, in a build that asks for it", ends_what_blocks },
	  { "a loop that does not block goes on", lets_the_rest_through })
