/* SPDX-License-Identifier: Apache-2.0 */
#include "promises.h"

#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/frame.h"
#include "boot.h"
#include "callers.h"
#include "collect.h"
#include "disk.h"
#include "engine/plan.h"
#include "engines.h"
#include "fds.h"
#include "io/inflight.h"
#include "ipam.h"
#include "peer.h"
#include "shadow.h"
#include "spooler.h"
#include "story.h"
#include "when.h"
#include "workers.h"

#define ATTACH_STEPS 0xffu

/* What a promise has to know of a VF beside kernel and journal. */
static struct {
	bool unrecorded; /* the last job was sent when nothing could be recorded (P10) */
	uint64_t step_seq;  /* attachment that the last job was sent for */
	uint64_t ns_cookie; /* of the namespace where it was attached */
	unsigned ns;
	bool admin; /* an administrator has released it */
	bool lost;  /* what its attachment has touched was in a damaged record (P10) */
} about[SIM_VFS];

static bool sync_all, calm;
static bool damaged;	 /* the journal was found damaged: what is lost is lost (P10) */
static bool rotten;	 /* bytes were changed since the last engine began */
static bool ever_rotten; /* which may show only when another file is lost */
static bool power;	 /* power was lost since then */
/* A release that could not be recorded is forgotten by the next engine, which may go on with
 * an ADD whose address was given back: known, see vfkeeper-rules(7), P10. */
static bool ever_unwritten, ever_dark; /* dark: power was lost */
static bool unwritten;		       /* something could not be recorded since then */
static bool new_boot;		       /* no engine has begun in it */
static bool unseen; /* records may be missing, and nobody has looked since (P10) */
static struct shadow before; /* as it was when the last engine ended */

void promises_reset(bool all)
{
	shadow_reset();
	memset(about, 0, sizeof(about));
	promise_asked_forget();
	sync_all = all;
	calm = damaged = rotten = power = unwritten = ever_unwritten = ever_dark = false;
	unseen = ever_rotten = new_boot = false;
}

void promise_calm(void)
{
	calm = true;
}

bool promise_excused(void)
{
	return rotten || unwritten || shadow.write_failed || !engine_has_journal();
}

bool promise_damaged(void)
{
	return damaged;
}

bool promise_free(const struct kvf *v)
{
	const struct shadow_vf *s = shadow_of(v);

	return !s->have || s->rec.state == VF_FREE || s->rec.state == VF_ABSENT;
}

bool promise_attached(const struct kvf *v)
{
	return shadow_of(v)->have && shadow_of(v)->rec.state == VF_ATTACHED;
}

unsigned promise_owner(const struct kvf *v)
{
	const struct shadow_vf *s = shadow_of(v);

	if (!s->have || attachment_none(&s->rec.owner))
		return SIM_CLAIMS;
	return claim_find(s->rec.owner.container, s->rec.owner.ifname);
}

static unsigned number(const struct kvf *v)
{
	return (unsigned)(v - vfs);
}

static const char *state_of(const struct shadow_vf *s)
{
	return s->have ? vf_state_name(s->rec.state) : "nothing";
}

/* --- P1, R6: a job is sent --- */

