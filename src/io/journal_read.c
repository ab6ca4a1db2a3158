/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: which file is the state, how far it goes, and what that proves.  The rules are
 * those of vfkeeper-journal(5), RECOVERY. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/journal-internal.h"
#include "io/journal_scan.h"

/* A stretch of a file that may hold records behind the last good one. */
struct stretch {
	unsigned file;
	uint64_t off, generation; /* of its file; 0: not known */
	uint64_t wanted;    /* generation of the records that are searched; 0: any */
	uint64_t first_seq; /* of its first record behind L; 0: there is none */
};

struct reading {
	const struct jr_input *in;
	struct journal_status *st;
	struct jr_survey *sv;
	struct window w;
	uint64_t proof;	   /* D: highest sequence that somebody says is synced */
	uint64_t last;	   /* L: last record of the unbroken row */
	uint64_t end;	   /* where it ends in the base */
	bool begun;	   /* something of ours stands there */
	bool gap;	   /* a valid record with another sequence stands there */
	bool hole;	   /* a valid record stands behind a bad place */
	bool newer;	   /* records behind L exist */
	bool unwritten;	   /* the base ends before what this boot wrote to it */
	struct jr_rec bad; /* first bad place in the snapshot of the newest file */
	struct stretch tails[JOURNAL_FILES];
	unsigned n_tails;
};

static void VFK_PRINTF(4, 5) judge(struct reading *rd, enum journal_verdict verdict,
				   int file, const char *fmt, ...)
{
	char *at = rd->st->what;
	size_t cap = sizeof(rd->st->what);
	va_list ap;
	int n = 0;

	rd->st->verdict = verdict;
	if (file >= 0)
		n = snprintf(at, cap, "journal.%d: ", file);
	va_start(ap, fmt);
	vsnprintf(at + n, cap - (size_t)n, fmt, ap);
	va_end(ap);
}

static void note(struct reading *rd, const struct jr_header *h)
{
	if (h->durable_upto > rd->proof)
		rd->proof = h->durable_upto;
	if (h->seq > rd->sv->max_seq)
		rd->sv->max_seq = h->seq;
}

static int pass(struct reading *rd, unsigned file, const struct jr_rec *rec,
		struct vfk_err *err)
{
	struct journal_record out = {
		.seq = rec->h.seq,
		.generation = rec->h.generation,
		.durable_upto = rec->h.durable_upto,
		.type = rec->h.type,
		.in_snapshot = rec->h.flags & JR_FLAG_SNAPSHOT,
		.file = file,
		.offset = rec->off + JR_HEADER,
		.payload = rec->payload,
		.len_bytes = rec->h.len,
	};

	if (!rd->st->first_seq)
		rd->st->first_seq = rec->h.seq;
	rd->st->last_seq = rec->h.seq;
	if (rec->h.type >= JR_TYPE_INTERNAL || !rd->in->fn)
		return 0;
	rd->sv->files[file].passed = true;
	return rd->in->fn(rd->in->arg, &out, err);
}

static int open_files(struct reading *rd, struct vfk_err *err)
{
	const struct disk *disk = rd->in->disk;

	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		uint64_t size = 0;
		int rc = disk->open(disk->ctx, n, false, false, &size);

		if (rc < 0 && rc != -ENOENT)
			return vfk_err_set(err, VFK_E_SYS, -rc, "open journal.%u", n);
		rd->sv->files[n].missing = rc == -ENOENT;
		rd->sv->files[n].size = rd->w.sizes[n] = rc == -ENOENT ? 0 : size;
	}
	return 0;
}

static void load_headers(struct reading *rd)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		uint8_t raw[JF_HEADER_USED];

		rd->sv->files[n].class = JF_ABSENT;
		if (rd->w.sizes[n] == 0)
			continue;
		memcpy(raw, window_at(&rd->w, n, 0, sizeof(raw)), sizeof(raw));
		rd->sv->files[n].class = jf_decode(raw, &rd->sv->files[n].h);
		if (rd->sv->files[n].h.number > rd->sv->max_number)
			rd->sv->max_number = rd->sv->files[n].h.number;
	}
}

