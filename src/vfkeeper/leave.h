/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves a DEL durably in PATH_SPOOL where no engine can be had (R5).  Layer: program.
 */
#ifndef VFK_VFKEEPER_LEAVE_H
#define VFK_VFKEEPER_LEAVE_H

#include <stdint.h>

#include "vfkeeper/request.h"

/* A child that keeps nothing of the caller's writes the entry, however long the disk
 * takes; it is waited for until 'until_ns' (CLOCK_BOOTTIME).  0: the entry is durable.
 * VFK_E_TIMEOUT: it is still being written.  VFK_E_SYS: it could not be written. */
int leave_del(const struct request *rq, int64_t until_ns,
	      struct vfk_err *err) VFK_MUST_CHECK;

#endif
