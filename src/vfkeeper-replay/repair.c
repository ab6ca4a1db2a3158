/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/repair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/paths.h"
#include "engine/config.h"
#include "engine/node.h"
#include "engine/start.h"
#include "io/ctl_client.h"
#include "io/engine_start.h"
#include "io/file.h"
#include "io/journal.h"
#include "vfkeeper-replay/progress.h"
#include "vfkeeper-replay/record.h"

#define LOCK_MS 2000
#define LAST_MS 1000
#define MIN_SIZE (UINT64_C(4) * 1024 * 1024)
#define GAPS_MAX 16

struct rescue {
	struct node node;
	struct journal_status st;
	struct progress progress;
	uint64_t first_seq, last_seq, n_records;
	struct {
		uint64_t from, to;
	} gaps[GAPS_MAX];
	unsigned n_gaps; /* those beyond GAPS_MAX are counted only */
	uint64_t n_lost;
	unsigned n_bad; /* whole by their checksum, but not understood */
	int64_t last_wall_ns;
};

/* Every whole record, in order: what is missing between them is lost. */
static int take(void *arg, const struct journal_record *raw, struct vfk_err *err)
{
	static struct record rec; /* large; one at a time */
	struct rescue *r = arg;
	struct vfk_err why = { 0 };

	progress_record(&r->progress, JOURNAL_RECORD_BYTES(raw->len_bytes),
			clock_boot_ns());
	r->n_records++;
	if (!r->first_seq)
		r->first_seq = raw->seq;
	if (r->last_seq && raw->seq > r->last_seq + 1) {
		if (r->n_gaps < GAPS_MAX) {
			r->gaps[r->n_gaps].from = r->last_seq + 1;
			r->gaps[r->n_gaps].to = raw->seq - 1;
		}
		r->n_gaps++;
		r->n_lost += raw->seq - 1 - r->last_seq;
	}
	if (raw->seq > r->last_seq)
		r->last_seq = raw->seq;
	if (record_decode(&rec, raw, &why) < 0) {
		r->n_bad++;
		return 0;
	}
	if (rec.type == REC_VF)
		r->last_wall_ns = rec.vf.meta.wall_ns;
	return node_replay(&r->node, raw, err);
}

/* For the journal that is written: one record that cannot be understood must not stop it. */
static int replay(void *arg, const struct journal_record *raw, struct vfk_err *err)
{
	struct rescue *r = arg;
	struct vfk_err why = { 0 };

	if (node_replay(&r->node, raw, &why) < 0 && why.kind != VFK_E_DECODE) {
		*err = why;
		return -why.kind;
	}
	return 0;
}

/* The engine that comes takes no ADD before it has looked at every VF (P10). */
static int snapshot(void *arg, struct journal *j, struct vfk_err *err)
{
	struct rescue *r = arg;

	node_settle(&r->node);
	if (r->st.verdict == JOURNAL_TORN) /* nothing is missing that anybody relied on */
		return node_snapshot(&r->node, j, err);
	r->node.rec.records_missing = true;
	r->node.rec.vfs_verified = false;
	snprintf(r->node.rec.missing_reason, sizeof(r->node.rec.missing_reason),
		 "repaired: %.140s", r->st.what);
	return node_snapshot(&r->node, j, err);
}

static int sync_all(struct journal *j, struct vfk_err *err)
{
	unsigned file;
	uint64_t upto;
	int fd, names, sys = 0;

	while (sys == 0 && journal_want_sync(j, &fd, &file, &upto)) {
		names = journal_want_names(j);
		if (names >= 0 && fsync(names) < 0)
			sys = errno;
		if (sys == 0 && fd >= 0 && fdatasync(fd) < 0)
			sys = errno;
		if (sys == 0 && names >= 0)
			journal_names_synced(j);
		journal_synced(j, file, upto, sys);
	}
	return sys ? vfk_err_set(err, VFK_E_SYS, sys, "sync the journal") : 0;
}

