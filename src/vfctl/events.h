/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's records as events, one after the other.  Layer: program. */
#ifndef VFK_VFCTL_EVENTS_H
#define VFK_VFCTL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/node.h"
#include "io/journal.h"

/* Reads on from where it was left the last time. */
struct events {
	struct node node;    /* as after the last record */
	uint64_t last_seq;   /* what was told */
	uint64_t generation; /* of the file that was read; 0: none */
	bool started;
};

void events_init(struct events *ev);
void events_fini(struct events *ev);

/* Tells each record after the last one told, oldest first, as view_event (the callee's).
 * The first call with 'skip' tells nothing and only remembers.  VFK_E_NOTFOUND: there is no
 * journal. */
int events_read(struct events *ev, bool skip, void (*fn)(void *arg, json_t *event),
		void *arg, struct journal_status *st, struct vfk_err *err) VFK_MUST_CHECK;

/* vfctl history: of the VF that the words name, or of all without words; the last 'n_last'
 * events, 0: all. */
int history_print(const char *const *words, unsigned n_words, unsigned n_last, bool json,
		  struct vfk_err *err) VFK_MUST_CHECK;

#endif
