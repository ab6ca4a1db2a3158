/* SPDX-License-Identifier: Apache-2.0 */
/* vfkeeper-replay: options and exit codes.  See vfkeeper-replay(8). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/paths.h"
#include "vfkeeper-replay/apply.h"
#include "vfkeeper-replay/progress.h"
#include "vfkeeper-replay/record.h"
#include "vfkeeper-replay/repair.h"
#include "vfkeeper-replay/until.h"
#include "vfkeeper-replay/verify.h"

#ifndef VFK_VERSION
#define VFK_VERSION "unknown"
#endif

#define APPLY_MS 28000
#define APPLY_MAX_S 3600

enum mode {
	MODE_NONE,
	MODE_VERIFY,
	MODE_DUMP,
	MODE_JSON,
	MODE_STATS,
	MODE_APPLY,
	MODE_REPAIR,
	MODE_UNTIL
};

struct options {
	enum mode mode;
	const char *dir; /* NULL: the node's own */
	int timeout_ms;
	const char *until; /* of MODE_UNTIL */
	bool json;	   /* beside it */
	bool help, version;
};

static const char help_text[] =
	"Usage: vfkeeper-replay [-hV] [-d DIR] [--verify | --dump | --json | --stats]\n"
	"       vfkeeper-replay [-d DIR] --until SEQ|TIME [--json]\n"
	"       vfkeeper-replay [-d DIR] [-t SECONDS] --repair\n"
	"       vfkeeper-replay [-t SECONDS] --apply\n"
	"\n"
	"Reads the journal of vfkeeper, or a copy of it; nothing is changed but by\n"
	"--apply and --repair.\n"
	"\n"
	"  --verify        check all records and run the state machines again (default)\n"
	"  --dump          one line per record\n"
	"  --json          one JSON object per record\n"
	"  --stats         counts by type, event, file and state\n"
	"  --until SEQ|TIME      all VFs and leases as they were after that record, or then:\n"
	"                        2026-11-22T18:03:48Z, or -10m for ten minutes ago\n"
	"  --repair        keep the files of a damaged journal, save what is whole, and have\n"
	"                  an engine ask the kernel for the rest\n"
	"  --apply         let an engine finish what is owed, as after a reboot\n"
	"  -d, --directory DIR   read the journal in DIR\n"
	"  -t, --timeout SECONDS wait at most so long with --apply, --repair (28)\n"
	"  -h, --help      this text\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit status: 0 done and clean, 1 failed, 2 usage, 3 torn tail found, 4 corrupt or of\n"
	"an unknown version, 5 busy: something is still owed.\n";

static int complain(const struct vfk_err *err)
{
	fflush(stdout);
	fprintf(stderr, "vfkeeper-replay: %s\n", err->msg);
	return vfk_err_exit_code(err->kind);
}

/* --- options --- */

static int set_mode(struct options *o, enum mode mode, struct vfk_err *err)
{
	/* --json is a mode of its own, and how --until is printed. */
	o->json |= mode == MODE_JSON;
	if (o->mode == MODE_UNTIL && mode == MODE_JSON)
		return 0;
	if (o->mode == MODE_JSON && mode == MODE_UNTIL)
		o->mode = mode;
	if (o->mode != MODE_NONE && o->mode != mode)
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "only one of --verify, --dump, --json, --stats, --until, "
				   "--repair and --apply can be given");
	o->mode = mode;
	return 0;
}

static int set_timeout(struct options *o, const char *text, struct vfk_err *err)
{
	char *end;
	long seconds;

	errno = 0;
	seconds = strtol(text, &end, 10);
	if (errno || end == text || *end || seconds < 1 || seconds > APPLY_MAX_S)
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "option -t takes 1 to %d seconds, not %s", APPLY_MAX_S,
				   text);
	o->timeout_ms = (int)seconds * 1000;
	return 0;
}