void promise_job(const struct job_req *rq, const int *fds, unsigned n_fds)
{
	struct kvf *v = kernel_vf(rq->call.addr);
	const struct shadow_vf *s;

	if (rq->kind == JOB_STEPS || rq->kind == JOB_OBSERVE || rq->kind == JOB_IPAM) {
		if (!n_fds || fd_kind_of(fds[0]) != FD_BYTE)
			broken("R6", "a job is sent without the lock of its byte");
		else if (rq->kind != JOB_IPAM &&
			 fd_number(fds[0]) != inflight_vf(rq->call.addr))
			broken("R6", "a job is sent with the lock of another byte");
	}
	if (rq->kind == JOB_IPAM)
		promise_pay_wanted(rq->lease_id);
	if (rq->kind != JOB_STEPS || !v)
		return;
	s = shadow_of(v);
	about[number(v)].step_seq = s->rec.attach_seq;
	about[number(v)].unrecorded = promise_excused();
	story("job: vf%u steps %x", number(v), rq->steps);
	if (rq->steps & ATTACH_STEPS) { /* which nothing excuses: P10 */
		if (s->rec.state != VF_RESERVED ||
		    (s->rec.touched & rq->steps & ATTACH_STEPS) !=
			    (rq->steps & ATTACH_STEPS))
			broken("P1",
			       "vf%u is to be changed by steps %x, its record says %s, "
			       "touched %x",
			       number(v), rq->steps, state_of(s), s->rec.touched);
		if (!s->rec.baseline.valid)
			broken("P1", "vf%u is to be changed and its record has no baseline",
			       number(v));
	} else if (s->rec.state != VF_DETACHING && !promise_excused()) {
		broken("P1", "vf%u is to be released, its record says %s", number(v),
		       state_of(s));
	}
}

/* --- P3, R6: the kernel is changed, perhaps by a worker whose engine is long gone --- */

void promise_change(struct kvf *v, const struct job_req *rq)
{
	const struct shadow_vf *s = shadow_of(v);

	if (promise_excused() || about[number(v)].unrecorded || !s->have ||
	    s->rec.incarnation != rq->call.incarnation)
		return;
	if (s->rec.state != VF_RESERVED && s->rec.state != VF_DETACHING)
		broken("P3", "a step changes vf%u, which is %s", number(v), state_of(s));
	else if (s->rec.attach_seq != about[number(v)].step_seq)
		broken("R6",
		       "a step of an attachment that is over changes vf%u of the next one",
		       number(v));
}

/* --- P2, P3, R12: an answer --- */

static void add_succeeded(unsigned claim, unsigned vf, uint64_t start_ns)
{
	const struct claim *c = &claims[claim];
	const struct shadow_vf *s = &shadow.vf[vf];
	const struct kvf *v = &vfs[vf];
	const char *what;

	if (!s->have || s->rec.state != VF_ATTACHED || promise_owner(v) != claim) {
		broken("P2", "ADD %s succeeds and the record of vf%u says %s",
		       c->container, vf, state_of(s));
		return;
	}
	if (sync_all && !shadow_synced(&s->at))
		broken("P2", "ADD %s is answered before its record is synced",
		       c->container);
	if (c->del_done_start > start_ns)
		broken("R12", "ADD %s succeeds although a DEL came after it began",
		       c->container);
	if (v->kind == KIND_VFIO || v->moved_by_others || !v->present || v->meddled ||
	    s->rec.incarnation != v->incarnation || about[vf].ns_cookie == 0 ||
	    !netns_reachable((int)about[vf].ns) ||
	    spaces[about[vf].ns].cookie != about[vf].ns_cookie)
		return;
	if (v->link.ns != (int)about[vf].ns || strcmp(v->link.name, c->ifname) != 0 ||
	    !v->link.up)
		broken("P2",
		       "ADD %s succeeds and the link of vf%u is not up in its namespace",
		       c->container, vf);
	if (s->rec.lease_id && !v->link.n_addrs)
		broken("P2", "ADD %s succeeds and the link of vf%u has no address",
		       c->container, vf);
	what = settings_missing(v, &s->rec.wanted);
	if (what)
		broken("P2", "ADD %s succeeds and the %s of vf%u is not what was asked for",
		       c->container, what, vf);
	if (s->rec.lease_id && ipam_held(claim) == 0 && !ever_unwritten)
		broken("P2", "ADD %s succeeds without an address", c->container);
}

/* R4: what it was given by an engine that died it is told by the next, as long as it waits. */
static void add_failed(unsigned claim, unsigned vf, uint64_t start_ns)
{
	const struct shadow_vf *s = &shadow.vf[vf];

	if (when_now < (int64_t)start_ns + caller_patience(CNI_ADD) && s->have &&
	    s->rec.state == VF_ATTACHED && promise_owner(&vfs[vf]) == claim &&
	    s->rec.client_start_ns == start_ns && claims[claim].del_read_ns < start_ns &&
	    !sync_all && !disk_cannot_sync() && !promise_excused() && !unseen && !damaged)
		broken("R4", "ADD %s fails although vf%u is attached for it",
		       claims[claim].container, vf);
}

