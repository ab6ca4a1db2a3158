/* SPDX-License-Identifier: Apache-2.0 */
/* Histories that nobody thought of: callers, plugins, workers, the disk, the bus and the
 * engine itself do anything at any time.  Then the faults stop, time passes, and the
 * promises have to hold.  One seed is one history. */
#include "engine_world.h"

#define N_VFS 3
#define N_PODS 5
#define N_CALLS 40
#define N_OPS 60
#define N_HISTORIES 300

struct call {
	struct ew_client *c; /* NULL: the place is free */
	unsigned pod, vf;
	enum cni_verb verb;
	bool ipam;
	uint64_t nonce, start;
	unsigned n_ran, n_seen; /* of its runs that have ended, have begun */
};

struct history {
	struct ew *w;
	uint64_t seed, rng;
	struct call calls[N_CALLS];
	uint64_t nonce;
	/* What a caller may rely on. */
	bool attached[N_PODS];	 /* the last ADD was answered 0, no DEL since */
	bool perhaps[N_PODS];	 /* an ADD whose caller left without an answer */
	uint64_t leased[N_PODS]; /* lease whose plugin ran and was not paid for; 0: none */
	uint64_t del_start[N_PODS]; /* of the last DEL */
	int64_t del_at[N_PODS];	    /* when it came */
	bool bus;		    /* VFs come and go */
	unsigned n_attached;
	bool failed;
};

static unsigned roll(struct history *h, unsigned n)
{
	h->rng ^= h->rng << 13;
	h->rng ^= h->rng >> 7;
	h->rng ^= h->rng << 17;
	return (unsigned)((h->rng >> 16) % n);
}

static void broken(struct history *h, const char *fmt, ...) VFK_PRINTF(2, 3);
static void broken(struct history *h, const char *fmt, ...)
{
	char text[300], line[400];
	va_list ap;

	if (h->failed)
		return;
	h->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "history %llu: %s", (unsigned long long)h->seed, text);
	CU_assertImplementation(CU_FALSE, __LINE__, line, __FILE__, "", CU_FALSE);
	if (getenv("VFK_TEST_LOG"))
		fprintf(stderr, "%s\n", h->w->trace.data);
}

static unsigned pod_of(const char *container)
{
	return (unsigned)(container[1] - '0');
}

/* IPAM DEL of this lease has succeeded: what the attachment had leased is free. */
static void paid_for(struct history *h, const struct lease *l)
{
	unsigned pod = pod_of(l->rec.owner.container);

	list_each(it, &h->w->e->node->leases) {
		const struct lease *other = list_entry(it, struct lease, link);

		if (other != l && attachment_equal(&other->rec.owner, &l->rec.owner) &&
		    other->state == LEASE_HELD)
			broken(h, "pod %u: an old lease was paid for under a new one", pod);
	}
	h->leased[pod] = 0;
}

static void job_ends(struct history *h, unsigned i)
{
	struct ew *w = h->w;

	if (w->jobs[i].rq->kind == JOB_IPAM && !w->fail_ipam && !w->jobs[i].killed)
		list_each(it, &w->e->jobs_running) {
			struct job *job = list_entry(it, struct job, link);

			if (job->id == w->jobs[i].rq->id && job->lease)
				paid_for(h, job->lease);
		}
	ew_job_end(w, i);
}

/* Jobs are ended by the history only: ew_settle leaves them. */
static void jobs_end(struct history *h, unsigned odds)
{
	struct ew *w = h->w;

	for (unsigned n = 0; n < 200 && w->n_jobs; n++) {
		if (odds && !roll(h, odds))
			return;
		job_ends(h, roll(h, w->n_jobs));
	}
}

static void runs_seen(struct history *h)
{
	for (unsigned i = 0; i < N_CALLS; i++) {
		struct call *call = &h->calls[i];

		if (!call->c || call->n_seen >= call->c->n_runs)
			continue;
		call->n_seen = call->c->n_runs;
		if (call->c->runs[call->c->n_runs - 1].verb == CNI_ADD)
			h->leased[call->pod] = call->c->runs[call->c->n_runs - 1].run_id;
	}
}

static void forget(struct call *call)
{
	free(call->c->text);
	memset(call->c, 0, sizeof(*call->c));
	call->c = NULL;
}

