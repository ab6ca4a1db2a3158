/* SPDX-License-Identifier: Apache-2.0 */
#include "vfctl/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cni/json_print.h"
#include "engine/view.h"
#include "vfctl/offline.h"

void events_init(struct events *ev)
{
	memset(ev, 0, sizeof(*ev));
	node_init(&ev->node);
}

void events_fini(struct events *ev)
{
	node_fini(&ev->node);
}

struct pass {
	struct events *ev;
	json_t *events; /* of this pass, told when it is known to be whole */
	uint64_t last_seq;
	bool skip;
};

static int decode(const struct journal_record *raw, struct view_record *r,
		  struct vfk_err *err)
{
	r->seq = raw->seq;
	r->type = raw->type;
	r->in_snapshot = raw->in_snapshot;
	switch (raw->type) {
	case REC_VF:
		return codec_get_vf(raw->payload, raw->len_bytes, &r->vf, err);
	case REC_LEASE:
		return codec_get_lease(raw->payload, raw->len_bytes, &r->lease, err);
	case REC_NODE:
		return codec_get_node(raw->payload, raw->len_bytes, &r->node, err);
	}
	return 0;
}

static int take(void *arg, const struct journal_record *raw, struct vfk_err *err)
{
	static struct view_record r; /* large; one at a time */
	struct pass *p = arg;
	const struct vf *vf;
	int rc = 0;

	if (raw->seq <= p->ev->last_seq)
		return 0;
	if (raw->type == REC_BLOB)
		return 0;
	rc = decode(raw, &r, err);
	if (rc == 0 && !p->skip && !raw->in_snapshot &&
	    (raw->type == REC_VF || raw->type == REC_LEASE || raw->type == REC_NODE)) {
		vf = raw->type == REC_VF ? node_vf(&p->ev->node, r.vf.addr) : NULL;
		if (json_array_append_new(p->events, view_event(&r, vf ? &vf->rec : NULL)))
			return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for an event");
	}
	if (rc == 0)
		rc = node_replay(&p->ev->node, raw, err);
	if (raw->seq > p->last_seq)
		p->last_seq = raw->seq;
	return rc;
}

/* What was written last may be in a file that was left since: then the older ones are read,
 * too. */
int events_read(struct events *ev, bool skip, void (*fn)(void *arg, json_t *event),
		void *arg, struct journal_status *st, struct vfk_err *err)
{
	struct pass p = { .ev = ev, .events = json_array(), .skip = skip };
	bool all = !skip && !ev->started;
	json_t *event;
	size_t i;
	int rc;

	rc = offline_records(all, take, &p, st, err);
	if (rc == 0 && !all && ev->started && st->generation != ev->generation) {
		json_array_clear(p.events);
		rc = offline_records(true, take, &p, st, err);
	}
	if (rc == 0) {
		ev->generation = st->generation;
		ev->started = true;
		if (p.last_seq > ev->last_seq)
			ev->last_seq = p.last_seq;
		json_array_foreach(p.events, i, event)
			fn(arg, event);
	}
	json_decref(p.events);
	return rc;
}

struct printing {
	pci_addr_t only; /* PCI_NONE: all */
	unsigned n_last; /* 0: all */
	json_t *last;	 /* the last ones so far; NULL: each is printed as it comes */
	bool json;
	bool first, failed;
};

static void print(struct printing *p, const json_t *event)
{
	struct strbuf line = { 0 };
	char *text = NULL;

	if (p->json) {
		text = json_print(event, JSON_COMPACT);
		p->failed |= !text;
		printf("%s%s", p->first ? "" : ",\n", text ? text : "null");
		free(text);
	} else {
		view_event_text(&line, event);
		p->failed |= line.failed;
		fwrite(line.data ? line.data : "", 1, line.len, stdout);
	}
	p->first = false;
	strbuf_free(&line);
}

static void print_or_keep(void *arg, json_t *event)
{
	const char *vf = json_string_value(json_object_get(event, "vf"));
	struct printing *p = arg;
	char addr[PCI_STRLEN];

	if (p->only != PCI_NONE && (!vf || strcmp(vf, pci_format(p->only, addr)) != 0))
		return;
	if (!p->last) {
		print(p, event);
		return;
	}
	if (json_array_size(p->last) == p->n_last)
		json_array_remove(p->last, 0);
	p->failed |= json_array_append(p->last, event) != 0;
}

int history_print(const char *const *words, unsigned n_words, unsigned n_last, bool json,
		  struct vfk_err *err)
{
	struct printing p = {
		.only = PCI_NONE, .n_last = n_last, .json = json, .first = true
	};
	struct offline off = { 0 };
	struct events ev;
	json_t *event;
	size_t i;
	int rc;

	if (n_words) {
		rc = history_find(words, n_words, &p.only, err);
		if (rc < 0)
			return rc;
	}
	if (n_last) {
		p.last = json_array();
		if (!p.last)
			return vfk_err_set(err, VFK_E_NOMEM, 0,
					   "no memory for the history");
	}
	events_init(&ev);
	if (json)
		printf("{\"events\": [\n");
	rc = events_read(&ev, false, print_or_keep, &p, &off.journal, err);
	json_array_foreach(p.last, i, event)
		print(&p, event);
	json_decref(p.last);
	if (json)
		printf("%s]}\n", p.first ? "" : "\n");
	else if (rc == 0 && p.first)
		printf("The journal keeps no record of it.\n");
	events_fini(&ev);
	if (rc == 0 && p.failed)
		rc = vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the history");
	/* A torn tail may be a record that an engine is writing at this moment. */
	if (rc == 0 && off.journal.verdict != JOURNAL_TORN)
		rc = offline_verdict(&off, err);
	return rc;
}
