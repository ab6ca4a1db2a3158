/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "io/loop.h"

/* Far timers are set in pieces, so that no sum of times can overflow. */
#define TIMER_PIECE_NS (3600 * NS_PER_S)
#define MAX_TURNS 4

struct loop {
	struct event_base *base;
	bool stopping;
	struct list signals; /* struct loop_signal */
	struct {
		loop_fn fn;
		void *arg;
	} turns[MAX_TURNS]; /* in order of loop_on_turn */
	unsigned n_turns;
};

struct loop_fd {
	struct loop *loop;
	struct event *ev;
	unsigned events;
	int fd;
	loop_fd_fn fn;
	void *arg;
};

struct loop_timer {
	struct event *ev;
	int64_t at_boot_ns;
	loop_fn fn;
	void *arg;
};

struct loop_signal {
	struct list node;
	struct event *ev;
	loop_fn fn;
	void *arg;
};

static void route_log(int severity, const char *msg)
{
	enum log_level level = LOG_LV_DEBUG;

	if (severity == EVENT_LOG_ERR)
		level = LOG_LV_ERROR;
	else if (severity == EVENT_LOG_WARN)
		level = LOG_LV_WARN;
	log_at(level, "loop", "%s", msg);
}

int loop_new(struct loop **out, struct vfk_err *err)
{
	struct event_config *cfg = event_config_new();
	struct loop *l = calloc(1, sizeof(*l));

	event_set_log_callback(route_log);
	if (l && cfg) {
		/* The environment of a CNI caller must not choose the backend; without
		 * PRECISE_TIMER time would advance in ticks of 4 ms. */
		if (!event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
							EVENT_BASE_FLAG_IGNORE_ENV |
							EVENT_BASE_FLAG_PRECISE_TIMER))
			l->base = event_base_new_with_config(cfg);
		list_init(&l->signals);
	}
	if (cfg)
		event_config_free(cfg);
	if (!l || !l->base) {
		free(l);
		return vfk_err_set(err, VFK_E_SYS, errno ? errno : ENOMEM,
				   "create the event loop");
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	list_each_safe(it, &l->signals) {
		struct loop_signal *s = list_entry(it, struct loop_signal, node);

		list_remove(it);
		event_free(s->ev);
		free(s);
	}
	event_base_free(l->base);
	free(l);
}

static void end_turn(struct loop *l)
{
	for (unsigned i = 0; i < l->n_turns; i++)
		l->turns[i].fn(l->turns[i].arg);
}

int loop_run(struct loop *l, struct vfk_err *err)
{
	l->stopping = false;
	end_turn(l); /* what was queued before the first turn */
	while (!l->stopping) {
		int rc = event_base_loop(l->base, EVLOOP_ONCE);

		if (rc < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "wait for events");
		if (rc > 0)
			return vfk_err_set(err, VFK_E_INTERNAL, 0,
					   "the event loop has nothing to wait for");
		end_turn(l);
	}
	return 0;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

static void fd_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *w = arg;
	unsigned events = 0;

	if (what & EV_READ)
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	w->fn(w->arg, fd, events); /* may free 'w': nothing after this */
}

static short to_ev(unsigned events)
{
	return (short)(EV_PERSIST | (events & LOOP_READ ? EV_READ : 0) |
		       (events & LOOP_WRITE ? EV_WRITE : 0));
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, loop_fd_fn fn,
			    void *arg)
{
	struct loop_fd *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = l;
	w->fd = fd;
	w->events = events;
	w->fn = fn;
	w->arg = arg;
	w->ev = event_new(l->base, fd, to_ev(events), fd_ready, w);
	if (!w->ev || (events && event_add(w->ev, NULL))) {
		if (w->ev)
			event_free(w->ev);
		free(w);
		return NULL;
	}
	return w;
}

void loop_fd_set(struct loop_fd *w, unsigned events)
{
	if (events == w->events)
		return;
	w->events = events;
	event_del(w->ev);
	event_assign(w->ev, w->loop->base, w->fd, to_ev(events), fd_ready, w);
	/* The descriptor was watched before: only a lack of memory is left to fail. */
	if (events && event_add(w->ev, NULL))
		log_error("loop", "fd=%d cannot be watched: %s", w->fd,
			  vfk_errno_name(errno));
}

void loop_fd_free(struct loop_fd *w)
{
	if (!w)
		return;
	event_free(w->ev); /* also takes it off the queue of this turn */
	free(w);
}

static void arm(struct loop_timer *t)
{
	int64_t left = t->at_boot_ns - clock_boot_ns();
	struct timeval tv = { 0, 0 };

	if (left > TIMER_PIECE_NS)
		left = TIMER_PIECE_NS;
	if (left > 0) {
		left += 999; /* round up: a timer is never early */
		tv.tv_sec = (time_t)(left / NS_PER_S);
		tv.tv_usec = (suseconds_t)(left % NS_PER_S / 1000);
	}
	if (event_add(t->ev, &tv))
		log_error("loop", "a timer cannot be set: %s", vfk_errno_name(errno));
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	if (clock_boot_ns() < t->at_boot_ns) {
		arm(t); /* a piece of a far one */
		return;
	}
	t->fn(t->arg); /* may free 't': nothing after this */
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	t->ev = evtimer_new(l->base, timer_fired, t);
	if (!t->ev) {
		free(t);
		return NULL;
	}
	return t;
}

void loop_timer_at(struct loop_timer *t, int64_t at_boot_ns)
{
	t->at_boot_ns = at_boot_ns < 0 ? 0 : at_boot_ns;
	arm(t);
}

void loop_timer_stop(struct loop_timer *t)
{
	event_del(t->ev);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

static void signal_came(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)signo;
	(void)what;
	s->fn(s->arg);
}

int loop_on_signal(struct loop *l, int signo, loop_fn fn, void *arg, struct vfk_err *err)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (s) {
		s->fn = fn;
		s->arg = arg;
		s->ev = evsignal_new(l->base, signo, signal_came, s);
	}
	if (!s || !s->ev || event_add(s->ev, NULL)) {
		int sys = errno ? errno : ENOMEM;

		if (s && s->ev)
			event_free(s->ev);
		free(s);
		return vfk_err_set(err, VFK_E_SYS, sys, "watch signal %d", signo);
	}
	list_push_back(&l->signals, &s->node);
	return 0;
}

void loop_on_turn(struct loop *l, loop_fn fn, void *arg)
{
	assert(l->n_turns < MAX_TURNS);
	l->turns[l->n_turns].fn = fn;
	l->turns[l->n_turns++].arg = arg;
}
