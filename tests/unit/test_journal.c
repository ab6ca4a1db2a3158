/* SPDX-License-Identifier: Apache-2.0 */
#include "io/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "io/journal-internal.h"
#include "journal_mem.h"

static int open_real(bool with_mark)
{
	struct disk disk;

	if (fs_disk(&disk, dir, false, &app.err) < 0)
		return -1;
	return app_open(&app, &disk, with_mark ? mark_path : NULL, SIZE);
}

/* --- opening, appending, reading back --- */

static void begins_empty(void)
{
	begin_mem();
	SUITE_INT(app.st.verdict, JOURNAL_EMPTY);
	SUITE_STR(app.st.what, "");
	SUITE_INT(app.n_passed, 0);
	SUITE_INT(journal_last(app.j), APP_CELLS + 2);
	SUITE_INT(journal_durable(app.j), 0);
	SUITE_INT(mem.files[0].size, SIZE);
	SUITE_INT(mem.files[2].size, SIZE);
	end_mem();
}

static void reads_back(void)
{
	begin_mem();
	for (unsigned i = 0; i < 40; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, 1000 + i), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.n_passed, APP_CELLS + 40);
	SUITE_INT(app.n_snapshot, APP_CELLS);
	for (unsigned i = 0; i < app.n_passed; i++)
		SUITE_INT(app.passed[i], i < APP_CELLS ? 2 + i : 3 + i);
	SUITE_INT(app.cells[7], 1039);
	SUITE_INT(app.st.last_seq, 50);
	SUITE_INT(app.st.first_seq, 1);
	end_mem();
}

static void goes_on(void)
{
	begin_mem();
	SUITE_INT(app_set(&app, 1, 5), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app_set(&app, 2, 6), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.file, 0);
	SUITE_INT(app.cells[1], 5);
	SUITE_INT(app.cells[2], 6);
	SUITE_INT(app.st.last_seq, APP_CELLS + 4);
	end_mem();
}

static void real_files(void)
{
	struct stat st;
	char path[96];

	make_dir();
	app_init(&app);
	SUITE_INT(open_real(true), 0);
	for (unsigned i = 0; i < 100; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i), 0);
	app_close(&app);
	for (unsigned n = 0; n < JOURNAL_FILES; n++) {
		snprintf(path, sizeof(path), "%s/journal.%u", dir, n);
		SUITE_INT(stat(path, &st), 0);
		SUITE_INT(st.st_size, SIZE);
		SUITE_INT(st.st_mode & 0777, 0600);
		/* Really written: a file with holes has fewer blocks. */
		CU_ASSERT(st.st_blocks * 512 >= SIZE);
	}
	SUITE_INT(open_real(true), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[3], 99);
	app_close(&app);
	remove_dir();
}

/* --- switching --- */

static void switches(void)
{
	uint64_t last;

	begin_mem();
	app.pad = 1000;
	for (unsigned i = 0; i < 1000; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i), 0);
	last = journal_last(app.j);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.st.last_seq, last);
	for (unsigned i = 0; i < APP_CELLS; i++)
		SUITE_INT(app.cells[i], 992 + i);
	end_mem();
}

static void keeps_history(void)
{
	struct history h = { .in_order = true };
	struct journal_status st;
	struct disk disk;

	begin_mem();
	app.pad = 1000;
	for (unsigned i = 0; i < 300; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i), 0);
	disk = mem_as_disk(&mem);
	SUITE_INT(journal_read(&disk, 0, true, take_history, &h, &st, &app.err), 0);
	SUITE_INT(h.n_files, 3);
	CU_ASSERT(h.in_order);
	SUITE_INT(h.last, journal_last(app.j));
	h = (struct history){ .in_order = true };
	SUITE_INT(journal_read(&disk, 0, false, take_history, &h, &st, &app.err), 0);
	SUITE_INT(h.n_files, 1);
	end_mem();
}

