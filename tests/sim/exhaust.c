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

/* What may overtake what: more than any frame, plugin, job or retry takes, so that it does not
 * depend on the order so far which of them are ready. */
#define HORIZON (30 * MS)
#define MAX_ACTS 40 /* more than one event has */
#define WALKS 3000
#define STRANGE_ONE_IN 200
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
static unsigned n_states, n_paths, acts, drawn, strange;
static struct rng *at_random; /* the choices are drawn, and nothing is new */

static bool is_new(uint64_t hash)
{
	unsigned i = (unsigned)(hash & (MAX_STATES - 1));

	hash |= 1;
	drawn += at_random != NULL;
	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (MAX_STATES - 1);
	if (seen[i])
		return false;
	if (at_random) {
		strange++;
		return true;
	}
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
				     shadow_synced(&shadow.lease[i].at));
	return h;
}

static unsigned choose(unsigned among, bool grows)
{
	if (at_random) /* a crash seldom: there is one for a path */
		return !grows			? rng_below(at_random, among) :
		       rng_below(at_random, 30) ? 0 :
						  1 + rng_below(at_random, MAX_ACTS / 4);
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

/* One event, and the engine dies before it, at its n-th act in it, or not at all. */
static void one_event(unsigned which, bool *crashed)
{
	unsigned ops = engine_ops(), lives = engine_now() != NULL, taken = 0;
	struct fork *f = NULL;

	if (!*crashed) {
		taken = choose(1 + lives, true);
		f = at_random ? NULL : &forks[depth - 1];
	}
	if (taken == 1 && lives) {
		*crashed = true;
		engine_kill(0);
		return; /* what is ready may be something else now */
	}
	if (taken)
		engine_kill(taken - lives);
	when_run_nth(which);
	engine_kill_never();
	if (f && f->grows && !taken) {
		f->grows = false;
		f->among += engine_ops() - ops;
		acts += n_paths == 0 ? engine_ops() - ops : 0;
	}
	*crashed |= taken && engine_ops() - ops >= taken - lives;
}

static void begin(const struct scenario *s)
{
	struct history world = { .n_vfs = 1, .seed = 1 };

	when_exact = true;
	world_begin(&world);
	for (unsigned i = 0; i < 2; i++)
		caller_start(&(struct call){ .verb = s->verb[i],
					     .claim = claim_of(s->pod[i], 0),
					     .ipam = s->ipam,
					     .netns = s->verb[i] == CNI_ADD });
}

static bool walk(const struct scenario *s)
{
	bool crashed = false, known = false;

	depth = 0;
	begin(s);
	while (!story_broken() && !known) {
		unsigned n = when_ready(HORIZON);

		if (!n || (!callers_running() && !workers_busy()))
			break;
		if (depth >= n_forks)
			known = !is_new(state_hash(crashed)) && !at_random;
		if (known)
			break;
		one_event(n > 1 ? choose(n, false) : 0, &crashed);
		promise_step();
	}
	if (!story_broken() && !known &&
	    (is_new(state_hash(crashed) ^ 2) || (at_random && n_paths % 16 == 0)))
		world_calm(false, false);
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

/* What an engine does where nothing is reordered and nothing dies, counted without us. */
static unsigned plain_acts(const struct scenario *s)
{
	unsigned before = engine_ops(), n;

	story_reset(STORY_OFF);
	begin(s);
	before = engine_ops();
	while (callers_running() || workers_busy())
		when_run();
	n = engine_ops() - before;
	world_end();
	return n;
}

/* Paths that are drawn, with nothing left out because it was met before: what they meet has to
 * be known, but for the little in which states differ that look the same to us. */
static bool wander(const struct scenario *s)
{
	struct rng r = { .state = 1 };
	bool good = true;

	at_random = &r;
	drawn = strange = n_forks = 0;
	for (unsigned i = 0; i < WALKS && good; i++) {
		story_reset(STORY_OFF);
		good = walk(s);
	}
	at_random = NULL;
	if (!good)
		printf("broken: %s (on a path that was drawn)\n", story_broken());
	if (strange > drawn / STRANGE_ONE_IN)
		good = false;
	printf("exhaustive: %s: of %u states drawn %u are strange\n", s->what, drawn,
	       strange);
	return good;
}

static bool exhaust(unsigned number)
{
	const struct scenario *s = &scenarios[number];
	unsigned plain = plain_acts(s);
	bool good = true;

	memset(seen, 0, MAX_STATES * sizeof(*seen));
	n_states = n_paths = n_forks = acts = 0;
	do {
		story_reset(STORY_OFF);
		good = walk(s);
	} while (good && next_path());
	if (!good) {
		memset(seen, 0, MAX_STATES * sizeof(*seen));
		tell(number);
	}
	printf("exhaustive: %s: states=%u paths=%u acts=%u of %u\n", s->what, n_states,
	       n_paths, acts, plain);
	return good && acts == plain && wander(s);
}

bool exhaust_all(int only)
{
	bool good = true;

	seen = calloc(MAX_STATES, sizeof(*seen));
	if (!seen)
		abort();
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(scenarios); i++)
		if (only < 0 || (unsigned)only == i)
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
