/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte string.  Layer: base. */
#ifndef VFK_BASE_STRBUF_H
#define VFK_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* {0} is an empty one.  'data' is NUL-terminated whenever 'len' > 0 or after any call.
 * After a failed allocation 'failed' stays true and every call is a no-op, so that a
 * caller may check once at the end. */
struct strbuf {
	char *data;
	size_t len, cap;
	bool failed;
};

void strbuf_free(struct strbuf *s); /* back to {0} */
void strbuf_add(struct strbuf *s, const void *bytes, size_t len_bytes);
void strbuf_adds(struct strbuf *s, const char *text);
void strbuf_addf(struct strbuf *s, const char *fmt, ...) VFK_PRINTF(2, 3);
char *strbuf_steal(struct strbuf *s); /* caller frees; NULL after a failure; s is {0} */

#endif
