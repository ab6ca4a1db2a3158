/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/node.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/frame.h"
#include "base/log.h"
#include "engine/plan.h"

void node_init(struct node *n)
{
	memset(n, 0, sizeof(*n));
	list_init(&n->leases);
}

void node_fini(struct node *n)
{
	for (size_t i = 0; i < n->n_vfs; i++) {
		fd_auto(&n->vfs[i]->netns_fd);
		free(n->vfs[i]);
	}
	free(n->vfs);
	list_each_safe(it, &n->leases)
		free(list_entry(it, struct lease, link));
	while (n->n_blobs)
		free(n->blobs[--n->n_blobs]);
	free(n->blobs);
	free(n->pfs);
	node_init(n);
}

/* Index of 'addr', or of the place where it belongs. */
static size_t vf_place(const struct node *n, pci_addr_t addr)
{
	size_t lo = 0, hi = n->n_vfs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->vfs[mid]->rec.addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct vf *node_vf(const struct node *n, pci_addr_t addr)
{
	size_t i = vf_place(n, addr);

	return i < n->n_vfs && n->vfs[i]->rec.addr == addr ? n->vfs[i] : NULL;
}

struct vf *node_vf_add(struct node *n, pci_addr_t addr)
{
	size_t i = vf_place(n, addr);
	struct vf *vf;

	if (i < n->n_vfs && n->vfs[i]->rec.addr == addr)
		return n->vfs[i];
	if (n->n_vfs == n->cap_vfs) {
		size_t cap = n->cap_vfs ? n->cap_vfs * 2 : 64;
		struct vf **bigger = realloc(n->vfs, cap * sizeof(struct vf *));

		if (!bigger)
			return NULL;
		n->vfs = bigger;
		n->cap_vfs = cap;
	}
	vf = calloc(1, sizeof(*vf));
	if (!vf)
		return NULL;
	vf->rec.addr = addr;
	vf->rec.nsid = -1;
	vf->fsm.state = VF_ABSENT;
	vf->rec.state = VF_ABSENT;
	vf->netns_fd = -1;
	list_init(&vf->queue);
	memmove(&n->vfs[i + 1], &n->vfs[i], (n->n_vfs - i) * sizeof(struct vf *));
	n->vfs[i] = vf;
	n->n_vfs++;
	return vf;
}

static bool same_owner(const struct attachment *have, const struct attachment *want)
{
	/* Each call looks through all VFs, most of which belong to nobody. */
	if (have->container[0] != want->container[0] ||
	    strcmp(have->container, want->container) || strcmp(have->ifname, want->ifname))
		return false;
	return !want->network[0] || !strcmp(have->network, want->network);
}

struct vf *node_vf_of(const struct node *n, const struct attachment *att)
{
	if (attachment_none(att))
		return NULL;
	for (size_t i = 0; i < n->n_vfs; i++)
		if (same_owner(&n->vfs[i]->rec.owner, att))
			return n->vfs[i];
	return NULL;
}

struct pf *node_pf(const struct node *n, pci_addr_t addr)
{
	for (size_t i = 0; i < n->n_pfs; i++)
		if (n->pfs[i].addr == addr)
			return &n->pfs[i];
	return NULL;
}

struct pf *node_pf_add(struct node *n, pci_addr_t addr)
{
	struct pf *pf = node_pf(n, addr);

	if (pf)
		return pf;
	pf = realloc(n->pfs, (n->n_pfs + 1) * sizeof(*pf));
	if (!pf)
		return NULL;
	n->pfs = pf;
	pf = &n->pfs[n->n_pfs++];
	memset(pf, 0, sizeof(*pf));
	pf->addr = addr;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(pf->ports); i++)
		pf->ports[i] = PORT_UNKNOWN;
	return pf;
}

int pf_bad_port(const struct pf *pf)
{
	bool linked = false;
	unsigned n = pf->n_ports < VFK_ARRAY_SIZE(pf->ports) ?
			     pf->n_ports :
			     (unsigned)VFK_ARRAY_SIZE(pf->ports);

	for (unsigned i = 0; i < n; i++) {
		if (pf->ports[i] == PORT_FATAL)
			return (int)i;
		linked |= pf->ports[i] == PORT_ACTIVE || pf->ports[i] == PORT_UNKNOWN;
	}
	return n && !linked ? 0 : -1;
}

struct lease *node_lease(const struct node *n, uint64_t id)
{
	list_each(it, &n->leases) {
		struct lease *l = list_entry(it, struct lease, link);

		if (l->rec.id == id)
			return l;
	}
	return NULL;
}

struct lease *node_lease_of(const struct node *n, const struct attachment *att)
{
	struct lease *found = NULL;

