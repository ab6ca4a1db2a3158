/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64

struct conn {
	struct list link;
	struct server *server;
	int fd;
	struct loop_fd *watch;
	bool asked;    /* its REQUEST was passed on */
	bool answered; /* the engine does not know it any more */
	struct frame_answer *unsent;
};

struct server {
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	uid_t uid;
	struct server_events events;
	struct list conns;
	unsigned n_conns;
};

static void conn_free(struct conn *c)
{
	list_remove(&c->link);
	c->server->n_conns--;
	loop_fd_free(c->watch);
	close(c->fd);
	free(c->unsent);
	free(c);
}

/* The peer ended or speaks nonsense. */
static void conn_end(struct conn *c)
{
	struct server *s = c->server;

	if (c->asked && !c->answered)
		s->events.gone(s->events.arg, c);
	conn_free(c);
}

static void say_version(struct conn *c)
{
	struct frame_version_is is = { .hdr = { .version = FRAME_VERSION,
						.type = FRAME_VERSION_IS },
				       .min = FRAME_VERSION_MIN,
				       .max = FRAME_VERSION };
	struct vfk_err err;

	if (frame_send(c->fd, &is.hdr, sizeof(is), NULL, 0, &err) < 0)
		log_debug("server", "%s", err.msg);
	conn_end(c);
}

static bool request_whole(const struct frame_request *rq, ssize_t len, unsigned n_fds)
{
	return len == (ssize_t)sizeof(*rq) && n_fds == (rq->netns_errno == 0 ? 3u : 2u) &&
	       rq->stdin_len <= STDIN_MAX && rq->env_len <= ENV_MAX;
}

static void conn_frame(struct conn *c, const void *buf, ssize_t len,
		       int fds[FRAME_MAX_FDS], unsigned n_fds)
{
	struct server *s = c->server;
	const struct frame_hdr *hdr = buf;
	struct frame_request rq;
	struct frame_ran ran;

	if (hdr->version < FRAME_VERSION_MIN || hdr->version > FRAME_VERSION) {
		say_version(c);
	} else if (!c->asked && hdr->type == FRAME_REQUEST &&
		   (memcpy(&rq, buf, (size_t)len < sizeof(rq) ? (size_t)len : sizeof(rq)),
		    request_whole(&rq, len, n_fds))) {
		c->asked = true;
		s->events.request(s->events.arg, c, &rq, fds[0], fds[1],
				  n_fds == 3 ? fds[2] : -1);
		return; /* the descriptors are passed on; 'c' may be gone */
	} else if (c->asked && !c->answered && hdr->type == FRAME_RAN &&
		   len == (ssize_t)sizeof(ran) && n_fds <= 1) {
		memcpy(&ran, buf, sizeof(ran));
		s->events.ran(s->events.arg, c, &ran, n_fds ? fds[0] : -1);
		return;
	} else if (!c->answered) {
		log_warn("server",
			 "a client sent a frame of type %u with %zd bytes and %u "
			 "descriptors out of turn: connection closed",
			 hdr->type, len, n_fds);
		conn_end(c);
	}
	for (unsigned i = 0; i < n_fds; i++)
		close(fds[i]);
}

static void flush(struct conn *c)
{
	struct vfk_err err = { 0 };

	if (frame_send(c->fd, &c->unsent->hdr, sizeof(*c->unsent) + c->unsent->text_len,
		       NULL, 0, &err) < 0 &&
	    (err.sys == EAGAIN || err.sys == ENOBUFS)) {
		loop_fd_set(c->watch, LOOP_READ | LOOP_WRITE);
		return;
	}
	conn_free(c); /* sent, or nobody is there to take it */
}

static void on_conn(void *arg, int fd, unsigned events)
{
	static _Alignas(8) char buf[FRAME_MAX]; /* one thread, one frame at a time */
	struct conn *c = arg;
	int fds[FRAME_MAX_FDS];
	unsigned n_fds = 0;
	struct vfk_err err = { 0 };
	ssize_t len;

	if (c->unsent && (events & LOOP_WRITE)) {
		flush(c);
		return;
	}
	len = frame_recv(fd, buf, sizeof(buf), fds, &n_fds, &err);
	if (len > 0) {
		conn_frame(c, buf, len, fds, n_fds);
		return;
	}
	if (len < 0 && err.kind == VFK_E_SYS && err.sys == EAGAIN)
		return;
	if (len < 0 && !(err.kind == VFK_E_SYS && err.sys == ECONNRESET))
		log_warn("server", "a client's frame: %s", err.msg);
	conn_end(c);
}

