/* SPDX-License-Identifier: Apache-2.0 */
/* What foreign IPAM plugins leased: asking, holding, owing, paying. */
#include "engine/engine-internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/inflight.h"

#define BLOB_MAX (64u * 1024)
#define BLOBS_MAX (32u * 1024 * 1024)
#define LEASES_PER_VF 4

/* R15: beyond these an ADD is refused before anything; a DEL never meets one. */
int lease_limits(struct engine *e, const struct request *rq, struct vfk_err *err)
{
	size_t need = rq->text_len + rq->env_len;

	if (!delegate_wanted(rq))
		return 0;
	if (rq->text_len > BLOB_MAX || rq->env_len > BLOB_MAX)
		return vfk_err_set(err, VFK_E_LIMIT, 0,
				   "the configuration has %zu bytes and the environment %zu, "
				   "%u are allowed each",
				   rq->text_len, rq->env_len, BLOB_MAX);
	if (e->node->n_leases >= LEASES_PER_VF * e->node->n_vfs && e->node->n_vfs)
		return vfk_err_set(err, VFK_E_BUSY, 0,
				   "IPAM owes the release of %zu leases: see vfctl leases",
				   e->node->n_leases);
	if (e->node->blob_bytes + need > BLOBS_MAX ||
	    e->node->blob_bytes + need + 4096 * e->node->n_vfs >
		    journal_capacity(e->journal))
		return vfk_err_set(err, VFK_E_LIMIT, 0,
				   "stored configurations and results have %llu bytes, no "
				   "room for %zu more",
				   (unsigned long long)e->node->blob_bytes, need);
	return 0;
}

/* {u32 env_len, env, stdin}: configuration and environment of the ADD, for its DEL (P8). */
static uint64_t store_request(struct engine *e, const struct request *rq,
			      struct vfk_err *err)
{
	struct strbuf env = { 0 }, blob = { 0 };
	uint32_t len;
	uint64_t id = 0;

	cni_env_filter(&env, rq->env, rq->env_len);
	len = (uint32_t)env.len;
	strbuf_add(&blob, &len, sizeof(len));
	strbuf_add(&blob, env.data, env.len);
	strbuf_add(&blob, rq->text, rq->text_len);
	if (env.failed || blob.failed)
		vfk_err_set(err, VFK_E_NOMEM, 0, "stored request");
	else
		id = record_blob(e, blob.data, blob.len, err);
	strbuf_free(&env);
	strbuf_free(&blob);
	return id;
}

/* A new one of the VF's owner and the plugin of 'rq', whose configuration is kept. */
static struct lease *lease_new(struct engine *e, const struct request *rq,
			       const struct vf *vf, enum lease_event ev,
			       struct vfk_err *err)
{
	uint64_t blob = store_request(e, rq, err);
	struct lease *l;

	if (!blob)
		return NULL;
	l = node_lease_add(e->node, vf->rec.lease_id);
	if (!l) {
		node_blob_drop(e->node, blob);
		vfk_err_set(err, VFK_E_NOMEM, 0, "lease");
		return NULL;
	}
	l->rec.owner = vf->rec.owner;
	l->rec.pod = vf->rec.pod;
	l->rec.vf = vf->rec.addr;
	l->rec.nonce = vf->rec.nonce;
	l->rec.request_blob = blob;
	l->rec.asked_wall_ns = e->ops.wall_ns(e->ops.ctx);
	snprintf(l->rec.plugin, sizeof(l->rec.plugin), "%s", rq->cni.ipam_type);
	if (lease_event(e, l, ev, true) < 0) {
		node_lease_remove(e->node, l);
		vfk_err_set(err, VFK_E_BUSY, 0, "%s", e->broken);
		return NULL;
	}
	return l;
}

int lease_ask(struct engine *e, struct request *rq, struct vfk_err *err)
{
	rq->lease = lease_new(e, rq, rq->vf, LEASE_EV_ASK, err);
	return rq->lease ? 0 : -err->kind;
}

int lease_import(struct engine *e, const struct request *rq, const struct vf *vf,
		 struct vfk_err *err)
{
	return lease_new(e, rq, vf, LEASE_EV_IMPORTED, err) ? 0 : -err->kind;
}

