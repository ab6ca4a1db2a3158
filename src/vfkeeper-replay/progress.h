/* SPDX-License-Identifier: Apache-2.0 */
/* A word on standard error once a second while long work goes on.  Layer: program. */
#ifndef VFK_REPLAY_PROGRESS_H
#define VFK_REPLAY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *out;
	bool terminal;	   /* one line that is written over */
	int64_t next_ns;   /* when the next word is due */
	uint64_t n, bytes; /* records so far */
	bool spoken;
};

void progress_begin(struct progress *p, FILE *out, int64_t now_ns);
void progress_record(struct progress *p, uint64_t bytes, int64_t now_ns);
/* Ends the line, if there is one. */
void progress_end(struct progress *p);

#endif
