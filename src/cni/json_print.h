/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text.  json_dumps() does not look whether a member's name found room: without
 * memory it prints a document that is none, and calls it good.  Layer: cni. */
#ifndef VFK_CNI_JSON_PRINT_H
#define VFK_CNI_JSON_PRINT_H

#include <jansson.h>
#include <stddef.h>

/* 'flags' are json_dumps()'s.  The caller frees; NULL: no memory, or no value. */
char *json_print(const json_t *value, size_t flags);

#endif
