/* SPDX-License-Identifier: Apache-2.0 */
/* How a process becomes an engine on demand: the same for clients and tools.
 * Layer: base. */
#ifndef VFK_BASE_ENGINE_EXEC_H
#define VFK_BASE_ENGINE_EXEC_H

/* To be called in a new child.  Executes vfkeeper-engine, found beside this program
 * (AT_EXECFN) or else where it was installed, with a session and, where that is allowed, a
 * cgroup of its own, /dev/null as its three standard descriptors (whoever waits for the end of the
 * caller's pipes must not wait for it), of the environment only VFKEEPER_* and PATH, and of
 * all descriptors only 'lock_fd' (flock on PATH_START) and 'ready_fd', named to it by
 * --start-fd and --ready-fd.  If that fails, one line goes to 'ready_fd' and the child ends. */
_Noreturn void engine_exec(int lock_fd, int ready_fd);

#endif
