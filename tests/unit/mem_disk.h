/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory for journal tests.  It knows what was written (the page cache) and what
 * was synced, and can lose power: each unsynced write then lands, vanishes or tears, by
 * sectors, in an order of its own.  Any write can be made to fail or to be the last. */
#ifndef VFK_TESTS_MEM_DISK_H
#define VFK_TESTS_MEM_DISK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/journal.h"

#define MEM_SECTOR 512
#define MEM_PAGE 4096
#ifndef MEM_FILE_MAX /* the simulator has smaller ones */
#define MEM_FILE_MAX (512 * 1024)
#endif

struct mem_write {
	unsigned file;
	uint64_t off;
	size_t len;
	uint8_t *bytes; /* NULL: zeros */
	struct mem_write *next;
};

struct mem_file {
	uint8_t *now, *disk; /* page cache; what is on the disk */
	uint64_t size, disk_size;
	bool exists, disk_exists;
};

struct mem_disk {
	struct mem_file files[JOURNAL_FILES];
	struct mem_write *first, **last; /* unsynced, oldest first */
	unsigned n_ops;			 /* writes and extensions so far */
	unsigned fail_at;		 /* that one fails with 'fail_errno'; 0: none */
	unsigned fail_count;		 /* and so do that many in all */
	int fail_errno;
	unsigned die_at; /* that one is cut short and all later ones do nothing; 0: none */
	size_t die_bytes; /* of it that arrive */
	bool dead;
	bool read_only;
	unsigned n_aside; /* files that were set aside */
	unsigned n_closed;
	int (*open_hook)(unsigned n, bool writable); /* NULL, or errno to fail with */
};

static inline void mem_init(struct mem_disk *m)
{
	memset(m, 0, sizeof(*m));
	m->last = &m->first;
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		m->files[n].now = calloc(1, MEM_FILE_MAX);
		m->files[n].disk = calloc(1, MEM_FILE_MAX);
		if (!m->files[n].now || !m->files[n].disk)
			abort();
	}
}

static inline void mem_forget_writes(struct mem_disk *m)
{
	while (m->first) {
		struct mem_write *w = m->first;

		m->first = w->next;
		free(w->bytes);
		free(w);
	}
	m->last = &m->first;
}

static inline void mem_fini(struct mem_disk *m)
{
	mem_forget_writes(m);
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		free(m->files[n].now);
		free(m->files[n].disk);
	}
}

/* Page cache and disk of 'to' become those of 'from'; no unsynced writes. */
static inline void mem_copy(struct mem_disk *to, const struct mem_disk *from)
{
	mem_forget_writes(to);
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		memcpy(to->files[n].now, from->files[n].now, MEM_FILE_MAX);
		memcpy(to->files[n].disk, from->files[n].now, MEM_FILE_MAX);
		to->files[n].size = to->files[n].disk_size = from->files[n].size;
		to->files[n].exists = to->files[n].disk_exists = from->files[n].exists;
	}
	to->n_ops = to->fail_at = to->die_at = to->n_aside = 0;
	to->dead = to->read_only = false;
}

static inline int mem_open(void *ctx, unsigned n, bool create, bool writable, uint64_t *size)
{
	struct mem_disk *m = ctx;

	if (m->open_hook && m->open_hook(n, writable))
		return -m->open_hook(n, writable);
	if (writable && m->read_only)
		return -EROFS;
	if (!m->files[n].exists && !create)
		return -ENOENT;
	m->files[n].exists = true;
	*size = m->files[n].size;
	return 0;
}

/* 0, or a negative errno; '*len' may be cut. */
static inline int mem_op(struct mem_disk *m, size_t *len)
{
	m->n_ops++;
	if (m->dead) {
		*len = 0;
		return 0;
	}
	if (m->die_at && m->n_ops == m->die_at) {
		m->dead = true;
		if (*len > m->die_bytes)
			*len = m->die_bytes;
	}
	if (m->fail_at && m->n_ops >= m->fail_at && m->n_ops < m->fail_at + m->fail_count) {
		*len /= 2; /* a failing write may have got somewhere */
		return -m->fail_errno;
	}
	return 0;
}

static inline void mem_note(struct mem_disk *m, unsigned n, const void *buf, size_t len,
			    uint64_t off)
{
	struct mem_write *w;

	if (!len)
		return;
	w = calloc(1, sizeof(*w));
	if (!w || (buf && !(w->bytes = malloc(len))))
		abort();
	if (buf)
		memcpy(w->bytes, buf, len);
	w->file = n;
	w->off = off;
	w->len = len;
	*m->last = w;
	m->last = &w->next;
	if (buf)
		memcpy(m->files[n].now + off, buf, len);
	else
		memset(m->files[n].now + off, 0, len);
	if (off + len > m->files[n].size)
		m->files[n].size = off + len;
}

static inline int mem_pwrite(void *ctx, unsigned n, const void *buf, size_t len,
			     uint64_t off)
{
	struct mem_disk *m = ctx;
	int rc = mem_op(m, &len);

	if (off + len > MEM_FILE_MAX)
		return -EFBIG;
	mem_note(m, n, buf, len, off);
	return rc;
}

static inline int mem_extend(void *ctx, unsigned n, uint64_t size)
{
	struct mem_disk *m = ctx;
	size_t len = size > m->files[n].size ? (size_t)(size - m->files[n].size) : 0;
	int rc;

	if (size > MEM_FILE_MAX)
		return -EFBIG;
	rc = mem_op(m, &len);
	mem_note(m, n, NULL, len, m->files[n].size);
	return rc;
}