/* As of an ADD (R12): it is another attachment if it was called when the DEL had come. */
static bool imported_after(const struct shadow_vf *s, const struct claim *c)
{
	return !s->rec.client_start_ns && c->imported_start > c->del_read_ns;
}

static void del_succeeded(unsigned claim, uint64_t start_ns)
{
	struct claim *c = &claims[claim];

	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];

		if (!s->have || promise_owner(&vfs[i]) != claim || promise_excused() ||
		    imported_after(s, c))
			continue;
		if ((s->rec.state == VF_RESERVED || s->rec.state == VF_ATTACHED) &&
		    s->rec.client_start_ns <= start_ns)
			broken("P2", "DEL %s succeeds and the record of vf%u says %s",
			       c->container, i, state_of(s));
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++) {
		const struct shadow_lease *l = &shadow.lease[i];
		const struct shadow_vf *s;
		const struct kvf *v;

		if (!l->have || promise_excused() || l->rec.state == LEASE_OWED ||
		    claim_find(l->rec.owner.container, l->rec.owner.ifname) != claim)
			continue;
		v = shadow_vf_of_lease(l->rec.id);
		s = v ? shadow_of(v) : NULL;
		if (s && (s->rec.client_start_ns > start_ns || imported_after(s, c)))
			continue; /* of an ADD that began later */
		if (!v && c->lost_vf && c->add_start > start_ns)
			continue; /* likewise, and its VF is gone */
		broken("P2", "DEL %s succeeds and its lease is %s", c->container,
		       lease_state_name(l->rec.state));
	}
	if (c->del_done_start < start_ns && !damaged)
		c->del_done_start = start_ns;
}

void promise_answer(enum cni_verb verb, unsigned claim, unsigned vf, uint64_t start_ns,
		    int exit_code, const char *text, size_t len)
{
	if (verb == CNI_ADD && exit_code == 0)
		add_succeeded(claim, vf, start_ns);
	if (verb == CNI_ADD && exit_code != 0)
		add_failed(claim, vf, start_ns);
	if (verb == CNI_DEL && exit_code == 0)
		del_succeeded(claim, start_ns);
	/* R5: a DEL that an engine which hangs reads late has no time left. */
	if (verb == CNI_DEL && exit_code != 0 && calm && !engine_read_late(start_ns))
		broken("P6", "DEL %s fails and there is no fault: %.*s",
		       claims[claim].container, (int)len, text);
	if (exit_code != 0 && (len < 10 || !strstr(text, "\"code\"")))
		broken("P6", "an error without a code is said");
}

/* --- P3, P4: a record is written --- */

void promise_released(unsigned vf)
{
	about[vf].admin = true;
}

/* An imported attachment was there before whatever ends it. */
static uint64_t began(const struct shadow_vf *s)
{
	return s->rec.client_start_ns ? s->rec.client_start_ns : 1;
}