void lease_take_conf(struct engine *e, struct lease *l, const struct request *del)
{
	bool asked = l->rec.nonce.hi || l->rec.nonce.lo;
	struct vfk_err err = { 0 };
	uint64_t blob;

	if (asked || l->paying || !delegate_wanted(del) || !engine_can_record(e) ||
	    strcmp(del->cni.ipam_type, l->rec.plugin) != 0 || del->text_len > BLOB_MAX ||
	    del->env_len > BLOB_MAX)
		return;
	blob = store_request(e, del, &err);
	if (!blob)
		return;
	node_blob_drop(e->node, l->rec.request_blob);
	l->rec.request_blob = blob;
}

/* R8: at most max_young plugins in their first second.  False: not now. */
bool lease_young_turn(struct engine *e, int64_t *turn_ns)
{
	int64_t now = now_ns(e);
	unsigned kept = 0;

	for (unsigned i = 0; i < e->n_young; i++)
		if (now - e->young[i] < NS_PER_S)
			e->young[kept++] = e->young[i];
	e->n_young = kept;
	*turn_ns = 0;
	if (kept < e->max_young) {
		e->young[e->n_young++] = *turn_ns = now;
		return true;
	}
	wake(e, e->young[0] + NS_PER_S);
	return false;
}

/* A plugin that ended quickly makes room for the next at once; an old one, or one that took no
 * turn, has none to give. */
void lease_young_done(struct engine *e, int64_t *turn_ns)
{
	int64_t turn = *turn_ns;
	bool room = false;

	*turn_ns = 0;
	for (unsigned i = 0; turn && i < e->n_young && !room; i++) {
		room = e->young[i] == turn;
		if (room)
			memmove(&e->young[i], &e->young[i + 1],
				(--e->n_young - i) * sizeof(e->young[0]));
	}
	if (!room)
		return;
	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (!rq->run_waits)
			continue;
		wake(e, now_ns(e));
		return;
	}
}

/* R9: after 130 s a lease is paid whoever holds its byte, and the next engine can see that
 * it is. */
static uint64_t byte_to_pay(const struct engine *e, uint64_t lease_id)
{
	return e->ops.held(e->ops.ctx, inflight_lease(lease_id)) ?
		       inflight_lease_beside(lease_id) :
		       inflight_lease(lease_id);
}

int lease_send_run(struct engine *e, struct request *rq, struct lease *l,
		   const char *type, enum cni_verb verb, const int *stored,
		   unsigned n_stored, uint32_t limit_ms, struct vfk_err *err)
{
	/* A client that holds the byte already keeps it; it gets another one's lock, so that
	 * the frame is the same. */
	uint64_t other = e->own_del_byte++, byte = inflight_lease(other);
	struct frame_run run = { .hdr = { .version = FRAME_VERSION, .type = FRAME_RUN },
				 .run_id = l ? l->rec.id : other,
				 .verb = (uint8_t)verb,
				 .deadline_ms = limit_ms,
				 .flags = n_stored ? RUN_STORED : 0 };
	VFK_AUTO(fd_auto) int byte_fd = -1;
	int fds[3];

	if (l && rq->holds_lease != l->rec.id)
		byte = verb == CNI_DEL ? byte_to_pay(e, l->rec.id) :
					 inflight_lease(l->rec.id);
	if (e->ops.lock(e->ops.ctx, byte, &byte_fd, err) < 0)
		return -err->kind;
	snprintf(run.type, sizeof(run.type), "%s", type);
	fds[0] = byte_fd;
	for (unsigned i = 0; i < n_stored; i++)
		fds[i + 1] = stored[i];
	if (e->ops.run(e->ops.ctx, rq->client, &run, fds, n_stored + 1, err) < 0)
		return -err->kind;
	if (l)
		rq->holds_lease = l->rec.id;
	rq->run_id = run.run_id;
	rq->ran_is_old = rq->ran_follows;
	rq->run_sent = true;
	rq->run_began_ns = now_ns(e);
	rq->run_pays = verb == CNI_DEL;
	return 0;
}

static void add_failed(struct engine *e, struct request *rq, const struct cni_fail *fail)
{
	setup_failed(e, rq->vf, VF_EV_SETUP_FAILED, LEASE_EV_FAILED, fail);
}

bool lease_run_add(struct engine *e, struct request *rq)
{
	struct vfk_err err = { 0 };
	int64_t left_ns = rq->deadline_ns - now_ns(e) - NS_PER_S;

	rq->run_waits = !lease_young_turn(e, &rq->turn_ns);
	if (rq->run_waits)
		return false;
	if (lease_send_run(e, rq, rq->lease, rq->cni.ipam_type, CNI_ADD, NULL, 0,
			   (uint32_t)(left_ns > NS_PER_S ? left_ns / NS_PER_MS : 1000),
			   &err) < 0) {
		struct cni_fail fail;

		cni_fail_from(&fail, &err, rq->vf->rec.addr);
		add_failed(e, rq, &fail);
		return false;
	}
	rq->lease->runner = rq;
	return true;
}

