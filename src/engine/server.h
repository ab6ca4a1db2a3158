/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's end of cni.sock: connections of clients, frames in and out.  Layer: engine. */
#ifndef VFK_ENGINE_SERVER_H
#define VFK_ENGINE_SERVER_H

#include <stdbool.h>

#include "base/frame.h"
#include "io/loop.h"

struct server;

struct server_events {
	void *arg;
	/* The descriptors are the receiver's; netns_fd is -1 where there is none. */
	void (*request)(void *arg, void *client, const struct frame_request *rq,
			int stdin_fd, int env_fd, int netns_fd);
	/* 'out_fd' is the receiver's; -1: the plugin wrote nothing that could be passed. */
	void (*ran)(void *arg, void *client, const struct frame_ran *ran, int out_fd);
	void (*gone)(void *arg, void *client);
};

/* Unlinks what stands at 'path' (R1: the caller holds LOCK), binds, listens, mode 0600;
 * only peers with uid 'uid' are served.  VFK_E_SYS. */
int server_open(struct server **out, struct loop *loop, const char *path, uid_t uid,
		const struct server_events *events, struct vfk_err *err) VFK_MUST_CHECK;
/* No new requests: closes the listener and the connections that have not asked yet, whose
 * clients come back (R4). */
void server_stop_listening(struct server *s);
void server_close(struct server *s); /* NULL allowed; clients see end of file and come back */
unsigned server_clients(const struct server *s);

/* The last frame of a client; the connection is closed when it is sent. */
void server_answer(struct server *s, void *client, int exit_code, const char *text,
		   size_t len);
int server_run(struct server *s, void *client, struct frame_run *run, const int *fds,
	       unsigned n_fds, struct vfk_err *err) VFK_MUST_CHECK;
void server_cancel(struct server *s, void *client);

#endif
