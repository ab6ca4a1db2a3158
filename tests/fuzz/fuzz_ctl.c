/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol, both ends.  The first byte chooses the end, then packets follow:
 * {u16 length, bytes}.  The engine's end gets them from a client and answers with the real
 * commands over a small node; the tool's end gets them as the answer of an engine. */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/ctl_cmds.h"
#include "engine/view.h"
#include "io/ctl_client.h"
#include "io/ctl_server.h"

const char fuzz_name[] = "fuzz_ctl";

#define PACKETS_MAX 64
#define ID 1 /* of a tool's first request */

static struct {
	struct loop *loop;
	struct loop_timer *timer;
	struct ctl_server *server;
	struct node node;
	char dir[32], path[64], tool_path[64];
	int tool_listener;
	unsigned n_calls, n_late;
	struct ctl_call *late[PACKETS_MAX + 1];
} w;

/* --- the world, made once --- */

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void answer(struct ctl_call *call, const struct ctl_request *rq)
{
	static const struct view_status status = {
		.mode = "service", .version = "1", .boot_id = "b", .journal = "clean"
	};
	struct view view = { .node = &w.node, .status = &status, .live = true };
	const char *words[CTL_MAX_ARGS];
	const struct ctl_cmd *cmd;
	const struct vf *vf;
	struct vfk_err err = { 0 };
	char *json = NULL;
	int rc = ctl_cmd_check(rq, &cmd, &err);

	for (unsigned i = 0; i < rq->n_args; i++)
		words[i] = rq->args[i];
	if (rc == 0 && cmd->kind == CTL_READ)
		rc = view_command(&view, rq, &json, &err);
	else if (rc == 0 && cmd->id == CTL_CMD_RELEASE)
		rc = view_find(&w.node, words, rq->n_args, &vf, &err);
	if (rc < 0) {
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
		ctl_call_error(call, &err);
	} else {
		ctl_call_json(call, json ? json : "{}", json ? strlen(json) : 2);
	}
	free(json);
}

/* Every third answer is given later, when its client may have gone. */
static void handle(void *arg, struct ctl_call *call, const struct ctl_request *rq)
{
	(void)arg;
	FUZZ_HOLDS(rq->version == CTL_VERSION && rq->n_args <= CTL_MAX_ARGS);
	FUZZ_HOLDS(memchr(rq->command, 0, sizeof(rq->command)));
	for (unsigned i = 0; i < rq->n_args; i++)
		FUZZ_HOLDS(memchr(rq->args[i], 0, sizeof(rq->args[i])));
	if (++w.n_calls % 3 == 0)
		w.late[w.n_late++] = call;
	else
		answer(call, rq);
}

static void make_node(void)
{
	struct vf *vf;
	struct lease *l;

	node_init(&w.node);
	for (unsigned i = 0; i < 3; i++) {
		vf = node_vf_add(&w.node, 0x3b01 + i);
		FUZZ_HOLDS(vf);
		vf->rec.pf = 0x3b00;
		vf->rec.index = (uint16_t)i;
		vf->rec.state = i ? VF_ATTACHED : VF_FREE;
		vf->fsm.state = vf->rec.state;
		if (!i)
			continue;
		snprintf(vf->rec.owner.container, sizeof(vf->rec.owner.container),
			 "container%u", i);
		snprintf(vf->rec.owner.ifname, sizeof(vf->rec.owner.ifname), "net1");
		snprintf(vf->rec.pod.ns, sizeof(vf->rec.pod.ns), "default");
		snprintf(vf->rec.pod.name, sizeof(vf->rec.pod.name), "pod-%u", i);
	}
	l = node_lease_add(&w.node, 1);
	FUZZ_HOLDS(l);
	l->rec.id = 1;
	l->rec.state = LEASE_OWED;
	l->state = LEASE_OWED;
}

static int listen_as_engine(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", w.tool_path);
	FUZZ_HOLDS(fd >= 0 && !bind(fd, (struct sockaddr *)&sa, sizeof(sa)));
	FUZZ_HOLDS(!listen(fd, 4));
	return fd;
}

