/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller reads: one JSON document on standard output.  Layer: program. */
#ifndef VFK_VFKEEPER_ANSWER_H
#define VFK_VFKEEPER_ANSWER_H

#include <stddef.h>

#include "base/attr.h"

/* Writes 'text' as it is.  Returns 'exit_code', or 1 if it could not be written. */
int answer_text(const void *text, size_t len_bytes, int exit_code) VFK_MUST_CHECK;

/* Writes the error object of the CNI specification; 'msg' may hold any bytes.  Returns
 * 1, the exit status. */
int answer_error(int code, const char *msg) VFK_MUST_CHECK;

/* Writes the answer to VERSION.  Returns the exit status. */
int answer_version(void) VFK_MUST_CHECK;

#endif
