/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/session.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "vfkeeper/answer.h"
#include "vfkeeper/runner.h"
#include "vfkeeper/starter.h"

#define RETRY_NS (10 * NS_PER_MS)
#define RETRY_SLOW_NS (200 * NS_PER_MS)
#define QUICK_RETRIES 8 /* connections lost one after the other */

struct session {
	const struct request *rq;
	int64_t until_ns, allowed_ms;
	int64_t alone_ns;    /* since when there is no connection */
	int64_t next_try_ns; /* of one */
	int sock;	     /* -1: not connected */
	int no_engine;	     /* errno of the last connect */
	uint16_t version;    /* of the frames we send (R16) */
	uint8_t attempt;
	int exit_code; /* once answered */
	struct starter starter;
	struct runner runner;
};

enum { GO_ON = 0, ANSWERED = 1 };

static union {
	char bytes[FRAME_MAX];
	struct frame_hdr hdr;
	struct frame_run run;
	struct frame_answer answer;
	struct frame_version_is version_is;
} frame;

static void disconnect(struct session *s)
{
	close(s->sock);
	s->sock = -1;
	if (s->attempt < 255)
		s->attempt++;
	s->alone_ns = clock_boot_ns();
	s->next_try_ns = s->alone_ns +
			 (s->attempt < QUICK_RETRIES ? RETRY_NS : RETRY_SLOW_NS);
}

/* What a failed send means.  A peer that is gone may have left an answer to be read,
 * and receiving tells of its end, too; whatever lacks resources is tried again (R4). */
static void send_failed(struct session *s, const struct vfk_err *err)
{
	if (err->sys != EPIPE && err->sys != ECONNRESET && err->sys != ENOTCONN)
		disconnect(s);
}

static void send_result(struct session *s)
{
	struct vfk_err err;

	if (runner_send(&s->runner, s->sock, s->version, &err) < 0)
		send_failed(s, &err);
}

static void send_request(struct session *s)
{
	struct frame_request rq = s->rq->frame;
	struct vfk_err err;

	rq.hdr.version = s->version;
	rq.attempt = s->attempt;
	rq.has_run = s->runner.state == RUNNER_RESULT;
	rq.run_id = rq.has_run ? s->runner.run_id : 0;
	if (frame_send(s->sock, &rq.hdr, sizeof(rq), s->rq->fds, s->rq->n_fds, &err) < 0)
		send_failed(s, &err);
	else if (rq.has_run)
		send_result(s);
}

/* true: connected and asked.  Otherwise no_engine says why; EAGAIN is an engine whose
 * queue of connections is full. */
static bool open_session(struct session *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = vfk_path(PATH_CNI_SOCK);

	memcpy(addr.sun_path, path, strlen(path) + 1); /* fits: paths_check */
	s->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->sock < 0) {
		s->no_engine = errno;
		return false;
	}
	if (connect(s->sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		s->no_engine = errno;
		close(s->sock);
		s->sock = -1;
		return false;
	}
	send_request(s);
	return true;
}

/* An eighth of what it has waited: an engine that takes long to begin, on a node with little to
 * spare, is not kept from it by those who wait for it. */
static int64_t pause_ns(int64_t waited_ns)
{
	int64_t pause = waited_ns / 8;

	return pause < RETRY_NS	     ? RETRY_NS :
	       pause > RETRY_SLOW_NS ? RETRY_SLOW_NS :
				       pause;
}

/* Connects, or sees to it that there will be an engine (R2). */
static int seek_engine(struct session *s, int64_t now_ns, struct vfk_err *err)
{
	int rc;

	if (open_session(s))
		return GO_ON;
	s->next_try_ns = now_ns + pause_ns(now_ns - s->alone_ns);
	if (s->no_engine == EAGAIN || s->starter.ready_fd >= 0 ||
	    now_ns < s->starter.not_before_ns)
		return GO_ON;
	rc = starter_lock(&s->starter, err);
	if (rc <= 0)
		return rc;
	/* Somebody may have started one, and let go, between our connect and our lock.
	 */
	if (open_session(s) || s->no_engine == EAGAIN) {
		starter_unlock(&s->starter);
		return GO_ON;
	}
	return starter_spawn(&s->starter, err);
}

static int bad_frame(const char *what, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_DECODE, 0, "the engine sent a wrong frame: %s", what);
}

static int on_version(struct session *s, struct vfk_err *err)
{
	const struct frame_version_is *is = &frame.version_is;

	if (frame.hdr.len != sizeof(*is))
		return bad_frame("length of VERSION", err);
	if (is->max < s->version && is->max >= FRAME_VERSION_MIN) {
		s->version = is->max;
		disconnect(s);
		return GO_ON;
	}
	return vfk_err_set(err, VFK_E_VERSION, 0,
			   "the running engine speaks protocol %u to %u, this client %u to "
			   "%u: restart vfkeeperd",
			   is->min, is->max, FRAME_VERSION_MIN, FRAME_VERSION);
}

static int on_answer(struct session *s, struct vfk_err *err)
{
	const struct frame_answer *answer = &frame.answer;
	int code = answer->exit_code;

	if (frame.hdr.len < sizeof(*answer) ||
	    answer->text_len != frame.hdr.len - sizeof(*answer))
		return bad_frame("length of ANSWER", err);
	if (code < 0 || code > 255)
		code = 1; /* never cut to a success */
	s->exit_code = answer_text(frame.bytes + sizeof(*answer), answer->text_len, code);
	return ANSWERED;
}

