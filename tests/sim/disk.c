/* SPDX-License-Identifier: Apache-2.0 */
#define MEM_FILE_MAX (64 * 1024)

#include "disk.h"

#include "../unit/mem_disk.h"
#include "cover.h"
#include "engines.h"
#include "fds.h"
#include "promises.h"
#include "shadow.h"

static struct mem_disk disk;
static bool made;
/* A sync failed since the file was begun: what was to be written never will be, also if a later
 * one succeeds. */
static bool forgot[JOURNAL_FILES];
static bool sync_failed; /* and none has worked since */
/* How far a file has been written since it was begun, and how far of that was synced: what a
 * later sync that fails cannot undo. */
static uint64_t written[JOURNAL_FILES], kept[JOURNAL_FILES];
/* Nothing has been written to it since the machine started: all of it is on the disk, up to
 * where an engine goes on, which may be before what had been written. */
static bool untouched[JOURNAL_FILES];
/* Behind that all is zero, in the cache and on the disk. */
static uint64_t zero_from[JOURNAL_FILES];

void disk_reset(void)
{
	if (!made) {
		mem_init(&disk);
		made = true;
		return;
	}
	sync_failed = false;
	memset(forgot, 0, sizeof(forgot));
	memset(written, 0, sizeof(written));
	memset(kept, 0, sizeof(kept));
	memset(untouched, 0, sizeof(untouched));
	mem_forget_writes(&disk);
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		struct mem_file *f = &disk.files[n];

		memset(f->now, 0, zero_from[n]);
		memset(f->disk, 0, zero_from[n]);
		zero_from[n] = 0;
		f->size = f->disk_size = 0;
		f->exists = f->disk_exists = false;
	}
	disk.n_ops = disk.fail_at = disk.fail_count = disk.n_aside = 0;
	disk.fail_errno = 0;
}

static int op_pwrite(void *ctx, unsigned n, const void *buf, size_t len, uint64_t off)
{
	int rc;

	if (!engine_lives()) /* killed before this call: it was never made */
		return 0;
	if (engine_dies_here()) /* killed within: part of it is in the page cache */
		len = len / 2;
	if (!off) {
		written[n] = kept[n] = 0;
		forgot[n] = false;
		shadow_begun(n);
	} else if (untouched[n]) {
		written[n] = kept[n] = off;
	}
	untouched[n] = false;
	if (written[n] < off + len)
		written[n] = off + len;
	if (zero_from[n] < off + len)
		zero_from[n] = off + len;
	rc = mem_pwrite(ctx, n, buf, len, off);
	if (rc < 0 && disk.fail_at)
		cover_event(EVENT_DISK_FULL);
	return rc;
}

static int op_extend(void *ctx, unsigned n, uint64_t size)
{
	if (!engine_lives() || engine_dies_here())
		return 0;
	return mem_extend(ctx, n, size);
}

static int op_set_aside(void *ctx, unsigned n)
{
	if (!engine_lives() || engine_dies_here())
		return 0;
	return mem_set_aside(ctx, n);
}

static int op_fd(void *ctx, unsigned n)
{
	(void)ctx;
	return engine_file_fd(n);
}

struct disk disk_ops(void)
{
	struct disk d = mem_as_disk(&disk);

	d.pwrite = op_pwrite;
	d.extend = op_extend;
	d.set_aside = op_set_aside;
	d.fd = op_fd;
	return d;
}

void disk_sync(unsigned file)
{
	mem_sync(&disk, file);
	sync_failed = false;
	if (!forgot[file])
		kept[file] = written[file];
}

void disk_sync_fails(unsigned file)
{
	forgot[file] = sync_failed = true;
	mem_sync_fails(&disk, file);
}

void disk_sync_unheard(void)
{
	sync_failed = true;
}

bool disk_cannot_sync(void)
{
	return sync_failed;
}

bool disk_settle(void)
{
	bool lost = false;

	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		lost |= forgot[n];
		mem_sync(&disk, n);
	}
	return lost;
}

void disk_cache_gone(void)
{
	memset(forgot, 0, sizeof(forgot)); /* nobody reads any more what is not there */
	memset(untouched, true, sizeof(untouched));
	mem_cache_gone(&disk);
}

static uint64_t roll(void *arg)
{
	return rng_next(arg);
}

void disk_power_loss(struct rng *r)
{
	if (disk.first) /* something is not synced */
		cover_event(EVENT_POWER_LOSS);
	mem_power_loss(&disk, roll, r);
	disk_cache_gone();
}

bool disk_full(int sys, unsigned n_writes)
{
	bool was = disk.fail_at != 0;

	disk.fail_at = n_writes ? disk.n_ops + 1 : 0;
	disk.fail_count = n_writes;
	disk.fail_errno = sys;
	return was;
}

bool disk_is_full(void)
{
	return disk.fail_at != 0 && disk.fail_count > 1;
}

bool disk_rot(struct rng *r)
{
	unsigned n = rng_below(r, JOURNAL_FILES);
	struct mem_file *f = &disk.files[n];
	uint64_t off;

	if (!f->exists || f->size < JOURNAL_HEADER_BYTES)
		return false;
	off = rng_one_in(r, 4) ? rng_below(r, 128) :
				 JOURNAL_HEADER_BYTES + rng_below(r, 16 * 1024);
	if (zero_from[n] < off + 8)
		zero_from[n] = off + 8;
	for (unsigned i = 0; i < 8 && off + i < f->size; i++)
		f->now[off + i] ^= (uint8_t)(1 + rng_below(r, 255));
	if (f->disk_size >= off + 8)
		memcpy(f->disk + off, f->now + off, 8);
	if (off < f->size)
		cover_event(EVENT_DISK_ROT);
	shadow_rot(n, off, off + 8);
	return true;
}

bool disk_is_synced(unsigned file, uint64_t end)
{
	if (end <= kept[file])
		return true;
	if (forgot[file])
		return false;
	for (const struct mem_write *w = disk.first; w; w = w->next)
		if (w->file == file && w->off < end)
			return false;
	return true;
}

unsigned disk_set_aside(void)
{
	return disk.n_aside;
}
