/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl watch: the table of all VFs and what happens to them, until it is interrupted.  What
 * happens is read from the journal, so it goes on while engines come, go or hang; the table is
 * the engine's where one answers at 'socket'.  Layer: program. */
#ifndef VFK_VFCTL_WATCH_H
#define VFK_VFCTL_WATCH_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* 'json': one object per line, {"type": "list", ...} at the beginning and after every change,
 * {"type": "event", ...} for each event.  Returns on an error only, VFK_E_SYS if nobody reads
 * the output any more. */
int watch(const char *socket, bool json, struct vfk_err *err) VFK_MUST_CHECK;

#endif
