/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"

struct worker {
	struct list link;
	struct pool *pool;
	int sock;
	pid_t pid;
	struct loop_fd *watch;
	uint64_t job_id; /* 0: idle */
	bool for_sync;	 /* syncs have a worker of their own */
};

struct pool {
	struct loop *loop;
	struct spawner *spawner;
	struct loop_fd *spawner_watch;
	struct pool_events events;
	struct list workers;
	unsigned keep, n_workers;
	uint64_t n_started;
};

static void worker_free(struct worker *w)
{
	list_remove(&w->link);
	w->pool->n_workers--;
	loop_fd_free(w->watch);
	close(w->sock);
	free(w);
}

static void gone(struct worker *w, const char *why)
{
	struct pool *p = w->pool;
	uint64_t job_id = w->job_id;

	worker_free(w);
	if (job_id)
		p->events.lost(p->events.arg, job_id, why);
}

static void on_worker(void *arg, int fd, unsigned events)
{
	static struct job_res res; /* one thread; 2 KiB that every result passes through */
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct vfk_err err = { 0 };
	ssize_t len = worker_recv(fd, &res, sizeof(res), &err);

	(void)events;
	if (len < 0 && err.sys == EAGAIN)
		return;
	if (len != (ssize_t)sizeof(res) || res.id != w->job_id) {
		gone(w, len == 0 ? "end of file" :
			len < 0	 ? err.msg :
				   "a result that is none");
		return;
	}
	w->job_id = 0;
	if (p->n_workers > p->keep && !w->for_sync)
		worker_free(w);
	p->events.done(p->events.arg, &res);
}

static void on_spawner(void *arg, int fd, unsigned events)
{
	struct pool *p = arg;
	char byte;

	(void)events;
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
		return;
	loop_fd_free(VFK_STEAL(p->spawner_watch));
	p->events.spawner_gone(p->events.arg);
}

int pool_new(struct pool **out, struct loop *loop, struct spawner *spawner, unsigned keep,
	     const struct pool_events *events, struct vfk_err *err)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p)
		p->spawner_watch = loop_fd_new(loop, spawner_fd(spawner), LOOP_READ,
					       on_spawner, p);
	if (!p || !p->spawner_watch) {
		free(p);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "worker pool");
	}
	p->loop = loop;
	p->spawner = spawner;
	p->events = *events;
	p->keep = keep;
	list_init(&p->workers);
	*out = p;
	return 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	list_each_safe(it, &p->workers)
		worker_free(list_entry(it, struct worker, link));
	loop_fd_free(p->spawner_watch);
	free(p);
}

uint64_t pool_started(const struct pool *p)
{
	return p->n_started;
}

unsigned pool_workers(const struct pool *p)
{
	return p->n_workers;
}

static struct worker *worker_new(struct pool *p, bool for_sync, struct vfk_err *err)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w) {
		vfk_err_set(err, VFK_E_NOMEM, 0, "worker");
		return NULL;
	}
	if (spawner_worker(p->spawner, &w->sock, &w->pid, err) < 0) {
		free(w);
		return NULL;
	}
	w->watch = loop_fd_new(p->loop, w->sock, LOOP_READ, on_worker, w);
	if (!w->watch) {
		vfk_err_set(err, VFK_E_NOMEM, 0, "worker");
		close(w->sock);
		free(w);
		return NULL;
	}
	w->pool = p;
	w->for_sync = for_sync;
	p->n_workers++;
	p->n_started++;
	list_push_back(&p->workers, &w->link);
	return w;
}

static struct worker *idle_worker(struct pool *p, bool for_sync)
{
	list_each(it, &p->workers) {
		struct worker *w = list_entry(it, struct worker, link);

		if (!w->job_id && w->for_sync == for_sync)
			return w;
	}
	return NULL;
}

int pool_submit(struct pool *p, const struct job_req *rq, size_t len_bytes,
		const int *fds, unsigned n_fds, struct vfk_err *err)
{
	bool for_sync = rq->kind == JOB_SYNC;
	struct worker *w;

	for (;;) {
		bool idle = (w = idle_worker(p, for_sync)) != NULL;

		if (!idle)
			w = worker_new(p, for_sync, err);
		if (!w)
			return -err->kind;
		if (worker_send(w->sock, rq, len_bytes, fds, n_fds, err) >= 0)
			break;
		if (!idle || (err->sys != EPIPE && err->sys != ECONNRESET))
			return -err->kind;
		worker_free(w); /* it died while it had nothing to do */
	}
	w->job_id = rq->id;
	return 0;
}

void pool_kill(struct pool *p, uint64_t job_id)
{
	struct vfk_err err = { 0 };

	list_each(it, &p->workers) {
		struct worker *w = list_entry(it, struct worker, link);

		if (w->job_id != job_id)
			continue;
		if (spawner_kill(p->spawner, w->pid, &err) < 0)
			log_error("pool", "end worker %d: %s", (int)w->pid, err.msg);
		return;
	}
}
