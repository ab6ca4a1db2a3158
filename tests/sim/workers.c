/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cover.h"
#include "disk.h"
#include "engines.h"
#include "faults.h"
#include "fds.h"
#include "ipam.h"
#include "promises.h"
#include "rng.h"
#include "steps.h"
#include "story.h"
#include "when.h"

#define MAX_WORKERS 64

enum phase { WORKS, HANGS, PLUGIN, OVER };

struct worker {
	bool used;
	unsigned gen; /* of this use of the place */
	unsigned engine_gen;
	struct job_req *rq;
	int fds[4];
	unsigned n_fds;
	enum phase phase;
	struct job_fault fault;
	bool killed, counted;
	uint32_t todo, failed;
	struct job_res res;
	int64_t deadline_ns;
};

static struct worker workers[MAX_WORKERS];
static unsigned gens, windows; /* workers that are in the node's rebind window */

static void turn(uint64_t i, uint64_t gen);

static struct kvf *vf_of(const struct worker *w)
{
	return kernel_vf(w->rq->call.addr);
}

static bool has_window(const struct worker *w)
{
	for (unsigned bit = 0; bit < 32; bit++)
		if (w->rq->steps & (1u << bit) && drv_step_lock(bit) == LOCK_REBIND)
			return true;
	return false;
}

/* Of two VFs that are without a driver, each may get the other's number (ib_uverbs_add_one:
 * the lowest that is free). */
static void in_window(bool on)
{
	if (on)
		windows++;
	else
		windows--;
	if (windows > 1)
		broken("R6", "two workers rebind VFs at a time");
}

static void running(struct worker *w, bool on)
{
	struct kvf *v = w->rq->kind == JOB_STEPS ? vf_of(w) : NULL;

	if (!v || w->counted == on)
		return;
	w->counted = on;
	if (has_window(w))
		in_window(on);
	if (on)
		v->steps_running++;
	else
		v->steps_running--;
	if (v->steps_running > 1)
		broken("R6", "two workers run steps of vf%u at a time",
		       (unsigned)(v - vfs));
}

static void forget(struct worker *w)
{
	if (w->used)
		running(w, false);
	free(w->rq);
	memset(w, 0, sizeof(*w));
}

void workers_reset(void)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		forget(&workers[i]);
}

static struct worker *worker_of(uint64_t i, uint64_t gen)
{
	struct worker *w = &workers[i];

	return w->used && w->gen == gen ? w : NULL;
}

static void again(struct worker *w, int64_t ns)
{
	when_after(ns, turn, (uint64_t)(w - workers), w->gen);
}

int worker_start(unsigned engine_gen, const struct job_req *rq, size_t len,
		 const int *fds, unsigned n_fds, struct vfk_err *err)
{
	struct job_fault fault = fault_take((enum job_kind)rq->kind);
	struct worker *w = NULL;

	if (fault.fail == JF_REFUSED)
		return vfk_err_set(err, VFK_E_SYS, ENOBUFS, "send a job to its worker");
	for (unsigned i = 0; !w && i < MAX_WORKERS; i++)
		if (!workers[i].used)
			w = &workers[i];
	if (!w)
		abort();
	*w = (struct worker){ .used = true,
			      .gen = ++gens,
			      .engine_gen = engine_gen,
			      .rq = malloc(len),
			      .n_fds = n_fds,
			      .fault = fault,
			      .todo = rq->steps,
			      .deadline_ns = rq->deadline_boot_ns };
	if (!w->rq)
		abort();
	memcpy(w->rq, rq, len);
	for (unsigned i = 0; i < n_fds; i++)
		w->fds[i] = fd_pass(fds[i], OWNER_WORKER(w - workers));
	w->res.id = rq->id;
	w->res.kind = rq->kind;
	w->res.out.nsid = -1;
	running(w, true);
	/* A list of everything takes its time. */
	again(w, when_jitter(rq->kind == JOB_DISCOVER ? 4 * MS : 200 * US));
	return 0;
}

