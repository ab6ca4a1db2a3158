/* SPDX-License-Identifier: Apache-2.0 */
/* One request, carried to whatever engine there is or comes, until it is answered.
 * Layer: program. */
#ifndef VFK_VFKEEPER_SESSION_H
#define VFK_VFKEEPER_SESSION_H

#include <stdint.h>

#include "vfkeeper/request.h"

/* Returns the exit status >= 0 after the engine's answer was written to standard output, or
 * a negative value with nothing written: VFK_E_TIMEOUT at 'until_ns' (CLOCK_BOOTTIME; the
 * message says "within 'allowed_ms'"), VFK_E_BUSY or VFK_E_SYS where no engine can be had,
 * VFK_E_DECODE, VFK_E_VERSION. */
int session_run(const struct request *rq, int64_t until_ns, int64_t allowed_ms,
		struct vfk_err *err) VFK_MUST_CHECK;

#endif
