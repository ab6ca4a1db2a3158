/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that change what a simulated device remembers, the one that verifies, and the
 * choice among all of them. */
#include "drivers/sim.h"

#include <stdio.h>
#include <string.h>

#include <linux/if.h>

void sim_seen(const struct sim_vf *vf, const struct sim_state *st,
	      const struct link *link, struct vf_baseline *out)
{
	memset(out, 0, sizeof(*out));
	out->valid = true;
	out->set = st->set;
	/* What has no netdev is as good as given to a user of vfio. */
	snprintf(out->driver, sizeof(out->driver), "%s",
		 !st->bound    ? "" :
		 vf->pf->links ? "simvf" :
				 "vfio-pci");
	snprintf(out->rdma_dev, sizeof(out->rdma_dev), "rdma_%sv%u", vf->pf->name,
		 vf->index);
	if (!link)
		return;
	out->set.has |= HAS_MTU | HAS_PROMISC | HAS_ALLMULTI;
	out->set.mtu_bytes = link->mtu_bytes;
	out->set.promisc = (link->flags & IFF_PROMISC) != 0;
	out->set.allmulti = (link->flags & IFF_ALLMULTI) != 0;
	memcpy(out->ifname, link->ifname, sizeof(out->ifname));
	out->hwaddr_len = link->hwaddr_len;
	memcpy(out->hwaddr, link->hwaddr, sizeof(out->hwaddr));
}

/* Writes only what changed. */
static int keep(const struct sim_job *job, const struct sim_state *was,
		const struct sim_state *st, struct vfk_err *err)
{
	return memcmp(was, st, sizeof(*st)) ? sim_state_save(job->vf, st, err) : 0;
}

static int check_settings(const struct vf_settings *want, struct vfk_err *err)
{
	if (want->has & HAS_VLAN && (want->vlan > 4095 || want->qos > 7))
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "vlan %u with qos %u: the device takes 0-4095 and 0-7",
				   want->vlan, want->qos);
	if (want->has & HAS_MIN_TX && want->has & HAS_MAX_TX && want->max_tx_mbps &&
	    want->min_tx_mbps > want->max_tx_mbps)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "min_tx_rate %u is above max_tx_rate %u",
				   want->min_tx_mbps, want->max_tx_mbps);
	return 0;
}

/* The GUID that the driver sees is the one of its last bind: as long as that differs, a
 * rebind is needed, also when these settings had been made before. */
static int apply_settings(const struct sim_job *job, const struct vf_settings *want,
			  struct vfk_err *err)
{
	struct sim_state st, was;
	int rc = sim_state_load(job->vf, &st, err);

	if (rc >= 0)
		rc = check_settings(want, err);
	if (rc < 0)
		return rc;
	was = st;
	sim_settings_apply(&st.set, want, SIM_PF_SIDE);
	if (!st.set.vlan_proto)
		st.set.vlan_proto = 0x8100;
	job->out->rebind_needed = st.set.node_guid != st.bound_node_guid ||
				  st.set.port_guid != st.bound_port_guid;
	return keep(job, &was, &st, err);
}

static int step_settings(const struct sim_job *job, struct vfk_err *err)
{
	return apply_settings(job, &job->call->wanted, err);
}

static int step_settings_home(const struct sim_job *job, struct vfk_err *err)
{
	struct sim_state st, was;
	int rc;

	if (!job->call->baseline.valid)
		return 0;
	rc = apply_settings(job, &job->call->baseline.set, err);
	if (rc >= 0)
		rc = sim_state_load(job->vf, &st, err);
	if (rc < 0)
		return rc;
	was = st;
	sim_settings_apply(&st.set, &job->call->baseline.set, HAS_IPOIB_MODE);
	if (job->call->wanted.has & HAS_SCRUB && job->call->wanted.scrub)
		st.resets++; /* a reset that is done again is a second reset */
	return keep(job, &was, &st, err);
}

static int step_rebind(const struct sim_job *job, struct vfk_err *err)
{
	struct sim_state st, was;
	int rc = sim_state_load(job->vf, &st, err);

	if (rc < 0)
		return rc;
	was = st;
	if (st.bound && st.set.node_guid == st.bound_node_guid &&
	    st.set.port_guid == st.bound_port_guid)
		return 0;
	st.bound = 1;
	st.bound_node_guid = st.set.node_guid;
	st.bound_port_guid = st.set.port_guid;
	st.rebinds++;
	return keep(job, &was, &st, err);
}

static int set_rdma(const struct sim_job *job, uint64_t cookie, struct vfk_err *err)
{
	struct sim_state st, was;
	int rc = sim_state_load(job->vf, &st, err);

	if (rc < 0)
		return rc;
	was = st;
	st.rdma_cookie = cookie;
	return keep(job, &was, &st, err);
}