/* Reads, and writes anew where it is needed. */
static int rescue(struct rescue *r, const char *dir, bool own, bool *done,
		  struct vfk_err *err)
{
	struct journal_cfg cfg = { .durable_path = own ? vfk_path(PATH_DURABLE) : NULL,
				   .min_size = MIN_SIZE,
				   .snapshot = snapshot,
				   .arg = r };
	uint64_t durable = own ? journal_durable_load(vfk_path(PATH_DURABLE)) : 0;
	struct journal *j = NULL;
	struct disk disk;
	int rc;

	if (fs_disk(&disk, dir, true, err) < 0)
		return -err->kind;
	progress_begin(&r->progress, stderr, clock_boot_ns());
	rc = journal_read(&disk, durable, true, take, r, &r->st, err);
	progress_end(&r->progress);
	disk.close(disk.ctx);
	if (rc < 0)
		return rc;
	if (r->st.verdict == JOURNAL_UNKNOWN)
		return vfk_err_set(err, VFK_E_VERSION, 0,
				   "the journal is of another version, nothing was touched: %s",
				   r->st.what);
	*done = (r->st.verdict == JOURNAL_CLEAN || r->st.verdict == JOURNAL_EMPTY) &&
		!r->n_bad;
	if (*done)
		return 0;
	node_fini(&r->node);
	if (fs_disk(&disk, dir, false, err) < 0)
		return -err->kind;
	cfg.disk = &disk;
	rc = journal_open(&j, &cfg, replay, &r->st, err);
	/* Records that are not understood are left behind by a new snapshot. */
	if (rc == 0 && r->st.verdict == JOURNAL_CLEAN)
		rc = journal_begin(j, err);
	if (rc == 0)
		rc = sync_all(j, err);
	journal_close(j);
	return rc;
}

/* --- what is said --- */

static void say_kept(const char *dir_path, FILE *out)
{
	VFK_AUTO(dir_auto) DIR *dir = opendir(dir_path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL)
		if (strstr(e->d_name, "damaged"))
			fprintf(out, "kept:   %s/%s\n", dir_path, e->d_name);
}

static void say_rescued(const struct rescue *r, const char *dir, FILE *out)
{
	char when[RECORD_TIME_LEN];
	unsigned n_owned = 0;

	for (size_t i = 0; i < r->node.n_vfs; i++)
		n_owned += !attachment_none(&r->node.vfs[i]->rec.owner);
	fprintf(out, "found:  %s\n",
		r->st.what[0] ? r->st.what : "a record that is not understood");
	say_kept(dir, out);
	fprintf(out,
		"saved:  %llu records, the last of %s: %zu VFs, %u of them with an owner, "
		"%zu leases\n",
		(unsigned long long)r->n_records, record_time(r->last_wall_ns, when),
		r->node.n_vfs, n_owned, r->node.n_leases);
	for (unsigned i = 0; i < r->n_gaps && i < GAPS_MAX; i++)
		fprintf(out, "lost:   records %llu to %llu\n",
			(unsigned long long)r->gaps[i].from,
			(unsigned long long)r->gaps[i].to);
	if (r->n_gaps > GAPS_MAX)
		fprintf(out, "lost:   %u more stretches\n", r->n_gaps - GAPS_MAX);
	if (r->n_bad)
		fprintf(out, "lost:   %u records that are whole but not understood\n",
			r->n_bad);
	if (!r->n_gaps && r->st.verdict == JOURNAL_DAMAGED &&
	    r->st.durable_upto > r->last_seq)
		fprintf(out, "lost:   records %llu to %llu, which had been synced\n",
			(unsigned long long)r->last_seq + 1,
			(unsigned long long)r->st.durable_upto);
	else if (!r->n_gaps && !r->n_bad && r->st.verdict == JOURNAL_TORN)
		fprintf(out, "lost:   nothing that was ever synced\n");
	else if (!r->n_gaps && !r->n_bad)
		fprintf(out, "lost:   what was written after record %llu\n",
			(unsigned long long)r->last_seq);
}

/* --- the kernel, by an engine --- */

static json_t *ask(struct ctl_client *c, const char *command, int64_t until_ns,
		   struct vfk_err *err)
{
	int left_ms = clock_left_ms(until_ns);
	struct strbuf text = { 0 };
	json_t *doc = NULL;

