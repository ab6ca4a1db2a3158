/* SPDX-License-Identifier: Apache-2.0 */
/* Link addresses and GUIDs as text.  Layer: base. */
#ifndef VFK_BASE_OCTETS_H
#define VFK_BASE_OCTETS_H

#include <stddef.h>
#include <stdint.h>

#define OCTETS_TEXT 64 /* room for the address of any link */
#define GUID_TEXT 24

/* "02:00:5e"; what has no room in 'out' is left out.  Returns 'out'. */
const char *octets_format(const uint8_t *bytes, size_t n, char *out, size_t cap_bytes);
const char *guid_format(uint64_t guid, char out[GUID_TEXT]);

#endif
