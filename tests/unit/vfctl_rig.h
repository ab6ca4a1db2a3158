/* SPDX-License-Identifier: Apache-2.0 */
/* The program vfctl, run in a root of its own, with or without an engine that the test plays. */
#ifndef VFK_TESTS_VFCTL_RIG_H
#define VFK_TESTS_VFCTL_RIG_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/ctl_server.h"
#include "io/loop.h"
#include "suite.h"

static char root[64], vfctl[512];

/* --- running it --- */

static struct {
	char out[65536], err[4096];
	int status;
} said;

static inline void read_both(int out, int err)
{
	size_t n_out = 0, n_err = 0;
	int n_open = 2;

	while (n_open > 0) {
		struct pollfd p[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
		ssize_t n;

		if (poll(p, 2, 60000) <= 0)
			break;
		if (p[0].revents) {
			n = read(out, said.out + n_out, sizeof(said.out) - 1 - n_out);
			n_out += n > 0 ? (size_t)n : 0;
			if (n <= 0) {
				out = -1;
				n_open--;
			}
		}
		if (p[1].revents) {
			n = read(err, said.err + n_err, sizeof(said.err) - 1 - n_err);
			n_err += n > 0 ? (size_t)n : 0;
			if (n <= 0) {
				err = -1;
				n_open--;
			}
		}
	}
	said.out[n_out] = said.err[n_err] = '\0';
}

/* Runs vfctl with the words of 'line' (no quoting) and collects what it says. */
static inline void run(const char *line)
{
	char words[512], *argv[16] = { "vfctl" }, *save = NULL;
	int argc = 1, out[2], err[2], status = 0;
	pid_t pid;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w && argc < 15;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	CU_ASSERT_EQUAL_FATAL(pipe2(out, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(err, O_CLOEXEC), 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(err[1], 2);
		execv(vfctl, argv);
		_exit(126);
	}
	close(out[1]);
	close(err[1]);
	read_both(out[0], err[0]);
	close(out[0]);
	close(err[0]);
	waitpid(pid, &status, 0);
	said.status = WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

/* Runs it and compares everything; NULL: not compared. */
static inline void check(const char *line, int status, const char *out, const char *err)
{
	run(line);
	suite_int(said.status, status, line, __FILE__, __LINE__);
	if (out)
		suite_str(said.out, out, line, __FILE__, __LINE__);
	if (err)
		suite_str(said.err, err, line, __FILE__, __LINE__);
}

/* --- a place of its own --- */

static inline const char *in_root(const char *path)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s%s", root, path);
	return text;
}

static inline void make_dirs(void)
{
	static const char *const dirs[] = {
		"/run",	    "/run/vfkeeper",	 "/var",
		"/var/lib", "/var/lib/vfkeeper", "/var/lib/vfkeeper/journal"
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CU_ASSERT_EQUAL_FATAL(mkdir(in_root(dirs[i]), 0700), 0);
}

static inline void begin(void)
{
	const char *builddir = getenv("top_builddir");

	snprintf(vfctl, sizeof(vfctl), "%s/src/vfctl/vfctl", builddir ? builddir : ".");
	CU_ASSERT_EQUAL_FATAL(access(vfctl, X_OK), 0);
	snprintf(root, sizeof(root), "/tmp/vfk-vfctl-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	setenv("VFKEEPER_ROOT", root, 1);
}

static inline void end(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", root, (char *)NULL);
		_exit(126);
	}
	waitpid(pid, NULL, 0);
}

/* --- an engine that the test plays --- */

static pid_t engine;

static inline void play_engine(const char *path, ctl_handler_fn handler)
{
	struct vfk_err err = { 0 };
	int ready[2];
	char byte;

	CU_ASSERT_EQUAL_FATAL(pipe2(ready, O_CLOEXEC), 0);
	fflush(stdout);
	engine = fork();
	if (engine == 0) {
		struct ctl_server *s;
		struct loop *loop;

		if (loop_new(&loop, &err) < 0 ||
		    ctl_server_open(&s, loop, path, geteuid(), handler, NULL, &err) < 0 ||
		    write(ready[1], "R", 1) != 1)
			_exit(1);
		close(ready[1]);
		_exit(loop_run(loop, &err) < 0);
	}
	close(ready[1]);
	CU_ASSERT_EQUAL_FATAL(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static inline void stop_engine(void)
{
	kill(engine, SIGKILL);
	waitpid(engine, NULL, 0);
}

#endif
