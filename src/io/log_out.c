/* SPDX-License-Identifier: Apache-2.0 */
#include "io/log_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"

static struct {
	const char *identifier;
	enum log_format format;
	int fd;	      /* of the journal service; -1 */
	bool journal; /* it is wanted */
} how = { .fd = -1 };

bool log_target_parse(const char *name, enum log_target *out)
{
	static const char *const names[] = {
		[LOG_AUTO] = "auto", [LOG_STDERR] = "stderr", [LOG_JOURNAL] = "journal"
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*out = (enum log_target)i;
		return true;
	}
	return false;
}

/* --- a line taken apart: "level module key=value key="v w" text" --- */

/* The next "key=value" at '*p' into key and value (without quotes); false: there is none. */
static bool next_field(const char **p, char *key, size_t key_cap, char *value, size_t cap)
{
	const char *at = *p;
	size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_"), n = 0;
	bool quoted;

	if (!len || at[len] != '=' || len >= key_cap)
		return false;
	memcpy(key, at, len);
	key[len] = '\0';
	at += len + 1;
	quoted = *at == '"';
	at += quoted;
	for (; *at && *at != (quoted ? '"' : ' '); at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		if (n + 1 < cap)
			value[n++] = *at;
	}
	value[n] = '\0';
	at += quoted && *at == '"';
	*p = at + strspn(at, " ");
	return true;
}

/* Behind the level; 'module' is filled. */
static const char *behind_module(const char *line, char *module, size_t cap)
{
	const char *at = line + strcspn(line, " ");
	size_t len;

	at += strspn(at, " ");
	len = strcspn(at, " ");
	snprintf(module, cap, "%.*s", (int)len, at);
	at += len;
	return at + strspn(at, " ");
}

/* JSON has to be UTF-8, a line is bytes: what is no ASCII is a '?'. */
static void add_json_string(struct strbuf *out, const char *text)
{
	strbuf_adds(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_add(out, c < 0x80 ? text : "?", 1);
	}
	strbuf_adds(out, "\"");
}

static void add_json(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, ",\"%s\":", key);
	add_json_string(out, value);
}

void log_out_json(struct strbuf *out, enum log_level level, const char *line,
		  int64_t wall_ns)
{
	char module[32], key[32], value[LOG_LINE_MAX], when[40];
	const char *at = behind_module(line, module, sizeof(module));
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%06dZ", (int)(wall_ns % NS_PER_S / 1000));
	strbuf_addf(out, "{\"time\":\"%s\"", when);
	add_json(out, "level", log_level_name(level));
	add_json(out, "module", module);
	while (next_field(&at, key, sizeof(key), value, sizeof(value)))
		add_json(out, key, value);
	if (*at)
		add_json(out, "msg", at);
	strbuf_adds(out, "}");
}

void log_out_native(struct strbuf *out, const char *identifier, enum log_level level,
		    const char *line)
{
	char module[32], key[32], value[LOG_LINE_MAX];
	const char *at = behind_module(line, module, sizeof(module));

	/* There is no newline in a line, so that the plain form of the protocol will do. */
	strbuf_addf(out, "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", line,
		    3 + (int)level, identifier); /* syslog(3)'s: LOG_ERR is 3 */
	strbuf_addf(out, "VFKEEPER_MODULE=%s\n", module);
	while (next_field(&at, key, sizeof(key), value, sizeof(value))) {
		for (char *c = key; *c; c++)
			*c = *c == '_' ? '_' : (char)(*c & ~0x20);
		strbuf_addf(out, "VFKEEPER_%s=%s\n", key, value);
	}
}

/* --- out --- */

static bool to_journal(enum log_level level, const char *line)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *path = vfk_path(PATH_JOURNALD);
	struct strbuf out = { 0 };
	bool sent;

	if (!how.journal || strlen(path) >= sizeof(sa.sun_path))
		return false;
	if (how.fd < 0)
		how.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (how.fd < 0)
		return false;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	log_out_native(&out, how.identifier, level, line);
	/* By address each time: the service may be started again. */
	sent = !out.failed && sendto(how.fd, out.data, out.len, MSG_NOSIGNAL,
				     (struct sockaddr *)&sa, sizeof(sa)) >= 0;
	strbuf_free(&out);
	return sent;
}

/* One write(2) per line, so that lines of several processes do not mix. */
static void to_stderr(enum log_level level, const char *line)
{
	struct strbuf out = { 0 };

	if (how.format == LOG_JSON)
		log_out_json(&out, level, line, clock_wall_ns());
	else
		strbuf_adds(&out, line);
	strbuf_adds(&out, "\n");
	while (!out.failed && write(STDERR_FILENO, out.data, out.len) < 0 && errno == EINTR)
		;
	strbuf_free(&out);
}

static void sink(enum log_level level, const char *line)
{
	if (!to_journal(level, line))
		to_stderr(level, line);
}

/* systemd tells a service where its standard error goes. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void log_out_set(const char *identifier, enum log_format format, enum log_target target)
{
	how.identifier = identifier;
	how.format = format;
	how.journal = target == LOG_JOURNAL || (target == LOG_AUTO && stderr_is_journal());
	/* Plain text to standard error needs nothing of this. */
	log_set_sink(how.journal || format == LOG_JSON ? sink : NULL);
}
