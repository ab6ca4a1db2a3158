/* SPDX-License-Identifier: Apache-2.0 */
/* What happens, as lines that a person follows, and what was broken. */
#ifndef VFK_TESTS_SIM_STORY_H
#define VFK_TESTS_SIM_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum story_mode {
	STORY_OFF,
	STORY_HASH, /* the lines are only summed up: the same history, the same sum */
	STORY_PRINT
};

extern enum story_mode story_mode;

void story_reset(enum story_mode mode);
void story_line(const char *fmt, ...) VFK_PRINTF(1, 2);
#define story(...)                                                                       \
	do {                                                                             \
		if (story_mode != STORY_OFF)                                             \
			story_line(__VA_ARGS__);                                         \
	} while (0)

/* A promise is broken; the first of a history counts.  'promise' is "P3", "R6", ... */
void broken(const char *promise, const char *fmt, ...) VFK_PRINTF(2, 3);
/* NULL: nothing is broken. */
const char *story_broken(void);
const char *story_broken_promise(void); /* "P3" */
uint64_t story_hash(void);

#endif
