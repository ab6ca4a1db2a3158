/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a range is given next: numbers in, numbers out.  Used by the IPAM of our
 * own (own_ipam.h).  Layer: engine. */
#ifndef VFK_ENGINE_ADDR_RANGE_H
#define VFK_ENGINE_ADDR_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cni/cni_cidr.h"

/* An address as a number, the first octet most significant; 32 bits of it for IPv4. */
__extension__ typedef unsigned __int128 addr_num;

addr_num addr_to_num(uint8_t family, const uint8_t addr[16]);
void addr_from_num(uint8_t family, addr_num n, uint8_t addr[16]);

#define ADDR_MAX_EXCLUDES 32
#define ADDR_MAX_HOLES (ADDR_MAX_EXCLUDES + 8) /* the gateway, and some to work with */

struct addr_span {
	addr_num first, last; /* both within */
};

struct addr_range {
	uint8_t family, prefix_len;
	bool has_gateway;
	addr_num gateway; /* never given */
	struct addr_span span;
	unsigned n_holes; /* never given: excluded parts and the gateway, anywhere */
	struct addr_span holes[ADDR_MAX_HOLES];
};

/* What may be given of a subnet: without the subnet's own and its broadcast address, except in
 * subnets too small to have them (31, 32, 127, 128). */
struct addr_span addr_usable(const struct cni_cidr *subnet);
/* All addresses of it. */
struct addr_span addr_all(const struct cni_cidr *subnet);

/* Leaves part 'index' of 'count' equal ones (what the division leaves over belongs to nobody).
 * False: index >= count, or no address would be left. */
bool addr_slice(struct addr_span *span, uint64_t count, uint64_t index);

/* The first address at or behind place 'seed' (modulo the size) that is neither in a hole nor
 * in 'held' (sorted), round the end to the beginning.  False: there is none. */
bool addr_pick(const struct addr_range *r, const addr_num *held, size_t n_held,
	       uint64_t seed, addr_num *out);
/* Whether this very address could be given. */
bool addr_is_free(const struct addr_range *r, const addr_num *held, size_t n_held,
		  addr_num addr);

#endif
