/* SPDX-License-Identifier: Apache-2.0 */
/* Spawner and worker processes (R7): a spawner is forked before lock, journal and
 * sockets are opened; it alone forks workers, reaps and replaces them.  The loop and a
 * worker share a SOCK_SEQPACKET pair: a job is a message with descriptors, a result is a
 * message.  Spawner and workers close all descriptors but their own and end on end of
 * file, a worker after its step.  Layer: io. */
#ifndef VFK_IO_SPAWNER_H
#define VFK_IO_SPAWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

struct spawner;

#define JOB_MAX (96 * 1024) /* bytes of a request or a result */
#define JOB_MAX_FDS 4

/* Carries out one job, in a worker process, blocking.  'fds' are closed by the caller after
 * it returns.  Writes at most JOB_MAX bytes of result and returns their number (> 0). */
typedef size_t (*worker_fn)(const void *job, size_t len_bytes, const int *fds,
			    unsigned n_fds, void *result);

/* Forks the spawner.  To be called first thing in a program: before threads, before any
 * descriptor that matters is open (the spawner closes all but stderr and its own).  VFK_E_SYS. */
int spawner_start(struct spawner **out, worker_fn fn, struct vfk_err *err) VFK_MUST_CHECK;

/* The loop's descriptor of the spawner: end of file on it means that the spawner ended, and
 * an engine then ends itself. */
int spawner_fd(const struct spawner *s);

/* Asks for a worker and waits for its socket (the spawner only forks, so this is
 * microseconds; at most 1 s, then VFK_E_TIMEOUT).  The descriptor (non-blocking,
 * close-on-exec) is the caller's; closing it ends the worker after its step. */
int spawner_worker(struct spawner *s, int *sock, pid_t *pid,
		   struct vfk_err *err) VFK_MUST_CHECK;

/* SIGKILLs a worker that missed its deadline.  One in uninterruptible sleep stays until the
 * kernel lets go; its socket reports end of file when it is really gone. */
int spawner_kill(struct spawner *s, pid_t pid, struct vfk_err *err) VFK_MUST_CHECK;

/* Closes the loop's end; the spawner ends when its workers are gone.  NULL allowed. */
void spawner_free(struct spawner *s);

/* One message with descriptors on a worker's socket.  0 or VFK_E_SYS (err->sys). */
int worker_send(int sock, const void *buf, size_t len_bytes, const int *fds,
		unsigned n_fds, struct vfk_err *err) VFK_MUST_CHECK;
/* Length, 0 at end of file, or VFK_E_SYS (EAGAIN: none yet). */
ssize_t worker_recv(int sock, void *buf, size_t cap_bytes,
		    struct vfk_err *err) VFK_MUST_CHECK;

#endif
