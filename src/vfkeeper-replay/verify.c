/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper-replay/verify.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "fsm/lease.h"
#include "fsm/vf.h"

#define MAX_FILES 16
#define MAX_EVENTS 64
#define BUCKETS 1024

/* What is known of one VF, lease or blob after the records so far. */
struct object {
	struct list link;
	uint64_t id;
	uint8_t from, event, is; /* of its last record: states before and after */
	bool foreign, in_snapshot;
	int64_t wall_ns;
	uint64_t blobs[2];   /* that it needs; 0: none */
	uint64_t generation; /* of the file in which it was last seen */
};

struct table {
	struct list buckets[BUCKETS];
};

struct file_count {
	uint64_t generation, first_seq, last_seq, bytes;
	unsigned file, n_records, n_snapshot;
};

struct verify {
	struct table vfs, leases, blobs;
	unsigned n_findings, n_steps;
	uint64_t generation; /* of the file being read */
	/* --stats */
	unsigned n_types[8];
	uint64_t type_bytes[8];
	unsigned vf_events[MAX_EVENTS], lease_events[MAX_EVENTS];
	struct file_count files[MAX_FILES];
	unsigned n_files;
	int64_t first_ns, last_ns;
};

struct verify *verify_new(void)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	for (unsigned i = 0; i < BUCKETS; i++) {
		list_init(&v->vfs.buckets[i]);
		list_init(&v->leases.buckets[i]);
		list_init(&v->blobs.buckets[i]);
	}
	return v;
}

static void free_all(struct table *t)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		list_each_safe(it, &t->buckets[i])
			free(list_entry(it, struct object, link));
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	free_all(&v->vfs);
	free_all(&v->leases);
	free_all(&v->blobs);
	free(v);
}

static struct object *find(const struct table *t, uint64_t id)
{
	list_each(it, &t->buckets[id % BUCKETS]) {
		struct object *o = list_entry(it, struct object, link);

		if (o->id == id)
			return o;
	}
	return NULL;
}

static struct object *find_or_add(struct table *t, uint64_t id, bool *is_new)
{
	struct object *o = find(t, id);

	*is_new = !o;
	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->id = id;
	list_push_front(&t->buckets[id % BUCKETS], &o->link);
	return o;
}

static void count(struct verify *v, const struct journal_record *raw)
{
	unsigned type = raw->type < VFK_ARRAY_SIZE(v->n_types) ? raw->type : 0;
	struct file_count *f = v->n_files ? &v->files[v->n_files - 1] : NULL;

	v->n_types[type]++;
	v->type_bytes[type] += JOURNAL_RECORD_BYTES(raw->len_bytes);
	if ((!f || f->generation != raw->generation) && v->n_files < MAX_FILES) {
		f = &v->files[v->n_files++];
		f->generation = raw->generation;
		f->first_seq = raw->seq;
		f->file = raw->file;
	}
	v->generation = raw->generation;
	f->last_seq = raw->seq;
	f->n_records++;
	f->n_snapshot += raw->in_snapshot;
	f->bytes += JOURNAL_RECORD_BYTES(raw->len_bytes);
}

static void count_event(struct verify *v, unsigned *events,
			const struct journal_record *raw, uint8_t event,
			const struct rec_meta *meta)
{
	if (raw->in_snapshot)
		return;
	events[event < MAX_EVENTS ? event : 0]++;
	if (!v->first_ns)
		v->first_ns = meta->wall_ns;
	v->last_ns = meta->wall_ns;
}

/* --- the state machines --- */

/* The guards look at a flag that the transition itself may set: both of its values that the
 * record knows of are tried. */
static bool vf_step_agrees(const struct rec_vf *r, bool was_foreign)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vf_fsm fsm = { (enum vf_state)r->from, i ? r->foreign : was_foreign };
		unsigned todo;

		if (vf_step(&fsm, (enum vf_event)r->event, &todo) &&
		    fsm.state == (enum vf_state)r->state && fsm.foreign == r->foreign)
			return true;
	}
	return false;
}

static bool lease_step_agrees(const struct rec_lease *r)
{
	enum lease_state state = (enum lease_state)r->from;
	unsigned todo;

	return lease_step(&state, (enum lease_event)r->event, &todo) &&
	       state == (enum lease_state)r->state;
}

/* A snapshot may be written between a transition and its record: it then has the new state
 * already, and the record says the same once more. */
static bool was_in_snapshot(const struct object *o, uint8_t from, uint8_t event,
			    uint8_t state, const struct rec_meta *meta)
{
	return o->in_snapshot && o->from == from && o->event == event && o->is == state &&
	       o->wall_ns <= meta->wall_ns;
}

