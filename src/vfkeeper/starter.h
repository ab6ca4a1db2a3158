/* SPDX-License-Identifier: Apache-2.0 */
/* Starts an engine where none answers: one of all clients does it, who holds the flock
 * on PATH_START (R2).  Layer: program. */
#ifndef VFK_VFKEEPER_STARTER_H
#define VFK_VFKEEPER_STARTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct starter {
	int lock_fd;	 /* PATH_START, kept open between tries; -1 */
	int ready_fd;	 /* read end of the ready pipe of an engine being started; -1 */
	unsigned n_died; /* engines that ended without a word, in a row */
	int64_t not_before_ns; /* CLOCK_BOOTTIME of the next start */
};

void starter_init(struct starter *s);

/* Tries to become the one who starts.  1: held; look once more for an engine, then
 * starter_spawn or starter_unlock.  0: somebody else is starting one.  VFK_E_SYS. */
int starter_lock(struct starter *s, struct vfk_err *err) VFK_MUST_CHECK;
void starter_unlock(struct starter *s);

/* Starts vfkeeper-engine, which takes the lock over.  Its fate comes by ready_fd. */
int starter_spawn(struct starter *s, struct vfk_err *err) VFK_MUST_CHECK;

/* To be called when ready_fd is readable.  1: the engine is ready.  0: it ended without
 * a word, another start is due at not_before_ns.  VFK_E_BUSY: it said why it cannot. */
int starter_ready(struct starter *s, int64_t now_ns, struct vfk_err *err) VFK_MUST_CHECK;

#endif