static void overwrites_no_synced(void)
{
	unsigned file, other, synced_file;
	uint64_t upto, generation, offset;
	struct jf_header h;
	int fd;

	begin_mem();
	CU_ASSERT(app_sync(&app, &mem));
	journal_where(app.j, &synced_file, &generation, &offset);
	/* However often files are begun without a sync, the synced one stays. */
	for (unsigned i = 0; i < 7; i++) {
		SUITE_INT(journal_begin(app.j, &app.err), 0);
		journal_where(app.j, &file, &generation, &offset);
		CU_ASSERT(file != synced_file);
	}
	SUITE_INT(jf_decode(mem.files[synced_file].now, &h), JF_USED);
	SUITE_INT(h.number, 1);
	/* Once another one is synced it may go. */
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	journal_where(app.j, &other, &generation, &offset);
	CU_ASSERT(other != file);
	SUITE_INT(jf_decode(mem.files[synced_file].now, &h), JF_USED);
	CU_ASSERT(h.number > 1);
	end_mem();
}

static void old_generation_is_no_damage(void)
{
	begin_mem();
	app.pad = 1000;
	/* Three rounds: behind the end of each file stand records of an older turn. */
	for (unsigned i = 0; i < 500; i++) {
		SUITE_INT(app_set(&app, i % APP_CELLS, i), 0);
		app_sync(&app, &mem);
		if (i < 200)
			continue;
		SUITE_INT(reopen_mem(NULL), 0);
		SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	}
	end_mem();
}

/* --- syncs --- */

static void tells_what_to_sync(void)
{
	unsigned file;
	uint64_t upto;
	int fd;

	begin_mem();
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	SUITE_INT(file, 0);
	SUITE_INT(upto, APP_CELLS + 2);
	SUITE_INT(app_set(&app, 1, 1), 0);
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(journal_durable(app.j), APP_CELLS + 2);
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	SUITE_INT(upto, APP_CELLS + 3);
	journal_synced(app.j, file, upto, 0);
	CU_ASSERT_FALSE(journal_want_sync(app.j, &fd, &file, &upto));
	CU_ASSERT_FALSE(journal_failed(app.j));
	end_mem();
}

static void late_sync_of_older_file(void)
{
	unsigned file;
	uint64_t upto;
	int fd;

	begin_mem();
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	/* The file before is whole, so its sync counts; once begun anew it does not. */
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(journal_durable(app.j), upto);
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(journal_durable(app.j), APP_CELLS + 2);
	end_mem();
}

