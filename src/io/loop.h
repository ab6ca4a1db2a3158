/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: the only file besides http that knows libevent.  Layer: io. */
#ifndef VFK_IO_LOOP_H
#define VFK_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct loop;
struct loop_fd;
struct loop_timer;

#define LOOP_READ 1
#define LOOP_WRITE 2

typedef void (*loop_fd_fn)(void *arg, int fd, unsigned events);
typedef void (*loop_fn)(void *arg);

int loop_new(struct loop **out, struct vfk_err *err) VFK_MUST_CHECK;
void loop_free(struct loop *l); /* NULL allowed; watches and timers must be gone */

/* Runs until loop_stop.  VFK_E_SYS if the backend fails. */
int loop_run(struct loop *l, struct vfk_err *err) VFK_MUST_CHECK;
void loop_stop(struct loop *l);

/* Watches 'fd' (borrowed: close it after loop_fd_free) for LOOP_READ and/or LOOP_WRITE,
 * level-triggered.  Freeing inside the own callback is allowed. NULL: out of memory. */
struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, loop_fd_fn fn,
			    void *arg);
void loop_fd_set(struct loop_fd *w, unsigned events);
void loop_fd_free(struct loop_fd *w);

/* A timer is created idle.  'at_boot_ns' in the past fires in the next turn. */
struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *arg);
void loop_timer_at(struct loop_timer *t, int64_t at_boot_ns);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* 'fn' runs in the loop when signal 'signo' came. */
int loop_on_signal(struct loop *l, int signo, loop_fn fn, void *arg,
		   struct vfk_err *err) VFK_MUST_CHECK;
/* 'fn' runs once at the end of every turn, before the loop sleeps: the place to flush. */
void loop_on_turn(struct loop *l, loop_fn fn, void *arg);

/* libevent's own, for http alone. */
struct event_base;
struct event_base *loop_base(struct loop *l);

#endif
