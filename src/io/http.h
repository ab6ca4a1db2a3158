/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server for people and scrapers on the same machine: GET and HEAD, on a
 * loopback address or a UNIX socket, on the loop, never blocking.  libevent's evhttp does the
 * protocol; here are the bounds: connections, time, headers, readers that do not read, and
 * whom a browser believes it is talking to.  Layer: io. */
#ifndef VFK_IO_HTTP_H
#define VFK_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/err.h"
#include "io/loop.h"

#define HTTP_CONNS_MAX 32   /* more wait in the kernel's queue until one ends */
#define HTTP_STREAMS_MAX 16 /* one more is told 503 */
#define HTTP_HEADERS_MAX 8192
#define HTTP_CONN_S 10 /* from accept to the last byte of the answer; not for streams */
#define HTTP_STREAM_QUEUE_MAX (256u * 1024) /* what a stream's client has not read */

struct http;
struct http_call; /* one request, during its handler only */

struct http_addr {
	sa_family_t family; /* AF_UNSPEC: off; AF_UNIX: where the caller says; AF_INET, AF_INET6 */
	uint8_t ip[16];
	uint16_t port;
};

/* "off", "unix", "127.0.0.1:9477" (any address of 127.0.0.0/8), "[::1]:9477".  False: it is
 * none of these, and '*out' is unchanged. */
bool http_addr_parse(const char *text, struct http_addr *out);

/* Answers by http_answer or http_stream before it returns.  'path' is without query. */
typedef void (*http_fn)(void *arg, struct http_call *call, const char *path);

/* Binds and listens; 'socket_path' is for AF_UNIX: what stands there is unlinked (the caller
 * is alone), mode 0600.  VFK_E_SYS: the address is taken, for instance. */
int http_open(struct http **out, struct loop *loop, const struct http_addr *addr,
	      const char *socket_path, http_fn fn, void *arg,
	      struct vfk_err *err) VFK_MUST_CHECK;
void http_close(struct http *h); /* NULL allowed; the socket file stays */
/* Once per turn of the loop: drops what is too slow. */
void http_turn(struct http *h);

void http_answer(struct http_call *call, int code, const char *type, const void *bytes,
		 size_t len_bytes);
/* The value of a request header, NULL if it is missing. */
const char *http_header(const struct http_call *call, const char *name);
/* The connection stays open; 'text' is sent at once, and everything that http_send_all is
 * given until the client ends or does not read any more. */
void http_stream(struct http_call *call, const char *type, const char *text,
		 size_t len_bytes);
void http_send_all(struct http *h, const char *text, size_t len_bytes);
unsigned http_streams(const struct http *h);

#endif
