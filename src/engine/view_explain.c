/* SPDX-License-Identifier: Apache-2.0 */
/* The story of one VF, told from its journal records for a tired operator. */
#include "engine/view-internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/cordon.h"
#include "fsm/lease.h"
#include "fsm/vf.h"

/* What is remembered from one record to the next. */
struct story {
	const struct rec_vf *last_vf;
	const struct rec_meta *last_meta;
};

/* What an event means, in words. */
static const char *vf_event_text(enum vf_event event)
{
	switch (event) {
	case VF_EV_ADD:
		return "reserved for an ADD; nothing on the VF is touched yet";
	case VF_EV_SETUP_DONE:
		return "attached: every step is done and the result is stored";
	case VF_EV_SETUP_FAILED:
		return "the ADD failed; what it touched is being undone";
	case VF_EV_DEL:
		return "its owner's DEL came; it is being released";
	case VF_EV_GC:
		return "a CNI GC did not name its owner as valid; it is being released";
	case VF_EV_CALLER_GONE:
		return "the caller of the ADD ended before its answer; it is being released";
	case VF_EV_REPLAY:
		return "a new engine found a half-done ADD; it is being undone";
	case VF_EV_NETNS_GONE:
		return "the network namespace of its owner is gone; it is being released";
	case VF_EV_RETURNED:
		return "its link came home although nobody released it, or free with a name "
		       "that is not its own; it is being cleaned";
	case VF_EV_ADMIN_RELEASE:
		return "an administrator released it";
	case VF_EV_RESTORE_DONE:
		return "released: it was verified to be as its baseline says, and is free";
	case VF_EV_GAVE_UP:
		return "the release failed too often and was given up";
	case VF_EV_FATAL:
		return "the device cannot be used";
	case VF_EV_RETRY:
		return "the engine tries again to release it";
	case VF_EV_ADMIN_RETRY:
		return "an administrator had it tried again";
	case VF_EV_PF_RECOVERED:
		return "its PF works again; it is being released";
	case VF_EV_VANISHED:
		return "it is gone from the bus";
	case VF_EV_REBOOT:
		return "the node was booted; what was before is over";
	case VF_EV_APPEARED:
		return "found on the bus";
	case VF_EV_ADOPT:
		return "a DEL named its link although no record did; it is being released";
	case VF_EV_HOME:
		return "its link came home by itself; it is free";
	case VF_EV_TIMEOUT:
		return "the deadline passed";
	case VF_EV_STEP:
		return "progress";
	case VF_EV_BASELINE:
		return "somebody changed the free VF; this is its new baseline";
	case VF_EV_TAKEN:
		return "it was free by our records, but somebody else uses it";
	case VF_EV_IMPORTED:
		return "vfctl import: another plugin's file says whose it is; it is kept from "
		       "now on";
	case VF_EV_EXPORTED:
		return "vfctl export: it was handed over to another plugin";
	case VF_EV_STALE:
		return "it came back with the GUID or MAC that an attachment had been given, or "
		       "with the name of another VF's link; it gets its own";
	}
	return "an event of a newer version";
}