static void VFK_PRINTF(4, 5) finding(struct verify *v, FILE *out,
				     const struct journal_record *raw, const char *fmt, ...)
{
	va_list ap;

	v->n_findings++;
	if (!out)
		return;
	if (raw)
		fprintf(out, "record %llu (journal.%u, offset %llu): ",
			(unsigned long long)raw->seq, raw->file,
			(unsigned long long)(raw->offset - JOURNAL_RECORD_BYTES(0)));
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	putc('\n', out);
}

static void verify_vf(struct verify *v, FILE *out, const struct journal_record *raw,
		      const struct rec_vf *r, const struct object *o, bool is_new)
{
	char addr[PCI_STRLEN];

	pci_format(r->addr, addr);
	if (!vf_state_valid(r->state) || !vf_event_valid(r->event) ||
	    !vf_state_valid(r->from)) {
		/* A VF of which nothing happened yet has no transition. */
		if (raw->in_snapshot && vf_state_valid(r->state) && !r->event)
			return;
		finding(v, out, raw, "%s: unknown state or event (%u -%u-> %u)", addr,
			r->from, r->event, r->state);
		return;
	}
	if (raw->in_snapshot)
		return;
	v->n_steps++;
	if (!vf_step_agrees(r, is_new ? r->foreign : o->foreign)) {
		finding(v, out, raw, "%s: the table has no %s -%s-> %s", addr,
			vf_state_name(r->from), vf_event_name(r->event),
			vf_state_name(r->state));
	}
	if (!is_new && o->is != r->from &&
	    !was_in_snapshot(o, r->from, r->event, r->state, &r->meta)) {
		finding(v, out, raw, "%s: says that it was %s, but it was %s", addr,
			vf_state_name(r->from), vf_state_name(o->is));
	}
}

static void verify_lease(struct verify *v, FILE *out, const struct journal_record *raw,
			 const struct rec_lease *r, const struct object *o, bool is_new)
{
	unsigned long long id = r->id;

	if (!lease_state_valid(r->state) || !lease_event_valid(r->event) ||
	    !lease_state_valid(r->from)) {
		finding(v, out, raw, "lease %llu: unknown state or event (%u -%u-> %u)",
			id, r->from, r->event, r->state);
		return;
	}
	if (raw->in_snapshot)
		return;
	v->n_steps++;
	if (!lease_step_agrees(r)) {
		finding(v, out, raw, "lease %llu: the table has no %s -%s-> %s", id,
			lease_state_name(r->from), lease_event_name(r->event),
			lease_state_name(r->state));
	}
	if (!is_new && o->is != r->from &&
	    !was_in_snapshot(o, r->from, r->event, r->state, &r->meta)) {
		finding(v, out, raw, "lease %llu: says that it was %s, but it was %s", id,
			lease_state_name(r->from), lease_state_name(o->is));
	}
}

static int no_memory(struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_NOMEM, 0, "verify the journal");
}

int verify_record(struct verify *v, FILE *out, const struct record *rec, struct vfk_err *err)
{
	const struct journal_record *raw = rec->raw;
	struct object *o = NULL;
	bool is_new;

	count(v, raw);
	switch (rec->type) {
	case REC_VF:
		o = find_or_add(&v->vfs, rec->vf.addr, &is_new);
		if (!o)
			return no_memory(err);
		count_event(v, v->vf_events, raw, rec->vf.event, &rec->vf.meta);
		verify_vf(v, out, raw, &rec->vf, o, is_new);
		o->from = rec->vf.from;
		o->event = rec->vf.event;
		o->is = rec->vf.state;
		o->foreign = rec->vf.foreign;
		o->wall_ns = rec->vf.meta.wall_ns;
		o->blobs[0] = rec->vf.request_blob;
		o->blobs[1] = rec->vf.result_blob;
		break;
	case REC_LEASE:
		o = find_or_add(&v->leases, rec->lease.id, &is_new);
		if (!o)
			return no_memory(err);
		count_event(v, v->lease_events, raw, rec->lease.event, &rec->lease.meta);
		verify_lease(v, out, raw, &rec->lease, o, is_new);
		o->from = rec->lease.from;
		o->event = rec->lease.event;
		o->is = rec->lease.state;
		o->wall_ns = rec->lease.meta.wall_ns;
		/* What is paid needs nothing any more. */
		o->blobs[0] = o->is == LEASE_NONE ? 0 : rec->lease.request_blob;
		break;
	case REC_BLOB:
		o = find_or_add(&v->blobs, rec->blob.id, &is_new);
		if (!o)
			return no_memory(err);
		break;
	default:
		break;
	}
	if (o) {
		o->in_snapshot = raw->in_snapshot;
		o->generation = raw->generation;
	}
	return 0;
}

