/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine-internal.h"
#include "engine/plan.h"
#include "io/inflight.h"

int64_t now_ns(const struct engine *e)
{
	return e->ops.boot_ns(e->ops.ctx);
}

void wake(struct engine *e, int64_t at_ns)
{
	if (at_ns >= e->wake_ns)
		return;
	e->wake_ns = at_ns;
	e->ops.wake_at(e->ops.ctx, at_ns);
}

bool vf_byte_held(const struct engine *e, const struct vf *vf)
{
	return e->ops.held(e->ops.ctx, inflight_vf(vf->rec.addr));
}

bool lease_byte_held(const struct engine *e, uint64_t lease_id)
{
	return lease_id && (e->ops.held(e->ops.ctx, inflight_lease(lease_id)) ||
			    e->ops.held(e->ops.ctx, inflight_lease_beside(lease_id)));
}

void engine_reload(struct engine *e, const struct config *config)
{
	e->config = *config;
}

const struct node *engine_node(const struct engine *e)
{
	return e->node;
}

int engine_new(struct engine **out, const struct engine_cfg *cfg, struct vfk_err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!e) {
		node_fini(cfg->node);
		journal_close(cfg->journal);
		recent_del_close(cfg->recent_del);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "engine");
	}
	e->config = *cfg->config;
	e->ops = *cfg->ops;
	e->node = cfg->node;
	e->journal = cfg->journal;
	e->recent_del = cfg->recent_del;
	snprintf(e->broken, sizeof(e->broken), "%s", cfg->broken ? cfg->broken : "");
	snprintf(e->boot_id, sizeof(e->boot_id), "%s", cfg->boot_id);
	list_init(&e->requests);
	list_init(&e->jobs_waiting);
	list_init(&e->jobs_running);
	e->wake_ns = INT64_MAX;
	e->own_del_byte = (UINT64_C(1) << 59) + (uint64_t)now_ns(e);
	e->max_young = cpus > 0 ? (unsigned)cpus * 2 : 2;
	if (e->max_young > VFK_ARRAY_SIZE(e->young))
		e->max_young = VFK_ARRAY_SIZE(e->young);
	*out = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	list_each_safe(it, &e->requests)
		request_free(list_entry(it, struct request, link));
	list_each_safe(it, &e->jobs_waiting)
		job_free(list_entry(it, struct job, link));
	list_each_safe(it, &e->jobs_running)
		job_free(list_entry(it, struct job, link));
	look_free(e->look);
	node_fini(e->node);
	journal_close(e->journal);
	recent_del_close(e->recent_del);
	free(e);
}

void engine_begin(struct engine *e)
{
	recover_begin(e);
	engine_turn(e);
}

static void count_job(struct engine *e, const struct job *job, const struct job_res *res)
{
	int64_t took_ns = now_ns(e) - job->began_ns;
	bool ok = res->err.kind == 0;

	if (!job->began_ns)
		return; /* it could not be started */
	metrics_job(&e->metrics, job->kind, job->lock == LOCK_REBIND, ok, took_ns);
	if (job->kind == JOB_IPAM)
		metrics_ipam(&e->metrics, CNI_DEL, ok, took_ns);
}

static struct job *job_running(struct engine *e, uint64_t id)
{
	list_each(it, &e->jobs_running) {
		struct job *job = list_entry(it, struct job, link);

		if (job->id == id)
			return job;
	}
	return NULL;
}

/* What had to wait until the look at the VF was over. */
static void observed(struct engine *e, struct vf *vf, struct job *job,
		     const struct job_res *said)
{
	struct job_res copy = *said, *res = &copy;

	/* It was imported or exported since the look was asked for: what the worker saw is of
	 * the time before, and an owner who was not looked for is not gone. */
	if (!res->err.kind && job->vf_changes != vf->n_changes &&
	    res->out.where != WHERE_GONE) {
		res->out.where = WHERE_UNKNOWN;
		res->out.nsid_alive = true;
	}
	vf->job = NULL;
	if (res->err.kind != VFK_E_BUSY)
		vf->stuck = false;
	if (job->request) {
		job->request->job = NULL;
		add_observed(e, job->request, res);
	} else {
		observe_done(e, vf, res);
	}
	if (vf->fsm.state == VF_DETACHING)
		release_next(e, vf);
	else if (vf->fsm.state == VF_RESERVED && vf->adder && vf->adder->state == REQ_SETUP)
		setup_next(e, vf);
}

#define BINDS (STEP_BIT(REBIND) | STEP_BIT(REBIND_HOME))

