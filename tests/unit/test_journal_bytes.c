/* SPDX-License-Identifier: Apache-2.0 */
/* A real journal of some dozens of records, cut at every byte and with every byte changed.
 * What recovery must say is worked out here from the list of what was written, not from
 * what the reader thinks. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "io/journal-internal.h"
#include "journal_app.h"
#include "suite.h"

#define SIZE (16 * 1024)
#define MAX_PLACES 128

/* One record as it was written. */
struct place {
	uint64_t off, end, seq, durable_upto;
};

struct built {
	uint8_t bytes[JOURNAL_FILES][SIZE];
	unsigned file; /* in use */
	struct place places[MAX_PLACES];
	unsigned n, n_snapshot; /* records of that file; those up to its snapshot's end */
	uint64_t last_before;	/* last record of the file before; 0: there is none */
	uint64_t durable;	/* really synced at the end */
};

static struct built plain, synced, second;

static void places_of(struct built *b)
{
	uint64_t off = JOURNAL_HEADER_BYTES;
	struct jr_header h;

	b->n = 0;
	while (b->n < MAX_PLACES && off + JR_HEADER <= SIZE &&
	       jr_decode(b->bytes[b->file] + off, &h)) {
		struct place *p = &b->places[b->n++];

		*p = (struct place){ off, off + jr_bytes(h.len), h.seq, h.durable_upto };
		if (h.type == JR_TYPE_END)
			b->n_snapshot = b->n;
		off = p->end;
	}
}

/* Writes a journal into real files and keeps their bytes.  Every 'sync_every'th record is
 * followed by a sync (0: never); 'rounds' times a file is begun. */
static void build(struct built *b, unsigned sync_every, bool sync_last, unsigned rounds)
{
	char dir[64], path[96];
	unsigned file, cell = 0;
	struct disk disk;
	static struct app app;
	uint64_t upto;
	int fd;

	snprintf(dir, sizeof(dir), "./vfk-bytes-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	app_init(&app);
	SUITE_INT(fs_disk(&disk, dir, false, &app.err), 0);
	SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
	for (unsigned r = 0; r <= rounds; r++) {
		for (unsigned i = 1; i <= 24; i++, cell++) {
			SUITE_INT(app_set(&app, cell % APP_CELLS, 100 * r + i), 0);
			if ((sync_every && i % sync_every == 0) || (sync_last && i == 24)) {
				CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
				SUITE_INT(fdatasync(fd), 0);
				journal_synced(app.j, file, upto, 0);
			}
		}
		if (r == rounds)
			break;
		b->last_before = journal_last(app.j);
		SUITE_INT(journal_begin(app.j, &app.err), 0);
	}
	b->durable = journal_durable(app.j);
	b->file = rounds % JOURNAL_FILES;
	app_close(&app);
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		snprintf(path, sizeof(path), "%s/journal.%u", dir, n);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		SUITE_INT(read(fd, b->bytes[n], SIZE), SIZE);
		close(fd);
		unlink(path);
	}
	rmdir(dir);
	places_of(b);
}

static struct mem_disk mem;

static void load(const struct built *b)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		memcpy(mem.files[n].now, b->bytes[n], SIZE);
		mem.files[n].size = SIZE;
		mem.files[n].exists = true;
	}
}

struct want {
	enum journal_verdict verdict;
	uint64_t last;	 /* of the unbroken row */
	unsigned n_good; /* records of the file in use that must be passed */
};

struct got {
	uint64_t seqs[4 * MAX_PLACES];
	unsigned n;
};

static int take(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	struct got *got = arg;

	(void)err;
	if (got->n < 4 * MAX_PLACES)
		got->seqs[got->n++] = rec->seq;
	return 0;
}

/* What has to come out when the records with a true bad[] of the file in use are gone, while
 * those behind them are there.  'begun': something of the first bad one can be seen.  'mark' is
 * the content of /run/vfkeeper/durable, 0: none. */
static struct want expect(const struct built *b, const bool *bad, bool header_bad,
			  bool begun, uint64_t mark)
{
	struct want w = { .verdict = JOURNAL_CLEAN };
	bool whole = !header_bad, later = false;
	uint64_t proof = mark;
	unsigned first = b->n;

	for (unsigned i = 0; i < b->n; i++) {
		if (bad[i] && first == b->n)
			first = i;
		if (bad[i] && i < b->n_snapshot)
			whole = false;
		if (!bad[i] && b->places[i].durable_upto > proof)
			proof = b->places[i].durable_upto;
		if (!bad[i] && first < b->n)
			later = true;
		w.n_good += !bad[i];
	}
	if (whole)
		w.last = first ? b->places[first - 1].seq : 0;
	else
		w.last = b->last_before;
	if (proof > w.last || (mark && later && (whole || first >= 1)))
		w.verdict = JOURNAL_DAMAGED;
	else if (!whole || later || begun)
		w.verdict = JOURNAL_TORN;
	if (w.verdict == JOURNAL_TORN)
		w.n_good = whole ? first : 0;
	return w;
}

