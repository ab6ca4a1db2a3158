/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side of an IPAM DEL that the engine pays (R11): one plugin, run to its end or
 * to the job's deadline.  Layer: engine. */
#ifndef VFK_ENGINE_PAY_H
#define VFK_ENGINE_PAY_H

#include "engine/job.h"

/* 'fds' as for JOB_IPAM.  'err' is set if the plugin did not succeed or was not run. */
void pay_run(const struct job_req *rq, const int *fds, unsigned n_fds, struct vfk_err *err);

#endif
