/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "io/codec.h"

int offline_records(bool history, journal_record_fn fn, void *arg,
		    struct journal_status *st, struct vfk_err *err)
{
	const char *dir = vfk_path(PATH_JOURNAL);
	struct disk disk;
	int rc;

	rc = fs_disk(&disk, dir, true, err);
	if (rc < 0 && err->sys == ENOENT)
		return vfk_err_set(err, VFK_E_NOTFOUND, 0, "there is no journal in %s",
				   dir);
	if (rc < 0)
		return rc;
	rc = journal_read(&disk, journal_durable_load(vfk_path(PATH_DURABLE)), history,
			  fn, arg, st, err);
	disk.close(disk.ctx);
	return rc;
}

int offline_read(struct offline *o, struct vfk_err *err)
{
	int rc;

	memset(o, 0, sizeof(*o));
	node_init(&o->node);
	rc = offline_records(false, node_replay, &o->node, &o->journal, err);
	if (rc < 0)
		return rc;
	if (o->journal.verdict == JOURNAL_EMPTY)
		return vfk_err_set(err, VFK_E_NOTFOUND, 0, "there is no journal in %s",
				   vfk_path(PATH_JOURNAL));
	node_settle(&o->node);
	return 0;
}

void offline_fini(struct offline *o)
{
	node_fini(&o->node);
}

int offline_verdict(const struct offline *o, struct vfk_err *err)
{
	const char *what = o->journal.what;

	switch (o->journal.verdict) {
	case JOURNAL_EMPTY:
	case JOURNAL_CLEAN:
		return 0;
	case JOURNAL_TORN:
		return vfk_err_set(err, VFK_E_TORN, 0, "the journal has a torn tail: %s",
				   what);
	case JOURNAL_DAMAGED:
		return vfk_err_set(err, VFK_E_CORRUPT, 0,
				   "the journal is damaged, this is what is whole: %s",
				   what);
	case JOURNAL_UNKNOWN:
		return vfk_err_set(err, VFK_E_VERSION, 0,
				   "the journal is of another version: %s", what);
	}
	return 0;
}

/* --- history --- */

struct reading {
	struct history *history;
	pci_addr_t addr;
};

static struct view_record *history_add(struct history *h)
{
	struct view_record *r;

	if (h->n_records == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		struct view_record **bigger = realloc(h->records, cap * sizeof(*bigger));

		if (!bigger)
			return NULL;
		h->records = bigger;
		h->cap = cap;
	}
	r = calloc(1, sizeof(*r));
	if (r)
		h->records[h->n_records++] = r;
	return r;
}

static int collect(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	struct reading *reading = arg;
	struct view_record found = { .seq = rec->seq,
				     .type = rec->type,
				     .in_snapshot = rec->in_snapshot },
			   *r;
	int rc = 0;

	if (rec->type == REC_VF)
		rc = codec_get_vf(rec->payload, rec->len_bytes, &found.vf, err);
	else if (rec->type == REC_LEASE)
		rc = codec_get_lease(rec->payload, rec->len_bytes, &found.lease, err);
	else
		return 0;
	if (rc < 0)
		return rc;
	if ((rec->type == REC_VF ? found.vf.addr : found.lease.vf) != reading->addr)
		return 0;
	r = history_add(reading->history);
	if (!r)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the history");
	/* Of the whole record, which has room for a node's, nothing else is touched: then it
	 * costs no memory. */
	r->seq = found.seq;
	r->type = found.type;
	r->in_snapshot = found.in_snapshot;
	if (rec->type == REC_VF)
		r->vf = found.vf;
	else
		r->lease = found.lease;
	return 0;
}

int history_read(struct history *h, pci_addr_t addr, struct vfk_err *err)
{
	struct reading reading = { .history = h, .addr = addr };
	struct journal_status st;

	memset(h, 0, sizeof(*h));
	return offline_records(true, collect, &reading, &st, err);
}

void history_fini(struct history *h)
{
	for (size_t i = 0; i < h->n_records; i++)
		free(h->records[i]);
	free(h->records);
}

struct search {
	const char *const *words;
	unsigned n_words;
	pci_addr_t found;
};

static int look(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	struct search *search = arg;
	struct rec_vf vf;
	int rc;

	if (rec->type != REC_VF)
		return 0;
	rc = codec_get_vf(rec->payload, rec->len_bytes, &vf, err);
	if (rc == 0 && view_names_owner(&vf, search->words, search->n_words))
		search->found = vf.addr;
	return rc;
}

int history_find(const char *const *words, unsigned n_words, pci_addr_t *addr,
		 struct vfk_err *err)
{
	struct search search = { words, n_words, PCI_NONE };
	struct journal_status st;
	struct offline now;
	const struct vf *vf;
	int rc, found;

	rc = offline_read(&now, err);
	if (rc == 0) {
		found = view_find(&now.node, words, n_words, &vf, err);
		if (found == 0)
			*addr = vf->rec.addr;
		else if (err->kind == VFK_E_NOTFOUND)
			/* Whoever had it may be gone; the journal remembers for a while. */
			rc = offline_records(true, look, &search, &st, err);
		if (found < 0 && rc == 0 && search.found != PCI_NONE)
			*addr = search.found;
		else if (rc == 0)
			rc = found;
	}
	offline_fini(&now);
	return rc;
}
