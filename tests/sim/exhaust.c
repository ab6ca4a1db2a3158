/* SPDX-License-Identifier: Apache-2.0 */
#include "exhaust.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "callers.h"
#include "engines.h"
#include "history.h"
#include "ipam.h"
#include "kernel.h"
#include "promises.h"
#include "rng.h"
#include "shadow.h"
#include "story.h"
#include "when.h"
#include "workers.h"

#define HORIZON (12 * MS) /* what may overtake what */
#define MAX_DEPTH 600
#define MAX_STATES (1u << 22)

struct scenario {
	const char *what;
	enum cni_verb verb[2];
	unsigned pod[2];
	bool ipam;
};

static const struct scenario scenarios[] = {
	{ "ADD and DEL of one attachment", { CNI_ADD, CNI_DEL }, { 0, 0 }, false },
	{ "ADD and DEL of one attachment, with IPAM", { CNI_ADD, CNI_DEL }, { 0, 0 }, true },
	{ "two ADDs for one VF", { CNI_ADD, CNI_ADD }, { 0, 1 }, false },
	{ "ADD and the same ADD again", { CNI_ADD, CNI_ADD }, { 0, 0 }, false },
};

/* A place on the path where there was a choice. */
struct fork {
	unsigned taken, among;
	bool grows; /* how many ways there are is known when the first has been gone */
};

static struct fork forks[MAX_DEPTH];
static unsigned n_forks, depth;
static uint64_t *seen; /* hash of each state; 0: free */
static unsigned n_states, n_paths;

static bool is_new(uint64_t hash)
{
	unsigned i = (unsigned)(hash & (MAX_STATES - 1));

	hash |= 1;
	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (MAX_STATES - 1);
	if (seen[i])
		return false;
	seen[i] = hash;
	if (++n_states == MAX_STATES / 2)
		abort();
	return true;
}

static uint64_t state_hash(bool crashed)
{
	uint64_t h = rng_mix(crashed);

	h = rng_mix(h ^ engine_hash());
	h = rng_mix(h ^ callers_hash());
	h = rng_mix(h ^ workers_hash());
	h = rng_mix(h ^ ipam_hash());
	h = rng_mix(h ^ when_hash());
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		const struct shadow_vf *s = &shadow.vf[i];
		const struct kvf *v = &vfs[i];

		h = rng_mix(h ^ ((uint64_t)s->rec.state | (uint64_t)s->rec.touched << 8 |
				 (uint64_t)s->rec.done << 24));
		h = rng_mix(h ^ ((uint64_t)v->link.ns | v->link.up << 8 |
				 v->link.n_addrs << 9));
		h = rng_mix(h ^ promise_owner(v));
	}
	for (unsigned i = 0; i < SHADOW_LEASES; i++)
		if (shadow.lease[i].have)
			h += rng_mix(shadow.lease[i].rec.state * 8u +
				     shadow_synced(&shadow.lease[i]));
	return h;
}

static unsigned choose(unsigned among, bool grows)
{
	if (depth == n_forks) {
		if (n_forks == MAX_DEPTH)
			abort();
		forks[n_forks++] = (struct fork){ .among = among, .grows = grows };
	}
	return forks[depth++].taken;
}

/* To the next path; false: there is none. */
static bool next_path(void)
{
	while (n_forks) {
		struct fork *f = &forks[n_forks - 1];

		if (++f->taken < f->among)
			return true;
		n_forks--;
	}
	return false;
}

/* One event, and the engine dies before it (1), at its n-th act in it (1 + n), or not (0). */
static void one_event(unsigned which, bool *crashed)
{
	unsigned ops = engine_ops(), crash = 0;
	struct fork *f = NULL;

	if (!*crashed && engine_exists()) {
		crash = choose(2, true);
		f = &forks[depth - 1];
	}
	*crashed |= crash > 0;
	if (crash == 1) {
		engine_kill(0);
		return; /* what is ready may be something else now */
	}
	if (crash > 1)
		engine_kill(crash - 1);
	when_run_nth(which);
	engine_kill_never();
	if (f && f->grows && crash == 0) {
		f->grows = false;
		f->among = 2 + engine_ops() - ops;
	}
}

static bool walk(const struct scenario *s)
{
	struct history world = { .n_vfs = 1, .seed = 1 };
	bool crashed = false, known = false;

	depth = 0;
	world_begin(&world);
	for (unsigned i = 0; i < 2; i++)
		caller_start(&(struct call){ .verb = s->verb[i],
					     .claim = claim_of(s->pod[i], 0),
					     .ipam = s->ipam,
					     .netns = s->verb[i] == CNI_ADD });
	while (!story_broken() && !known) {
		unsigned n = when_ready(HORIZON);

		if (!n || (!callers_running() && !workers_busy()))
			break;
		if (depth >= n_forks)
			known = !is_new(state_hash(crashed));
		if (known)
			break;
		one_event(n > 1 ? choose(n, false) : 0, &crashed);
		promise_step();
	}
	if (!story_broken() && !known && is_new(state_hash(crashed) ^ 2))
		world_calm(false);
	world_end();
	n_paths++;
	return !story_broken();
}

static void tell(unsigned number)
{
	char what[600];

	story_reset(STORY_PRINT);
	walk(&scenarios[number]);
	snprintf(what, sizeof(what), "%s", story_broken() ? story_broken() : "nothing");
	printf("\nbroken: %s\nreplay: tests/sim/sim --exhaustive %u --path ", what, number);
	for (unsigned i = 0; i < n_forks; i++)
		printf("%s%u", i ? "," : "", forks[i].taken);
	printf("\n");
}

static bool exhaust(unsigned number)
{
	const struct scenario *s = &scenarios[number];
	bool good = true;

	memset(seen, 0, MAX_STATES * sizeof(*seen));
	n_states = n_paths = n_forks = 0;
	do {
		story_reset(STORY_OFF);
		good = walk(s);
	} while (good && next_path());
	if (!good) {
		memset(seen, 0, MAX_STATES * sizeof(*seen));
		tell(number);
	}
	printf("exhaustive: %s: states=%u paths=%u\n", s->what, n_states, n_paths);
	return good;
}

bool exhaust_all(void)
{
	bool good = true;

	seen = calloc(MAX_STATES, sizeof(*seen));
	if (!seen)
		abort();
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(scenarios); i++)
		good &= exhaust(i);
	free(seen);
	return good;
}

bool exhaust_path(unsigned n, const char *choices)
{
	if (n >= VFK_ARRAY_SIZE(scenarios))
		return false;
	seen = calloc(MAX_STATES, sizeof(*seen));
	if (!seen)
		abort();
	for (n_forks = 0; *choices && n_forks < MAX_DEPTH;) {
		char *end;

		forks[n_forks++] =
			(struct fork){ .taken = (unsigned)strtoul(choices, &end, 10) };
		choices = *end ? end + 1 : end;
	}
	tell(n);
	free(seen);
	return !story_broken();
}