static void deliver(uint64_t i, uint64_t gen)
{
	struct worker *w = worker_of(i, gen);
	int64_t wait;

	if (!w)
		return;
	if (w->engine_gen == engine_generation() && !engine_listens(&wait)) {
		when_after(wait, deliver, i, gen);
		return;
	}
	if (w->engine_gen == engine_generation()) {
		struct job_res res = w->res;
		bool killed = w->killed;
		unsigned engine_gen = w->engine_gen;

		forget(w);
		engine_job_end(engine_gen, &res, killed ? "killed" : NULL);
		return;
	}
	cover_job((enum job_kind)w->rq->kind, JF_ORPHAN);
	forget(w);
}

/* It lets go of everything, and only then says that it is done. */
static void end(struct worker *w)
{
	running(w, false);
	w->phase = OVER;
	fds_shut_all(OWNER_WORKER(w - workers));
	when_after(when_jitter(100 * US), deliver, (uint64_t)(w - workers), w->gen);
}

static void dies(struct worker *w)
{
	if (w->phase == PLUGIN)
		ipam_kill_job(w->gen);
	if (w->rq->kind == JOB_SYNC)
		disk_sync_unheard();
	w->killed = true;
	end(w);
}

/* The engine is there that ends it when it is late; a sync is waited for. */
static bool has_a_master(const struct worker *w)
{
	return w->fault.fail == JF_HANGS && w->rq->kind != JOB_SYNC &&
	       w->engine_gen == engine_generation() && engine_exists();
}

/* Hangs for a while; then it goes on as if nothing had been. */
static void hangs(struct worker *w)
{
	int64_t ns = 0;

	switch (w->fault.fail) {
	case JF_SLOW:
		ns = when_jitter(4 * SEC);
		break;
	case JF_LATE:
		ns = w->rq->kind == JOB_SYNC ?
			     when_jitter(40 * SEC) :
			     w->deadline_ns - when_now + when_jitter(20 * SEC);
		break;
	case JF_STUCK:
		ns = when_jitter(90 * SEC);
		break;
	case JF_HANGS:
		ns = has_a_master(w) ? 3600 * SEC : when_jitter(60 * SEC);
		break;
	default:
		break;
	}
	w->phase = HANGS;
	again(w, ns);
}

/* An attach plan stops at its first failure; of a detach plan only what builds on it. */
static bool skipped(enum drv_step step, uint32_t failed)
{
	if (step <= STEP_ADDRESSES)
		return failed != 0;
	if (step == STEP_LINK_BASELINE)
		return failed & (1u << STEP_LINK_HOME);
	return step == STEP_VERIFY && failed;
}

static void step_failed(struct worker *w, unsigned bit, struct vfk_err *err)
{
	w->failed |= 1u << bit;
	if (w->res.err.kind)
		return;
	vfk_err_wrap(err, "%s", drv_step_name(bit));
	w->res.err = *err;
	w->res.failed_step = bit;
}

static void take_out(struct job_res *res, const struct drv_out *out)
{
	if (out->ifindex)
		res->out.ifindex = out->ifindex;
	if (out->where)
		res->out.where = out->where;
	if (out->netns_cookie) {
		res->out.netns_cookie = out->netns_cookie;
		res->out.nsid = out->nsid;
	}
	if (out->mtu_bytes)
		res->out.mtu_bytes = out->mtu_bytes;
	if (out->hwaddr_len) {
		memcpy(res->out.hwaddr, out->hwaddr, sizeof(out->hwaddr));
		res->out.hwaddr_len = out->hwaddr_len;
	}
	res->out.rebind_needed |= out->rebind_needed;
}

/* What an errno of the kernel becomes in a driver. */
static void planned_error(const struct worker *w, struct vfk_err *err)
{
	switch (w->fault.sys) {
	case EOPNOTSUPP:
		vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "not supported by the device");
		return;
	case ETIMEDOUT:
		vfk_err_set(err, VFK_E_TIMEOUT, 0, "the device gave no answer");
		return;
	default:
		vfk_err_set(err, VFK_E_KERNEL, w->fault.sys, "refused");
	}
}