static void left_owner(struct kvf *v, struct shadow_vf *s)
{
	unsigned i = number(v), claim = promise_owner(v);
	const struct claim *c = claim < SIM_CLAIMS ? &claims[claim] : NULL;
	bool ns_gone = !about[i].ns || spaces[about[i].ns].cookie != about[i].ns_cookie ||
		       spaces[about[i].ns].dying;

	switch ((enum vf_event)s->rec.event) {
	case VF_EV_DEL:
		if (!c || c->last_del_start < began(s))
			broken("P3", "vf%u is taken from %s by a DEL that nobody made", i,
			       s->rec.owner.container);
		return;
	case VF_EV_GC:
		if (!c || !collect_may_take(claim, began(s)))
			broken("P3", "vf%u is taken from %s by a GC that does not say so",
			       i, s->rec.owner.container);
		return;
	case VF_EV_NETNS_GONE:
		if (!ns_gone && s->before.state == VF_ATTACHED && v->kind != KIND_VFIO)
			broken("P3", "vf%u is taken from %s, whose namespace lives", i,
			       s->rec.owner.container);
		return;
	case VF_EV_RETURNED:
		if (!ns_gone && !v->moved_by_others && v->link.ns != HOME)
			broken("P3",
			       "vf%u is taken from %s as returned, its link is with it",
			       i, s->rec.owner.container);
		return;
	case VF_EV_ADMIN_RELEASE:
		if (!about[i].admin)
			broken("P3", "vf%u is released by no administrator", i);
		return;
	default:
		if (s->before.state == VF_ATTACHED)
			broken("P3", "vf%u is taken from %s by %s", i,
			       s->rec.owner.container, vf_event_name(s->rec.event));
	}
}

static void took_baseline(struct kvf *v, const struct shadow_vf *s)
{
	struct vf_baseline now;

	if (!v->present || s->rec.incarnation != v->incarnation)
		return;
	kernel_look(v, &now);
	if (v->meddled) { /* by somebody who may: now it is seen, or will be */
		if (settings_same(&s->rec.baseline.set, &now.set) && kernel_is_home(v) &&
		    v->rdma_ns == HOME && !strcmp(s->rec.baseline.ifname, now.ifname))
			kernel_take_home(v);
		return;
	}
	/* What it was like before went with the damaged record. */
	if (s->rec.event == VF_EV_BASELINE && !s->before.baseline.valid && damaged)
		kernel_take_home(v);
	else if (!settings_same(&s->rec.baseline.set, &v->home.set))
		broken("P4", "the baseline of vf%u is not what a free vf%u looks like",
		       number(v), number(v));
}

static void became_free(struct kvf *v, const struct shadow_vf *s)
{
	struct vf_baseline now;
	unsigned i = number(v);

	if (!v->present || s->rec.incarnation != v->incarnation)
		return;
	kernel_look(v, &now);
	if (!s->rec.baseline.valid || v->meddled || v->moved_by_others) {
		/* Somebody else's work: it counts from when a baseline says the same. */
		if (s->rec.baseline.valid)
			took_baseline(v, s);
		return;
	}
	if (about[i].lost) /* it is looked at before it is given to anybody */
		return;
	if (v->came_named && shadow_name_of_another(v, v->home.ifname)) {
		memcpy(v->home.ifname, s->rec.baseline.ifname, sizeof(v->home.ifname));
		v->came_named = false;
	}
	if (!kernel_is_home(v) || v->rdma_ns != HOME)
		broken("P4", "vf%u is FREE and not at home", i);
	else if (!settings_same(&now.set, &v->home.set) ||
		 strcmp(now.ifname, v->home.ifname))
		broken("P4",
		       "vf%u is FREE and not as it was before: %s, vlan %u, mtu %u, was %s, "
		       "vlan %u, mtu %u",
		       i, now.ifname, now.set.vlan, now.set.mtu_bytes, v->home.ifname,
		       v->home.set.vlan, v->home.set.mtu_bytes);
}

/* Its lease waits for its DEL (vfkeeper-rules(7), R11). */
static void lost_its_vf(const struct attachment *owner)
{
	unsigned claim = claim_find(owner->container, owner->ifname);

	if (claim < SIM_CLAIMS)
		claims[claim].lost_vf = true;
}

void promise_caller_gone(unsigned claim, uint64_t start_ns)
{
	claims[claim].gone_start = start_ns;
}

/* R9: for so long the byte of its lease keeps an ADD. */
static bool its_client_lives(uint64_t lease)
{
	return lease && promise_asked_lately(lease) && shadow_lease(lease) &&
	       fd_byte_held(inflight_lease(lease));
}

static bool has_new_baseline(const struct rec_vf *r)
{
	return r->baseline.valid && (r->event == VF_EV_APPEARED ||
				     r->event == VF_EV_STALE || r->event == VF_EV_BASELINE);
}