/* The blob of a request back as two memfds. */
static int stored_request(struct engine *e, const struct lease *l, int fds[2],
			  struct vfk_err *err)
{
	size_t len;
	uint32_t env_len;
	VFK_AUTO(free_auto)
	char *blob = node_blob_get(e->node, e->journal, l->rec.request_blob, &len, err);

	fds[0] = fds[1] = -1;
	if (!blob)
		return -err->kind;
	if (len < sizeof(env_len) ||
	    (memcpy(&env_len, blob, sizeof(env_len)), env_len > len - sizeof(env_len)))
		return vfk_err_set(err, VFK_E_CORRUPT, 0, "stored request of lease %llu",
				   (unsigned long long)l->rec.id);
	fds[0] = e->ops.memfd(e->ops.ctx, "stdin", blob + sizeof(env_len) + env_len,
			      len - sizeof(env_len) - env_len);
	fds[1] = e->ops.memfd(e->ops.ctx, "env", blob + sizeof(env_len), env_len);
	if (fds[0] >= 0 && fds[1] >= 0)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		fd_auto(&fds[i]);
		fds[i] = -1;
	}
	return vfk_err_set(err, VFK_E_NOMEM, 0, "descriptors of a stored request");
}

bool lease_payable(struct engine *e, const struct lease *l, const struct request *rq)
{
	const struct vf *vf;

	if (l->state != LEASE_OWED || l->paying)
		return false;
	vf = node_vf(e->node, l->rec.vf);
	/* R11: never while the link may still be in the pod with the address on it. */
	if (vf && vf->rec.lease_id == l->rec.id &&
	    (vf->fsm.state == VF_ATTACHED || vf->fsm.state == VF_RESERVED ||
	     ((vf->fsm.state == VF_DETACHING || vf->fsm.state == VF_FAULTED) &&
	      !vf_link_has_left(vf))))
		return false;
	return (rq && rq->holds_lease == l->rec.id) || !lease_byte_held(e, l->rec.id) ||
	       (l->wait_until_ns && now_ns(e) >= l->wait_until_ns &&
		!e->ops.held(e->ops.ctx, inflight_lease_beside(l->rec.id)));
}

static void unpaid(struct engine *e, struct lease *l, const char *why)
{
	int64_t pause = e->config.retry_min_ms * NS_PER_MS;
	int64_t max = e->config.retry_max_ms * NS_PER_MS;

	l->paying = false;
	l->runner = NULL;
	l->rec.attempts++;
	snprintf(l->rec.last_error, sizeof(l->rec.last_error), "%.190s", why);
	log_warn("ipam", "lease=%llu plugin=%s attempt=%u: %s",
		 (unsigned long long)l->rec.id, l->rec.plugin, l->rec.attempts, why);
	lease_event(e, l, LEASE_EV_UNPAID, false);
	for (uint32_t i = 1; i < l->rec.attempts && pause < max; i++)
		pause *= 2;
	l->retry_at_ns = now_ns(e) + (pause < max ? pause : max);
	wake(e, l->retry_at_ns);
}

static void pay_by_worker(struct engine *e, struct lease *l, const int fds[2])
{
	struct job *job;

	if (!lease_young_turn(e, &l->turn_ns)) {
		l->retry_at_ns = now_ns(e) + NS_PER_S / 4;
		wake(e, l->retry_at_ns);
		return;
	}
	job = job_new(e, JOB_IPAM, LOCK_NONE, NULL, 0);
	if (!job)
		return;
	if (!e->ops.find_plugin(e->ops.ctx, e->config.plugin_dirs, l->rec.plugin,
				job->req->plugin, sizeof(job->req->plugin))) {
		char why[200];

		snprintf(why, sizeof(why), "IPAM plugin %s is not in plugin_dirs %.100s",
			 l->rec.plugin, e->config.plugin_dirs);
		job_free(job);
		unpaid(e, l, why);
		return;
	}
	job->lease = l;
	job->req->lease_id = l->rec.id;
	job->byte = byte_to_pay(e, l->rec.id);
	if (!job_takes(job, fds[0]) || !job_takes(job, fds[1])) {
		job_free(job);
		unpaid(e, l, NO_DESCRIPTOR);
		return;
	}
	l->paying = true;
	job_submit(e, job);
}