static void on_listener(void *arg, int fd, unsigned events)
{
	struct server *s = arg;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct ucred cred = { .uid = (uid_t)-1 };
		socklen_t len = sizeof(cred);
		struct conn *c;

		if (peer < 0)
			return;
		if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
		    cred.uid != s->uid) {
			log_warn("server", "uid %u at cni.sock: refused", cred.uid);
			close(peer);
			continue;
		}
		c = calloc(1, sizeof(*c));
		if (c)
			c->watch = loop_fd_new(s->loop, peer, LOOP_READ, on_conn, c);
		if (!c || !c->watch) {
			close(peer); /* it comes back (R4) */
			free(c);
			continue;
		}
		c->fd = peer;
		c->server = s;
		list_push_back(&s->conns, &c->link);
		s->n_conns++;
	}
}

static int listen_at(const char *path, struct vfk_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	VFK_AUTO(fd_auto) int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return vfk_err_set(err, VFK_E_CONFIG, 0,
				   "path of a socket is too long: %s", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "socket");
	if (unlink(path) < 0 && errno != ENOENT)
		return vfk_err_set(err, VFK_E_SYS, errno, "unlink %s", path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, BACKLOG) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "listen at %s", path);
	return fd_steal(&fd);
}

int server_open(struct server **out, struct loop *loop, const char *path, uid_t uid,
		const struct server_events *events, struct vfk_err *err)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "server");
	list_init(&s->conns);
	s->loop = loop;
	s->uid = uid;
	s->events = *events;
	s->fd = listen_at(path, err);
	if (s->fd < 0) {
		free(s);
		return -err->kind;
	}
	s->watch = loop_fd_new(loop, s->fd, LOOP_READ, on_listener, s);
	if (!s->watch) {
		close(s->fd);
		free(s);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "server");
	}
	*out = s;
	return 0;
}

void server_stop_listening(struct server *s)
{
	if (s->fd < 0)
		return;
	loop_fd_free(VFK_STEAL(s->watch));
	close(s->fd);
	s->fd = -1;
	list_each_safe(it, &s->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		if (!c->asked)
			conn_free(c);
	}
}

void server_close(struct server *s)
{
	if (!s)
		return;
	server_stop_listening(s);
	list_each_safe(it, &s->conns)
		conn_free(list_entry(it, struct conn, link));
	free(s);
}

unsigned server_clients(const struct server *s)
{
	return s->n_conns;
}

void server_answer(struct server *s, void *client, int exit_code, const char *text,
		   size_t len)
{
	struct conn *c = client;

	(void)s;
	if (len > ANSWER_MAX) {
		static const char big[] =
			"{\"code\":999,\"msg\":\"the answer is too long\"}";

		text = big;
		len = sizeof(big) - 1;
		exit_code = 1;
	}
	c->answered = true;
	c->unsent = calloc(1, sizeof(*c->unsent) + len);
	if (!c->unsent) {
		/* End of file: the client comes back and asks again (R4). */
		shutdown(c->fd, SHUT_RDWR);
		return;
	}
	c->unsent->hdr.version = FRAME_VERSION;
	c->unsent->hdr.type = FRAME_ANSWER;
	c->unsent->exit_code = exit_code;
	c->unsent->text_len = (uint32_t)len;
	memcpy(c->unsent + 1, text, len);
	flush(c);
}

int server_run(struct server *s, void *client, struct frame_run *run, const int *fds,
	       unsigned n_fds, struct vfk_err *err)
{
	struct conn *c = client;

	(void)s;
	return frame_send(c->fd, &run->hdr, sizeof(*run), fds, n_fds, err);
}

void server_cancel(struct server *s, void *client)
{
	struct conn *c = client;
	struct frame_hdr hdr = { .version = FRAME_VERSION, .type = FRAME_CANCEL };
	struct vfk_err err;

	(void)s;
	if (frame_send(c->fd, &hdr, sizeof(hdr), NULL, 0, &err) < 0)
		log_debug("server", "CANCEL: %s", err.msg);
}
