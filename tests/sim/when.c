/* SPDX-License-Identifier: Apache-2.0 */
#include "when.h"

#include <stdint.h>
#include <stdlib.h>

#include "rng.h"

#define MAX_EVENTS 1024

struct event {
	int64_t at_ns;
	uint64_t order, a, b, channel;
	when_fn fn;
};

int64_t when_now, when_wall_offset;
uint64_t when_channel;
unsigned when_steps;
bool when_exact;

static struct event heap[MAX_EVENTS];
static unsigned n_events;
static uint64_t next_order;
static struct rng jitter;
static struct event alarm_event; /* at_ns 0: not set */

void when_reset(void)
{
	n_events = 0;
	alarm_event.at_ns = 0;
	next_order = 0;
	when_now = 1000 * SEC;
	when_wall_offset = INT64_C(1700000000) * SEC;
	when_steps = 0;
}

void when_forget(void)
{
	n_events = 0;
	alarm_event.at_ns = 0;
}

void when_seed(uint64_t seed)
{
	jitter.state = rng_mix(seed ^ UINT64_C(0x6a09e667f3bcc908));
}

int64_t when_jitter(int64_t around_ns)
{
	if (when_exact)
		return around_ns;
	return around_ns / 2 + (int64_t)(rng_next(&jitter) % (uint64_t)(around_ns + 1));
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void swap(unsigned i, unsigned k)
{
	struct event tmp = heap[i];

	heap[i] = heap[k];
	heap[k] = tmp;
}

void when_after(int64_t ns, when_fn fn, uint64_t a, uint64_t b)
{
	unsigned i = n_events;

	if (n_events == MAX_EVENTS)
		abort();
	heap[n_events++] = (struct event){ .at_ns = when_now + (ns > 0 ? ns : 0),
					   .order = next_order++,
					   .fn = fn,
					   .a = a,
					   .b = b,
					   .channel = when_channel };
	when_channel = 0;
	while (i && before(&heap[i], &heap[(i - 1) / 2])) {
		swap(i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

void when_alarm(int64_t at_ns, when_fn fn, uint64_t a)
{
	alarm_event =
		(struct event){ .at_ns = at_ns, .order = next_order++, .fn = fn, .a = a };
}

static bool alarm_first(void)
{
	return alarm_event.at_ns && (!n_events || before(&alarm_event, &heap[0]));
}

bool when_next(int64_t *at_ns)
{
	if (alarm_first())
		*at_ns = alarm_event.at_ns;
	else if (n_events)
		*at_ns = heap[0].at_ns;
	else
		return false;
	return true;
}

static struct event take(unsigned i)
{
	struct event ev = heap[i];

	heap[i] = heap[--n_events];
	while (i && i < n_events && before(&heap[i], &heap[(i - 1) / 2])) {
		swap(i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
	for (;;) {
		unsigned least = i;

		for (unsigned k = 2 * i + 1; k <= 2 * i + 2 && k < n_events; k++)
			if (before(&heap[k], &heap[least]))
				least = k;
		if (least == i)
			return ev;
		swap(i, least);
		i = least;
	}
}

static void happens(const struct event *ev)
{
	if (ev->at_ns > when_now)
		when_now = ev->at_ns;
	when_steps++;
	ev->fn(ev->a, ev->b);
}

void when_run(void)
{
	struct event ev;

	if (alarm_first()) {
		ev = alarm_event;
		alarm_event.at_ns = 0;
	} else if (n_events) {
		ev = take(0);
	} else {
		return;
	}
	happens(&ev);
}

#define MAX_READY 64
#define ALARM (~0u)
static unsigned ready[MAX_READY], n_ready;

static const struct event *nth(unsigned n)
{
	return ready[n] == ALARM ? &alarm_event : &heap[ready[n]];
}

/* Whether another one of its channel comes first. */
static bool has_to_wait(const struct event *ev)
{
	for (unsigned i = 0; i < n_events && ev->channel; i++)
		if (heap[i].channel == ev->channel && heap[i].order < ev->order)
			return true;
	return false;
}

unsigned when_ready(int64_t horizon_ns)
{
	int64_t first;

	n_ready = 0;
	if (!when_next(&first))
		return 0;
	if (first < when_now)
		first = when_now;
	for (unsigned i = 0; i < n_events && n_ready < MAX_READY - 1; i++)
		if (heap[i].at_ns <= first + horizon_ns && !has_to_wait(&heap[i]))
			ready[n_ready++] = i;
	if (alarm_event.at_ns && alarm_event.at_ns <= first + horizon_ns)
		ready[n_ready++] = ALARM;
	for (unsigned i = 1; i < n_ready; i++) /* in the order of time */
		for (unsigned k = i; k && before(nth(k), nth(k - 1)); k--) {
			unsigned tmp = ready[k];

			ready[k] = ready[k - 1];
			ready[k - 1] = tmp;
		}
	return n_ready;
}

void when_run_nth(unsigned n)
{
	struct event ev;

	if (ready[n] == ALARM) {
		ev = alarm_event;
		alarm_event.at_ns = 0;
	} else {
		ev = take(ready[n]);
	}
	happens(&ev);
}

/* What it is about: of a connection it is enough to know whose, and of no use to know in
 * which place its letter lies. */
static uint64_t about(const struct event *ev)
{
	return rng_mix((uint64_t)(uintptr_t)ev->fn ^
		       (ev->channel ? ev->channel << 52 : ev->a << 48));
}

uint64_t when_hash(void)
{
	uint64_t sum = alarm_event.at_ns ? 1 : 0;

	for (unsigned i = 0; i < n_events; i++)
		sum += about(&heap[i]);
	for (unsigned i = 0; i < n_ready; i++)
		sum += rng_mix(1 + about(nth(i)));
	return rng_mix(sum);
}