	list_each(it, &n->leases) {
		struct lease *l = list_entry(it, struct lease, link);

		if (l->state != LEASE_NONE && same_owner(&l->rec.owner, att) &&
		    (!found || l->rec.id > found->rec.id))
			found = l;
	}
	return found;
}

struct lease *node_lease_add(struct node *n, uint64_t id)
{
	struct lease *l = node_lease(n, id);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->rec.id = id;
	l->state = LEASE_NONE;
	list_push_back(&n->leases, &l->link);
	n->n_leases++;
	return l;
}

void node_lease_remove(struct node *n, struct lease *l)
{
	list_remove(&l->link);
	n->n_leases--;
	node_blob_drop(n, l->rec.request_blob);
	free(l);
}

/* Index of 'id', or of the place where it belongs.  A replay meets many that only
 * node_settle drops. */
static size_t blob_index(const struct node *n, uint64_t id)
{
	size_t lo = 0, hi = n->n_blobs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->blobs[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct blob *node_blob(const struct node *n, uint64_t id)
{
	size_t i = blob_index(n, id);

	return i < n->n_blobs && n->blobs[i]->id == id ? n->blobs[i] : NULL;
}

static struct blob *blob_new(struct node *n, uint64_t id)
{
	size_t i = blob_index(n, id);
	struct blob *b;

	if (n->n_blobs == n->cap_blobs) {
		size_t cap = n->cap_blobs ? n->cap_blobs * 2 : 64;
		struct blob **bigger = realloc(n->blobs, cap * sizeof(struct blob *));

		if (!bigger)
			return NULL;
		n->blobs = bigger;
		n->cap_blobs = cap;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->id = id;
	memmove(&n->blobs[i + 1], &n->blobs[i], (n->n_blobs - i) * sizeof(struct blob *));
	n->blobs[i] = b;
	n->n_blobs++;
	return b;
}

static struct blob *blob_add(struct node *n, const struct rec_blob *rec,
			     const struct blob_place *place)
{
	struct blob *b = node_blob(n, rec->id);

	if (!b) {
		b = blob_new(n, rec->id);
		if (!b)
			return NULL;
		n->blob_bytes += rec->len_bytes;
	}
	b->place = b->before = *place;
	b->len_bytes = rec->len_bytes;
	b->crc = frame_crc32(0, rec->bytes, rec->len_bytes);
	return b;
}

static int read_place(const struct journal *j, const struct blob_place *place,
		      void **payload, struct vfk_err *err)
{
	*payload = malloc(place->payload_bytes);
	if (!*payload)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "blob of %zu bytes",
				   place->payload_bytes);
	return journal_read_at(j, place->file, place->generation, place->offset, *payload,
			       place->payload_bytes, err);
}

char *node_blob_get(const struct node *n, const struct journal *j, uint64_t id,
		    size_t *len_bytes, struct vfk_err *err)
{
	struct blob *b = node_blob(n, id);
	const struct blob_place *place;
	VFK_AUTO(free_auto) void *payload = NULL;
	VFK_AUTO(free_auto) void *hold = NULL;
	struct rec_blob rec;
	char *copy;

	if (!b || !j) {
		vfk_err_set(err, VFK_E_GONE, 0, "blob %llu is not in the journal",
			    (unsigned long long)id);
		return NULL;
	}
	place = &b->place;
	if (read_place(j, place, &payload, err) < 0) {
		free(VFK_STEAL(payload));
		place = &b->before;
		if (read_place(j, place, &payload, err) < 0)
			return NULL;
		/* The snapshot of the other place came to nothing.  So may the next one, which
		 * must not take that place for the good one. */
		b->place = b->before;
	}
	if (codec_get_blob(payload, place->payload_bytes, &rec, &hold, err) < 0)
		return NULL;
	copy = malloc(rec.len_bytes + 1);
	if (!copy) {
		vfk_err_set(err, VFK_E_NOMEM, 0, "blob of %zu bytes", rec.len_bytes);
		return NULL;
	}
	memcpy(copy, rec.bytes, rec.len_bytes);
	copy[rec.len_bytes] = '\0';
	*len_bytes = rec.len_bytes;
	return copy;
}

static struct blob *blob_equal(const struct node *n, const struct journal *j,
			       const void *bytes, size_t len_bytes)
{
	uint32_t crc = frame_crc32(0, bytes, len_bytes);

	for (size_t i = 0; i < n->n_blobs; i++) {
		struct blob *b = n->blobs[i];
		struct vfk_err ignored;
		size_t len;

		if (b->crc != crc || b->len_bytes != len_bytes)
			continue;
		VFK_AUTO(free_auto)
		char *have = node_blob_get(n, j, b->id, &len, &ignored);

		if (have && !memcmp(have, bytes, len_bytes))
			return b;
	}
	return NULL;
}

uint64_t node_blob_put(struct node *n, struct journal *j, const void *bytes,
		       size_t len_bytes, struct vfk_err *err)
{
	struct blob *b = blob_equal(n, j, bytes, len_bytes);
	struct rec_blob rec = { .id = journal_last(j) + 1,
				.bytes = bytes,
				.len_bytes = len_bytes };
	struct blob_place place;
	struct strbuf buf = { 0 };
	uint64_t seq;
	int rc;

	if (b) {
		b->refs++;
		return b->id;
	}
	codec_put_blob(&buf, &rec);
	if (buf.failed) {
		vfk_err_set(err, VFK_E_NOMEM, 0, "blob of %zu bytes", len_bytes);
		return 0;
	}
	rc = journal_append(j, REC_BLOB, buf.data, buf.len, &seq, err);
	if (rc == 0) {
		journal_where(j, &place.file, &place.generation, &place.offset);
		place.payload_bytes = buf.len;
		b = blob_add(n, &rec, &place);
		if (b)
			b->refs = 1;
		else
			vfk_err_set(err, VFK_E_NOMEM, 0, "index of a blob");
	}
	strbuf_free(&buf);
	return b ? b->id : 0;
}

void node_blob_drop(struct node *n, uint64_t id)
{
	struct blob *b = id ? node_blob(n, id) : NULL;

	if (b && b->refs && --b->refs == 0) {
		size_t i = blob_index(n, id);

		n->n_blobs--;
		memmove(&n->blobs[i], &n->blobs[i + 1],
			(n->n_blobs - i) * sizeof(struct blob *));
		n->blob_bytes -= b->len_bytes;
		free(b);
	}
}

static int replay_vf(struct node *n, const struct journal_record *r, struct vfk_err *err)
{
	struct rec_vf rec;
	struct vf *vf;

	if (codec_get_vf(r->payload, r->len_bytes, &rec, err) < 0)
		return -err->kind;
	if (!vf_state_valid(rec.state))
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "VF record %llu: state %u is unknown",
				   (unsigned long long)r->seq, rec.state);
	vf = node_vf_add(n, rec.addr);
	if (!vf)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "VF record");
	vf->rec = rec;
	vf->fsm.state = rec.state;
	vf->fsm.foreign = rec.foreign;
	return 0;
}

