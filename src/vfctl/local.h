/* SPDX-License-Identifier: Apache-2.0 */
/* What vfctl does by itself: help and the state machines.  Layer: program. */
#ifndef VFK_VFCTL_LOCAL_H
#define VFK_VFCTL_LOCAL_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

void help_print(void);
/* One command; VFK_E_USAGE if it does not exist. */
int help_command(const char *name, struct vfk_err *err) VFK_MUST_CHECK;

/* Prints one machine, or all for NULL: diagram and table, or 'dot', or 'json'. */
int fsm_print(const char *machine, bool dot, bool json, struct vfk_err *err) VFK_MUST_CHECK;

#endif