static const char *lease_event_text(enum lease_event event)
{
	switch (event) {
	case LEASE_EV_ASK:
		return "the IPAM plugin is asked for addresses";
	case LEASE_EV_ANSWERED:
		return "the IPAM plugin answered with addresses";
	case LEASE_EV_FAILED:
		return "the IPAM plugin failed; what it may have leased is owed";
	case LEASE_EV_TIMEOUT:
		return "the deadline passed; what may be leased is owed";
	case LEASE_EV_DEL:
		return "the owner's DEL came; the addresses are owed to the IPAM";
	case LEASE_EV_CALLER_GONE:
		return "the caller ended; what may be leased is owed";
	case LEASE_EV_REPLAY:
		return "a new engine found it half done; what may be leased is owed";
	case LEASE_EV_SETUP_FAILED:
		return "the ADD failed; the addresses are owed to the IPAM";
	case LEASE_EV_GC:
		return "a CNI GC came; the addresses are owed to the IPAM";
	case LEASE_EV_NETNS_GONE:
		return "the network namespace is gone; the addresses are owed to the IPAM";
	case LEASE_EV_ADMIN_RELEASE:
		return "an administrator released it; the addresses are owed to the IPAM";
	case LEASE_EV_REBOOT:
		return "the node was booted; the addresses are owed to the IPAM";
	case LEASE_EV_PAID:
		return "the IPAM plugin took the addresses back";
	case LEASE_EV_UNPAID:
		return "the IPAM plugin did not take the addresses back; it is asked again later";
	case LEASE_EV_NOT_RUN:
		return "the IPAM plugin was never started; nothing is leased";
	case LEASE_EV_ADOPT:
		return "a DEL came without a record; its own IPAM configuration is used";
	case LEASE_EV_IMPORTED:
		return "vfctl import: another plugin had these addresses leased";
	case LEASE_EV_EXPORTED:
		return "vfctl export: another plugin has the addresses released";
	}
	return "an event of a newer version";
}

/* --- pieces of a line --- */

static void add_names(struct strbuf *text, const char *lead, uint32_t bits)
{
	json_t *names = view_steps(bits);
	const char *between = "";
	size_t i;
	json_t *name;

	if (bits)
		strbuf_adds(text, lead);
	json_array_foreach(names, i, name) {
		strbuf_addf(text, "%s%s", between, json_string_value(name));
		between = ", ";
	}
	json_decref(names);
}

/* A STEP record: what began and what ended since the record before. */
static void tell_progress(struct strbuf *text, const struct rec_vf *rec,
			  const struct rec_vf *last)
{
	bool same_plan = last && last->plan == rec->plan && last->state == rec->state;
	uint32_t begun = rec->begun & ~(same_plan ? last->begun : 0);
	uint32_t done = rec->done & ~(same_plan ? last->done : 0);

	add_names(text, "done: ", done);
	/* What began and ended between two records has been told as done. */
	begun &= ~done;
	add_names(text, done && begun ? "; begun: " : "begun: ", begun);
	if (!done && !begun)
		strbuf_adds(text, rec->reason[0] ? "a step failed" : "tried again");
}

static void tell_vf(struct strbuf *text, const struct rec_vf *rec, const struct rec_vf *last)
{
	enum vf_event event = (enum vf_event)rec->event;

	if (event == VF_EV_STEP) {
		tell_progress(text, rec, last);
	} else if (event == VF_EV_APPEARED && rec->foreign) {
		strbuf_adds(text, "found in use by somebody who has no record");
	} else {
		strbuf_adds(text, vf_event_text(event));
	}
	/* Steps whose end only the next transition has recorded. */
	if (event != VF_EV_STEP && last && last->plan == rec->plan &&
	    (rec->done & ~last->done)) {
		add_names(text, " (done: ", rec->done & ~last->done);
		strbuf_adds(text, ")");
	}
	if (event == VF_EV_GAVE_UP && rec->attempts)
		strbuf_addf(text, " (%u attempts)", (unsigned)rec->attempts);
	if (rec->reason[0] && (!last || strcmp(last->reason, rec->reason)))
		strbuf_addf(text, ": %s", rec->reason);
}

static void tell_lease(struct strbuf *text, const struct rec_lease *rec)
{
	strbuf_adds(text, lease_event_text((enum lease_event)rec->event));
	if (rec->event == LEASE_EV_UNPAID && rec->attempts)
		strbuf_addf(text, " (attempt %u)", (unsigned)rec->attempts);
	if (rec->last_error[0] &&
	    (rec->event == LEASE_EV_UNPAID || rec->event == LEASE_EV_FAILED))
		strbuf_addf(text, ": %s", rec->last_error);
}

/* Milliseconds since the record before, by the clock that does not jump where it is the
 * same boot. */
