/* SPDX-License-Identifier: Apache-2.0 */
/* Plays a container runtime: calls a CNI plugin once per line of its input, many at a time,
 * and says how each call ended and how long it took.  Links nothing of vfkeeper.
 *
 *   storm [-k CALLERS] [-b PLUGIN] [-p CNI_PATH] [-o DIR] [-r FILE] [-P LABEL]
 *         [-x N:COMMAND]... LIST
 *
 * A line of LIST is "VERB CONTAINER IFNAME NETNS CONF"; "-" stands for an empty NETNS or
 * CONF.  -o keeps what each call printed as DIR/<line>.out; -r writes a line "line verb
 * container exit microseconds" per call; -P shows progress on stderr; -x runs COMMAND with
 * sh in the background when N calls have ended.  The last line on stdout is
 * "count=N failed=N seconds=S p50_us=N p99_us=N max_us=N".  Exits 0 whatever the calls said,
 * 2 if it could not do its work. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_HOOKS 8
#define ENV_EXTRA 7

struct call {
	char *verb, *container, *ifname, *netns, *conf;
	pid_t pid;
	int64_t start_ns, took_ns;
	int exit_code; /* 128 + signal if it was killed */
};

struct hook {
	size_t at;
	const char *command;
	pid_t pid;
};

static struct {
	const char *plugin, *cni_path, *out_dir, *result_file, *label;
	size_t callers;
	struct hook hooks[MAX_HOOKS];
	size_t n_hooks;
} opt = { .plugin = "vfkeeper", .cni_path = "/opt/cni/bin", .callers = 1 };

static struct call *calls;
static size_t n_calls, n_done, n_failed, n_running;

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void add_call(char *line)
{
	static size_t room;
	char *field[5], *save = NULL;

	for (int i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " \t\n", &save);
		if (!field[i]) {
			errno = EINVAL;
			die("a line needs VERB CONTAINER IFNAME NETNS CONF");
		}
	}
	if (n_calls == room) {
		room = room ? room * 2 : 1024;
		calls = reallocarray(calls, room, sizeof(*calls));
		if (!calls)
			die("list");
	}
	calls[n_calls++] = (struct call){ .verb = field[0],
					  .container = field[1],
					  .ifname = field[2],
					  .netns = field[3],
					  .conf = field[4] };
}

static void read_list(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		die(path);
	while (getline(&line, &cap, f) > 0) {
		add_call(line); /* its fields point into the line: it is kept */
		line = NULL;
		cap = 0;
	}
	if (f != stdin)
		fclose(f);
}

/* The environment of one call: ours without CNI_*, and its own. */
static char **make_env(const struct call *c, char text[ENV_EXTRA][768])
{
	static char **env;
	static size_t n_base;
	size_t n;

	if (!env) {
		for (n = 0; environ[n]; n++)
			;
		env = calloc(n + ENV_EXTRA + 1, sizeof(*env));
		if (!env)
			die("environment");
		for (n = 0; environ[n]; n++)
			if (strncmp(environ[n], "CNI_", 4))
				env[n_base++] = environ[n];
	}
	n = 0;
	snprintf(text[n++], 768, "CNI_COMMAND=%s", c->verb);
	snprintf(text[n++], 768, "CNI_CONTAINERID=%s", c->container);
	snprintf(text[n++], 768, "CNI_IFNAME=%s", c->ifname);
	snprintf(text[n++], 768, "CNI_NETNS=%s", strcmp(c->netns, "-") ? c->netns : "");
	snprintf(text[n++], 768, "CNI_PATH=%s", opt.cni_path);
	snprintf(text[n++], 768,
		 "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=storm;K8S_POD_NAME=%s",
		 c->container);
	for (size_t i = 0; i < n; i++)
		env[n_base + i] = text[i];
	env[n_base + n] = NULL;
	return env;
}

static void start_call(size_t at)
{
	struct call *c = &calls[at];
	char text[ENV_EXTRA][768], out_path[512];
	const char *conf = strcmp(c->conf, "-") ? c->conf : "/dev/null";
	char **env = make_env(c, text);
	char *argv[] = { (char *)(uintptr_t)opt.plugin, NULL };
	int in, out;

	if (opt.out_dir)
		snprintf(out_path, sizeof(out_path), "%s/%zu.out", opt.out_dir, at + 1);
	else
		snprintf(out_path, sizeof(out_path), "/dev/null");
	in = open(conf, O_RDONLY | O_CLOEXEC);
	out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		die(in < 0 ? conf : out_path);
	c->start_ns = now_ns();
	/* vfork: the parent is small, but it stops only until the exec either way. */
	c->pid = vfork();
	if (c->pid < 0)
		die("vfork");
	if (c->pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		execve(opt.plugin, argv, env);
		_exit(127);
	}
	close(in);
	close(out);
	n_running++;
}