void promise_vf_record(struct kvf *v, struct shadow_vf *s)
{
	unsigned i = number(v);
	const struct rec_vf *r = &s->rec, *was = &s->before;

	if (r->event != VF_EV_STEP)
		story("record: vf%u %s -> %s (%s)%s%s", i, vf_state_name(r->from),
		      vf_state_name(r->state), vf_event_name(r->event),
		      r->owner.container[0] ? " of " : "", r->owner.container);
	if (r->state == VF_FAULTED && !r->reason[0])
		broken("P5", "vf%u is FAULTED without a reason", i);
	if (r->state == VF_FAULTED && r->foreign && r->event == VF_EV_APPEARED &&
	    r->baseline.valid)
		broken("R14", "a baseline was taken from vf%u, which is foreign", i);
	if (r->state == VF_FREE && !r->baseline.valid &&
	    (r->event == VF_EV_APPEARED || r->event == VF_EV_HOME))
		broken("P4", "vf%u is FREE from %s on and has no baseline", i,
		       vf_event_name(r->event));
	if (r->event == VF_EV_SETUP_DONE || r->event == VF_EV_IMPORTED) {
		about[i].ns = v->link.ns > HOME ? (unsigned)v->link.ns : 0;
		about[i].ns_cookie = about[i].ns ? spaces[about[i].ns].cookie : 0;
	}
	if (r->event == VF_EV_VANISHED && (!v->present || v->incarnation != r->incarnation))
		lost_its_vf(&was->owner);
	if (r->event == VF_EV_ADD && admin_is_cordoned(v))
		broken("ADD finds", "vf%u is reserved although it is cordoned", i);
	if (r->event == VF_EV_ADD && unseen)
		broken("P10", "vf%u is reserved before every VF was looked at", i);
	if (was->state == VF_FAULTED && was->foreign &&
	    (r->event == VF_EV_RETRY || r->event == VF_EV_ADMIN_RETRY ||
	     r->event == VF_EV_PF_RECOVERED))
		broken("R14", "vf%u, which somebody else has, is released by a retry", i);
	if (has_new_baseline(r) && shadow_pod_has(&r->baseline.set))
		broken("P4", "the baseline of vf%u has a GUID or MAC that a pod has", i);
	if (r->event == VF_EV_SETUP_DONE && promise_owner(v) < SIM_CLAIMS &&
	    claims[promise_owner(v)].gone_start == r->client_start_ns)
		broken("R10", "%s gets vf%u although its caller was seen to end",
		       r->owner.container, i);
	if (r->event == VF_EV_REPLAY && its_client_lives(r->lease_id))
		broken("R9", "an ADD of vf%u is replayed while its client is there", i);
	if (r->event == VF_EV_IMPORTED)
		peer_imported(v, s);
	if (r->event == VF_EV_EXPORTED)
		peer_exported(v, s);
	if (unwritten)
		return;
	if (r->event == VF_EV_ADD)
		about[i].lost = false;
	if (r->event == VF_EV_ADD && was->state != VF_FREE)
		broken("P3", "vf%u is reserved, its record said %s", i,
		       vf_state_name(was->state));
	if (r->state == VF_DETACHING && was->state != VF_DETACHING &&
	    (was->state == VF_ATTACHED || r->event == VF_EV_DEL || r->event == VF_EV_GC))
		left_owner(v, s);
	if (r->event == VF_EV_RESTORE_DONE)
		became_free(v, s);
	if (has_new_baseline(r))
		took_baseline(v, s);
	if (r->state == VF_FREE)
		about[i].admin = false;
}

void promise_vf_snapshot(struct kvf *v, const struct shadow_vf *s)
{
	if (attachment_none(&s->rec.owner) &&
	    (!v->present || v->incarnation != s->before.incarnation))
		lost_its_vf(&s->before.owner);
}