static void failed_sync_is_final(void)
{
	unsigned file, failed_file;
	uint64_t upto, last;
	int fd;

	begin_mem();
	CU_ASSERT(journal_want_sync(app.j, &fd, &failed_file, &upto));
	journal_synced(app.j, failed_file, upto, EIO);
	CU_ASSERT(journal_failed(app.j));
	CU_ASSERT_FALSE(journal_want_sync(app.j, &fd, &file, &last));
	/* A later good sync of the same file proves nothing. */
	journal_synced(app.j, failed_file, upto, 0);
	SUITE_INT(journal_durable(app.j), 0);
	CU_ASSERT(journal_failed(app.j));
	/* Records are still written: a release has to go on. */
	SUITE_INT(app_set(&app, 1, 77), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	CU_ASSERT(journal_failed(app.j));
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	CU_ASSERT(file != failed_file);
	journal_synced(app.j, file, upto, 0);
	CU_ASSERT_FALSE(journal_failed(app.j));
	SUITE_INT(journal_durable(app.j), journal_last(app.j));
	end_mem();
}

static void failed_sync_survives_engine(void)
{
	unsigned file, other;
	uint64_t upto, generation, offset;
	int fd;

	make_dir();
	begin_mem_marked(mark_path);
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	journal_synced(app.j, file, upto, EIO);
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	journal_where(app.j, &other, &generation, &offset);
	CU_ASSERT(other != file);
	CU_ASSERT(journal_failed(app.j));
	CU_ASSERT(app_sync(&app, &mem));
	CU_ASSERT_FALSE(journal_failed(app.j));
	/* And it is forgotten once another file is synced. */
	SUITE_INT(reopen_mem(mark_path), 0);
	CU_ASSERT_FALSE(journal_failed(app.j));
	end_mem();
	remove_dir();
}

/* P1: an engine dies while a sync is under way; whether that failed nobody heard. */
static void untold_sync_begins_a_file(void)
{
	unsigned file, other;
	uint64_t upto, generation, offset;
	int fd;

	make_dir();
	begin_mem_marked(mark_path);
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	journal_where(app.j, &other, &generation, &offset);
	CU_ASSERT(other != file);
	CU_ASSERT_FALSE(journal_failed(app.j)); /* ADDs go on */
	/* One that was heard of is no reason for another file. */
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	CU_ASSERT(file == other);
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(app_set(&app, 1, 77), 0);
	journal_where(app.j, &other, &generation, &offset);
	CU_ASSERT(file == other);
	end_mem();
	remove_dir();
}

static void mark_keeps_durable(void)
{
	char path[128];
	int fd;

	make_dir();
	SUITE_INT(journal_durable_load(mark_path), 0);
	begin_mem_marked(mark_path);
	SUITE_INT(journal_durable_load(mark_path), 0);
	CU_ASSERT(app_sync(&app, &mem));
	SUITE_INT(journal_durable_load(mark_path), APP_CELLS + 2);
	SUITE_INT(reopen_mem(mark_path), 0);
	SUITE_INT(journal_durable(app.j), APP_CELLS + 2);
	SUITE_INT(journal_durable_load(mark_path), APP_CELLS + 2);
	end_mem();
	/* Not one of ours: as if there were none, and made anew by the next engine. */
	snprintf(path, sizeof(path), "%s/other", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	SUITE_INT(write(fd, "0123456789abcdef01234567", 24), 24);
	close(fd);
	SUITE_INT(journal_durable_load(path), 0);
	remove_dir();
}

/* --- limits and faults --- */

static void names_are_synced_once(void)
{
	unsigned file;
	uint64_t upto;
	int fd;

	make_dir();
	app_init(&app);
	SUITE_INT(open_real(true), 0);
	CU_ASSERT(journal_want_names(app.j) >= 0);
	app_close(&app); /* dies before its first sync */
	SUITE_INT(open_real(true), 0);
	CU_ASSERT(journal_want_names(app.j) >= 0);
	CU_ASSERT(journal_want_sync(app.j, &fd, &file, &upto));
	journal_names_synced(app.j);
	journal_synced(app.j, file, upto, 0);
	SUITE_INT(journal_want_names(app.j), -1);
	app_close(&app);
	SUITE_INT(open_real(true), 0);
	SUITE_INT(journal_want_names(app.j), -1);
	app_close(&app);
	unlink(mark_path); /* the next boot: what is there came from the disk */
	SUITE_INT(open_real(true), 0);
	SUITE_INT(journal_want_names(app.j), -1);
	app_close(&app);
	remove_dir();
}

static void grows(void)
{
	uint64_t room, seq, capacity;
	static uint8_t big[JOURNAL_PAYLOAD_MAX];

	begin_mem();
	room = journal_room(app.j);
	capacity = journal_capacity(app.j);
	SUITE_INT(capacity, SIZE - JOURNAL_HEADER_BYTES - 2 * JOURNAL_RECORD_BYTES(16));
	SUITE_INT(journal_append(app.j, APP_TYPE, big, sizeof(big), &seq, &app.err),
		  -VFK_E_LIMIT);
	SUITE_STR(app.err.msg, "the snapshot fills journal.1");
	SUITE_INT(journal_grow(app.j, 400 * 1024 + 1, &app.err), 0);
	SUITE_INT(mem.files[2].size, 404 * 1024);
	SUITE_INT(journal_room(app.j), room + 404 * 1024 - SIZE);
	SUITE_INT(journal_capacity(app.j), capacity + 404 * 1024 - SIZE);
	SUITE_INT(journal_append(app.j, APP_TYPE, big, sizeof(big), &seq, &app.err), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.st.last_seq, seq);
	end_mem();
}

static void refuses_too_long(void)
{
	static uint8_t big[JOURNAL_PAYLOAD_MAX + 1];
	uint64_t seq;

	begin_mem();
	SUITE_INT(journal_append(app.j, APP_TYPE, big, sizeof(big), &seq, &app.err),
		  -VFK_E_LIMIT);
	SUITE_STR(app.err.msg, "record of 262145 bytes");
	SUITE_INT(app_set(&app, 1, 1), 0);
	app.pad = 20000;
	SUITE_INT(journal_begin(app.j, &app.err), -VFK_E_LIMIT);
	SUITE_STR(app.err.msg, "journal.1 of 65536 bytes is too small for the snapshot");
	/* The present file is not hurt. */
	app.pad = 0;
	SUITE_INT(app_set(&app, 2, 2), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_TORN);
	SUITE_STR(app.st.what,
		  "journal.1: the snapshot is incomplete; going on from journal.0, record 12");
	SUITE_INT(app.cells[1], 1);
	SUITE_INT(app.cells[2], 2);
	end_mem();
}

static void failed_write(void)
{
	begin_mem();
	SUITE_INT(app_set(&app, 1, 1), 0);
	mem.fail_at = mem.n_ops + 1;
	mem.fail_count = 1;
	mem.fail_errno = EIO;
	SUITE_INT(app_set(&app, 1, 2), -VFK_E_SYS);
	SUITE_STR(app.err.msg, "write journal.0: EIO");
	CU_ASSERT(journal_failed(app.j));
	SUITE_INT(app_set(&app, 1, 3), -VFK_E_SYS);
	SUITE_STR(app.err.msg, "journal.0 takes no more records since a write failed");
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	CU_ASSERT_FALSE(journal_failed(app.j));
	SUITE_INT(app_set(&app, 1, 4), 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[1], 4);
	end_mem();
}

/* Whatever write or extension fails first: opening says so, everything that was readable
 * was passed on, and the next opening finds the same. */
static void full_disk_at_each_write(void)
{
	static struct mem_disk before;
	unsigned n;

	begin_mem();
	for (unsigned i = 0; i < 20; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i + 1), 0);
	app_close(&app);
	/* A torn tail: opening has to begin another file. */
	mem.files[0].now[mem_offset_of(&mem, 0, 30) + 50] ^= 1;
	mem_init(&before);
	for (unsigned kind = 0; kind < 2; kind++) {
		mem_copy(&before, &mem);
		if (kind == 1) { /* and two files have to be made */
			before.files[1].exists = before.files[2].exists = false;
			before.files[1].size = before.files[2].size = 0;
		}
		for (n = 1;; n++) {
			struct disk disk = mem_as_disk(&mem);
			int rc;

			mem_copy(&mem, &before);
			mem.fail_at = n;
			mem.fail_count = 1000;
			mem.fail_errno = ENOSPC;
			rc = app_open(&app, &disk, NULL, SIZE);
			SUITE_INT(app.st.verdict, JOURNAL_TORN);
			if (rc == 0)
				break;
			SUITE_INT(rc, -VFK_E_SYS);
			SUITE_INT(app.err.sys, ENOSPC);
			CU_ASSERT_PTR_NULL(app.j);
			SUITE_INT(app.n_passed, APP_CELLS + 19);
			mem.fail_at = 0;
			SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
			/* Only the snapshot is missing if the last write alone failed. */
			SUITE_INT(app.st.verdict, JOURNAL_TORN);
			SUITE_INT(app.n_passed, APP_CELLS + 19);
			SUITE_INT(app.cells[7], 16);
			app_close(&app);
		}
		CU_ASSERT(n > 3);
		app_close(&app);
	}
	mem_fini(&before);
	mem_fini(&mem);
}

static int no_space(unsigned n, bool writable)
{
	return writable && n == 1 ? ENOSPC : 0;
}

static void read_only_disk(void)
{
	struct disk disk;

	begin_mem();
	SUITE_INT(app_set(&app, 4, 44), 0);
	mem.read_only = true;
	SUITE_INT(reopen_mem(NULL), -VFK_E_SYS);
	SUITE_STR(app.err.msg, "open journal.0 for writing: EROFS");
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[4], 44);
	mem.read_only = false;
	mem.open_hook = no_space;
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, NULL, SIZE), -VFK_E_SYS);
	SUITE_STR(app.err.msg, "open journal.1 for writing: ENOSPC");
	SUITE_INT(app.cells[4], 44);
	SUITE_INT(mem.n_closed, 3);
	mem_fini(&mem);
}

