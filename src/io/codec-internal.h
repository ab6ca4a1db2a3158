/* SPDX-License-Identifier: Apache-2.0 */
/* What codec*.c share: packing into a strbuf, unpacking without a malloc per field.
 * Layer: io; only codec*.c include this. */
#ifndef VFK_IO_CODEC_INTERNAL_H
#define VFK_IO_CODEC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/strbuf.h"
#include "io/codec.h"

void codec_pack(struct strbuf *out, const ProtobufCMessage *msg);

/* An allocator that hands out pieces of a buffer and falls back to malloc; everything is
 * released at once. */
struct arena {
	ProtobufCAllocator alloc;
	_Alignas(16) unsigned char buf[6144];
	size_t used;
};
void arena_init(struct arena *a);

/* NULL with 'err' set ("decode <what>: ...") if the bytes are not such a message. */
ProtobufCMessage *codec_unpack(struct arena *a, const ProtobufCMessageDescriptor *desc,
			       const void *buf, size_t len, const char *what,
			       struct vfk_err *err);

/* Fields of one record while it is taken over into a plain struct: the first that does not
 * fit is remembered, the rest is skipped. */
struct take {
	const char *what; /* "vf record" */
	const char *bad;  /* field, NULL: none so far */
	const char *why;
};
void take_text(struct take *t, const char *field, const char *text, char *out, size_t cap);
uint64_t take_number(struct take *t, const char *field, uint64_t value, uint64_t max);
void take_bytes(struct take *t, const char *field, const ProtobufCBinaryData *bytes,
		void *out, size_t cap, size_t *len);
int take_end(const struct take *t, struct vfk_err *err);

/* protobuf-c wants char *; it only reads when packing. */
char *codec_text(const char *text);

#endif