void lease_pay(struct engine *e, struct lease *l, struct request *rq)
{
	VFK_AUTO(fd_auto) int stdin_fd = -1;
	VFK_AUTO(fd_auto) int env_fd = -1;
	struct vfk_err err = { 0 };
	unsigned n_stored = 2;
	bool by_client;
	int fds[2];

	l->retry_at_ns = 0;
	by_client = rq && rq->client && !rq->run_sent;
	if (stored_request(e, l, fds, &err) < 0) {
		/* P10: where the journal cannot be read, the DEL's own configuration does;
		 * what lacks memory or a descriptor is only tried again. */
		if (err.kind == VFK_E_NOMEM || !by_client ||
		    strcmp(rq->cni.ipam_type, l->rec.plugin) != 0) {
			unpaid(e, l, err.msg);
			return;
		}
		n_stored = 0;
	}
	stdin_fd = fds[0];
	env_fd = fds[1];
	if (!by_client) {
		pay_by_worker(e, l, fds);
		return;
	}
	if (lease_send_run(e, rq, l, l->rec.plugin, CNI_DEL, fds, n_stored,
			   e->config.ipam_del_timeout_s * 1000, &err) < 0) {
		unpaid(e, l, err.msg);
		return;
	}
	l->paying = true;
	l->runner = rq;
}

static void paid(struct engine *e, struct lease *l)
{
	struct vf *vf = node_vf(e->node, l->rec.vf);
	bool waited_for = false;

	lease_event(e, l, LEASE_EV_PAID, false);
	if (vf && vf->rec.lease_id == l->rec.id)
		vf->rec.lease_id = 0;
	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (rq->lease != l)
			continue;
		rq->lease = NULL;
		waited_for = true;
	}
	if (!waited_for) /* a DEL that comes now has nothing to ask IPAM for */
		recent_del_note(e->recent_del, &l->rec.owner, (uint64_t)now_ns(e),
				now_ns(e), true);
	node_lease_remove(e->node, l);
}

void lease_job_done(struct engine *e, struct lease *l, const struct job_res *res)
{
	lease_young_done(e, &l->turn_ns);
	cause_set(e, CAUSE_ENGINE, "release of lease %llu", (unsigned long long)l->rec.id);
	l->paying = false;
	if (res->err.kind)
		unpaid(e, l, res->err.msg);
	else
		paid(e, l);
	requests_check(e);
}

/* P6: no retry brings it back. */
static void plugin_gone(const struct request *rq)
{
	log_warn("ipam",
		 "container=%s ifname=%s: plugin %s is not in CNI_PATH: what it may hold "
		 "cannot be released",
		 rq->cni.att.container, rq->cni.att.ifname, rq->cni.ipam_type);
}

static void ran_del(struct engine *e, struct request *rq, const struct frame_ran *ran,
		    const char *out, size_t out_len)
{
	struct lease *l = rq->lease;
	struct cni_fail fail;
	bool good = ran->outcome == RUN_EXITED && ran->status == 0;

	if (rq->own_config_del) {
		if (ran->outcome == RUN_NOT_FOUND)
			plugin_gone(rq);
		if (good || ran->outcome == RUN_NOT_FOUND) {
			request_ok(e, rq);
		} else {
			cni_ipam_failure(&fail, rq->cni.ipam_type, ran->outcome,
					 ran->status, out, out_len);
			request_fail_as(e, rq, &fail);
		}
		return;
	}
	if (!l || l->runner != rq)
		return;
	l->runner = NULL;
	l->paying = false;
	if (ran->outcome == RUN_NOT_FOUND && l->rec.vf == PCI_NONE)
		plugin_gone(rq); /* and nobody knows whether anything was leased */
	if (good || (ran->outcome == RUN_NOT_FOUND && l->rec.vf == PCI_NONE)) {
		paid(e, l);
	} else {
		cni_ipam_failure(&fail, l->rec.plugin, ran->outcome, ran->status, out,
				 out_len);
		unpaid(e, l, fail.msg);
	}
	requests_check(e);
}

/* Nothing was run, so nothing is leased. */
static void not_run(struct engine *e, struct request *rq, const struct cni_fail *fail)
{
	struct vf *vf = rq->vf;

	lease_event(e, rq->lease, LEASE_EV_NOT_RUN, false);
	vf->rec.lease_id = 0;
	node_lease_remove(e->node, rq->lease);
	rq->lease = NULL;
	setup_failed(e, vf, VF_EV_SETUP_FAILED, LEASE_EV_FAILED, fail);
}