static json_t *elapsed(const struct rec_meta *meta, const struct rec_meta *last)
{
	int64_t ns;

	if (!last)
		return json_null();
	ns = !strcmp(meta->boot_id, last->boot_id) ? meta->boot_ns - last->boot_ns :
						     meta->wall_ns - last->wall_ns;
	return json_integer(ns / NS_PER_MS);
}

/* What the row of the table asked the engine to do. */
static json_t *did_vf(const struct rec_vf *rec)
{
	json_t *list = json_array();

	for (size_t i = 0; i < vf_n_rows; i++) {
		const struct vf_row *r = &vf_rows[i];

		if ((int)r->from != rec->from || (int)r->event != rec->event ||
		    (int)r->to != rec->state)
			continue;
		for (unsigned bit = 0; bit < 31; bit++) {
			if (r->todo & (1u << bit))
				view_append(list, json_string(vf_todo_name(
							  (enum vf_todo)(1 << bit))));
		}
		break;
	}
	return list;
}

static json_t *did_lease(const struct rec_lease *rec)
{
	json_t *list = json_array();

	for (size_t i = 0; i < lease_n_rows; i++) {
		const struct lease_row *r = &lease_rows[i];

		if ((int)r->from != rec->from || (int)r->event != rec->event)
			continue;
		for (unsigned bit = 0; bit < 31; bit++) {
			if (r->todo & (1u << bit))
				view_append(list, json_string(lease_todo_name(
							  (enum lease_todo)(1 << bit))));
		}
		break;
	}
	return list;
}

static json_t *line(uint64_t seq, const struct rec_meta *meta, struct story *s)
{
	json_t *obj = json_object();

	view_set(obj, "seq", json_integer((json_int_t)seq));
	view_set(obj, "time", view_time(meta->wall_ns));
	view_set(obj, "after_ms", elapsed(meta, s->last_meta));
	view_set(obj, "new_boot",
		 json_boolean(s->last_meta && strcmp(meta->boot_id, s->last_meta->boot_id)));
	view_set(obj, "cause", json_string(cause_kind_name(meta->cause)));
	view_set(obj, "cause_text", view_str(meta->cause_text));
	s->last_meta = meta;
	return obj;
}

static void set_text(json_t *obj, struct strbuf *text)
{
	view_set(obj, "text", text->failed ? NULL : view_str(text->data));
	strbuf_free(text);
}

static json_t *line_vf(const struct view_record *r, struct story *s)
{
	const struct rec_vf *rec = &r->vf;
	json_t *obj = line(r->seq, &rec->meta, s);
	struct strbuf text = { 0 };

	view_set(obj, "what", json_string("vf"));
	if (r->in_snapshot) {
		/* The beginning of what is kept: a state, not something that happened. */
		strbuf_adds(&text,
			    "as it stood where the kept history begins; last event: ");
		strbuf_adds(&text, vf_event_text((enum vf_event)rec->event));
	} else {
		tell_vf(&text, rec, s->last_vf);
		view_set(obj, "from", json_string(vf_state_name((enum vf_state)rec->from)));
		view_set(obj, "did", did_vf(rec));
	}
	view_set(obj, "event", json_string(vf_event_name((enum vf_event)rec->event)));
	view_set(obj, "to", json_string(vf_state_name((enum vf_state)rec->state)));
	if (!s->last_vf || !attachment_equal(&rec->owner, &s->last_vf->owner)) {
		view_set(obj, "pod", view_pod(&rec->pod));
		view_set(obj, "owner", view_owner(&rec->owner));
	}
	set_text(obj, &text);
	s->last_vf = rec;
	return obj;
}

static json_t *line_lease(const struct view_record *r, struct story *s)
{
	const struct rec_lease *rec = &r->lease;
	json_t *obj = line(r->seq, &rec->meta, s);
	struct strbuf text = { 0 };

	view_set(obj, "what", json_string("lease"));
	view_set(obj, "lease", json_integer((json_int_t)rec->id));
	view_set(obj, "plugin", view_str(rec->plugin));
	if (!r->in_snapshot) {
		view_set(obj, "from",
			 json_string(lease_state_name((enum lease_state)rec->from)));
		view_set(obj, "did", did_lease(rec));
	}
	view_set(obj, "event", json_string(lease_event_name((enum lease_event)rec->event)));
	view_set(obj, "to", json_string(lease_state_name((enum lease_state)rec->state)));
	tell_lease(&text, rec);
	set_text(obj, &text);
	return obj;
}