static bool is_internal(const struct built *b, unsigned i)
{
	return i == 0 || i == b->n_snapshot - 1;
}

static unsigned n_failed_here;

static void check(const struct built *b, const struct want *w, const bool *bad,
		  uint64_t mark, const char *what, unsigned at)
{
	struct disk disk = mem_as_disk(&mem);
	struct journal_status st;
	struct got got = { .n = 0 };
	struct vfk_err err = { 0 };
	unsigned n_want = 0, next = 0;
	bool all = true;
	int rc = journal_read(&disk, mark, false, take, &got, &st, &err);

	/* The records of the file in use that have to be among those passed, in this order. */
	for (unsigned i = 0; i < b->n; i++) {
		bool must = w->verdict == JOURNAL_DAMAGED ? !bad[i] : i < w->n_good;

		if (!must || is_internal(b, i))
			continue;
		n_want++;
		while (next < got.n && got.seqs[next] != b->places[i].seq)
			next++;
		if (next == got.n)
			all = false;
	}
	if (rc == 0 && st.verdict == w->verdict && all &&
	    (w->verdict == JOURNAL_DAMAGED || st.last_seq == w->last) &&
	    (w->verdict <= JOURNAL_CLEAN) == (st.what[0] == '\0'))
		return;
	if (n_failed_here++ < 20)
		printf("%s %u: rc %d, verdict %d (expected %d), last %llu (expected %llu), %u "
		       "records, %u expected%s: %s%s\n",
		       what, at, rc, st.verdict, w->verdict,
		       (unsigned long long)st.last_seq, (unsigned long long)w->last,
		       got.n, n_want, all ? "" : ", not all of them", st.what, err.msg);
}

/* The records that a cut at 'at' takes away.  Padding is zeros: to be cut there is no loss. */
static void cut_records(const struct built *b, uint64_t at, bool truncated, bool *bad)
{
	for (unsigned i = 0; i < b->n; i++) {
		const struct place *p = &b->places[i];

		bad[i] = truncated && p->end > at;
		for (uint64_t k = at > p->off ? at : p->off; k < p->end; k++)
			if (b->bytes[b->file][k])
				bad[i] = true;
	}
}

/* Whether what is left of the record in which 'at' lies can be told from the end. */
static bool cut_shows(const struct built *b, uint64_t at, bool truncated, const bool *bad)
{
	for (unsigned i = 0; i < b->n; i++) {
		const struct place *p = &b->places[i];

		if (!bad[i] || at <= p->off || at >= p->end)
			continue;
		/* The magic and no room for a header is enough in a file that was cut short;
		 * otherwise the sequence has to be there. */
		if (truncated && at - p->off < JR_HEADER)
			return at - p->off >= 4;
		return at - p->off > 16;
	}
	return false;
}

/* Every byte of what was written, and some of the zeros around it. */
static unsigned next_byte(const struct built *b, unsigned at)
{
	bool written = at < 160 || (at + 64 >= JOURNAL_HEADER_BYTES &&
				    at < b->places[b->n - 1].end + 64);

	return at + (written ? 1 : 61);
}

static void cut_all(const struct built *b, bool truncate, uint64_t mark)
{
	bool bad[MAX_PLACES];

	n_failed_here = 0;
	for (unsigned at = 0; at <= SIZE; at = next_byte(b, at)) {
		bool header_bad, begun;
		struct want w;

		load(b);
		memset(mem.files[b->file].now + at, 0, SIZE - at);
		if (truncate)
			mem.files[b->file].size = at;
		/* The CRC covers 128 bytes, of which the last 72 are zeros. */
		header_bad = false;
		for (unsigned k = at; k < 128; k++)
			if (b->bytes[b->file][k])
				header_bad = true;
		cut_records(b, at, truncate, bad);
		begun = cut_shows(b, at, truncate, bad);
		w = expect(b, bad, header_bad, begun, mark);
		/* Nothing is left: as if there had never been a journal, or never this file. */
		if (at == 0 && !mark) {
			w.verdict = b->last_before ? JOURNAL_CLEAN : JOURNAL_EMPTY;
			w.n_good = 0;
		}
		check(b, &w, bad, mark, truncate ? "cut short at" : "zeros from", at);
	}
	SUITE_INT(n_failed_here, 0);
}

static void flip_all(const struct built *b, uint8_t pattern, uint64_t mark)
{
	bool bad[MAX_PLACES];

	n_failed_here = 0;
	for (unsigned at = 0; at < SIZE; at = next_byte(b, at)) {
		struct want w;

		load(b);
		mem.files[b->file].now[at] ^= pattern;
		for (unsigned i = 0; i < b->n; i++)
			bad[i] = at >= b->places[i].off && at < b->places[i].end;
		w = expect(b, bad, at < 128, true, mark);
		if (at >= 128 &&
		    (at < JOURNAL_HEADER_BYTES || at >= b->places[b->n - 1].end))
			w.verdict = JOURNAL_CLEAN;
		/* Another magic and nothing to go back to: somebody else's file.  With a mark
		 * nothing in a file can be newer than its header. */
		if (at < 128 && ((at < 8 && !b->last_before) || mark))
			w.verdict = JOURNAL_DAMAGED;
		check(b, &w, bad, mark, "changed at", at);
	}
	SUITE_INT(n_failed_here, 0);
}

