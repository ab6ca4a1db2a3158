/* SPDX-License-Identifier: Apache-2.0 */
#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static bool still_breaks(const struct history *h, const char *promise)
{
	story_reset(STORY_OFF);
	return !history_play(h) && !strcmp(story_broken_promise(), promise);
}

static unsigned left(const struct history *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n; i++)
		n += !h->events[i].left_out;
	return n;
}

/* Tries without each run of 'size' events.  False: all of them are needed. */
static bool without(struct history *h, unsigned size, const char *promise)
{
	bool any = false;

	for (unsigned from = 0; from < h->n; from += size) {
		struct history shorter = *h;
		unsigned gone = 0;

		for (unsigned i = from; i < from + size && i < h->n; i++) {
			gone += !shorter.events[i].left_out;
			shorter.events[i].left_out = true;
		}
		if (!gone || !still_breaks(&shorter, promise))
			continue;
		*h = shorter;
		any = true;
	}
	return any;
}

unsigned shrink(struct history *h)
{
	char promise[8];

	story_reset(STORY_OFF);
	if (history_play(h))
		return left(h);
	snprintf(promise, sizeof(promise), "%s", story_broken_promise());
	for (unsigned size = h->n / 2; size; size /= 2)
		while (without(h, size, promise) && size == 1)
			;
	return left(h);
}

bool shrink_keep(struct history *h, const char *list)
{
	for (unsigned i = 0; i < h->n; i++)
		h->events[i].left_out = true;
	while (*list) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (end == list)
			return false;
		if (*end == '-') {
			list = end + 1;
			to = strtoul(list, &end, 10);
		}
		for (unsigned long i = from; i <= to && i < h->n; i++)
			h->events[i].left_out = false;
		if (*end && *end != ',')
			return false;
		list = *end ? end + 1 : end;
	}
	return true;
}

void shrink_print_keep(const struct history *h)
{
	const char *comma = "";

	for (unsigned i = 0; i < h->n; i++) {
		unsigned to = i;

		if (h->events[i].left_out)
			continue;
		while (to + 1 < h->n && !h->events[to + 1].left_out)
			to++;
		printf(to > i ? "%s%u-%u" : "%s%u", comma, i, to);
		comma = ",";
		i = to;
	}
}
