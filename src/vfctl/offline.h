/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal where no engine answers, and its history at any time.  Opens nothing
 * for writing.  Layer: program. */
#ifndef VFK_VFCTL_OFFLINE_H
#define VFK_VFCTL_OFFLINE_H

#include "base/attr.h"
#include "base/err.h"
#include "engine/node.h"
#include "engine/view.h"
#include "io/journal.h"

/* All records in order, history included if 'history'.  VFK_E_NOTFOUND: no journal. */
int offline_records(bool history, journal_record_fn fn, void *arg,
		    struct journal_status *st, struct vfk_err *err) VFK_MUST_CHECK;

struct offline {
	struct node node;
	struct journal_status journal;
};

/* Replays the journal into 'o->node'; also what is whole of a damaged one: look at
 * o->journal.verdict.  VFK_E_NOTFOUND: there is no journal; VFK_E_SYS; VFK_E_VERSION.
 * offline_fini in any case. */
int offline_read(struct offline *o, struct vfk_err *err) VFK_MUST_CHECK;
void offline_fini(struct offline *o);

/* 0 for a clean journal; VFK_E_TORN, VFK_E_CORRUPT or VFK_E_VERSION with the line to say. */
int offline_verdict(const struct offline *o, struct vfk_err *err) VFK_MUST_CHECK;

/* All records of one VF that the journal's files still keep, oldest first. */
struct history {
	struct view_record **records;
	size_t n_records, cap;
};

int history_read(struct history *h, pci_addr_t addr, struct vfk_err *err) VFK_MUST_CHECK;
void history_fini(struct history *h);

/* The VF that the words (view_find) last named, looking at the past as well: who was called
 * so, or attached so, at any time that the journal remembers.  VFK_E_NOTFOUND. */
int history_find(const char *const *words, unsigned n_words, pci_addr_t *addr,
		 struct vfk_err *err) VFK_MUST_CHECK;

#endif
