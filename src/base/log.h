/* SPDX-License-Identifier: Apache-2.0 */
/* Logging: "level module key=value ... text", one line per call, to standard error.
 * Layer: base. */
#ifndef VFK_BASE_LOG_H
#define VFK_BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"

enum log_level {
	LOG_LV_ERROR,  /* we gave up on something */
	LOG_LV_WARN,   /* unexpected, handled */
	LOG_LV_NOTICE, /* one line per state change */
	LOG_LV_INFO,
	LOG_LV_DEBUG
};

/* Every call leaves errno as it was.  'module' is a short token: "journal", "engine". */
void log_at(enum log_level level, const char *module, const char *fmt, ...)
	VFK_PRINTF(3, 4);
#define log_error(module, ...) log_at(LOG_LV_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...) log_at(LOG_LV_WARN, module, __VA_ARGS__)
#define log_notice(module, ...) log_at(LOG_LV_NOTICE, module, __VA_ARGS__)
#define log_info(module, ...) log_at(LOG_LV_INFO, module, __VA_ARGS__)
#define log_debug(module, ...) log_at(LOG_LV_DEBUG, module, __VA_ARGS__)

void log_set_level(enum log_level level); /* default LOG_LV_INFO */
enum log_level log_get_level(void);
bool log_level_parse(const char *name, enum log_level *out);
/* Where lines go; NULL = standard error.  For tests and fuzzers. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));
/* The last 256 lines, debug ones included, oldest first. */
void log_ring_each(void (*fn)(void *arg, const char *line), void *arg);

#endif