static int replay_lease(struct node *n, const struct journal_record *r, struct vfk_err *err)
{
	struct rec_lease rec;
	struct lease *l;

	if (codec_get_lease(r->payload, r->len_bytes, &rec, err) < 0)
		return -err->kind;
	if (!lease_state_valid(rec.state))
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "lease record %llu: state %u is unknown",
				   (unsigned long long)r->seq, rec.state);
	l = node_lease_add(n, rec.id);
	if (!l)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "lease record");
	l->rec = rec;
	l->state = rec.state;
	if (l->state == LEASE_NONE)
		node_lease_remove(n, l);
	return 0;
}

int node_replay(void *arg, const struct journal_record *r, struct vfk_err *err)
{
	struct node *n = arg;
	struct rec_node rec;
	struct rec_blob blob;
	void *hold = NULL;
	int rc = 0;

	if (r->seq > n->last_seq)
		n->last_seq = r->seq;
	switch (r->type) {
	case REC_NODE:
		rc = codec_get_node(r->payload, r->len_bytes, &rec, err);
		if (rc == 0)
			memcpy(&n->rec, &rec,
			       offsetof(struct rec_node, cordons) +
				       rec.n_cordons * sizeof(rec.cordons[0]));
		return rc;
	case REC_VF:
		return replay_vf(n, r, err);
	case REC_LEASE:
		return replay_lease(n, r, err);
	case REC_BLOB:
		rc = codec_get_blob(r->payload, r->len_bytes, &blob, &hold, err);
		if (rc == 0 && !blob_add(n, &blob,
					 &(struct blob_place){ r->file, r->generation,
							       r->offset, r->len_bytes }))
			rc = vfk_err_set(err, VFK_E_NOMEM, 0, "blob record");
		free(hold);
		return rc;
	}
	/* A newer writer's record of a kind that compat bits allow: not for us. */
	return 0;
}

static void ref(struct node *n, uint64_t id)
{
	struct blob *b = id ? node_blob(n, id) : NULL;

	if (b)
		b->refs++;
}