void verify_bad(struct verify *v, FILE *out, const struct journal_record *raw,
		const char *why)
{
	count(v, raw);
	finding(v, out, raw, "%s", why);
}

static void verify_needs(struct verify *v, FILE *out, const struct object *o,
			 const char *what, const char *name)
{
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(o->blobs); i++) {
		const struct object *b = o->blobs[i] ? find(&v->blobs, o->blobs[i]) : NULL;

		if (!o->blobs[i] || (b && b->generation == v->generation))
			continue;
		finding(v, out, NULL, "%s %s needs blob %llu, which is not there", what,
			name, (unsigned long long)o->blobs[i]);
	}
}

/* In the newest file: only what stands there is the state. */
static void verify_blobs(struct verify *v, FILE *out, const struct table *t,
			 const char *what)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		list_each(it, &t->buckets[i]) {
			const struct object *o = list_entry(it, struct object, link);
			char name[PCI_STRLEN + 8];

			if (o->generation != v->generation)
				continue;
			if (t == &v->vfs)
				pci_format(o->id, name);
			else
				snprintf(name, sizeof(name), "%llu",
					 (unsigned long long)o->id);
			verify_needs(v, out, o, what, name);
		}
	}
}

void verify_end(struct verify *v, FILE *out)
{
	verify_blobs(v, out, &v->vfs, "VF");
	verify_blobs(v, out, &v->leases, "lease");
}

unsigned verify_findings(const struct verify *v)
{
	return v->n_findings;
}

unsigned verify_steps(const struct verify *v)
{
	return v->n_steps;
}

/* --- --stats --- */

static unsigned in_state(const struct verify *v, const struct table *t, uint8_t state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		list_each(it, &t->buckets[i]) {
			const struct object *o = list_entry(it, struct object, link);

			n += o->generation == v->generation && o->is == state;
		}
	}
	return n;
}

static void stats_events(const struct verify *v, FILE *out)
{
	for (unsigned i = 0; i < MAX_EVENTS; i++)
		if (v->vf_events[i])
			fprintf(out, "vf event %s: %u\n", vf_event_name((enum vf_event)i),
				v->vf_events[i]);
	for (unsigned i = 0; i < MAX_EVENTS; i++)
		if (v->lease_events[i])
			fprintf(out, "lease event %s: %u\n",
				lease_event_name((enum lease_event)i), v->lease_events[i]);
}

void verify_stats(const struct verify *v, FILE *out, const struct journal_status *st)
{
	char first[RECORD_TIME_LEN], last[RECORD_TIME_LEN];

	fprintf(out, "records: %llu to %llu\n", (unsigned long long)st->first_seq,
		(unsigned long long)st->last_seq);
	fprintf(out, "synced up to: %llu\n", (unsigned long long)st->durable_upto);
	fprintf(out, "transitions: from %s to %s\n", record_time(v->first_ns, first),
		record_time(v->last_ns, last));
	for (unsigned i = 0; i < v->n_files; i++) {
		const struct file_count *f = &v->files[i];

		fprintf(out,
			"file %u, generation %016llx: %u records, %u of them snapshot, %llu "
			"bytes, %llu to %llu\n",
			f->file, (unsigned long long)f->generation, f->n_records,
			f->n_snapshot, (unsigned long long)f->bytes,
			(unsigned long long)f->first_seq, (unsigned long long)f->last_seq);
	}
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(v->n_types); i++)
		if (v->n_types[i])
			fprintf(out, "type %s: %u records, %llu bytes, %llu each\n",
				record_type_name((uint16_t)i), v->n_types[i],
				(unsigned long long)v->type_bytes[i],
				(unsigned long long)(v->type_bytes[i] / v->n_types[i]));
	stats_events(v, out);
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		unsigned n = in_state(v, &v->vfs, (uint8_t)i);

		if (n)
			fprintf(out, "vf state %s: %u\n", vf_state_name((enum vf_state)i),
				n);
	}
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		unsigned n = in_state(v, &v->leases, (uint8_t)i);

		/* What is paid is no lease any more. */
		if (n && i != LEASE_NONE)
			fprintf(out, "lease state %s: %u\n",
				lease_state_name((enum lease_state)i), n);
	}
}
