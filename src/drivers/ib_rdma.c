/* SPDX-License-Identifier: Apache-2.0 */
/* The RDMA device into the pod and home.  The kernel destroys the IPoIB link of a device that
 * moves, wherever it is, and makes another one in the first namespace: so the device goes
 * first, and the link that appears then follows it. */
#include "base/clock.h"
#include "drivers/ib.h"
#include "drivers/rdma.h"
#include "drivers/wait.h"

#define RETURN_NS NS_PER_S /* what a dying namespace is given to let go by itself */

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
	rc = drv_wait(new_link, job, job->until_ns, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0,
				   "no IPoIB link appeared after its RDMA device was moved");
	if (rc > 0)
		job->out->ifindex = job->vf.link.ifindex;
	return rc < 0 ? rc : 0;
}

/* --- into the pod ----------------------------------------------------------------- */

int ib_rdma_to_pod(struct ib_job *job, struct vfk_err *err)
{
	const struct vf_settings *want = &job->call->wanted;
	bool moved;
	int rc;

	if (!(want->has & HAS_RDMA_ISOLATION) || !want->rdma_isolation)
		return 0;
	rc = rdma_to_pod(&job->vf.rdma, job->call->netns_fd, &moved, err);
	if (rc < 0 || !moved)
		return rc;
	rc = wait_link(job, err);
	return rc < 0 ? rc :
			rdma_same_number(job->vf.env, job->vf.addr, job->vf.rdma.uverbs,
					 err);
}

/* --- home ------------------------------------------------------------------------- */

int ib_rdma_home(struct ib_job *job, struct vfk_err *err)
{
	struct vfk_err own;
	bool moved = false;
	int rc = 0;

	if (!job->vf.driver[0] || job->vf.user_driver || !job->vf.rdma.name[0] ||
	    job->vf.rdma.home)
		return 0;
	if (job->call->netns_fd >= 0)
		rc = rdma_from_pod(&job->vf.rdma, job->home, job->call->netns_fd, &moved,
				   err);
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