static int on_frame(struct session *s, int *fds, unsigned n_fds, struct vfk_err *err)
{
	int rc;

	if (frame.hdr.type == FRAME_RUN && frame.hdr.len == sizeof(frame.run)) {
		rc = runner_start(&s->runner, &frame.run, fds, n_fds, s->rq->fds[0], err);
		if (rc == 0 && s->runner.state == RUNNER_RESULT)
			send_result(s);
		return rc;
	}
	if (n_fds) {
		while (n_fds)
			close(fds[--n_fds]);
		return bad_frame("unexpected descriptors", err);
	}
	switch (frame.hdr.type) {
	case FRAME_CANCEL:
		runner_kill(&s->runner, RUN_CANCELLED);
		return GO_ON;
	case FRAME_ANSWER:
		return on_answer(s, err);
	case FRAME_VERSION_IS:
		return on_version(s, err);
	}
	return bad_frame("unknown type", err);
}

static int on_socket(struct session *s, struct vfk_err *err)
{
	int fds[FRAME_MAX_FDS];
	unsigned n_fds;
	ssize_t n = frame_recv(s->sock, &frame, sizeof(frame), fds, &n_fds, err);

	/* A peer that closes with something of ours unread gives us a reset first, and
	 * only then what it had sent. */
	if (n == -VFK_E_SYS && err->sys == ECONNRESET)
		n = frame_recv(s->sock, &frame, sizeof(frame), fds, &n_fds, err);
	if (n == -VFK_E_SYS && err->sys == EAGAIN)
		return GO_ON;
	if (n == 0 || n == -VFK_E_SYS) {
		disconnect(s);
		return GO_ON;
	}
	if (n < 0)
		return (int)n;
	if (frame.hdr.version != s->version && frame.hdr.type != FRAME_VERSION_IS) {
		while (n_fds)
			close(fds[--n_fds]);
		return bad_frame("version", err);
	}
	return on_frame(s, fds, n_fds, err);
}

static int gave_up(const struct session *s, struct vfk_err *err)
{
	long long ms = s->allowed_ms;
	long long shown = ms < 1000 ? ms : ms / 1000;
	const char *unit = ms < 1000 ? "ms" : "s";

	if (s->sock >= 0)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "the vfkeeper engine gave no answer within %lld %s",
				   shown, unit);
	if (s->starter.ready_fd >= 0)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "a vfkeeper engine was started but was not ready within "
				   "%lld %s",
				   shown, unit);
	return vfk_err_set(err, VFK_E_TIMEOUT, s->no_engine,
			   "no vfkeeper engine could be reached within %lld %s", shown,
			   unit);
}

/* Milliseconds until something is due, rounded up so that it is due then. */
static int wait_ms(const struct session *s, int64_t now_ns, bool seeking)
{
	int64_t at = s->until_ns;

	if (seeking && s->next_try_ns < at)
		at = s->next_try_ns;
	if (s->runner.state == RUNNER_BUSY && !s->runner.killed &&
	    s->runner.plugin.deadline_boot_ns < at)
		at = s->runner.plugin.deadline_boot_ns;
	return at <= now_ns ? 0 : (int)((at - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* One turn: does what is due, waits, handles what came. */
static int turn(struct session *s, struct vfk_err *err)
{
	int64_t now_ns = clock_boot_ns();
	bool busy = s->runner.state == RUNNER_BUSY, seeking;
	struct pollfd pfd[3];
	int rc = GO_ON;

	if (now_ns >= s->until_ns)
		return gave_up(s, err);
	if (busy && now_ns >= s->runner.plugin.deadline_boot_ns)
		runner_kill(&s->runner, RUN_TIMED_OUT);
	/* While a plugin runs without an engine, it is left to end: the next engine
	 * gets request and result together (R9). */
	seeking = s->sock < 0 && !busy;
	if (seeking && now_ns >= s->next_try_ns) {
		rc = seek_engine(s, now_ns, err);
		if (rc != GO_ON)
			return rc;
		seeking = s->sock < 0;
	}
	pfd[0] = (struct pollfd){ .fd = s->sock, .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = busy ? s->runner.plugin.pidfd : -1,
				  .events = POLLIN };
	/* Not while connected: the pipe stays open, so that the engine can write to it.
	 */
	pfd[2] = (struct pollfd){ .fd = seeking ? s->starter.ready_fd : -1,
				  .events = POLLIN };
	if (poll(pfd, 3, wait_ms(s, now_ns, seeking)) <= 0)
		return GO_ON;
	if (pfd[1].revents) {
		runner_reap(&s->runner);
		if (s->sock >= 0)
			send_result(s);
	}
	if (pfd[2].revents) {
		rc = starter_ready(&s->starter, clock_boot_ns(), err);
		if (rc < 0)
			return rc;
		s->next_try_ns = 0;
	}
	if (pfd[0].revents && s->sock >= 0)
		return on_socket(s, err);
	return GO_ON;
}

int session_run(const struct request *rq, int64_t until_ns, int64_t allowed_ms,
		struct vfk_err *err)
{
	struct session s = { .rq = rq,
			     .until_ns = until_ns,
			     .allowed_ms = allowed_ms,
			     .sock = -1,
			     .alone_ns = clock_boot_ns(),
			     .version = FRAME_VERSION };
	int rc;

	starter_init(&s.starter);
	runner_init(&s.runner);
	do
		rc = turn(&s, err);
	while (rc == GO_ON);
	/* The plugin itself would die with us, what it started would not. */
	runner_kill(&s.runner, RUN_CANCELLED);
	return rc == ANSWERED ? s.exit_code : rc;
}
