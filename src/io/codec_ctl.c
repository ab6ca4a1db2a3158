/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of control.sock. */
#include <stdlib.h>
#include <string.h>

#include "io/codec-internal.h"
#include "proto/control.pb-c.h"

void codec_put_ctl_request(struct strbuf *out, const struct ctl_request *rq)
{
	Vfk__CtlRequest m = VFK__CTL_REQUEST__INIT;
	char *args[CTL_MAX_ARGS];

	m.version = rq->version;
	m.id = rq->id;
	m.command = codec_text(rq->command);
	m.n_args = rq->n_args < CTL_MAX_ARGS ? rq->n_args : CTL_MAX_ARGS;
	for (size_t i = 0; i < m.n_args; i++)
		args[i] = codec_text(rq->args[i]);
	m.args = args;
	codec_pack(out, &m.base);
}

int codec_get_ctl_request(const void *buf, size_t len, struct ctl_request *rq,
			  struct vfk_err *err)
{
	struct take t = { .what = "control request" };
	Vfk__CtlRequest *m;
	struct arena a;

	arena_init(&a);
	memset(rq, 0, sizeof(*rq));
	m = (Vfk__CtlRequest *)codec_unpack(&a, &vfk__ctl_request__descriptor, buf, len,
					    t.what, err);
	if (!m)
		return -VFK_E_DECODE;
	rq->version = m->version;
	rq->id = m->id;
	take_text(&t, "command", m->command, rq->command, sizeof(rq->command));
	rq->n_args = (unsigned)take_number(&t, "number of arguments", m->n_args,
					   CTL_MAX_ARGS);
	for (unsigned i = 0; i < rq->n_args; i++)
		take_text(&t, "args", m->args[i], rq->args[i], sizeof(rq->args[i]));
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	return take_end(&t, err);
}

void codec_put_ctl_reply(struct strbuf *out, const struct ctl_reply *rp)
{
	Vfk__CtlReply m = VFK__CTL_REPLY__INIT;

	m.version = rp->version;
	m.id = rp->id;
	m.kind = rp->kind;
	m.msg = codec_text(rp->msg);
	m.more = rp->more;
	m.text.data = (uint8_t *)(uintptr_t)rp->text;
	m.text.len = rp->text_len;
	codec_pack(out, &m.base);
}

int codec_get_ctl_reply(const void *buf, size_t len, struct ctl_reply *rp, void **hold,
			struct vfk_err *err)
{
	struct take t = { .what = "control reply" };
	Vfk__CtlReply *m;
	struct arena a;
	char *text;

	*hold = NULL;
	arena_init(&a);
	memset(rp, 0, sizeof(*rp));
	m = (Vfk__CtlReply *)codec_unpack(&a, &vfk__ctl_reply__descriptor, buf, len,
					  t.what, err);
	if (!m)
		return -VFK_E_DECODE;
	rp->version = m->version;
	rp->id = m->id;
	rp->kind = m->kind;
	take_text(&t, "msg", m->msg, rp->msg, sizeof(rp->msg));
	rp->more = m->more != 0;
	rp->text_len = m->text.len;
	text = malloc(m->text.len + 1);
	if (text) {
		if (m->text.len)
			memcpy(text, m->text.data, m->text.len);
		text[m->text.len] = '\0';
	}
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	if (!text)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "decode control reply");
	rp->text = text;
	if (take_end(&t, err) < 0) {
		free(text);
		return -VFK_E_DECODE;
	}
	*hold = text;
	return 0;
}