/* The VF is free for the next job; whoever waits for it goes on. */
static void steps_done(struct engine *e, struct vf *vf, struct job *job,
		       const struct job_res *res)
{
	vf->job = NULL;
	if (res->err.kind != VFK_E_BUSY)
		vf->stuck = false;
	if (job->steps & BINDS && job->began_ns) /* well or not: it has had its turn */
		vf->half_bound = false;
	if (vf->fsm.state == VF_RESERVED)
		setup_steps_done(e, vf, job, res);
	else if (vf->fsm.state == VF_DETACHING)
		release_steps_done(e, vf, job, res);
	else /* VANISHED meanwhile: nobody is interested, but its job kept the queue */
		vf_queue_run(e, vf);
}

void engine_job_done(struct engine *e, const struct job_res *res)
{
	struct job *job = job_running(e, res->id);

	if (!job)
		return;
	list_remove(&job->link);
	count_job(e, job, res);
	switch (job->kind) {
	case JOB_SYNC:
		sync_done(e, job, res);
		break;
	case JOB_STEPS:
		steps_done(e, job->vf, job, res);
		break;
	case JOB_OBSERVE:
		observed(e, job->vf, job, res);
		break;
	case JOB_IDENTIFY:
		if (job->request) {
			job->request->job = NULL;
			del_identified(e, job->request, res);
		}
		break;
	case JOB_CHECK:
		if (job->request) {
			job->request->job = NULL;
			check_looked(e, job->request, res);
		}
		break;
	case JOB_IMPORT:
		if (job->request) {
			job->request->job = NULL;
			import_looked(e, job->request, res);
		}
		break;
	case JOB_DISCOVER:
		discover_done(e, job, res);
		break;
	case JOB_PORTS:
		ports_told(e, job, res);
		break;
	case JOB_IPAM:
		if (job->lease) {
			job->lease->job = NULL;
			lease_job_done(e, job->lease, res);
		}
		break;
	}
	job_free(job);
}

void engine_job_lost(struct engine *e, uint64_t job_id, const char *why)
{
	struct job *job = job_running(e, job_id);
	struct job_res res = { .id = job_id };
	struct vf *half_bound;

	if (!job)
		return;
	half_bound = job->steps & (BINDS | STEP_BIT(RDMA_HOME)) ? job->vf : NULL;
	res.kind = (uint8_t)job->kind;
	res.out.nsid = -1;
	if (job->late)
		vfk_err_set(&res.err, VFK_E_TIMEOUT, 0, "%s took longer than %u s",
			    job_kind_name(job->kind),
			    job->kind == JOB_IPAM ? e->config.ipam_del_timeout_s :
						    e->config.step_timeout_s);
	else
		vfk_err_set(&res.err, VFK_E_INTERNAL, 0, "worker of %s ended: %s",
			    job_kind_name(job->kind), why);
	engine_job_done(e, &res);
	if (half_bound)
		rebind_first(e, half_bound);
}

void engine_turn(struct engine *e)
{
	int64_t now = now_ns(e);

	if (now >= e->wake_ns) {
		/* Everybody who still waits asks again. */
		e->wake_ns = INT64_MAX;
		sched_deadlines(e, now);
		requests_deadlines(e, now);
		vfs_deadlines(e, now);
		leases_deadlines(e, now);
		reconcile_turn(e, now);
		hints_turn(e, now);
		journal_deadline(e, now);
	}
	gcs_turn(e);
	look_turn(e);
	sync_kick(e);
	sched_run(e);
}

int engine_take_journal(struct engine *e, struct journal *j)
{
	struct vfk_err err = { 0 };

	if (journal_begin(j, &err) < 0) {
		journal_close(j);
		return -err.kind;
	}
	e->journal = j;
	e->broken[0] = '\0';
	cause_set(e, CAUSE_ENGINE, "the journal can be written");
	record_node(e);
	log_warn("journal", "can be written now; ADD is served");
	return 0;
}

void engine_ends(struct engine *e)
{
	if (!e->broken_by_disk)
		return;
	e->journal_retry_ns = now_ns(e);
	wake(e, e->journal_retry_ns);
}

bool engine_quiet(const struct engine *e)
{
	return list_empty(&e->requests) && list_empty(&e->jobs_waiting) &&
	       list_empty(&e->jobs_running);
}

bool engine_busy(const struct engine *e)
{
	/* Looking at VFs in the background is no work that anybody would miss. */
	list_each(it, &e->jobs_running) {
		const struct job *job = list_entry(it, struct job, link);

		if (job->kind != JOB_DISCOVER && job->kind != JOB_PORTS &&
		    (job->kind != JOB_OBSERVE || job->request))
			return true;
	}
	/* What could not be recorded is known to this engine only (P10). */
	if (!list_empty(&e->requests) || e->broken_by_disk || !e->journal)
		return true;
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];

		if (vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_DETACHING ||
		    vf->stuck)
			return true;
	}
	list_each(it, &e->node->leases) {
		const struct lease *l = list_entry(it, struct lease, link);

		if (l->state == LEASE_ASKED || l->state == LEASE_OWED)
			return true;
	}
	return false;
}
