/* SPDX-License-Identifier: Apache-2.0 */
/* A window over a journal file, and valid records in it.  Layer: io; only journal_read.c
 * and journal_scan.c include this. */
#ifndef VFK_IO_JOURNAL_SCAN_H
#define VFK_IO_JOURNAL_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "io/journal-internal.h"

struct window {
	const struct disk *disk;
	uint64_t sizes[JOURNAL_FILES];
	uint8_t *buf;
	size_t cap;
	int file; /* that 'buf' shows; -1: none */
	uint64_t off;
	size_t len;
	size_t ahead;	 /* how much was read at a time, last */
	uint64_t wasted; /* bytes of which the checksum was wrong */
};

struct jr_rec {
	struct jr_header h;
	uint64_t off;		/* of the header */
	const uint8_t *payload; /* until the next call */
	uint32_t crc_wanted;
};

/* Once disk and sizes are filled in. */
int window_init(struct window *w, struct vfk_err *err) VFK_MUST_CHECK;
void window_fini(struct window *w);

/* 'len' bytes at 'off', zeros behind the end of the file; valid until the next call. */
const uint8_t *window_at(struct window *w, unsigned file, uint64_t off, size_t len);

/* Whether a valid record stands at 'off' (a multiple of 8), of 'generation' or, if that is
 * 0, of any.  On false, rec->h is what the place looks like and rec->crc_wanted is 0
 * unless only the checksum is wrong. */
bool window_record(struct window *w, unsigned file, uint64_t off, uint64_t generation,
		   struct jr_rec *rec);
/* Finds the first valid record at or behind 'off'. */
bool window_find(struct window *w, unsigned file, uint64_t off, uint64_t generation,
		 struct jr_rec *rec);

#endif
