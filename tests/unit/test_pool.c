/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

#define PATIENCE_NS (20 * NS_PER_S)

static struct loop *loop;
static struct spawner *spawner;
static struct pool *pool;
static pid_t worker_pid; /* that did the last job */
static uint64_t done_id, lost_id;

/* Tells who it is; a job whose plugin is "die" is its last. */
static size_t worker(const void *job, size_t len, const int *fds, unsigned n_fds,
		     void *result)
{
	const struct job_req *rq = job;
	struct job_res *res = result;

	(void)len;
	(void)fds;
	(void)n_fds;
	if (!strcmp(rq->plugin, "die"))
		raise(SIGKILL);
	memset(res, 0, sizeof(*res));
	res->id = rq->id;
	res->addr = (pci_addr_t)getpid();
	return sizeof(*res);
}

static void on_done(void *arg, const struct job_res *res)
{
	(void)arg;
	done_id = res->id;
	worker_pid = (pid_t)res->addr;
	loop_stop(loop);
}

static void on_lost(void *arg, uint64_t job_id, const char *why)
{
	(void)arg;
	(void)why;
	lost_id = job_id;
	loop_stop(loop);
}

static void on_spawner_gone(void *arg)
{
	(void)arg;
}

static void up(void)
{
	static const struct pool_events events = { .done = on_done,
						   .lost = on_lost,
						   .spawner_gone = on_spawner_gone };
	struct vfk_err err;

	done_id = lost_id = 0;
	CU_ASSERT_FATAL(spawner_start(&spawner, worker, &err) == 0);
	CU_ASSERT_FATAL(loop_new(&loop, &err) == 0);
	CU_ASSERT_FATAL(pool_new(&pool, loop, spawner, 1, &events, &err) == 0);
}

static void down(void)
{
	pool_free(pool);
	loop_free(loop);
	spawner_free(spawner);
}

static int submit(uint64_t id, const char *plugin)
{
	struct job_req rq = { .id = id, .kind = JOB_OBSERVE };
	struct vfk_err err;

	snprintf(rq.plugin, sizeof(rq.plugin), "%s", plugin);
	return pool_submit(pool, &rq, sizeof(rq), NULL, 0, &err);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Turns the loop until an event came. */
static bool ended(const uint64_t *which, uint64_t id)
{
	struct loop_timer *patience = loop_timer_new(loop, stop, NULL);
	struct vfk_err err;

	loop_timer_at(patience, clock_boot_ns() + PATIENCE_NS);
	SUITE_INT(loop_run(loop, &err), 0);
	loop_timer_free(patience);
	return *which == id;
}

static void same_worker_again(void)
{
	pid_t first;

	up();
	SUITE_INT(submit(1, ""), 0);
	CU_ASSERT_TRUE(ended(&done_id, 1));
	first = worker_pid;
	SUITE_INT(submit(2, ""), 0);
	CU_ASSERT_TRUE(ended(&done_id, 2));
	SUITE_INT(worker_pid, first);
	SUITE_INT(pool_workers(pool), 1);
	down();
}

static void job_of_a_worker_that_dies_is_lost(void)
{
	up();
	SUITE_INT(submit(1, "die"), 0);
	CU_ASSERT_TRUE(ended(&lost_id, 1));
	SUITE_INT(pool_workers(pool), 0);
	SUITE_INT(submit(2, ""), 0);
	CU_ASSERT_TRUE(ended(&done_id, 2));
	down();
}

static bool is_there(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return access(path, F_OK) == 0;
}

static void idle_worker_that_died_costs_no_job(void)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	pid_t first;

	up();
	SUITE_INT(submit(1, ""), 0);
	CU_ASSERT_TRUE(ended(&done_id, 1));
	first = worker_pid;
	kill(first, SIGKILL);
	while (is_there(first)) /* the spawner reaps it; the loop does not turn */
		nanosleep(&pause, NULL);
	SUITE_INT(submit(2, ""), 0);
	CU_ASSERT_TRUE(ended(&done_id, 2));
	CU_ASSERT(worker_pid != first);
	SUITE_INT(lost_id, 0);
	SUITE_INT(pool_workers(pool), 1);
	down();
}

VFK_SUITE(pool, { "gives the next job to the same worker", same_worker_again },
	  { "says that the job of a worker that dies is lost",
	    job_of_a_worker_that_dies_is_lost },
	  { "an idle worker that died costs no job", idle_worker_that_died_costs_no_job })
