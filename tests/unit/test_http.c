/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of the HTTP server, with clients in the same loop. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "suite.h"

#define MAX_CLIENTS (HTTP_CONNS_MAX + 8)
#define GIVE_UP_NS (60 * NS_PER_S)

static struct loop *loop;
static struct loop_timer *tick;
static struct http *http;
static char dir_now[64], path_now[100];
static int clients[MAX_CLIENTS];
static bool (*wanted)(void);
static int64_t give_up_ns;
static unsigned n_ticks;

static void on_call(void *arg, struct http_call *call, const char *path)
{
	(void)arg;
	if (!strcmp(path, "/stream"))
		http_stream(call, "text/event-stream", "begun\n", 6);
	else
		http_answer(call, 200, "text/plain", path, strlen(path));
}

static void on_tick(void *arg)
{
	(void)arg;
	n_ticks++;
	if (wanted() || clock_boot_ns() > give_up_ns)
		loop_stop(loop);
	loop_timer_at(tick, clock_boot_ns() + 5 * NS_PER_MS);
}

static void on_turn(void *arg)
{
	(void)arg;
	http_turn(http);
}

/* Turns the loop until it is so. */
static void until(bool (*is_so)(void))
{
	struct vfk_err err = { 0 };

	wanted = is_so;
	n_ticks = 0;
	give_up_ns = clock_boot_ns() + GIVE_UP_NS;
	loop_timer_at(tick, clock_boot_ns());
	CU_ASSERT_EQUAL(loop_run(loop, &err), 0);
	CU_ASSERT_TRUE(is_so());
}

static void begin(void)
{
	struct http_addr addr = { .family = AF_UNIX };
	struct vfk_err err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < MAX_CLIENTS; i++)
		clients[i] = -1;
	snprintf(dir_now, sizeof(dir_now), "/tmp/vfk-test-http-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir_now));
	snprintf(path_now, sizeof(path_now), "%s/s", dir_now);
	CU_ASSERT_EQUAL_FATAL(loop_new(&loop, &err), 0);
	tick = loop_timer_new(loop, on_tick, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tick);
	CU_ASSERT_EQUAL_FATAL(http_open(&http, loop, &addr, path_now, on_call, NULL, &err),
			      0);
	loop_on_turn(loop, on_turn, NULL);
}

static void end(void)
{
	for (int i = 0; i < MAX_CLIENTS; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	http_close(http);
	loop_timer_free(tick);
	loop_free(loop);
	unlink(path_now);
	rmdir(dir_now);
}

static void ask(int i, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[200];
	int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_now);
	clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(connect(clients[i], (struct sockaddr *)&addr, sizeof(addr)),
			      0);
	if (path[0])
		CU_ASSERT_EQUAL(write(clients[i], text, (size_t)len), len);
}

/* What client 'i' has been told so far, without taking it. */
static bool told(int i, const char *what)
{
	char text[4096];
	ssize_t n = recv(clients[i], text, sizeof(text) - 1, MSG_PEEK);

	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, what) != NULL;
}

static bool first_told(void)
{
	return told(0, "\r\n\r\n/path");
}

static void answers(void)
{
	begin();
	ask(0, "/path?query");
	until(first_told);
	CU_ASSERT_TRUE(told(0, "HTTP/1.1 200 "));
	CU_ASSERT_TRUE(told(0, "Connection: close"));
	end();
}

static bool last_told(void)
{
	return told(MAX_CLIENTS - 1, "200 ");
}

static bool ticked(void)
{
	return n_ticks > 20;
}

static void waits_with_further_ones(void)
{
	begin();
	for (int i = 0; i < HTTP_CONNS_MAX; i++)
		ask(i, ""); /* says nothing */
	until(ticked);
	for (int i = HTTP_CONNS_MAX; i < MAX_CLIENTS; i++)
		ask(i, "/path");
	until(ticked);
	CU_ASSERT_FALSE(told(HTTP_CONNS_MAX, "200 "));
	CU_ASSERT_FALSE(last_told());
	close(clients[0]);
	clients[0] = -1;
	until(last_told); /* one place is enough for all of them, one after the other */
	end();
}

static bool cut(void)
{
	char c;

	return recv(clients[0], &c, 1, MSG_PEEK) == 0;
}

static void cuts_who_says_nothing(void)
{
	begin();
	ask(0, "");
	until(cut); /* after HTTP_CONN_S */
	end();
}

static bool one_stream(void)
{
	return http_streams(http) == 1;
}

static bool no_stream(void)
{
	return http_streams(http) == 0;
}

static void drops_who_does_not_read(void)
{
	static char text[65536];

	begin();
	ask(0, "/stream");
	until(one_stream);
	memset(text, 'x', sizeof(text));
	/* What the kernel takes is not much; what the server keeps is bounded. */
	for (int i = 0; i < 64; i++)
		http_send_all(http, text, sizeof(text));
	until(no_stream);
	end();
}

static void forgets_who_ended(void)
{
	begin();
	ask(0, "/stream");
	until(one_stream);
	close(clients[0]);
	clients[0] = -1;
	until(no_stream);
	http_send_all(http, "x", 1);
	end();
}

static bool all_streams(void)
{
	return http_streams(http) == HTTP_STREAMS_MAX && told(HTTP_STREAMS_MAX, "503 ");
}

static void bounds_streams(void)
{
	begin();
	for (int i = 0; i <= HTTP_STREAMS_MAX; i++)
		ask(i, "/stream");
	until(all_streams);
	CU_ASSERT_TRUE(told(0, "begun"));
	end();
}

VFK_SUITE(http, { "answers a path once and closes", answers },
	  { "lets further connections wait for a place", waits_with_further_ones },
	  { "cuts a connection that says nothing", cuts_who_says_nothing },
	  { "drops a listener that does not read", drops_who_does_not_read },
	  { "forgets a listener that ended", forgets_who_ended },
	  { "has a bounded number of listeners", bounds_streams })