/* False with the reason in 'st' if a file is of a version that we do not know. */
static bool all_known(struct reading *rd)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		const struct jf_header *h = &rd->sv->files[n].h;

		if (rd->sv->files[n].class != JF_UNKNOWN)
			continue;
		if (h->version != JF_VERSION)
			judge(rd, JOURNAL_UNKNOWN, (int)n,
			      "format version %u is not known, only %d is", h->version,
			      JF_VERSION);
		else
			judge(rd, JOURNAL_UNKNOWN, (int)n,
			      "unknown incompatible features 0x%llx",
			      (unsigned long long)(h->incompat & ~JF_INCOMPAT_KNOWN));
		rd->st->file = n;
		return false;
	}
	return true;
}

/* Whether the snapshot of a used file is all there; if not, 'rec' is its first bad place. */
static bool snapshot_whole(struct reading *rd, unsigned n, uint64_t *end_seq,
			   struct jr_rec *rec)
{
	const struct jf_header *h = &rd->sv->files[n].h;
	uint64_t count, bytes, count_end, bytes_end, off = JF_DATA + JR_MARK_BYTES;
	uint64_t seq = h->first_seq;

	if (!window_record(&rd->w, n, JF_DATA, h->generation, rec) ||
	    rec->h.type != JR_TYPE_BEGIN || rec->h.seq != seq || rec->h.len != JR_MARK_LEN)
		return false;
	jr_get_mark(rec->payload, &count, &bytes);
	for (uint64_t i = 0; i < count; i++) {
		if (!window_record(&rd->w, n, off, h->generation, rec) ||
		    rec->h.seq != ++seq || !(rec->h.flags & JR_FLAG_SNAPSHOT))
			return false;
		off += jr_bytes(rec->h.len);
	}
	if (!window_record(&rd->w, n, off, h->generation, rec) ||
	    rec->h.type != JR_TYPE_END || rec->h.seq != ++seq || rec->h.len != JR_MARK_LEN)
		return false;
	jr_get_mark(rec->payload, &count_end, &bytes_end);
	*end_seq = seq;
	return count_end == count && bytes_end == bytes &&
	       off - JF_DATA - JR_MARK_BYTES == bytes;
}

