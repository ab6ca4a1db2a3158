/* SPDX-License-Identifier: Apache-2.0 */
/* The RDMA device into the pod and home.  The kernel destroys the IPoIB link of a device that
 * moves, wherever it is, and makes another one in the first namespace: so the device goes
 * first, and the link that appears then follows it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/ib.h"
#include "drivers/pod.h"
#include "drivers/rdma.h"
#include "drivers/sysfs.h"

#define RETURN_NS NS_PER_S /* what a dying namespace is given to let go by itself */

static int not_movable(struct vfk_err *err, const char *why)
{
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "rdmaIsolation: %s", why);
}

static int open_rdma(struct vnl **nl, struct vfk_err *err)
{
	struct vfk_err own;
	int rc = vnl_open(nl, NETLINK_RDMA, -1, &own);

	return rc < 0 ? not_movable(err, "the kernel has no RDMA (ib_core is not loaded)") :
			0;
}

static int need_exclusive(struct vnl *nl, struct vfk_err *err)
{
	bool exclusive;
	int rc = rdma_exclusive(nl, &exclusive, err);

	if (rc < 0 || exclusive)
		return rc;
	return not_movable(err, "RDMA devices are shared by all namespaces of this node; "
				"set ib_core's netns_mode=0 when it is loaded");
}

int ib_rdma_movable(struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	int rc = open_rdma(&nl, err);

	return rc < 0 ? rc : need_exclusive(nl, err);
}

static int new_link(void *arg, struct vfk_err *err)
{
	struct ib_job *job = arg;
	struct link link;
	int rc = ib_link_at_home(job->vf.env, job->home, job->vf.addr, &link, err);

	if (rc <= 0 || link.ifindex == job->vf.link.ifindex)
		return rc < 0 ? rc : 0;
	job->vf.link = link;
	job->vf.link_home = true;
	return 1;
}

/* The link that the move has made: another than job->vf.link. */
static int wait_link(struct ib_job *job, struct vfk_err *err)
{
	int rc;

	if (job->call->baseline.valid && !job->call->baseline.ifname[0])
		return 0;
	job->vf.link_home = false;
	rc = ib_wait(new_link, job, job->until_ns, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "no IPoIB link appeared after its RDMA device was moved");
	if (rc > 0)
		job->out->ifindex = job->vf.link.ifindex;
	return rc < 0 ? rc : 0;
}

/* --- into the pod ----------------------------------------------------------------- */

struct inside {
	struct ib_job *job;
	int home_fd; /* -1: only look */
	bool found;
};

/* Runs in the pod's namespace: the kernel takes the caller's for the device's. */
static int in_pod(void *arg, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct inside *in = arg;
	struct rdma_dev dev;
	int rc = open_rdma(&nl, err);

	if (rc >= 0)
		rc = rdma_find(nl, in->job->vf.rdma, &dev, err);
	in->found = rc > 0;
	if (rc > 0 && in->home_fd >= 0)
		rc = rdma_to_netns(nl, dev.index, in->home_fd, err);
	return rc < 0 ? rc : 0;
}

int ib_rdma_to_pod(struct ib_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	const struct vf_settings *want = &job->call->wanted;
	struct inside in = { .job = job, .home_fd = -1 };
	char was[sizeof(job->vf.uverbs)];
	struct rdma_dev dev;
	int rc;

	if (!(want->has & HAS_RDMA_ISOLATION) || !want->rdma_isolation)
		return 0;
	if (job->call->netns_fd < 0)
		return vfk_err_set(err, VFK_E_NETNS, 0, "the pod has no network namespace");
	rc = open_rdma(&nl, err);
	if (rc >= 0)
		rc = need_exclusive(nl, err);
	if (rc < 0)
		return rc;
	if (!job->vf.rdma[0])
		return vfk_err_set(err, VFK_E_KERNEL, 0, "it has no RDMA device");
	if (!job->vf.rdma_home) { /* whoever asked before did not hear that it worked */
		rc = vnl_inside(job->call->netns_fd, in_pod, &in, err);
		if (rc >= 0 && !in.found)
			return vfk_err_set(err, VFK_E_KERNEL, 0,
					   "its RDMA device %s is in another namespace",
					   job->vf.rdma);
		return rc;
	}
	rc = rdma_find(nl, job->vf.rdma, &dev, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "RDMA device %s went away",
				   job->vf.rdma);
	if (rc > 0)
		rc = rdma_to_netns(nl, dev.index, job->call->netns_fd, err);
	if (rc < 0)
		return vfk_err_wrap(err, "move RDMA device %s into the pod", job->vf.rdma);
	rc = wait_link(job, err);
	if (rc < 0)
		return rc;
	snprintf(was, sizeof(was), "%s", job->vf.uverbs);
	if (!pci_first_name(job->vf.env, job->vf.addr, "infiniband_verbs", job->vf.uverbs,
			    sizeof(job->vf.uverbs)))
		job->vf.uverbs[0] = '\0';
	return ib_same_number(job, was, err);
}

/* --- home ------------------------------------------------------------------------- */

static int leave_pod(struct ib_job *job, bool *moved, struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int home_fd = -1;
	struct inside in = { .job = job };
	int rc = vnl_netns_fd(job->home, &home_fd, err);

	in.home_fd = home_fd;
	if (rc >= 0)
		rc = vnl_inside(job->call->netns_fd, in_pod, &in, err);
	*moved = rc >= 0 && in.found;
	return rc < 0 ? vfk_err_wrap(err, "move RDMA device %s home", job->vf.rdma) : 0;
}

int ib_rdma_home(struct ib_job *job, struct vfk_err *err)
{
	struct vfk_err own;
	bool moved = false;
	int rc = 0;

	if (!job->vf.driver[0] || job->vf.user_driver || !job->vf.rdma[0] ||
	    job->vf.rdma_home)
		return 0;
	if (job->call->netns_fd >= 0)
		rc = leave_pod(job, &moved, err);
	if (rc < 0)
		return rc;
	if (moved) {
		rc = wait_link(job, err);
	} else {
		/* Its namespace is gone or going, or nobody gave us a way into it. */
		int64_t until = clock_boot_ns() + RETURN_NS;

		rc = ib_wait_complete(job, until < job->until_ns ? until : job->until_ns,
				      &own);
		if (rc == -VFK_E_TIMEOUT)
			return ib_unbind(job, err);
		if (rc < 0 && err)
			*err = own;
	}
	if (rc >= 0)
		rc = ib_own_name(job, err);
	return rc;
}
