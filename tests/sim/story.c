/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rng.h"
#include "when.h"

enum story_mode story_mode;

static char what[600], promise_broken[8];
static uint64_t hash;

void story_reset(enum story_mode mode)
{
	story_mode = mode;
	what[0] = promise_broken[0] = '\0';
	hash = 0;
}

static void put(const char *line)
{
	int64_t us = (when_now - 1000 * SEC) / US;

	hash = rng_mix(hash ^ (uint64_t)us);
	for (const char *p = line; *p; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	if (story_mode == STORY_PRINT)
		printf("%5lld.%06lld %s\n", (long long)(us / 1000000),
		       (long long)(us % 1000000), line);
}

void story_line(const char *fmt, ...)
{
	char line[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put(line);
}

void broken(const char *promise, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (story_mode == STORY_PRINT) {
		char line[600];

		snprintf(line, sizeof(line), "BROKEN %s: %s", promise, text);
		put(line);
	}
	if (what[0])
		return;
	snprintf(what, sizeof(what), "%s: %s", promise, text);
	snprintf(promise_broken, sizeof(promise_broken), "%s", promise);
}

const char *story_broken(void)
{
	return what[0] ? what : NULL;
}

const char *story_broken_promise(void)
{
	return promise_broken;
}

uint64_t story_hash(void)
{
	return hash;
}
