/* SPDX-License-Identifier: Apache-2.0 */
#include "io/codec-internal.h"

#include <stdlib.h>
#include <string.h>

/* Gathers what protobuf-c packs; a strbuf remembers its own failure. */
struct sink {
	ProtobufCBuffer base;
	struct strbuf *out;
};

static void sink_append(ProtobufCBuffer *base, size_t len, const uint8_t *data)
{
	strbuf_add(((struct sink *)base)->out, data, len);
}

void codec_pack(struct strbuf *out, const ProtobufCMessage *msg)
{
	uint8_t small[2048];
	size_t len = protobuf_c_message_get_packed_size(msg);

	if (len <= sizeof(small)) {
		protobuf_c_message_pack(msg, small);
		strbuf_add(out, small, len);
	} else {
		struct sink sink = { .base = { .append = sink_append }, .out = out };

		protobuf_c_message_pack_to_buffer(msg, &sink.base);
	}
}

static void *arena_alloc(void *data, size_t size)
{
	struct arena *a = data;
	size_t at = (a->used + 15) & ~(size_t)15;

	if (at > sizeof(a->buf) || size > sizeof(a->buf) - at)
		return malloc(size);
	a->used = at + size;
	return a->buf + at;
}

static void arena_free(void *data, void *pointer)
{
	struct arena *a = data;
	unsigned char *p = pointer;

	if (p < a->buf || p >= a->buf + sizeof(a->buf))
		free(p);
}

void arena_init(struct arena *a)
{
	a->alloc = (ProtobufCAllocator){ arena_alloc, arena_free, a };
	a->used = 0;
}

ProtobufCMessage *codec_unpack(struct arena *a, const ProtobufCMessageDescriptor *desc,
			       const void *buf, size_t len, const char *what,
			       struct vfk_err *err)
{
	ProtobufCMessage *msg = protobuf_c_message_unpack(desc, &a->alloc, len, buf);

	if (!msg)
		vfk_err_set(err, VFK_E_DECODE, 0,
			    "decode %s: not such a message (%zu bytes)", what, len);
	return msg;
}

static void take_refuse(struct take *t, const char *field, const char *why)
{
	if (t->bad)
		return;
	t->bad = field;
	t->why = why;
}

void take_text(struct take *t, const char *field, const char *text, char *out, size_t cap)
{
	size_t len = strlen(text);

	out[0] = '\0';
	if (len >= cap)
		take_refuse(t, field, "too long");
	else
		memcpy(out, text, len + 1);
}

uint64_t take_number(struct take *t, const char *field, uint64_t value, uint64_t max)
{
	if (value <= max)
		return value;
	take_refuse(t, field, "out of range");
	return 0;
}

void take_bytes(struct take *t, const char *field, const ProtobufCBinaryData *bytes,
		void *out, size_t cap, size_t *len)
{
	*len = 0;
	if (bytes->len > cap) {
		take_refuse(t, field, "too long");
		return;
	}
	if (bytes->len)
		memcpy(out, bytes->data, bytes->len);
	*len = bytes->len;
}

int take_end(const struct take *t, struct vfk_err *err)
{
	if (!t->bad)
		return 0;
	return vfk_err_set(err, VFK_E_DECODE, 0, "decode %s: %s is %s", t->what, t->bad,
			   t->why);
}

char *codec_text(const char *text)
{
	return (char *)(uintptr_t)text;
}
