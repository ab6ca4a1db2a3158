/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/job.h"
#include "engine/pay.h"
#include "suite.h"

/* /bin/false stands for a plugin: whether it ran shows in the error. */
static enum vfk_err_kind paid(int64_t deadline_boot_ns)
{
	static struct job_req rq;
	struct vfk_err err = { 0 };
	int fds[3];

	rq = (struct job_req){ .plugin = "/bin/false",
			       .deadline_boot_ns = deadline_boot_ns };
	for (unsigned i = 0; i < 3; i++)
		fds[i] = memfd_create("test", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(write(fds[2], "A=b", 4), 4);
	pay_run(&rq, fds, 3, &err);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
	return err.kind;
}

static void a_plugin_that_fails(void)
{
	SUITE_INT(paid(clock_boot_ns() + 60 * NS_PER_S), VFK_E_IPAM);
}

/* R9: the node slept between the job and its begin. */
static void too_late_to_begin(void)
{
	SUITE_INT(paid(clock_boot_ns() - 1), VFK_E_TIMEOUT);
}

VFK_SUITE(pay, { "a plugin that fails", a_plugin_that_fails },
	  { "R9: what comes after its deadline is not begun", too_late_to_begin })
