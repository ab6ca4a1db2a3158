/* SPDX-License-Identifier: Apache-2.0 */
/* --apply: an engine, started where none answers, finishes what is owed.  Layer: program. */
#ifndef VFK_REPLAY_APPLY_H
#define VFK_REPLAY_APPLY_H

#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"

/* Asks until nothing is owed and prints one line.  VFK_E_BUSY: something is still owed after
 * 'timeout_ms', it is named; the engine goes on with it.  Any error of engine_connect. */
int apply(FILE *out, int timeout_ms, struct vfk_err *err) VFK_MUST_CHECK;

#endif
