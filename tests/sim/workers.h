/* SPDX-License-Identifier: Apache-2.0 */
/* Worker processes: a job goes on whatever becomes of its engine, and keeps its byte (R6). */
#ifndef VFK_TESTS_SIM_WORKERS_H
#define VFK_TESTS_SIM_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/job.h"

void workers_reset(void);
int worker_start(unsigned engine_gen, const struct job_req *rq, size_t len,
		 const int *fds, unsigned n_fds, struct vfk_err *err);
void worker_kill(uint64_t job_id);
void worker_kill_any(unsigned nth); /* the kernel ends one for want of memory */
void workers_release(void);	    /* whatever hangs in the kernel comes back */
void workers_orphaned(void);	    /* their engine is gone */
bool workers_busy(void);
uint64_t workers_hash(void);

#endif
