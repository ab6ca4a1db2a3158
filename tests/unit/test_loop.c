/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/loop.h"
#include "suite.h"

/* What the callbacks saw, in order. */
static char story[64];
static struct loop *loop;
static struct loop_fd *watch;
static struct loop_timer *timer;
static int pair[2];

static void note(const char *what)
{
	size_t used = strlen(story);

	snprintf(story + used, sizeof(story) - used, "%s", what);
}

static void begin(void)
{
	struct vfk_err err;

	story[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(loop_new(&loop, &err), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					 0, pair),
			      0);
}

static void end(void)
{
	loop_free(loop);
	close(pair[0]);
	close(pair[1]);
}

static void run(void)
{
	struct vfk_err err = { 0 };

	CU_ASSERT_EQUAL(loop_run(loop, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.msg, "");
}

static void stop(void *arg)
{
	(void)arg;
	note("s");
	loop_stop(loop);
}

static void on_read(void *arg, int fd, unsigned events)
{
	char c;

	(void)arg;
	note(events & LOOP_READ ? "r" : "");
	note(events & LOOP_WRITE ? "w" : "");
	if (events & LOOP_READ && read(fd, &c, 1) != 1)
		note("e");
	if (!strcmp(story, "rrr"))
		loop_stop(loop);
}

static void level_triggered(void)
{
	begin();
	watch = loop_fd_new(loop, pair[0], LOOP_READ, on_read, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(watch);
	CU_ASSERT_EQUAL(write(pair[1], "abc", 3), 3);
	run();
	CU_ASSERT_STRING_EQUAL(story, "rrr");
	loop_fd_free(watch);
	end();
}

static void read_then_write(void *arg, int fd, unsigned events)
{
	char c;

	(void)arg;
	if (events & LOOP_READ) {
		note("r");
		CU_ASSERT_EQUAL(read(fd, &c, 1), 1);
		loop_fd_set(watch, LOOP_WRITE);
	} else if (events & LOOP_WRITE) {
		note("w");
		loop_fd_set(watch, 0);
		loop_timer_at(timer, clock_boot_ns() + 20 * NS_PER_MS);
	}
}

static void events_change(void)
{
	begin();
	timer = loop_timer_new(loop, stop, NULL);
	watch = loop_fd_new(loop, pair[0], LOOP_READ, read_then_write, NULL);
	CU_ASSERT_EQUAL(write(pair[1], "ab", 2), 2);
	run();
	/* 'b' is still there, and the socket writable: nobody asks any more. */
	CU_ASSERT_STRING_EQUAL(story, "rws");
	loop_fd_free(watch);
	loop_timer_free(timer);
	end();
}

static void free_self(void *arg, int fd, unsigned events)
{
	(void)arg;
	(void)fd;
	(void)events;
	note("f");
	loop_fd_free(watch);
	watch = NULL;
	loop_timer_at(timer, 0);
}

static void freed_in_callback(void)
{
	begin();
	timer = loop_timer_new(loop, stop, NULL);
	watch = loop_fd_new(loop, pair[0], LOOP_READ, free_self, NULL);
	CU_ASSERT_EQUAL(write(pair[1], "ab", 2), 2);
	run();
	CU_ASSERT_STRING_EQUAL(story, "fs");
	loop_timer_free(timer);
	end();
}

static struct loop_fd *both[2];

static void free_other(void *arg, int fd, unsigned events)
{
	size_t me = (size_t)arg;

	(void)fd;
	(void)events;
	note("o");
	/* Both are ready in this turn; only one may be called. */
	loop_fd_free(both[1 - me]);
	both[1 - me] = NULL;
	loop_fd_set(both[me], 0);
	loop_timer_at(timer, clock_boot_ns() + 5 * NS_PER_MS);
}

static void freed_by_a_neighbour(void)
{
	begin();
	timer = loop_timer_new(loop, stop, NULL);
	for (size_t i = 0; i < 2; i++)
		both[i] = loop_fd_new(loop, pair[i], LOOP_WRITE, free_other, (void *)i);
	run();
	CU_ASSERT_STRING_EQUAL(story, "os");
	loop_fd_free(both[0]);
	loop_fd_free(both[1]);
	loop_timer_free(timer);
	end();
}

static int64_t due;

static void check_due(void *arg)
{
	CU_ASSERT(clock_boot_ns() >= due);
	stop(arg);
}

static void never_early(void)
{
	begin();
	timer = loop_timer_new(loop, check_due, NULL);
	for (int i = 1; i <= 5; i++) {
		due = clock_boot_ns() + i * 700000;
		loop_timer_at(timer, due);
		run();
	}
	CU_ASSERT_STRING_EQUAL(story, "sssss");
	loop_timer_free(timer);
	end();
}

static void past_is_now(void)
{
	begin();
	timer = loop_timer_new(loop, stop, NULL);
	loop_timer_at(timer, -5);
	run();
	loop_timer_at(timer, clock_boot_ns() - NS_PER_S);
	run();
	CU_ASSERT_STRING_EQUAL(story, "ss");
	loop_timer_free(timer);
	end();
}

static void note_x(void *arg)
{
	(void)arg;
	note("x");
}

static void stopped_and_moved(void)
{
	struct loop_timer *stopped, *moved;

	begin();
	timer = loop_timer_new(loop, stop, NULL);
	stopped = loop_timer_new(loop, note_x, NULL);
	moved = loop_timer_new(loop, note_x, NULL);
	loop_timer_at(stopped, clock_boot_ns() + NS_PER_MS);
	loop_timer_at(moved, clock_boot_ns() + NS_PER_MS);
	loop_timer_stop(stopped);
	loop_timer_at(moved, clock_boot_ns() + 3600 * NS_PER_S * 24 * 365);
	loop_timer_at(timer, clock_boot_ns() + 20 * NS_PER_MS);
	run();
	CU_ASSERT_STRING_EQUAL(story, "s");
	loop_timer_at(moved, INT64_MAX); /* no overflow on the way */
	loop_timer_at(timer, 0);
	run();
	CU_ASSERT_STRING_EQUAL(story, "ss");
	loop_timer_free(stopped);
	loop_timer_free(moved);
	loop_timer_free(timer);
	end();
}

static void turn_end(void *arg)
{
	(void)arg;
	note("|");
}

static void each_turn_ends_once(void)
{
	begin();
	loop_on_turn(loop, turn_end, NULL);
	watch = loop_fd_new(loop, pair[0], LOOP_READ, on_read, NULL);
	timer = loop_timer_new(loop, stop, NULL);
	CU_ASSERT_EQUAL(write(pair[1], "a", 1), 1);
	loop_timer_at(timer, clock_boot_ns() + 20 * NS_PER_MS);
	run();
	/* Once before the first turn, once after each, the last one included. */
	CU_ASSERT_STRING_EQUAL(story, "|r|s|");
	loop_timer_free(timer);
	loop_fd_free(watch);
	end();
}

static void signal_reaches_loop(void)
{
	struct vfk_err err;

	begin();
	CU_ASSERT_EQUAL(loop_on_signal(loop, SIGUSR1, stop, NULL, &err), 0);
	raise(SIGUSR1);
	run();
	CU_ASSERT_STRING_EQUAL(story, "s");
	end();
}

static void nothing_to_wait_for(void)
{
	struct vfk_err err = { 0 };

	begin();
	CU_ASSERT_EQUAL(loop_run(loop, &err), -VFK_E_INTERNAL);
	CU_ASSERT_STRING_EQUAL(err.msg, "the event loop has nothing to wait for");
	end();
}

static void unwatchable(void)
{
	int fd;

	begin();
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC); /* epoll takes no files */
	CU_ASSERT_PTR_NULL(loop_fd_new(loop, fd, LOOP_READ, on_read, NULL));
	close(fd);
	end();
}

VFK_SUITE(loop,
	  { "a readable descriptor is told about until it is drained", level_triggered },
	  { "the watched events can be changed inside the callback", events_change },
	  { "a watch may be freed inside its own callback", freed_in_callback },
	  { "a watch freed by its neighbour in the same turn is not called",
	    freed_by_a_neighbour },
	  { "a timer never fires early", never_early },
	  { "a timer set to the past fires in the next turn", past_is_now },
	  { "a stopped timer and one moved away do not fire", stopped_and_moved },
	  { "the end of each turn is told once", each_turn_ends_once },
	  { "a signal runs its function inside the loop", signal_reaches_loop },
	  { "a loop without anything to wait for says so", nothing_to_wait_for },
	  { "a descriptor that cannot be watched gives no watch", unwatchable })
