/* SPDX-License-Identifier: Apache-2.0 */
/* DELs that wait in the spool (R5): on the disk, so they outlive everything. */
#ifndef VFK_TESTS_SIM_SPOOLER_H
#define VFK_TESTS_SIM_SPOOLER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

void spooler_reset(void);
void spooler_leave(const char *env, size_t env_len, const char *text, size_t text_len,
		   uint64_t start_ns, unsigned claim);
void spooler_read(struct engine *e);
unsigned spooler_entries(void);

#endif
