/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated time: what is to happen, in order.  Nothing here looks at a real clock. */
#ifndef VFK_TESTS_SIM_WHEN_H
#define VFK_TESTS_SIM_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define US INT64_C(1000)
#define MS NS_PER_MS
#define SEC NS_PER_S

typedef void (*when_fn)(uint64_t a, uint64_t b);

extern int64_t when_now;	 /* CLOCK_BOOTTIME */
extern int64_t when_wall_offset; /* CLOCK_REALTIME is that much more */
extern unsigned when_steps;	 /* events that have happened */

void when_reset(void);
/* Events of one instant happen in the order in which they were asked for. */
void when_after(int64_t ns, when_fn fn, uint64_t a, uint64_t b);
/* The one timer of an engine's loop, set anew by each call; 0: not set. */
void when_alarm(int64_t at_ns, when_fn fn, uint64_t a);
/* False: nothing is to happen. */
bool when_next(int64_t *at_ns);
/* Lets the next event happen; time moves to it. */
void when_run(void);
/* For a run that tries every order: the events that might happen next, none of them more
 * than 'horizon_ns' behind the first, those of one channel in their order only. */
unsigned when_ready(int64_t horizon_ns);
void when_run_nth(unsigned n); /* of these */
/* Of all that is to happen, whenever, and of what is ready (when_ready comes before). */
uint64_t when_hash(void);
/* What the next when_after belongs to; it is 0 again afterwards. */
extern uint64_t when_channel;
extern bool when_exact; /* no jitter: somebody chooses the order */

/* A reboot: what was to happen to the old system never will. */
void when_forget(void);

/* How long something takes that nobody has an opinion about: 'around', give or take half,
 * the same for the same history. */
int64_t when_jitter(int64_t around_ns);
void when_seed(uint64_t seed);

#endif
