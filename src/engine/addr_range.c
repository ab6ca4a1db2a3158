/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/addr_range.h"

#include <string.h>
#include <sys/socket.h>

static unsigned octets(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

addr_num addr_to_num(uint8_t family, const uint8_t addr[16])
{
	addr_num n = 0;

	for (unsigned i = 0; i < octets(family); i++)
		n = n << 8 | addr[i];
	return n;
}

void addr_from_num(uint8_t family, addr_num n, uint8_t addr[16])
{
	memset(addr, 0, 16);
	for (unsigned i = octets(family); i--; n >>= 8)
		addr[i] = (uint8_t)n;
}

struct addr_span addr_all(const struct cni_cidr *subnet)
{
	unsigned free_bits = octets(subnet->family) * 8 - subnet->prefix_len;
	addr_num mask = free_bits == 128 ? ~(addr_num)0 : ((addr_num)1 << free_bits) - 1;
	addr_num n = addr_to_num(subnet->family, subnet->addr);

	return (struct addr_span){ .first = n & ~mask, .last = n | mask };
}

struct addr_span addr_usable(const struct cni_cidr *subnet)
{
	struct addr_span span = addr_all(subnet);

	if (span.last - span.first < 2)
		return span;
	span.first++;
	if (subnet->family == AF_INET)
		span.last--;
	return span;
}

bool addr_slice(struct addr_span *span, uint64_t count, uint64_t index)
{
	addr_num left = span->last -
			span->first; /* one less than the size: that may not fit */
	addr_num size;

	if (index >= count)
		return false;
	size = left / count + (left % count == count - 1);
	if (!size)
		return false;
	span->first += size * index;
	span->last = span->first + size - 1;
	return true;
}

/* The end of the hole that 'n' lies in, or 'n' itself minus one. */
static bool in_hole(const struct addr_range *r, addr_num n, addr_num *last)
{
	for (unsigned i = 0; i < r->n_holes; i++)
		if (n >= r->holes[i].first && n <= r->holes[i].last) {
			*last = r->holes[i].last;
			return true;
		}
	return false;
}

/* The index of the first held address that is not below 'n'. */
static size_t lower_bound(const addr_num *held, size_t n_held, addr_num n)
{
	size_t low = 0, high = n_held;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (held[mid] < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first free address from 'n' to 'last'. */
static bool first_free(const struct addr_range *r, const addr_num *held, size_t n_held,
		       addr_num n, addr_num last, addr_num *out)
{
	size_t at = lower_bound(held, n_held, n);

	for (;;) {
		addr_num skip;

		if (in_hole(r, n, &skip)) {
			if (skip >= last)
				return false;
			n = skip + 1;
			at += lower_bound(held + at, n_held - at, n);
			continue;
		}
		while (at < n_held && held[at] < n) /* listed twice */
			at++;
		if (at == n_held || held[at] != n) {
			*out = n;
			return true;
		}
		if (n == last)
			return false;
		n++;
		at++;
	}
}

bool addr_pick(const struct addr_range *r, const addr_num *held, size_t n_held,
	       uint64_t seed, addr_num *out)
{
	addr_num size = r->span.last - r->span.first + 1;
	addr_num start = r->span.first + (size ? seed % size : seed);

	return first_free(r, held, n_held, start, r->span.last, out) ||
	       (start > r->span.first &&
		first_free(r, held, n_held, r->span.first, start - 1, out));
}

bool addr_is_free(const struct addr_range *r, const addr_num *held, size_t n_held,
		  addr_num addr)
{
	size_t at = lower_bound(held, n_held, addr);
	addr_num last;

	return addr >= r->span.first && addr <= r->span.last &&
	       !in_hole(r, addr, &last) && (at == n_held || held[at] != addr);
}