static void run_steps(struct worker *w)
{
	struct kvf *v = vf_of(w);

	while (w->todo) {
		unsigned bit = (unsigned)__builtin_ctz(w->todo);
		struct drv_out out = { .nsid = -1 };
		struct vfk_err err = { 0 };
		struct step_run r = { .rq = w->rq,
				      .v = v,
				      .ns = w->n_fds > 1 && w->rq->has_netns ?
						    (int)fd_number(w->fds[1]) :
						    NOWHERE,
				      .cut = w->fault.fail != JF_NONE,
				      .writes_left = w->fault.writes,
				      .out = &out,
				      .err = &err };
		enum step_end result;

		if (skipped(bit, w->failed)) {
			w->todo &= ~(1u << bit);
			continue;
		}
		result = step_run(&r, bit);
		if (result == STEP_DONE && r.cut) { /* it hits a later step, or the very end */
			w->fault.writes = r.writes_left;
			if (w->todo == 1u << bit)
				result = STEP_CUT;
		}
		if (result == STEP_CUT && w->fault.fail == JF_DIES) {
			dies(w);
			return;
		}
		if (result == STEP_CUT && w->fault.fail != JF_ERROR) {
			hangs(w);
			return;
		}
		if (result == STEP_WAITS && when_now + 50 * MS < w->deadline_ns) {
			again(w, 50 * MS);
			return;
		}
		w->todo &= ~(1u << bit);
		if (result == STEP_CUT) {
			planned_error(w, &err);
			w->fault.fail = JF_NONE;
		} else if (result == STEP_WAITS) {
			vfk_err_set(&err, VFK_E_TIMEOUT, 0, "the namespace does not go");
		}
		if (result == STEP_DONE) {
			w->res.done |= 1u << bit;
			take_out(&w->res, &out);
			if (bit == STEP_LINK_HOME || bit == STEP_RDMA_HOME)
				w->res.taken |= out.rebind_needed;
		} else {
			step_failed(w, bit, &err);
		}
		if (w->killed) { /* it was in the kernel; now it is not */
			dies(w);
			return;
		}
	}
	end(w);
}

static void look(struct worker *w)
{
	struct step_run r = { .rq = w->rq,
			      .v = vf_of(w),
			      .ns = NOWHERE,
			      .out = &w->res.out,
			      .err = &w->res.err };

	if (w->rq->kind == JOB_OBSERVE) {
		step_observe(&r);
	} else if (w->rq->kind == JOB_IDENTIFY) {
		w->res.addr = step_identify((int)fd_number(w->fds[0]), w->rq->call.ifname);
		snprintf(w->res.driver, sizeof(w->res.driver), "sim");
	} else if (w->rq->kind == JOB_IMPORT) {
		r.ns = (int)fd_number(w->fds[0]);
		step_import(&r);
	} else if (w->rq->kind == JOB_DISCOVER) {
		step_discover(w->fds[0]);
	} else if (w->rq->kind == JOB_PORTS) {
		step_ports(w->rq->call.pf, &w->res.pf);
	} else if (w->rq->kind == JOB_SYNC) {
		disk_sync((unsigned)fd_number(w->fds[0]));
	} else {
		broken("R6", "a worker gets a job of an unknown kind, %u", w->rq->kind);
	}
	end(w);
}

static void plugin_ended(uint64_t i, uint64_t gen, enum run_outcome outcome, int status)
{
	struct worker *w = worker_of(i, gen);

	if (!w || w->phase != PLUGIN)
		return;
	if (outcome != RUN_EXITED || status)
		vfk_err_set(&w->res.err, VFK_E_IPAM, 0, "the plugin failed");
	end(w);
}

