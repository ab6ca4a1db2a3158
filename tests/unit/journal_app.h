/* SPDX-License-Identifier: Apache-2.0 */
/* A small owner of a journal: some cells with values.  It remembers what its state was after
 * each record, so that a recovered state can be compared with the past. */
#ifndef VFK_TESTS_JOURNAL_APP_H
#define VFK_TESTS_JOURNAL_APP_H

#include <stdio.h>

#include "io/journal.h"
#include "io/journal-internal.h"
#include "mem_disk.h"

#define APP_CELLS 8
#define APP_TYPE 7
#define APP_PAST 4096

struct app {
	uint64_t cells[APP_CELLS];
	uint64_t past[APP_PAST][APP_CELLS]; /* by sequence */
	struct journal *j;
	struct journal_status st;
	struct vfk_err err;
	/* What a reading passed. */
	unsigned n_passed, n_snapshot;
	uint64_t passed[APP_PAST];
	uint64_t seed;
	unsigned pad;	    /* extra bytes in each record */
	int snapshot_fails; /* after that many records; -1: never */
};

/* splitmix64: the same numbers on every machine. */
static inline uint64_t app_roll(void *arg)
{
	uint64_t z = *(uint64_t *)arg += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t app_random(void *arg)
{
	return app_roll(&((struct app *)arg)->seed);
}

static inline void app_init(struct app *a)
{
	memset(a, 0, sizeof(*a));
	a->seed = 1;
	a->snapshot_fails = -1;
}

static inline size_t app_encode(const struct app *a, unsigned cell, uint8_t *buf)
{
	uint64_t pair[2] = { cell, a->cells[cell] };
	size_t len = sizeof(pair) + a->pad + cell % 5;

	memcpy(buf, pair, sizeof(pair));
	/* Else half a record would be a whole one where it stands over an older one. */
	for (size_t i = sizeof(pair); i < len; i++)
		buf[i] = (uint8_t)(pair[1] >> 8 * (i % 8));
	return len;
}

static inline int app_record(void *arg, const struct journal_record *rec,
			     struct vfk_err *err)
{
	struct app *a = arg;
	uint64_t pair[2];

	(void)err;
	if (a->n_passed < APP_PAST)
		a->passed[a->n_passed] = rec->seq;
	a->n_passed++;
	a->n_snapshot += rec->in_snapshot;
	if (rec->type != APP_TYPE || rec->len_bytes < sizeof(pair))
		return 0;
	memcpy(pair, rec->payload, sizeof(pair));
	if (pair[0] < APP_CELLS)
		a->cells[pair[0]] = pair[1];
	return 0;
}

static inline int app_snapshot(void *arg, struct journal *j, struct vfk_err *err)
{
	uint8_t buf[JOURNAL_PAYLOAD_MAX];
	struct app *a = arg;

	for (unsigned i = 0; i < APP_CELLS; i++) {
		uint64_t offset;
		int rc;

		if (a->snapshot_fails == (int)i)
			return vfk_err_set(err, VFK_E_INTERNAL, 0, "snapshot stopped");
		rc = journal_snapshot_put(j, APP_TYPE, buf, app_encode(a, i, buf),
					  &offset, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static inline void app_remember(struct app *a)
{
	uint64_t seq = journal_last(a->j);

	if (seq < APP_PAST)
		memcpy(a->past[seq], a->cells, sizeof(a->cells));
}

/* Forgets the state and reads it back. */
static inline int app_open(struct app *a, struct disk *disk, const char *durable_path,
			   uint64_t min_size)
{
	struct journal_cfg cfg = { .disk = disk,
				   .durable_path = durable_path,
				   .min_size = min_size,
				   .snapshot = app_snapshot,
				   .arg = a,
				   .random = app_random };
	int rc;

	memset(a->cells, 0, sizeof(a->cells));
	a->n_passed = a->n_snapshot = 0;
	memset(&a->err, 0, sizeof(a->err));
	rc = journal_open(&a->j, &cfg, app_record, &a->st, &a->err);
	if (rc == 0)
		app_remember(a);
	return rc;
}

/* One change: the record first, as the engine does it. */
static inline int app_set(struct app *a, unsigned cell, uint64_t value)
{
	uint8_t buf[JOURNAL_PAYLOAD_MAX];
	uint64_t old = a->cells[cell], seq;
	int rc;

	a->cells[cell] = value;
	rc = journal_append(a->j, APP_TYPE, buf, app_encode(a, cell, buf), &seq, &a->err);
	if (rc < 0)
		a->cells[cell] = old;
	else
		app_remember(a);
	return rc;
}

static inline void app_close(struct app *a)
{
	journal_close(a->j);
	a->j = NULL;
}

/* Plays the sync worker over a memory disk. */
static inline bool app_sync(struct app *a, struct mem_disk *m)
{
	unsigned file;
	uint64_t upto;
	int fd;

	if (!journal_want_sync(a->j, &fd, &file, &upto))
		return false;
	mem_sync(m, file);
	journal_synced(a->j, file, upto, 0);
	return true;
}

static inline bool app_sync_fails(struct app *a, struct mem_disk *m)
{
	unsigned file;
	uint64_t upto;
	int fd;

	if (!journal_want_sync(a->j, &fd, &file, &upto))
		return false;
	mem_sync_fails(m, file);
	journal_synced(a->j, file, upto, EIO);
	return true;
}

/* Where the record with that sequence stands in the file in use. */
static inline uint64_t mem_offset_of(const struct mem_disk *m, unsigned n, uint64_t seq)
{
	uint64_t off = JOURNAL_HEADER_BYTES;
	struct jr_header h;

	while (jr_decode(m->files[n].now + off, &h) && h.seq != seq)
		off += jr_bytes(h.len);
	return off;
}

#endif
