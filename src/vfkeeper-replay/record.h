/* SPDX-License-Identifier: Apache-2.0 */
/* One journal record, decoded, as a line for people or as a JSON object.  Layer: program. */
#ifndef VFK_REPLAY_RECORD_H
#define VFK_REPLAY_RECORD_H

#include <stdio.h>

#include "io/codec.h"
#include "io/journal.h"

struct record {
	const struct journal_record *raw;
	uint16_t type; /* enum record_type, or any number of a newer writer */
	union {
		struct rec_node node;
		struct rec_vf vf;
		struct rec_lease lease;
		struct rec_blob blob; /* without its bytes */
	};
};

/* VFK_E_DECODE: the payload is not what the type says; of an unknown type nothing is decoded
 * and 0 returned. */
int record_decode(struct record *out, const struct journal_record *raw,
		  struct vfk_err *err) VFK_MUST_CHECK;

/* "node", "vf", "lease", "blob", or "unknown". */
const char *record_type_name(uint16_t type);

void record_line(FILE *out, const struct record *rec);
/* VFK_E_NOMEM. */
int record_json(FILE *out, const struct record *rec, struct vfk_err *err) VFK_MUST_CHECK;
/* The same two for a record that could not be decoded, with the reason. */
void record_line_bad(FILE *out, const struct journal_record *raw, const char *why);
int record_json_bad(FILE *out, const struct journal_record *raw, const char *why,
		    struct vfk_err *err) VFK_MUST_CHECK;

/* "2026-11-22T18:03:48.123456789Z"; "-" for 0. */
#define RECORD_TIME_LEN 32
const char *record_time(int64_t wall_ns, char buf[RECORD_TIME_LEN]);

#endif