static inline ssize_t mem_pread(void *ctx, unsigned n, void *buf, size_t len, uint64_t off)
{
	struct mem_disk *m = ctx;
	uint64_t size = m->files[n].size;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	memcpy(buf, m->files[n].now + off, len);
	return (ssize_t)len;
}

static inline int mem_fd(void *ctx, unsigned n)
{
	(void)ctx;
	(void)n;
	return -1;
}

static inline int mem_set_aside(void *ctx, unsigned n)
{
	struct mem_disk *m = ctx;
	size_t len = 1;
	int rc = mem_op(m, &len);

	if (rc < 0 || !len || m->dead)
		return rc;
	if (!m->files[n].exists)
		return -ENOENT;
	memset(m->files[n].now, 0, MEM_FILE_MAX);
	memset(m->files[n].disk, 0, MEM_FILE_MAX);
	m->files[n].size = m->files[n].disk_size = 0;
	m->files[n].exists = m->files[n].disk_exists = false;
	m->n_aside++;
	return 0;
}

static inline void mem_close(void *ctx)
{
	((struct mem_disk *)ctx)->n_closed++;
}

static inline struct disk mem_as_disk(struct mem_disk *m)
{
	return (struct disk){ .ctx = m,
			      .open = mem_open,
			      .extend = mem_extend,
			      .pread = mem_pread,
			      .pwrite = mem_pwrite,
			      .fd = mem_fd,
			      .set_aside = mem_set_aside,
			      .close = mem_close };
}

static inline void mem_land(struct mem_file *f, const struct mem_write *w, uint64_t from,
			    uint64_t to)
{
	if (w->bytes)
		memcpy(f->disk + from, w->bytes + (from - w->off), (size_t)(to - from));
	else
		memset(f->disk + from, 0, (size_t)(to - from));
	if (to > f->disk_size)
		f->disk_size = to;
}

/* What a worker's fdatasync does: everything written to file 'n' up to now is on the disk, with
 * the pages that it is in, as they are now: nothing smaller is written to a disk. */
static inline void mem_sync(struct mem_disk *m, unsigned n)
{
	bool dirty[MEM_FILE_MAX / MEM_PAGE] = { false };
	struct mem_file *f = &m->files[n];
	struct mem_write **at = &m->first;

	m->last = &m->first;
	while (*at) {
		struct mem_write *w = *at;

		if (w->file != n) {
			at = &w->next;
			m->last = at;
			continue;
		}
		for (uint64_t p = w->off / MEM_PAGE; p * MEM_PAGE < w->off + w->len; p++)
			dirty[p] = true;
		*at = w->next;
		free(w->bytes);
		free(w);
	}
	for (uint64_t p = 0; p * MEM_PAGE < f->size; p++) {
		uint64_t from = p * MEM_PAGE, left = f->size - from;
		uint64_t len = left < MEM_PAGE ? left : MEM_PAGE;

		if (!dirty[p])
			continue;
		memcpy(f->disk + from, f->now + from, (size_t)len);
		if (from + len > f->disk_size)
			f->disk_size = from + len;
	}
	f->disk_exists = f->exists;
}

/* A sync that fails: the kernel forgets that these writes are still owed to the disk. */
static inline void mem_sync_fails(struct mem_disk *m, unsigned n)
{
	struct mem_write **at = &m->first;

	m->last = &m->first;
	while (*at) {
		struct mem_write *w = *at;

		if (w->file == n) {
			*at = w->next;
			free(w->bytes);
			free(w);
		} else {
			at = &w->next;
			m->last = at;
		}
	}
}

/* The machine starts: the page cache is empty, and what is read is what the disk has. */
static inline void mem_cache_gone(struct mem_disk *m)
{
	mem_forget_writes(m);
	for (unsigned f = 0; f < JOURNAL_FILES; f++) {
		struct mem_file *file = &m->files[f];

		/* Behind the ends all is zero. */
		memcpy(file->now, file->disk,
		       file->size > file->disk_size ? file->size : file->disk_size);
		file->size = file->disk_size;
		/* File systems keep names in order: a name with data behind it is there. */
		file->disk_exists = file->exists;
	}
}

/* Power is lost.  'roll' gives random numbers. */
static inline void mem_power_loss(struct mem_disk *m, uint64_t (*roll)(void *), void *arg)
{
	struct mem_write *all[4096];
	size_t n = 0;

	for (struct mem_write *w = m->first; w && n < 4096; w = w->next)
		all[n++] = w;
	/* Any order. */
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)(roll(arg) % i);
		struct mem_write *swap = all[i - 1];

		all[i - 1] = all[k];
		all[k] = swap;
	}
	for (size_t i = 0; i < n; i++) {
		const struct mem_write *w = all[i];
		struct mem_file *f = &m->files[w->file];
		unsigned fate = (unsigned)(roll(arg) % 3);

		if (fate == 0) /* vanishes */
			continue;
		for (uint64_t from = w->off; from < w->off + w->len;) {
			uint64_t to = (from / MEM_SECTOR + 1) * MEM_SECTOR;

			if (to > w->off + w->len)
				to = w->off + w->len;
			if (fate == 1 || roll(arg) % 2)
				mem_land(f, w, from, to);
			from = to;
		}
	}
	mem_cache_gone(m);
	m->dead = false;
	m->die_at = m->fail_at = 0;
}

#endif