static void answers(struct history *h)
{
	runs_seen(h);
	for (unsigned i = 0; i < N_CALLS; i++) {
		struct call *call = &h->calls[i];

		if (!call->c || !call->c->answered)
			continue;
		if (call->verb == CNI_ADD && call->c->exit_code == 0) {
			h->n_attached++;
			if (h->del_start[call->pod] < call->start)
				h->attached[call->pod] = true;
		}
		forget(call);
	}
}

static void ask(struct history *h, struct call *call)
{
	char container[8];

	snprintf(container, sizeof(container), "c%u", call->pod);
	call->n_ran = call->n_seen = 0;
	call->c = ew_ask(h->w,
			 (struct ew_call){
				 .verb = call->verb,
				 .container = container,
				 .vf = call->vf,
				 .ipam = call->ipam ? "host-local" : NULL,
				 .netns = call->verb == CNI_DEL && roll(h, 2) ? "" : NULL,
				 .nonce = call->nonce,
				 .start = call->start });
}

static void new_call(struct history *h, enum cni_verb verb)
{
	for (unsigned i = 0; i < N_CALLS; i++) {
		struct call *call = &h->calls[i];

		if (call->c)
			continue;
		*call = (struct call){ .verb = verb,
				       .pod = roll(h, N_PODS),
				       .vf = roll(h, N_VFS),
				       .ipam = roll(h, 3) > 0,
				       .nonce = ++h->nonce,
				       .start = (uint64_t)(h->w->now_ns += 1000) };
		if (verb == CNI_DEL) {
			h->del_start[call->pod] = call->start;
			h->attached[call->pod] = h->perhaps[call->pod] = false;
			h->del_at[call->pod] = h->w->now_ns + 3000;
		}
		ask(h, call);
		return;
	}
}

static struct call *some_call(struct history *h, bool running)
{
	unsigned from = roll(h, N_CALLS);

	for (unsigned i = 0; i < N_CALLS; i++) {
		struct call *call = &h->calls[(from + i) % N_CALLS];

		if (call->c && !call->c->answered &&
		    (!running || call->n_ran < call->c->n_runs))
			return call;
	}
	return NULL;
}

static void plugin_ends(struct history *h, struct call *call, bool well)
{
	struct ew_client *c = call->c;
	const struct frame_run run = c->runs[c->n_runs - 1];
	struct frame_ran ran = { .run_id = run.run_id, .outcome = RUN_EXITED };
	const char *out = run.verb == CNI_ADD ? EW_IPAM_ANSWER : "";
	struct lease *l = node_lease(h->w->e->node, run.run_id);

	call->n_ran = c->n_runs;
	switch (well ? 0 : roll(h, 6)) {
	case 1:
		ran.status = 1;
		out = "{\"code\":11,\"msg\":\"no\"}";
		break;
	case 2:
		ran.outcome = RUN_CANCELLED;
		out = "";
		break;
	case 3:
		ran.outcome = RUN_NOT_FOUND;
		if (run.verb == CNI_ADD)
			h->leased[call->pod] = 0;
		out = "";
		break;
	default:
		if (run.verb == CNI_DEL && l)
			paid_for(h, l);
		break;
	}
	ran.out_len = (uint32_t)strlen(out);
	engine_ran(h->w->e, c, &ran, out, strlen(out));
	ew_settle(h->w);
}

static void caller_ends(struct history *h, struct call *call)
{
	struct ew_client *c = call->c;

	ew_gone(h->w, c);
	forget(call);
}

/* The ring of DELs outlives an engine; that of engine_world.h does not. */
static void remember_dels(struct history *h)
{
	for (unsigned pod = 0; pod < N_PODS; pod++) {
		const struct attachment att = { .network = "net",
						.container = { 'c', (char)('0' + pod) },
						.ifname = "net1" };

		if (h->del_at[pod])
			recent_del_note(h->w->recent_del, &att, (uint64_t)h->del_at[pod],
					h->w->now_ns, false);
	}
}

