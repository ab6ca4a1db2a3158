/* SPDX-License-Identifier: Apache-2.0 */
/* CNI CHECK: is a link in the pod still as the result of its ADD says?  Looks only.  Layer:
 * drivers. */
#ifndef VFK_DRIVERS_POD_H
#define VFK_DRIVERS_POD_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "drivers/driver.h"

/* What is expected beside the call's name, addresses and routes. */
struct pod_expect {
	uint8_t hwaddr[20], hwaddr_len; /* 0: not looked at */
	uint32_t mtu_bytes;		/* 0: likewise */
};

/* Looks at link 'ifindex' in the namespace of 'call'.  Whatever else is there is no business
 * of ours: a later plugin of the chain may have added it.  0: all as expected; 1: it is
 * not, and 'err' names the first difference; or a negative kind. */
int pod_check(const struct drv_call *call, uint32_t ifindex,
	      const struct pod_expect *want, struct vfk_err *err) VFK_MUST_CHECK;

#endif