static void ran_add(struct engine *e, struct request *rq, const struct frame_ran *ran,
		    const char *out, size_t out_len)
{
	struct lease *l = rq->lease;
	struct vfk_err err = { 0 };
	struct cni_fail fail;
	uint64_t blob;

	if (!l || l->state != LEASE_ASKED || rq->state != REQ_IPAM ||
	    ran->run_id != l->rec.id) {
		/* R9: a result for a lease that is not ASKED any more is never used.  But its
		 * client is idle now and can give back what it got. */
		if (l)
			l->retry_at_ns = 0;
		leases_deadlines(e, now_ns(e));
		requests_check(e); /* it may have waited for the end of its plugin only */
		return;
	}
	l->runner = NULL;
	if (ran->outcome != RUN_EXITED || ran->status != 0) {
		cni_ipam_failure(&fail, l->rec.plugin, ran->outcome, ran->status, out,
				 out_len);
		/* Where an engine before us asked, it may have ordered the DEL since, and could
		 * not write that down: the ADD was run then. */
		if (rq->run_began_ns &&
		    (ran->outcome == RUN_NOT_FOUND || ran->outcome == RUN_NOT_STARTED))
			not_run(e, rq, &fail);
		else
			add_failed(e, rq, &fail);
		return;
	}
	if (out_len > BLOB_MAX)
		vfk_err_set(&err, VFK_E_LIMIT, 0,
			    "IPAM plugin %s answered with %zu bytes, %u "
			    "are allowed",
			    l->rec.plugin, out_len, BLOB_MAX);
	else if (cni_ipam_parse(&rq->ipam, out, out_len, &err) < 0)
		vfk_err_wrap(&err, "%s", l->rec.plugin);
	blob = err.kind ? 0 : record_blob(e, out, out_len, &err);
	if (!blob) {
		cni_fail_from(&fail, &err, rq->vf->rec.addr);
		add_failed(e, rq, &fail);
		return;
	}
	rq->vf->rec.result_blob = blob;
	if (lease_event(e, l, LEASE_EV_ANSWERED, true) < 0) {
		vfk_err_set(&err, VFK_E_BUSY, 0, "%s", e->broken);
		cni_fail_from(&fail, &err, rq->vf->rec.addr);
		add_failed(e, rq, &fail);
		return;
	}
	setup_lease_held(e, rq);
}

void lease_ran(struct engine *e, struct request *rq, const struct frame_ran *ran,
	       const char *out, size_t out_len)
{
	uint64_t expected = rq->lease ? rq->lease->rec.id : 0;

	if (!rq->run_sent && rq->lease && ran->run_id == expected &&
	    rq->cni.verb == CNI_DEL && rq->lease->state == LEASE_OWED &&
	    !rq->lease->paying) {
		/* The engine before us had told it to pay: it has done so (R9). */
		rq->lease->runner = rq;
		rq->run_sent = rq->run_pays = true;
	}
	if (!rq->run_sent ||
	    (rq->run_pays && ran->run_id != expected && !rq->own_config_del))
		return;
	rq->run_sent = false;
	lease_young_done(e, &rq->turn_ns);
	if (rq->run_pays)
		ran_del(e, rq, ran, out, out_len);
	else
		ran_add(e, rq, ran, out, out_len);
}

void lease_release(struct engine *e, struct lease *l, enum lease_event ev)
{
	if (lease_event(e, l, ev, false) < 0)
		return;
	l->wait_until_ns = now_ns(e) + LOST_PLUGIN_NS;
	l->retry_at_ns = now_ns(e);
	wake(e, l->retry_at_ns);
}

/* The client is gone, or is told to stop: what it ran for the lease ends with it. */
void lease_runner_gone(struct engine *e, struct request *rq)
{
	struct lease *l = rq->lease;

	rq->run_sent = false;
	lease_young_done(e, &rq->turn_ns);
	if (!l || l->runner != rq)
		return;
	l->runner = NULL;
	if (rq->run_pays) {
		l->wait_until_ns = now_ns(e) + LOST_PLUGIN_NS; /* R9, from now on */
		unpaid(e, l, "the caller ended before its IPAM DEL did");
	}
}

/* Who is here and waits for this lease to be paid: its client may run the plugin.  One that
 * holds the byte comes first, since nobody else can. */