static void world_end(void)
{
	unlink(w.path);
	unlink(w.tool_path);
	rmdir(w.dir);
}

static void world_make(void)
{
	struct vfk_err err;

	if (w.loop)
		return;
	log_set_sink(quiet);
	snprintf(w.dir, sizeof(w.dir), "/tmp/fuzz-ctl-XXXXXX");
	FUZZ_HOLDS(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/control.sock", w.dir);
	snprintf(w.tool_path, sizeof(w.tool_path), "%s/tool.sock", w.dir);
	atexit(world_end);
	FUZZ_HOLDS(loop_new(&w.loop, &err) == 0);
	w.timer = loop_timer_new(w.loop, stop, w.loop);
	FUZZ_HOLDS(w.timer);
	FUZZ_HOLDS(ctl_server_open(&w.server, w.loop, w.path, geteuid(), handle, NULL,
				   &err) == 0);
	w.tool_listener = listen_as_engine();
	make_node();
}

static void turn(void)
{
	struct vfk_err err;

	loop_timer_at(w.timer, 0);
	FUZZ_HOLDS(loop_run(w.loop, &err) == 0);
}

/* --- packets --- */

/* Sends what the input says until the socket takes no more; returns the number sent. */
static unsigned send_packets(int fd, const uint8_t *data, size_t len)
{
	unsigned n = 0;

	while (len >= 2 && n < PACKETS_MAX) {
		size_t piece = data[0] | (size_t)data[1] << 8;

		data += 2;
		len -= 2;
		if (piece > len)
			piece = len;
		if (piece && send(fd, data, piece, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		data += piece;
		len -= piece;
		n += piece > 0;
	}
	return n;
}

/* --- the engine's end --- */

/* Each message is a reply; returns how many answers were ended by one.  '*closed': the
 * engine has had enough of this client. */
static unsigned read_replies(int fd, bool *closed)
{
	static char buf[256 * 1024];
	unsigned n_ended = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC)) > 0) {
		struct ctl_reply reply = { 0 };
		struct vfk_err err;
		void *hold = NULL;

		FUZZ_HOLDS((size_t)n <= sizeof(buf));
		FUZZ_HOLDS(codec_get_ctl_reply(buf, (size_t)n, &reply, &hold, &err) == 0);
		FUZZ_HOLDS(reply.version == CTL_VERSION);
		FUZZ_HOLDS(!reply.kind || (reply.msg[0] && !reply.more));
		n_ended += !reply.more;
		free(hold);
	}
	*closed = *closed || n == 0;
	return n_ended;
}

static void answer_late(void)
{
	static const struct ctl_request ping = { .command = "ping" };

	for (unsigned i = 0; i < w.n_late; i++)
		answer(w.late[i], &ping);
	w.n_late = 0;
}

static void engine_end(bool hang_up, const uint8_t *data, size_t len)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	unsigned n_sent, n_ended = 0;
	bool closed = false;

	memcpy(sa.sun_path, w.path, sizeof(w.path));
	FUZZ_HOLDS(fd >= 0 && !connect(fd, (struct sockaddr *)&sa, sizeof(sa)));
	w.n_calls = 0;
	n_sent = send_packets(fd, data, len);
	for (unsigned i = 0; i < 4 + n_sent; i++) {
		turn();
		if (i == 1 && hang_up)
			shutdown(fd, SHUT_RDWR);
		if (i == 2)
			answer_late();
		n_ended += read_replies(fd, &closed);
		answer_late();
	}
	n_ended += read_replies(fd, &closed);
	/* No more answers than requests; no fewer while the client stayed. */
	FUZZ_HOLDS(n_ended <= n_sent);
	FUZZ_HOLDS(w.n_calls <= n_sent);
	if (!closed && !hang_up)
		FUZZ_HOLDS(n_ended >= w.n_calls);
	close(fd);
	for (unsigned i = 0; i < 3 && ctl_server_clients(w.server); i++)
		turn();
	FUZZ_HOLDS(ctl_server_clients(w.server) == 0);
	FUZZ_HOLDS(!ctl_server_pending(w.server));
}

