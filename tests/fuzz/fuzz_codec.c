/* SPDX-License-Identifier: Apache-2.0 */
/* Records and control messages: one byte says which, then its encoding.  What was decoded
 * and is encoded again decodes to the same. */
#include "fuzz.h"

#include <string.h>

#include "io/codec.h"

const char fuzz_name[] = "fuzz_codec";

enum { KINDS = 6 };

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	static const char env[] = "CNI_COMMAND=ADD";
	struct rec_node node = { .version = "0.1.0", .next_lease_id = 9 };
	struct rec_vf vf = { .driver = "sim",
			     .incarnation = 77,
			     .state = 3,
			     .from = 2,
			     .event = 2,
			     .nsid = -1,
			     .attach_seq = 12,
			     .done = 5 };
	struct rec_lease lease = { .id = 5, .state = 2, .plugin = "host-local" };
	struct rec_blob blob = { .id = 4, .bytes = env, .len_bytes = sizeof(env) };
	struct ctl_request rq = { .version = CTL_VERSION,
				  .id = 1,
				  .command = "list",
				  .n_args = 1,
				  .args = { "0000:3b:00.1" } };
	struct ctl_reply rp = { .version = CTL_VERSION, .id = 1, .text = "{}", .text_len = 2 };
	struct strbuf buf = { 0 };
	size_t len;

	snprintf(node.meta.cause_text, sizeof(node.meta.cause_text), "start");
	snprintf(vf.owner.container, sizeof(vf.owner.container), "c1");
	snprintf(vf.owner.ifname, sizeof(vf.owner.ifname), "net1");
	switch (n) {
	case 0:
		codec_put_node(&buf, &node);
		break;
	case 1:
		codec_put_vf(&buf, &vf);
		break;
	case 2:
		codec_put_lease(&buf, &lease);
		break;
	case 3:
		codec_put_blob(&buf, &blob);
		break;
	case 4:
		codec_put_ctl_request(&buf, &rq);
		break;
	case 5:
		codec_put_ctl_reply(&buf, &rp);
		break;
	default:
		return 0;
	}
	len = buf.len;
	FUZZ_HOLDS(len > 0 && len < FUZZ_MAX);
	out[0] = (uint8_t)n;
	memcpy(out + 1, buf.data, len);
	strbuf_free(&buf);
	return len + 1;
}

/* Decodes into 'rec' (zeroed), encodes what came out.  False: it does not decode. */
static bool again(unsigned kind, const void *buf, size_t len, struct strbuf *out)
{
	static union {
		struct rec_node node;
		struct rec_vf vf;
		struct rec_lease lease;
		struct rec_blob blob;
		struct ctl_request rq;
		struct ctl_reply rp;
	} rec;
	struct vfk_err err = { 0 };
	void *hold = NULL;
	int rc = 0;

	memset(&rec, 0, sizeof(rec));
	switch (kind) {
	case 0:
		rc = codec_get_node(buf, len, &rec.node, &err);
		if (rc == 0)
			codec_put_node(out, &rec.node);
		break;
	case 1:
		rc = codec_get_vf(buf, len, &rec.vf, &err);
		if (rc == 0)
			codec_put_vf(out, &rec.vf);
		break;
	case 2:
		rc = codec_get_lease(buf, len, &rec.lease, &err);
		if (rc == 0)
			codec_put_lease(out, &rec.lease);
		break;
	case 3:
		rc = codec_get_blob(buf, len, &rec.blob, &hold, &err);
		if (rc == 0)
			codec_put_blob(out, &rec.blob);
		break;
	case 4:
		rc = codec_get_ctl_request(buf, len, &rec.rq, &err);
		if (rc == 0)
			codec_put_ctl_request(out, &rec.rq);
		break;
	case 5:
		rc = codec_get_ctl_reply(buf, len, &rec.rp, &hold, &err);
		if (rc == 0)
			codec_put_ctl_reply(out, &rec.rp);
		break;
	}
	if (rc == 0)
		free(hold);
	else
		FUZZ_HOLDS(rc == -(int)err.kind && err.msg[0] && !strchr(err.msg, '\n'));
	return rc == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct strbuf first = { 0 }, second = { 0 };

	if (len < 1)
		return 0;
	if (again(data[0] % KINDS, data + 1, len - 1, &first)) {
		FUZZ_HOLDS(!first.failed);
		FUZZ_HOLDS(again(data[0] % KINDS, first.data, first.len, &second));
		FUZZ_HOLDS(first.len == second.len);
		FUZZ_HOLDS(first.len == 0 || !memcmp(first.data, second.data, first.len));
	}
	strbuf_free(&first);
	strbuf_free(&second);
	return 0;
}
