/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/inflight.h"
#include "io/spawner.h"
#include "suite.h"

#define PATIENCE_MS 20000

/* What a worker of these tests can be asked for, by the first byte of the job. */
static size_t count_fds(char *out)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n += (size_t)snprintf(out + n, JOB_MAX - n, "%d ", fd);
	return n;
}

static size_t worker(const void *job, size_t len, const int *fds, unsigned n_fds,
		     void *result)
{
	const char *cmd = job;
	char *out = result, title[16], c;
	ssize_t n;

	switch (cmd[0]) {
	case 'e': /* echo, turned by one bit */
		for (size_t i = 0; i < len; i++)
			out[i] = (char)(cmd[i] ^ 1);
		return len;
	case 'f': /* which descriptors are open */
		return count_fds(out);
	case 'i': /* my number and name */
		prctl(PR_GET_NAME, title);
		return (size_t)snprintf(out, JOB_MAX, "%d %s", getpid(), title);
	case 'w': /* tell on fds[0] that I began, then wait for the end of fds[1] */
		if (n_fds < 2 || write(fds[0], "b", 1) != 1)
			return 1;
		while ((n = read(fds[1], &c, 1)) > 0 || (n < 0 && errno == EINTR))
			;
		if (write(fds[0], "d", 1) != 1)
			return 1;
		return (size_t)snprintf(out, JOB_MAX, "done");
	case 'd':
		raise(SIGSEGV);
	}
	return (size_t)snprintf(out, JOB_MAX, "?");
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

static struct spawner *start(void)
{
	struct spawner *s = NULL;
	struct vfk_err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(spawner_start(&s, worker, &err), 0);
	return s;
}

static int get_worker(struct spawner *s, pid_t *pid)
{
	struct vfk_err err = { 0 };
	int sock = -1;

	CU_ASSERT_EQUAL_FATAL(spawner_worker(s, &sock, pid, &err), 0);
	return sock;
}

static ssize_t ask(int sock, const char *job, const int *fds, unsigned n_fds, char *out)
{
	struct vfk_err err = { 0 };
	ssize_t n;

	CU_ASSERT_EQUAL(worker_send(sock, job, strlen(job) + 1, fds, n_fds, &err), 0);
	if (!out)
		return 0;
	CU_ASSERT_FATAL(readable(sock));
	n = worker_recv(sock, out, JOB_MAX, &err);
	CU_ASSERT(n >= 0);
	if (n >= 0)
		out[n] = '\0';
	return n;
}

static bool at_end(int sock)
{
	struct vfk_err err;
	char c;

	return readable(sock) && worker_recv(sock, &c, 1, &err) == 0;
}

static void wait_gone(pid_t pid)
{
	for (int i = 0; i < PATIENCE_MS && !kill(pid, 0); i++)
		usleep(1000);
	CU_ASSERT(kill(pid, 0) == -1 && errno == ESRCH);
}

static char big[JOB_MAX + 1], back[JOB_MAX + 1];

static void jobs_and_results(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t pid;
	int sock = get_worker(s, &pid);

	CU_ASSERT_EQUAL(worker_recv(sock, back, sizeof(back), &err), -VFK_E_SYS);
	CU_ASSERT_EQUAL(err.sys, EAGAIN);
	memset(big, 'e', JOB_MAX);
	CU_ASSERT_EQUAL(worker_send(sock, big, JOB_MAX, NULL, 0, &err), 0);
	CU_ASSERT_FATAL(readable(sock));
	CU_ASSERT_EQUAL(worker_recv(sock, back, JOB_MAX, &err), JOB_MAX);
	CU_ASSERT(back[0] == 'd' && back[JOB_MAX - 1] == 'd');
	CU_ASSERT(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	close(sock);
	spawner_free(s);
}

static void too_large(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t pid;
	int sock = get_worker(s, &pid);

	CU_ASSERT_EQUAL(worker_send(sock, big, JOB_MAX + 1, NULL, 0, &err), -VFK_E_SYS);
	CU_ASSERT_STRING_EQUAL(err.msg, "send a job of 98305 bytes: EMSGSIZE");
	CU_ASSERT_EQUAL(worker_send(sock, big, 0, NULL, 0, &err), -VFK_E_SYS);
	/* A result larger than the reader's place is an error, never a cut one. */
	CU_ASSERT_EQUAL(worker_send(sock, "e123456789", 10, NULL, 0, &err), 0);
	CU_ASSERT_FATAL(readable(sock));
	CU_ASSERT_EQUAL(worker_recv(sock, back, 9, &err), -VFK_E_SYS);
	CU_ASSERT_STRING_EQUAL(err.msg, "receive a result: EMSGSIZE");
	close(sock);
	spawner_free(s);
}

static void only_its_own_descriptors(void)
{
	int mine = open("/proc/self/status", O_RDONLY); /* not even close-on-exec */
	struct spawner *s = start();
	int fds[2] = { mine, mine };
	pid_t pid, other;
	int first = get_worker(s, &other);
	int sock = get_worker(s, &pid);
	char cmd[64];

	ask(sock, "f", NULL, 0, back);
	CU_ASSERT_STRING_EQUAL(back, "0 1 2 3 ");
	ask(sock, "f", fds, 2, back);
	CU_ASSERT_STRING_EQUAL(back, "0 1 2 3 4 5 ");
	ask(sock, "f", NULL, 0, back); /* closed after the job */
	CU_ASSERT_STRING_EQUAL(back, "0 1 2 3 ");
	ask(sock, "i", NULL, 0, back);
	snprintf(cmd, sizeof(cmd), "%d vfk-worker", pid);
	CU_ASSERT_STRING_EQUAL(back, cmd);
	close(mine);
	close(first);
	close(sock);
	spawner_free(s);
}

static void idle_ends_on_close(void)
{
	struct spawner *s = start();
	pid_t a, b;
	int sa = get_worker(s, &a), sb = get_worker(s, &b);

	close(sa);
	wait_gone(a); /* gone, not a zombie: the spawner reaps */
	CU_ASSERT_EQUAL(kill(b, 0), 0);
	ask(sb, "i", NULL, 0, back);
	close(sb);
	spawner_free(s);
}

static void killed_is_told_and_replaced(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	int begun[2], hold[2];
	pid_t pid, next;
	int sock = get_worker(s, &pid);
	char c;

	CU_ASSERT_EQUAL_FATAL(pipe(begun) | pipe(hold), 0);
	ask(sock, "w", (int[]){ begun[1], hold[0] }, 2, NULL);
	CU_ASSERT_EQUAL(read(begun[0], &c, 1), 1);
	CU_ASSERT_EQUAL(spawner_kill(s, pid, &err), 0);
	CU_ASSERT(at_end(sock));
	wait_gone(pid);
	close(sock);
	sock = get_worker(s, &next);
	CU_ASSERT_NOT_EQUAL(pid, next);
	ask(sock, "e", NULL, 0, back);
	CU_ASSERT_EQUAL(back[0], 'd');
	close(sock);
	for (int i = 0; i < 2; i++) {
		close(begun[i]);
		close(hold[i]);
	}
	spawner_free(s);
}

static void killed_with_a_job_unread(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t pid;
	int sock = get_worker(s, &pid);

	kill(pid, SIGSTOP);
	ask(sock, "e", NULL, 0, NULL);
	CU_ASSERT_EQUAL(spawner_kill(s, pid, &err), 0);
	CU_ASSERT(at_end(sock));
	close(sock);
	spawner_free(s);
}

static void crash_is_told(void)
{
	struct spawner *s = start();
	pid_t pid, next;
	int sock = get_worker(s, &pid);

	ask(sock, "d", NULL, 0, NULL);
	CU_ASSERT(at_end(sock));
	close(sock);
	sock = get_worker(s, &next);
	ask(sock, "e", NULL, 0, back);
	CU_ASSERT_EQUAL(back[0], 'd');
	close(sock);
	spawner_free(s);
}

static void strangers_are_safe(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t worker_pid, stranger = fork();
	int sock, status;

	if (stranger == 0) {
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(spawner_kill(s, stranger, &err), 0);
	CU_ASSERT_EQUAL(spawner_kill(s, -1, &err), 0);
	CU_ASSERT_EQUAL(spawner_kill(s, 0, &err), 0);
	/* Messages are taken in order: once there is a worker, those were handled. */
	sock = get_worker(s, &worker_pid);
	CU_ASSERT_EQUAL(waitpid(stranger, &status, WNOHANG), 0);
	kill(stranger, SIGKILL);
	waitpid(stranger, &status, 0);
	close(sock);
	spawner_free(s);
}

static void step_survives_terminal_signals(void)
{
	struct spawner *s = start();
	int begun[2], hold[2];
	pid_t pid;
	int sock = get_worker(s, &pid);
	char c;

	CU_ASSERT_EQUAL_FATAL(pipe(begun) | pipe(hold), 0);
	fcntl(hold[1], F_SETFD, FD_CLOEXEC);
	ask(sock, "w", (int[]){ begun[1], hold[0] }, 2, NULL);
	CU_ASSERT_EQUAL(read(begun[0], &c, 1), 1);
	kill(pid, SIGTERM);
	kill(pid, SIGINT);
	kill(pid, SIGHUP);
	close(hold[1]);
	CU_ASSERT(readable(sock));
	CU_ASSERT_EQUAL(worker_recv(sock, back, sizeof(back), NULL), 4);
	CU_ASSERT_NSTRING_EQUAL(back, "done", 4);
	close(sock);
	close(hold[0]);
	close(begun[0]);
	close(begun[1]);
	spawner_free(s);
}

/* An engine in a process of its own: starts a spawner, one idle and one busy worker, tells
 * their numbers and waits to be killed. */
struct engine_told {
	pid_t idle, busy;
};

static void play_engine(int tell, const char *inflight, const int *begun, const int *hold)
	__attribute__((noreturn));
static void play_engine(int tell, const char *inflight, const int *begun, const int *hold)
{
	struct spawner *s;
	struct vfk_err err;
	struct engine_told told;
	int a, b, lock;

	/* The spawner is first; then what must not be seen by any worker is opened. */
	if (spawner_start(&s, worker, &err) || spawner_worker(s, &a, &told.idle, &err) ||
	    spawner_worker(s, &b, &told.busy, &err) ||
	    inflight_lock(inflight, 5, &lock, &err))
		_exit(1);
	if (worker_send(b, "w", 2, (int[]){ begun[1], hold[0], lock }, 3, &err))
		_exit(1);
	close(lock);
	close(hold[1]);
	if (write(tell, &told, sizeof(told)) != sizeof(told))
		_exit(1);
	for (;;)
		pause();
}

static void engine_killed(void)
{
	char path[] = "/tmp/vfk-spawner-XXXXXX";
	int begun[2], hold[2], tell[2], file = mkstemp(path);
	struct engine_told told = { 0 };
	pid_t engine;
	char c;

	CU_ASSERT_EQUAL_FATAL(pipe2(begun, O_CLOEXEC) | pipe2(hold, O_CLOEXEC) |
				      pipe2(tell, O_CLOEXEC),
			      0);
	engine = fork();
	if (engine == 0)
		play_engine(tell[1], path, begun, hold);
	close(begun[1]);
	close(hold[0]);
	CU_ASSERT_EQUAL_FATAL(read(tell[0], &told, sizeof(told)), sizeof(told));
	CU_ASSERT_EQUAL(read(begun[0], &c, 1), 1);
	kill(engine, SIGKILL);
	waitpid(engine, NULL, 0);
	wait_gone(told.idle);
	/* The step is still under way, and its byte says so to the next engine. */
	CU_ASSERT_EQUAL(kill(told.busy, 0), 0);
	CU_ASSERT(inflight_held(file, 5));
	close(hold[1]);
	CU_ASSERT_EQUAL(read(begun[0], &c, 1), 1);
	CU_ASSERT_EQUAL(c, 'd'); /* it finished its step */
	wait_gone(told.busy);
	CU_ASSERT_FALSE(inflight_held(file, 5));
	/* The spawner was the last that had the pipe's other end. */
	CU_ASSERT_EQUAL(read(begun[0], &c, 1), 0);
	close(begun[0]);
	close(tell[0]);
	close(tell[1]);
	close(file);
	unlink(path);
}

static void byte_is_free_with_the_result(void)
{
	char path[] = "/tmp/vfk-spawner-XXXXXX";
	int file = mkstemp(path), lock = -1;
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t pid;
	int sock = get_worker(s, &pid);

	for (int i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL_FATAL(inflight_lock(path, 5, &lock, &err), 0);
		CU_ASSERT_EQUAL(worker_send(sock, "e", 2, &lock, 1, &err), 0);
		close(lock);
		CU_ASSERT(readable(sock));
		CU_ASSERT_EQUAL(worker_recv(sock, back, sizeof(back), &err), 2);
		CU_ASSERT_FALSE(inflight_held(file, 5));
	}
	close(sock);
	close(file);
	unlink(path);
	spawner_free(s);
}

/* The parent of a process, 0 if it is gone. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[300];
	pid_t parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f) || !strrchr(line, ')') ||
	    sscanf(strrchr(line, ')'), ") %*c %d", &parent) != 1)
		parent = 0;
	fclose(f);
	return parent;
}

static unsigned n_children(pid_t parent)
{
	DIR *proc = opendir("/proc");
	unsigned n = 0;

	for (struct dirent *e; proc && (e = readdir(proc));)
		n += atoi(e->d_name) > 0 && parent_of(atoi(e->d_name)) == parent;
	if (proc)
		closedir(proc);
	return n;
}

static void spawner_end_is_seen(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	struct pollfd p = { .fd = spawner_fd(s), .events = POLLIN };
	pid_t pid, spawner = 0;
	int sock = get_worker(s, &pid);

	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	spawner = parent_of(pid);
	CU_ASSERT_FATAL(spawner > 1);
	CU_ASSERT_EQUAL_FATAL(kill(spawner, SIGKILL), 0);
	CU_ASSERT(readable(spawner_fd(s)));
	CU_ASSERT_EQUAL(spawner_worker(s, &sock, &pid, &err), -VFK_E_SYS);
	close(sock);
	spawner_free(s);
	waitpid(spawner, NULL, 0);
}

static void late_worker_is_dropped(void)
{
	struct spawner *s = start();
	struct vfk_err err = { 0 };
	pid_t pid, spawner = 0;
	int sock = get_worker(s, &pid), other = -1;

	spawner = parent_of(pid);
	CU_ASSERT_FATAL(spawner > 1);
	kill(spawner, SIGSTOP);
	CU_ASSERT_EQUAL(spawner_worker(s, &other, &pid, &err), -VFK_E_TIMEOUT);
	CU_ASSERT_STRING_EQUAL(err.msg, "the spawner made no worker within 1 s");
	kill(spawner, SIGCONT);
	/* The next one is the one that was asked for now. */
	other = get_worker(s, &pid);
	ask(other, "i", NULL, 0, back);
	CU_ASSERT_EQUAL(atoi(back), pid);
	/* And the late one ends, because nobody has its socket. */
	for (int i = 0; i < PATIENCE_MS && n_children(spawner) > 2; i++)
		usleep(1000);
	CU_ASSERT_EQUAL(n_children(spawner), 2);
	close(other);
	close(sock);
	spawner_free(s);
}

/* Without stderr the sockets would take its place, and every worker would keep them. */
static void started_without_standard_descriptors(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct spawner *s;
		struct vfk_err err;
		pid_t pid;
		int sock;

		close(0);
		close(1);
		close(2);
		if (spawner_start(&s, worker, &err) || spawner_fd(s) <= 2 ||
		    spawner_worker(s, &sock, &pid, &err) || sock <= 2)
			_exit(1);
		ask(sock, "f", NULL, 0, back);
		_exit(strcmp(back, "0 1 2 3 ") ? 2 : 0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

VFK_SUITE(spawner, { "a job of the largest size comes back as a result", jobs_and_results },
	  { "a message that is too large is refused, never cut", too_large },
	  { "R7: a worker has stderr, its socket and the job's descriptors, nothing else",
	    only_its_own_descriptors },
	  { "an idle worker ends when its socket is closed, and is reaped",
	    idle_ends_on_close },
	  { "a killed worker is seen as end of file and can be replaced",
	    killed_is_told_and_replaced },
	  { "a worker killed with a job unread is seen as end of file",
	    killed_with_a_job_unread },
	  { "a crashed worker is seen as end of file and can be replaced", crash_is_told },
	  { "only workers can be killed through the spawner", strangers_are_safe },
	  { "SIGTERM, SIGINT and SIGHUP do not cut a step", step_survives_terminal_signals },
	  { "R7: when the engine is killed idle workers end and a busy one finishes its step",
	    engine_killed },
	  { "a step's byte lock is gone when its result can be read",
	    byte_is_free_with_the_result },
	  { "R7: the end of the spawner is seen", spawner_end_is_seen },
	  { "a worker that comes too late is dropped", late_worker_is_dropped },
	  { "a program without standard descriptors has workers all the same",
	    started_without_standard_descriptors })
