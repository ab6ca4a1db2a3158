/* SPDX-License-Identifier: Apache-2.0 */
/* The rebind: a GUID takes effect when the VF's driver probes it.  Both devices of the VF are
 * made anew, under the lowest names and numbers that are free; so names are put back, and a
 * number that is another one is an error. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/ib.h"
#include "drivers/rdma.h"
#include "drivers/sysfs.h"
#include "drivers/wait.h"

static int look_again(void *arg, struct vfk_err *err)
{
	struct ib_job *job = arg;
	const struct drv_call *call = job->call;
	struct ib_vf *vf = &job->vf;
	int rc = ib_look(call->env, job->home, call->addr, call->pf, call->incarnation,
			 vf, err);

	return rc < 0 ? rc : ib_complete(vf, &call->baseline);
}

int ib_wait_complete(struct ib_job *job, int64_t until_ns, struct vfk_err *err)
{
	const struct ib_vf *vf = &job->vf;
	int rc = drv_wait(look_again, job, until_ns, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return vfk_err_set(err, VFK_E_TIMEOUT, 0, "its %s did not appear in time",
			   !vf->driver[0] ? "driver" :
			   !vf->rdma.home ? "RDMA device" :
					    "IPoIB link");
}

int ib_unbind(struct ib_job *job, struct vfk_err *err)
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

int ib_own_name(struct ib_job *job, struct vfk_err *err)
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
	if (rc < 0) {
		if (err)
			*err = own;
		return rc;
	}
	return 0;
}

static int own_rdma_name(struct ib_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	int rc = rdma_own_name(&job->vf.rdma, base->valid ? base->rdma_dev : "", err);

	if (rc < 0)
		return rc;
	rdma_look(job->vf.env, job->vf.addr, &job->vf.rdma);
	return 0;
}

bool ib_wants_scrub(const struct drv_call *call)
{
	return call->wanted.has & HAS_SCRUB && call->wanted.scrub;
}

/* A device that took the new settings and did nothing about them shows it here. */
static int check_guids(const struct ib_vf *vf, const struct vf_settings *set,
		       struct vfk_err *err)
{
	if (set->has & HAS_NODE_GUID && vf->has_node_guid && vf->node_guid != set->node_guid)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the PF took node GUID %016" PRIx64
				   ", after the rebind the VF has %016" PRIx64,
				   set->node_guid, vf->node_guid);
	if (set->has & HAS_PORT_GUID && vf->has_port_guid && vf->port_guid != set->port_guid)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the PF took port GUID %016" PRIx64
				   ", after the rebind the VF has %016" PRIx64,
				   set->port_guid, vf->port_guid);
	return 0;
}

bool ib_other_driver(const struct ib_job *job)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->driver[0] && strcmp(job->vf.driver, base->driver) != 0;
}

static const char *driver_to_bind(const struct ib_job *job)
{
	const struct vf_baseline *base = &job->call->baseline;

	return base->valid && base->driver[0] ? base->driver : job->vf.driver;
}

static int bind_anew(struct ib_job *job, bool reset, struct vfk_err *err)
{
	const char *driver = driver_to_bind(job);
	char name[sizeof(job->vf.driver)], now[sizeof(job->vf.driver)];
	struct vfk_err own;
	int rc;

	if (!driver[0])
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "it has no driver, and none is on record");
	snprintf(name, sizeof(name), "%s", driver);
	rc = ib_unbind(job, err);
	if (rc >= 0 && reset)
		rc = pci_reset(job->vf.env, job->vf.addr, err);
	if (rc >= 0) /* or the bus gives it to whatever driver comes along */
		rc = pci_override(job->vf.env, job->vf.addr, name, err);
	if (rc < 0)
		return rc;
	rc = pci_bind(job->vf.env, job->vf.addr, name, &own);
	if (rc == -VFK_E_KERNEL && own.sys == EBUSY &&
	    pci_link(job->vf.env, job->vf.addr, "driver", now, sizeof(now)) &&
	    !strcmp(now, name))
		rc = 0; /* somebody else was quicker */
	if (rc < 0) {
		if (err)
			*err = own;
		return rc;
	}
	return ib_wait_complete(job, job->until_ns, err);
}

static int rebind(struct ib_job *job, const struct vf_settings *set, bool reset,
		  struct vfk_err *err)
{
	struct vfk_err ignored;
	int rc = 0;

	if (job->vf.user_driver && !ib_other_driver(job))
		return 0;
	if (reset || ib_other_driver(job) || !ib_complete(&job->vf, &job->call->baseline) ||
	    check_guids(&job->vf, set, &ignored) < 0) {
		rc = bind_anew(job, reset, err);
		if (rc >= 0)
			rc = check_guids(&job->vf, set, err);
	}
	if (rc >= 0)
		rc = own_rdma_name(job, err);
	if (rc >= 0)
		rc = ib_own_name(job, err);
	job->out->rebind_needed = false;
	job->out->ifindex = job->vf.link_home ? job->vf.link.ifindex : 0;
	return rc;
}

int ib_rebind(struct ib_job *job, struct vfk_err *err)
{
	struct rdma_place was = job->vf.rdma;
	int rc = rebind(job, &job->call->wanted, false, err);

	return rc < 0 ? rc : rdma_same_number(job->vf.env, job->vf.addr, was.uverbs, err);
}

int ib_rebind_home(struct ib_job *job, struct vfk_err *err)
{
	static const struct vf_settings nothing;
	const struct vf_baseline *base = &job->call->baseline;
	const struct vf_settings *set = base->valid ? &base->set : &nothing;
	struct vfk_err ignored;
	int rc = rebind(job, set, ib_wants_scrub(job->call), err);

	/* The PF forgot what SETTINGS_HOME told it: nobody else would tell it again. */
	if (rc < 0 && ib_complete(&job->vf, base) &&
	    check_guids(&job->vf, set, &ignored) < 0) {
		rc = ib_settings_home(job, err);
		if (rc >= 0)
			rc = rebind(job, set, false, err);
	}
	return rc;
}