void promise_lease_record(struct shadow_lease *l)
{
	story("record: lease %llu %s -> %s (%s) of %s", (unsigned long long)l->rec.id,
	      lease_state_name(l->rec.from), lease_state_name(l->rec.state),
	      lease_event_name(l->rec.event), l->rec.owner.container);
	if (l->rec.event == LEASE_EV_ANSWERED && l->rec.from != LEASE_ASKED)
		broken("R9", "a result for lease %llu is used, which was %s",
		       (unsigned long long)l->rec.id, lease_state_name(l->rec.from));
}

/* --- P10: what a new engine finds --- */

void promise_power_loss(void)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		struct shadow_vf *s = &shadow.vf[i];

		if (!power || !s->have)
			s->survives = s->have && shadow_synced(&s->at);
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++) {
		struct shadow_lease *l = &shadow.lease[i];

		if (!power || !l->have) /* lost once is lost */
			l->survives = l->have && shadow_synced(&l->at);
	}
	power = ever_dark = true;
}

void promise_rot(void)
{
	rotten = ever_rotten = true;
}

void promise_no_disk(void)
{
	unwritten = ever_unwritten = true;
}

void promise_reboot(void)
{
	new_boot = true;
	memset(about, 0, sizeof(about));
	for (unsigned i = 0; i < SIM_CLAIMS; i++)
		claims[i].del_done_start = 0;
}

void promise_replay_begins(void)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		before.vf[i] = shadow.vf[i];
		before.vf[i].have &= shadow_whole(&shadow.vf[i].at);
		memset(&shadow.vf[i], 0, sizeof(shadow.vf[i]));
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++) {
		before.lease[i].have = shadow.lease[i].have;
		shadow.lease[i].fresh = false;
		if (!shadow.lease[i].have)
			continue;
		before.lease[i] = shadow.lease[i];
		memset(&shadow.lease[i], 0, sizeof(shadow.lease[i]));
	}
	shadow.write_failed = shadow.snapshot = false;
}

void promise_replayed(const struct journal_record *rec)
{
	struct shadow_lease *lease;
	struct shadow_vf *vf;

	if (rec->type == REC_BLOB)
		shadow_blob(rec->payload, rec->len_bytes, rec->file, rec->offset);
	if (!shadow_take(rec->type, rec->payload, rec->len_bytes, &vf, &lease))
		return;
	if (lease) {
		shadow_stands(&lease->at, rec->file, rec->offset + rec->len_bytes);
	} else if (vf) {
		shadow_stands(&vf->at, rec->file, rec->offset + rec->len_bytes);
	}
}

/* The record is there as it was, or one that follows it. */
static bool kept(const struct shadow_vf *was, const struct shadow_vf *is)
{
	if (!was->have)
		return true;
	if (!is->have)
		return false;
	return was->rec.state == is->rec.state ||
	       (is->rec.from == was->rec.state && is->rec.event != 0);
}

void promise_replayed_all(enum journal_verdict verdict)
{
	bool lost = verdict == JOURNAL_DAMAGED || verdict == JOURNAL_UNKNOWN ||
		    verdict == JOURNAL_EMPTY;

	if (!ever_rotten && !rotten && !unwritten && !damaged &&
	    (verdict == JOURNAL_DAMAGED || verdict == JOURNAL_UNKNOWN))
		broken("P10", "a journal that nobody damaged is found damaged");
	/* Where the last record was is not known any more after a boot. */
	if ((rotten && (new_boot || verdict != JOURNAL_CLEAN)) ||
	    verdict == JOURNAL_DAMAGED) {
		damaged = true;
		for (unsigned i = 0; i < n_sim_vfs; i++)
			about[i].lost |= before.vf[i].have &&
					 (!shadow.vf[i].have ||
					  shadow.vf[i].rec.touched !=
						  before.vf[i].rec.touched);
	}
	if (damaged || rotten || lost)
		admin_forget();
	if (damaged) /* so are the numbers that were given out */
		promise_asked_forget();
	unseen |= lost;
	for (unsigned i = 0; i < n_sim_vfs && !unwritten && !damaged && !lost; i++)
		if ((!power || before.vf[i].survives) && !kept(&before.vf[i], &shadow.vf[i]))
			broken("P10", "the record of vf%u, %s, is lost: it is %s", i,
			       state_of(&before.vf[i]), state_of(&shadow.vf[i]));
	for (unsigned i = 0; i < SHADOW_LEASES && !unwritten && !damaged; i++) {
		const struct shadow_lease *l = &before.lease[i];

		if (l->have && (!power || l->survives) && !shadow_lease(l->rec.id) &&
		    (power || l->rec.state != LEASE_OWED))
			broken("P8", "the lease of %s, %s, is lost",
			       l->rec.owner.container, lease_state_name(l->rec.state));
	}
	rotten = new_boot = false;
	power = unwritten = false;
	if (!engine_has_journal())
		unwritten = ever_unwritten = true;
}

