/* SPDX-License-Identifier: Apache-2.0 */
/* A test build's proof that the loop process never blocks: a system call filter that kills
 * it on fsync, fdatasync, setns and on opening a netlink socket.  Layer: engine. */
#ifndef VFK_ENGINE_HOLD_H
#define VFK_ENGINE_HOLD_H

#include "base/attr.h"
#include "base/err.h"

/* From here on the calling process may not block.  Does nothing unless built with
 * --enable-loop-hold. */
int hold_loop(struct vfk_err *err) VFK_MUST_CHECK;

#endif