/* kill -9: steps may outlive it, callers come again or end. */
static void engine_dies(struct history *h, bool reboot)
{
	struct ew *w = h->w;
	struct ew_client before[N_CALLS];

	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->kind == JOB_STEPS && !reboot && roll(h, 2))
			ew_hold(w, inflight_vf(w->jobs[i].rq->call.addr));
	if (reboot)
		ew_let_go(w);
	for (unsigned i = 0; i < N_CALLS; i++) {
		before[i] = h->calls[i].c ? *h->calls[i].c : (struct ew_client){ 0 };
		if (h->calls[i].c)
			forget(&h->calls[i]);
	}
	w->disk.fail_at = 0;
	/* What was not recorded is settled later, by a look that this world does not play. */
	if (!engine_can_record(w->e))
		memset(h->perhaps, true, sizeof(h->perhaps));
	ew_die(w);
	if (reboot) {
		w->boot_id[0] = (char)('a' + roll(h, 6));
		w->incarnation++;
		memset(h->attached, 0, sizeof(h->attached));
		memset(h->perhaps, 0, sizeof(h->perhaps));
	}
	ew_start(w);
	if (!reboot)
		remember_dels(h);
	for (unsigned i = 0; i < N_CALLS; i++) {
		struct call *call = &h->calls[i];
		bool running = call->n_ran < before[i].n_runs;

		if (!before[i].used)
			continue;
		if (reboot || !roll(h, 4)) {
			h->perhaps[call->pod] |= !reboot && call->verb == CNI_ADD &&
						 h->del_start[call->pod] < call->start;
			continue;
		}
		/* Its plugin goes on, and its byte stays locked. */
		if (before[i].byte)
			ew_hold(w, before[i].byte);
		ask(h, call);
		if (before[i].byte)
			w->n_held--;
		if (call->c->answered)
			continue;
		call->c->byte = before[i].byte;
		if (running && !call->c->n_runs) {
			call->c->runs[call->c->n_runs++] =
				before[i].runs[before[i].n_runs - 1];
		}
	}
}

/* Whether the pods keep their VFs is now open. */
static void may_be_lost(struct history *h)
{
	for (unsigned pod = 0; pod < N_PODS; pod++) {
		h->perhaps[pod] |= h->attached[pod];
		h->attached[pod] = false;
	}
}

static void netns_dies(struct history *h)
{
	struct ew *w = h->w;

	may_be_lost(h);
	ew_tell(w, WHERE_UNKNOWN, false);
	engine_nsid_gone(w->e, 5);
	jobs_end(h, 0);
	w->told = false;
}

static void bus_changes(struct history *h)
{
	struct ew *w = h->w;

	if (w->gone_vf)
		w->gone_vf = 0;
	else if (roll(h, 2))
		w->gone_vf = 1 + roll(h, N_VFS);
	else
		w->incarnation++;
	discover_start(w->e);
	ew_settle(w);
	jobs_end(h, 3);
}

static void time_passes(struct history *h)
{
	static const int64_t ns[] = { NS_PER_MS,     60 * NS_PER_MS, 300 * NS_PER_MS,
				      NS_PER_S,	     4 * NS_PER_S,   31 * NS_PER_S,
				      111 * NS_PER_S };

	ew_pass(h->w, ns[roll(h, VFK_ARRAY_SIZE(ns) - (roll(h, 8) ? 1 : 0))]);
}

static void one_op(struct history *h)
{
	struct ew *w = h->w;
	struct call *call;

	w->fail_steps = roll(h, 6) ? 0 : (uint32_t)h->rng;
	w->fail_ipam = !roll(h, 4);
	w->sync_errno = roll(h, 20) ? 0 : EIO;
	switch (roll(h, 32)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		new_call(h, CNI_ADD);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		new_call(h, CNI_DEL);
		break;
	case 11:
	case 12:
	case 13:
	case 14:
	case 15:
		call = some_call(h, true);
		if (call)
			plugin_ends(h, call, roll(h, 2));
		break;
	case 16:
	case 17:
	case 18:
	case 19:
	case 20:
	case 21:
	case 22:
		jobs_end(h, 4);
		break;
	case 23:
	case 24:
	case 25:
		time_passes(h);
		break;
	case 26:
		call = some_call(h, false);
		if (call)
			caller_ends(h, call);
		break;
	case 27:
		engine_dies(h, !roll(h, 4));
		break;
	case 28:
		ew_let_go(w);
		break;
	case 29:
		if (h->bus)
			bus_changes(h);
		break;
	case 30:
		w->disk.fail_at = w->disk.n_ops + 1 + roll(h, 4);
		w->disk.fail_count = 1 + roll(h, 3);
		w->disk.fail_errno = ENOSPC;
		break;
	case 31:
		if (!roll(h, 3))
			netns_dies(h);
		break;
	}
	answers(h);
}

