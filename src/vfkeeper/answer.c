/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/answer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int answer_text(const void *text, size_t len_bytes, int exit_code)
{
	const char *at = text;

	while (len_bytes) {
		ssize_t n = write(STDOUT_FILENO, at, len_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		at += n;
		len_bytes -= (size_t)n;
	}
	return exit_code;
}

int answer_version(void)
{
	static const char text[] =
		"{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\","
		"\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n";

	return answer_text(text, sizeof(text) - 1, 0);
}

/* Length of the UTF-8 sequence at 'at', 0 where it is none that JSON may hold. */
static size_t utf8_len(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;
	size_t len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if (*p > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, beyond U+10FFFF */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

struct out {
	char text[4096];
	size_t len;
};

/* What does not fit is left out whole: a cut escape would be no JSON. */
static void put(struct out *o, const char *text, size_t len)
{
	if (len > sizeof(o->text) - 8 - o->len)
		return;
	memcpy(o->text + o->len, text, len);
	o->len += len;
}

static void put_escaped(struct out *o, const char *msg)
{
	while (*msg) {
		size_t len = utf8_len(msg);

		if (*msg == '"' || *msg == '\\')
			put(o, "\\", 1);
		if (len == 0 || (unsigned char)*msg < ' ' || *msg == 0x7f)
			put(o, len ? " " : "?", 1);
		else
			put(o, msg, len);
		msg += len ? len : 1;
	}
}

/* Callers take these words in the error of a DEL for success; a path or a text
 * of somebody else's may bring them in. */
static void defuse(struct out *o)
{
	static const char *const words[] = { "not found", "no such file or directory" };

	o->text[o->len] = '\0';
	for (size_t i = 0; i < VFK_ARRAY_SIZE(words); i++)
		for (char *at = o->text; (at = strstr(at, words[i]));)
			*strchr(at, ' ') = '-';
}

static void put_number(struct out *o, unsigned n)
{
	char digit = (char)('0' + n % 10);

	if (n >= 10)
		put_number(o, n / 10);
	put(o, &digit, 1);
}

int answer_error(int code, const char *msg)
{
	static const char head[] = "{\"cniVersion\":\"1.1.0\",\"code\":";
	static const char middle[] = ",\"msg\":\"", tail[] = "\"}\n";
	struct out o = { .len = 0 };

	put(&o, head, sizeof(head) - 1);
	put_number(&o, (unsigned)code);
	put(&o, middle, sizeof(middle) - 1);
	put_escaped(&o, msg);
	defuse(&o);
	memcpy(o.text + o.len, tail, sizeof(tail) - 1); /* room that put() leaves */
	return answer_text(o.text, o.len + sizeof(tail) - 1, 1);
}
