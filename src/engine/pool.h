/* SPDX-License-Identifier: Apache-2.0 */
/* The worker processes of one engine, on its loop: jobs to idle workers, new ones where
 * none is idle, results back.  Layer: engine. */
#ifndef VFK_ENGINE_POOL_H
#define VFK_ENGINE_POOL_H

#include <stdbool.h>

#include "engine/job.h"
#include "io/loop.h"
#include "io/spawner.h"

struct pool;

struct pool_events {
	void *arg;
	void (*done)(void *arg, const struct job_res *res);
	void (*lost)(void *arg, uint64_t job_id, const char *why);
	void (*spawner_gone)(void *arg); /* R7: the engine ends itself then */
};

/* 'keep' idle workers are kept; more are made on demand and let go when idle.  The spawner
 * stays the caller's. */
int pool_new(struct pool **out, struct loop *loop, struct spawner *spawner, unsigned keep,
	     const struct pool_events *events, struct vfk_err *err) VFK_MUST_CHECK;
/* Busy workers end after their step, by themselves. NULL allowed. */
void pool_free(struct pool *p);

int pool_submit(struct pool *p, const struct job_req *rq, size_t len_bytes,
		const int *fds, unsigned n_fds, struct vfk_err *err) VFK_MUST_CHECK;
void pool_kill(struct pool *p, uint64_t job_id);
unsigned pool_workers(const struct pool *p);
uint64_t pool_started(const struct pool *p); /* workers, ever */

#endif