json_t *view_event(const struct view_record *r, const struct rec_vf *last)
{
	struct story s = { .last_vf = last };
	struct strbuf text = { 0 };
	json_t *obj;

	if (r->type == REC_VF) {
		obj = line_vf(r, &s);
		view_set(obj, "vf", view_addr(r->vf.addr));
		view_set(obj, "pod", view_pod(&r->vf.pod));
		view_set(obj, "owner", view_owner(&r->vf.owner));
	} else if (r->type == REC_LEASE) {
		obj = line_lease(r, &s);
		view_set(obj, "vf", view_addr(r->lease.vf));
		view_set(obj, "pod", view_pod(&r->lease.pod));
		view_set(obj, "owner", view_owner(&r->lease.owner));
	} else {
		obj = line(r->seq, &r->node.meta, &s);
		view_set(obj, "what", json_string("node"));
		strbuf_adds(&text, r->node.meta.cause_text);
		if (r->node.records_missing)
			strbuf_addf(&text, "; records may be missing: %s",
				    r->node.missing_reason);
		set_text(obj, &text);
	}
	return obj;
}

/* What a person can do about the present state; NULL: nothing has to be done. */
static json_t *advice(const struct view *v, const struct vf *vf)
{
	const struct rec_vf *rec = &vf->rec;
	char addr[PCI_STRLEN];

	pci_format(rec->addr, addr);
	switch ((enum vf_state)rec->state) {
	case VF_FREE:
		if (cordon_of(v->node, rec))
			return json_string(
				"no ADD is served on it because an administrator "
				"cordoned it: 'vfctl uncordon' ends that, 'vfctl "
				"status' lists the cordons");
		return NULL;
	case VF_ATTACHED:
		return NULL;
	case VF_RESERVED:
	case VF_DETACHING:
		if (v->live)
			return json_string(
				"the engine is at work on it; 'vfctl show' tells how far");
		return json_string(
			"half done and no engine runs: the next ADD or DEL, or vfkeeperd, "
			"goes on with it");
	case VF_FAULTED:
		if (rec->foreign)
			return json_sprintf("somebody else uses it: end that use, or take it with "
					    "'vfctl release %s --force'",
					    addr);
		return json_sprintf("cure the cause named above; the engine tries again by itself, "
				    "at once with 'vfctl retry %s'",
				    addr);
	case VF_ABSENT:
		return json_string(
			"it is not on the bus: look at the PF's number of VFs and at the "
			"kernel's log");
	}
	return NULL;
}

/* A later snapshot repeats what the records before it have told. */
static bool is_repeated(const struct view_record *const *records, size_t i)
{
	if (!records[i]->in_snapshot)
		return false;
	for (size_t k = 0; k < i; k++) {
		if (records[k]->type == records[i]->type &&
		    (records[i]->type == REC_VF ||
		     records[k]->lease.id == records[i]->lease.id))
			return true;
	}
	return false;
}

json_t *view_explain(const struct view *v, pci_addr_t addr, const struct vf *vf,
		     const struct view_record *const *records, size_t n_records)
{
	json_t *doc = json_object(), *list = json_array();
	struct story s = { 0 };

	for (size_t i = 0; i < n_records; i++) {
		const struct view_record *r = records[i];

		if (is_repeated(records, i))
			continue;
		if (r->type == REC_VF)
			view_append(list, line_vf(r, &s));
		else
			view_append(list, line_lease(r, &s));
	}
	view_set(doc, "address", view_addr(addr));
	view_set(doc, "now", vf ? view_show(v, vf) : NULL);
	view_set(doc, "story", list);
	view_set(doc, "advice", vf ? advice(v, vf) : NULL);
	return doc;
}
