/* SPDX-License-Identifier: Apache-2.0 */
/* How a tool gets an engine: it connects to control.sock, and where nobody answers it starts
 * vfkeeper-engine as a client does (R2): one of all starters does it, who holds the flock
 * on PATH_START.  Layer: io. */
#ifndef VFK_IO_ENGINE_START_H
#define VFK_IO_ENGINE_START_H

#include "base/attr.h"
#include "base/err.h"
#include "io/ctl_client.h"

/* Connects to PATH_CONTROL_SOCK within 'timeout_ms', starting an engine if there is none.
 * The engine is "vfkeeper-engine" beside the calling program, else the one installed; it
 * gets "--start-fd N --ready-fd M", a session and, where that is allowed, a cgroup of its
 * own, of the environment only VFKEEPER_* and PATH, and /dev/null as its standard
 * descriptors.  Errors: VFK_E_GONE (an engine was started and said why it cannot run, or
 * ended again and again without a word), VFK_E_TIMEOUT, VFK_E_SYS. */
int engine_connect(struct ctl_client **out, int timeout_ms,
		   struct vfk_err *err) VFK_MUST_CHECK;

#endif
