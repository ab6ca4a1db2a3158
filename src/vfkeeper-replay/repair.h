/* SPDX-License-Identifier: Apache-2.0 */
/* --repair: a journal that can be used again, from what is whole of a damaged one and from the
 * kernel.  Layer: program. */
#ifndef VFK_REPLAY_REPAIR_H
#define VFK_REPLAY_REPAIR_H

#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"

/* 'dir' NULL: the node's own, for which no engine may run meanwhile; then one is started that
 * looks at every VF.  Says on 'out' what was kept, saved and lost.  VFK_E_BUSY: an engine
 * runs; VFK_E_VERSION: nothing was touched; VFK_E_SYS. */
int repair(const char *dir, int timeout_ms, FILE *out, struct vfk_err *err) VFK_MUST_CHECK;

#endif
