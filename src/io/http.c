/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"

#define BACKLOG 64
#define BEAT_NS NS_PER_S
#define STREAM_BEAT_NS (5 * NS_PER_S) /* so that a client that went is noticed */
#define READ_AHEAD 65536	      /* what a client may send that nobody reads */

/* evhttp tells neither when it accepts a connection nor when it ends one that has not asked
 * yet.  So we make its bufferevents and keep a reference: one whose callbacks were taken away
 * is one that evhttp has let go. */
struct conn {
	struct list link;
	struct bufferevent *bev;
	int64_t since_ns;
	struct evhttp_request *stream; /* NULL: none */
	bool cut;
};

struct http {
	struct loop *loop;
	struct evhttp *evhttp;
	struct evconnlistener *listener; /* evhttp's */
	bool listening, unix_socket;
	struct loop_timer *beat;
	struct list conns;
	unsigned n_conns, n_streams;
	int64_t stream_beat_ns;
	http_fn fn;
	void *arg;
};

struct http_call {
	struct http *http;
	struct evhttp_request *rq;
};

/* --- connections --- */

static bool conn_alive(const struct conn *c)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;

	bufferevent_getcb(c->bev, &on_read, &on_write, &on_event, NULL);
	return on_read || on_write || on_event;
}

static void conn_forget(struct http *h, struct conn *c)
{
	list_remove(&c->link);
	h->n_conns--;
	h->n_streams -= c->stream != NULL;
	/* Its connection is gone; a request that is still being answered is left to us. */
	if (c->stream)
		evhttp_send_reply_end(c->stream);
	bufferevent_decref(c->bev);
	free(c);
}

/* evhttp sees the end of the connection in its next turn, and frees it. */
static void conn_cut(struct conn *c)
{
	int fd = bufferevent_getfd(c->bev);

	c->cut = true;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

static struct bufferevent *new_conn(struct event_base *base, void *arg)
{
	struct http *h = arg;
	struct conn *c = calloc(1, sizeof(*c));

	if (c)
		c->bev = bufferevent_socket_new(base, -1, 0);
	if (!c || !c->bev) {
		free(c);
		return NULL; /* evhttp tries by itself */
	}
	bufferevent_incref(c->bev);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
	c->since_ns = clock_boot_ns();
	list_push_back(&h->conns, &c->link);
	if (++h->n_conns >= HTTP_CONNS_MAX) {
		evconnlistener_disable(h->listener);
		h->listening = false;
	}
	if (h->n_conns == 1)
		loop_timer_at(h->beat, c->since_ns + BEAT_NS);
	return c->bev;
}

/* No descriptor is free, for instance: the next beat tries again. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http *h = arg;

	evconnlistener_disable(listener);
	h->listening = false;
	loop_timer_at(h->beat, clock_boot_ns() + BEAT_NS);
}

static struct conn *conn_of(struct http *h, struct evhttp_request *rq)
{
	struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(rq));

	list_each(it, &h->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		if (c->bev == bev)
			return c;
	}
	return NULL;
}

void http_turn(struct http *h)
{
	int64_t now = clock_boot_ns();

	list_each_safe(it, &h->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		if (!conn_alive(c))
			conn_forget(h, c);
		else if (!c->stream && now - c->since_ns >= HTTP_CONN_S * NS_PER_S)
			conn_cut(c);
	}
	if (!h->listening && h->n_conns < HTTP_CONNS_MAX)
		h->listening = evconnlistener_enable(h->listener) == 0;
}

static void on_beat(void *arg)
{
	struct http *h = arg;
	int64_t now = clock_boot_ns();

	if (h->n_streams && now >= h->stream_beat_ns) {
		h->stream_beat_ns = now + STREAM_BEAT_NS;
		http_send_all(h, ":\n\n", 3);
	}
	http_turn(h);
	if (h->n_conns || !h->listening)
		loop_timer_at(h->beat, now + BEAT_NS);
}

/* --- requests --- */

static void common_headers(struct evhttp_request *rq, const char *type)
{
	static const char *const headers[][2] = {
		{ "Connection", "close" },
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Content-Security-Policy",
		  "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; "
		  "script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
		  "form-action 'none'; frame-ancestors 'none'" },
	};
	struct evkeyvalq *out = evhttp_request_get_output_headers(rq);

	for (size_t i = 0; i < VFK_ARRAY_SIZE(headers); i++)
		evhttp_add_header(out, headers[i][0], headers[i][1]);
	evhttp_add_header(out, "Content-Type", type);
}

