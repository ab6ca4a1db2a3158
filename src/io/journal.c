/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's writer.  Nothing here syncs: a worker does. */
#include "io/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/journal-internal.h"

/* A snapshot goes out in pieces of at least this many bytes. */
#define BATCH_BYTES (64 * 1024)
#define BUF_BYTES (BATCH_BYTES + JOURNAL_RECORD_BYTES(JOURNAL_PAYLOAD_MAX))
#define ALIGN 4096

struct slot {
	uint64_t size;
	uint64_t generation, number, first_seq; /* number 0: nothing of use in it */
	uint64_t snapshot_end;			/* sequence of its END record */
	bool failed;				/* a sync of it failed */
};

struct journal {
	struct disk disk;
	struct journal_cfg cfg;
	struct slot slots[JOURNAL_FILES];
	int cur;      /* slot that takes records; -1: none yet */
	int synced;   /* slot that is the newest one on the disk; -1: not known */
	uint64_t end; /* where the next record goes in 'cur' */
	uint64_t next_seq, next_number, durable;
	bool broken;	  /* a record could not be written */
	bool sync_failed; /* and no file has been synced since */
	bool names_wait;  /* the names of the files may not be on the disk */
	struct jd_mark *mark;
	/* A file being begun; -1 outside journal_begin. */
	int target;
	uint64_t put_end, put_seq, put_count;
	/* Bytes for 'target' that are not written yet, or one record on its way. */
	uint8_t *buf;
	size_t buf_len;
	/* What journal_where tells. */
	unsigned last_file;
	uint64_t last_generation, last_offset;
};

/* One store each: a reader sees the old number or the new one. */
#define mark_set(j, field, value)                                                        \
	do {                                                                             \
		if ((j)->mark)                                                           \
			__atomic_store_n(&(j)->mark->field, (value), __ATOMIC_RELEASE);  \
	} while (0)

