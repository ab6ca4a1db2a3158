/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums, of which a history asks for a thousand, by a library that is several times as fast
 * with short records as zlib is, or our own function. */
#include <libdeflate.h>

#include "base/frame.h"

unsigned long __wrap_crc32_z(unsigned long crc, const unsigned char *buf, size_t len);
uint32_t __wrap_frame_crc32(uint32_t crc, const void *buf, size_t len_bytes);

unsigned long __wrap_crc32_z(unsigned long crc, const unsigned char *buf, size_t len)
{
	return libdeflate_crc32((uint32_t)crc, buf, len);
}

uint32_t __wrap_frame_crc32(uint32_t crc, const void *buf, size_t len_bytes)
{
	return libdeflate_crc32(crc, buf, len_bytes);
}
