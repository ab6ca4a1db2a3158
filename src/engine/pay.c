/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plugin.h"
#include "cni/cni.h"
#include "io/file.h"

/* A control group below the engine's own: whatever the plugin starts ends with it, also what
 * has left its process group.  Without cgroup2, or where nothing may be made in it, the
 * process group has to do. */
struct group {
	char path[PATH_MAX]; /* "": none */
	int procs_fd;
};

/* The engine's own control group: the line "0::/path" of /proc/self/cgroup. */
static bool own_group(const char *proc_root, char *out, size_t cap_bytes)
{
	char file[PATH_MAX], line[PATH_MAX];
	bool found = false;
	FILE *f;

	snprintf(file, sizeof(file), "%s/self/cgroup", proc_root);
	f = fopen(file, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4) && strlen(line + 3) < cap_bytes;
		if (found)
			memcpy(out, line + 3, strlen(line + 3) + 1);
	}
	if (f)
		fclose(f);
	return found;
}

/* Ends everything in it. */
static void group_kill(const struct group *g)
{
	char file[PATH_MAX];
	int fd;

	if ((size_t)snprintf(file, sizeof(file), "%s/cgroup.kill", g->path) >= sizeof(file))
		return;
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* older than Linux 5.14 */
	while (write(fd, "1", 1) < 0 && errno == EINTR)
		;
	close(fd);
}

/* Named after the lease, so that one that an engine left behind is used and removed again. */
static void group_make(struct group *g, const struct job_req *rq)
{
	const char *root = getenv("VFKEEPER_ROOT");
	char own[PATH_MAX], procs[PATH_MAX];
	int len;

	g->path[0] = '\0';
	g->procs_fd = -1;
	if (!own_group(rq->env.proc_root, own, sizeof(own)))
		return;
	len = snprintf(g->path, sizeof(g->path), "%s/sys/fs/cgroup%s/ipam-%llu",
		       root ? root : "", strcmp(own, "/") ? own : "",
		       (unsigned long long)rq->lease_id);
	if (len < 0 || (size_t)len >= sizeof(g->path) ||
	    (size_t)snprintf(procs, sizeof(procs), "%s/cgroup.procs", g->path) >=
		    sizeof(procs) ||
	    (mkdir(g->path, 0755) < 0 && errno != EEXIST)) {
		g->path[0] = '\0';
		return;
	}
	g->procs_fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (g->procs_fd < 0) {
		rmdir(g->path);
		g->path[0] = '\0';
		return;
	}
	group_kill(g); /* what a worker that was ended has left */
}

static void group_end(struct group *g)
{
	const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };

	if (!g->path[0])
		return;
	close(g->procs_fd);
	group_kill(g);
	/* What was killed a moment ago is still on its way out. */
	for (int tries = 0; rmdir(g->path) < 0 && errno == EBUSY && tries < 50; tries++)
		nanosleep(&pause, NULL);
}

static void wait_plugin(struct plugin_run *run)
{
	struct pollfd pfd = { .fd = run->pidfd, .events = POLLIN };

	for (;;) {
		int left_ms = clock_left_ms(run->deadline_boot_ns);
		int rc;

		if (!left_ms) {
			plugin_kill(run);
			return;
		}
		rc = poll(&pfd, 1, left_ms);
		if (rc > 0 || (rc < 0 && errno != EINTR))
			return;
	}
}

/* Takes over run->out_fd. */
static void outcome_to_err(struct plugin_run *run, const char *plugin, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *text = NULL;
	VFK_AUTO(fd_auto) int out = run->out_fd;
	enum run_outcome outcome;
	struct cni_fail fail;
	size_t len = 0;
	int status;

	plugin_reap(run, &outcome, &status);
	if (outcome == RUN_EXITED && status == 0)
		return;
	text = file_of_memfd(out, STDIN_MAX, &len);
	cni_ipam_failure(&fail, plugin, outcome, status, text ? text : "", text ? len : 0);
	vfk_err_set(err, VFK_E_IPAM, 0, "%s", fail.msg);
}

void pay_run(const struct job_req *rq, const int *fds, unsigned n_fds, struct vfk_err *err)
{
	static char *const no_env[] = { NULL };
	struct plugin_run run = { .pid = -1,
				  .pidfd = -1,
				  .out_fd = -1,
				  .deadline_boot_ns = rq->deadline_boot_ns };
	VFK_AUTO(free_auto) char *over = NULL;
	VFK_AUTO(free_auto) char **envp = NULL;
	struct group group;
	size_t len = 0;

	/* As after a sleep of the node: another may have been told to pay since (R9). */
	if (!clock_left_ms(rq->deadline_boot_ns)) {
		vfk_err_set(err, VFK_E_TIMEOUT, 0, "%s: too late to run it", rq->plugin);
		return;
	}
	if (n_fds != 3 || !(over = file_of_memfd(fds[2], STDIN_MAX, &len)) ||
	    !(envp = plugin_env(no_env, over, len, "DEL"))) {
		vfk_err_set(err, VFK_E_NOMEM, 0, "environment of %s", rq->plugin);
		return;
	}
	if (!plugin_trusted(rq->plugin)) {
		vfk_err_set(err, VFK_E_IPAM, 0,
			    "%s or its directory is not root's alone to write: not run",
			    rq->plugin);
		return;
	}
	group_make(&group, rq);
	if (plugin_start(&run, rq->plugin, fds[1], envp, fds[0], group.procs_fd, err) >= 0) {
		wait_plugin(&run);
		outcome_to_err(&run, rq->plugin, err);
	}
	group_end(&group);
}
