/* SPDX-License-Identifier: Apache-2.0 */
/* What the PF holds for a VF, and the step that looks whether all is well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/ib.h"
#include "drivers/vfinfo.h"

static int refuse(const char *key, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "%s: an InfiniBand VF has no such setting", key);
}

static bool no_guid(uint32_t has, uint32_t bit, uint64_t guid)
{
	return has & bit && (guid == 0 || guid == UINT64_MAX);
}

/* What cannot be honoured is said before anything is changed. */
static int check_wanted(const struct vf_settings *want, struct vfk_err *err)
{
	static const struct {
		uint32_t has;
		const char *key;
	} keys[] = { { HAS_MAC, "mac" },
		     { HAS_VLAN, "vlan" },
		     { HAS_MIN_TX, "min_tx_rate" },
		     { HAS_MAX_TX, "max_tx_rate" },
		     { HAS_SPOOFCHK, "spoofchk" },
		     { HAS_TRUST, "trust" } };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++)
		if (want->has & keys[i].has)
			return refuse(keys[i].key, err);
	if (no_guid(want->has, HAS_NODE_GUID, want->node_guid) ||
	    no_guid(want->has, HAS_PORT_GUID, want->port_guid))
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "infinibandGUID: all zeros and all ones are no GUID");
	if (want->has & HAS_RDMA_ISOLATION && want->rdma_isolation)
		return rdma_movable(err);
	return 0;
}

static int pf_link(const struct ib_job *job, struct link *link, struct vfk_err *err)
{
	char pci[PCI_STRLEN];
	int rc = ib_link_at_home(job->vf.env, job->home, job->vf.pf, link, err);

	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "its PF %s has no IPoIB link in the home namespace "
				   "(is ib_ipoib loaded?)",
				   pci_format(job->vf.pf, pci));
	return rc < 0 ? rc : 0;
}

/* --- the link state that the PF holds --------------------------------------------- */

static int not_told(struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_BUSY, 0,
			   "link_state: the PF does not tell it now, so it could not be put "
			   "back");
}

/* The one setting that cannot be seen on the VF itself.  The list of VFs that it takes is
 * asked for only where a link state was wanted. */
static int check_policy(const struct ib_job *job, const struct vf_settings *want,
			struct vfk_err *err)
{
	static const char *const name[] = { "auto", "enable", "disable" };
	uint8_t is;
	struct link pf;
	int rc = pf_link(job, &pf, err);

	if (rc >= 0)
		rc = ib_link_state(job->home, &pf, job->call->index, &is, err);
	if (rc == 0)
		return not_told(err);
	if (rc < 0 || is == want->link_state)
		return rc < 0 ? rc : 0;
	return vfk_err_set(err, VFK_E_KERNEL, 0,
			   "its link state is %s on the PF, not %s although the PF took that",
			   is < 3 ? name[is] : "?",
			   want->link_state < 3 ? name[want->link_state] : "?");
}

/* --- settings -------------------------------------------------------------------- */

static bool other_guid(const struct ib_vf *vf, const struct vf_settings *set)
{
	return (set->has & HAS_NODE_GUID && vf->has_node_guid &&
		vf->node_guid != set->node_guid) ||
	       (set->has & HAS_PORT_GUID && vf->has_port_guid &&
		vf->port_guid != set->port_guid);
}

static int apply(struct ib_job *job, const struct vf_settings *set, struct vfk_err *err)
{
	struct link pf;
	int rc = 0;

	if (set->has & VFINFO_ALL) {
		rc = pf_link(job, &pf, err);
		if (rc >= 0)
			rc = vfinfo_set(job->home, pf.ifindex, job->call->index, set,
					VFINFO_ALL, err);
	}
	if (rc < 0)
		return rc;
	/* A VF in the hands of a driver for user space is probed by its guest. */
	job->out->rebind_needed = ib_other_driver(job) ||
				  (!job->vf.user_driver &&
				   (!job->vf.driver[0] || other_guid(&job->vf, set)));
	return 0;
}