void node_settle(struct node *n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n->n_blobs; i++)
		n->blobs[i]->refs = 0;
	for (size_t i = 0; i < n->n_vfs; i++) {
		ref(n, n->vfs[i]->rec.request_blob);
		ref(n, n->vfs[i]->rec.result_blob);
	}
	list_each(it, &n->leases)
		ref(n, list_entry(it, struct lease, link)->rec.request_blob);
	for (size_t i = 0; i < n->n_blobs; i++) {
		struct blob *b = n->blobs[i];

		if (b->refs) {
			n->blobs[n_kept++] = b;
		} else {
			n->blob_bytes -= b->len_bytes;
			free(b);
		}
	}
	n->n_blobs = n_kept;
}

static int put(struct journal *j, uint16_t type, struct strbuf *buf, uint64_t *offset,
	       struct vfk_err *err)
{
	uint64_t ignored;
	int rc = buf->failed ? vfk_err_set(err, VFK_E_NOMEM, 0, "snapshot record") :
			       journal_snapshot_put(j, type, buf->data, buf->len,
						    offset ? offset : &ignored, err);

	buf->len = 0;
	return rc;
}

/* Blobs are copied from the file that is being left; their new place is taken over. */
static int snapshot_blobs(struct node *n, struct journal *j, struct strbuf *buf,
			  struct vfk_err *err)
{
	for (size_t i = 0; i < n->n_blobs; i++) {
		struct blob *b = n->blobs[i];
		struct rec_blob rec = { .id = b->id, .len_bytes = b->len_bytes };
		struct blob_place place;
		uint64_t offset;
		int rc;

		VFK_AUTO(free_auto)
		char *bytes = node_blob_get(n, j, b->id, &rec.len_bytes, err);
		/* What cannot be read again must not keep everything else from the new file. */
		if (!bytes && (err->kind == VFK_E_GONE || err->kind == VFK_E_CORRUPT)) {
			log_warn("journal", "a stored request is lost: %s", err->msg);
			continue;
		}
		if (!bytes)
			return -err->kind;
		rec.bytes = bytes;
		codec_put_blob(buf, &rec);
		place.payload_bytes = buf->len;
		rc = put(j, REC_BLOB, buf, &offset, err);
		if (rc < 0)
			return rc;
		journal_where(j, &place.file, &place.generation, &place.offset);
		b->before = b->place;
		b->place = place;
	}
	return 0;
}

void node_mark_missing(struct node *n, const struct journal_status *st)
{
	const char *why = NULL;

	switch (st->verdict) {
	case JOURNAL_EMPTY:
		why = "the journal was created";
		break;
	case JOURNAL_DAMAGED:
		why = st->what;
		break;
	case JOURNAL_UNKNOWN:
		why = "the journal is of a version that this program does not know";
		break;
	case JOURNAL_TORN:
		if (st->generation)
			return;
		why = "no file of the journal was ever whole";
		break;
	case JOURNAL_CLEAN:
		return;
	}
	n->rec.records_missing = true;
	n->rec.vfs_verified = false;
	/* What else was begun with it may be among what is lost. */
	for (size_t i = 0; i < n->n_vfs; i++)
		if (n->vfs[i]->fsm.state == VF_RESERVED ||
		    n->vfs[i]->fsm.state == VF_DETACHING)
			n->vfs[i]->rec.touched |= PLAN_TOUCHED_ALL;
	snprintf(n->rec.missing_reason, sizeof(n->rec.missing_reason), "%.150s", why);
}

int node_snapshot(void *arg, struct journal *j, struct vfk_err *err)
{
	struct node *n = arg;
	struct strbuf buf = { 0 };
	int rc;

	if (n->opening)
		node_mark_missing(n, n->opening);
	codec_put_node(&buf, &n->rec);
	rc = put(j, REC_NODE, &buf, NULL, err);
	if (rc == 0)
		rc = snapshot_blobs(n, j, &buf, err);
	for (size_t i = 0; rc == 0 && i < n->n_vfs; i++) {
		codec_put_vf(&buf, &n->vfs[i]->rec);
		rc = put(j, REC_VF, &buf, NULL, err);
	}
	list_each(it, &n->leases) {
		if (rc < 0)
			break;
		codec_put_lease(&buf, &list_entry(it, struct lease, link)->rec);
		rc = put(j, REC_LEASE, &buf, NULL, err);
	}
	strbuf_free(&buf);
	return rc;
}

int node_open_journal(struct journal **out, const struct journal_cfg *cfg,
		      journal_record_fn fn, struct journal_status *st, struct vfk_err *err)
{
	struct node *n = cfg->arg;
	int rc;

	n->opening = st;
	rc = journal_open(out, cfg, fn, st, err);
	n->opening = NULL;
	return rc;
}
