/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow.h"

#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "engines.h"
#include "promises.h"
#include "story.h"

struct shadow shadow;

static bool appending;

/* Which bytes of each file are blobs, and whose configuration rot has taken. */
#define MAX_BLOBS 1024

static struct {
	uint64_t id, from, to;
} blobs[JOURNAL_FILES][MAX_BLOBS];
static unsigned n_blobs[JOURNAL_FILES];

static struct ids {
	unsigned n;
	uint64_t id[MAX_BLOBS];
} lost_blobs, lost_confs;

int __wrap_journal_begin(struct journal *j, struct vfk_err *err);
int __real_journal_begin(struct journal *j, struct vfk_err *err);
int __wrap_journal_append(struct journal *j, uint16_t type, const void *buf,
			  size_t len_bytes, uint64_t *seq, struct vfk_err *err);
int __real_journal_append(struct journal *j, uint16_t type, const void *buf,
			  size_t len_bytes, uint64_t *seq, struct vfk_err *err);
int __wrap_journal_snapshot_put(struct journal *j, uint16_t type, const void *buf,
				size_t len_bytes, uint64_t *offset, struct vfk_err *err);
int __real_journal_snapshot_put(struct journal *j, uint16_t type, const void *buf,
				size_t len_bytes, uint64_t *offset, struct vfk_err *err);

void shadow_reset(void)
{
	memset(&shadow, 0, sizeof(shadow));
	memset(n_blobs, 0, sizeof(n_blobs));
	lost_blobs.n = lost_confs.n = 0;
}

/* --- blobs --- */

static bool ids_have(const struct ids *ids, uint64_t id)
{
	for (unsigned i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static void ids_add(struct ids *ids, uint64_t id)
{
	if (ids_have(ids, id))
		return;
	if (ids->n == MAX_BLOBS)
		abort();
	ids->id[ids->n++] = id;
}

void shadow_blob(const void *payload, size_t len, unsigned file, uint64_t offset)
{
	uint64_t from = offset - JOURNAL_RECORD_BYTES(0);
	unsigned *n = &n_blobs[file];
	struct vfk_err err = { 0 };
	struct rec_blob rec;
	void *hold = NULL;

	if (codec_get_blob(payload, len, &rec, &hold, &err) < 0)
		abort();
	for (unsigned i = 0; i < *n; i++)
		if (blobs[file][i].id == rec.id && blobs[file][i].from == from) {
			free(hold);
			return;
		}
	if (*n == MAX_BLOBS)
		abort();
	blobs[file][*n].id = rec.id;
	blobs[file][*n].from = from;
	blobs[file][*n].to = from + JOURNAL_RECORD_BYTES(len);
	*n += 1;
	free(hold);
}

static void look_at_conf(const struct rec_lease *l)
{
	if (ids_have(&lost_blobs, l->request_blob))
		ids_add(&lost_confs, l->id);
}

void shadow_rot(unsigned file, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < n_blobs[file]; i++)
		if (blobs[file][i].from < to && from < blobs[file][i].to)
			ids_add(&lost_blobs, blobs[file][i].id);
	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		if (shadow.lease[i].have)
			look_at_conf(&shadow.lease[i].rec);
}

bool shadow_conf_lost(uint64_t lease)
{
	return ids_have(&lost_confs, lease);
}

/* --- records --- */

struct shadow_vf *shadow_of(const struct kvf *v)
{
	return &shadow.vf[v - vfs];
}

struct shadow_lease *shadow_lease(uint64_t id)
{
	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		if (shadow.lease[i].have && shadow.lease[i].rec.id == id)
			return &shadow.lease[i];
	return NULL;
}

unsigned shadow_n_leases(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		n += shadow.lease[i].have;
	return n;
}

const struct kvf *shadow_vf_of_lease(uint64_t id)
{
	for (unsigned i = 0; i < n_sim_vfs && id; i++)
		if (shadow.vf[i].have && shadow.vf[i].rec.lease_id == id)
			return &vfs[i];
	return NULL;
}

bool shadow_name_of_another(const struct kvf *v, const char *name)
{
	for (unsigned i = 0; i < n_sim_vfs; i++)
		if (&vfs[i] != v && shadow.vf[i].have && shadow.vf[i].rec.baseline.valid &&
		    !strcmp(shadow.vf[i].rec.baseline.ifname, name))
			return true;
	return false;
}

bool shadow_pod_has(const struct vf_settings *set)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct vf_settings *w = &shadow.vf[i].rec.wanted;

		/* On record of a VF that went from the bus is what its attachment had been
		 * given, in case that it comes back with it, to whomever: no pod of ours has that
		 * any more. */
		if (!shadow.vf[i].have || shadow.vf[i].rec.state == VF_ABSENT ||
		    shadow.vf[i].rec.foreign)
			continue;
		if ((w->has & set->has & HAS_PORT_GUID) && w->port_guid == set->port_guid)
			return true;
		if ((w->has & set->has & HAS_MAC) && !memcmp(w->mac, set->mac, 6))
			return true;
	}
	return false;
}

static struct shadow_lease *lease_place(uint64_t id)
{
	struct shadow_lease *l = shadow_lease(id);

	for (unsigned i = 0; !l && i < SHADOW_LEASES; i++)
		if (!shadow.lease[i].have)
			l = &shadow.lease[i];
	return l;
}

bool shadow_take(uint16_t type, const void *buf, size_t len, struct shadow_vf **vf,
		 struct shadow_lease **lease)
{
	static struct rec_vf rec;
	static struct rec_lease rec_l;
	struct vfk_err err = { 0 };
	struct kvf *v;

