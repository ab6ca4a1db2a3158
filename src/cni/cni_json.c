/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni-internal.h"

/* Length of the well-formed UTF-8 sequence at 's', 0 if there is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	uint32_t cp;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2, cp = s[0] & 0x1f;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3, cp = s[0] & 0x0f;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4, cp = s[0] & 0x07;
	else
		return 0;
	if (left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (n == 3 && (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff)))
		return 0;
	if (n == 4 && (cp < 0x10000 || cp > 0x10ffff))
		return 0;
	return n;
}

bool cni_text_valid(const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t n = utf8_len((const unsigned char *)text, left);

		if (!n)
			return false;
		text += n;
		left -= n;
	}
	return true;
}

bool cni_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* A copy with U+FFFD in place of each byte that is not UTF-8, as Go's decoder does. */
static char *utf8_repair(const char *text, size_t len, size_t *out_len)
{
	const unsigned char *s = (const unsigned char *)text;
	char *out = len < SIZE_MAX / 3 ? malloc(len * 3 + 1) : NULL;
	size_t o = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);

		if (n) {
			memcpy(out + o, s + i, n);
			i += n;
			o += n;
		} else {
			memcpy(out + o, "\xef\xbf\xbd", 3);
			i++;
			o += 3;
		}
	}
	*out_len = o;
	return out;
}

/* jansson reports a failed allocation as wrong text more often than not, and a retry cures
 * the one but not the other: so failures are watched while it decodes. */
static json_malloc_t real_malloc;
static bool alloc_failed;

static void *watched_malloc(size_t size)
{
	void *p = real_malloc(size);

	if (!p)
		alloc_failed = true;
	return p;
}

static json_t *decode(const char *text, size_t len, size_t flags, json_error_t *e)
{
	json_free_t real_free;
	json_t *value;

	json_get_alloc_funcs(&real_malloc, &real_free);
	alloc_failed = false;
	json_set_alloc_funcs(watched_malloc, real_free);
	value = json_loadb(text, len, flags, e);
	json_set_alloc_funcs(real_malloc, real_free);
	return value;
}

json_t *cni_json_load(const char *text, size_t len, char *why, size_t why_cap,
		      bool *no_memory)
{
	VFK_AUTO(free_auto) char *repaired = NULL;
	size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t e;

	*no_memory = false;
	for (;;) {
		json_t *value = decode(text, len, flags, &e);

		if (value)
			return value;
		*no_memory = alloc_failed;
		if (alloc_failed)
			break;
		if (json_error_code(&e) == json_error_invalid_utf8 && !repaired) {
			repaired = utf8_repair(text, len, &len);
			if (!repaired) {
				*no_memory = true;
				break;
			}
			text = repaired;
		} else if (json_error_code(&e) == json_error_numeric_overflow &&
			   !(flags & JSON_DECODE_INT_AS_REAL)) {
			flags |= JSON_DECODE_INT_AS_REAL;
		} else {
			break;
		}
	}
	if (*no_memory)
		snprintf(why, why_cap, "out of memory");
	else if (json_error_code(&e) == json_error_premature_end_of_input)
		snprintf(why, why_cap, "unexpected end of JSON input");
	else
		snprintf(why, why_cap, "line %d column %d: %s", e.line, e.column, e.text);
	return NULL;
}

/* The next character for a comparison without case.  Go folds two letters beyond ASCII onto
 * ASCII ones: the long s and the Kelvin sign. */
static int fold(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	int c = p[0];

	if (c == 0xc5 && p[1] == 0xbf) {
		*s += 2;
		return 's';
	}
	if (c == 0xe2 && p[1] == 0x84 && p[2] == 0xaa) {
		*s += 3;
		return 'k';
	}
	*s += 1;
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool fold_equal(const char *a, const char *b)
{
	/* Most names differ in the first letter; 0x80: it may be one of those two. */
	if ((*a ^ *b) & 0x1f && !((*a | *b) & 0x80))
		return false;
	for (;;) {
		int ca = fold(&a), cb = fold(&b);

		if (ca != cb)
			return false;
		if (ca == '\0')
			return true;
	}
}

/* json_object_foreach looks for each place again; a configuration is asked for fifty keys. */
json_t *cni_json_find(const json_t *obj, const char *key)
{
	json_t *members = (json_t *)obj, *found = NULL;

	if (!json_is_object(obj))
		return NULL;
	for (void *at = json_object_iter(members); at;
	     at = json_object_iter_next(members, at))
		if (fold_equal(json_object_iter_key(at), key) &&
		    !json_is_null(json_object_iter_value(at)))
			found = json_object_iter_value(at);
	return found;
}

json_t *cni_json_find2(const json_t *obj, const char *outer, const char *inner)
{
	json_t *found = NULL, *value;
	const char *name;

	if (!json_is_object(obj))
		return NULL;
	json_object_foreach((json_t *)obj, name, value) {
		json_t *hit = fold_equal(name, outer) ? cni_json_find(value, inner) : NULL;

		if (hit)
			found = hit;
	}
	return found;
}

const char *cni_json_kind(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "unknown";
}

const char *cni_json_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

bool cni_json_int(const json_t *value, int64_t *out)
{
	double real;

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return true;
	}
	if (!json_is_real(value))
		return false;
	real = json_real_value(value);
	/* 2^53: above it neighbours are no longer told apart. */
	if (!(real >= -9007199254740992.0 && real <= 9007199254740992.0))
		return false;
	*out = (int64_t)real;
	return (double)*out == real;
}

const char *cni_show(const char *text, char buf[CNI_SHOW_LEN])
{
	const unsigned char *s = (const unsigned char *)text;
	size_t left = strlen(text), o = 0;

	buf[o++] = '"';
	while (left) {
		size_t n = utf8_len(s, left);

		if (o + (n ? n : 1) > CNI_SHOW_LEN - 6) {
			memcpy(buf + o, "...", 3);
			o += 3;
			break;
		}
		if (n == 0 || s[0] < ' ' || s[0] == 0x7f) {
			buf[o++] = '?';
			n = 1;
		} else {
			memcpy(buf + o, s, n);
			o += n;
		}
		s += n;
		left -= n;
	}
	buf[o++] = '"';
	buf[o] = '\0';
	return buf;
}

const char *cni_json_show(const json_t *value, char buf[CNI_SHOW_LEN])
{
	if (json_is_string(value))
		return cni_show(json_string_value(value), buf);
	if (json_is_integer(value))
		snprintf(buf, CNI_SHOW_LEN, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buf, CNI_SHOW_LEN, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(buf, CNI_SHOW_LEN, "%s", json_is_true(value) ? "true" : "false");
	else
		snprintf(buf, CNI_SHOW_LEN, "%s", cni_json_kind(value));
	return buf;
}
