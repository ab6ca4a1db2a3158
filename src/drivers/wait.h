/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for what the kernel does by itself.  Layer: drivers. */
#ifndef VFK_DRIVERS_WAIT_H
#define VFK_DRIVERS_WAIT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Looks with 'ready' at once, whenever the kernel tells of a link, and now and then where
 * it tells nothing, until that returns non-zero (which is returned), or 'until' has come (0). */
int drv_wait(int (*ready)(void *arg, struct vfk_err *err), void *arg,
	     int64_t until_boot_ns, struct vfk_err *err) VFK_MUST_CHECK;

#endif