int ib_settings(struct ib_job *job, struct vfk_err *err)
{
	const struct vf_settings *want = &job->call->wanted;
	const struct vf_baseline *base = &job->call->baseline;
	int rc = check_wanted(want, err);

	if (rc >= 0 && base->valid && want->has & ~base->set.has & HAS_LINK_STATE)
		return not_told(err);
	if (rc >= 0)
		rc = apply(job, want, err);
	if (rc >= 0 && want->has & HAS_LINK_STATE)
		rc = check_policy(job, want, err);
	return rc;
}

int ib_settings_home(struct ib_job *job, struct vfk_err *err)
{
	if (!job->call->baseline.valid)
		return 0;
	return apply(job, &job->call->baseline.set, err);
}

/* --- verify ---------------------------------------------------------------------- */

static int differs(const char *what, uint64_t is, uint64_t want, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_KERNEL, 0,
			   "its %s is %016" PRIx64 ", its baseline %016" PRIx64, what, is,
			   want);
}

/* GUIDs that this attachment has not set are not for it to restore: an operator gave the free
 * VF others, and nobody has looked since. */
static int verify_rdma(const struct ib_vf *vf, const struct vf_baseline *base,
		       uint32_t ours, struct vfk_err *err)
{
	if (!base->rdma_dev[0])
		return 0;
	if (!vf->rdma.home)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its RDMA device is not at home");
	if (strcmp(vf->rdma.name, base->rdma_dev) != 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "its RDMA device is called %s, its baseline %s",
				   vf->rdma.name, base->rdma_dev);
	if (base->set.has & ours & HAS_NODE_GUID && vf->has_node_guid &&
	    vf->node_guid != base->set.node_guid)
		return differs("node GUID", vf->node_guid, base->set.node_guid, err);
	if (base->set.has & ours & HAS_PORT_GUID && vf->has_port_guid &&
	    vf->port_guid != base->set.port_guid)
		return differs("port GUID", vf->port_guid, base->set.port_guid, err);
	return 0;
}

/* Joining the multicast group of its partition has cut a link's MTU, and only a link that is
 * made anew forgets that: no reason for a rebind. */
static bool mtu_was_cut(const struct link *link, const struct vf_settings *base)
{
	return !link->ipoib_mode && link->mtu_bytes < base->mtu_bytes;
}

static int verify_link(const struct ib_vf *vf, const struct vf_baseline *base,
		       struct vfk_err *err)
{
	struct link_change ch;

	if (!base->ifname[0])
		return 0;
	if (!vf->link_home)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its link is not at home");
	if (strcmp(vf->link.ifname, base->ifname) != 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link's name is %s, its baseline %s",
				   vf->link.ifname, base->ifname);
	/* No look at altnames: udev gives a link that comes home its own again. */
	if (link_differs(&vf->link, &base->set, &ch) &&
	    (ch.change || !mtu_was_cut(&vf->link, &base->set)))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "MTU or modes of the link are not as in its baseline");
	if (base->set.has & HAS_IPOIB_MODE && vf->link.ipoib_mode != base->set.ipoib_mode)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link's IPoIB mode is not that of its baseline");
	return 0;
}

int ib_verify(struct ib_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	const struct ib_vf *vf = &job->vf;
	int rc = 0;

	if (base->valid && strcmp(vf->driver, base->driver) != 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its driver is %s, not %s",
				   vf->driver[0] ? vf->driver : "none", base->driver);
	if (base->valid && vf->driver[0] && !vf->user_driver) {
		job->out->rebind_needed = rdma_misnamed(&vf->rdma, base->rdma_dev);
		rc = verify_rdma(vf, base, job->call->wanted.has, err);
		if (rc >= 0)
			rc = verify_link(vf, base, err);
	}
	/* Costs a list of all VFs of the PF, hence only where it was changed. */
	if (rc >= 0 && base->valid && base->set.has & job->call->wanted.has & HAS_LINK_STATE)
		rc = check_policy(job, &base->set, err);
	if (rc < 0)
		return rc;
	job->out->where = WHERE_HOME;
	job->out->ifindex = vf->link_home ? vf->link.ifindex : 0;
	job->out->mtu_bytes = vf->link_home ? vf->link.mtu_bytes : 0;
	return 0;
}
