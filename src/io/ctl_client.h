/* SPDX-License-Identifier: Apache-2.0 */
/* The tools' end of control.sock: connect, ask, wait for the whole answer.  Blocking, with
 * a deadline; needs no loop.  Layer: io. */
#ifndef VFK_IO_CTL_CLIENT_H
#define VFK_IO_CTL_CLIENT_H

#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"

#define CTL_ANSWER_MAX (64u << 20)

struct ctl_client;

/* VFK_E_GONE: no engine answers at 'path' (no socket, or refused); VFK_E_TIMEOUT: one
 * listens and does not take connections; VFK_E_SYS. */
int ctl_connect(struct ctl_client **out, const char *path, int timeout_ms,
		struct vfk_err *err) VFK_MUST_CHECK;
void ctl_close(struct ctl_client *c); /* NULL allowed */

/* Sends one request and appends the JSON document of the answer to 'text'.  0, or the
 * engine's own error (any kind, its line), or VFK_E_GONE (the engine ended or closed the
 * connection), VFK_E_TIMEOUT, VFK_E_USAGE (too many or too long words), VFK_E_DECODE,
 * VFK_E_LIMIT; after any of these but the engine's own, close the connection. */
int ctl_ask(struct ctl_client *c, const char *command, const char *const *args,
	    unsigned n_args, int timeout_ms, struct strbuf *text,
	    struct vfk_err *err) VFK_MUST_CHECK;

#endif