void http_answer(struct http_call *call, int code, const char *type, const void *bytes,
		 size_t len)
{
	struct evbuffer *body = evbuffer_new();

	common_headers(call->rq, type);
	if (body && evbuffer_add(body, bytes, len) == 0)
		evhttp_send_reply(call->rq, code, NULL, body);
	else
		evhttp_send_error(call->rq, HTTP_INTERNAL, NULL);
	if (body)
		evbuffer_free(body);
}

static void answer_line(struct http_call *call, int code, const char *line)
{
	http_answer(call, code, "text/plain; charset=utf-8", line, strlen(line));
}

const char *http_header(const struct http_call *call, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(call->rq), name);
}

/* A name that somebody else's DNS makes to point here is not ours: a page of theirs could
 * read us otherwise.  An address literal or "localhost" cannot be made to. */
static bool host_is_ours(const char *host)
{
	char name[64];
	struct in_addr ip;
	size_t len;

	if (host[0] == '[')
		return !strncmp(host, "[::1]", 5) && (!host[5] || host[5] == ':');
	len = strcspn(host, ":");
	if (!len || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return !strcasecmp(name, "localhost") ||
	       (inet_pton(AF_INET, name, &ip) == 1 && ntohl(ip.s_addr) >> 24 == 127);
}

static void on_request(struct evhttp_request *rq, void *arg)
{
	struct http *h = arg;
	struct http_call call = { .http = h, .rq = rq };
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(rq);
	const char *host = http_header(&call, "Host");
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *uri_host = uri ? evhttp_uri_get_host(uri) : NULL;

	if (!h->unix_socket && (!host || !host_is_ours(host) || uri_host)) {
		answer_line(&call, 421,
			    "Host has to be localhost or a loopback address.\n");
		return;
	}
	h->fn(h->arg, &call, path && *path ? path : "/");
}

/* --- streams --- */

static bool stream_put(struct conn *c, const char *text, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev), *piece;
	bool fits = evbuffer_get_length(out) + len <= HTTP_STREAM_QUEUE_MAX;

	piece = fits ? evbuffer_new() : NULL;
	if (!piece || evbuffer_add(piece, text, len)) {
		conn_cut(c);
		fits = false;
	} else {
		evhttp_send_reply_chunk(c->stream, piece);
	}
	if (piece)
		evbuffer_free(piece);
	return fits;
}

void http_stream(struct http_call *call, const char *type, const char *text, size_t len)
{
	struct http *h = call->http;
	struct conn *c = conn_of(h, call->rq);
	struct timeval limit = { .tv_sec = HTTP_CONN_S };

	if (!c || h->n_streams >= HTTP_STREAMS_MAX) {
		answer_line(call, HTTP_SERVUNAVAIL, "Too many streams are open.\n");
		return;
	}
	if (evhttp_request_get_command(call->rq) == EVHTTP_REQ_HEAD) {
		http_answer(call, HTTP_OK, type, "", 0);
		return;
	}
	common_headers(call->rq, type);
	c->stream = call->rq;
	if (h->n_streams++ == 0)
		h->stream_beat_ns = clock_boot_ns() + STREAM_BEAT_NS;
	evhttp_send_reply_start(call->rq, HTTP_OK, NULL);
	/* A client of a stream says nothing more, but it has to read. */
	bufferevent_set_timeouts(c->bev, NULL, &limit);
	stream_put(c, text, len);
}

