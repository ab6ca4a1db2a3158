/* SPDX-License-Identifier: Apache-2.0 */
/* Chance that can be had again: everything that happens in a history comes from its seed. */
#ifndef VFK_TESTS_SIM_RNG_H
#define VFK_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t rng_next(struct rng *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	return rng_mix(r->state);
}

/* 0 .. n-1; 0 for n == 0 */
static inline unsigned rng_below(struct rng *r, unsigned n)
{
	return n ? (unsigned)((rng_next(r) >> 32) % n) : 0;
}

static inline bool rng_one_in(struct rng *r, unsigned n)
{
	return rng_below(r, n) == 0;
}

#endif