static void snapshot_callback_fails(void)
{
	begin_mem();
	SUITE_INT(app_set(&app, 1, 1), 0);
	app.snapshot_fails = 3;
	SUITE_INT(journal_begin(app.j, &app.err), -VFK_E_INTERNAL);
	SUITE_STR(app.err.msg, "snapshot stopped");
	SUITE_INT(app_set(&app, 1, 2), 0);
	app.snapshot_fails = -1;
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.cells[1], 2);
	end_mem();
}

/* The process dies at each write of a switch, with some of its bytes written. */
static void dies_in_snapshot(void)
{
	static struct mem_disk before;
	uint64_t past;
	unsigned n;

	begin_mem();
	for (unsigned i = 0; i < 10; i++)
		SUITE_INT(app_set(&app, i % APP_CELLS, i + 1), 0);
	past = journal_last(app.j);
	app_close(&app);
	mem_init(&before);
	mem_copy(&before, &mem);
	for (n = 1; n < 100; n++) {
		bool done = false;

		for (size_t bytes = 0; bytes < 700; bytes += 37) {
			struct disk disk = mem_as_disk(&mem);

			mem_copy(&mem, &before);
			SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
			mem.die_at = mem.n_ops + n;
			mem.die_bytes = bytes;
			SUITE_INT(journal_begin(app.j, &app.err), 0);
			done = !mem.dead;
			mem.dead = false;
			mem.die_at = 0;
			SUITE_INT(reopen_mem(NULL), 0);
			CU_ASSERT(app.st.verdict == JOURNAL_CLEAN ||
				  app.st.verdict == JOURNAL_TORN);
			CU_ASSERT(!memcmp(app.cells, app.past[past], sizeof(app.cells)));
			app_close(&app);
		}
		if (done)
			break;
	}
	SUITE_INT(n, 4); /* header, snapshot with its end, begin; the fourth does not come */
	mem_fini(&before);
	mem_fini(&mem);
}

