/* SPDX-License-Identifier: Apache-2.0 */
/* --until: all VFs and leases as they were at a record or a time.  Layer: program. */
#ifndef VFK_REPLAY_UNTIL_H
#define VFK_REPLAY_UNTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/node.h"
#include "io/journal.h"

struct until {
	uint64_t seq;	 /* 0: by time */
	int64_t wall_ns; /* 0: by sequence */
	/* While records are taken. */
	struct node node;
	bool begun;	    /* a record that is no part of a snapshot was seen */
	bool over;	    /* the rest is later */
	bool too_early;	    /* what is asked for is older than what is kept */
	uint64_t last_seq;  /* the last record that counts */
	int64_t last_ns;    /* and its time */
	uint64_t first_seq; /* the oldest that is kept */
	int64_t first_ns;
};

/* A sequence, a UTC time ("2026-11-22T18:03:48.5Z", "2026-11-22 18:03"), or how long ago
 * ("-10m", "-2h30m").  VFK_E_USAGE. */
int until_parse(struct until *u, const char *text, int64_t now_wall_ns,
		struct vfk_err *err) VFK_MUST_CHECK;
/* One record, in the order of journal_read with history. */
int until_take(struct until *u, const struct journal_record *raw,
	       struct vfk_err *err) VFK_MUST_CHECK;
/* Tables, or with 'json' one document.  VFK_E_NOTFOUND: the journal does not reach so far
 * back. */
int until_print(struct until *u, bool json, FILE *out, struct vfk_err *err) VFK_MUST_CHECK;
void until_fini(struct until *u);

#endif
