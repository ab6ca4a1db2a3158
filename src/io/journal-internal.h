/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the journal, and what reader and writer share.  Format:
 * vfkeeper-journal(5).  Layer: io; only journal*.c and their tests include this. */
#ifndef VFK_IO_JOURNAL_INTERNAL_H
#define VFK_IO_JOURNAL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/journal.h"

#define JF_MAGIC "VFKJRNL\n"
#define JF_VERSION 1
#define JF_INCOMPAT_KNOWN UINT64_C(0)
#define JF_HEADER_USED 128
#define JF_DATA JOURNAL_HEADER_BYTES

#define JR_MAGIC 0x524b4656u /* "VFKR" */
#define JR_HEADER 40
#define JR_FLAG_SNAPSHOT 1
#define JR_TYPE_BEGIN 0xff01
#define JR_TYPE_END 0xff02
#define JR_TYPE_INTERNAL 0xff00 /* this and above are not the owner's */
/* Numbers beyond this are never reached: what has them was not written by us. */
#define JF_NUMBER_MAX (UINT64_C(1) << 62)
#define JR_MARK_LEN 16 /* payload of BEGIN and END */
#define JR_MARK_BYTES (JR_HEADER + JR_MARK_LEN)

struct jf_header {
	uint32_t version;
	uint64_t compat, incompat, generation, number, first_seq, previous;
};

enum jf_class {
	JF_ABSENT, /* no such file, or an empty one */
	JF_ZERO,   /* the header is zeros */
	JF_BLANK,  /* ours, never used */
	JF_USED,
	JF_BAD,	    /* the header's checksum is wrong */
	JF_FOREIGN, /* like BAD, and the magic is neither ours nor a part of it */
	JF_UNKNOWN  /* newer version or feature */
};

struct jr_header {
	uint32_t crc, len;
	uint16_t type, flags;
	uint64_t seq, generation, durable_upto;
};

void jf_encode(uint8_t out[JF_HEADER_USED], const struct jf_header *h);
enum jf_class jf_decode(const uint8_t in[JF_HEADER_USED], struct jf_header *h);

/* Bytes that a record with this payload takes. */
static inline uint64_t jr_bytes(uint64_t len)
{
	return JOURNAL_RECORD_BYTES(len);
}

/* Writes header, payload and padding to 'out' (jr_bytes(h->len) bytes) with the checksum. */
void jr_encode(uint8_t *out, const struct jr_header *h, const void *payload);
/* Header only, nothing is checked.  False: the magic is missing. */
bool jr_decode(const uint8_t in[JR_HEADER], struct jr_header *h);
/* Checksum of the record at 'rec', of which jr_bytes(len) bytes are there. */
uint32_t jr_crc(const uint8_t *rec, uint32_t len);

void jr_put_mark(uint8_t out[JR_MARK_LEN], uint64_t count, uint64_t bytes);
void jr_get_mark(const uint8_t in[JR_MARK_LEN], uint64_t *count, uint64_t *bytes);

/* What a reading found out beside its status: where writing may go on. */
struct jr_survey {
	struct {
		enum jf_class class;
		struct jf_header h;
		uint64_t size;
		bool missing; /* there is no file of this name */
		bool passed;  /* a record of it was given to the owner */
	} files[JOURNAL_FILES];
	int base;		    /* -1: none */
	uint64_t base_snapshot_end; /* sequence of its END record */
	uint64_t max_seq;	    /* of all valid records seen, and what was synced */
	uint64_t max_number;
};

struct jr_input {
	const struct disk *disk;
	uint64_t durable; /* synced sequence of this boot, 0: not known */
	bool same_boot;	  /* no power was lost since the records were written */
	uint64_t written_generation, written_end; /* of struct jd_mark; 0: not known */
	bool all;
	journal_record_fn fn;
	void *arg;
};

/* Leaves every file that can be opened open for reading. */
int jr_survey(const struct jr_input *in, struct journal_status *st, struct jr_survey *sv,
	      struct vfk_err *err) VFK_MUST_CHECK;

/* The mapped file /run/vfkeeper/durable. */
struct jd_mark {
	uint64_t magic;
	uint64_t seq;		     /* highest synced sequence */
	uint64_t failed_generation;  /* of the file whose sync failed, 0: none */
	uint64_t synced_generation;  /* of the newest file that is on the disk, 0: none */
	uint64_t written_generation; /* of the file in use; records were written */
	uint64_t written_end;	     /* up to this offset of it */
	uint64_t syncing_generation; /* of a file whose sync has not been heard of, 0: none */
};
#define JD_MAGIC UINT64_C(0x4c42415255444656) /* "VFDURABL" */

void jr_know(struct jr_input *in, const struct jd_mark *mark);

/* Maps it, made anew if it is not one of ours.  NULL: it cannot be kept ('err' is set). */
struct jd_mark *jd_open(const char *path, struct vfk_err *err);
void jd_close(struct jd_mark *mark); /* NULL allowed */
/* False: there is none of this boot, '*mark' is zeros. */
bool jd_load(const char *path, struct jd_mark *mark);

#endif
