/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers taken off VFs and put on again, and RDMA devices into the pod and home: those of
 * Ethernet cards (RoCE) move alone, the link stays what it is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/eth.h"
#include "drivers/sysfs.h"
#include "drivers/wait.h"

#define RETURN_NS NS_PER_S /* what a dying namespace is given to let go by itself */

static bool wants_scrub(const struct drv_call *call)
{
	return call->wanted.has & HAS_SCRUB && call->wanted.scrub;
}

static bool other_driver(const struct eth_job *job)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->driver[0] && strcmp(job->vf.driver, base->driver) != 0;
}

bool eth_wants_rebind(const struct eth_job *job)
{
	return other_driver(job) || wants_scrub(job->call);
}

static int look_again(void *arg, struct vfk_err *err)
{
	struct eth_job *job = arg;
	const struct drv_call *call = job->call;
	struct eth_vf *vf = &job->vf;
	int rc = eth_look(call->env, job->home, call->addr, call->pf, call->incarnation,
			  vf, err);

	return rc < 0 ? rc : eth_complete(vf, &call->baseline);
}

static int wait_complete(struct eth_job *job, int64_t until_ns, struct vfk_err *err)
{
	const struct eth_vf *vf = &job->vf;
	int rc = drv_wait(look_again, job, until_ns, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return vfk_err_set(err, VFK_E_TIMEOUT, 0, "its %s did not appear in time",
			   other_driver(job) || !vf->driver[0] ? "driver" :
			   !vf->link_home		       ? "link" :
								 "RDMA device");
}

int eth_unbind(struct eth_job *job, struct vfk_err *err)
{
	struct vfk_err own;
	int rc = 0;

	if (job->vf.driver[0])
		rc = pci_unbind(job->vf.env, job->vf.addr, job->vf.driver, &own);
	if (rc < 0 && own.sys != ENODEV) { /* nothing to unbind any more */
		if (err)
			*err = own;
		return rc;
	}
	job->out->rebind_needed = true;
	return 0;
}

int eth_own_name(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct link *link = &job->vf.link;
	char passing[16];
	struct vfk_err own;
	int rc;

	if (!job->vf.link_home || !base->valid || !base->ifname[0] ||
	    !strcmp(link->ifname, base->ifname))
		return 0;
	rc = link_set_name(job->home, link, base->ifname, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EEXIST) {
		snprintf(passing, sizeof(passing), "vfk%" PRIx64,
			 job->vf.addr & UINT64_C(0xffffffffffff));
		rc = link_set_name(job->home, link, passing, &own);
	}
	if (rc < 0 && err)
		*err = own;
	return rc;
}

/* --- rebind ------------------------------------------------------------------------- */

static int bind_to(struct eth_job *job, const char *driver, struct vfk_err *err)
{
	char now[sizeof(job->vf.driver)];
	struct vfk_err own;
	int rc = pci_override(job->vf.env, job->vf.addr, driver, err);

	if (rc < 0)
		return rc;
	rc = pci_bind(job->vf.env, job->vf.addr, driver, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EBUSY &&
	    pci_link(job->vf.env, job->vf.addr, "driver", now, sizeof(now)) &&
	    !strcmp(now, driver))
		rc = 0; /* somebody else was quicker */
	if (rc < 0 && err)
		*err = own;
	return rc;
}

static int bind_anew(struct eth_job *job, bool reset, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	char driver[sizeof(job->vf.driver)];
	int rc;

	snprintf(driver, sizeof(driver), "%s",
		 base->valid && base->driver[0] ? base->driver : job->vf.driver);
	if (!driver[0])
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "it has no driver, and none is on record");
	rc = eth_unbind(job, err);
	if (rc >= 0 && reset)
		rc = pci_reset(job->vf.env, job->vf.addr, err);
	if (rc >= 0)
		rc = bind_to(job, driver, err);
	return rc < 0 ? rc : wait_complete(job, job->until_ns, err);
}

static int rebind(struct eth_job *job, bool reset, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	int rc = 0;

	/* A driver for user space reads nothing from the card: no need to take it off. */
	if (reset && job->vf.user_driver && !other_driver(job))
		rc = pci_reset(job->vf.env, job->vf.addr, err);
	else if (reset || other_driver(job) || !eth_complete(&job->vf, base))
		rc = bind_anew(job, reset, err);
	if (rc >= 0)
		rc = rdma_own_name(&job->vf.rdma, base->valid ? base->rdma_dev : "", err);
	if (rc >= 0)
		rc = eth_own_name(job, err);
	job->out->rebind_needed = false;
	job->out->ifindex = job->vf.link_home ? job->vf.link.ifindex : 0;
	return rc;
}

int eth_rebind(struct eth_job *job, struct vfk_err *err)
{
	struct rdma_place was = job->vf.rdma;
	int rc = rebind(job, false, err);

	return rc < 0 ? rc : rdma_same_number(job->vf.env, job->vf.addr, was.uverbs, err);
}

int eth_rebind_home(struct eth_job *job, struct vfk_err *err)
{
	return rebind(job, wants_scrub(job->call), err);
}

/* --- the RDMA device ---------------------------------------------------------------- */

int eth_rdma_to_pod(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_settings *want = &job->call->wanted;
	bool moved;
	int rc;

	if (!(want->has & HAS_RDMA_ISOLATION) || !want->rdma_isolation)
		return 0;
	rc = rdma_to_pod(&job->vf.rdma, job->call->netns_fd, &moved, err);
	if (rc < 0 || !moved)
		return rc;
	return rdma_same_number(job->vf.env, job->vf.addr, job->vf.rdma.uverbs, err);
}

static int rdma_came_home(void *arg, struct vfk_err *err)
{
	struct eth_job *job = arg;

	(void)err;
	rdma_look(job->vf.env, job->vf.addr, &job->vf.rdma);
	return job->vf.rdma.home || !job->vf.rdma.name[0];
}

int eth_rdma_home(struct eth_job *job, struct vfk_err *err)
{
	int64_t until = clock_boot_ns() + RETURN_NS;
	bool moved = false;
	int rc = 0;

	if (!job->vf.driver[0] || job->vf.user_driver || !job->vf.rdma.name[0] ||
	    job->vf.rdma.home)
		return 0;
	if (job->call->netns_fd >= 0)
		rc = rdma_from_pod(&job->vf.rdma, job->home, job->call->netns_fd, &moved,
				   err);
	if (rc < 0 || moved)
		return rc;
	/* Its namespace is gone or going, or nobody gave us a way into it. */
	rc = drv_wait(rdma_came_home, job, until < job->until_ns ? until : job->until_ns,
		      err);
	if (rc < 0)
		return rc;
	return rc ? 0 : eth_unbind(job, err);
}