	*vf = NULL;
	*lease = NULL;
	switch (type) {
	case REC_VF:
		if (codec_get_vf(buf, len, &rec, &err) < 0 || !(v = kernel_vf(rec.addr)))
			return false;
		*vf = shadow_of(v);
		(*vf)->before = (*vf)->rec;
		(*vf)->rec = rec;
		(*vf)->have = true;
		return true;
	case REC_LEASE:
		if (codec_get_lease(buf, len, &rec_l, &err) < 0)
			return false;
		*lease = lease_place(rec_l.id);
		if (!*lease)
			return false;
		(*lease)->rec = rec_l;
		(*lease)->have = rec_l.state != LEASE_NONE;
		look_at_conf(&rec_l);
		return true;
	default:
		return false;
	}
}

void shadow_stands(struct places *at, unsigned file, uint64_t end)
{
	memset(at, 0, sizeof(*at));
	at->end[file] = end;
	at->outside = true;
}

void shadow_begun(unsigned file)
{
	for (unsigned i = 0; i < SIM_VFS; i++)
		shadow.vf[i].at.end[file] = 0;
	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		shadow.lease[i].at.end[file] = 0;
}

/* What is not in the newest snapshot is not on record any more. */
static void snapshot_ends(void)
{
	for (unsigned i = 0; i < SHADOW_LEASES && shadow.snapshot; i++)
		shadow.lease[i].have &= shadow.lease[i].fresh;
	shadow.snapshot = false;
}

int __wrap_journal_begin(struct journal *j, struct vfk_err *err)
{
	int rc = __real_journal_begin(j, err);

	if (rc == 0 && engine_lives()) {
		shadow.write_failed = false;
		snapshot_ends();
	}
	return rc;
}

int __wrap_journal_append(struct journal *j, uint16_t type, const void *buf,
			  size_t len_bytes, uint64_t *seq, struct vfk_err *err)
{
	struct shadow_lease *lease;
	struct shadow_vf *vf;
	uint64_t generation, offset;
	unsigned file;
	int rc;

	appending = true;
	rc = __real_journal_append(j, type, buf, len_bytes, seq, err);
	appending = false;
	if (!engine_lives()) /* killed in the middle of it, or before */
		return rc;
	shadow.write_failed = rc < 0;
	if (rc < 0) {
		promise_no_disk();
		return rc;
	}
	snapshot_ends();
	journal_where(j, &file, &generation, &offset);
	shadow.n_records++;
	if (type == REC_BLOB)
		shadow_blob(buf, len_bytes, file, offset);
	if (!shadow_take(type, buf, len_bytes, &vf, &lease))
		return rc;
	if (vf) {
		shadow_stands(&vf->at, file, offset + len_bytes);
		promise_vf_record(&vfs[vf - shadow.vf], vf);
	}
	if (lease) {
		lease->fresh = true;
		shadow_stands(&lease->at, file, offset + len_bytes);
		promise_lease_record(lease);
	}
	return rc;
}

bool shadow_synced(const struct places *at)
{
	for (unsigned n = 0; n < JOURNAL_FILES; n++)
		if (at->end[n] && !(shadow.snapshot && n == shadow.begun) &&
		    disk_is_synced(n, at->end[n]))
			return true;
	return false;
}

bool shadow_whole(const struct places *at)
{
	if (at->outside)
		return true;
	for (unsigned n = 0; n < JOURNAL_FILES; n++)
		if (at->end[n] && !(shadow.snapshot && n == shadow.begun))
			return true;
	return false;
}

/* One that is begun by an append knows already what that record is about to say. */
static void place_of(uint16_t type, const void *buf, size_t len, unsigned file, uint64_t end)
{
	struct vfk_err err = { 0 };
	struct shadow_lease *l;
	struct rec_lease lease;
	struct rec_vf vf;
	struct kvf *v;

	if (type == REC_VF && codec_get_vf(buf, len, &vf, &err) == 0 &&
	    (v = kernel_vf(vf.addr))) {
		shadow_of(v)->at.end[file] = end;
	} else if (type == REC_LEASE && codec_get_lease(buf, len, &lease, &err) == 0 &&
		   (l = shadow_lease(lease.id))) {
		l->at.end[file] = end;
		l->fresh = true;
	}
}

/* A snapshot says again what is so, also what could not be recorded before. */
int __wrap_journal_snapshot_put(struct journal *j, uint16_t type, const void *buf,
				size_t len_bytes, uint64_t *offset, struct vfk_err *err)
{
	int rc = __real_journal_snapshot_put(j, type, buf, len_bytes, offset, err);
	struct shadow_lease *lease;
	struct shadow_vf *vf;
	uint64_t generation, off;
	unsigned file;

	if (rc < 0 || !engine_lives())
		return rc;
	journal_where(j, &file, &generation, &off);
	if (type == REC_NODE) { /* the first of each */
		shadow.snapshot = true;
		shadow.begun = file;
		n_blobs[file] = 0;
		for (unsigned i = 0; i < SHADOW_LEASES; i++)
			shadow.lease[i].fresh = false;
	}
	if (type == REC_BLOB)
		shadow_blob(buf, len_bytes, file, off);
	if (appending) {
		place_of(type, buf, len_bytes, file, off + len_bytes);
		return rc;
	}
	if (!shadow_take(type, buf, len_bytes, &vf, &lease))
		return rc;
	if (vf) {
		vf->at.end[file] = off + len_bytes;
		promise_vf_snapshot(&vfs[vf - shadow.vf], vf);
	}
	if (lease) {
		lease->at.end[file] = off + len_bytes;
		lease->fresh = true;
	}
	return rc;
}
