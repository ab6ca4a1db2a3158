/* SPDX-License-Identifier: Apache-2.0 */
/* Every order of a few events, with a crash of the engine at every point: enumerated, not
 * sampled.  The model that is checked is the engine itself. */
#ifndef VFK_TESTS_SIM_EXHAUST_H
#define VFK_TESTS_SIM_EXHAUST_H

#include <stdbool.h>

/* Two callers, one VF, an engine on demand that dies once, wherever it can, and is started
 * again by whoever needs it.  Prints "exhaustive: <what>: states=N paths=N".  False: broken;
 * the way there is told. */
bool exhaust_all(int only); /* -1: all scenarios */
/* Tells one path of scenario 'n' again: choices as printed. */
bool exhaust_path(unsigned n, const char *choices);

#endif
