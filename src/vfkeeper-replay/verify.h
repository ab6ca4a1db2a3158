/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the state machines again over the records, and counts.  Layer: program. */
#ifndef VFK_REPLAY_VERIFY_H
#define VFK_REPLAY_VERIFY_H

#include <stdio.h>

#include "io/journal.h"
#include "vfkeeper-replay/record.h"

struct verify;

struct verify *verify_new(void); /* NULL: out of memory */
void verify_free(struct verify *v);

/* One record, in order.  Each finding is a line on 'out' (NULL: only counted).
 * VFK_E_NOMEM. */
int verify_record(struct verify *v, FILE *out, const struct record *rec,
		  struct vfk_err *err) VFK_MUST_CHECK;
/* A record that could not be decoded. */
void verify_bad(struct verify *v, FILE *out, const struct journal_record *raw,
		const char *why);
/* What has to be true at the end: what VFs and leases need is there. */
void verify_end(struct verify *v, FILE *out);

unsigned verify_findings(const struct verify *v);
unsigned verify_steps(const struct verify *v); /* transitions that were run again */

/* Types, events, files and final states, as lines of "what: number". */
void verify_stats(const struct verify *v, FILE *out, const struct journal_status *st);

#endif
