/* SPDX-License-Identifier: Apache-2.0 */
/* The pod of a call: its namespace, and for CNI CHECK whether a link in it is still as the
 * result of its ADD says.  Layer: drivers. */
#ifndef VFK_DRIVERS_POD_H
#define VFK_DRIVERS_POD_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "drivers/driver.h"

struct link;
struct vnl;

/* Opens a socket in the pod's namespace.  VFK_E_NETNS: it has none (any more). */
int pod_open(const struct drv_call *call, struct vnl **pod,
	     struct vfk_err *err) VFK_MUST_CHECK;
/* Tells who the pod is: before anything is moved, so that its end is heard from the start.
 * VFK_E_NETNS: it is the namespace of 'home'. */
int pod_identify(struct vnl *home, struct vnl *pod, const struct drv_call *call,
		 struct drv_out *out, struct vfk_err *err) VFK_MUST_CHECK;
/* What an ADD's result says of 'link'. */
void pod_tell(const struct link *link, struct drv_out *out);

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
