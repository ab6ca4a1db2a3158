/* SPDX-License-Identifier: Apache-2.0 */
#include "io/journal_scan.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* At least the longest record. */
#define WINDOW_BYTES (512 * 1024)
/* Of a file that is mostly empty, as it is behind a snapshot, no more than this is read first;
 * then twice as much each time. */
#define AHEAD_BYTES (8 * 1024)
#define SECTOR 4096
/* A file full of records with wrong checksums was made by somebody: it is not worth minutes. */
#define WASTE_MAX (UINT64_C(64) * 1024 * 1024)
/* Places (of 8 bytes) that are compared at once. */
#define STRIDE 32

int window_init(struct window *w, struct vfk_err *err)
{
	w->cap = JF_DATA;
	for (unsigned n = 0; n < JOURNAL_FILES; n++)
		if (w->sizes[n] > w->cap)
			w->cap = w->sizes[n] < WINDOW_BYTES ? (size_t)w->sizes[n] :
							      WINDOW_BYTES;
	w->file = -1;
	w->buf = malloc(w->cap);
	if (!w->buf)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "read the journal");
	return 0;
}

void window_fini(struct window *w)
{
	free(w->buf);
	w->buf = NULL;
}

/* What cannot be read counts as zeros: the rules for a lost place then apply to it. */
static void window_fill(struct window *w, unsigned file, uint64_t off, size_t len)
{
	ssize_t got = w->disk->pread(w->disk->ctx, file, w->buf, len, off);

	if (got >= 0) {
		memset(w->buf + got, 0, len - (size_t)got);
		return;
	}
	for (size_t at = 0; at < len; at += SECTOR) {
		size_t part = len - at < SECTOR ? len - at : SECTOR;

		got = w->disk->pread(w->disk->ctx, file, w->buf + at, part, off + at);
		if (got < (ssize_t)part)
			memset(w->buf + at + (got < 0 ? 0 : got), 0,
			       part - (got < 0 ? 0 : (size_t)got));
	}
}

const uint8_t *window_at(struct window *w, unsigned file, uint64_t off, size_t len)
{
	if (w->file != (int)file || off < w->off || off + len > w->off + w->len) {
		uint64_t rest = w->sizes[file] > off ? w->sizes[file] - off : 0;

		w->ahead = w->file == (int)file ? w->ahead * 2 : AHEAD_BYTES;
		if (w->ahead > w->cap)
			w->ahead = w->cap;
		w->len = rest < w->ahead ? (size_t)rest : w->ahead;
		if (w->len < len)
			w->len = len;
		w->file = (int)file;
		w->off = off;
		window_fill(w, file, off, w->len);
	}
	return w->buf + (off - w->off);
}

bool window_record(struct window *w, unsigned file, uint64_t off, uint64_t generation,
		   struct jr_rec *rec)
{
	const uint8_t *at = window_at(w, file, off, JR_HEADER);
	uint32_t crc;

	rec->off = off;
	rec->payload = NULL;
	rec->crc_wanted = 0;
	if (!jr_decode(at, &rec->h) || rec->h.len > JOURNAL_PAYLOAD_MAX ||
	    off + jr_bytes(rec->h.len) > w->sizes[file])
		return false;
	if (generation && rec->h.generation != generation)
		return false;
	/* A record is never synced before it is written. */
	if (rec->h.seq > JF_NUMBER_MAX || rec->h.durable_upto >= rec->h.seq)
		return false;
	at = window_at(w, file, off, jr_bytes(rec->h.len));
	crc = jr_crc(at, rec->h.len);
	if (crc != rec->h.crc) {
		rec->crc_wanted = crc;
		w->wasted += jr_bytes(rec->h.len);
		return false;
	}
	rec->payload = at + JR_HEADER;
	return true;
}

static uint64_t low_half(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return le64toh(word) & UINT32_MAX;
}

static bool is_magic(const uint8_t *at)
{
	return low_half(at) == JR_MAGIC;
}

/* Most of a file is zeros: looks at STRIDE places without a branch.  The difference is less
 * than 2^32, so that only that of 0 sets the highest bit when 1 is taken away. */
static bool stride_has_magic(const uint8_t *at)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < STRIDE; i++)
		any |= (low_half(at + (size_t)i * 8) ^ JR_MAGIC) - 1;
	return any >> 63;
}

bool window_find(struct window *w, unsigned file, uint64_t off, uint64_t generation,
		 struct jr_rec *rec)
{
	while (off + JR_HEADER <= w->sizes[file] && w->wasted < WASTE_MAX) {
		const uint8_t *at = window_at(w, file, off, JR_HEADER);
		size_t n = (size_t)(w->off + w->len - off) / 8;

		for (size_t i = 0; i < n;) {
			if (n - i >= STRIDE && !stride_has_magic(at + i * 8)) {
				i += STRIDE;
				continue;
			}
			for (size_t k = 0; k < STRIDE && i < n; k++, i++) {
				if (!is_magic(at + i * 8))
					continue;
				if (window_record(w, file, off + i * 8, generation, rec))
					return true;
				/* The window may have moved. */
				off += (i + 1) * 8;
				goto moved;
			}
		}
		off += n * 8;
moved:;
	}
	return false;
}
