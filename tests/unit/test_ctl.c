/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the control socket: the server in a child with a loop, clients here. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/codec.h"
#include "io/ctl_client.h"
#include "io/ctl_server.h"
#include "io/loop.h"
#include "suite.h"

#define WAIT_MS 20000 /* for what has to come; nothing is measured */
#define BIG (3u << 20)

/* --- the server --- */

static struct {
	struct loop *loop;
	struct ctl_server *server;
	struct loop_timer *timer;
	struct ctl_call *late;
	char *big;
	unsigned n_big; /* requests for it */
} engine;

static void answer_late(void *arg)
{
	(void)arg;
	ctl_call_json(engine.late, ctl_call_gone(engine.late) ? "gone" : "late", 4);
	engine.late = NULL;
}

static void handle(void *arg, struct ctl_call *call, const struct ctl_request *rq)
{
	struct vfk_err err = { 0 };
	struct strbuf text = { 0 };

	(void)arg;
	if (!strcmp(rq->command, "echo")) {
		strbuf_addf(&text, "%u:", rq->n_args);
		for (unsigned i = 0; i < rq->n_args; i++)
			strbuf_addf(&text, "%s;", rq->args[i]);
		ctl_call_json(call, text.data, text.len);
		strbuf_free(&text);
	} else if (!strcmp(rq->command, "big")) {
		engine.n_big++;
		ctl_call_json(call, engine.big, BIG);
	} else if (!strcmp(rq->command, "empty")) {
		ctl_call_json(call, "", 0);
	} else if (!strcmp(rq->command, "fail")) {
		(void)vfk_err_set(&err, VFK_E_NOTFOUND, 0, "no VF is called 'x'");
		ctl_call_error(call, &err);
	} else if (!strcmp(rq->command, "late")) {
		engine.late = call;
		loop_timer_at(engine.timer, clock_boot_ns() + 200 * NS_PER_MS);
	} else if (!strcmp(rq->command, "clients") || !strcmp(rq->command, "bigs")) {
		strbuf_addf(&text, "%u",
			    *rq->command == 'b' ? engine.n_big :
						  ctl_server_clients(engine.server));
		ctl_call_json(call, text.data, text.len);
		strbuf_free(&text);
	} else if (!strcmp(rq->command, "die")) {
		_exit(0);
	} else {
		/* Never answered; freed with the process. */
		engine.late = call;
	}
}

static int serve(const char *path, uid_t uid, int ready)
{
	struct vfk_err err = { 0 };

	engine.big = malloc(BIG);
	if (!engine.big || loop_new(&engine.loop, &err) < 0)
		return 1;
	for (size_t i = 0; i < BIG; i++)
		engine.big[i] = (char)('a' + i % 23);
	engine.timer = loop_timer_new(engine.loop, answer_late, NULL);
	if (ctl_server_open(&engine.server, engine.loop, path, uid, handle, NULL, &err) <
	    0) {
		printf("%s\n", err.msg);
		return 1;
	}
	if (write(ready, "R", 1) != 1)
		return 1;
	close(ready);
	return loop_run(engine.loop, &err) < 0;
}

static char dir[] = "/tmp/vfk-ctl-XXXXXX";
static char path[64];
static pid_t server;

static void begin_as(uid_t uid)
{
	int ends[2];
	char ready = 0;

	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	fflush(stdout);
	server = fork();
	if (server == 0) {
		close(ends[0]);
		_exit(serve(path, uid, ends[1]));
	}
	close(ends[1]);
	CU_ASSERT_EQUAL_FATAL(read(ends[0], &ready, 1), 1);
	close(ends[0]);
}

static void begin(void)
{
	begin_as(geteuid());
}

static void end(void)
{
	int status = 0;

	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	/* It ended by our signal or by its own will, not by a fault. */
	CU_ASSERT(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL :
					WEXITSTATUS(status) == 0);
	unlink(path);
	rmdir(dir);
}

static struct ctl_client *client(void)
{
	struct ctl_client *c = NULL;
	struct vfk_err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(ctl_connect(&c, path, WAIT_MS, &err), 0);
	return c;
}