/* --- versions --- */

static void set_header(unsigned n, uint32_t version, uint64_t compat, uint64_t incompat)
{
	static struct jf_header known;
	struct jf_header h;

	/* Of one that is unknown only version and features are decoded. */
	if (jf_decode(mem.files[n].now, &h) != JF_UNKNOWN)
		known = h;
	h = known;
	h.version = version;
	h.compat = compat;
	h.incompat = incompat;
	jf_encode(mem.files[n].now, &h);
}

static void unknown_version(void)
{
	static uint8_t before[3][SIZE];

	begin_mem();
	SUITE_INT(app_set(&app, 1, 1), 0);
	set_header(0, 2, 0, 0);
	for (unsigned n = 0; n < 3; n++)
		memcpy(before[n], mem.files[n].now, SIZE);
	SUITE_INT(reopen_mem(NULL), -VFK_E_VERSION);
	SUITE_STR(app.err.msg, "journal.0: format version 2 is not known, only 1 is");
	SUITE_INT(app.st.verdict, JOURNAL_UNKNOWN);
	SUITE_INT(app.n_passed, 0);
	for (unsigned n = 0; n < 3; n++)
		CU_ASSERT(!memcmp(before[n], mem.files[n].now, SIZE));
	SUITE_INT(mem.n_aside, 0);
	end_mem();
}

static void unknown_features(void)
{
	begin_mem();
	SUITE_INT(app_set(&app, 1, 1), 0);
	set_header(0, 1, 0, 0x4002);
	SUITE_INT(reopen_mem(NULL), -VFK_E_VERSION);
	SUITE_STR(app.err.msg, "journal.0: unknown incompatible features 0x4002");
	set_header(0, 1, UINT64_C(1) << 63, 0);
	SUITE_INT(reopen_mem(NULL), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[1], 1);
	end_mem();
}

