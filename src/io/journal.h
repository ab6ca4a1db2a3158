/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: three preallocated files used in turn, each a snapshot and then records.
 * Format: vfkeeper-journal(5).  One writer, the loop; it never syncs: it says what wants a
 * sync, a worker does it, and journal_synced tells the result.  Layer: io. */
#ifndef VFK_IO_JOURNAL_H
#define VFK_IO_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "io/disk.h"

#define JOURNAL_FILES 3
#define JOURNAL_PAYLOAD_MAX (256 * 1024)
/* What a file costs before its first record, and a record with 'len' bytes of payload. */
#define JOURNAL_HEADER_BYTES 4096
#define JOURNAL_RECORD_BYTES(len) ((40 + (uint64_t)(len) + 7) & ~UINT64_C(7))

struct journal; /* opaque; one writer; loop thread only */

enum journal_verdict {
	JOURNAL_EMPTY, /* no file, or only files that were never used */
	JOURNAL_CLEAN,
	JOURNAL_TORN,	 /* the tail was cut: nothing that was ever synced is lost */
	JOURNAL_DAMAGED, /* a record that had been synced is bad or missing */
	JOURNAL_UNKNOWN	 /* written by a version, or with features, that we do not know */
};

const char *journal_verdict_name(enum journal_verdict verdict); /* "torn" */

struct journal_status {
	enum journal_verdict verdict;
	unsigned file;			/* where the newest valid snapshot is */
	uint64_t generation;		/* of that file */
	uint64_t first_seq, last_seq;	/* of the records read, 0 if none */
	uint64_t durable_upto;		/* highest sequence known to be synced */
	uint64_t end_offset;		/* first byte after the last good record */
	uint64_t bad_offset;		/* TORN, DAMAGED: where */
	uint32_t crc_found, crc_wanted; /* DAMAGED by checksum */
	char what[200];			/* one line for a person; "" if CLEAN */
};

struct journal_record {
	uint64_t seq;
	uint64_t generation; /* of the file it stands in */
	uint64_t durable_upto;
	uint16_t type;	  /* enum record_type of codec.h */
	bool in_snapshot; /* part of a snapshot: state, not history */
	unsigned file;
	uint64_t offset;     /* of the payload in that file: journal_read_at */
	const void *payload; /* valid during the call only */
	size_t len_bytes;
};

/* Called for each record in order, snapshot first.  A negative return value (kind) stops
 * the reading and is returned by journal_open / journal_read. */
typedef int (*journal_record_fn)(void *arg, const struct journal_record *rec,
				 struct vfk_err *err);

/* Reads without writing anything; 'fn' may be NULL.  'durable' is the content of
 * /run/vfkeeper/durable of this boot (0: none).  'all': also the older files, oldest first,
 * as history (snapshots of later files are passed too, marked in_snapshot).  The verdict is
 * in 'st' also when the return value is negative.  On JOURNAL_DAMAGED every whole record is
 * still passed. */
int journal_read(const struct disk *disk, uint64_t durable, bool all, journal_record_fn fn,
		 void *arg, struct journal_status *st, struct vfk_err *err) VFK_MUST_CHECK;

/* The same for the engine, beside which nobody writes: all of what /run/vfkeeper/durable says
 * counts, so that the verdict is that of journal_open. */
int journal_read_own(const struct disk *disk, const char *durable_path,
		     journal_record_fn fn, void *arg, struct journal_status *st,
		     struct vfk_err *err) VFK_MUST_CHECK;

/* Whether 'now', what stands there, says anything that 'known', what was read, did not. */
bool journal_says_more(const struct journal_status *known,
		       const struct journal_status *now);

struct journal_cfg {
	/* Taken over: copied, and closed by journal_close or a failing journal_open. */
	const struct disk *disk;
	const char *durable_path; /* /run/vfkeeper/durable; NULL: not kept */
	uint64_t min_size;	  /* bytes per file; grown to it where smaller */
	/* Writes the whole state through journal_snapshot_put when a file is begun, also from
	 * within journal_open, after 'st' is filled, and journal_append.  What it put is
	 * readable by journal_read_at once the file is begun; if that fails, the places
	 * that it had before stay valid. */
	int (*snapshot)(void *arg, struct journal *j, struct vfk_err *err);
	void *arg;
	uint64_t (*random)(void *arg); /* for generations; NULL: getrandom(2) */
};