static struct request *payer(struct engine *e, const struct lease *l)
{
	struct request *found = NULL;

	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (!rq->client || rq->lease != l || rq->run_sent ||
		    (rq->state != REQ_RELEASE && rq->state != REQ_FAILED &&
		     rq->state != REQ_PAY_FIRST))
			continue;
		if (!found || rq->holds_lease == l->rec.id)
			found = rq;
	}
	return found;
}

static void lease_deadline(struct engine *e, struct lease *l, int64_t now)
{
	struct request *rq;

	if (l->state != LEASE_OWED || l->paying)
		return;
	if (l->retry_at_ns > now) {
		wake(e, l->retry_at_ns);
		return;
	}
	rq = payer(e, l);
	if (!lease_payable(e, l, rq)) {
		if (lease_byte_held(e, l->rec.id)) {
			/* A plugin still runs: look again soon. */
			l->retry_at_ns = now + BYTE_POLL_NS;
			wake(e, l->retry_at_ns);
		}
		return; /* its VF's release asks again */
	}
	lease_pay(e, l, rq);
}

void leases_deadlines(struct engine *e, int64_t now)
{
	list_each_safe(it, &e->node->leases)
		lease_deadline(e, list_entry(it, struct lease, link), now);
	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (!rq->run_waits)
			continue;
		request_cause(e, rq);
		if (!(rq->state == REQ_DELEGATE ? delegate_run(e, rq) :
						  lease_run_add(e, rq)))
			break; /* the turn did not come, or the list has changed */
	}
}

/* An OWED lease that stands for what an ADD without a record may have leased. */
struct lease *lease_adopt(struct engine *e, const struct request *rq, struct vf *vf)
{
	struct vfk_err err = { 0 };
	struct lease *l;
	uint64_t blob;

	/* Strangers' DELs must never use up what ADDs need (P9, R15). */
	if (!engine_can_record(e) || e->node->n_leases >= e->node->n_vfs ||
	    rq->text_len > BLOB_MAX || rq->env_len > BLOB_MAX)
		return NULL;
	blob = store_request(e, rq, &err);
	l = blob ? node_lease_add(e->node, journal_last(e->journal) + 1) : NULL;
	if (!l) {
		node_blob_drop(e->node, blob);
		return NULL;
	}
	l->rec.owner = rq->cni.att;
	l->rec.pod = rq->cni.pod;
	l->rec.vf = vf ? vf->rec.addr : PCI_NONE;
	l->rec.request_blob = blob;
	l->rec.asked_wall_ns = e->ops.wall_ns(e->ops.ctx);
	snprintf(l->rec.plugin, sizeof(l->rec.plugin), "%s", rq->cni.ipam_type);
	if (lease_event(e, l, LEASE_EV_ADOPT, true) < 0) {
		node_lease_remove(e->node, l);
		return NULL;
	}
	if (vf) /* paid when its link has left the pod */
		vf->rec.lease_id = l->rec.id;
	return l;
}

/* Row "nothing, the journal is marked records missing": IPAM DEL with the DEL's own
 * configuration.  It is on record where it can be, so that the engine pays if its caller
 * does not. */
void lease_run_own_del(struct engine *e, struct request *rq)
{
	struct vfk_err err = { 0 };
	struct lease *l = lease_adopt(e, rq, NULL);

	if (l) {
		del_wait_for_lease(e, rq, l);
		return;
	}
	if (!rq->client) { /* from the spool, or its caller has gone: nobody can run it */
		log_warn("ipam",
			 "container=%s ifname=%s: what plugin %s may hold is not released",
			 rq->cni.att.container, rq->cni.att.ifname, rq->cni.ipam_type);
		request_ok(e, rq);
		return;
	}
	rq->state = REQ_RELEASE;
	rq->own_config_del = true;
	rq->deadline_ns = within_client(rq, now_ns(e) + e->config.del_wait_ms * NS_PER_MS);
	wake(e, rq->deadline_ns);
	if (lease_send_run(e, rq, NULL, rq->cni.ipam_type, CNI_DEL, NULL, 0,
			   e->config.del_wait_ms, &err) < 0) {
		request_fail_err(e, rq, &err, PCI_NONE);
	}
}

bool lease_own_del_runs(const struct engine *e, const struct attachment *att)
{
	list_each(it, &e->requests) {
		const struct request *rq = list_entry(it, struct request, link);

		if (rq->own_config_del && rq->run_sent &&
		    !strcmp(rq->cni.att.container, att->container) &&
		    !strcmp(rq->cni.att.ifname, att->ifname))
			return true;
	}
	return false;
}
