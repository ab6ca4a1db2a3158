/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "drivers/registry.h"
#include "drivers/sysfs.h"
#include "engine/pay.h"
#include "io/log_out.h"
#include "io/nl.h"

const char *job_kind_name(enum job_kind kind)
{
	switch (kind) {
#define X(name, value)                                                                   \
	case JOB_##name:                                                                 \
		return #name;
		JOB_KINDS(X)
#undef X
	}
	return "?";
}

static int sync_dir(int fd)
{
	/* Some file systems have nothing to sync there. */
	return fsync(fd) < 0 && errno != EINVAL ? -1 : 0;
}

/* The journal's directory, that of vfkeeper and the one above: the first engine of a node
 * makes the names in all three. */
static int sync_names(int dir)
{
	VFK_AUTO(fd_auto)
	int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VFK_AUTO(fd_auto)
	int above = openat(dir, "../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return parent < 0 || above < 0 || sync_dir(dir) < 0 || sync_dir(parent) < 0 ||
			       sync_dir(above) < 0 ?
		       -1 :
		       0;
}

static void run_sync(const int *fds, unsigned n_fds, struct job_res *res)
{
	if (n_fds < 1) {
		vfk_err_set(&res->err, VFK_E_INTERNAL, 0, "sync job without a file");
		return;
	}
	while (fdatasync(fds[0]) < 0) {
		if (errno == EINTR)
			continue;
		vfk_err_set(&res->err, VFK_E_SYS, errno, "fdatasync of the journal");
		return;
	}
	if (n_fds > 1 && sync_names(fds[1]) < 0)
		vfk_err_set(&res->err, VFK_E_SYS, errno,
			    "fsync of the journal's directory");
}

/* A failing step never skips the ones that do not need it. */
static bool needs_failed(enum drv_step step, uint32_t failed)
{
	const uint32_t attach = (1u << STEP_SETTINGS) | (1u << STEP_REBIND) |
				(1u << STEP_RDMA_TO_POD) | (1u << STEP_LINK_TO_POD) |
				(1u << STEP_LINK_SETTINGS) | (1u << STEP_ADDRESSES);

	if (attach & (1u << step)) /* an attach plan stops at its first failure */
		return failed != 0;
	if (step == STEP_LINK_BASELINE)
		return failed & (1u << STEP_LINK_HOME);
	if (step == STEP_VERIFY)
		return failed != 0;
	return false;
}

static void run_steps(const struct driver *drv, const struct job_req *rq,
		      const struct drv_call *call, struct job_res *res)
{
	uint32_t failed = 0;

	for (unsigned bit = 0; bit < 32; bit++) {
		struct drv_out out = { .nsid = -1 };
		struct vfk_err err = { 0 };

		if (!(rq->steps & (1u << bit)) || needs_failed(bit, failed))
			continue;
		if (drv->step(bit, call, &out, &err) < 0) {
			failed |= 1u << bit;
			/* Others are begun again, and ask again; a VERIFY that fails is
			 * the last word of its round, and says what the next has to do. */
			if (bit == STEP_VERIFY)
				res->out.rebind_needed |= out.rebind_needed;
			if (!res->err.kind) {
				vfk_err_wrap(&err, "%s", drv_step_name(bit));
				res->err = err;
				res->failed_step = bit;
			}
			continue;
		}
		res->done |= 1u << bit;
		if (bit == STEP_LINK_HOME || bit == STEP_RDMA_HOME)
			res->taken |= out.rebind_needed;
		if (out.ifindex)
			res->out.ifindex = out.ifindex;
		if (out.where)
			res->out.where = out.where;
		if (out.netns_cookie) {
			res->out.netns_cookie = out.netns_cookie;
			res->out.nsid = out.nsid;
		}
		if (out.mtu_bytes)
			res->out.mtu_bytes = out.mtu_bytes;
		if (out.hwaddr_len) {
			memcpy(res->out.hwaddr, out.hwaddr, sizeof(out.hwaddr));
			res->out.hwaddr_len = out.hwaddr_len;
		}
		res->out.rebind_needed |= out.rebind_needed;
	}
}

struct found_sink {
	int fd;
	char driver[16];
};

static int put_found(struct found_sink *sink, struct job_found *found)
{
	memcpy(found->driver, sink->driver, sizeof(found->driver));
	return write(sink->fd, found, sizeof(*found)) == (ssize_t)sizeof(*found) ?
		       0 :
		       -VFK_E_SYS;
}

static int found_pf(void *arg, const struct drv_pf *pf)
{
	struct job_found found = { .is_pf = 1, .pf = *pf };

	return put_found(arg, &found);
}

static int found_vf(void *arg, const struct drv_vf *vf)
{
	struct job_found found = { .vf = *vf };

	return put_found(arg, &found);
}

static void run_discover(const struct job_req *rq, const int *fds, unsigned n_fds,
			 struct job_res *res)
{
	const struct driver *const *drv = registry_drivers(&rq->env);
	struct found_sink sink = { .fd = n_fds ? fds[0] : -1 };

	for (; *drv; drv++) {
		snprintf(sink.driver, sizeof(sink.driver), "%s", (*drv)->name);
		if ((*drv)->discover(&rq->env, found_pf, found_vf, &sink, &res->err) < 0) {
			if (!res->err.kind)
				vfk_err_set(&res->err, VFK_E_SYS, errno,
					    "pass on what driver %s found", (*drv)->name);
			return;
		}
	}
}

static void run_identify(const struct job_req *rq, const int *fds, unsigned n_fds,
			 struct job_res *res)
{
	const struct driver *const *drv = registry_drivers(&rq->env);

	res->addr = PCI_NONE;
	for (; *drv && n_fds; drv++) {
		if ((*drv)->identify(&rq->env, fds[0], rq->call.ifname, &res->addr,
				     &res->err) < 0)
			return;
		if (res->addr != PCI_NONE) {
			snprintf(res->driver, sizeof(res->driver), "%s", (*drv)->name);
			return;
		}
	}
}

static void run_ports(const struct job_req *rq, struct job_res *res)
{
	const struct driver *drv = registry_find(&rq->env, rq->driver);

	if (!drv)
		vfk_err_set(&res->err, VFK_E_UNSUPPORTED, 0,
			    "driver %s is not enabled (vfkeeper.conf)", rq->driver);
	else
		(void)(drv->ports(&rq->env, rq->call.pf, &res->pf, &res->err) < 0);
}

/* A VF without a link, or one whose link is not in the pod, has nothing to be looked at
 * there: 'out.where' says so. */
static void run_check(const struct driver *drv, const struct job_req *rq, const int *fds,
		      unsigned n_fds, struct drv_call *call, struct job_res *res)
{
	int rc;

	call->netns_fd = n_fds ? fds[0] : -1;
	if (drv->observe(call, -1, &res->out, &res->err) < 0 ||
	    res->out.where != WHERE_IN_POD)
		return;
	rc = pod_check(call, res->out.ifindex, &rq->expect, &res->err);
	res->differs = rc > 0;
}

/* A VF that another plugin gave to a pod.  The pod's namespace gets its id first: then its end
 * is heard, as at an attachment of ours, and the link is found there however it came to it. */
static void run_import(const struct driver *drv, const int *fds, unsigned n_fds,
		       struct drv_call *call, struct job_res *res)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	struct drv_out *out = &res->out, id = { .nsid = -1 };

	call->netns_fd = n_fds ? fds[0] : -1;
	if (vnl_open(&home, NETLINK_ROUTE, -1, &res->err) < 0 ||
	    pod_open(call, &pod, &res->err) < 0 ||
	    pod_identify(home, pod, call, &id, &res->err) < 0 ||
	    drv->observe(call, -1, out, &res->err) < 0)
		return;
	out->netns_cookie = id.netns_cookie;
	out->nsid = id.nsid;
	if (!out->seen.driver[0] && !pci_link(call->env, call->addr, "driver",
					      out->seen.driver, sizeof(out->seen.driver)))
		out->seen.driver[0] = '\0';
}