	if (left_ms < LAST_MS) /* the last question, too, is given some time */
		left_ms = LAST_MS;
	if (ctl_ask(c, command, NULL, 0, left_ms, &text, err) == 0) {
		doc = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
		if (!doc)
			(void)!vfk_err_set(err, VFK_E_DECODE, 0,
					   "the engine's answer to %s is not understood",
					   command);
	}
	strbuf_free(&text);
	return doc;
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "-";
}

/* Each VF that is not as the journal had it. */
static void say_differences(const struct rescue *r, const json_t *list, FILE *out)
{
	unsigned n = 0, n_vfs = 0;
	json_t *vf;
	size_t i;

	json_array_foreach(json_object_get(list, "vfs"), i, vf) {
		const struct vf *had = NULL;
		const char *state = text_of(vf, "state"), *reason = text_of(vf, "reason");
		pci_addr_t addr;

		n_vfs++;
		if (pci_parse(text_of(vf, "address"), &addr))
			had = node_vf(&r->node, addr);
		if (had && !strcmp(vf_state_name((enum vf_state)had->rec.state), state))
			continue;
		n++;
		fprintf(out, "kernel: %s was %s by the journal and is %s now%s%s\n",
			text_of(vf, "address"),
			had ? vf_state_name((enum vf_state)had->rec.state) : "unknown",
			state, *reason != '-' ? ": " : "", *reason != '-' ? reason : "");
	}
	fprintf(out,
		"kernel: %u VFs looked at, %u differ from what was saved (vfctl list)\n",
		n_vfs, n);
}

static int ask_kernel(const struct rescue *r, int timeout_ms, FILE *out, struct vfk_err *err)
{
	int64_t until_ns = clock_boot_ns() + timeout_ms * NS_PER_MS;
	const struct timespec pause = { 0, 50 * NS_PER_MS };
	struct ctl_client *c = NULL;
	bool discovered = false;
	json_t *doc = NULL;

	if (engine_connect(&c, timeout_ms, err) < 0)
		return -err->kind;
	while (!discovered && (doc = ask(c, "status", until_ns, err)) != NULL) {
		discovered = json_is_true(
			json_object_get(json_object_get(doc, "engine"), "discovered"));
		json_decref(doc);
		if (!discovered && clock_boot_ns() >= until_ns) {
			ctl_close(c);
			return vfk_err_set(err, VFK_E_BUSY, 0,
					   "the journal is repaired; the engine has not looked at "
					   "all VFs yet and goes on (vfctl status)");
		}
		if (!discovered)
			nanosleep(&pause, NULL);
	}
	doc = discovered ? ask(c, "list", until_ns, err) : NULL;
	ctl_close(c);
	if (!doc)
		return -err->kind;
	say_differences(r, doc, out);
	json_decref(doc);
	return 0;
}

int repair(const char *dir, int timeout_ms, FILE *out, struct vfk_err *err)
{
	const char *path = dir ? dir : vfk_path(PATH_JOURNAL);
	struct start_lock lock = { .lock_fd = -1 };
	static struct config config; /* large */
	struct rescue r = { .n_records = 0 };
	struct vfk_err ignored = { 0 };
	bool done = false;
	int rc = 0, start_fd = -1;

	node_init(&r.node);
	if (!dir) {
		(void)!config_load(&config, vfk_path(PATH_CONF), &ignored);
		/* One on demand gives way, and no client starts another meanwhile. */
		rc = start_take_over(&start_fd, err);
		if (rc == 0)
			rc = start_lock(&lock, &config, LOCK_MS, err);
		if (rc == -VFK_E_BUSY)
			rc = vfk_err_set(err, VFK_E_BUSY, 0,
					 "an engine runs: end it (systemctl stop vfkeeperd), "
					 "then repair");
	}
	if (rc == 0)
		rc = rescue(&r, path, !dir, &done, err);
	if (!dir)
		start_unlock(&lock);
	fd_auto(&start_fd);
	if (rc == 0 && done)
		fprintf(out, "the journal is %s: there is nothing to repair\n",
			journal_verdict_name(r.st.verdict));
	else if (rc == 0)
		say_rescued(&r, path, out);
	fflush(out);
	if (rc == 0 && !done && !dir)
		rc = ask_kernel(&r, timeout_ms, out, err);
	node_fini(&r.node);
	return rc;
}