void http_send_all(struct http *h, const char *text, size_t len)
{
	list_each_safe(it, &h->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		if (!conn_alive(c))
			conn_forget(h, c);
		else if (c->stream && !c->cut && !stream_put(c, text, len))
			log_info("http", "a client does not read its stream: closed");
	}
}

unsigned http_streams(const struct http *h)
{
	return h->n_streams;
}

/* --- start and end --- */

static int bind_at(const struct http_addr *at, const char *path, struct vfk_err *err)
{
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = { .sa.sa_family = at->family };
	VFK_AUTO(fd_auto) int fd = -1;
	socklen_t len = sizeof(a.in);
	int one = 1;

	if (at->family == AF_UNIX) {
		len = sizeof(a.un);
		if (strlen(path) >= sizeof(a.un.sun_path))
			return vfk_err_set(err, VFK_E_CONFIG, 0,
					   "path of a socket is too long: %s", path);
		memcpy(a.un.sun_path, path, strlen(path) + 1);
		if (unlink(path) < 0 && errno != ENOENT)
			return vfk_err_set(err, VFK_E_SYS, errno, "unlink %s", path);
	} else if (at->family == AF_INET) {
		memcpy(&a.in.sin_addr, at->ip, sizeof(a.in.sin_addr));
		a.in.sin_port = htons(at->port);
	} else {
		len = sizeof(a.in6);
		memcpy(&a.in6.sin6_addr, at->ip, sizeof(a.in6.sin6_addr));
		a.in6.sin6_port = htons(at->port);
	}
	fd = socket(at->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "socket");
	if ((at->family != AF_UNIX &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0) ||
	    bind(fd, &a.sa, len) < 0 ||
	    (at->family == AF_UNIX && chmod(path, 0600) < 0) || listen(fd, BACKLOG) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "HTTP: listen at %s port %u",
				   at->family == AF_UNIX ? path : "loopback", at->port);
	return fd_steal(&fd);
}

int http_open(struct http **out, struct loop *loop, const struct http_addr *addr,
	      const char *socket_path, http_fn fn, void *arg, struct vfk_err *err)
{
	struct event_base *base = loop_base(loop);
	struct http *h = calloc(1, sizeof(*h));
	int fd;

	if (!h)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "HTTP");
	list_init(&h->conns);
	h->loop = loop;
	h->fn = fn;
	h->arg = arg;
	h->unix_socket = addr->family == AF_UNIX;
	fd = bind_at(addr, socket_path, err);
	if (fd < 0) {
		free(h);
		return fd;
	}
	h->beat = loop_timer_new(loop, on_beat, h);
	h->evhttp = evhttp_new(base);
	h->listener = evconnlistener_new(base, NULL, NULL,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
					 fd);
	if (!h->listener)
		close(fd);
	if (!h->beat || !h->evhttp || !h->listener) {
		if (h->listener)
			evconnlistener_free(h->listener);
		if (h->evhttp)
			evhttp_free(h->evhttp);
		loop_timer_free(h->beat);
		free(h);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "HTTP");
	}
	evhttp_set_allowed_methods(h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(h->evhttp, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(h->evhttp, 0);
	evhttp_set_timeout(h->evhttp, HTTP_CONN_S);
	evhttp_set_gencb(h->evhttp, on_request, h);
	evhttp_set_bevcb(h->evhttp, new_conn, h);
	if (!evhttp_bind_listener(h->evhttp, h->listener)) {
		evconnlistener_free(h->listener);
		h->listener = NULL;
		http_close(h);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "HTTP");
	}
	evconnlistener_set_error_cb(h->listener, on_accept_error);
	h->listening = true;
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	list_each_safe(it, &h->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		if (!conn_alive(c))
			conn_forget(h, c);
		else
			c->stream = NULL; /* goes with its connection */
	}
	evhttp_free(h->evhttp); /* and its connections and listener */
	list_each_safe(it, &h->conns)
		conn_forget(h, list_entry(it, struct conn, link));
	loop_timer_free(h->beat);
	free(h);
}
