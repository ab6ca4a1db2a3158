/* SPDX-License-Identifier: Apache-2.0 */
/* Which job may start when: one that takes RTNL, one in the rebind window, one per PF for
 * sysfs and devlink, one per VF, a bounded number of plugins.  A job past its deadline
 * keeps what it holds until its worker is really gone: only then has the kernel let go. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/inflight.h"

#define MAX_FREE_JOBS 64 /* LOCK_NONE jobs at a time */
#define MAX_IPAM_JOBS 16 /* plugins that pay; each may hang for its whole deadline */
/* What rebinds wait for a VF that is to have its driver first: its release may be held up. */
#define HALF_BOUND_NS (10 * NS_PER_S)

struct job *job_new(struct engine *e, enum job_kind kind, enum drv_lock lock,
		    struct vf *vf, size_t extra_bytes)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->req_len = sizeof(struct job_req) + extra_bytes;
	job->req = calloc(1, job->req_len);
	if (!job->req) {
		free(job);
		return NULL;
	}
	list_init(&job->link);
	job->id = ++e->next_job_id;
	job->kind = kind;
	job->lock = lock;
	job->vf = vf;
	job->memfd = -1;
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(job->fds); i++)
		job->fds[i] = -1;
	job->req->id = job->id;
	job->req->kind = (uint8_t)kind;
	job->req->env = e->config.env;
	job->req->nsid = -1;
	job->req->log = log_get_levels();
	job->req->log_format = (uint8_t)e->config.log_format;
	job->req->log_target = (uint8_t)e->config.log_target;
	if (vf) {
		job->pf = vf->rec.pf;
		job->vf_changes = vf->n_changes;
	}
	return job;
}

bool job_takes(struct job *job, int fd)
{
	int own = dup_fd(fd);

	if (own >= 0)
		job->fds[job->n_fds++] = own;
	return own >= 0;
}

bool job_for_vf(struct job *job, const struct vf *vf, int netns_fd)
{
	struct drv_call *call = &job->req->call;

	snprintf(job->req->driver, sizeof(job->req->driver), "%s", vf->rec.driver);
	call->addr = vf->rec.addr;
	call->pf = vf->rec.pf;
	call->index = vf->rec.index;
	call->incarnation = vf->rec.incarnation;
	call->ifindex = vf->rec.ifindex;
	call->wanted = vf->rec.wanted;
	call->baseline = vf->rec.baseline;
	snprintf(call->ifname, sizeof(call->ifname), "%s", vf->rec.owner.ifname);
	job->req->nsid = vf->rec.nsid;
	job->byte = inflight_vf(vf->rec.addr);
	job->req->has_netns = netns_fd >= 0;
	return netns_fd < 0 || job_takes(job, netns_fd);
}

struct job *job_look(struct engine *e, struct request *rq, const struct vf *vf,
		     enum job_kind kind, size_t extra_bytes)
{
	struct job *job = job_new(e, kind, LOCK_NONE, NULL, extra_bytes);

	if (!job) {
		request_fail(e, rq, 11, "out of memory");
		return NULL;
	}
	if (vf ? !job_for_vf(job, vf, rq->netns_fd) : !job_takes(job, rq->netns_fd)) {
		job_free(job);
		request_fail(e, rq, 11, NO_DESCRIPTOR);
		return NULL;
	}
	job->byte = 0; /* it only looks: no step has to wait for it */
	job->req->has_netns = 1;
	snprintf(job->req->call.ifname, sizeof(job->req->call.ifname), "%s",
		 rq->cni.att.ifname);
	job->request = rq;
	rq->job = job;
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	list_remove(&job->link);
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(job->fds); i++)
		fd_auto(&job->fds[i]);
	fd_auto(&job->memfd);
	free(job->req);
	free(job);
}

void job_forget_waiting(struct vf *vf)
{
	if (!vf->job || vf->job->kind != JOB_STEPS || !vf->job->req)
		return;
	job_free(vf->job);
	vf->job = NULL;
}

void job_submit(struct engine *e, struct job *job)
{
	if (job->vf)
		job->vf->job = job;
	if (job->lease)
		job->lease->job = job;
	list_push_back(&e->jobs_waiting, &job->link);
}

void rebind_first(struct engine *e, struct vf *vf)
{
	vf->half_bound = true;
	e->half_bound_until_ns = now_ns(e) + HALF_BOUND_NS;
}

static bool any_half_bound(struct engine *e)
{
	if (now_ns(e) >= e->half_bound_until_ns)
		return false;
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		const struct vf *vf = e->node->vfs[i];

		if (vf->half_bound &&
		    (vf->fsm.state == VF_RESERVED || vf->fsm.state == VF_DETACHING))
			return true;
	}
	e->half_bound_until_ns = 0;
	return false;
}