static void cut_plain(void)
{
	cut_all(&plain, false, 0);
	cut_all(&plain, true, 0);
}

static void cut_synced(void)
{
	cut_all(&synced, false, 0);
	cut_all(&synced, true, 0);
	SUITE_INT(synced.durable, synced.places[synced.n - 1].seq);
	cut_all(&synced, false, synced.durable);
	cut_all(&synced, true, synced.durable);
	cut_all(&synced, false, synced.durable - 1);
}

static void cut_second(void)
{
	cut_all(&second, false, 0);
	cut_all(&second, true, 0);
	cut_all(&second, false, second.durable);
}

static void flip_plain(void)
{
	flip_all(&plain, 0x01, 0);
	flip_all(&plain, 0x80, 0);
	flip_all(&plain, 0xff, 0);
}

static void flip_synced(void)
{
	flip_all(&synced, 0x01, 0);
	flip_all(&synced, 0xa5, 0);
	flip_all(&synced, 0x40, synced.durable);
}

static void flip_second(void)
{
	flip_all(&second, 0x01, 0);
	flip_all(&second, 0x80, 0);
	flip_all(&second, 0x10, second.durable);
}

/* A sector of zeros anywhere in the file in use. */
static void zero_sectors(void)
{
	bool bad[MAX_PLACES];
	const struct built *b = &synced;

	n_failed_here = 0;
	for (unsigned at = 0; at < SIZE; at += 512) {
		struct want w;
		bool begun = false;

		load(b);
		memset(mem.files[b->file].now + at, 0, 512);
		for (unsigned i = 0; i < b->n; i++) {
			const struct place *p = &b->places[i];

			bad[i] = false;
			for (uint64_t k = p->off; k < p->end; k++)
				if (k >= at && k < at + 512 && b->bytes[b->file][k])
					bad[i] = true;
			if (bad[i] && p->off + 24 <= at)
				begun = true;
		}
		w = expect(b, bad, at == 0, begun, 0);
		check(b, &w, bad, 0, "zero sector at", at);
	}
	SUITE_INT(n_failed_here, 0);
}

/* Opening whatever is left works, and what it then holds can be read back. */
static void opens_after_each_flip(void)
{
	static struct app app;
	unsigned n_bad = 0;

	log_set_level(LOG_LV_ERROR);
	for (unsigned at = 0; at < synced.places[synced.n - 1].end; at += 7) {
		struct disk disk = mem_as_disk(&mem);
		uint64_t cells[APP_CELLS];

		load(&synced);
		mem.files[synced.file].now[at] ^= 0x01;
		app_init(&app);
		app.seed = at;
		if (app_open(&app, &disk, NULL, SIZE) < 0) {
			n_bad++;
			continue;
		}
		memcpy(cells, app.cells, sizeof(cells));
		n_bad += app_set(&app, 3, at) != 0;
		cells[3] = at;
		app_close(&app);
		if (app_open(&app, &disk, NULL, SIZE) < 0) {
			n_bad++;
			continue;
		}
		n_bad += app.st.verdict != JOURNAL_CLEAN;
		n_bad += memcmp(cells, app.cells, sizeof(cells)) != 0;
		app_close(&app);
	}
	SUITE_INT(n_bad, 0);
}

static void is_real(void)
{
	mem_init(&mem);
	build(&plain, 0, false, 0);
	build(&synced, 5, true, 0);
	build(&second, 7, true, 1);
	/* Begin, snapshot, end, records. */
	SUITE_INT(plain.n, APP_CELLS + 2 + 24);
	SUITE_INT(plain.n_snapshot, APP_CELLS + 2);
	SUITE_INT(second.n, APP_CELLS + 2 + 24);
	SUITE_INT(second.last_before, APP_CELLS + 2 + 24);
	SUITE_INT(second.durable, 2 * (APP_CELLS + 2 + 24));
	for (unsigned i = 0; i < 3; i++) {
		const struct built *b = i == 0 ? &plain : i == 1 ? &synced : &second;
		struct want w = { JOURNAL_CLEAN, b->places[b->n - 1].seq, b->n };
		bool bad[MAX_PLACES] = { false };

		load(b);
		check(b, &w, bad, b->durable, "whole", i);
	}
	SUITE_INT(n_failed_here, 0);
}

VFK_SUITE(journal_bytes, { "builds journals that are whole", is_real },
	  { "says what every cut of an unsynced journal means", cut_plain },
	  { "says what every cut of a synced journal means", cut_synced },
	  { "says what every cut of a second file means", cut_second },
	  { "says what every changed byte of an unsynced journal means", flip_plain },
	  { "says what every changed byte of a synced journal means", flip_synced },
	  { "says what every changed byte of a second file means", flip_second },
	  { "finds a sector of zeros anywhere", zero_sectors },
	  { "opens and goes on after any changed byte", opens_after_each_flip })