/* Opens for writing after reading everything through 'fn' (or NULL).  JOURNAL_TORN: the tail
 * is cut by beginning a new file.  JOURNAL_DAMAGED: files are set aside, a new journal is
 * begun with the snapshot of what 'fn' was given.  JOURNAL_UNKNOWN: VFK_E_VERSION, files
 * untouched.  Missing files are created and zero-written.  Errors: VFK_E_SYS (disk full or
 * read-only; *out stays NULL but 'fn' was given everything readable), VFK_E_VERSION. */
int journal_open(struct journal **out, const struct journal_cfg *cfg, journal_record_fn fn,
		 struct journal_status *st, struct vfk_err *err) VFK_MUST_CHECK;
void journal_close(struct journal *j); /* NULL allowed; writes nothing */

/* Appends one record (copied; written: it is in the page cache on return).  Begins the next
 * file by itself when this one is full.  VFK_E_SYS: nothing was appended and the journal takes
 * no more records until journal_begin has worked.  VFK_E_LIMIT: nothing was appended, the
 * payload is too long or the snapshot leaves no room for it (journal_grow helps). */
int journal_append(struct journal *j, uint16_t type, const void *buf, size_t len_bytes,
		   uint64_t *seq, struct vfk_err *err) VFK_MUST_CHECK;

/* Only inside cfg.snapshot.  VFK_E_LIMIT: the file is full.  VFK_E_SYS. */
int journal_snapshot_put(struct journal *j, uint16_t type, const void *buf,
			 size_t len_bytes, uint64_t *payload_offset,
			 struct vfk_err *err) VFK_MUST_CHECK;

/* Begins the next file with a new snapshot: after a failed sync, after growth, by hand.  If
 * it fails, the present file stays in use where it still can be. */
int journal_begin(struct journal *j, struct vfk_err *err) VFK_MUST_CHECK;
/* Grows all files to 'min_size' by writing zeros; room counts at once. */
int journal_grow(struct journal *j, uint64_t min_size, struct vfk_err *err) VFK_MUST_CHECK;

/* Bytes that are free for records in the present file, and for the records of a snapshot in
 * whichever file is begun next (JOURNAL_RECORD_BYTES each). */
uint64_t journal_room(const struct journal *j);
uint64_t journal_capacity(const struct journal *j);

/* Syncs.  The owner asks what to sync, lets a worker do fdatasync on that descriptor and
 * reports.  '*upto' is the sequence that this sync will make durable; false: nothing is
 * waiting.  A failed sync is final for that file: journal_failed turns true and only
 * journal_begin (into another file) plus a good sync of it clears that. */
bool journal_want_sync(struct journal *j, int *fd, unsigned *file, uint64_t *upto);
void journal_synced(struct journal *j, unsigned file, uint64_t upto, int sys);
/* The journal's directory (borrowed) if files in it were made or renamed and it was not
 * synced since: the next sync has to take it and its parents along, and journal_names_synced,
 * before journal_synced, tells that it has.  -1: nothing is waiting. */
int journal_want_names(const struct journal *j);
void journal_names_synced(struct journal *j);
uint64_t journal_durable(const struct journal *j); /* highest synced sequence */
uint64_t journal_last(const struct journal *j);	   /* highest written sequence */
/* A sync failed and no other file has been synced since, or a record could not be written
 * and journal_begin has not worked since. */
bool journal_failed(const struct journal *j);

/* Reads 'len_bytes' of a payload written before, at the place that journal_append's
 * companion below or journal_record said.  VFK_E_CORRUPT if the file was begun anew;
 * VFK_E_GONE, within cfg.snapshot only: it is lost with a damaged file, do without it. */
int journal_read_at(const struct journal *j, unsigned file, uint64_t generation,
		    uint64_t offset, void *buf, size_t len_bytes,
		    struct vfk_err *err) VFK_MUST_CHECK;
/* Where the payload of the record just appended or put stands. */
void journal_where(const struct journal *j, unsigned *file, uint64_t *generation,
		   uint64_t *offset);

/* The value kept in 'path' by this boot's engine, 0 if there is none. */
uint64_t journal_durable_load(const char *path);

#endif