/* --- the tool's end --- */

static void tool_end(const uint8_t *data, size_t len)
{
	static const char *const args[] = { "0000:3b:00.1" };
	struct ctl_client *c = NULL;
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	int fd, rc;

	FUZZ_HOLDS(ctl_connect(&c, w.tool_path, 10000, &err) == 0);
	fd = accept4(w.tool_listener, NULL, NULL, SOCK_CLOEXEC);
	FUZZ_HOLDS(fd >= 0);
	send_packets(fd, data, len);
	shutdown(fd, SHUT_WR);
	rc = ctl_ask(c, "show", args, 1, 10000, &text, &err);
	if (rc < 0) {
		FUZZ_HOLDS(rc == -(int)err.kind && !strchr(err.msg, '\n'));
	} else {
		struct strbuf out = { 0 };

		/* An engine of another version may say anything. */
		rc = view_text(&out, "show", text.data ? text.data : "", text.len, &err);
		FUZZ_HOLDS(rc == 0 || (err.msg[0] && !strchr(err.msg, '\n')));
		strbuf_free(&out);
	}
	strbuf_free(&text);
	ctl_close(c);
	close(fd);
}

/* --- */

static size_t put_packet(uint8_t *out, size_t at, const struct strbuf *packet)
{
	FUZZ_HOLDS(at + 2 + packet->len <= FUZZ_MAX);
	out[at] = (uint8_t)packet->len;
	out[at + 1] = (uint8_t)(packet->len >> 8);
	memcpy(out + at + 2, packet->data, packet->len);
	return at + 2 + packet->len;
}

static size_t seed_requests(uint8_t *out)
{
	static const char *const words[] = { "list",
					     "show 0000:3b:00.2",
					     "show pod default/pod-1",
					     "status",
					     "leases",
					     "release container1/net1 --force",
					     "nonsense x" };
	size_t at = 1;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct ctl_request rq = { .version = CTL_VERSION, .id = i + 1 };
		struct strbuf packet = { 0 };
		char text[64], *word, *save = NULL;

		snprintf(text, sizeof(text), "%s", words[i]);
		word = strtok_r(text, " ", &save);
		snprintf(rq.command, sizeof(rq.command), "%s", word);
		while ((word = strtok_r(NULL, " ", &save)))
			snprintf(rq.args[rq.n_args++], sizeof(rq.args[0]), "%s", word);
		codec_put_ctl_request(&packet, &rq);
		at = put_packet(out, at, &packet);
		strbuf_free(&packet);
	}
	return at;
}

static size_t seed_reply(uint8_t *out, bool fails)
{
	static const char *const text[] = { "{\"address\":\"0000:3b:00.1\",",
					    "\"pf\":1}\n" };
	size_t at = 1;

	for (unsigned i = 0; i < 2; i++) {
		struct ctl_reply rp = { .version = CTL_VERSION,
					.id = ID,
					.more = i == 0,
					.text = text[i],
					.text_len = strlen(text[i]) };
		struct strbuf packet = { 0 };

		if (fails && i)
			rp = (struct ctl_reply){ .version = CTL_VERSION,
						 .id = ID,
						 .kind = VFK_E_NOTFOUND,
						 .msg = "no VF is called 'x'" };
		codec_put_ctl_reply(&packet, &rp);
		at = put_packet(out, at, &packet);
		strbuf_free(&packet);
	}
	return at;
}

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	static const uint8_t ends[] = { 0, 1, 2, 2 };

	if (n >= sizeof(ends))
		return 0;
	out[0] = ends[n];
	return ends[n] == 2 ? seed_reply(out, n == 3) : seed_requests(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	world_make();
	if (data[0] % 4 >= 2)
		tool_end(data + 1, len - 1);
	else
		engine_end(data[0] % 4 == 1, data + 1, len - 1);
	return 0;
}
