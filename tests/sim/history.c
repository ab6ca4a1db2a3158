/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "rng.h"
#include "story.h"
#include "when.h"

static const struct {
	const char *name;
	unsigned often;
} kinds[] = {
#define X(name, often, text) { #name, often },
	EVENTS(X)
#undef X
};

const char *event_name(enum event_kind kind)
{
	return kind < EVENT_N ? kinds[kind].name : "?";
}

bool event_find(const char *name, enum event_kind *out)
{
	for (unsigned i = 0; i < EVENT_N; i++)
		if (!strcmp(kinds[i].name, name)) {
			*out = (enum event_kind)i;
			return true;
		}
	return false;
}

/* Each history knows only some kinds of trouble: where everything happens at once, little
 * goes far. */
static void choose_kinds(struct rng *r, unsigned often[EVENT_N], unsigned *sum)
{
	/* Few nodes change from one plugin to another. */
	bool changes = rng_mix(~r->state) % 4 == 0;

	*sum = 0;
	for (unsigned i = EVENT_PEER_ADD; i < EVENT_N; i++) {
		often[i] = changes ? kinds[i].often : 0;
		*sum += often[i];
	}
	for (unsigned i = 0; i < EVENT_PEER_ADD; i++) {
		bool always = i == EVENT_ADD || i == EVENT_DEL || i == EVENT_PASS;

		often[i] = always || rng_one_in(r, 2) ? kinds[i].often : 0;
		/* Rare ones are as good as never among a hundred: now and then, one is not. */
		if (often[i] && often[i] < 30 && rng_one_in(r, 6))
			often[i] *= 6;
		*sum += often[i];
	}
}

void history_make(struct history *h, uint64_t seed)
{
	struct rng r = { .state = rng_mix(seed) };
	unsigned often[EVENT_N], sum;

	memset(h, 0, sizeof(*h));
	h->seed = seed;
	h->n_vfs = 1 + rng_below(&r, 4);
	h->kinds = rng_below(&r, 2);
	h->sync_all = rng_one_in(&r, 8);
	h->service = rng_below(&r, 3) > 0;
	h->thorough = rng_one_in(&r, 16);
	h->n = HISTORY_EVENTS;
	choose_kinds(&r, often, &sum);
	for (unsigned i = 0; i < h->n; i++) {
		unsigned at = rng_below(&r, sum), kind = 0;

		while (at >= often[kind])
			at -= often[kind++];
		h->events[i].kind = (uint8_t)kind;
		h->events[i].word = rng_next(&r);
	}
}

/* How long until the next event: often too short for anything to be over. */
static int64_t pause_ns(uint64_t word)
{
	static const int64_t most[] = { 0, 100 * US, MS, 3 * MS, 20 * MS, 100 * MS };
	struct rng r = { .state = ~word };
	int64_t ns = most[rng_below(&r, VFK_ARRAY_SIZE(most))];

	return ns ? (int64_t)(rng_next(&r) % (uint64_t)ns) : 0;
}

bool history_play(const struct history *h)
{
	bool good = true;

	/* To write lines that nobody reads takes a twentieth of the time. */
	log_set_level(story_mode == STORY_OFF && !h->thorough ? LOG_LV_ERROR : LOG_LV_INFO);
	world_begin(h);
	for (unsigned i = 0; i < h->n && good; i++) {
		if (h->events[i].left_out)
			continue;
		story("[%u] %s", i, event_name((enum event_kind)h->events[i].kind));
		world_event(&h->events[i]);
		good = !story_broken() && world_run(pause_ns(h->events[i].word));
	}
	if (good)
		good = world_calm(h->thorough, h->seed % 3 == 0);
	world_end();
	return good;
}
