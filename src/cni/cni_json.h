/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as the Go callers and plugins read it.  Layer: cni. */
#ifndef VFK_CNI_CNI_JSON_H
#define VFK_CNI_CNI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Decodes one JSON value of any kind.  Bytes that are not UTF-8 become U+FFFD and integers
 * beyond 64 bits become reals: as long as nobody looks at them they must not disturb.
 * NULL: 'why' holds one line; '*no_memory' tells whether that was the reason. */
json_t *cni_json_load(const char *text, size_t len, char *why, size_t why_cap,
		      bool *no_memory);

/* The member 'key' of an object the way Go fills a struct: upper and lower case are the
 * same, the last one in the text wins, null is no value.  NULL: none, or no object. */
json_t *cni_json_find(const json_t *obj, const char *key);
/* The same one level down; every spelling of 'outer' counts. */
json_t *cni_json_find2(const json_t *obj, const char *outer, const char *inner);

/* Whether the text is UTF-8, so that it can stand in a result. */
bool cni_text_valid(const char *text);
/* Whether it holds no control character. */
bool cni_one_line(const char *text);
/* "a string", "a number", ... for messages. */
const char *cni_json_kind(const json_t *value);
/* A string without NUL inside, or NULL. */
const char *cni_json_text(const json_t *value);
/* A number without a fraction that fits, else false. */
bool cni_json_int(const json_t *value, int64_t *out);
/* A value for a message: strings quoted and cut, arrays and objects named.  Returns 'buf'. */
#define CNI_SHOW_LEN 72
const char *cni_json_show(const json_t *value, char buf[CNI_SHOW_LEN]);
/* Likewise for a plain text. */
const char *cni_show(const char *text, char buf[CNI_SHOW_LEN]);

#endif