static int parse_options(int argc, char *argv[], struct options *o, struct vfk_err *err)
{
	static const struct option long_options[] = {
		{ "verify", no_argument, NULL, 256 + MODE_VERIFY },
		{ "dump", no_argument, NULL, 256 + MODE_DUMP },
		{ "json", no_argument, NULL, 256 + MODE_JSON },
		{ "stats", no_argument, NULL, 256 + MODE_STATS },
		{ "apply", no_argument, NULL, 256 + MODE_APPLY },
		{ "repair", no_argument, NULL, 256 + MODE_REPAIR },
		{ "until", required_argument, NULL, 256 + MODE_UNTIL },
		{ "directory", required_argument, NULL, 'd' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rc = 0;

	while (rc == 0 &&
	       (c = getopt_long(argc, argv, ":hVd:t:", long_options, NULL)) != -1) {
		if (c == 256 + MODE_UNTIL)
			o->until = optarg;
		if (c > 256)
			rc = set_mode(o, (enum mode)(c - 256), err);
		else if (c == 'd')
			o->dir = optarg;
		else if (c == 't')
			rc = set_timeout(o, optarg, err);
		else if (c == 'h')
			o->help = true;
		else if (c == 'V')
			o->version = true;
		else
			rc = vfk_err_set(err, VFK_E_USAGE, 0,
					 c == ':' ? "option %s needs a value (see "
						    "vfkeeper-replay --help)" :
						    "unknown option %s (see vfkeeper-replay "
						    "--help)",
					 argv[optind - 1]);
	}
	if (rc == 0 && optind < argc)
		rc = vfk_err_set(err, VFK_E_USAGE, 0,
				 "unexpected argument %s (see vfkeeper-replay --help)",
				 argv[optind]);
	if (rc == 0 && o->mode == MODE_APPLY && o->dir)
		rc = vfk_err_set(err, VFK_E_USAGE, 0,
				 "--apply works on the node's own journal: no -d");
	if (rc == 0 && o->mode != MODE_APPLY && o->mode != MODE_REPAIR && o->timeout_ms &&
	    !o->help && !o->version)
		rc = vfk_err_set(err, VFK_E_USAGE, 0, "-t goes with --apply and --repair");
	return rc;
}

/* --- reading --- */

struct reader {
	enum mode mode;
	struct verify *verify;
	unsigned n_bad; /* records that could not be decoded */
	struct until until;
	struct progress progress;
};

static int take(void *arg, const struct journal_record *raw, struct vfk_err *err)
{
	static struct record rec; /* large; one at a time */
	struct reader *r = arg;
	struct vfk_err why = { 0 };
	bool good = record_decode(&rec, raw, &why) == 0;

	progress_record(&r->progress, JOURNAL_RECORD_BYTES(raw->len_bytes),
			clock_boot_ns());
	r->n_bad += !good;
	switch (r->mode) {
	case MODE_DUMP:
		if (good)
			record_line(stdout, &rec);
		else
			record_line_bad(stdout, raw, why.msg);
		return 0;
	case MODE_JSON:
		return good ? record_json(stdout, &rec, err) :
			      record_json_bad(stdout, raw, why.msg, err);
	case MODE_STATS:
	case MODE_VERIFY:
		if (good)
			return verify_record(r->verify,
					     r->mode == MODE_VERIFY ? stdout : NULL, &rec,
					     err);
		verify_bad(r->verify, r->mode == MODE_VERIFY ? stdout : NULL, raw, why.msg);
		return 0;
	case MODE_UNTIL:
		return good ? until_take(&r->until, raw, err) : 0;
	case MODE_NONE:
	case MODE_APPLY:
	case MODE_REPAIR:
		break;
	}
	return 0;
}

static int verdict_code(enum journal_verdict verdict)
{
	switch (verdict) {
	case JOURNAL_EMPTY:
	case JOURNAL_CLEAN:
		return 0;
	case JOURNAL_TORN:
		return vfk_err_exit_code(VFK_E_TORN);
	case JOURNAL_DAMAGED:
		return vfk_err_exit_code(VFK_E_CORRUPT);
	case JOURNAL_UNKNOWN:
		return vfk_err_exit_code(VFK_E_VERSION);
	}
	return 1;
}

/* Verification and statistics say it on standard output, as it is their result; the lists
 * only if it is not good, beside the list. */
static void print_verdict(const struct reader *r, const struct journal_status *st)
{
	FILE *out = r->mode == MODE_VERIFY || r->mode == MODE_STATS ? stdout : stderr;

	if (out == stderr && verdict_code(st->verdict) == 0)
		return;
	if (out == stderr)
		fprintf(out, "vfkeeper-replay: ");
	fprintf(out, "verdict: %s", journal_verdict_name(st->verdict));
	if (st->what[0])
		fprintf(out, " (%s)", st->what);
	putc('\n', out);
}

static void verify_summary(const struct reader *r, const struct journal_status *st)
{
	if (st->last_seq)
		printf("records %llu to %llu, synced up to %llu; %u transitions run again, %u "
		       "findings\n",
		       (unsigned long long)st->first_seq, (unsigned long long)st->last_seq,
		       (unsigned long long)st->durable_upto, verify_steps(r->verify),
		       verify_findings(r->verify));
}

/* A running engine writes while we read: what looks torn may be whole a moment later. */
static int read_settled(const struct disk *disk, uint64_t durable,
			struct journal_status *st, struct vfk_err *err)
{
	struct timespec moment = { 0, 50 * NS_PER_MS };
	int rc = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (i)
			nanosleep(&moment, NULL);
		rc = journal_read(disk, durable, false, NULL, NULL, st, err);
		if (rc < 0 || st->verdict == JOURNAL_CLEAN || st->verdict == JOURNAL_EMPTY)
			break;
	}
	return rc;
}

static int read_journal(const struct options *o, struct vfk_err *err)
{
	struct reader r = { .mode = o->mode };
	struct journal_status st;
	uint64_t durable = o->dir ? 0 : journal_durable_load(vfk_path(PATH_DURABLE));
	struct disk disk;
	int rc, code;

	if (o->mode == MODE_UNTIL &&
	    until_parse(&r.until, o->until, clock_wall_ns(), err) < 0)
		return -err->kind;
	if (fs_disk(&disk, o->dir ? o->dir : vfk_path(PATH_JOURNAL), true, err) < 0)
		return -err->kind;
	r.verify = verify_new();
	if (!r.verify)
		rc = vfk_err_set(err, VFK_E_NOMEM, 0, "vfkeeper-replay");
	else
		rc = o->dir ? 0 : read_settled(&disk, durable, &st, err);
	progress_begin(&r.progress, stderr, clock_boot_ns());
	if (rc == 0)
		rc = journal_read(&disk, durable, true, take, &r, &st, err);
	progress_end(&r.progress);
	if (rc == 0 && o->mode == MODE_UNTIL)
		rc = until_print(&r.until, o->json, stdout, err);
	if (o->mode == MODE_UNTIL)
		until_fini(&r.until);
	disk.close(disk.ctx);
	if (rc < 0) {
		verify_free(r.verify);
		return rc;
	}
	code = verdict_code(st.verdict);
	if (o->mode == MODE_VERIFY) {
		verify_end(r.verify, stdout);
		verify_summary(&r, &st);
		if (verify_findings(r.verify))
			code = vfk_err_exit_code(VFK_E_CORRUPT);
	} else if (o->mode == MODE_STATS) {
		verify_stats(r.verify, stdout, &st);
	}
	if (r.n_bad)
		code = vfk_err_exit_code(VFK_E_CORRUPT);
	print_verdict(&r, &st);
	verify_free(r.verify);
	return code;
}

int main(int argc, char *argv[])
{
	struct options o = { .mode = MODE_NONE };
	struct vfk_err err = { 0 };
	int rc = parse_options(argc, argv, &o, &err);

	if (rc < 0)
		return complain(&err);
	if (o.help) {
		fputs(help_text, stdout);
	} else if (o.version) {
		printf("vfkeeper-replay %s\n", VFK_VERSION);
	} else {
		if (o.mode == MODE_NONE)
			o.mode = MODE_VERIFY;
		rc = paths_check(&err);
		if (rc == 0 && o.mode == MODE_APPLY)
			rc = apply(stdout, o.timeout_ms ? o.timeout_ms : APPLY_MS, &err);
		else if (rc == 0 && o.mode == MODE_REPAIR)
			rc = repair(o.dir, o.timeout_ms ? o.timeout_ms : APPLY_MS, stdout,
				    &err);
		else if (rc == 0)
			rc = read_journal(&o, &err);
		if (rc < 0)
			return complain(&err);
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vfkeeper-replay: write standard output: %s\n",
			vfk_errno_name(errno));
		return 1;
	}
	return rc;
}
