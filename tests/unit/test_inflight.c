/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "io/inflight.h"
#include "suite.h"

static char dir[] = "/tmp/vfk-inflight-XXXXXX";
static char path[64];

static int probe(void)
{
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void begin(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/inflight", dir);
}

static void end(void)
{
	unlink(path);
	rmdir(dir);
}

static void second_is_busy(void)
{
	struct vfk_err err = { 0 };
	char want[160];
	int a = -1, b = -1;

	begin();
	CU_ASSERT_EQUAL(inflight_lock(path, 0x3b01, &a, &err), 0);
	CU_ASSERT_EQUAL(inflight_lock(path, 0x3b01, &b, &err), -VFK_E_BUSY);
	CU_ASSERT_EQUAL(b, -1);
	snprintf(want, sizeof(want), "byte 0x3b01 of %s is locked", path);
	CU_ASSERT_STRING_EQUAL(err.msg, want);
	CU_ASSERT(fcntl(a, F_GETFD) & FD_CLOEXEC);
	close(a);
	CU_ASSERT_EQUAL(inflight_lock(path, 0x3b01, &b, &err), 0);
	close(b);
	end();
}

static void bytes_are_apart(void)
{
	struct vfk_err err = { 0 };
	int a = -1, b = -1, p;

	begin();
	CU_ASSERT_EQUAL(inflight_lock(path, inflight_vf(0x3b01), &a, &err), 0);
	p = probe();
	CU_ASSERT(inflight_held(p, inflight_vf(0x3b01)));
	CU_ASSERT_FALSE(inflight_held(p, inflight_vf(0x3b00)));
	CU_ASSERT_FALSE(inflight_held(p, inflight_vf(0x3b02)));
	CU_ASSERT_FALSE(inflight_held(p, inflight_lease(0x3b01)));
	CU_ASSERT_EQUAL(inflight_lock(path, inflight_lease(1), &b, &err), 0);
	CU_ASSERT(inflight_held(p, inflight_lease(1)));
	CU_ASSERT_FALSE(inflight_held(p, inflight_lease(2)));
	/* Far beyond what 32-bit offsets could tell apart. */
	CU_ASSERT_FALSE(inflight_held(p, inflight_lease(1 + (UINT64_C(1) << 32))));
	close(p);
	close(a);
	close(b);
	end();
}

static void other_descriptor_does_not_release(void)
{
	struct vfk_err err = { 0 };
	int a = -1, p;

	begin();
	CU_ASSERT_EQUAL(inflight_lock(path, 7, &a, &err), 0);
	close(probe()); /* a POSIX lock of this process would be gone now */
	p = probe();
	CU_ASSERT(inflight_held(p, 7));
	close(p);
	close(a);
	end();
}

static void lock_outlives_the_locker(void)
{
	struct vfk_err err = { 0 };
	int go[2], p, a = -1;
	char c;
	pid_t pid;

	begin();
	CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
	CU_ASSERT_EQUAL(inflight_lock(path, 9, &a, &err), 0);
	pid = fork();
	if (pid == 0) { /* the worker: keeps the descriptor until it is told to end */
		close(go[1]);
		_exit(read(go[0], &c, 1) == 0 ? 0 : 1);
	}
	close(a);
	p = probe();
	CU_ASSERT(inflight_held(p, 9));
	close(go[1]);
	waitpid(pid, NULL, 0);
	CU_ASSERT_FALSE(inflight_held(p, 9));
	close(go[0]);
	close(p);
	end();
}

static char logged[512];

static void keep_line(enum log_level level, const char *line)
{
	(void)level;
	snprintf(logged, sizeof(logged), "%s", line);
}

static void not_knowing_is_held(void)
{
	log_set_sink(keep_line);
	CU_ASSERT(inflight_held(-1, 1));
	log_set_sink(NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "cannot tell whether it is locked: EBADF"));
}

static void unopenable(void)
{
	struct vfk_err err = { 0 };
	int a = -1;

	CU_ASSERT_EQUAL(inflight_lock("/nonexistent/inflight", 1, &a, &err), -VFK_E_SYS);
	CU_ASSERT_STRING_EQUAL(err.msg, "open /nonexistent/inflight: ENOENT");
	CU_ASSERT_EQUAL(err.sys, ENOENT);
}

VFK_SUITE(inflight,
	  { "a second lock of the same byte is refused until the first ends",
	    second_is_busy },
	  { "each VF and each lease has a byte of its own", bytes_are_apart },
	  { "closing another descriptor releases nothing",
	    other_descriptor_does_not_release },
	  { "a lock lives as long as the last process that inherited it",
	    lock_outlives_the_locker },
	  { "a byte that cannot be asked for counts as held", not_knowing_is_held },
	  { "a file that cannot be opened is named", unopenable })
