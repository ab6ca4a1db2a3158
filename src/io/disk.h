/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal needs of a disk.  The real one is fs.c; tests have a disk that forgets,
 * tears and reorders unsynced writes.  Layer: io. */
#ifndef VFK_IO_DISK_H
#define VFK_IO_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define DISK_ASIDE_MAX 12

/* Files are numbered 0..JOURNAL_FILES-1.  All calls return 0 (or a length) or a negative
 * errno, handle EINTR and short I/O, and never block on the network. */
struct disk {
	void *ctx;
	/* Opens file 'n' (creates it if 'create'); *size gets its length.  -ENOENT. */
	int (*open)(void *ctx, unsigned n, bool create, bool writable, uint64_t *size);
	/* Makes file 'n' at least 'size' bytes long by really writing zeros. */
	int (*extend)(void *ctx, unsigned n, uint64_t size);
	ssize_t (*pread)(void *ctx, unsigned n, void *buf, size_t len, uint64_t off);
	int (*pwrite)(void *ctx, unsigned n, const void *buf, size_t len, uint64_t off);
	/* A descriptor of file 'n' for the sync worker (borrowed), or -1: the disk has none
	 * and syncs are reported by whoever plays the worker. */
	int (*fd)(void *ctx, unsigned n);
	/* The directory, for the sync worker as 'fd'; NULL: names are on the disk at once. */
	int (*dir_fd)(void *ctx);
	/* Renames file 'n' to "<name>.damaged-<wall seconds>" and forgets it.  Of those set
	 * aside the newest DISK_ASIDE_MAX are kept. */
	int (*set_aside)(void *ctx, unsigned n);
	void (*close)(void *ctx);
};

/* The files "journal.0" .. "journal.2" in 'dir'.  'read_only' opens nothing for writing and
 * creates nothing.  VFK_E_SYS if the directory cannot be opened. */
int fs_disk(struct disk *out, const char *dir, bool read_only,
	    struct vfk_err *err) VFK_MUST_CHECK;

#endif
