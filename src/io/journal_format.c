/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's headers in bytes.  Layouts: vfkeeper-journal(5). */
#include "io/journal-internal.h"

#include <string.h>

#include <zlib.h>

static void put_le(uint8_t *out, uint64_t value, unsigned n_bytes)
{
	for (unsigned i = 0; i < n_bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *in, unsigned n_bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n_bytes; i++)
		value |= (uint64_t)in[i] << (8 * i);
	return value;
}

static uint32_t crc_of(const uint8_t *buf, size_t len)
{
	return (uint32_t)crc32_z(0, buf, len);
}

static uint32_t jf_crc(const uint8_t in[JF_HEADER_USED])
{
	uint8_t copy[JF_HEADER_USED];

	memcpy(copy, in, sizeof(copy));
	memset(copy + 12, 0, 4);
	return crc_of(copy, sizeof(copy));
}

void jf_encode(uint8_t out[JF_HEADER_USED], const struct jf_header *h)
{
	memset(out, 0, JF_HEADER_USED);
	memcpy(out, JF_MAGIC, 8);
	put_le(out + 8, h->version, 4);
	put_le(out + 16, h->compat, 8);
	put_le(out + 24, h->incompat, 8);
	put_le(out + 32, h->generation, 8);
	put_le(out + 40, h->number, 8);
	put_le(out + 48, h->first_seq, 8);
	put_le(out + 56, h->previous, 8);
	put_le(out + 12, jf_crc(out), 4);
}

enum jf_class jf_decode(const uint8_t in[JF_HEADER_USED], struct jf_header *h)
{
	static const uint8_t zeros[JF_HEADER_USED];

	memset(h, 0, sizeof(*h));
	if (!memcmp(in, zeros, JF_HEADER_USED))
		return JF_ZERO;
	for (unsigned i = 0; i < 8; i++)
		if (in[i] && in[i] != (uint8_t)JF_MAGIC[i])
			return JF_FOREIGN;
	if (memcmp(in, JF_MAGIC, 8) || get_le(in + 12, 4) != jf_crc(in))
		return JF_BAD;
	h->version = (uint32_t)get_le(in + 8, 4);
	h->compat = get_le(in + 16, 8);
	h->incompat = get_le(in + 24, 8);
	if (h->version != JF_VERSION || (h->incompat & ~JF_INCOMPAT_KNOWN))
		return JF_UNKNOWN;
	h->generation = get_le(in + 32, 8);
	h->number = get_le(in + 40, 8);
	h->first_seq = get_le(in + 48, 8);
	h->previous = get_le(in + 56, 8);
	if (!h->number)
		return JF_BLANK;
	if (h->number > JF_NUMBER_MAX || h->first_seq > JF_NUMBER_MAX || !h->first_seq ||
	    !h->generation) {
		memset(h, 0, sizeof(*h));
		return JF_BAD;
	}
	return JF_USED;
}

uint32_t jr_crc(const uint8_t *rec, uint32_t len)
{
	uint8_t head[JR_HEADER];

	memcpy(head, rec, sizeof(head));
	memset(head + 4, 0, 4);
	return (uint32_t)crc32_z(crc_of(head, sizeof(head)), rec + JR_HEADER,
				 jr_bytes(len) - JR_HEADER);
}

void jr_encode(uint8_t *out, const struct jr_header *h, const void *payload)
{
	put_le(out, JR_MAGIC, 4);
	put_le(out + 4, 0, 4);
	put_le(out + 8, h->len, 4);
	put_le(out + 12, h->type, 2);
	put_le(out + 14, h->flags, 2);
	put_le(out + 16, h->seq, 8);
	put_le(out + 24, h->generation, 8);
	put_le(out + 32, h->durable_upto, 8);
	if (h->len)
		memcpy(out + JR_HEADER, payload, h->len);
	memset(out + JR_HEADER + h->len, 0, jr_bytes(h->len) - JR_HEADER - h->len);
	put_le(out + 4, jr_crc(out, h->len), 4);
}

bool jr_decode(const uint8_t in[JR_HEADER], struct jr_header *h)
{
	h->crc = (uint32_t)get_le(in + 4, 4);
	h->len = (uint32_t)get_le(in + 8, 4);
	h->type = (uint16_t)get_le(in + 12, 2);
	h->flags = (uint16_t)get_le(in + 14, 2);
	h->seq = get_le(in + 16, 8);
	h->generation = get_le(in + 24, 8);
	h->durable_upto = get_le(in + 32, 8);
	return get_le(in, 4) == JR_MAGIC;
}

void jr_put_mark(uint8_t out[JR_MARK_LEN], uint64_t count, uint64_t bytes)
{
	put_le(out, count, 8);
	put_le(out + 8, bytes, 8);
}

void jr_get_mark(const uint8_t in[JR_MARK_LEN], uint64_t *count, uint64_t *bytes)
{
	*count = get_le(in, 8);
	*bytes = get_le(in + 8, 8);
}

const char *journal_verdict_name(enum journal_verdict verdict)
{
	switch (verdict) {
	case JOURNAL_EMPTY:
		return "empty";
	case JOURNAL_CLEAN:
		return "clean";
	case JOURNAL_TORN:
		return "torn";
	case JOURNAL_DAMAGED:
		return "damaged";
	case JOURNAL_UNKNOWN:
		return "unknown version";
	}
	return "?";
}
