/* SPDX-License-Identifier: Apache-2.0 */
/* Private network namespaces and a private root for unit tests that need a kernel. */
#ifndef VFK_TESTS_NETNS_H
#define VFK_TESTS_NETNS_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

/* Moves the test process into a new network namespace, once; false (and the case is
 * skipped): this machine or user may not.  'return' then. */
static inline bool netns_private(void)
{
	static int state; /* 0 not tried, 1 yes, else errno */

	if (!state)
		state = unshare(CLONE_NEWNET) ? -errno : 1;
	if (state == 1)
		return true;
	SUITE_SKIP("no new network namespace (%s): needs root", strerror(-state));
	return false;
}

/* A descriptor of a new, empty namespace; the process stays where it is. */
static inline int netns_pod(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), pod = -1;

	if (home >= 0 && !unshare(CLONE_NEWNET)) {
		pod = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (setns(home, CLONE_NEWNET))
			abort(); /* nothing that followed would be private */
	}
	if (home >= 0)
		close(home);
	CU_ASSERT_FATAL(pod >= 0);
	return pod;
}

/* Runs a shell command in namespace 'fd' (-1: here); true if it ends with 0. */
static inline bool netns_sh(int fd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline bool netns_sh(int fd, const char *fmt, ...)
{
	char cmd[600];
	va_list ap;
	int home, rc;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && setns(fd, CLONE_NEWNET))
		return false;
	rc = system(cmd);
	if (setns(home, CLONE_NEWNET))
		abort();
	close(home);
	return rc == 0;
}

#endif