static uint64_t round_up(uint64_t size)
{
	return (size + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

static int write_at(const struct journal *j, unsigned n, const void *buf, size_t len,
		    uint64_t off, struct vfk_err *err)
{
	int rc = j->disk.pwrite(j->disk.ctx, n, buf, len, off);

	if (rc < 0)
		return vfk_err_set(err, VFK_E_SYS, -rc, "write journal.%u", n);
	return 0;
}

static uint64_t new_generation(const struct journal *j)
{
	uint64_t value = 0;

	if (j->cfg.random) {
		value = j->cfg.random(j->cfg.arg);
	} else if (getrandom(&value, sizeof(value), GRND_NONBLOCK) !=
		   (ssize_t)sizeof(value)) {
		/* Early at boot: it only has to differ from those before. */
		value = (uint64_t)clock_wall_ns() * UINT64_C(0x9e3779b97f4a7c15) ^
			(uint64_t)clock_boot_ns();
	}
	return value ? value : 1;
}

/* --- beginning a file --- */

/* Never the file in use and never the newest synced one; a failed one only if no other is
 * left; the oldest otherwise. */
static int pick_target(const struct journal *j)
{
	int best = -1;

	for (int n = 0; n < JOURNAL_FILES; n++) {
		const struct slot *s = &j->slots[n], *b = best < 0 ? NULL : &j->slots[best];

		if (n == j->cur || n == j->synced)
			continue;
		if (!b || (b->failed && !s->failed) ||
		    (b->failed == s->failed && s->number < b->number))
			best = n;
	}
	return best;
}

static int grow_slot(struct journal *j, unsigned n, uint64_t size, struct vfk_err *err)
{
	struct slot *s = &j->slots[n];
	int rc;

	if (s->size >= size)
		return 0;
	rc = j->disk.extend(j->disk.ctx, n, size);
	if (rc < 0)
		return vfk_err_set(err, VFK_E_SYS, -rc, "write zeros to journal.%u", n);
	s->size = size;
	return 0;
}

static int write_header(struct journal *j, unsigned n, const struct jf_header *h,
			struct vfk_err *err)
{
	uint8_t raw[JF_HEADER_USED];

	jf_encode(raw, h);
	return write_at(j, n, raw, sizeof(raw), 0, err);
}

static int flush(struct journal *j, struct vfk_err *err)
{
	int rc = 0;

	if (j->buf_len)
		rc = write_at(j, (unsigned)j->target, j->buf, j->buf_len,
			      j->put_end - j->buf_len, err);
	j->buf_len = 0;
	return rc;
}

static int put(struct journal *j, uint16_t type, uint16_t flags, const void *buf,
	       size_t len, struct vfk_err *err)
{
	const struct slot *s = &j->slots[j->target];
	struct jr_header h = { .len = (uint32_t)len,
			       .type = type,
			       .flags = flags,
			       .seq = j->put_seq,
			       .generation = s->generation,
			       .durable_upto = j->durable };

	if (len > JOURNAL_PAYLOAD_MAX)
		return vfk_err_set(err, VFK_E_LIMIT, 0, "record of %zu bytes", len);
	if (j->put_end + jr_bytes(len) > s->size)
		return vfk_err_set(err, VFK_E_LIMIT, 0,
				   "journal.%d of %llu bytes is too small for the snapshot",
				   j->target, (unsigned long long)s->size);
	jr_encode(j->buf + j->buf_len, &h, buf);
	j->buf_len += jr_bytes(len);
	j->last_file = (unsigned)j->target;
	j->last_generation = s->generation;
	j->last_offset = j->put_end + JR_HEADER;
	j->put_end += jr_bytes(len);
	j->put_seq++;
	return j->buf_len >= BATCH_BYTES ? flush(j, err) : 0;
}

int journal_snapshot_put(struct journal *j, uint16_t type, const void *buf,
			 size_t len_bytes, uint64_t *payload_offset, struct vfk_err *err)
{
	int rc;

	if (j->target < 0 || type >= JR_TYPE_INTERNAL)
		return vfk_err_set(err, VFK_E_INTERNAL, 0, "no snapshot is being written");
	rc = put(j, type, JR_FLAG_SNAPSHOT, buf, len_bytes, err);
	if (rc < 0)
		return rc;
	j->put_count++;
	if (payload_offset)
		*payload_offset = j->last_offset;
	return 0;
}

/* Header, snapshot, its end; then its begin, which makes it whole. */
static int write_file(struct journal *j, struct vfk_err *err)
{
	struct slot *s = &j->slots[j->target];
	struct jf_header h = { .version = JF_VERSION,
			       .generation = s->generation,
			       .number = s->number,
			       .first_seq = s->first_seq,
			       .previous = j->cur >= 0 ? j->slots[j->cur].generation : 0 };
	struct jr_header begin = { .len = JR_MARK_LEN,
				   .type = JR_TYPE_BEGIN,
				   .seq = s->first_seq,
				   .generation = s->generation,
				   .durable_upto = j->durable };
	uint8_t mark[JR_MARK_LEN], raw[JR_MARK_BYTES];
	int rc;

	rc = write_header(j, (unsigned)j->target, &h, err);
	if (rc == 0)
		rc = j->cfg.snapshot(j->cfg.arg, j, err);
	if (rc < 0)
		return rc;
	jr_put_mark(mark, j->put_count, j->put_end - JF_DATA - JR_MARK_BYTES);
	s->snapshot_end = j->put_seq;
	rc = put(j, JR_TYPE_END, 0, mark, sizeof(mark), err);
	if (rc == 0)
		rc = flush(j, err);
	if (rc < 0)
		return rc;
	jr_encode(raw, &begin, mark);
	return write_at(j, (unsigned)j->target, raw, sizeof(raw), JF_DATA, err);
}

int journal_begin(struct journal *j, struct vfk_err *err)
{
	struct slot *s;
	int rc;

	if (j->target >= 0)
		return vfk_err_set(err, VFK_E_INTERNAL, 0, "a snapshot is being written");
	j->target = pick_target(j);
	s = &j->slots[j->target];
	s->generation = new_generation(j);
	s->number = j->next_number++;
	s->first_seq = j->next_seq;
	s->failed = false;
	j->put_end = JF_DATA + JR_MARK_BYTES;
	j->put_seq = s->first_seq + 1;
	j->put_count = 0;
	j->buf_len = 0;
	rc = write_file(j, err);
	j->buf_len = 0;
	if (rc < 0) {
		/* Sequences go on where they were: the present file may still be good. */
		s->number = s->generation = 0;
	} else {
		j->cur = j->target;
		j->end = j->put_end;
		j->next_seq = j->put_seq;
		j->broken = false;
		mark_set(j, written_generation, 0);
		mark_set(j, written_end, j->end);
		mark_set(j, written_generation, s->generation);
	}
	j->target = -1;
	return rc;
}

/* --- appending --- */

int journal_append(struct journal *j, uint16_t type, const void *buf, size_t len_bytes,
		   uint64_t *seq, struct vfk_err *err)
{
	struct jr_header h;
	int rc;

	if (j->target >= 0 || type >= JR_TYPE_INTERNAL)
		return vfk_err_set(err, VFK_E_INTERNAL, 0, "a record within a snapshot");
	if (len_bytes > JOURNAL_PAYLOAD_MAX)
		return vfk_err_set(err, VFK_E_LIMIT, 0, "record of %zu bytes", len_bytes);
	if (j->broken)
		return vfk_err_set(err, VFK_E_SYS, 0,
				   "journal.%d takes no more records since a write failed",
				   j->cur);
	if (jr_bytes(len_bytes) > journal_room(j)) {
		rc = journal_begin(j, err);
		if (rc < 0) {
			j->broken = true;
			return rc;
		}
		if (jr_bytes(len_bytes) > journal_room(j))
			return vfk_err_set(err, VFK_E_LIMIT, 0,
					   "the snapshot fills journal.%d", j->cur);
	}
	h = (struct jr_header){ .len = (uint32_t)len_bytes,
				.type = type,
				.seq = j->next_seq,
				.generation = j->slots[j->cur].generation,
				.durable_upto = j->durable };
	jr_encode(j->buf, &h, buf);
	rc = write_at(j, (unsigned)j->cur, j->buf, jr_bytes(len_bytes), j->end, err);
	if (rc < 0) {
		j->broken = true;
		return rc;
	}
	j->last_file = (unsigned)j->cur;
	j->last_generation = h.generation;
	j->last_offset = j->end + JR_HEADER;
	j->end += jr_bytes(len_bytes);
	*seq = j->next_seq++;
	mark_set(j, written_end, j->end);
	return 0;
}

int journal_grow(struct journal *j, uint64_t min_size, struct vfk_err *err)
{
	min_size = round_up(min_size);
	if (min_size > j->cfg.min_size)
		j->cfg.min_size = min_size;
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		int rc = grow_slot(j, n, j->cfg.min_size, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

uint64_t journal_room(const struct journal *j)
{
	/* While the very first snapshot is written there is no present file. */
	if (j->cur < 0 || j->slots[j->cur].size < j->end)
		return 0;
	return j->slots[j->cur].size - j->end;
}

uint64_t journal_capacity(const struct journal *j)
{
	uint64_t size = j->slots[0].size;

	for (unsigned n = 1; n < JOURNAL_FILES; n++)
		if (j->slots[n].size < size)
			size = j->slots[n].size;
	return size - JF_DATA - 2 * JR_MARK_BYTES;
}

void journal_where(const struct journal *j, unsigned *file, uint64_t *generation,
		   uint64_t *offset)
{
	*file = j->last_file;
	*generation = j->last_generation;
	*offset = j->last_offset;
}

int journal_read_at(const struct journal *j, unsigned file, uint64_t generation,
		    uint64_t offset, void *buf, size_t len_bytes, struct vfk_err *err)
{
	VFK_AUTO(free_auto) uint8_t *rec = malloc(jr_bytes(len_bytes));
	struct jr_header h;
	ssize_t got;

	if (!rec)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "read journal.%u", file);
	/* Files that are being replaced are as they were, all but the one that is written;
	 * their records prove themselves. */
	if (j->cur < 0 && (int)file == j->target)
		return vfk_err_set(err, VFK_E_GONE, 0,
				   "the file journal.%u was set aside", file);
	if (file >= JOURNAL_FILES || !generation || offset < JF_DATA + JR_HEADER ||
	    (j->cur >= 0 && j->slots[file].generation != generation))
		return vfk_err_set(err, VFK_E_CORRUPT, 0,
				   "the file journal.%u was begun anew", file);
	got = j->disk.pread(j->disk.ctx, file, rec, jr_bytes(len_bytes),
			    offset - JR_HEADER);
	if (got < 0)
		return vfk_err_set(err, VFK_E_SYS, (int)-got, "read journal.%u", file);
	if ((size_t)got != jr_bytes(len_bytes) || !jr_decode(rec, &h) ||
	    h.generation != generation || h.len != len_bytes || h.crc != jr_crc(rec, h.len))
		return vfk_err_set(err, VFK_E_CORRUPT, 0,
				   "the record at offset %llu of journal.%u is damaged",
				   (unsigned long long)(offset - JR_HEADER), file);
	memcpy(buf, rec + JR_HEADER, len_bytes);
	return 0;
}

/* --- syncs --- */

bool journal_want_sync(struct journal *j, int *fd, unsigned *file, uint64_t *upto)
{
	if (j->target >= 0 || j->cur < 0 || j->slots[j->cur].failed ||
	    journal_last(j) <= j->durable)
		return false;
	/* The kernel says once that a sync failed, and perhaps to a process that is gone. */
	mark_set(j, syncing_generation, j->slots[j->cur].generation);
	*fd = j->disk.fd(j->disk.ctx, (unsigned)j->cur);
	*file = (unsigned)j->cur;
	*upto = journal_last(j);
	return true;
}

void journal_synced(struct journal *j, unsigned file, uint64_t upto, int sys)
{
	struct slot *s = &j->slots[file];

	if (sys)
		mark_set(j, failed_generation, s->generation);
	mark_set(j, syncing_generation, 0);
	if (sys) {
		/* Also if the file was begun anew meanwhile: then it is not known what the
		 * kernel dropped. */
		s->failed = true;
		j->sync_failed = true;
		return;
	}
	/* A file that was begun anew, or has failed, proves nothing. */
	if (s->failed || !s->number || upto < s->snapshot_end || upto < s->first_seq)
		return;
	if (j->synced < 0 || j->slots[j->synced].number <= s->number) {
		j->synced = (int)file;
		mark_set(j, synced_generation, s->generation);
	}
	if (upto > j->durable) {
		j->durable = upto;
		mark_set(j, seq, upto);
	}
	if ((int)file == j->cur && j->sync_failed) {
		j->sync_failed = false;
		mark_set(j, failed_generation, 0);
	}
}

int journal_want_names(const struct journal *j)
{
	return j->names_wait && j->disk.dir_fd ? j->disk.dir_fd(j->disk.ctx) : -1;
}

void journal_names_synced(struct journal *j)
{
	j->names_wait = false;
}

uint64_t journal_durable(const struct journal *j)
{
	return j->durable;
}

uint64_t journal_last(const struct journal *j)
{
	return j->next_seq - 1;
}

bool journal_failed(const struct journal *j)
{
	return j->sync_failed || j->broken;
}

/* --- opening --- */

static int open_slot(struct journal *j, unsigned n, struct vfk_err *err)
{
	struct jf_header blank = { .version = JF_VERSION };
	struct slot *s = &j->slots[n];
	uint64_t size = 0;
	bool fresh;
	int rc;

	rc = j->disk.open(j->disk.ctx, n, true, true, &size);
	if (rc < 0)
		return vfk_err_set(err, VFK_E_SYS, -rc, "open journal.%u for writing", n);
	fresh = size == 0;
	j->names_wait |= fresh;
	s->size = size;
	rc = grow_slot(j, n, j->cfg.min_size, err);
	if (rc < 0)
		return rc;
	/* A header says that zeros behind it are meant; see RECOVERY. */
	return fresh ? write_header(j, n, &blank, err) : 0;
}

static int set_aside(struct journal *j, unsigned n, struct vfk_err *err)
{
	int rc = j->disk.set_aside(j->disk.ctx, n);

	if (rc < 0 && rc != -ENOENT)
		return vfk_err_set(err, VFK_E_SYS, -rc, "set journal.%u aside", n);
	j->names_wait = true;
	j->slots[n] = (struct slot){ 0 };
	return 0;
}

/* The new journal is written into one place before the other damaged files go, and the one
 * that holds the state goes last: a crash in between finds either. */
static int replace_damaged(struct journal *j, const struct jr_survey *sv,
			   struct vfk_err *err)
{
	int base = sv->base, first = -1, rc = 0;

	/* Rather one that nothing was read from: the snapshot may need what stands there. */
	for (int n = 0; n < JOURNAL_FILES; n++) {
		if (n == base)
			continue;
		if (first < 0 || (sv->files[first].passed && !sv->files[n].passed) ||
		    (sv->files[first].passed == sv->files[n].passed &&
		     j->slots[n].number < j->slots[first].number))
			first = n;
	}
	rc = set_aside(j, (unsigned)first, err);
	if (rc == 0)
		rc = open_slot(j, (unsigned)first, err);
	/* No other slot may be picked. */
	for (int n = 0; n < JOURNAL_FILES; n++)
		if (n != first)
			j->slots[n] = (struct slot){ .number = UINT64_MAX, .failed = true };
	j->cur = j->synced = -1;
	if (rc == 0)
		rc = journal_begin(j, err);
	for (int n = 0; rc == 0 && n < JOURNAL_FILES; n++)
		if (n != first && n != base)
			rc = set_aside(j, (unsigned)n, err);
	if (rc == 0 && base >= 0 && base != first)
		rc = set_aside(j, (unsigned)base, err);
	for (int n = 0; rc == 0 && n < JOURNAL_FILES; n++)
		if (n != first)
			rc = open_slot(j, (unsigned)n, err);
	return rc;
}

/* 'before' is the mark as this boot's engine before left it; NULL: there was none. */
static void adopt_survey(struct journal *j, const struct jr_survey *sv,
			 const struct journal_status *st, const struct jd_mark *before)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		struct slot *s = &j->slots[n];

		s->size = sv->files[n].size;
		if (sv->files[n].class != JF_USED)
			continue;
		s->generation = sv->files[n].h.generation;
		s->number = sv->files[n].h.number;
		s->first_seq = sv->files[n].h.first_seq;
	}
	j->next_seq = sv->max_seq + 1;
	j->next_number = sv->max_number + 1;
	j->durable = st->durable_upto;
	if (sv->base < 0)
		return;
	j->cur = sv->base;
	j->end = st->end_offset;
	j->slots[j->cur].snapshot_end = sv->base_snapshot_end;
	/* A newer file has no whole snapshot: nothing in it counts. */
	for (unsigned n = 0; n < JOURNAL_FILES; n++)
		if (j->slots[n].number > j->slots[j->cur].number)
			j->slots[n].number = j->slots[n].generation = 0;
	/* What the first engine of a boot reads came from the disk. */
	j->synced = before ? -1 : j->cur;
	for (int n = 0; before && n < JOURNAL_FILES; n++)
		if (j->slots[n].number &&
		    j->slots[n].generation == before->synced_generation)
			j->synced = n;
}

static int prepare(struct journal *j, const struct journal_status *st,
		   const struct jr_survey *sv, const struct jd_mark *before,
		   struct vfk_err *err)
{
	bool untold = false;
	int rc = 0;

	adopt_survey(j, sv, st, before);
	/* The engine that made the files may have died before its first sync. */
	j->names_wait = before && !before->synced_generation;
	mark_set(j, synced_generation, j->synced < 0 ? 0 : j->slots[j->synced].generation);
	/* Else not before a new file is whole: a next try has to see what this one saw. */
	if (j->cur >= 0 && st->verdict == JOURNAL_CLEAN) {
		mark_set(j, written_generation, 0);
		mark_set(j, written_end, j->end);
		mark_set(j, written_generation, j->slots[j->cur].generation);
	}
	if (st->verdict == JOURNAL_DAMAGED) {
		mark_set(j, synced_generation, 0); /* also for the names of the new files */
		return replace_damaged(j, sv, err);
	}
	for (unsigned n = 0; rc == 0 && n < JOURNAL_FILES; n++)
		rc = open_slot(j, n, err);
	if (rc == 0 && sv->base >= 0 && before) {
		struct slot *s = &j->slots[sv->base];

		j->sync_failed = s->generation == before->failed_generation;
		untold = s->generation == before->syncing_generation;
		s->failed = j->sync_failed || untold;
	}
	if (rc == 0 && (st->verdict != JOURNAL_CLEAN || j->sync_failed || untold))
		rc = journal_begin(j, err);
	if (rc == 0)
		mark_set(j, syncing_generation, 0);
	return rc;
}

int journal_open(struct journal **out, const struct journal_cfg *cfg,
		 journal_record_fn fn, struct journal_status *st, struct vfk_err *err)
{
	struct jr_input in = { .disk = cfg->disk, .fn = fn, .arg = cfg->arg };
	struct journal *j = calloc(1, sizeof(*j));
	struct jr_survey sv;
	struct vfk_err mark_err;
	struct jd_mark before;
	bool marked;
	int rc;

	*out = NULL;
	memset(st, 0, sizeof(*st));
	if (j)
		j->buf = malloc(BUF_BYTES);
	if (!j || !j->buf) {
		cfg->disk->close(cfg->disk->ctx);
		free(j);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "open the journal");
	}
	j->disk = *cfg->disk;
	j->cfg = *cfg;
	j->cfg.disk = &j->disk;
	j->cfg.min_size = round_up(cfg->min_size < 4 * ALIGN ? 4 * ALIGN : cfg->min_size);
	j->cur = j->synced = j->target = -1;
	marked = jd_load(cfg->durable_path, &before);
	jr_know(&in, &before);
	rc = jr_survey(&in, st, &sv, err);
	if (rc == 0 && st->verdict == JOURNAL_UNKNOWN)
		rc = vfk_err_set(err, VFK_E_VERSION, 0, "%s", st->what);
	if (rc == 0 && cfg->durable_path) {
		j->mark = jd_open(cfg->durable_path, &mark_err);
		if (!j->mark)
			log_warn("journal", "%s: a torn tail cannot be told from damage",
				 mark_err.msg);
	}
	if (rc == 0)
		rc = prepare(j, st, &sv, marked ? &before : NULL, err);
	if (rc < 0) {
		journal_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	j->disk.close(j->disk.ctx);
	jd_close(j->mark);
	free(j->buf);
	free(j);
}