static void turn(uint64_t i, uint64_t gen)
{
	struct worker *w = worker_of(i, gen);

	if (!w || w->phase == OVER || w->phase == PLUGIN)
		return;
	if (w->phase == HANGS) {
		w->phase = WORKS;
		w->fault.fail = JF_NONE;
		if (w->killed && w->rq->kind != JOB_STEPS) {
			dies(w);
			return;
		}
	}
	if (w->rq->kind == JOB_STEPS) {
		run_steps(w);
		return;
	}
	if (w->rq->kind == JOB_IPAM && when_now >= w->deadline_ns) {
		vfk_err_set(&w->res.err, VFK_E_TIMEOUT, 0, "too late to run it");
		end(w);
		return;
	}
	if (w->rq->kind == JOB_IPAM && w->fault.fail == JF_NONE) {
		w->phase = PLUGIN;
		ipam_start_job(i, w->gen, w->rq, w->fds, w->n_fds, plugin_ended);
		return;
	}
	switch (w->fault.fail) {
	case JF_ERROR:
		if (w->rq->kind == JOB_SYNC) {
			disk_sync_fails((unsigned)fd_number(w->fds[0]));
			vfk_err_set(&w->res.err, VFK_E_SYS, EIO,
				    "fdatasync of the journal");
		} else if (w->rq->kind == JOB_DISCOVER && w->fault.sys == EBUSY) {
			vfk_err_set(&w->res.err, VFK_E_BUSY, 0, "links are moving");
		} else {
			planned_error(w, &w->res.err);
		}
		w->res.addr = PCI_NONE;
		end(w);
		return;
	case JF_DIES:
		dies(w);
		return;
	case JF_SLOW:
	case JF_LATE:
	case JF_STUCK:
	case JF_HANGS:
		hangs(w);
		return;
	default:
		look(w);
	}
}

/* SIGKILL: one that sleeps in the kernel and cannot be woken goes when it comes back. */
static void kill_one(struct worker *w)
{
	if (w->killed || w->phase == OVER) {
		w->killed = true;
		return;
	}
	w->killed = true;
	if (w->phase == HANGS && w->fault.fail == JF_STUCK)
		return;
	dies(w);
}

void worker_kill(uint64_t job_id)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		if (workers[i].used && workers[i].rq->id == job_id &&
		    workers[i].engine_gen == engine_generation())
			kill_one(&workers[i]);
}

void worker_kill_any(unsigned nth)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_WORKERS; i++)
		n += workers[i].used && workers[i].phase != OVER;
	if (!n)
		return;
	nth %= n;
	for (unsigned i = 0; i < MAX_WORKERS; i++) {
		struct worker *w = &workers[i];

		if (!w->used || w->phase == OVER || nth--)
			continue;
		story("worker of %s is killed", job_kind_name(w->rq->kind));
		cover_event(EVENT_WORKER_KILLED);
		cover_job((enum job_kind)w->rq->kind, JF_DIES);
		kill_one(w);
		return;
	}
}

void workers_release(void)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		if (workers[i].used && workers[i].phase == HANGS &&
		    !has_a_master(&workers[i]))
			again(&workers[i], when_jitter(MS));
}

/* Nobody is left who would end it: it is as one that is stuck. */
void workers_orphaned(void)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		if (workers[i].used && workers[i].phase == HANGS &&
		    workers[i].fault.fail == JF_HANGS)
			again(&workers[i], when_jitter(60 * SEC));
}

bool workers_busy(void)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		if (workers[i].used)
			return true;
	return false;
}

uint64_t workers_hash(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < MAX_WORKERS; i++) {
		const struct worker *w = &workers[i];

		if (w->used) /* whichever place it has */
			sum += rng_mix((uint64_t)w->rq->kind << 40 |
				       (uint64_t)w->rq->steps << 8 |
				       (unsigned)w->phase << 4 | w->killed << 1 |
				       (w->engine_gen == engine_generation())) ^
			       w->rq->call.addr;
	}
	return sum;
}
