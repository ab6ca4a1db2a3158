/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/codec.h"

#define MESSAGE_MAX (CTL_PART_MAX + 4096)

struct ctl_client {
	int fd;
	uint32_t id;
};

int ctl_connect(struct ctl_client **out, const char *path, int timeout_ms,
		struct vfk_err *err)
{
	struct timeval wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	VFK_AUTO(fd_auto) int fd = -1;
	struct ctl_client *c;
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return vfk_err_set(err, VFK_E_USAGE, 0,
				   "the path %s is too long for a socket", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "make a socket");
	/* Bounds connect (a full backlog) and send alike. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "set up a socket");
	do
		rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return vfk_err_set(err, VFK_E_GONE, 0, "no engine answers at %s", path);
	if (rc < 0 && errno == EAGAIN)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "the engine at %s takes no connection", path);
	if (rc < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "connect to %s", path);
	c = calloc(1, sizeof(*c));
	if (!c)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for a connection");
	c->fd = fd_steal(&fd);
	*out = c;
	return 0;
}

void ctl_close(struct ctl_client *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c);
}

static int ask_send(struct ctl_client *c, const char *command, const char *const *args,
		    unsigned n_args, struct vfk_err *err)
{
	struct ctl_request rq = { .version = CTL_VERSION, .id = ++c->id, .n_args = n_args };
	struct strbuf out = { 0 };
	ssize_t n;

	if (n_args > CTL_MAX_ARGS)
		return vfk_err_set(err, VFK_E_USAGE, 0, "more than %d words", CTL_MAX_ARGS);
	if (strlen(command) >= sizeof(rq.command))
		return vfk_err_set(err, VFK_E_USAGE, 0, "the command is too long");
	memcpy(rq.command, command, strlen(command) + 1);
	for (unsigned i = 0; i < n_args; i++) {
		if (strlen(args[i]) >= sizeof(rq.args[i]))
			return vfk_err_set(err, VFK_E_USAGE, 0, "word %u is too long",
					   i + 1);
		memcpy(rq.args[i], args[i], strlen(args[i]) + 1);
	}
	codec_put_ctl_request(&out, &rq);
	if (out.failed) {
		strbuf_free(&out);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for a request");
	}
	do
		n = send(c->fd, out.data, out.len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	strbuf_free(&out);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "the engine does not read its requests");
	if (errno == EPIPE || errno == ECONNRESET)
		return 0; /* the engine may have said why: receiving tells */
	return vfk_err_set(err, VFK_E_SYS, errno, "send a request");
}

static int wait_readable(int fd, int64_t until_ns, struct vfk_err *err)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n = poll(&p, 1, clock_left_ms(until_ns));

		if (n > 0)
			return 0;
		if (n == 0)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "the engine did not answer in time");
		if (errno != EINTR)
			return vfk_err_set(err, VFK_E_SYS, errno, "wait for the engine");
	}
}

/* One part of the answer.  '*more': another follows. */
static int ask_part(struct ctl_client *c, char *buf, struct strbuf *text, bool *more,
		    struct vfk_err *err)
{
	struct ctl_reply reply = { 0 };
	void *hold = NULL;
	ssize_t n = recv(c->fd, buf, MESSAGE_MAX, MSG_TRUNC);
	int rc;

	/* A reset is reported before what the engine had said until then. */
	if (n < 0 && errno == ECONNRESET)
		n = recv(c->fd, buf, MESSAGE_MAX, MSG_TRUNC | MSG_DONTWAIT);
	if (n < 0 && errno == EINTR) {
		*more = true;
		return 0;
	}
	if (n == 0 || (n < 0 && (errno == ECONNRESET || errno == EAGAIN)))
		return vfk_err_set(err, VFK_E_GONE, 0, "the engine closed the connection");
	if (n < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "receive an answer");
	if (n > MESSAGE_MAX)
		return vfk_err_set(err, VFK_E_DECODE, 0, "an answer of %zd bytes", n);
	rc = codec_get_ctl_reply(buf, (size_t)n, &reply, &hold, err);
	if (rc < 0)
		return rc;
	/* Number 0: said to the connection and not to a request. */
	if (reply.id != c->id && !(reply.id == 0 && reply.kind))
		rc = vfk_err_set(err, VFK_E_DECODE, 0, "an answer to request %u, not %u",
				 (unsigned)reply.id, (unsigned)c->id);
	else if (reply.kind)
		rc = vfk_err_set(err, (enum vfk_err_kind)reply.kind, 0, "%s", reply.msg);
	else if (text->len + reply.text_len > CTL_ANSWER_MAX)
		rc = vfk_err_set(err, VFK_E_LIMIT, 0, "an answer of more than %u bytes",
				 CTL_ANSWER_MAX);
	else
		strbuf_add(text, reply.text, reply.text_len);
	if (rc == 0 && text->failed)
		rc = vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the answer");
	*more = reply.more;
	free(hold);
	return rc;
}

int ctl_ask(struct ctl_client *c, const char *command, const char *const *args,
	    unsigned n_args, int timeout_ms, struct strbuf *text, struct vfk_err *err)
{
	int64_t until_ns = clock_boot_ns() + (int64_t)timeout_ms * NS_PER_MS;
	VFK_AUTO(free_auto) char *buf = malloc(MESSAGE_MAX);
	bool more = true;
	int rc;

	if (!buf)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the answer");
	rc = ask_send(c, command, args, n_args, err);
	while (rc == 0 && more) {
		rc = wait_readable(c->fd, until_ns, err);
		if (rc == 0)
			rc = ask_part(c, buf, text, &more, err);
	}
	return rc;
}