static int step_rdma_to_pod(const struct sim_job *job, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	uint64_t cookie;
	int rc;

	if (!(job->call->wanted.has & HAS_RDMA_ISOLATION) ||
	    !job->call->wanted.rdma_isolation)
		return 0;
	if (job->call->netns_fd < 0)
		return vfk_err_set(err, VFK_E_NETNS, 0, "the pod has no network namespace");
	rc = vnl_open(&pod, NETLINK_ROUTE, job->call->netns_fd, err);
	if (rc >= 0)
		rc = vnl_netns_cookie(pod, &cookie, err);
	return rc < 0 ? rc : set_rdma(job, cookie, err);
}

static int step_rdma_home(const struct sim_job *job, struct vfk_err *err)
{
	return set_rdma(job, 0, err);
}

/* These are in the device's memory: a veth has none. */
#define OF_DEVICE (HAS_IPOIB_MODE | HAS_PKEY)
static int step_link_settings(const struct sim_job *job, struct vfk_err *err)
{
	struct sim_state st, was;
	int rc = 0;

	if (job->call->wanted.has & OF_DEVICE) {
		rc = sim_state_load(job->vf, &st, err);
		if (rc < 0)
			return rc;
		was = st;
		sim_settings_apply(&st.set, &job->call->wanted, OF_DEVICE);
		rc = keep(job, &was, &st, err);
	}
	return rc < 0 ? rc : sim_link_settings(job, err);
}

static int step_link_baseline(const struct sim_job *job, struct vfk_err *err)
{
	struct sim_state st, was;
	int rc;

	if (job->call->baseline.valid) {
		rc = sim_state_load(job->vf, &st, err);
		if (rc < 0)
			return rc;
		was = st;
		sim_settings_apply(&st.set, &job->call->baseline.set, OF_DEVICE);
		rc = keep(job, &was, &st, err);
		if (rc < 0)
			return rc;
	}
	return sim_link_baseline(job, err);
}

static int verify_link(const struct sim_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct sim_place place;
	struct vf_baseline now;
	int rc = sim_link_find_home(job, &place, err);

	if (rc < 0)
		return rc;
	if (!base->valid)
		return 0;
	if (strcmp(place.link.ifname, base->ifname))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link's name is %s, its baseline %s",
				   place.link.ifname, base->ifname);
	if (base->hwaddr_len && (base->hwaddr_len != place.link.hwaddr_len ||
				 memcmp(base->hwaddr, place.link.hwaddr, base->hwaddr_len)))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link's address is not that of its baseline");
	if (place.link.n_altnames)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "the link has %u altnames",
				   place.link.n_altnames);
	sim_seen(job->vf, &(struct sim_state){ 0 }, &place.link, &now);
	return sim_settings_verify(&now.set, &base->set,
				   HAS_MTU | HAS_PROMISC | HAS_ALLMULTI, err);
}

static int step_verify(const struct sim_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct sim_state st;
	int rc = sim_state_load(job->vf, &st, err);

	if (rc < 0)
		return rc;
	if (!st.bound && base->driver[0])
		return vfk_err_set(err, VFK_E_KERNEL, 0, "it is not bound to a driver");
	if (st.rdma_cookie)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its RDMA device is not at home");
	if (base->valid) {
		rc = sim_settings_verify(&st.set, &base->set,
					 SIM_PF_SIDE | HAS_IPOIB_MODE, err);
		if (rc < 0)
			return rc;
	}
	if (st.set.node_guid != st.bound_node_guid || st.set.port_guid != st.bound_port_guid)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "its driver has not seen the present GUID");
	rc = job->home ? verify_link(job, err) : 0;
	if (rc >= 0)
		job->out->where = WHERE_HOME;
	return rc;
}

static const struct {
	sim_step_fn fn;
	bool link; /* looks at the netdev */
} steps[] = {
	[STEP_SETTINGS] = { step_settings, false },
	[STEP_REBIND] = { step_rebind, false },
	[STEP_RDMA_TO_POD] = { step_rdma_to_pod, false },
	[STEP_LINK_TO_POD] = { sim_link_to_pod, true },
	[STEP_LINK_SETTINGS] = { step_link_settings, true },
	[STEP_ADDRESSES] = { sim_addresses, true },
	[STEP_LINK_HOME] = { sim_link_home, true },
	[STEP_RDMA_HOME] = { step_rdma_home, false },
	[STEP_SETTINGS_HOME] = { step_settings_home, false },
	[STEP_REBIND_HOME] = { step_rebind, false },
	[STEP_LINK_BASELINE] = { step_link_baseline, true },
	[STEP_VERIFY] = { step_verify, true },
};

int sim_step_run(enum drv_step step, const struct sim_vf *vf, const struct drv_call *call,
		 struct drv_out *out, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct sim_job job = { .vf = vf, .call = call, .out = out };
	int rc;

	if ((unsigned)step >= VFK_ARRAY_SIZE(steps) || !steps[step].fn)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "no step has number %d",
				   (int)step);
	if (steps[step].link && vf->pf->links) {
		rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
		if (rc < 0)
			return rc;
		job.home = home;
	}
	return steps[step].fn(&job, err);
}
