/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

void runner_init(struct runner *r)
{
	*r = (struct runner){ .plugin = { .pidfd = -1, .out_fd = -1 }, .out_fd = -1 };
}

static const char *verb_text(uint8_t verb)
{
	static const char *const text[] = {
		[CNI_ADD] = "ADD", [CNI_DEL] = "DEL",	    [CNI_CHECK] = "CHECK",
		[CNI_GC] = "GC",   [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
	};

	return verb < VFK_ARRAY_SIZE(text) ? text[verb] : NULL;
}

/* Reads the stored environment; its length, or -1 with errno. */
static ssize_t read_env(int fd, char **out)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -1;
	if (st.st_size > ENV_MAX) {
		errno = EFBIG;
		return -1;
	}
	*out = malloc((size_t)st.st_size + 1);
	if (!*out)
		return -1;
	n = pread(fd, *out, (size_t)st.st_size, 0);
	return n;
}

static const char *env_get(char *const env[], const char *name)
{
	size_t len = strlen(name);
	const char *value = "";

	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			value = *env + len + 1;
	return value;
}

static void not_run(struct runner *r, enum run_outcome outcome, int status)
{
	r->outcome = outcome;
	r->status = status;
	r->out_fd = memfd_create("no output", MFD_CLOEXEC);
	r->state = RUNNER_RESULT;
}

static void start(struct runner *r, const struct frame_run *run, int stdin_fd, int env_fd)
{
	VFK_AUTO(free_auto) char *stored = NULL;
	VFK_AUTO(free_auto) char **env = NULL;
	static char path[PATH_MAX];
	struct vfk_err err;
	ssize_t len = 0;

	if (env_fd >= 0)
		len = read_env(env_fd, &stored);
	if (len >= 0)
		env = plugin_env(environ, stored, (size_t)len, verb_text(run->verb));
	if (!env) {
		not_run(r, RUN_NOT_STARTED, len < 0 ? errno : ENOMEM);
		return;
	}
	if (!plugin_find(env_get(env, "CNI_PATH"), run->type, path, sizeof(path))) {
		not_run(r, RUN_NOT_FOUND, 0);
		return;
	}
	if (plugin_start(&r->plugin, path, stdin_fd, env, r->inflight[r->n_inflight - 1],
			 -1, &err) < 0) {
		not_run(r, RUN_NOT_STARTED, err.sys ? err.sys : EIO);
		return;
	}
	r->out_fd = r->plugin.out_fd;
	r->state = RUNNER_BUSY;
}

static const char *what_is_wrong(const struct runner *r, const struct frame_run *run,
				 unsigned n_fds)
{
	if (n_fds != (run->flags & RUN_STORED ? 3u : 1u))
		return "descriptors are missing";
	if (!memchr(run->type, '\0', sizeof(run->type)))
		return "the plugin's name has no end";
	if (!verb_text(run->verb))
		return "unknown verb";
	if (r->state == RUNNER_BUSY)
		return "a plugin still runs";
	if (r->n_inflight == RUNNER_MAX_RUNS)
		return "too many runs";
	return NULL;
}

int runner_start(struct runner *r, const struct frame_run *run, const int *fds,
		 unsigned n_fds, int stdin_fd, struct vfk_err *err)
{
	const char *wrong = what_is_wrong(r, run, n_fds);
	bool stored = run->flags & RUN_STORED;

	if (wrong) {
		while (n_fds)
			close(fds[--n_fds]);
		return vfk_err_set(err, VFK_E_DECODE, 0, "RUN frame: %s", wrong);
	}
	if (r->out_fd >= 0)
		close(r->out_fd);
	r->out_fd = -1;
	r->run_id = run->run_id;
	r->killed = false;
	r->inflight[r->n_inflight++] = fds[0];
	r->plugin.deadline_boot_ns = clock_boot_ns() + run->deadline_ms * NS_PER_MS;
	start(r, run, stored ? fds[1] : stdin_fd, stored ? fds[2] : -1);
	if (stored) {
		close(fds[1]);
		close(fds[2]);
	}
	return 0;
}

void runner_kill(struct runner *r, enum run_outcome why)
{
	if (r->state != RUNNER_BUSY || r->killed)
		return;
	plugin_kill(&r->plugin);
	r->killed = true;
	r->outcome = why;
}

void runner_reap(struct runner *r)
{
	enum run_outcome outcome;
	int status;

	plugin_reap(&r->plugin, &outcome, &status);
	if (!r->killed) {
		r->outcome = outcome;
		r->status = status;
	} else {
		r->status = 0;
	}
	r->state = RUNNER_RESULT;
}

int runner_send(const struct runner *r, int sock, uint16_t version, struct vfk_err *err)
{
	struct frame_ran ran = {
		.hdr = { .type = FRAME_RAN, .version = version },
		.run_id = r->run_id,
		.status = r->status,
		.outcome = (uint8_t)r->outcome,
	};
	struct stat st;

	if (r->out_fd < 0 || fstat(r->out_fd, &st) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "output of the plugin");
	ran.out_len = st.st_size < RUN_OUT_MAX ? (uint32_t)st.st_size : RUN_OUT_MAX;
	return frame_send(sock, &ran.hdr, sizeof(ran), &r->out_fd, 1, err);
}
