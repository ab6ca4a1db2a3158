/* SPDX-License-Identifier: Apache-2.0 */
#include "base/octets.h"

#include <stdio.h>

const char *octets_format(const uint8_t *bytes, size_t n, char *out, size_t cap_bytes)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && len + 4 <= cap_bytes; i++)
		len += (size_t)snprintf(out + len, cap_bytes - len, "%s%02x",
					i ? ":" : "", bytes[i]);
	return out;
}

const char *guid_format(uint64_t guid, char out[GUID_TEXT])
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(guid >> (56 - 8 * i));
	return octets_format(bytes, sizeof(bytes), out, GUID_TEXT);
}
