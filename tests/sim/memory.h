/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine has in memory, as one number: two orders of the same events have come to the
 * same state if it is the same. */
#ifndef VFK_TESTS_SIM_MEMORY_H
#define VFK_TESTS_SIM_MEMORY_H

#include <stdint.h>

struct engine;

/* Numbers that differ from one order to another are left out. */
uint64_t memory_hash(struct engine *e, uint64_t sum);

#endif
