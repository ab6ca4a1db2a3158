/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_LINES 256
#define READER_MS 100 /* that long a reader of the ring may take for a line */

static const char *const level_name[] = {
	[LOG_LV_ERROR] = "error", [LOG_LV_WARN] = "warn",   [LOG_LV_NOTICE] = "notice",
	[LOG_LV_INFO] = "info",	  [LOG_LV_DEBUG] = "debug",
};

static const char *const modules[] = {
#define X(name) #name,
	LOG_MODULES(X)
#undef X
};
_Static_assert(sizeof(modules) / sizeof(modules[0]) == LOG_N_MODULES, "a byte each");

/* The common one, then one for each module. */
static union {
	struct log_levels named;
	uint8_t of[1 + LOG_N_MODULES];
} levels;
static bool levels_set; /* else all of them are LOG_LV_INFO */
static void (*sink_fn)(enum log_level level, const char *line);
static char ring[RING_LINES][LOG_LINE_MAX];
static size_t ring_total;

static void levels_default(void)
{
	if (!levels_set)
		memset(levels.of, LOG_LV_INFO, sizeof(levels.of));
	levels_set = true;
}

/* Index into levels.of; 0 for a word that is no module. */
static size_t place_of(const char *module)
{
	for (size_t i = 0; i < LOG_N_MODULES; i++)
		if (!strcmp(module, modules[i]))
			return i + 1;
	return 0;
}

/* One write(2) per line, so that lines of several processes do not mix.  Nothing can be
 * done where nobody reads them. */
static void write_line(int fd, const char *line)
{
	char out[LOG_LINE_MAX + 1];
	size_t len = strnlen(line, LOG_LINE_MAX - 1);

	memcpy(out, line, len);
	out[len] = '\n';
	while (write(fd, out, len + 1) < 0 && errno == EINTR)
		;
}

void log_at(enum log_level level, const char *module, const char *fmt, ...)
{
	int saved = errno;
	char *line = ring[ring_total++ % RING_LINES];
	int len = snprintf(line, LOG_LINE_MAX, "%s %s ", level_name[level], module);
	va_list ap;

	if (len > 0 && len < LOG_LINE_MAX) {
		va_start(ap, fmt);
		errno = saved; /* for %m */
		vsnprintf(line + len, LOG_LINE_MAX - (size_t)len, fmt, ap);
		va_end(ap);
	}
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	levels_default();
	if (level <= levels.of[place_of(module)]) {
		if (sink_fn)
			sink_fn(level, line);
		else
			write_line(STDERR_FILENO, line);
	}
	errno = saved;
}

void log_set_level(enum log_level level)
{
	levels_set = true;
	memset(levels.of, (int)level, sizeof(levels.of));
}

enum log_level log_get_level(void)
{
	levels_default();
	return (enum log_level)levels.named.common;
}

const char *log_module(size_t i)
{
	return i < LOG_N_MODULES ? modules[i] : NULL;
}

bool log_set_module(const char *module, enum log_level level)
{
	size_t at = place_of(module);

	levels_default();
	if (!strcmp(module, "all"))
		log_set_level(level);
	else if (at)
		levels.of[at] = (uint8_t)level;
	return at || !strcmp(module, "all");
}

enum log_level log_get_module(const char *module)
{
	levels_default();
	return (enum log_level)levels.of[place_of(module)];
}

struct log_levels log_get_levels(void)
{
	levels_default();
	return levels.named;
}

void log_set_levels(const struct log_levels *all)
{
	levels_set = true;
	levels.named = *all;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < VFK_ARRAY_SIZE(level_name) ? level_name[level] : "?";
}

static bool is_plain(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value <= ' ' || *value == '"' || *value == '\\' ||
		    *value == '=' || *value == '\x7f')
			return false;
	return true;
}

/* Without snprintf: each transition has half a dozen of them. */
static size_t add(char *buf, size_t cap, size_t len, const char *text)
{
	while (*text && len + 1 < cap)
		buf[len++] = *text++;
	return len;
}

void log_field(char *buf, size_t cap, const char *key, const char *value)
{
	size_t len = strlen(buf);

	if (!value[0])
		return;
	len = add(buf, cap, len, len ? " " : "");
	len = add(buf, cap, len, key);
	len = add(buf, cap, len, "=");
	if (is_plain(value)) {
		buf[add(buf, cap, len, value)] = '\0';
		return;
	}
	len = add(buf, cap, len, "\"");
	for (; *value && len + 4 < cap; value++) {
		if (*value == '"' || *value == '\\')
			buf[len++] = '\\';
		buf[len++] = *value;
	}
	buf[add(buf, cap, len, "\"")] = '\0';
}

bool log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(level_name); i++)
		if (!strcmp(name, level_name[i])) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
	sink_fn = sink;
}

void log_ring_write(int fd)
{
	size_t at = ring_total > RING_LINES ? ring_total - RING_LINES : 0;
	struct pollfd reader = { .fd = fd, .events = POLLOUT };

	for (; at < ring_total && poll(&reader, 1, READER_MS) == 1; at++)
		write_line(fd, ring[at % RING_LINES]);
}
