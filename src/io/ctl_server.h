/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's end of control.sock: requests in, one JSON document or one error line out,
 * several clients at once, never blocking.  SOCK_SEQPACKET, one protobuf message per packet
 * (proto/control.proto); a request carries an id and words, never a path or a descriptor.
 * What a command means is the handler's business.  Layer: io. */
#ifndef VFK_IO_CTL_SERVER_H
#define VFK_IO_CTL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "io/codec.h"
#include "io/loop.h"

#define CTL_CLIENTS_MAX 32	  /* one more is told "busy" and closed */
#define CTL_CALLS_MAX 8		  /* unanswered requests of one client, likewise */
#define CTL_QUEUE_MAX (32u << 20) /* bytes of answers that one client has not read */
#define CTL_IDLE_S 60 /* a client that asks nothing and reads nothing is closed */

struct ctl_server;
struct ctl_call; /* one request until its answer; opaque */

/* Called for each well-formed request.  'rq' is valid during the call; 'call' has to be
 * answered exactly once, in the handler or at any time later, even if its client is gone
 * or the server closed meanwhile (the answer is then dropped). */
typedef void (*ctl_handler_fn)(void *arg, struct ctl_call *call,
			       const struct ctl_request *rq);

/* Unlinks what stands at 'path' (R1: the caller holds LOCK), binds and listens, mode 0600.
 * Peers of another user than 'uid' are closed without a word.  VFK_E_SYS. */
int ctl_server_open(struct ctl_server **out, struct loop *loop, const char *path, uid_t uid,
		    ctl_handler_fn handler, void *arg, struct vfk_err *err) VFK_MUST_CHECK;
/* Sends what the sockets take at once, closes listener and connections, and leaves the
 * socket file alone (the next engine unlinks it).  NULL allowed. */
void ctl_server_close(struct ctl_server *s);

unsigned ctl_server_clients(const struct ctl_server *s);
/* Whether an answer has not been read by its client yet. */
bool ctl_server_pending(const struct ctl_server *s);

/* Answers with a JSON document (copied). */
void ctl_call_json(struct ctl_call *call, const char *text, size_t len_bytes);
/* Answers with an error: kind and line. */
void ctl_call_error(struct ctl_call *call, const struct vfk_err *err);
/* The client ended or was closed: nobody reads the answer. */
bool ctl_call_gone(const struct ctl_call *call);

#endif
