/* SPDX-License-Identifier: Apache-2.0 */
/* CNI GC: what a runtime says that it holds valid, in time or long after, and what must not
 * be taken because of it. */
#ifndef VFK_TESTS_SIM_COLLECT_H
#define VFK_TESTS_SIM_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "callers.h"
#include "rng.h"

void collect_reset(void);
/* A GC of one network: with a list that is true or was once, or without one. */
struct call collect_call(struct rng *r);
/* The keys of its list, as they follow others; "" without one. */
void collect_list(char *out, size_t cap, const struct call *call);
/* Claims, as bits, that a configuration names. */
uint64_t collect_named(const char *text);
void collect_begins(struct call *call, uint64_t start_ns);
void collect_answered(const struct call *call, uint64_t start_ns, int exit_code);
/* P3: a GC that does not name this claim began after its ADD. */
bool collect_may_take(unsigned claim, uint64_t add_start_ns);
/* The IPAM plugin gives back the address of this claim. */
void collect_pays(unsigned claim, uint64_t gc_start_ns);

#endif