/* The used files by their number, highest first; '*n' of them. */
static void by_age(const struct jr_survey *sv, unsigned order[JOURNAL_FILES], unsigned *n)
{
	*n = 0;
	for (unsigned i = 0; i < JOURNAL_FILES; i++) {
		unsigned at = *n;

		if (sv->files[i].class != JF_USED)
			continue;
		for (; at > 0 && sv->files[order[at - 1]].h.number < sv->files[i].h.number;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
		(*n)++;
	}
}

static void tail_add(struct reading *rd, unsigned file, uint64_t off, uint64_t generation)
{
	/* Without a loss of power no page of a file is older than another. */
	rd->tails[rd->n_tails++] = (struct stretch){
		.file = file,
		.off = off,
		.generation = generation,
		.wanted = rd->in->same_boot ? generation : 0,
	};
}

static bool is_headless(enum jf_class class)
{
	return class == JF_BAD || class == JF_FOREIGN || class == JF_ZERO;
}

/* Finds the base; what is newer, or has no readable header, has to be searched.  So has, when
 * power may have been lost, any other file, for records of any generation: of one that was begun
 * then all but the first pages may have reached the disk, which say what was there before.  The
 * records must not look newer one day. */
static void find_base(struct reading *rd)
{
	unsigned order[JOURNAL_FILES], n;
	struct jr_rec rec;
	bool newer[JOURNAL_FILES] = { false };

	rd->sv->base = -1;
	by_age(rd->sv, order, &n);
	for (unsigned i = 0; i < n && rd->sv->base < 0; i++) {
		if (snapshot_whole(rd, order[i], &rd->sv->base_snapshot_end, &rec)) {
			rd->sv->base = (int)order[i];
			break;
		}
		if (i == 0)
			rd->bad = rec;
		newer[order[i]] = true;
		tail_add(rd, order[i], JF_DATA, rd->sv->files[order[i]].h.generation);
	}
	for (unsigned i = 0; i < JOURNAL_FILES; i++) {
		if ((int)i == rd->sv->base || newer[i])
			continue;
		if (!rd->in->same_boot || is_headless(rd->sv->files[i].class))
			tail_add(rd, i, JF_DATA, 0);
	}
}

/* Passes the unbroken row of records of a file; '*last' and '*end' tell how far it goes. */
static int read_row(struct reading *rd, unsigned n, uint64_t *last, uint64_t *end,
		    struct jr_rec *rec, struct vfk_err *err)
{
	const struct jf_header *h = &rd->sv->files[n].h;
	int rc;

	*end = JF_DATA;
	*last = h->first_seq - 1;
	while (window_record(&rd->w, n, *end, h->generation, rec)) {
		if (rec->h.seq != *last + 1)
			return 0;
		/* History has no say: who reads it comes to the same verdict. */
		if ((int)n == rd->sv->base)
			note(rd, &rec->h);
		rc = pass(rd, n, rec, err);
		if (rc < 0)
			return rc;
		*last = rec->h.seq;
		*end += jr_bytes(rec->h.len);
	}
	return 0;
}

/* Older files, oldest first, as far as each goes. */
static int read_history(struct reading *rd, struct vfk_err *err)
{
	unsigned order[JOURNAL_FILES], n;
	uint64_t last, end, end_seq;
	struct jr_rec rec;
	int rc;

	by_age(rd->sv, order, &n);
	while (n-- > 0 && order[n] != (unsigned)rd->sv->base) {
		if (!snapshot_whole(rd, order[n], &end_seq, &rec))
			continue;
		rc = read_row(rd, order[n], &last, &end, &rec, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A record of ours was begun at the end of the base: something of it has arrived. */
static bool looks_begun(struct reading *rd, unsigned n, uint64_t off)
{
	struct jr_header h;
	bool magic;

	if (off >= rd->w.sizes[n])
		return false;
	magic = jr_decode(window_at(&rd->w, n, off, JR_HEADER), &h);
	if (h.generation == rd->sv->files[n].h.generation)
		return true;
	/* No record of an older generation can stand there: it would not fit. */
	if (magic && off + JR_HEADER > rd->w.sizes[n])
		return true;
	return magic && h.seq == rd->last + 1;
}

static int read_base(struct reading *rd, struct vfk_err *err)
{
	unsigned n = (unsigned)rd->sv->base;
	const struct jf_header *h = &rd->sv->files[n].h;
	struct jr_rec rec;
	int rc;

	rd->st->file = n;
	rd->st->generation = h->generation;
	rc = read_row(rd, n, &rd->last, &rd->end, &rec, err);
	if (rc < 0)
		return rc;
	rd->gap = rec.payload != NULL;
	rd->begun = !rd->gap && looks_begun(rd, n, rd->end);
	if (rec.crc_wanted) {
		rd->st->crc_found = rec.h.crc;
		rd->st->crc_wanted = rec.crc_wanted;
	}
	/* Without a loss of power nothing can stand behind what was written last. */
	if (rd->in->same_boot && rd->in->written_generation == h->generation) {
		rd->unwritten = rd->end < rd->in->written_end;
		if (!rd->unwritten)
			return 0;
	}
	tail_add(rd, n, rd->end, h->generation);
	return 0;
}

/* Looks for valid records behind L in one stretch.  A file is begun by its header, then
 * come the snapshot and its end, then its first record; what is there before what precedes
 * it is a hole. */
static void search_tail(struct reading *rd, struct stretch *t)
{
	bool is_base = (int)t->file == rd->sv->base, has_begin = false;
	uint64_t off = t->off, expect = is_base ? t->off : t->off + JR_MARK_BYTES;
	struct jr_rec rec;

	while (window_find(&rd->w, t->file, off, t->wanted, &rec)) {
		off = rec.off + jr_bytes(rec.h.len);
		if (rec.h.seq > rd->last) {
			note(rd, &rec.h);
			rd->newer = true;
			if (rec.off == JF_DATA)
				has_begin = true;
			else if (rec.off != expect)
				rd->hole = true;
			else if (!is_base && !has_begin && rec.h.type != JR_TYPE_END &&
				 !(rec.h.flags & JR_FLAG_SNAPSHOT))
				rd->hole = true;
			if (is_headless(rd->sv->files[t->file].class))
				rd->hole = true;
			if (!t->first_seq)
				t->first_seq = rec.h.seq;
		} else if (is_base && rec.h.generation == t->generation) {
			/* Nobody of ours wrote an older one there; what is appended would end
			 * before it one day. */
			rd->begun = true;
		}
		expect = off;
	}
}

static void search_tails(struct reading *rd)
{
	for (unsigned i = 0; i < rd->n_tails; i++)
		search_tail(rd, &rd->tails[i]);
}

/* DAMAGED: passes what is whole behind the damage, in the order of the sequences. */
static int pass_tails(struct reading *rd, struct vfk_err *err)
{
	uint64_t last = rd->last;

	for (unsigned i = 1; i < rd->n_tails; i++) {
		struct stretch t = rd->tails[i];
		unsigned at = i;

		for (; at > 0 && rd->tails[at - 1].first_seq > t.first_seq; at--)
			rd->tails[at] = rd->tails[at - 1];
		rd->tails[at] = t;
	}
	for (unsigned i = 0; i < rd->n_tails; i++) {
		const struct stretch *t = &rd->tails[i];
		uint64_t off = t->off;
		struct jr_rec rec;

		if (!t->first_seq)
			continue;
		while (window_find(&rd->w, t->file, off, t->wanted, &rec)) {
			int rc;

			off = rec.off + jr_bytes(rec.h.len);
			if (rec.h.seq <= last)
				continue;
			last = rec.h.seq;
			rc = pass(rd, t->file, &rec, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int file_with(const struct jr_survey *sv, enum jf_class class)
{
	for (int n = 0; n < JOURNAL_FILES; n++)
		if (sv->files[n].class == class)
			return n;
	return -1;
}

static int file_missing(const struct jr_survey *sv)
{
	for (int n = 0; n < JOURNAL_FILES; n++)
		if (sv->files[n].missing)
			return n;
	return -1;
}

/* The newest file without a whole snapshot, or -1. */
static int file_incomplete(const struct reading *rd)
{
	for (unsigned i = 0; i < rd->n_tails; i++)
		if (rd->tails[i].generation && (int)rd->tails[i].file != rd->sv->base)
			return (int)rd->tails[i].file;
	return -1;
}

/* A file whose snapshot this boot had made whole, and which is not so any more, or -1. */
static int file_unmade(const struct reading *rd)
{
	for (unsigned i = 0; rd->in->same_boot && i < rd->n_tails; i++)
		if (rd->tails[i].generation &&
		    rd->tails[i].generation == rd->in->written_generation &&
		    (int)rd->tails[i].file != rd->sv->base)
			return (int)rd->tails[i].file;
	return -1;
}

/* The file that this boot has written to is not there: what it had instead was not made whole. */
static bool file_gone(const struct reading *rd)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++)
		if (rd->sv->files[n].class == JF_USED &&
		    rd->sv->files[n].h.generation == rd->in->written_generation)
			return false;
	return rd->in->same_boot && rd->in->written_generation;
}

/* A file without a readable header in which something behind L stands, or -1. */
static int file_headless(const struct reading *rd)
{
	for (unsigned i = 0; i < rd->n_tails; i++)
		if (is_headless(rd->sv->files[rd->tails[i].file].class) &&
		    rd->tails[i].first_seq)
			return (int)rd->tails[i].file;
	return -1;
}

/* Something synced is lost: says where. */
static void judge_lost(struct reading *rd)
{
	int base = rd->sv->base, incomplete = file_incomplete(rd);
	int headless = file_headless(rd);
	struct journal_status *st = rd->st;
	unsigned long long proof = rd->proof, at = rd->end, seq = rd->last + 1;

	if (incomplete >= 0) {
		st->crc_found = rd->bad.crc_wanted ? rd->bad.h.crc : 0;
		st->crc_wanted = rd->bad.crc_wanted;
		st->bad_offset = at = rd->bad.off;
	}
	if (incomplete >= 0 && st->crc_wanted)
		judge(rd, JOURNAL_DAMAGED, incomplete,
		      "a snapshot record at offset %llu has checksum 0x%08x, wanted 0x%08x; "
		      "all up to record %llu had been synced",
		      at, st->crc_found, st->crc_wanted, proof);
	else if (incomplete >= 0)
		judge(rd, JOURNAL_DAMAGED, incomplete,
		      "the snapshot is bad at offset %llu; all up to record %llu had been "
		      "synced",
		      at, proof);
	else if (base >= 0 && st->crc_wanted)
		judge(rd, JOURNAL_DAMAGED, base,
		      "record %llu at offset %llu has checksum 0x%08x, wanted 0x%08x; it had "
		      "been synced, as all up to %llu",
		      seq, at, st->crc_found, st->crc_wanted, proof);
	else if (headless >= 0)
		judge(rd, JOURNAL_DAMAGED, headless,
		      "the header is bad; all up to record %llu had been synced", proof);
	else if (base >= 0)
		judge(rd, JOURNAL_DAMAGED, base,
		      "record %llu is missing at offset %llu; it had been synced, as all up "
		      "to %llu",
		      seq, at, proof);
	else
		judge(rd, JOURNAL_DAMAGED, -1,
		      "nothing is there; all up to record %llu had been synced", proof);
}

/* True if a proof of damage was found; it is then in 'st'. */
static bool judge_damaged(struct reading *rd)
{
	int base = rd->sv->base;
	int missing = file_missing(rd->sv), foreign = file_with(rd->sv, JF_FOREIGN);
	int unmade = file_unmade(rd);
	unsigned long long last = rd->last, end = rd->end;

	if (base >= 0 && rd->gap)
		judge(rd, JOURNAL_DAMAGED, base,
		      "record %llu is missing at offset %llu, another one follows",
		      last + 1, end);
	else if (rd->proof > rd->last)
		judge_lost(rd);
	else if (base >= 0 && rd->unwritten)
		judge(rd, JOURNAL_DAMAGED, base,
		      "record %llu is bad at offset %llu; this boot wrote up to offset %llu",
		      last + 1, end, (unsigned long long)rd->in->written_end);
	else if (unmade >= 0)
		judge(rd, JOURNAL_DAMAGED, unmade,
		      "the snapshot is bad; this boot wrote up to offset %llu",
		      (unsigned long long)rd->in->written_end);
	else if (base >= 0 && file_gone(rd))
		judge(rd, JOURNAL_DAMAGED, -1,
		      "the file that this boot wrote to is gone; journal.%d ends with record "
		      "%llu",
		      base, last);
	else if (base < 0 && rd->in->written_generation)
		judge(rd, JOURNAL_DAMAGED, -1,
		      "no whole snapshot is there; this boot had written one");
	else if (rd->in->same_boot && rd->hole)
		judge(rd, JOURNAL_DAMAGED, base,
		      "record %llu is bad at offset %llu, later ones of this boot follow",
		      last + 1, end);
	else if (base >= 0 && missing >= 0 && rd->sv->files[base].h.number >= JOURNAL_FILES)
		judge(rd, JOURNAL_DAMAGED, missing, "the file is missing");
	else if (base < 0 && foreign >= 0)
		judge(rd, JOURNAL_DAMAGED, foreign, "not a journal file");
	else
		return false;
	return true;
}

static void judge_rest(struct reading *rd)
{
	int base = rd->sv->base, incomplete = file_incomplete(rd);
	int bad = file_with(rd->sv, JF_BAD);
	unsigned long long last = rd->last, end = rd->end;

	if (bad < 0)
		bad = file_with(rd->sv, JF_FOREIGN);
	if (base >= 0 && incomplete >= 0)
		judge(rd, JOURNAL_TORN, incomplete,
		      "the snapshot is incomplete; going on from journal.%d, record %llu",
		      base, last);
	else if (incomplete >= 0)
		judge(rd, JOURNAL_TORN, incomplete, "the first snapshot is incomplete");
	else if (base >= 0 && (rd->begun || rd->hole))
		judge(rd, JOURNAL_TORN, base, "cut at offset %llu, behind record %llu",
		      end, last);
	else if (bad >= 0 || rd->newer)
		judge(rd, JOURNAL_TORN, bad,
		      "a file was begun and never used; nothing behind record %llu counts",
		      last);
	else
		rd->st->verdict = base >= 0 ? JOURNAL_CLEAN : JOURNAL_EMPTY;
}

static int read_all(struct reading *rd, struct vfk_err *err)
{
	int rc = 0;

	load_headers(rd);
	if (!all_known(rd))
		return 0;
	find_base(rd);
	if (rd->sv->base >= 0) {
		rc = rd->in->all ? read_history(rd, err) : 0;
		if (rc == 0)
			rc = read_base(rd, err);
		if (rc < 0)
			return rc;
	}
	search_tails(rd);
	rd->st->end_offset = rd->end;
	rd->st->bad_offset = rd->end;
	if (judge_damaged(rd)) {
		rc = pass_tails(rd, err);
	} else {
		judge_rest(rd);
		if (rd->st->verdict != JOURNAL_TORN)
			rd->st->bad_offset = 0;
	}
	if (rd->st->verdict != JOURNAL_DAMAGED)
		rd->st->crc_found = rd->st->crc_wanted = 0;
	rd->st->durable_upto = rd->proof;
	if (rd->proof > rd->sv->max_seq)
		rd->sv->max_seq = rd->proof;
	return rc;
}

int jr_survey(const struct jr_input *in, struct journal_status *st, struct jr_survey *sv,
	      struct vfk_err *err)
{
	struct reading rd = { .in = in, .st = st, .sv = sv, .proof = in->durable };
	int rc;

	memset(st, 0, sizeof(*st));
	memset(sv, 0, sizeof(*sv));
	sv->base = -1;
	rd.w.disk = in->disk;
	rc = open_files(&rd, err);
	if (rc == 0)
		rc = window_init(&rd.w, err);
	if (rc == 0)
		rc = read_all(&rd, err);
	window_fini(&rd.w);
	return rc;
}

int journal_read(const struct disk *disk, uint64_t durable, bool all, journal_record_fn fn,
		 void *arg, struct journal_status *st, struct vfk_err *err)
{
	struct jr_input in = { .disk = disk,
			       .durable = durable,
			       .same_boot = durable != 0,
			       .all = all,
			       .fn = fn,
			       .arg = arg };
	struct jr_survey sv;

	return jr_survey(&in, st, &sv, err);
}

void jr_know(struct jr_input *in, const struct jd_mark *mark)
{
	/* One that could not begin to write has made the mark, and no holes. */
	in->same_boot = mark->written_generation != 0;
	in->durable = mark->seq;
	in->written_generation = mark->written_generation;
	in->written_end = mark->written_end;
}

int journal_read_own(const struct disk *disk, const char *durable_path,
		     journal_record_fn fn, void *arg, struct journal_status *st,
		     struct vfk_err *err)
{
	struct jr_input in = { .disk = disk, .fn = fn, .arg = arg };
	struct jd_mark mark;
	struct jr_survey sv;

	jd_load(durable_path, &mark);
	jr_know(&in, &mark);
	return jr_survey(&in, st, &sv, err);
}

bool journal_says_more(const struct journal_status *known, const struct journal_status *now)
{
	bool broken = now->verdict == JOURNAL_DAMAGED || now->verdict == JOURNAL_UNKNOWN;

	return (broken && now->verdict != known->verdict) ||
	       now->last_seq > known->last_seq ||
	       (now->last_seq && now->generation != known->generation);
}
