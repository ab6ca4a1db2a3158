/* SPDX-License-Identifier: Apache-2.0 */
/* The three files of a journal: {u16 length of the piece, piece} for each, put over the
 * beginning of a file of zeros.  Whatever is in them, reading ends, opening makes a clean
 * journal or says why not, and what was written after that is read again. */
#include "fuzz.h"

#include <string.h>

#include "base/log.h"
#include "io/journal.h"
#define MEM_FILE_MAX (16 * 1024) /* small ones are made faster */
#include "mem_disk.h"

const char fuzz_name[] = "fuzz_journal";

#define SIZE (16 * 1024)
#define PIECE 12288

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static int count_record(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	(void)err;
	FUZZ_HOLDS(rec->len_bytes <= JOURNAL_PAYLOAD_MAX && rec->file < JOURNAL_FILES);
	++*(unsigned *)arg;
	return 0;
}

static int no_snapshot(void *arg, struct journal *j, struct vfk_err *err)
{
	uint64_t offset;

	(void)arg;
	return journal_snapshot_put(j, 1, "state", 5, &offset, err);
}

static int open_on(struct mem_disk *mem, struct journal **j, unsigned *n_records,
		   struct journal_status *st, struct vfk_err *err)
{
	struct disk disk = mem_as_disk(mem);
	struct journal_cfg cfg = {
		.disk = &disk, .min_size = SIZE, .snapshot = no_snapshot, .arg = n_records
	};

	*n_records = 0;
	return journal_open(j, &cfg, count_record, st, err);
}

/* A journal that was used: 'n' records, so that files are begun anew. */
size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	static const unsigned records[] = { 0, 3, 60, 400 };
	static struct mem_disk mem;
	struct journal_status st;
	struct journal *j = NULL;
	struct vfk_err err;
	unsigned n_records;
	uint64_t seq;
	size_t len = 0;

	if (n >= sizeof(records) / sizeof(records[0]))
		return 0;
	log_set_sink(quiet);
	mem_init(&mem);
	FUZZ_HOLDS(open_on(&mem, &j, &n_records, &st, &err) == 0);
	for (unsigned i = 0; i < records[n]; i++)
		FUZZ_HOLDS(journal_append(j, 2, "0123456789", i % 11, &seq, &err) == 0);
	journal_close(j);
	for (unsigned f = 0; f < JOURNAL_FILES; f++) {
		out[len++] = PIECE & 0xff;
		out[len++] = PIECE >> 8;
		memcpy(out + len, mem.files[f].now, PIECE);
		len += PIECE;
	}
	mem_fini(&mem);
	return len;
}

static void fill(struct mem_disk *mem, const uint8_t *data, size_t len)
{
	for (unsigned f = 0; f < JOURNAL_FILES && len >= 2; f++) {
		size_t piece = data[0] | (size_t)data[1] << 8;

		data += 2;
		len -= 2;
		if (piece > len)
			piece = len;
		if (piece > MEM_FILE_MAX)
			piece = MEM_FILE_MAX;
		mem->files[f].exists = true;
		mem->files[f].size = piece > SIZE ? piece : SIZE;
		memcpy(mem->files[f].now, data, piece);
		data += piece;
		len -= piece;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct mem_disk mem;
	struct disk disk;
	struct journal_status st = { 0 }, st2 = { 0 };
	struct journal *j = NULL;
	struct vfk_err err = { 0 };
	unsigned n_read = 0, n_open = 0, n_again = 0;
	uint64_t seq;
	int rc;

	log_set_sink(quiet);
	mem_init(&mem);
	fill(&mem, data, len);
	disk = mem_as_disk(&mem);
	rc = journal_read(&disk, 0, true, count_record, &n_read, &st, &err);
	FUZZ_HOLDS(rc == 0 || (err.msg[0] && !strchr(err.msg, '\n')));

	memset(&err, 0, sizeof(err));
	rc = open_on(&mem, &j, &n_open, &st, &err);
	if (rc < 0) {
		FUZZ_HOLDS(!j && err.msg[0] && !strchr(err.msg, '\n'));
	} else {
		FUZZ_HOLDS(j && st.verdict != JOURNAL_UNKNOWN);
		FUZZ_HOLDS(journal_append(j, 2, "after", 5, &seq, &err) == 0);
		/* Torn is said again for each file with a bad header, and where what was
		 * written last ends before something that was begun and never finished.
		 * Each time another file is begun; then it is over. */
		for (unsigned n = 0; n < JOURNAL_FILES; n++) {
			journal_close(j);
			FUZZ_HOLDS(open_on(&mem, &j, &n_again, &st2, &err) == 0);
			FUZZ_HOLDS(st2.last_seq >= seq && n_again > 0);
			if (st2.verdict == JOURNAL_CLEAN)
				break;
			FUZZ_HOLDS(st2.verdict == JOURNAL_TORN);
			FUZZ_HOLDS(n + 1 < JOURNAL_FILES);
		}
		journal_close(j);
	}
	mem_fini(&mem);
	return 0;
}