/* Asks and compares; "!" and the message of an error. */
static void ask(struct ctl_client *c, const char *command, const char *expected)
{
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };

	if (ctl_ask(c, command, NULL, 0, WAIT_MS, &text, &err) < 0) {
		strbuf_free(&text);
		strbuf_addf(&text, "!%s", err.msg);
	}
	SUITE_STR(text.data ? text.data : "", expected);
	strbuf_free(&text);
}

static void is_alive(void)
{
	struct ctl_client *c = client();

	ask(c, "echo", "0:");
	ctl_close(c);
}

/* A bare connection, for what ctl_client would not send. */
static int bare(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void bare_send(int fd, uint32_t version, uint32_t id, const char *command)
{
	struct ctl_request rq = { .version = version, .id = id };
	struct strbuf out = { 0 };

	snprintf(rq.command, sizeof(rq.command), "%s", command);
	codec_put_ctl_request(&out, &rq);
	CU_ASSERT_EQUAL(send(fd, out.data, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	strbuf_free(&out);
}

/* "id kind message" of the next reply, "end" at the end. */
static const char *bare_reply(int fd)
{
	static char said[600];
	struct ctl_reply reply = { 0 };
	struct vfk_err err = { 0 };
	void *hold = NULL;
	char buf[70000];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n <= 0)
		return "end";
	if (codec_get_ctl_reply(buf, (size_t)n, &reply, &hold, &err) < 0)
		snprintf(said, sizeof(said), "undecodable");
	else
		snprintf(said, sizeof(said), "%u %u %s", reply.id, reply.kind, reply.msg);
	free(hold);
	return said;
}

/* --- cases --- */

static void words(void)
{
	static const char *const three[] = { "pod", "default/web-0", "" };
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_client *c;

	begin();
	c = client();
	CU_ASSERT_EQUAL(ctl_ask(c, "echo", three, 3, WAIT_MS, &text, &err), 0);
	SUITE_STR(text.data, "3:pod;default/web-0;;");
	strbuf_free(&text);
	/* The same connection again. */
	ask(c, "echo", "0:");
	ask(c, "empty", "");
	ctl_close(c);
	end();
}

static void long_answer(void)
{
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_client *c;
	bool same = true;

	begin();
	c = client();
	CU_ASSERT_EQUAL(ctl_ask(c, "big", NULL, 0, WAIT_MS, &text, &err), 0);
	SUITE_INT(text.len, BIG);
	for (size_t i = 0; i < text.len; i++)
		same &= text.data[i] == (char)('a' + i % 23);
	CU_ASSERT(same);
	strbuf_free(&text);
	ask(c, "echo", "0:");
	ctl_close(c);
	end();
}

static void error_answer(void)
{
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_client *c;

	begin();
	c = client();
	SUITE_INT(ctl_ask(c, "fail", NULL, 0, WAIT_MS, &text, &err), -VFK_E_NOTFOUND);
	SUITE_INT(err.kind, VFK_E_NOTFOUND);
	SUITE_STR(err.msg, "no VF is called 'x'");
	SUITE_INT(text.len, 0);
	ask(c, "echo", "0:");
	ctl_close(c);
	end();
}

static void late_answer(void)
{
	struct ctl_client *other;
	int fd;

	begin();
	fd = bare();
	bare_send(fd, CTL_VERSION, 7, "late");
	other = client();
	ask(other, "echo", "0:");
	SUITE_STR(bare_reply(fd), "7 0 ");
	ctl_close(other);
	close(fd);
	end();
}

static void nobody_there(void)
{
	struct ctl_client *c = NULL;
	struct vfk_err err = { 0 };
	char expected[128];

	begin();
	end();
	snprintf(expected, sizeof(expected), "no engine answers at %s", path);
	SUITE_INT(ctl_connect(&c, path, WAIT_MS, &err), -VFK_E_GONE);
	SUITE_STR(err.msg, expected);
	/* A socket file whose engine is dead. */
	begin();
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	SUITE_INT(ctl_connect(&c, path, WAIT_MS, &err), -VFK_E_GONE);
	CU_ASSERT_PTR_NULL(c);
	unlink(path);
	rmdir(dir);
	SUITE_INT(ctl_connect(&c,
			      "/a/path/that/is/much/too/long/for/the/name/of/a/socket/"
			      "in/the/file/system/"
			      "because/a/hundred/and/seven/bytes/are/all",
			      WAIT_MS, &err),
		  -VFK_E_USAGE);
}

static void server_dies(void)
{
	struct ctl_client *c;

	begin();
	c = client();
	ask(c, "die", "!the engine closed the connection");
	ask(c, "echo", "!the engine closed the connection");
	ctl_close(c);
	end();
}

static void no_answer_in_time(void)
{
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_client *c;

	begin();
	c = client();
	SUITE_INT(ctl_ask(c, "never", NULL, 0, 50, &text, &err), -VFK_E_TIMEOUT);
	SUITE_STR(err.msg, "the engine did not answer in time");
	ctl_close(c);
	is_alive();
	end();
}

static void another_user(void)
{
	struct ctl_client *c;

	begin_as(geteuid() + 12345);
	c = client();
	ask(c, "echo", "!the engine closed the connection");
	ctl_close(c);
	end();
}

static void socket_is_private(void)
{
	struct stat st;

	begin();
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	SUITE_INT(st.st_mode & 07777, 0600);
	end();
}

static void stale_socket(void)
{
	begin();
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = fork();
	if (server == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		_exit(serve(path, geteuid(), null));
	}
	for (int i = 0; i < WAIT_MS / 10; i++) {
		struct ctl_client *c = NULL;
		struct vfk_err err = { 0 };

		if (ctl_connect(&c, path, WAIT_MS, &err) == 0) {
			ctl_close(c);
			break;
		}
		usleep(10000);
	}
	is_alive();
	end();
}

static void garbage(void)
{
	char big[5000];
	int fd;

	begin();
	fd = bare();
	CU_ASSERT_EQUAL(send(fd, "\xff\xff\xff\xff", 4, MSG_NOSIGNAL), 4);
	CU_ASSERT_EQUAL(strncmp(bare_reply(fd), "0 5 ", 4), 0); /* VFK_E_DECODE */
	SUITE_STR(bare_reply(fd), "end");
	close(fd);
	fd = bare();
	memset(big, 'x', sizeof(big));
	CU_ASSERT_EQUAL(send(fd, big, sizeof(big), MSG_NOSIGNAL), (ssize_t)sizeof(big));
	SUITE_STR(bare_reply(fd), "end");
	close(fd);
	is_alive();
	end();
}

static void other_version(void)
{
	int fd;

	begin();
	fd = bare();
	bare_send(fd, 99, 4, "echo");
	SUITE_STR(bare_reply(fd), "4 10 this engine speaks control version 1, not 99");
	bare_send(fd, CTL_VERSION, 5, "echo");
	SUITE_STR(bare_reply(fd), "5 0 ");
	close(fd);
	end();
}

/* Waits until the server counts this many of what 'command' counts. */
static void counted(const char *command, unsigned expected)
{
	char wanted[16];
	bool is_so = false;

	snprintf(wanted, sizeof(wanted), "%u", expected);
	for (int i = 0; i < WAIT_MS / 10 && !is_so; i++) {
		struct strbuf text = { 0 };
		struct vfk_err err = { 0 };
		struct ctl_client *c = client();

		if (ctl_ask(c, command, NULL, 0, WAIT_MS, &text, &err) == 0)
			is_so = !strcmp(text.data, wanted);
		strbuf_free(&text);
		ctl_close(c);
		usleep(10000);
	}
	CU_ASSERT(is_so);
}

static void too_many_clients(void)
{
	int fds[CTL_CLIENTS_MAX], one_more;
	struct ctl_client *c;

	begin();
	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		fds[i] = bare();
		bare_send(fds[i], CTL_VERSION, 1, "echo");
		SUITE_STR(bare_reply(fds[i]), "1 0 ");
	}
	c = client();
	ask(c, "echo", "!32 control clients are connected already");
	ctl_close(c);
	one_more = bare();
	SUITE_STR(bare_reply(one_more), "0 6 32 control clients are connected already");
	SUITE_STR(bare_reply(one_more), "end");
	close(one_more);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	counted("clients", 1);
	end();
}

static void too_many_requests(void)
{
	int fd;

	begin();
	fd = bare();
	for (uint32_t i = 1; i <= CTL_CALLS_MAX + 1; i++)
		bare_send(fd, CTL_VERSION, i, "never");
	SUITE_STR(bare_reply(fd), "9 6 more than 8 requests at once");
	close(fd);
	is_alive();
	end();
}

static void leaves_before_the_answer(void)
{
	struct ctl_client *c;
	int fd;

	begin();
	fd = bare();
	bare_send(fd, CTL_VERSION, 1, "late");
	close(fd);
	counted("clients", 1);
	c = client();
	usleep(300000); /* the answer to nobody */
	ask(c, "echo", "0:");
	ctl_close(c);
	end();
}

/* 32 MiB wait for a client that reads nothing; what comes then is an error, and everybody
 * else is served meanwhile. */
static void does_not_read(void)
{
	char last[600] = "";
	int fd, n_errors = 0;

	begin();
	for (unsigned round = 1; round <= 2; round++) {
		const unsigned n = CTL_QUEUE_MAX / BIG + 2;

		fd = bare();
		for (uint32_t i = 1; i <= n; i++)
			bare_send(fd, CTL_VERSION, i, "big");
		/* Others are served, and tell when all of that is queued. */
		counted("bigs", round * n);
		if (round == 1)
			close(fd); /* it is dropped */
	}
	for (int i = 0; i < 2000 && !n_errors; i++) {
		snprintf(last, sizeof(last), "%s", bare_reply(fd));
		n_errors += strstr(last, "the answer is longer than") != NULL;
		if (!strcmp(last, "end"))
			break;
	}
	SUITE_INT(n_errors, 1);
	close(fd);
	is_alive();
	end();
}

static void words_that_do_not_fit(void)
{
	static const char *const nine[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	struct strbuf text = { 0 };
	struct vfk_err err = { 0 };
	struct ctl_client *c;
	char word[257];
	const char *one = word;

	begin();
	c = client();
	SUITE_INT(ctl_ask(c, "echo", nine, 9, WAIT_MS, &text, &err), -VFK_E_USAGE);
	SUITE_STR(err.msg, "more than 8 words");
	memset(word, 'w', 256);
	word[256] = '\0';
	SUITE_INT(ctl_ask(c, "echo", &one, 1, WAIT_MS, &text, &err), -VFK_E_USAGE);
	SUITE_STR(err.msg, "word 1 is too long");
	word[255] = '\0';
	CU_ASSERT_EQUAL(ctl_ask(c, "echo", &one, 1, WAIT_MS, &text, &err), 0);
	SUITE_INT(text.len, 2 + 255 + 1);
	strbuf_free(&text);
	SUITE_INT(ctl_ask(c, "a-command-that-is-longer-than-31-bytes", NULL, 0, WAIT_MS,
			  &text, &err),
		  -VFK_E_USAGE);
	ctl_close(c);
	end();
}

VFK_SUITE(ctl, { "a request's words arrive and its answer comes back", words },
	  { "a long answer comes whole in parts", long_answer },
	  { "an error keeps its kind and its line", error_answer },
	  { "an answer may come later, others are served meanwhile", late_answer },
	  { "no socket, a dead one and a bad name are told apart from failures",
	    nobody_there },
	  { "an engine that ends is noticed", server_dies },
	  { "a missing answer ends at the deadline", no_answer_in_time },
	  { "another user's process is refused", another_user },
	  { "the socket is for its owner alone", socket_is_private },
	  { "a stale socket file is replaced", stale_socket },
	  { "garbage and oversized packets end their connection only", garbage },
	  { "a request of another version is refused by number", other_version },
	  { "one client more than the limit is told so", too_many_clients },
	  { "one request more than the limit is told so", too_many_requests },
	  { "a client may leave before its answer", leaves_before_the_answer },
	  { "a client that does not read hurts nobody and has a limit", does_not_read },
	  { "words that do not fit are refused before anything is sent",
	    words_that_do_not_fit })