void promise_looked(void)
{
	unseen = false;
}

/* R13: when the first engine of a boot has begun, no record is of the boot before. */
void promise_begun(void)
{
	if (promise_excused())
		return;
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];

		if (s->have && s->rec.state != VF_ABSENT &&
		    strcmp(s->rec.meta.boot_id, boot_id()) != 0)
			broken("R13", "vf%u is %s since the boot before", i, state_of(s));
	}
}

/* --- after every event --- */

void promise_step(void)
{
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		unsigned claim = promise_owner(&vfs[i]);

		for (unsigned k = 0; k < i && claim < SIM_CLAIMS && !damaged; k++)
			if (promise_owner(&vfs[k]) == claim)
				broken("P3", "%s owns vf%u and vf%u",
				       claims[claim].container, k, i);
	}
	if (shadow_n_leases() > 5 * n_sim_vfs)
		broken("R15", "%u leases are on record for %u VFs", shadow_n_leases(),
		       n_sim_vfs);
}

/* --- P5: when everything has come to rest --- */

static const char *unrest_vf(const struct kvf *v)
{
	const struct shadow_vf *s = shadow_of(v);
	static char text[200];
	unsigned i = number(v), claim = promise_owner(v);
	struct vf_baseline now;

	if (!s->have)
		return v->present && engine_serves() ? "a VF is not on record" : NULL;
	if (s->rec.state != VF_FREE && s->rec.state != VF_ATTACHED)
		snprintf(text, sizeof(text), "vf%u is %s", i, state_of(s));
	switch ((enum vf_state)s->rec.state) {
	case VF_RESERVED:
	case VF_DETACHING:
		return text;
	case VF_ABSENT:
		return v->present ? text : NULL;
	case VF_FAULTED:
		return s->rec.reason[0] ? NULL : text;
	case VF_FREE:
		if (v->present && kernel_is_home(v)) {
			kernel_look(v, &now);
			if (shadow_pod_has(&now.set) ||
			    (s->rec.baseline.valid &&
			     settings_same(&now.set, &s->rec.baseline.set) &&
			     !strcmp(now.ifname, s->rec.baseline.ifname)))
				return NULL;
		}
		snprintf(text, sizeof(text), "vf%u is FREE and %s", i,
			 !v->present		? "gone from the bus" :
			 !kernel_is_home(v)	? "its link is elsewhere" :
			 !s->rec.baseline.valid ? "has no baseline" :
						  "not as its baseline says");
		return text;
	case VF_ATTACHED:
		snprintf(text, sizeof(text), "vf%u is ATTACHED to %.60s, which %s", i,
			 s->rec.owner.container, !v->present ? "has lost it" : "is gone");
		/* Its DEL was called; by an engine that could not write it down, beside damage
		 * that it could not see, and of a VF that does not come home by itself. */
		if (calm)
			return v->kind == KIND_VFIO && damaged && ever_unwritten ? NULL :
										   text;
		/* Without a link nobody sees where it is: its DEL ends it. */
		if (v->present && (v->kind == KIND_VFIO || !v->bound))
			return NULL;
		/* Likewise where somebody took it elsewhere, and the number of its pod's
		 * namespace is by now that of another: nothing proves that it is gone. */
		if (v->moved_by_others && nsid_names_one(s->rec.nsid) && v->link.ifindex &&
		    v->link.ns != HOME && spaces[v->link.ns].nsid != s->rec.nsid)
			return NULL;
		return v->present && about[i].ns && !spaces[about[i].ns].dying &&
				       spaces[about[i].ns].cookie == about[i].ns_cookie &&
				       claim < SIM_CLAIMS ?
			       NULL :
			       text;
	}
	return text;
}

