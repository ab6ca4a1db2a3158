/* SPDX-License-Identifier: Apache-2.0 */
/* What proves that a journal is damaged, and what is saved of it. */
#include "io/journal.h"

#include "io/journal-internal.h"
#include "journal_mem.h"

static void damage_is_set_aside(void)
{
	char text[200];
	struct jr_header h;
	uint64_t off;

	begin_mem();
	for (unsigned i = 0; i < 20; i++) {
		SUITE_INT(app_set(&app, i % APP_CELLS, i + 1), 0);
		app_sync(&app, &mem);
	}
	off = mem_offset_of(&mem, 0, 17); /* cell 6 becomes 7 */
	mem.files[0].now[off + 48] ^= 0x10;
	jr_decode(mem.files[0].now + off, &h);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_INT(app.st.bad_offset, off);
	SUITE_INT(app.st.crc_found, h.crc);
	snprintf(text, sizeof(text),
		 "journal.0: record 17 at offset %u has checksum 0x%08x, wanted 0x%08x; it had "
		 "been synced, as all up to 29",
		 (unsigned)off, h.crc, app.st.crc_wanted);
	SUITE_STR(app.st.what, text);
	/* All others are there, the later ones too. */
	SUITE_INT(app.n_passed, APP_CELLS + 19);
	SUITE_INT(app.cells[6], 15);
	SUITE_INT(app.cells[3], 20);
	SUITE_INT(mem.n_aside, 3);
	/* What was begun instead is whole, and its numbers were never used before. */
	CU_ASSERT(journal_last(app.j) > 30);
	SUITE_INT(app_set(&app, 0, 99), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	CU_ASSERT(app.st.first_seq > 30);
	SUITE_INT(app.cells[0], 99);
	SUITE_INT(app.cells[6], 15);
	end_mem();
}

/* An owner that copies payloads from the files that it replaces, as the engine does. */
struct copier {
	unsigned file[8], n, n_copied, n_gone;
	uint64_t generation[8], offset[8];
	size_t len[8];
};

static int note_place(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	struct copier *c = arg;

	(void)err;
	if (c->n < 8) {
		c->file[c->n] = rec->file;
		c->generation[c->n] = rec->generation;
		c->offset[c->n] = rec->offset;
		c->len[c->n++] = rec->len_bytes;
	}
	return 0;
}

static int copy_places(void *arg, struct journal *j, struct vfk_err *err)
{
	struct copier *c = arg;
	uint64_t offset;
	char buf[100];

	for (unsigned i = 0; i < c->n; i++) {
		int rc = journal_read_at(j, c->file[i], c->generation[i], c->offset[i],
					 buf, c->len[i], err);

		if (rc == -VFK_E_GONE) {
			c->n_gone++;
			continue;
		}
		if (rc < 0)
			return rc;
		c->n_copied++;
		rc = journal_snapshot_put(j, APP_TYPE, buf, c->len[i], &offset, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What the owner left in the damaged files it can still read while they are replaced. */
static void copies_from_damaged(void)
{
	for (unsigned bad_header = 0; bad_header < 2; bad_header++) {
		struct copier c = { .n = 0 }, again = { .n = 0 };
		struct journal_status st;
		struct journal *j = NULL;
		struct journal_cfg cfg = { .min_size = SIZE,
					   .snapshot = copy_places,
					   .arg = &c };
		struct disk disk;

		begin_mem();
		for (unsigned i = 0; i < 3; i++) {
			SUITE_INT(app_set(&app, i, i + 1), 0);
			app_sync(&app, &mem);
		}
		if (bad_header)
			mem.files[0].now[40] ^= 1;
		else
			mem.files[0].now[mem_offset_of(&mem, 0, 12) + 48] ^= 1;
		app_close(&app);
		disk = mem_as_disk(&mem);
		cfg.disk = &disk;
		SUITE_INT(journal_open(&j, &cfg, note_place, &st, &app.err), 0);
		SUITE_INT(st.verdict, JOURNAL_DAMAGED);
		CU_ASSERT(c.n > 0);
		SUITE_INT(c.n_copied, c.n);
		SUITE_INT(c.n_gone, 0);
		journal_close(j);
		disk = mem_as_disk(&mem);
		cfg.arg = &again;
		SUITE_INT(journal_open(&j, &cfg, note_place, &st, &app.err), 0);
		SUITE_INT(st.verdict, JOURNAL_CLEAN);
		SUITE_INT(again.n, c.n);
		journal_close(j);
		app_init(&app);
		mem_fini(&mem);
	}
}

/* Opening a damaged journal is cut short at each write: the next one finds the damage again
 * or the new journal, and in both cases every value. */
static void dies_while_setting_aside(void)
{
	static struct mem_disk before;
	uint64_t want[APP_CELLS];
	unsigned n;

	begin_mem();
	app.pad = 1000;
	for (unsigned i = 0; i < 150; i++) {
		SUITE_INT(app_set(&app, i % APP_CELLS, i + 1), 0);
		app_sync(&app, &mem);
	}
	SUITE_INT(reopen_mem(NULL), 0);
	mem.files[app.st.file].now[JOURNAL_HEADER_BYTES + 12000 + 77] ^= 1;
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	memcpy(want, app.cells, sizeof(want));
	app_close(&app);
	mem_fini(&mem);

	/* The same again, now with a death at write n. */
	begin_mem();
	app.pad = 1000;
	for (unsigned i = 0; i < 150; i++) {
		SUITE_INT(app_set(&app, i % APP_CELLS, i + 1), 0);
		app_sync(&app, &mem);
	}
	SUITE_INT(reopen_mem(NULL), 0);
	mem.files[app.st.file].now[JOURNAL_HEADER_BYTES + 12000 + 77] ^= 1;
	app_close(&app);
	mem_init(&before);
	mem_copy(&before, &mem);
	for (n = 1; n < 100; n++) {
		struct disk disk = mem_as_disk(&mem);
		bool done;

		mem_copy(&mem, &before);
		mem.die_at = n;
		mem.die_bytes = 100;
		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
		app_close(&app);
		done = !mem.dead;
		mem.dead = false;
		mem.die_at = 0;
		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
		CU_ASSERT(!memcmp(app.cells, want, sizeof(want)));
		app_close(&app);
		if (done)
			break;
	}
	CU_ASSERT(n > 8 && n < 100);
	mem_fini(&before);
	mem_fini(&mem);
}

/* The message names the place also where it is not a record behind the snapshot. */
static void names_the_place(void)
{
	struct journal_status st;
	struct jr_header h;
	struct disk disk;
	char text[200];
	uint64_t off;

	begin_mem();
	for (unsigned i = 0; i < 2; i++) {
		app_sync(&app, &mem);
		SUITE_INT(app_set(&app, i, i + 1), 0);
	}
	disk = mem_as_disk(&mem);
	off = mem_offset_of(&mem, 0, 5);
	jr_decode(mem.files[0].now + off, &h);
	mem.files[0].now[off + 41] ^= 1;
	SUITE_INT(journal_read(&disk, 0, false, app_record, &app, &st, &app.err), 0);
	SUITE_INT(st.bad_offset, off);
	snprintf(text, sizeof(text),
		 "journal.0: a snapshot record at offset %u has checksum 0x%08x, wanted "
		 "0x%08x; all up to record 11 had been synced",
		 (unsigned)off, h.crc, st.crc_wanted);
	SUITE_STR(st.what, text);
	memset(mem.files[0].now + off, 0, 8);
	SUITE_INT(journal_read(&disk, 0, false, app_record, &app, &st, &app.err), 0);
	snprintf(text, sizeof(text),
		 "journal.0: the snapshot is bad at offset %u; all up to record 11 had been "
		 "synced",
		 (unsigned)off);
	SUITE_STR(st.what, text);
	mem.files[0].now[16] ^= 1;
	SUITE_INT(journal_read(&disk, 0, false, app_record, &app, &st, &app.err), 0);
	SUITE_STR(st.what,
		  "journal.0: the header is bad; all up to record 11 had been synced");
	end_mem();
}

static void mark_proves_damage(void)
{
	char text[200];

	make_dir();
	mem_init(&mem);
	app_init(&app);
	{
		struct disk disk = mem_as_disk(&mem);

		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
	}
	for (unsigned i = 0; i < 5; i++)
		SUITE_INT(app_set(&app, i, i + 1), 0);
	/* The last thing that happened was a sync: no record speaks of it. */
	CU_ASSERT(app_sync(&app, &mem));
	memset(mem.files[0].now + mem_offset_of(&mem, 0, 15), 0, 64);
	{
		struct disk disk = mem_as_disk(&mem);
		struct journal_status st;

		SUITE_INT(journal_read(&disk, 0, false, app_record, &app, &st, &app.err),
			  0);
		SUITE_INT(st.verdict, JOURNAL_CLEAN);
		SUITE_INT(st.last_seq, 14);
		SUITE_INT(journal_read(&disk, 15, false, app_record, &app, &st, &app.err),
			  0);
		SUITE_INT(st.verdict, JOURNAL_DAMAGED);
		SUITE_INT(st.durable_upto, 15);
		SUITE_INT(journal_read(&disk, 14, false, app_record, &app, &st, &app.err),
			  0);
		SUITE_INT(st.verdict, JOURNAL_CLEAN);
	}
	snprintf(text, sizeof(text),
		 "journal.0: record 15 is missing at offset %u; it had been "
		 "synced, as all up to 15",
		 (unsigned)mem_offset_of(&mem, 0, 15));
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(app.st.what, text);
	end_mem();
	remove_dir();
}

/* In one boot nothing that was written is lost, synced or not. */
static void hole_of_this_boot(void)
{
	struct journal_status st;
	struct disk disk;
	char text[200];

	for (unsigned same_boot = 0; same_boot < 2; same_boot++) {
		unsigned off, end;

		make_dir();
		mem_init(&mem);
		app_init(&app);
		disk = mem_as_disk(&mem);
		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
		for (unsigned i = 0; i < 5; i++)
			SUITE_INT(app_set(&app, i, i + 1), 0);
		off = (unsigned)mem_offset_of(&mem, 0, 12);
		end = (unsigned)mem_offset_of(&mem, 0, 16);
		memset(mem.files[0].now + off, 0, 64);
		/* A reader that has only the sequence sees what stands behind. */
		SUITE_INT(journal_read(&disk, 1, false, app_record, &app, &st, &app.err),
			  0);
		SUITE_INT(st.verdict, JOURNAL_DAMAGED);
		snprintf(text, sizeof(text),
			 "journal.0: record 12 is bad at offset %u, later ones of this boot "
			 "follow",
			 off);
		SUITE_STR(st.what, text);
		snprintf(text, sizeof(text),
			 "journal.0: record 12 is bad at offset %u; this boot wrote up to "
			 "offset %u",
			 off, end);
		SUITE_INT(reopen_mem(same_boot ? mark_path : NULL), 0);
		if (same_boot) {
			SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
			SUITE_STR(app.st.what, text);
			SUITE_INT(app.cells[4], 5);
		} else {
			SUITE_INT(app.st.verdict, JOURNAL_TORN);
			SUITE_INT(app.st.last_seq, 11);
			SUITE_INT(app.cells[4], 0);
		}
		end_mem();
		remove_dir();
	}
}

/* The same where the bad place is in the snapshot, of the first file or of a later one. */
static void snapshot_of_this_boot(void)
{
	for (unsigned i = 0; i < 4; i++) {
		bool same_boot = i % 2, later = i / 2;
		unsigned file = later ? 1 : 0;
		struct disk disk;
		char text[200];

		make_dir();
		mem_init(&mem);
		app_init(&app);
		disk = mem_as_disk(&mem);
		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
		SUITE_INT(app_set(&app, 1, 5), 0);
		if (later)
			SUITE_INT(journal_begin(app.j, &app.err), 0);
		memset(mem.files[file].now + JOURNAL_HEADER_BYTES + 60, 0xa5, 8);
		SUITE_INT(reopen_mem(same_boot ? mark_path : NULL), 0);
		SUITE_INT(app.st.verdict, same_boot ? JOURNAL_DAMAGED : JOURNAL_TORN);
		snprintf(text, sizeof(text),
			 "journal.%u: the snapshot is bad; this boot wrote up to offset ",
			 file);
		if (same_boot)
			CU_ASSERT(strstr(app.st.what, text) == app.st.what);
		SUITE_INT(app.cells[1], later || same_boot ? 5 : 0);
		end_mem();
		remove_dir();
	}
}

/* A damaged journal was to be replaced, and its newest file was set aside for that. */
static void file_of_this_boot_is_gone(void)
{
	for (unsigned same_boot = 0; same_boot < 2; same_boot++) {
		struct disk disk;

		make_dir();
		mem_init(&mem);
		app_init(&app);
		disk = mem_as_disk(&mem);
		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
		SUITE_INT(app_set(&app, 1, 5), 0);
		SUITE_INT(journal_begin(app.j, &app.err), 0);
		SUITE_INT(app_set(&app, 1, 6), 0);
		SUITE_INT(mem_set_aside(&mem, 1), 0);
		SUITE_INT(reopen_mem(same_boot ? mark_path : NULL), 0);
		SUITE_INT(app.st.verdict, same_boot ? JOURNAL_DAMAGED : JOURNAL_CLEAN);
		if (same_boot)
			SUITE_STR(app.st.what, "the file that this boot wrote to is gone; "
					       "journal.0 ends with record 11");
		SUITE_INT(app.cells[1], 5);
		end_mem();
		remove_dir();
	}
}

/* Setting the damaged file aside worked, then nothing did: the next try sees that, too. */
static void nothing_left_of_this_boot(void)
{
	struct disk disk;

	make_dir();
	mem_init(&mem);
	app_init(&app);
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
	memset(mem.files[0].now, 0, mem.files[0].size);
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(app.st.what, "no whole snapshot is there; this boot had written one");
	end_mem();
	remove_dir();
}

/* Power was lost; the first engine of the boot cannot write, and so made the mark only.  What
 * the next try sees is what the loss of power has left, not a hole of this boot. */
static void try_that_fails(void)
{
	for (unsigned i = 0; i < 10; i++) {
		bool in_base = i % 2;
		struct disk disk;

		make_dir();
		mem_init(&mem);
		app_init(&app);
		disk = mem_as_disk(&mem);
		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
		for (unsigned k = 0; k < 5; k++)
			SUITE_INT(app_set(&app, k, k + 1), 0);
		if (in_base) { /* record 12 did not land, 13 to 15 did */
			memset(mem.files[0].now + mem_offset_of(&mem, 0, 12), 0, 64);
		} else {
			SUITE_INT(journal_begin(app.j, &app.err), 0);
			memset(mem.files[1].now + JOURNAL_HEADER_BYTES, 0, 128);
		}
		app_close(&app);
		mem.files[2].exists = false;
		mem.files[2].size = 0;
		mem.fail_at = mem.n_ops + 1 + i / 2;
		mem.fail_count = 1;
		mem.fail_errno = ENOSPC;
		CU_ASSERT(app_open(&app, &disk, mark_path, SIZE) < 0);
		SUITE_INT(app.st.verdict, JOURNAL_TORN);
		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
		SUITE_INT(app.st.verdict, JOURNAL_TORN);
		SUITE_INT(app.st.last_seq, in_base ? 11 : 15);
		SUITE_INT(app.cells[4], in_base ? 0 : 5);
		SUITE_INT(mem.n_aside, 0);
		SUITE_INT(app_set(&app, 7, 70), 0);
		SUITE_INT(reopen_mem(mark_path), 0);
		SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
		SUITE_INT(app.cells[4], in_base ? 0 : 5);
		SUITE_INT(app.cells[7], 70);
		end_mem();
		remove_dir();
	}
}

/* The last record is gone without a trace, but this boot wrote it. */
static void lost_end_of_this_boot(void)
{
	struct disk disk;

	make_dir();
	mem_init(&mem);
	app_init(&app);
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
	for (unsigned i = 0; i < 5; i++)
		SUITE_INT(app_set(&app, i, i + 1), 0);
	/* One that was written and not yet noted is no damage. */
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	memset(mem.files[0].now + mem_offset_of(&mem, 0, 15), 0, 64);
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_INT(app.cells[3], 4);
	/* The new journal is another one: what the mark said of the old is over. */
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	end_mem();
	remove_dir();
}

/* However far a later record stands behind the end, and wherever in the reader's strides. */
static void finds_record_anywhere(void)
{
	struct jr_header h = { .len = 3, .type = APP_TYPE };
	struct journal_status st;
	struct disk disk;
	unsigned n_found = 0;

	begin_mem();
	disk = mem_as_disk(&mem);
	jr_decode(mem.files[0].now + JOURNAL_HEADER_BYTES, &h);
	h.len = 3;
	h.type = APP_TYPE;
	h.seq = journal_last(app.j) + 2;
	for (unsigned i = 1; i <= 300; i++) {
		uint8_t *at = mem.files[0].now + mem_offset_of(&mem, 0, 11) + (size_t)i * 8;

		jr_encode(at, &h, "abc");
		SUITE_INT(journal_read(&disk, 0, false, NULL, NULL, &st, &app.err), 0);
		n_found += st.verdict == JOURNAL_TORN;
		memset(at, 0, 48);
	}
	SUITE_INT(n_found, 300);
	end_mem();
}

/* The newest file has lost its header; behind its records stand those of older turns. */
static void passes_no_older_turn(void)
{
	struct history h = { .in_order = true };
	struct journal_status st;
	uint64_t generation, offset, last;
	struct disk disk;
	unsigned file;

	begin_mem();
	app.pad = 1000;
	for (unsigned i = 0; i < 500; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	app_sync(&app, &mem);
	SUITE_INT(app_set(&app, 0, 4711), 0);
	last = journal_last(app.j);
	journal_where(app.j, &file, &generation, &offset);
	mem.files[file].now[20] ^= 1;
	disk = mem_as_disk(&mem);
	SUITE_INT(journal_read(&disk, 0, false, take_history, &h, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_DAMAGED);
	CU_ASSERT(h.in_order);
	SUITE_INT(h.last, last);
	SUITE_INT(st.last_seq, last);
	end_mem();
}

/* Without a loss of power a file is begun in one order: header, snapshot, its end, its begin,
 * records. */
static void order_of_a_begun_file(void)
{
	struct journal_status st;
	struct disk disk;
	uint64_t before;

	begin_mem();
	before = journal_last(app.j);
	disk = mem_as_disk(&mem);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	/* Killed before its begin was written. */
	memset(mem.files[1].now + JOURNAL_HEADER_BYTES, 0, JR_MARK_BYTES);
	SUITE_INT(journal_read(&disk, before, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_TORN);
	/* A record behind it cannot be there then. */
	SUITE_INT(app_set(&app, 1, 1), 0);
	SUITE_INT(journal_read(&disk, before, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_DAMAGED);
	SUITE_INT(journal_read(&disk, 0, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_TORN);
	end_mem();

	/* Nor can the snapshot without the header. */
	begin_mem();
	disk = mem_as_disk(&mem);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_read(&disk, before, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_CLEAN);
	memset(mem.files[1].now, 0, 128);
	SUITE_INT(journal_read(&disk, before, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_DAMAGED);
	SUITE_INT(journal_read(&disk, 0, false, NULL, NULL, &st, &app.err), 0);
	SUITE_INT(st.verdict, JOURNAL_TORN);
	end_mem();
}

/* Power was lost while a file was begun, and of that all but the header is on the disk: what
 * stands there counts for nothing, and its numbers are not given again, so that it does not look
 * newer when that header is damaged one day. */
static void header_that_did_not_land(void)
{
	for (unsigned used = 0; used < 2; used++) {
		uint8_t headers[JOURNAL_FILES][JF_HEADER_USED];
		uint64_t generation, offset, lost;
		unsigned file, now;

		begin_mem();
		for (unsigned i = 0; used && i < JOURNAL_FILES - 1; i++)
			SUITE_INT(journal_begin(app.j, &app.err), 0);
		SUITE_INT(app_set(&app, 1, 5), 0);
		CU_ASSERT(app_sync(&app, &mem));
		for (unsigned n = 0; n < JOURNAL_FILES; n++)
			memcpy(headers[n], mem.files[n].now, JF_HEADER_USED);
		SUITE_INT(journal_begin(app.j, &app.err), 0);
		SUITE_INT(app_set(&app, 1, 77), 0);
		lost = journal_last(app.j);
		journal_where(app.j, &file, &generation, &offset);
		memcpy(mem.files[file].now, headers[file], JF_HEADER_USED);
		SUITE_INT(reopen_mem(NULL), 0);
		SUITE_INT(app.st.verdict, JOURNAL_TORN);
		SUITE_INT(app.cells[1], 5);
		SUITE_INT(app_set(&app, 2, 6), 0);
		CU_ASSERT(journal_last(app.j) > lost);
		journal_where(app.j, &now, &generation, &offset);
		if (now != file)
			mem.files[file].now[40] ^= 1;
		SUITE_INT(reopen_mem(NULL), 0);
		CU_ASSERT(app.st.verdict != JOURNAL_DAMAGED);
		SUITE_INT(app.cells[1], 5);
		SUITE_INT(app.cells[2], 6);
		end_mem();
	}
}

/* Likewise: what did land at the beginning is of the try before. */
static void header_of_the_try_before(void)
{
	uint8_t header[JF_HEADER_USED];
	uint64_t lost;

	begin_mem();
	SUITE_INT(app_set(&app, 1, 5), 0);
	CU_ASSERT(app_sync(&app, &mem));
	app.snapshot_fails = 3;
	CU_ASSERT(journal_begin(app.j, &app.err) < 0);
	memcpy(header, mem.files[1].now, sizeof(header));
	app.snapshot_fails = -1;
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	for (unsigned i = 0; i < 100; i++)
		SUITE_INT(app_set(&app, 1, 77 + i), 0);
	lost = journal_last(app.j);
	memcpy(mem.files[1].now, header, sizeof(header));
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_TORN);
	SUITE_INT(app.cells[1], 5);
	SUITE_INT(app_set(&app, 2, 6), 0);
	CU_ASSERT(journal_last(app.j) > lost);
	end_mem();
}

/* A whole file that was begun anew, and that only the first pages of are on the disk as they
 * were. */
static void base_of_the_try_before(void)
{
	static uint8_t first[8192];
	uint64_t lost;

	begin_mem();
	SUITE_INT(app_set(&app, 1, 5), 0);
	CU_ASSERT(app_sync(&app, &mem));
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	memcpy(first, mem.files[1].now, sizeof(first));
	SUITE_INT(journal_begin(app.j, &app.err), 0); /* none of it lands */
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	for (unsigned i = 0; i < 200; i++)
		SUITE_INT(app_set(&app, 1, 77 + i), 0);
	lost = journal_last(app.j);
	memcpy(mem.files[1].now, first, sizeof(first));
	memset(mem.files[2].now, 0, mem.files[2].size);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_TORN);
	SUITE_INT(app.cells[1], 5);
	SUITE_INT(app_set(&app, 2, 6), 0);
	CU_ASSERT(journal_last(app.j) > lost);
	end_mem();
}

/* Checksums are right and everything else is wrong: nobody but an enemy writes that. */
static void hostile_numbers(void)
{
	struct jf_header h, good;
	struct jr_header rec;
	uint8_t payload[JR_MARK_LEN];

	for (unsigned i = 0; i < 6; i++) {
		begin_mem();
		SUITE_INT(app_set(&app, 1, 1), 0);
		SUITE_INT(jf_decode(mem.files[0].now, &good), JF_USED);
		h = good;
		jr_decode(mem.files[0].now + JOURNAL_HEADER_BYTES, &rec);
		memcpy(payload, mem.files[0].now + JOURNAL_HEADER_BYTES + JR_HEADER,
		       sizeof(payload));
		if (i == 0)
			h.number = UINT64_MAX;
		else if (i == 1)
			h.first_seq = 0;
		else if (i == 2)
			h.first_seq = UINT64_MAX;
		else if (i == 3)
			rec.durable_upto = UINT64_MAX;
		else if (i == 4)
			jr_put_mark(payload, UINT64_MAX, UINT64_MAX);
		else
			rec.seq = UINT64_MAX;
		jf_encode(mem.files[0].now, &h);
		jr_encode(mem.files[0].now + JOURNAL_HEADER_BYTES, &rec, payload);
		SUITE_INT(reopen_mem(NULL), 0);
		CU_ASSERT(app.st.verdict == JOURNAL_TORN ||
			  app.st.verdict == JOURNAL_DAMAGED);
		SUITE_INT(app_set(&app, 2, 2), 0);
		CU_ASSERT(journal_last(app.j) < 100);
		SUITE_INT(reopen_mem(NULL), 0);
		SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
		SUITE_INT(app.cells[2], 2);
		end_mem();
	}
}

static void gap_is_damage(void)
{
	struct jr_header h;
	uint64_t off;
	uint8_t copy[64];

	begin_mem();
	for (unsigned i = 0; i < 5; i++)
		SUITE_INT(app_set(&app, i, i + 1), 0);
	off = mem_offset_of(&mem, 0, 13);
	jr_decode(mem.files[0].now + off, &h);
	memcpy(copy, mem.files[0].now + off + JR_HEADER, sizeof(copy) - JR_HEADER);
	h.seq++;
	jr_encode(mem.files[0].now + off, &h, copy);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(strstr(app.st.what, "record"),
		  strstr(app.st.what, "record 13 is missing at offset"));
	end_mem();
}

/* An older record of the same file, whole, where the one after the next will end. */
static void stale_record_is_cut(void)
{
	uint64_t off, end, bytes;

	begin_mem();
	for (unsigned i = 0; i < 5; i++)
		SUITE_INT(app_set(&app, i, i + 1), 0);
	off = mem_offset_of(&mem, 0, journal_last(app.j) - 2);
	bytes = mem_offset_of(&mem, 0, journal_last(app.j) - 1) - off;
	end = off + 3 * bytes;
	memcpy(mem.files[0].now + end + bytes, mem.files[0].now + off, bytes);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_TORN);
	SUITE_INT(app.cells[4], 5);
	SUITE_INT(app_set(&app, 0, 99), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[0], 99);
	end_mem();
}

static void missing_file(void)
{
	begin_mem();
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	mem.files[0].exists = false;
	mem.files[0].size = 0;
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(app.st.what, "journal.0: the file is missing");
	end_mem();
}

static void foreign_file(void)
{
	begin_mem();
	app_close(&app);
	for (unsigned n = 0; n < 3; n++)
		memset(mem.files[n].now, 'A', SIZE);
	{
		struct disk disk = mem_as_disk(&mem);

		SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
	}
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(app.st.what, "journal.0: not a journal file");
	SUITE_INT(mem.n_aside, 3);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	end_mem();
}

static void everything_gone(void)
{
	make_dir();
	mem_init(&mem);
	app_init(&app);
	{
		struct disk disk = mem_as_disk(&mem);

		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
		CU_ASSERT(app_sync(&app, &mem));
		app_close(&app);
		for (unsigned n = 0; n < 3; n++) {
			mem.files[n].exists = false;
			mem.files[n].size = 0;
		}
		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
	}
	SUITE_INT(app.st.verdict, JOURNAL_DAMAGED);
	SUITE_STR(app.st.what, "nothing is there; all up to record 10 had been synced");
	CU_ASSERT(journal_last(app.j) > 10);
	end_mem();
	remove_dir();
}

VFK_SUITE(journal_damage,
	  { "sets damaged files aside and keeps what is whole", damage_is_set_aside },
	  { "lets its owner copy from damaged files", copies_from_damaged },
	  { "loses nothing when it dies while setting files aside",
	    dies_while_setting_aside },
	  { "names file, offset and checksums of damage", names_the_place },
	  { "finds damage by the mark alone", mark_proves_damage },
	  { "takes a hole in records of this boot for damage", hole_of_this_boot },
	  { "a snapshot that this boot had made whole", snapshot_of_this_boot },
	  { "misses the file of this boot", file_of_this_boot_is_gone },
	  { "misses the only file of this boot", nothing_left_of_this_boot },
	  { "takes no hole for damage when a try to open failed", try_that_fails },
	  { "misses the last record of this boot", lost_end_of_this_boot },
	  { "finds a record at any place behind the end", finds_record_anywhere },
	  { "passes no record of an older turn without a header", passes_no_older_turn },
	  { "knows in which order a file is begun", order_of_a_begun_file },
	  { "knows a file of which the header did not land", header_that_did_not_land },
	  { "or that has the header of the try before", header_of_the_try_before },
	  { "or the first pages", base_of_the_try_before },
	  { "is not fooled by numbers that nobody reaches", hostile_numbers },
	  { "takes a gap in the sequence for damage", gap_is_damage },
	  { "cuts off an older record that stands behind the end", stale_record_is_cut },
	  { "takes a missing file for damage", missing_file },
	  { "sets files aside that are no journal", foreign_file },
	  { "knows that a journal is gone", everything_gone })
