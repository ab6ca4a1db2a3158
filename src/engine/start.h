/* SPDX-License-Identifier: Apache-2.0 */
/* R1 to R3: who may be the engine of this node, and what it finds on the disk.
 * Layer: engine. */
#ifndef VFK_ENGINE_START_H
#define VFK_ENGINE_START_H

#include <stdbool.h>

#include "engine/config.h"
#include "engine/node.h"
#include "io/journal.h"

/* Makes the limits of the process (open files, memory, size of a file) the engine's own: one
 * on demand has those of whoever happened to call first. */
void start_limits(void);

/* What keeps every other engine away as long as these descriptors are open. */
struct start_lock {
	int lock_fd;	  /* LOCK */
	int guard_fds[8]; /* what the drivers guard */
	unsigned n_guards;
};

/* Waits at most 'wait_ms'.  VFK_E_BUSY: another engine is there; VFK_E_SYS. */
int start_lock(struct start_lock *lock, const struct config *cfg, int wait_ms,
	       struct vfk_err *err) VFK_MUST_CHECK;
void start_unlock(struct start_lock *lock);

/* Whether LOCK or a socket was removed or replaced: no client finds this engine any more, and
 * as long as it is there no other can serve them. */
bool start_unreachable(const struct start_lock *lock);

struct start_state {
	struct node *node;	 /* filled by start_journal */
	struct journal *journal; /* NULL: cannot be written, 'broken' says why */
	struct journal_status status;
	char broken[240];
};

/* Opens the journal and replays it into 'st->node' (initialised here).  Never fails: an
 * engine that cannot write still serves DEL (P10). */
void start_journal(struct start_state *st);

/* Where st->journal is NULL for want of room or of a writable disk: tries again.  NULL: not
 * yet.  '*unread': records stand there that start_journal could not read (a directory that
 * could not be reached).  This engine's snapshot would take their place: nothing is written,
 * and the engine has to end, for one that reads them. */
struct journal *start_journal_late(const struct start_state *st,
				   bool *unread) VFK_MUST_CHECK;

/* R3: takes PATH_START (so that no client starts an engine meanwhile) and asks an engine on
 * demand to give way.  'start_fd' is to be closed when the sockets are bound.  VFK_E_SYS. */
int start_take_over(int *start_fd, struct vfk_err *err) VFK_MUST_CHECK;

#endif