size_t job_run(const void *job, size_t len_bytes, const int *fds, unsigned n_fds,
	       void *result)
{
	const struct job_req *rq = job;
	struct job_res *res = result;
	const struct driver *drv;
	struct drv_call call;

	memset(res, 0, sizeof(*res));
	res->out.nsid = -1;
	if (len_bytes < sizeof(*rq)) {
		vfk_err_set(&res->err, VFK_E_INTERNAL, 0, "short job of %zu bytes",
			    len_bytes);
		return sizeof(*res);
	}
	log_set_levels(&rq->log);
	log_out_set("vfkeeper-worker", (enum log_format)rq->log_format,
		    (enum log_target)rq->log_target);
	res->id = rq->id;
	res->kind = rq->kind;
	call = rq->call;
	call.env = &rq->env;
	call.deadline_boot_ns = rq->deadline_boot_ns;
	call.netns_fd = rq->has_netns && n_fds > 1 ? fds[1] : -1;
	call.ips = (const void *)(rq + 1);
	call.routes = (const void *)(call.ips + call.n_ips);
	switch ((enum job_kind)rq->kind) {
	case JOB_SYNC:
		run_sync(fds, n_fds, res);
		break;
	case JOB_STEPS:
	case JOB_OBSERVE:
	case JOB_CHECK:
	case JOB_IMPORT:
		drv = registry_find(&rq->env, rq->driver);
		if (!drv)
			vfk_err_set(&res->err, VFK_E_UNSUPPORTED, 0,
				    "driver %s is not enabled (vfkeeper.conf)", rq->driver);
		else if (rq->kind == JOB_STEPS)
			run_steps(drv, rq, &call, res);
		else if (rq->kind == JOB_CHECK)
			run_check(drv, rq, fds, n_fds, &call, res);
		else if (rq->kind == JOB_IMPORT)
			run_import(drv, fds, n_fds, &call, res);
		else
			(void)(drv->observe(&call, rq->nsid, &res->out, &res->err) < 0);
		break;
	case JOB_IDENTIFY:
		run_identify(rq, fds, n_fds, res);
		break;
	case JOB_PORTS:
		run_ports(rq, res);
		break;
	case JOB_DISCOVER:
		run_discover(rq, fds, n_fds, res);
		break;
	case JOB_IPAM:
		pay_run(rq, fds, n_fds, &res->err);
		break;
	}
	return sizeof(*res);
}
