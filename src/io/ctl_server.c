/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ctl_server.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"

#define REQUEST_MAX 4096 /* CTL_MAX_ARGS words of 256 bytes and the frame around them */
#define ACCEPTS_PER_TURN 16
#define REQUESTS_PER_TURN 8

/* An encoded reply that the socket did not take yet. */
struct message {
	struct list link;
	size_t len;
	char bytes[];
};

struct client {
	struct list link; /* ctl_server.clients */
	struct ctl_server *server;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *idle;
	struct list calls; /* struct ctl_call without an answer */
	unsigned n_calls;
	struct list queue; /* struct message */
	size_t queued_bytes;
	bool dead; /* freed by its own next callback, never under its feet */
};

struct ctl_call {
	struct list link;
	struct client *client; /* NULL: gone */
	uint32_t id;
};

struct ctl_server {
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *accept_again;
	uid_t uid;
	ctl_handler_fn handler;
	void *arg;
	struct list clients;
	unsigned n_clients;
};

static void client_free(struct client *c)
{
	list_each_safe(it, &c->calls) {
		struct ctl_call *call = list_entry(it, struct ctl_call, link);

		list_remove(&call->link);
		call->client = NULL;
	}
	list_each_safe(it, &c->queue)
		free(list_entry(it, struct message, link));
	if (c->link.next) {
		list_remove(&c->link);
		c->server->n_clients--;
	}
	if (c->watch)
		loop_fd_free(c->watch);
	if (c->idle)
		loop_timer_free(c->idle);
	close(c->fd);
	free(c);
}

/* Makes the loop call back: the descriptor is at its end from now on. */
static void client_kill(struct client *c)
{
	c->dead = true;
	shutdown(c->fd, SHUT_RDWR);
}

static void client_touch(struct client *c)
{
	loop_timer_at(c->idle, clock_boot_ns() + CTL_IDLE_S * NS_PER_S);
}

static void client_flush(struct client *c)
{
	while (!c->dead && !list_empty(&c->queue)) {
		struct message *m = list_entry(c->queue.next, struct message, link);
		ssize_t n = send(c->fd, m->bytes, m->len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			break;
		if (n < 0) {
			client_kill(c);
			return;
		}
		list_remove(&m->link);
		c->queued_bytes -= m->len;
		free(m);
		client_touch(c);
	}
	if (!c->dead)
		loop_fd_set(c->watch, LOOP_READ | (list_empty(&c->queue) ? 0 : LOOP_WRITE));
}

static int client_queue(struct client *c, const struct ctl_reply *reply)
{
	struct strbuf out = { 0 };
	struct message *m = NULL;

	codec_put_ctl_reply(&out, reply);
	if (!out.failed)
		m = malloc(sizeof(*m) + out.len);
	if (m) {
		list_init(&m->link);
		m->len = out.len;
		memcpy(m->bytes, out.data, out.len);
		list_push_back(&c->queue, &m->link);
		c->queued_bytes += m->len;
	}
	strbuf_free(&out);
	return m ? 0 : -1;
}

static void client_error(struct client *c, uint32_t id, const struct vfk_err *err)
{
	struct ctl_reply reply = { .version = CTL_VERSION, .id = id, .kind = err->kind };

	snprintf(reply.msg, sizeof(reply.msg), "%s", err->msg);
	if (client_queue(c, &reply) < 0)
		client_kill(c);
}

/* --- answers --- */

static struct client *call_end(struct ctl_call *call)
{
	struct client *c = call->client;

	if (c) {
		list_remove(&call->link);
		c->n_calls--;
	}
	free(call);
	return c && !c->dead ? c : NULL;
}

void ctl_call_json(struct ctl_call *call, const char *text, size_t len_bytes)
{
	uint32_t id = call->id;
	struct client *c = call_end(call);
	size_t done = 0;

	if (!c)
		return;
	if (c->queued_bytes + len_bytes > CTL_QUEUE_MAX) {
		struct vfk_err err = { 0 };

		(void)vfk_err_set(&err, VFK_E_LIMIT, 0,
				  "the answer is longer than %u bytes", CTL_QUEUE_MAX);
		client_error(c, id, &err);
		client_flush(c);
		return;
	}
	do {
		struct ctl_reply reply = { .version = CTL_VERSION, .id = id };

		reply.text = text + done;
		reply.text_len = len_bytes - done < CTL_PART_MAX ? len_bytes - done :
								   CTL_PART_MAX;
		done += reply.text_len;
		reply.more = done < len_bytes;
		if (client_queue(c, &reply) < 0) {
			/* Half an answer must not look like one. */
			client_kill(c);
			return;
		}
	} while (done < len_bytes);
	client_flush(c);
}

void ctl_call_error(struct ctl_call *call, const struct vfk_err *err)
{
	uint32_t id = call->id;
	struct client *c = call_end(call);

	if (!c)
		return;
	client_error(c, id, err);
	client_flush(c);
}

bool ctl_call_gone(const struct ctl_call *call)
{
	return !call->client || call->client->dead;
}

/* --- requests --- */

static void client_request(struct client *c, const char *buf, size_t len)
{
	struct ctl_server *s = c->server;
	struct ctl_request rq = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_call *call;

	if (codec_get_ctl_request(buf, len, &rq, &err) < 0) {
		/* Whoever talks like this is not one of our tools. */
		client_error(c, 0, &err);
		client_flush(c);
		client_kill(c);
		return;
	}
	if (rq.version != CTL_VERSION) {
		(void)vfk_err_set(&err, VFK_E_VERSION, 0,
				  "this engine speaks control version %d, not %u",
				  CTL_VERSION, (unsigned)rq.version);
		client_error(c, rq.id, &err);
		return;
	}
	if (c->n_calls >= CTL_CALLS_MAX) {
		(void)vfk_err_set(&err, VFK_E_BUSY, 0, "more than %d requests at once",
				  CTL_CALLS_MAX);
		client_error(c, rq.id, &err);
		return;
	}
	call = calloc(1, sizeof(*call));
	if (!call) {
		(void)vfk_err_set(&err, VFK_E_NOMEM, 0, "no memory for a request");
		client_error(c, rq.id, &err);
		return;
	}
	call->client = c;
	call->id = rq.id;
	list_push_back(&c->calls, &call->link);
	c->n_calls++;
	s->handler(s->arg, call, &rq);
}

static void client_read(struct client *c)
{
	for (int i = 0; i < REQUESTS_PER_TURN && !c->dead; i++) {
		char buf[REQUEST_MAX];
		ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			c->dead = true;
			return;
		}
		client_touch(c);
		if ((size_t)n > sizeof(buf)) {
			log_warn("ctl", "a request of %zd bytes: closing its client", n);
			client_kill(c);
			return;
		}
		client_request(c, buf, (size_t)n);
	}
}

