/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_free(struct strbuf *s)
{
	free(s->data);
	*s = (struct strbuf){ 0 };
}

/* Makes room for 'more' bytes and a NUL. */
static bool grow(struct strbuf *s, size_t more)
{
	size_t cap = s->cap ? s->cap : 64;
	char *data;

	if (s->failed)
		return false;
	if (more < s->cap && s->len < s->cap - more)
		return true;
	if (more >= SIZE_MAX / 2 - s->len) {
		s->failed = true;
		return false;
	}
	while (cap <= s->len + more)
		cap *= 2;
	data = realloc(s->data, cap);
	if (!data) {
		s->failed = true;
		return false;
	}
	s->data = data;
	s->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *s, const void *bytes, size_t len_bytes)
{
	if (!grow(s, len_bytes))
		return;
	if (len_bytes)
		memcpy(s->data + s->len, bytes, len_bytes);
	s->len += len_bytes;
	s->data[s->len] = '\0';
}

void strbuf_adds(struct strbuf *s, const char *text)
{
	strbuf_add(s, text, strlen(text));
}

void strbuf_addf(struct strbuf *s, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		s->failed = true;
		return;
	}
	if (!grow(s, (size_t)len))
		return;
	va_start(ap, fmt);
	vsnprintf(s->data + s->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)len;
}

char *strbuf_steal(struct strbuf *s)
{
	char *data;

	if (!s->data)
		strbuf_add(s, "", 0); /* nothing was added: an empty string, not NULL */
	data = s->failed ? NULL : VFK_STEAL(s->data);
	strbuf_free(s);
	return data;
}