static void run_hooks(void)
{
	for (size_t i = 0; i < opt.n_hooks; i++) {
		struct hook *h = &opt.hooks[i];

		if (h->pid || n_done < h->at)
			continue;
		h->pid = fork();
		if (h->pid < 0)
			die("fork");
		if (h->pid == 0) {
			execl("/bin/sh", "sh", "-c", h->command, (char *)NULL);
			_exit(127);
		}
	}
}

/* On a terminal one line that changes, elsewhere a line now and then. */
static void progress(bool last)
{
	static int64_t shown_ns;
	static int tty = -1;
	int64_t now = now_ns();

	if (tty < 0)
		tty = isatty(STDERR_FILENO);
	if (!opt.label || (!last && now - shown_ns < (tty ? 200000000 : 3000000000)))
		return;
	shown_ns = now;
	fprintf(stderr, "%s%s: %zu of %zu, %zu failed%s", tty ? "\r" : "", opt.label,
		n_done, n_calls, n_failed, last || !tty ? "\n" : " ");
}

/* Takes one ended child, if there is one (or, with 'wait', when there is one). */
static bool reap(bool wait)
{
	int status;
	pid_t pid = waitpid(-1, &status, wait ? 0 : WNOHANG);
	int64_t now = now_ns();

	if (pid <= 0)
		return false;
	for (size_t i = 0; i < n_calls; i++) {
		struct call *c = &calls[i];

		if (c->pid != pid)
			continue;
		c->pid = 0;
		c->took_ns = now - c->start_ns;
		c->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		n_failed += c->exit_code != 0;
		n_done++;
		n_running--;
		run_hooks();
		progress(false);
		return true;
	}
	return true; /* a hook */
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(int64_t wall_ns)
{
	int64_t *took = calloc(n_calls ? n_calls : 1, sizeof(*took));
	FILE *f = NULL;

	if (!took)
		die("report");
	if (opt.result_file && !(f = fopen(opt.result_file, "we")))
		die(opt.result_file);
	for (size_t i = 0; i < n_calls; i++) {
		took[i] = calls[i].took_ns;
		if (f)
			fprintf(f, "%zu %s %s %d %" PRId64 "\n", i + 1, calls[i].verb,
				calls[i].container, calls[i].exit_code, took[i] / 1000);
	}
	if (f && fclose(f))
		die(opt.result_file);
	qsort(took, n_calls, sizeof(*took), by_value);
#define AT(p) (n_calls ? took[(n_calls - 1) * (p) / 100] / 1000 : 0)
	printf("count=%zu failed=%zu seconds=%.3f p50_us=%" PRId64 " p99_us=%" PRId64
	       " max_us=%" PRId64 "\n",
	       n_calls, n_failed, (double)wall_ns / 1e9, AT(50), AT(99), AT(100));
#undef AT
	free(took);
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "k:b:p:o:r:P:x:")) != -1) {
		char *colon = NULL;

		switch (c) {
		case 'k':
			opt.callers = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			opt.plugin = optarg;
			break;
		case 'p':
			opt.cni_path = optarg;
			break;
		case 'o':
			opt.out_dir = optarg;
			break;
		case 'r':
			opt.result_file = optarg;
			break;
		case 'P':
			opt.label = optarg;
			break;
		case 'x':
			colon = strchr(optarg, ':');
			if (!colon || opt.n_hooks == MAX_HOOKS) {
				errno = EINVAL;
				die("-x N:COMMAND");
			}
			opt.hooks[opt.n_hooks].at = strtoul(optarg, NULL, 10);
			opt.hooks[opt.n_hooks++].command = colon + 1;
			break;
		default:
			exit(2);
		}
	}
	if (!opt.callers || optind + 1 != argc) {
		fputs("usage: storm [-k N] [-b PLUGIN] [-p CNI_PATH] [-o DIR] [-r FILE] "
		      "[-P LABEL] [-x N:COMMAND] LIST\n",
		      stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int64_t start_ns;

	parse_options(argc, argv);
	read_list(argv[optind]);
	start_ns = now_ns();
	for (size_t next = 0; next < n_calls || n_running;) {
		if (next < n_calls && n_running < opt.callers) {
			start_call(next++);
			while (reap(false))
				;
		} else if (!reap(true)) {
			die("waitpid");
		}
	}
	start_ns = now_ns() - start_ns;
	for (size_t i = 0; i < opt.n_hooks; i++)
		if (opt.hooks[i].pid)
			waitpid(opt.hooks[i].pid, NULL, 0);
	progress(true);
	report(start_ns);
	return 0;
}
