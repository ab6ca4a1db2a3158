/* SPDX-License-Identifier: Apache-2.0 */
/* Logging: "level module key=value ... text", one line per call, to standard error or to a
 * sink (io/log_out.h).  A value that is not a plain word is quoted (log_field), so that the
 * line can be taken apart again.  Layer: base. */
#ifndef VFK_BASE_LOG_H
#define VFK_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum log_level {
	LOG_LV_ERROR,  /* we gave up on something */
	LOG_LV_WARN,   /* unexpected, handled */
	LOG_LV_NOTICE, /* one line per state change */
	LOG_LV_INFO,
	LOG_LV_DEBUG
};

#define LOG_LINE_MAX 768 /* bytes of a line with its NUL; the rest is cut */

/* Every call leaves errno as it was.  'module' is a short token: "journal", "engine". */
void log_at(enum log_level level, const char *module, const char *fmt, ...)
	VFK_PRINTF(3, 4);
#define log_error(module, ...) log_at(LOG_LV_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...) log_at(LOG_LV_WARN, module, __VA_ARGS__)
#define log_notice(module, ...) log_at(LOG_LV_NOTICE, module, __VA_ARGS__)
#define log_info(module, ...) log_at(LOG_LV_INFO, module, __VA_ARGS__)
#define log_debug(module, ...) log_at(LOG_LV_DEBUG, module, __VA_ARGS__)

/* Appends " key=value" ("key=value" at the beginning) to the text in 'buf'; nothing for an
 * empty value.  What is not a plain word is put into quotes, with \" and \\ inside. */
void log_field(char *buf, size_t cap, const char *key, const char *value);

/* The modules whose level can be set each by itself; another word is logged by the common
 * level. */
/* clang-format off */
#define LOG_MODULES(X)                                                                   \
	X(cni) X(config) X(ctl) X(daemon) X(engine) X(ethernet) X(events) X(http) X(ib)  \
	X(inflight) X(ipam) X(journal) X(loop) X(nl) X(pool) X(rdma) X(server) X(sim)    \
	X(spool) X(start) X(verbs)
/* clang-format on */
struct log_levels {
	uint8_t common;
#define X(name) uint8_t name;
	LOG_MODULES(X)
#undef X
};
#define LOG_N_MODULES (sizeof(struct log_levels) - 1)
const char *log_module(size_t i); /* NULL behind the last one */
/* Of one module; of "all": of every module and of what is none.  False: unknown. */
bool log_set_module(const char *module, enum log_level level);
enum log_level log_get_module(const char *module);
/* All at once, to hand them to another process. */
struct log_levels log_get_levels(void);
void log_set_levels(const struct log_levels *levels);

void log_set_level(enum log_level level); /* of all modules; default LOG_LV_INFO */
enum log_level log_get_level(void);	  /* the common one */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);
/* Where lines go; NULL = standard error.  For tests and fuzzers. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));
/* The last 256 lines, debug ones included, oldest first, or as many as somebody reads.  Signal
 * handlers may call it. */
void log_ring_write(int fd);

#endif
