/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one CNI plugin as a child in a process group of its own.  Used by the client (RUN
 * frames) and by the worker that pays owed leases (engine/pay.c).  Layer: base. */
#ifndef VFK_BASE_PLUGIN_H
#define VFK_BASE_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/frame.h"

/* Finds 'type' in the colon-separated 'search': the first regular file after following
 * symlinks.  Writes its path into 'out' (PATH_MAX) and returns true.  A type that is
 * empty or holds a '/' is never found. */
bool plugin_find(const char *search, const char *type, char *out, size_t cap_bytes);

/* Only root can have written it: file and directory are root's, and writable by nobody
 * else.  False also where it cannot be looked at. */
bool plugin_trusted(const char *path);

struct plugin_run {
	pid_t pid;  /* leader of its own process group */
	int pidfd;  /* readable when it ended; -1 before start and after plugin_end */
	int out_fd; /* memfd that is its stdout; the caller's */
	int64_t deadline_boot_ns;
};

/* Starts 'path' with 'stdin_fd' (rewound first) as stdin, a new memfd as stdout, stderr
 * inherited, 'envp' as its environment and 'keep_fd' (or -1) inherited beside them;
 * everything else is close-on-exec.  'procs_fd' (or -1) is the cgroup.procs of the control
 * group that it runs in.  The plugin dies with its parent (PR_SET_PDEATHSIG;
 * its own children do not).  0, or VFK_E_SYS: nothing was started. */
int plugin_start(struct plugin_run *run, const char *path, int stdin_fd, char *const envp[],
		 int keep_fd, int procs_fd, struct vfk_err *err) VFK_MUST_CHECK;

/* SIGKILLs the whole group; plugin_reap still has to be called. */
void plugin_kill(const struct plugin_run *run);

/* Waits (blocking; poll pidfd before where that matters), then ends what is left of the
 * group.  Fills outcome (RUN_EXITED or RUN_SIGNALLED) and status. */
void plugin_reap(struct plugin_run *run, enum run_outcome *outcome, int *status);

/* Builds an environment: 'base' with the variables of the block 'over' ("K=V\0...",
 * 'over_len' bytes, NULL allowed) and 'CNI_COMMAND=verb' in place of its own.  One
 * allocation for the vector and the new strings; strings of 'base' and 'over' are
 * borrowed.  NULL: out of memory. */
char **plugin_env(char *const base[], const char *over, size_t over_len, const char *verb);

#endif
