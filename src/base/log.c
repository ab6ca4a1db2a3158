/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512
#define RING_LINES 256

static const char *const level_name[] = {
	[LOG_LV_ERROR] = "error", [LOG_LV_WARN] = "warn",   [LOG_LV_NOTICE] = "notice",
	[LOG_LV_INFO] = "info",	  [LOG_LV_DEBUG] = "debug",
};

static enum log_level max_level = LOG_LV_INFO;
static void (*sink_fn)(enum log_level level, const char *line);
static char ring[RING_LINES][LINE_MAX_BYTES];
static size_t ring_total;

/* One write(2) per line, so that lines of several processes do not mix.  Nothing can be
 * done where standard error is gone. */
static void to_stderr(const char *line)
{
	char out[LINE_MAX_BYTES + 1];
	size_t len = strlen(line);

	memcpy(out, line, len);
	out[len] = '\n';
	while (write(STDERR_FILENO, out, len + 1) < 0 && errno == EINTR)
		;
}

void log_at(enum log_level level, const char *module, const char *fmt, ...)
{
	int saved = errno;
	char *line = ring[ring_total++ % RING_LINES];
	int len = snprintf(line, LINE_MAX_BYTES, "%s %s ", level_name[level], module);
	va_list ap;

	if (len > 0 && len < LINE_MAX_BYTES) {
		va_start(ap, fmt);
		errno = saved; /* for %m */
		vsnprintf(line + len, LINE_MAX_BYTES - (size_t)len, fmt, ap);
		va_end(ap);
	}
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	if (level <= max_level) {
		if (sink_fn)
			sink_fn(level, line);
		else
			to_stderr(line);
	}
	errno = saved;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_get_level(void)
{
	return max_level;
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

void log_ring_each(void (*fn)(void *arg, const char *line), void *arg)
{
	size_t end = ring_total; /* what 'fn' itself logs is not walked */
	size_t at = end > RING_LINES ? end - RING_LINES : 0;

	for (; at < end; at++)
		fn(arg, ring[at % RING_LINES]);
}
