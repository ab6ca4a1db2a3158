/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator held against a set that is asked one address after the other. */
#include "engine/addr_range.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "suite.h"

static struct cni_cidr cidr(const char *text)
{
	struct cni_cidr out;

	CU_ASSERT_FATAL(cni_cidr_parse(text, false, &out));
	return out;
}

static struct addr_range range(const char *subnet)
{
	struct cni_cidr c = cidr(subnet);
	struct addr_range r = { .family = c.family, .prefix_len = c.prefix_len };

	r.span = addr_usable(&c);
	return r;
}

static const char *text_of(const struct addr_range *r, addr_num n)
{
	static char buf[CNI_CIDR_TEXT];
	struct cni_cidr c = { .family = r->family };

	addr_from_num(r->family, n, c.addr);
	return cni_cidr_format(&c, true, buf);
}

static void knows_the_ends(void)
{
	static const struct {
		const char *subnet, *first, *last;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.0.1", "10.1.255.254" },
		{ "10.1.2.77/24", "10.1.2.1", "10.1.2.254" },
		{ "10.1.2.8/30", "10.1.2.9", "10.1.2.10" },
		{ "10.1.2.8/31", "10.1.2.8", "10.1.2.9" },
		{ "10.1.2.8/32", "10.1.2.8", "10.1.2.8" },
		{ "0.0.0.0/0", "0.0.0.1", "255.255.255.254" },
		{ "fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff" },
		{ "fd00::8/127", "fd00::8", "fd00::9" },
		{ "::/0", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		struct addr_range r = range(rows[i].subnet);

		SUITE_STR(text_of(&r, r.span.first), rows[i].first);
		SUITE_STR(text_of(&r, r.span.last), rows[i].last);
	}
}

static uint64_t state = 1;

static uint64_t roll(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static int compare(const void *a, const void *b)
{
	addr_num left = *(const addr_num *)a, right = *(const addr_num *)b;

	return (left > right) - (left < right);
}

/* Whether the address is given by the words of the contract. */
static bool may_give(const struct addr_range *r, const addr_num *held, size_t n,
		     addr_num addr)
{
	if (addr < r->span.first || addr > r->span.last)
		return false;
	for (unsigned i = 0; i < r->n_holes; i++)
		if (addr >= r->holes[i].first && addr <= r->holes[i].last)
			return false;
	for (size_t i = 0; i < n; i++)
		if (held[i] == addr)
			return false;
	return true;
}

/* The first one from place 'seed' on, round the end. */
static bool expected(const struct addr_range *r, const addr_num *held, size_t n,
		     uint64_t seed, addr_num *out)
{
	addr_num size = r->span.last - r->span.first + 1;

	for (addr_num i = 0; i < size; i++) {
		*out = r->span.first + (seed % size + i) % size;
		if (may_give(r, held, n, *out))
			return true;
	}
	return false;
}

static void random_range(struct addr_range *r)
{
	*r = range(roll(2) ? "10.1.2.0/26" : "fd00::/122");
	r->span.first += roll(10);
	r->span.last -= roll(10);
	r->n_holes = (unsigned)roll(5);
	for (unsigned i = 0; i < r->n_holes; i++) {
		r->holes[i].first = r->span.first + roll(60) - 3;
		r->holes[i].last = r->holes[i].first + roll(9);
	}
}

static void gives_what_a_search_finds(void)
{
	unsigned n_given = 0, n_full = 0;

	for (unsigned round = 0; round < 20000; round++) {
		struct addr_range r;
		addr_num held[300], got = 0, want = 0;
		size_t n = roll(VFK_ARRAY_SIZE(held));
		uint64_t seed = roll(round % 2 ? 100 : UINT64_MAX);
		bool found;

		random_range(&r);
		for (size_t i = 0; i < n; i++) /* some twice, some outside */
			held[i] = r.span.first + roll(70) - 5;
		qsort(held, n, sizeof(held[0]), compare);
		found = expected(&r, held, n, seed, &want);
		n_given += found;
		n_full += !found;
		if (addr_pick(&r, held, n, seed, &got) != found || (found && got != want)) {
			CU_FAIL("another address");
			return;
		}
		want = r.span.first + roll(70) - 5;
		if (addr_is_free(&r, held, n, want) != may_give(&r, held, n, want)) {
			CU_FAIL("another answer");
			return;
		}
	}
	CU_ASSERT(n_given > 1000 && n_full > 100); /* both were seen */
}

/* Taking until it is full gives every address once; giving one back gives it again. */
static void gives_each_once(void)
{
	struct addr_range r = range("10.1.0.0/22");
	size_t n = 0, size;
	addr_num held[1024], got;

	r.holes[r.n_holes++] = (struct addr_span){ r.span.first, r.span.first };
	r.holes[r.n_holes++] = (struct addr_span){ r.span.last - 255, r.span.last - 200 };
	size = 1022 - 1 - 56;
	while (addr_pick(&r, held, n, n * 7, &got)) {
		CU_ASSERT_FATAL(n < size);
		CU_ASSERT_FATAL(may_give(&r, held, n, got));
		held[n++] = got;
		qsort(held, n, sizeof(held[0]), compare);
	}
	SUITE_INT(n, size);
	got = held[500];
	memmove(held + 500, held + 501, (n - 501) * sizeof(held[0]));
	CU_ASSERT_TRUE(addr_pick(&r, held, n - 1, 3, &held[n - 1]));
	CU_ASSERT(held[n - 1] == got);
}

static void slices_are_apart(void)
{
	struct addr_range whole = range("10.0.0.0/16"), part;
	addr_num next = whole.span.first;

	for (uint64_t i = 0; i < 300; i++) {
		part = whole;
		CU_ASSERT_TRUE_FATAL(addr_slice(&part.span, 300, i));
		CU_ASSERT(part.span.first == next && part.span.last >= part.span.first);
		next = part.span.last + 1;
		SUITE_INT((int)(part.span.last - part.span.first + 1), 65534 / 300);
	}
	CU_ASSERT(next <= whole.span.last + 1);
	part = whole;
	CU_ASSERT_FALSE(addr_slice(&part.span, 300, 300));
	CU_ASSERT_FALSE(addr_slice(&part.span, 65535, 0));
	CU_ASSERT_TRUE(addr_slice(&part.span, 65534, 65533));
	CU_ASSERT(part.span.first == whole.span.last && part.span.last == whole.span.last);
	whole = range("::/0"); /* nearly more addresses than the number holds */
	CU_ASSERT_TRUE(addr_slice(&whole.span, 2, 1));
	SUITE_STR(text_of(&whole, whole.span.first), "8000::");
}

VFK_SUITE(addr_range,
	  { "knows the first and the last address of a subnet", knows_the_ends },
	  { "gives the address that a search finds", gives_what_a_search_finds },
	  { "gives each address once, and none is lost", gives_each_once },
	  { "cuts slices that lie side by side", slices_are_apart })