/* Whether the node's rebind window is open for a job of this engine, which runs none.  R6: it
 * may be the window of a worker whose engine is gone. */
static bool may_rebind(struct engine *e, const struct job *job)
{
	if (!job->vf->half_bound && any_half_bound(e)) {
		wake(e, e->half_bound_until_ns);
		return false;
	}
	if (e->ops.held(e->ops.ctx, inflight_rebind())) {
		wake(e, now_ns(e) + BYTE_POLL_NS);
		return false;
	}
	return true;
}

static bool may_start(struct engine *e, const struct job *job)
{
	size_t n_free = 0, n_ipam = 0;

	list_each(it, &e->jobs_running) {
		const struct job *other = list_entry(it, struct job, link);

		if (job->vf && other->vf == job->vf)
			return false;
		if (job->lock != LOCK_NONE && job->lock == other->lock &&
		    (job->lock != LOCK_PF || job->pf == other->pf))
			return false;
		n_ipam += other->kind == JOB_IPAM;
		n_free += other->lock == LOCK_NONE && other->kind != JOB_IPAM &&
			  !other->late;
	}
	if (job->lock == LOCK_REBIND)
		return may_rebind(e, job);
	if (job->kind == JOB_IPAM)
		return n_ipam < MAX_IPAM_JOBS;
	return job->kind == JOB_SYNC || job->lock != LOCK_NONE || n_free < MAX_FREE_JOBS;
}

static int64_t job_limit_ns(const struct engine *e, const struct job *job)
{
	switch (job->kind) {
	case JOB_IPAM:
		return e->config.ipam_del_timeout_s * NS_PER_S;
	case JOB_SYNC:
		return INT64_MAX /
		       2; /* a slow disk is waited for; R4's watchdog is the loop */
	case JOB_DISCOVER:
	case JOB_OBSERVE:
	case JOB_IDENTIFY:
	case JOB_CHECK:
	case JOB_IMPORT:
	case JOB_PORTS:
	case JOB_STEPS:
		break;
	}
	return e->config.step_timeout_s * NS_PER_S;
}

/* Descriptors in the order that job.h names; those of inflight are closed here after the
 * worker has them, so that the locks live exactly as long as the step (R6). */
static int start(struct engine *e, struct job *job, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int byte_fd = -1;
	VFK_AUTO(fd_auto) int window_fd = -1;
	int fds[4];
	unsigned n = 0;

	if (job->byte) {
		if (e->ops.lock(e->ops.ctx, job->byte, &byte_fd, err) < 0)
			return -err->kind;
		fds[n++] = byte_fd;
	}
	for (unsigned i = 0; i < job->n_fds; i++)
		fds[n++] = job->fds[i];
	if (job->lock == LOCK_REBIND) {
		if (e->ops.lock(e->ops.ctx, inflight_rebind(), &window_fd, err) < 0)
			return -err->kind;
		fds[n++] = window_fd;
	}
	job->began_ns = now_ns(e);
	job->deadline_ns = job->began_ns + job_limit_ns(e, job);
	job->req->deadline_boot_ns = job->deadline_ns;
	if (e->ops.job(e->ops.ctx, job->req, job->req_len, fds, n, err) < 0)
		return -err->kind;
	free(job->req);
	job->req = NULL;
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(job->fds); i++) {
		fd_auto(&job->fds[i]);
		job->fds[i] = -1;
	}
	wake(e, job->deadline_ns);
	return 0;
}

void sched_run(struct engine *e)
{
	list_each_safe(it, &e->jobs_waiting) {
		struct job *job = list_entry(it, struct job, link);
		struct vfk_err err = { 0 };

		if (!may_start(e, job))
			continue;
		list_remove(&job->link);
		list_push_back(&e->jobs_running, &job->link);
		if (start(e, job, &err) < 0) {
			struct job_res res = { .id = job->id,
					       .kind = (uint8_t)job->kind,
					       .err = err };

			res.out.nsid = -1;
			if (err.kind == VFK_E_BUSY && job->vf)
				job->vf->stuck = true; /* somebody else's step is under way */
			engine_job_done(e, &res);
			wake(e, now_ns(e));
			return; /* the lists have changed; the next turn goes on */
		}
	}
}

void sched_deadlines(struct engine *e, int64_t now)
{
	list_each_safe(it, &e->jobs_running) {
		struct job *job = list_entry(it, struct job, link);
		char addr[PCI_STRLEN] = "-";

		if (job->late)
			continue;
		if (now < job->deadline_ns) {
			wake(e, job->deadline_ns);
			continue;
		}
		job->late = true;
		if (job->vf) {
			job->vf->stuck = true;
			pci_format(job->vf->rec.addr, addr);
		}
		log_warn("engine", "job=%s vf=%s: past its deadline; ending its worker",
			 job_kind_name(job->kind), addr);
		e->ops.job_kill(e->ops.ctx, job->id);
	}
}
