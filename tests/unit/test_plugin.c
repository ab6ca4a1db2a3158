/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plugin.h"
#include "suite.h"

static char dir[] = "/tmp/vfk-plugin-XXXXXX";
static struct vfk_err err;
static struct plugin_run run;

static const char *in_dir(const char *name)
{
	static char path[4][200];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void up(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	err = (struct vfk_err){ 0 };
	run = (struct plugin_run){ .pidfd = -1, .out_fd = -1 };
}

static void down(void)
{
	char cmd[100];

	if (run.out_fd >= 0)
		close(run.out_fd);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	CU_ASSERT(system(cmd) == 0);
}

static const char *script(const char *name, const char *text)
{
	const char *path = in_dir(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	CU_ASSERT_FATAL(fd >= 0);
	dprintf(fd, "#!/bin/sh\n%s\n", text);
	close(fd);
	return path;
}

static int memfd_with(const char *text)
{
	int fd = memfd_create("in", MFD_CLOEXEC);

	CU_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static const char *output(void)
{
	static char text[4096];
	ssize_t n = pread(run.out_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void finds(void)
{
	char out[500], search[500];

	up();
	mkdir(in_dir("one"), 0755);
	mkdir(in_dir("two"), 0755);
	script("two/ipam", "");
	script("two/real", "");
	CU_ASSERT(symlink(in_dir("two/real"), in_dir("one/link")) == 0);
	CU_ASSERT(symlink("/nowhere", in_dir("one/ipam")) == 0);
	mkdir(in_dir("one/folder"), 0755);
	snprintf(search, sizeof(search), ":%s::%s:", in_dir("one"), in_dir("two"));
	CU_ASSERT(plugin_find(search, "ipam", out, sizeof(out)));
	SUITE_STR(out, in_dir("two/ipam"));
	CU_ASSERT(plugin_find(search, "link", out, sizeof(out)));
	SUITE_STR(out, in_dir("one/link"));
	script("one/real", "");
	CU_ASSERT(plugin_find(search, "real", out, sizeof(out)));
	SUITE_STR(out, in_dir("one/real"));
	CU_ASSERT(!plugin_find(search, "folder", out, sizeof(out)));
	CU_ASSERT(!plugin_find(search, "", out, sizeof(out)));
	CU_ASSERT(!plugin_find(search, "../two/ipam", out, sizeof(out)));
	CU_ASSERT(!plugin_find(search, in_dir("two/ipam"), out, sizeof(out)));
	CU_ASSERT(!plugin_find("", "ipam", out, sizeof(out)));
	CU_ASSERT(!plugin_find(search, "ipam", out, strlen(in_dir("two/ipam"))));
	CU_ASSERT(plugin_find(search, "ipam", out, strlen(in_dir("two/ipam")) + 1));
	down();
}

static void runs(void)
{
	static char *const env[] = { "A=1", "PATH=/usr/bin:/bin", NULL };
	enum run_outcome outcome;
	int status, in = memfd_with("hello");

	up();
	lseek(in, 0, SEEK_END);
	SUITE_INT(plugin_start(&run, script("p", "cat; echo \" $A $0\"; exit 3"), in, env,
			       -1, -1, &err),
		  0);
	CU_ASSERT(run.pid > 1 && run.pidfd >= 0);
	plugin_reap(&run, &outcome, &status);
	SUITE_INT(outcome, RUN_EXITED);
	SUITE_INT(status, 3);
	SUITE_INT(run.pidfd, -1);
	char expected[100];

	snprintf(expected, sizeof(expected), "hello 1 %s\n", in_dir("p"));
	SUITE_STR(output(), expected);
	close(in);
	down();
}

static void reports_a_signal(void)
{
	enum run_outcome outcome;
	int status, in = memfd_with("");

	up();
	SUITE_INT(plugin_start(&run, script("p", "kill -SEGV $$"), in, environ, -1, -1,
			       &err),
		  0);
	plugin_reap(&run, &outcome, &status);
	SUITE_INT(outcome, RUN_SIGNALLED);
	SUITE_INT(status, SIGSEGV);
	close(in);
	down();
}

static void starts_nothing(void)
{
	char expected[200];
	int in = memfd_with("");

	up();
	SUITE_INT(plugin_start(&run, in_dir("none"), in, environ, -1, -1, &err),
		  -VFK_E_SYS);
	SUITE_INT(err.sys, ENOENT);
	snprintf(expected, sizeof(expected), "execute %s: ENOENT", in_dir("none"));
	SUITE_STR(err.msg, expected);
	SUITE_INT(run.pidfd, -1);
	SUITE_INT(run.out_fd, -1);
	script("p", "");
	chmod(in_dir("p"), 0644);
	SUITE_INT(plugin_start(&run, in_dir("p"), in, environ, -1, -1, &err), -VFK_E_SYS);
	SUITE_INT(err.sys, EACCES);
	SUITE_INT(waitpid(-1, NULL, WNOHANG), -1); /* nobody left to be waited for */
	close(in);
	down();
}

/* Only the standard descriptors and the one to keep reach a plugin. */
static void inherits_one_descriptor(void)
{
	enum run_outcome outcome;
	int status, in = memfd_with(""), keep = memfd_with("kept"),
		    leak = open("/", O_RDONLY);

	up();
	SUITE_INT(plugin_start(&run,
			       script("p", "for f in /proc/$$/fd/*; do n=${f##*/}; "
					   "case $(readlink $f) in $0) ;; "
					   "*) [ $n -gt 2 ] && readlink $f;; esac; done"),
			       in, environ, keep, -1, &err),
		  0);
	plugin_reap(&run, &outcome, &status);
	SUITE_STR(output(), "/memfd:in (deleted)\n");
	SUITE_INT(fcntl(keep, F_GETFD), FD_CLOEXEC);
	close(leak);
	close(keep);
	close(in);
	down();
}

/* What this process ignores itself: make leaves two of libc's own signals ignored. */
static void ignored_here(char out[64])
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	out[0] = '\0';
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "SigIgn:%63s", out) != 1)
		continue;
	if (f)
		fclose(f);
}

static void starts_with_default_signals(void)
{
	enum run_outcome outcome;
	char ignored[64], expected[200];
	int status, in = memfd_with("");
	sigset_t block, old;

	up();
	signal(SIGPIPE, SIG_DFL);
	ignored_here(ignored);
	snprintf(expected, sizeof(expected), "SigBlk:0000000000000000\nSigIgn:%s\n",
		 ignored);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	SUITE_INT(plugin_start(&run,
			       script("p", "while read k v; do case $k in SigBlk:|SigIgn:) "
					   "echo $k$v;; esac; done </proc/$$/status"),
			       in, environ, -1, -1, &err),
		  0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	plugin_reap(&run, &outcome, &status);
	SUITE_STR(output(), expected);
	close(in);
	down();
}

/* Reads a number that a plugin writes into a file, as soon as it is there. */
static pid_t pid_in(const char *path)
{
	for (int i = 0; i < 2000; i++) {
		FILE *f = fopen(path, "re");
		int pid = 0;

		if (f) {
			if (fscanf(f, "%d\n", &pid) != 1)
				pid = 0;
			fclose(f);
		}
		if (pid)
			return pid;
		usleep(10 * 1000);
	}
	return 0;
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 2000; i++) {
		char path[64], state = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (!f)
			return true;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'X';
		fclose(f);
		if (state == 'Z' || state == 'X')
			return true;
		usleep(10 * 1000);
	}
	return false;
}

static void kills_the_group(void)
{
	enum run_outcome outcome;
	int status, in = memfd_with("");
	char text[300];
	pid_t child;

	up();
	snprintf(text, sizeof(text), "sleep 100 & echo $! >%s; wait", in_dir("pid"));
	SUITE_INT(plugin_start(&run, script("p", text), in, environ, -1, -1, &err), 0);
	child = pid_in(in_dir("pid"));
	CU_ASSERT_FATAL(child > 1);
	CU_ASSERT(getpgid(child) == run.pid);
	plugin_kill(&run);
	plugin_reap(&run, &outcome, &status);
	SUITE_INT(outcome, RUN_SIGNALLED);
	SUITE_INT(status, SIGKILL);
	CU_ASSERT(is_gone(child));
	close(in);
	down();
}

static void ends_what_is_left(void)
{
	enum run_outcome outcome;
	int status, in = memfd_with("");
	char text[300];
	struct pollfd pfd;
	pid_t child;

	up();
	snprintf(text, sizeof(text), "sleep 100 & echo $! >%s; exit 0", in_dir("pid"));
	SUITE_INT(plugin_start(&run, script("p", text), in, environ, -1, -1, &err), 0);
	pfd = (struct pollfd){ .fd = run.pidfd, .events = POLLIN };
	SUITE_INT(poll(&pfd, 1, 20000), 1);
	child = pid_in(in_dir("pid"));
	CU_ASSERT(child > 1);
	plugin_reap(&run, &outcome, &status);
	SUITE_INT(outcome, RUN_EXITED);
	SUITE_INT(status, 0);
	CU_ASSERT(is_gone(child));
	close(in);
	down();
}

static void dies_with_its_parent(void)
{
	int pipe_fds[2], in = memfd_with("");
	pid_t parent, plugin = 0;

	up();
	CU_ASSERT_FATAL(pipe2(pipe_fds, O_CLOEXEC) == 0);
	parent = fork();
	if (parent == 0) {
		if (plugin_start(&run, script("p", "exec sleep 100"), in, environ, -1, -1,
				 &err) == 0 &&
		    write(pipe_fds[1], &run.pid, sizeof(run.pid)) > 0)
			pause();
		_exit(1);
	}
	CU_ASSERT(read(pipe_fds[0], &plugin, sizeof(plugin)) == sizeof(plugin));
	CU_ASSERT_FATAL(plugin > 1);
	CU_ASSERT(kill(plugin, 0) == 0);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	CU_ASSERT(is_gone(plugin));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(in);
	down();
}

static void works_with_closed_std_fds(void)
{
	int status = -1, in = memfd_with("x");
	pid_t pid;

	up();
	script("p", "cat; echo y");
	pid = fork();
	if (pid == 0) {
		enum run_outcome outcome;
		int code, low;

		close(0);
		close(1);
		low = dup(in); /* 0 */
		if (plugin_start(&run, in_dir("p"), low, environ, -1, -1, &err) < 0)
			_exit(2);
		plugin_reap(&run, &outcome, &code);
		_exit(strcmp(output(), "xy\n") != 0);
	}
	waitpid(pid, &status, 0);
	SUITE_INT(status, 0);
	close(in);
	down();
}

/* A plugin that is being replaced: executed as soon as its writer is done. */
static void waits_for_a_busy_text(void)
{
	enum run_outcome outcome;
	int status, in = memfd_with(""), fd;
	pid_t writer;

	up();
	fd = open(script("p", "echo late"), O_WRONLY); /* inherited by the writer only */
	writer = fork();
	if (writer == 0) {
		usleep(200 * 1000);
		_exit(0);
	}
	close(fd);
	SUITE_INT(plugin_start(&run, in_dir("p"), in, environ, -1, -1, &err), 0);
	plugin_reap(&run, &outcome, &status);
	SUITE_STR(output(), "late\n");
	waitpid(writer, NULL, 0);
	close(in);
	down();
}

static const char *join(char **env)
{
	static char text[1000];

	text[0] = '\0';
	for (size_t i = 0; env && env[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", env[i]);
	free(env);
	return text;
}

static void builds_an_environment(void)
{
	static char *const base[] = { "A=1",	    "CNI_COMMAND=ADD",
				      "CNI_ARGS=x", "CNI_COMMANDS=k",
				      "B=2",	    "odd",
				      NULL };
	static char *const empty[] = { NULL };
	static const char over[] = "CNI_ARGS=y\0CNI_COMMAND=GC\0C=3\0A=\0cut";

	SUITE_STR(join(plugin_env(base, NULL, 0, "DEL")),
		  "A=1 CNI_ARGS=x CNI_COMMANDS=k B=2 odd CNI_COMMAND=DEL ");
	SUITE_STR(join(plugin_env(base, over, sizeof(over) - 1, "DEL")),
		  "CNI_COMMANDS=k B=2 odd CNI_ARGS=y C=3 A= CNI_COMMAND=DEL ");
	SUITE_STR(join(plugin_env(empty, NULL, 0, "CHECK")), "CNI_COMMAND=CHECK ");
	SUITE_STR(join(plugin_env(empty, "X=1", 4, "ADD")), "X=1 CNI_COMMAND=ADD ");
}

static void only_root_can_write_a_trusted_one(void)
{
	const char *path;

	up();
	path = script("p", "exit 0");
	chmod(dir, 0755);
	chmod(path, 0755);
	SUITE_INT(plugin_trusted(path), geteuid() == 0);
	chmod(path, 0775);
	CU_ASSERT_FALSE(plugin_trusted(path));
	chmod(path, 0757);
	CU_ASSERT_FALSE(plugin_trusted(path));
	chmod(path, 0755);
	chmod(dir, 01777);
	CU_ASSERT_FALSE(plugin_trusted(path));
	chmod(dir, 0755);
	SUITE_INT(plugin_trusted(path), geteuid() == 0);
	if (chown(path, 65534, 0) == 0)
		CU_ASSERT_FALSE(plugin_trusted(path));
	CU_ASSERT_FALSE(plugin_trusted(in_dir("none")));
	CU_ASSERT_FALSE(plugin_trusted("relative"));
	down();
}

static void enters_its_control_group(void)
{
	int status, in = memfd_with(""), procs = memfd_create("procs", MFD_CLOEXEC);
	enum run_outcome outcome;
	char said[8] = "";

	up();
	SUITE_INT(plugin_start(&run, script("p", "exit 0"), in, environ, -1, procs, &err),
		  0);
	plugin_reap(&run, &outcome, &status);
	CU_ASSERT(pread(procs, said, sizeof(said), 0) == 1);
	SUITE_STR(said, "0");
	close(run.out_fd);
	close(procs);
	close(in);
	down();
}

VFK_SUITE(plugin, { "finds the first regular file and nothing else", finds },
	  { "runs with stdin from its start, environment and exit code", runs },
	  { "reports the signal that ended it", reports_a_signal },
	  { "starts nothing that cannot be executed, and says why", starts_nothing },
	  { "inherits the kept descriptor and no other", inherits_one_descriptor },
	  { "starts with default signals", starts_with_default_signals },
	  { "is killed with its group", kills_the_group },
	  { "leaves nothing of its group behind", ends_what_is_left },
	  { "dies with its parent", dies_with_its_parent },
	  { "starts where standard descriptors are closed", works_with_closed_std_fds },
	  { "is trusted if only root can have written it",
	    only_root_can_write_a_trusted_one },
	  { "enters its control group before it runs", enters_its_control_group },
	  { "waits for a program that is still being written", waits_for_a_busy_text },
	  { "gets the stored environment before the client's, and its verb",
	    builds_an_environment })