static unsigned owner_of(const struct shadow_lease *l)
{
	return claim_find(l->rec.owner.container, l->rec.owner.ifname);
}

static bool lease_may_wait(const struct shadow_lease *l)
{
	unsigned claim = owner_of(l);

	return claim < SIM_CLAIMS && claims[claim].lost_vf;
}

/* Its configuration is among what was lost, perhaps only by the next file, which lacks what
 * could not be read: only its owner's DEL has one. */
static bool needs_its_del(const struct shadow_lease *l)
{
	return l->have && l->rec.state == LEASE_OWED &&
	       (damaged || rotten ||
		(shadow_conf_lost(l->rec.id) && !engine_has_conf(l->rec.id)));
}

static const char *unrest(void)
{
	static char text[200];

	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const char *why = unrest_vf(&vfs[i]);

		if (why)
			return why;
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++) {
		const struct shadow_lease *l = &shadow.lease[i];
		const struct kvf *v = l->have ? shadow_vf_of_lease(l->rec.id) : NULL;

		if (!l->have)
			continue;
		/* ASKED: what was recorded between is among what was lost. */
		if ((l->rec.state == LEASE_HELD ||
		     (damaged && l->rec.state == LEASE_ASKED)) &&
		    (v ? shadow_of(v)->rec.state == VF_ATTACHED : lease_may_wait(l)))
			continue;
		if (needs_its_del(l))
			continue;
		/* The engine died between the two records of a release that nobody repeats:
		 * it stays with the VF. */
		if (l->rec.state == LEASE_OWED && v &&
		    shadow_of(v)->rec.state == VF_ATTACHED)
			continue;
		snprintf(text, sizeof(text), "the lease of %s is %s",
			 l->rec.owner.container, lease_state_name(l->rec.state));
		return text;
	}
	/* What an IPAM holds for lost records is not known to anybody; of the last that were
	 * synced before power was lost, not even that they are lost. */
	if (damaged || rotten || (ever_rotten && ever_dark))
		return NULL;
	for (unsigned i = 0; i < SIM_ADDRESSES; i++) {
		bool owned = false;

		for (unsigned k = 0; k < n_sim_vfs; k++)
			owned |= addresses[i].used && shadow.vf[k].have &&
				 shadow.vf[k].rec.state == VF_ATTACHED &&
				 promise_owner(&vfs[k]) == addresses[i].claim;
		owned |= addresses[i].used && claims[addresses[i].claim].lost_vf && !calm;
		owned |= peer_holds(addresses[i].claim); /* they give it back */
		for (unsigned k = 0; k < SHADOW_LEASES; k++)
			owned |= needs_its_del(&shadow.lease[k]) &&
				 owner_of(&shadow.lease[k]) == addresses[i].claim;
		if (!addresses[i].used || owned)
			continue;
		snprintf(text, sizeof(text),
			 "IPAM holds an address for %s, which has no VF",
			 claims[addresses[i].claim].container);
		return text;
	}
	return NULL;
}

bool promise_at_rest(void)
{
	return !unrest() && !callers_running() && !workers_busy() && !spooler_entries();
}

void promise_end(void)
{
	const char *why = unrest();

	if (why)
		broken("P5", "%s", why);
	if (callers_running())
		broken("P5", "a caller has no answer");
	if (spooler_entries())
		broken("R5", "a DEL is left in the spool");
}
