/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine has done last, told when a fault of its own ends it.  Layer: engine. */
#ifndef VFK_ENGINE_FATAL_H
#define VFK_ENGINE_FATAL_H

/* From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS and SIGABRT write the last lines of the
 * log to standard error, the ones that were not shown as well; then the process ends as it
 * would have.  'name' (kept) begins the first line.  Handlers that are there already stay: a
 * sanitizer has its own. */
void fatal_watch(const char *name);

#endif
