/* SPDX-License-Identifier: Apache-2.0 */
#include "io/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "io/journal-internal.h"
#include "journal_app.h"
#include "suite.h"

#define SIZE (64 * 1024)

static struct mem_disk mem;
static struct app app;

static void begin_mem(void)
{
	struct disk disk;

	mem_init(&mem);
	app_init(&app);
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, NULL, SIZE), 0);
}

static int reopen_mem(const char *durable_path)
{
	struct disk disk = mem_as_disk(&mem);

	app_close(&app);
	return app_open(&app, &disk, durable_path, SIZE);
}

static void end_mem(void)
{
	app_close(&app);
	mem_fini(&mem);
}

/* --- a directory on a real file system --- */

static char dir[64], mark_path[96];

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s/vfk-journal-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(mark_path, sizeof(mark_path), "%s/durable", dir);
}

static void remove_dir(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf -- %s", dir);
	CU_ASSERT_EQUAL(system(cmd), 0);
}

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

struct history {
	uint64_t last;
	unsigned n_files;
	bool in_order;
	uint64_t generation;
};

static int take_history(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	struct history *h = arg;

	(void)err;
	if (rec->seq <= h->last)
		h->in_order = false;
	h->last = rec->seq;
	if (rec->generation != h->generation)
		h->n_files++;
	h->generation = rec->generation;
	return 0;
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
	struct disk disk;
	int fd;

	make_dir();
	mem_init(&mem);
	app_init(&app);
	disk = mem_as_disk(&mem);
	SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
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

static void mark_keeps_durable(void)
{
	char path[128];
	int fd;

	make_dir();
	SUITE_INT(journal_durable_load(mark_path), 0);
	mem_init(&mem);
	app_init(&app);
	{
		struct disk disk = mem_as_disk(&mem);

		SUITE_INT(app_open(&app, &disk, mark_path, SIZE), 0);
	}
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

/* --- damage --- */

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
	  { "sets damaged files aside and keeps what is whole", damage_is_set_aside },
	  { "lets its owner copy from damaged files", copies_from_damaged },
	  { "loses nothing when it dies while setting files aside",
	    dies_while_setting_aside },
	  { "names file, offset and checksums of damage", names_the_place },
	  { "finds damage by the mark alone", mark_proves_damage },
	  { "takes a hole in records of this boot for damage", hole_of_this_boot },
	  { "misses the last record of this boot", lost_end_of_this_boot },
	  { "finds a record at any place behind the end", finds_record_anywhere },
	  { "passes no record of an older turn without a header", passes_no_older_turn },
	  { "knows in which order a file is begun", order_of_a_begun_file },
	  { "is not fooled by numbers that nobody reaches", hostile_numbers },
	  { "takes a gap in the sequence for damage", gap_is_damage },
	  { "takes a missing file for damage", missing_file },
	  { "sets files aside that are no journal", foreign_file },
	  { "knows that a journal is gone", everything_gone },
	  { "reads single records back and checks them", reads_at },
	  { "reads a file that is shorter than it was", unreadable_place })