/* No fault any more: every plugin ends well, every job ends, time passes. */
static void calm(struct history *h)
{
	struct ew *w = h->w;
	struct call *call;

	w->fail_steps = 0;
	w->fail_ipam = false;
	w->sync_errno = 0;
	w->gone_vf = 0;
	w->disk.fail_at = 0;
	ew_let_go(w);
	for (unsigned n = 0; n < 300; n++) {
		while ((call = some_call(h, true)))
			plugin_ends(h, call, true);
		jobs_end(h, 0);
		answers(h);
		/* 30 s at the pace of a caller, then faster. */
		ew_pass(w, n < 60 ? NS_PER_S / 2 : 5 * NS_PER_S);
	}
	jobs_end(h, 0);
	answers(h);
}

static void judge_vf(struct history *h, unsigned i)
{
	const struct vf *vf = ew_vf(h->w, i);
	unsigned pod;

	if (!list_empty(&vf->queue))
		broken(h, "vf %u: somebody waits in its queue", i);
	if (vf->adder || vf->job)
		broken(h, "vf %u: an ADD or a job of it is left", i);
	switch (vf->fsm.state) {
	case VF_FREE:
		if (vf->rec.lease_id || !attachment_none(&vf->rec.owner))
			broken(h, "vf %u is FREE with an owner", i);
		if (vf->netns_fd >= 0)
			broken(h, "vf %u is FREE and keeps a netns", i);
		return;
	case VF_ATTACHED:
		pod = pod_of(vf->rec.owner.container);
		if (!h->attached[pod] && !h->perhaps[pod])
			broken(h, "vf %u is ATTACHED to pod %u, which has no right to it",
			       i, pod);
		return;
	case VF_FAULTED:
		if (!vf->rec.reason[0])
			broken(h, "vf %u is FAULTED without a reason", i);
		return;
	case VF_ABSENT:
	case VF_RESERVED:
	case VF_DETACHING:
		broken(h, "vf %u is left in state %s", i, ew_state(h->w, i));
		return;
	}
}

static void judge(struct history *h)
{
	const struct node *n = h->w->e->node;

	if (!list_empty(&h->w->e->requests) || some_call(h, false))
		broken(h, "a request is not answered");
	if (!list_empty(&h->w->e->jobs_waiting) || !list_empty(&h->w->e->jobs_running))
		broken(h, "a job is left");
	for (unsigned i = 0; i < N_VFS; i++)
		judge_vf(h, i);
	list_each(it, &n->leases) {
		const struct lease *l = list_entry(it, struct lease, link);
		const struct vf *vf = node_vf(n, l->rec.vf);

		/* The lease of a pod whose VF went waits for its DEL. */
		if (l->state == LEASE_HELD && h->bus)
			continue;
		if (l->state != LEASE_HELD || !vf || vf->fsm.state != VF_ATTACHED ||
		    vf->rec.lease_id != l->rec.id)
			broken(h,
			       "lease of %s is left in state %s after %u attempts, paying %d, its VF is %s",
			       l->rec.owner.container, lease_state_name(l->state),
			       l->rec.attempts, l->paying,
			       vf ? vf_state_name(vf->fsm.state) : "unknown");
	}
	for (unsigned pod = 0; pod < N_PODS; pod++) {
		const struct attachment att = { .container = { 'c', (char)('0' + pod) },
						.ifname = "net1" };

		if (h->attached[pod] && !h->bus && !node_vf_of(n, &att))
			broken(h, "pod %u has lost its VF", pod);
		if (h->leased[pod] && !node_lease_of(n, &att))
			broken(h, "pod %u: what its plugin leased is lost", pod);
	}
}

/* Returns how many ADDs were answered with success. */
static unsigned one_history(uint64_t seed)
{
	struct history h = { .seed = seed,
			     .rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1,
			     .nonce = seed << 20,
			     .bus = seed % 4 == 0,
			     .w = ew_new(N_VFS) };

	h.w->hold_jobs = h.w->hold_sync = h.w->hold_ipam = true;
	for (unsigned i = 0; i < N_OPS; i++)
		one_op(&h);
	calm(&h);
	judge(&h);
	for (unsigned i = 0; i < N_CALLS; i++)
		if (h.calls[i].c)
			forget(&h.calls[i]);
	ew_free(h.w);
	CU_ASSERT_FALSE(h.failed);
	return h.n_attached;
}

static void random_histories(void)
{
	const char *only = getenv("VFK_TEST_SEED");
	unsigned n_attached = 0;

	if (only) {
		(void)one_history(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= N_HISTORIES; seed++)
		n_attached += one_history(seed);
	CU_ASSERT(n_attached > N_HISTORIES); /* or nothing much has happened */
}

VFK_SUITE(engine_random, { "random histories end as promised", random_histories })