/* --- reading single records --- */

static void reads_at(void)
{
	uint64_t generation, offset, seq;
	char buf[16];
	unsigned file;

	begin_mem();
	SUITE_INT(journal_append(app.j, 4, "content", 7, &seq, &app.err), 0);
	journal_where(app.j, &file, &generation, &offset);
	SUITE_INT(journal_read_at(app.j, file, generation, offset, buf, 7, &app.err), 0);
	CU_ASSERT(!memcmp(buf, "content", 7));
	SUITE_INT(journal_read_at(app.j, file, generation + 1, offset, buf, 7, &app.err),
		  -VFK_E_CORRUPT);
	SUITE_STR(app.err.msg, "the file journal.0 was begun anew");
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_read_at(app.j, file, generation, offset, buf, 7, &app.err), 0);
	mem.files[0].now[offset + 2] ^= 1;
	SUITE_INT(journal_read_at(app.j, file, generation, offset, buf, 7, &app.err),
		  -VFK_E_CORRUPT);
	mem.files[0].now[offset + 2] ^= 1;
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_begin(app.j, &app.err), 0);
	SUITE_INT(journal_read_at(app.j, file, generation, offset, buf, 7, &app.err),
		  -VFK_E_CORRUPT);
	SUITE_STR(app.err.msg, "the file journal.0 was begun anew");
	end_mem();
}

static void unreadable_place(void)
{
	/* Where a sector cannot be read the record in it is bad, the rest is not. */
	struct disk disk;
	int fd;
	char path[96];

	make_dir();
	app_init(&app);
	SUITE_INT(open_real(false), 0);
	SUITE_INT(app_set(&app, 1, 1), 0);
	app_close(&app);
	SUITE_INT(fs_disk(&disk, dir, true, &app.err), 0);
	snprintf(path, sizeof(path), "%s/journal.0", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CU_ASSERT(fd >= 0);
	SUITE_INT(ftruncate(fd, JOURNAL_HEADER_BYTES + 700), 0);
	close(fd);
	memset(app.cells, 0, sizeof(app.cells));
	SUITE_INT(journal_read(&disk, 0, false, app_record, &app, &app.st, &app.err), 0);
	SUITE_INT(app.st.verdict, JOURNAL_CLEAN);
	SUITE_INT(app.cells[1], 1);
	disk.close(disk.ctx);
	remove_dir();
}

VFK_SUITE(journal, { "begins a journal in empty files", begins_empty },
	  { "passes every record back in order", reads_back },
	  { "goes on at the end of the file", goes_on },
	  { "writes real files of full size", real_files },
	  { "switches files when one is full", switches },
	  { "reads older files as history", keeps_history },
	  { "never begins the only synced file anew", overwrites_no_synced },
	  { "takes records of an older generation for the end",
	    old_generation_is_no_damage },
	  { "says what to sync", tells_what_to_sync },
	  { "counts a late sync of an older file only while it is whole",
	    late_sync_of_older_file },
	  { "treats a failed sync as final for its file", failed_sync_is_final },
	  { "does not trust a failed file after a restart", failed_sync_survives_engine },
	  { "P1: does not go on with a file whose sync it has not heard of",
	    untold_sync_begins_a_file },
	  { "keeps the synced sequence in its mark", mark_keeps_durable },
	  { "wants the names of its files synced once in their life",
	    names_are_synced_once },
	  { "grows all files", grows },
	  { "refuses what is too long and stays usable", refuses_too_long },
	  { "takes no record after a failed write until a file is begun", failed_write },
	  { "passes everything readable when the disk is full at any write",
	    full_disk_at_each_write },
	  { "passes everything readable from a read-only disk", read_only_disk },
	  { "stays in its file when a snapshot fails", snapshot_callback_fails },
	  { "loses nothing when it dies at any write of a switch", dies_in_snapshot },
	  { "leaves files of an unknown version alone", unknown_version },
	  { "leaves files with unknown incompatible features alone", unknown_features },
	  { "reads single records back and checks them", reads_at },
	  { "reads a file that is shorter than it was", unreadable_place })