static void client_event(void *arg, int fd, unsigned events)
{
	struct client *c = arg;

	(void)fd;
	if (!c->dead && (events & LOOP_READ))
		client_read(c);
	if (!c->dead)
		client_flush(c);
	if (c->dead)
		client_free(c);
}

static void client_idle(void *arg)
{
	struct client *c = arg;

	/* One whose request is being worked on may wait as long as that takes. */
	if (c->n_calls > 0 && list_empty(&c->queue)) {
		client_touch(c);
		return;
	}
	client_free(c);
}

/* --- connections --- */

static bool peer_is(int fd, uid_t uid)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == uid)
		return true;
	log_warn("ctl", "refused a client of user %u (process %d)", (unsigned)peer.uid,
		 (int)peer.pid);
	return false;
}

/* Takes over 'fd'. */
static void client_add(struct ctl_server *s, int fd)
{
	struct client *c = peer_is(fd, s->uid) ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	list_init(&c->calls);
	list_init(&c->queue);
	if (s->n_clients < CTL_CLIENTS_MAX) {
		c->watch = loop_fd_new(s->loop, fd, LOOP_READ, client_event, c);
		c->idle = loop_timer_new(s->loop, client_idle, c);
	} else {
		struct ctl_reply reply = { .version = CTL_VERSION, .kind = VFK_E_BUSY };
		struct strbuf out = { 0 };

		snprintf(reply.msg, sizeof(reply.msg),
			 "%d control clients are connected already", CTL_CLIENTS_MAX);
		codec_put_ctl_reply(&out, &reply);
		if (!out.failed)
			(void)!send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		strbuf_free(&out);
	}
	if (!c->watch || !c->idle) {
		client_free(c);
		return;
	}
	list_push_back(&s->clients, &c->link);
	s->n_clients++;
	client_touch(c);
}

static void accept_again(void *arg)
{
	struct ctl_server *s = arg;

	loop_fd_set(s->watch, LOOP_READ);
}

static void on_listener(void *arg, int fd, unsigned events)
{
	struct ctl_server *s = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn >= 0) {
			client_add(s, conn);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			/* Out of descriptors: the connection stays queued, so look away for
			 * a second instead of spinning on it. */
			log_warn("ctl", "accept on control.sock: %s",
				 vfk_errno_name(errno));
			loop_fd_set(s->watch, 0);
			loop_timer_at(s->accept_again, clock_boot_ns() + NS_PER_S);
		}
		return;
	}
}

static int listen_at(const char *path, int *out, struct vfk_err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	VFK_AUTO(fd_auto) int fd = -1;

	if (strlen(path) >= sizeof(sa.sun_path))
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "the path %s is too long for a socket", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "make a socket");
	if (unlink(path) < 0 && errno != ENOENT)
		return vfk_err_set(err, VFK_E_SYS, errno, "unlink %s", path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "bind %s", path);
	if (chmod(path, 0600) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "chmod %s", path);
	if (listen(fd, CTL_CLIENTS_MAX) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "listen on %s", path);
	*out = fd_steal(&fd);
	return 0;
}

int ctl_server_open(struct ctl_server **out, struct loop *loop, const char *path,
		    uid_t uid, ctl_handler_fn handler, void *arg, struct vfk_err *err)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the control socket");
	s->loop = loop;
	s->uid = uid;
	s->handler = handler;
	s->arg = arg;
	s->fd = -1;
	list_init(&s->clients);
	rc = listen_at(path, &s->fd, err);
	if (rc == 0) {
		s->watch = loop_fd_new(loop, s->fd, LOOP_READ, on_listener, s);
		s->accept_again = loop_timer_new(loop, accept_again, s);
		if (!s->watch || !s->accept_again)
			rc = vfk_err_set(err, VFK_E_NOMEM, 0,
					 "no memory for the control socket");
	}
	if (rc < 0) {
		ctl_server_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void ctl_server_close(struct ctl_server *s)
{
	if (!s)
		return;
	list_each_safe(it, &s->clients) {
		struct client *c = list_entry(it, struct client, link);

		client_flush(c);
		client_free(c);
	}
	if (s->watch)
		loop_fd_free(s->watch);
	if (s->accept_again)
		loop_timer_free(s->accept_again);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

unsigned ctl_server_clients(const struct ctl_server *s)
{
	return s->n_clients;
}

bool ctl_server_pending(const struct ctl_server *s)
{
	list_each(it, &s->clients) {
		if (!list_empty(&list_entry(it, struct client, link)->queue))
			return true;
	}
	return false;
}
