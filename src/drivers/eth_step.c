/* SPDX-License-Identifier: Apache-2.0 */
/* What the PF holds for a VF, and the step that looks whether all is well. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "drivers/eth.h"
#include "drivers/vfinfo.h"

#define RETRY_NS (2 * NS_PER_S) /* what a VF that is being reset is given */
#define PAUSE_MS 50

bool eth_passes(int rc, const struct vfk_err *err)
{
	return rc == -VFK_E_KERNEL && (err->sys == EBUSY || err->sys == EAGAIN);
}

bool eth_pause(int64_t until_boot_ns)
{
	struct timespec t = { .tv_nsec = PAUSE_MS * NS_PER_MS };

	if (clock_boot_ns() + PAUSE_MS * NS_PER_MS >= until_boot_ns)
		return false;
	nanosleep(&t, NULL);
	return true;
}

static int64_t retry_until(const struct eth_job *job)
{
	int64_t until = clock_boot_ns() + RETRY_NS;

	return until < job->until_ns ? until : job->until_ns;
}

/* --- what the PF holds ------------------------------------------------------------ */

static int pf_link(const struct eth_job *job, struct eth_pf *pf, struct vfk_err *err)
{
	char pci[PCI_STRLEN];
	int rc = eth_pf_at_home(job->vf.env, job->home, job->vf.pf, pf, err);

	if (rc == 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "its PF %s has no link in the home namespace",
				   pci_format(job->vf.pf, pci));
	return rc < 0 ? rc : 0;
}

struct one_vf {
	uint16_t index;
	struct vf_settings *out;
};

static void take_one(void *arg, uint16_t index, const struct vf_settings *set)
{
	struct one_vf *one = arg;

	if (index != one->index)
		return;
	*one->out = *set;
	one->out->has &= VFINFO_ETHERNET;
}

int eth_on_pf(struct vnl *home, const struct link *pf, uint16_t index,
	      struct vf_settings *out, struct vfk_err *err)
{
	struct one_vf one = { index, out };

	memset(out, 0, sizeof(*out));
	return vfinfo_each(home, pf->ifindex, take_one, &one, err);
}

/* The settings of 'mask' that both know and that differ; the rates are one. */
static uint32_t differing(const struct vf_settings *a, const struct vf_settings *b,
			  uint32_t mask)
{
	uint32_t both = a->has & b->has & mask, differ = 0;

	if (memcmp(a->mac, b->mac, sizeof(a->mac)) != 0)
		differ |= HAS_MAC;
	if (a->vlan != b->vlan || a->qos != b->qos || a->vlan_proto != b->vlan_proto)
		differ |= HAS_VLAN;
	if (a->min_tx_mbps != b->min_tx_mbps)
		differ |= HAS_MIN_TX;
	if (a->max_tx_mbps != b->max_tx_mbps)
		differ |= HAS_MAX_TX;
	if (a->spoofchk != b->spoofchk)
		differ |= HAS_SPOOFCHK;
	if (a->trust != b->trust)
		differ |= HAS_TRUST;
	if (a->link_state != b->link_state)
		differ |= HAS_LINK_STATE;
	return differ & both;
}

/* What is not as the baseline says.  Some cards tell the VF's own address where nobody gave
 * the PF one for it. */
static uint32_t off_baseline(const struct vf_baseline *base, const struct vf_settings *is)
{
	static const uint8_t none[6];
	uint32_t off = differing(&base->set, is, VFINFO_ETHERNET);

	if (!memcmp(base->set.mac, none, 6) && base->hwaddr_len == 6 &&
	    !memcmp(is->mac, base->hwaddr, 6))
		off &= ~(uint32_t)HAS_MAC;
	return off;
}

static const char *name_of(uint32_t bits)
{
	static const struct {
		uint32_t has;
		const char *name;
	} names[] = { { HAS_VLAN, "VLAN" },
		      { HAS_MAC, "MAC" },
		      { HAS_SPOOFCHK, "spoofchk" },
		      { HAS_TRUST, "trust" },
		      { HAS_LINK_STATE, "link state" },
		      { HAS_MIN_TX, "min_tx_rate" },
		      { HAS_MAX_TX, "max_tx_rate" } };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++)
		if (bits & names[i].has)
			return names[i].name;
	return "?";
}

/* One message with the settings 'bits'. */
static int set_up(struct eth_job *job, const struct eth_pf *pf,
		  const struct vf_settings *want, uint32_t bits, struct vfk_err *err)
{
	struct vf_settings set = *want;

	/* Both rates are one command; the one that nobody asked for stays as it was. */
	if (bits & (HAS_MIN_TX | HAS_MAX_TX)) {
		if (!(set.has & HAS_MIN_TX))
			set.min_tx_mbps = job->call->baseline.set.min_tx_mbps;
		if (!(set.has & HAS_MAX_TX))
			set.max_tx_mbps = job->call->baseline.set.max_tx_mbps;
	}
	return vfinfo_set(job->home, pf->link.ifindex, job->call->index, &set, bits, err);
}

static int not_told(uint32_t bits, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_BUSY, 0,
			   "its PF does not tell its %s, which so could not be restored",
			   name_of(bits));
}

/* Makes the settings 'bits' as in 'want' and has the PF say so, if it has to or if it tells
 * of the VF.  A card that is busy, or that took a command and did nothing, gets it again for
 * a while. */
static int make(struct eth_job *job, const struct vf_settings *want, uint32_t bits,
		bool has_to_tell, struct vfk_err *err)
{
	int64_t until = retry_until(job);
	struct vf_settings is;
	struct vfk_err own = { 0 };
	uint32_t left = bits;
	struct eth_pf pf;
	int rc = pf_link(job, &pf, err);

	if (rc < 0)
		return rc;
	do {
		rc = set_up(job, &pf, want, left, &own);
		if (rc < 0 && !eth_passes(rc, &own))
			break;
		if (rc < 0)
			continue;
		rc = eth_on_pf(job->home, &pf.link, job->call->index, &is, &own);
		if (rc < 0)
			break;
		left = differing(want, &is, bits);
		if (!left && has_to_tell && bits & ~is.has)
			return not_told(bits & ~is.has, err);
		if (!left)
			return 0;
		rc = vfk_err_set(&own, VFK_E_KERNEL, 0,
				 "the PF took its %s and does not have it", name_of(left));
	} while (eth_pause(until));
	if (err)
		*err = own;
	if (rc == -VFK_E_UNSUPPORTED && pf.switchdev)
		return vfk_err_wrap(err, "the PF is in switchdev mode");
	return rc;
}

/* --- settings --------------------------------------------------------------------- */

/* What cannot be honoured is said before anything is changed. */
static int check_wanted(const struct eth_job *job, struct vfk_err *err)
{
	static const struct {
		uint32_t has;
		const char *key;
	} keys[] = { { HAS_NODE_GUID | HAS_PORT_GUID, "infinibandGUID" },
		     { HAS_IPOIB_MODE, "ipoibMode" },
		     { HAS_PKEY, "pkey" } };
	const struct vf_settings *want = &job->call->wanted;
	const struct vf_baseline *base = &job->call->baseline;
	uint32_t pf_side = want->has & VFINFO_ETHERNET;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++)
		if (want->has & keys[i].has)
			return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
					   "%s: an Ethernet VF has no such setting",
					   keys[i].key);
	/* What cannot be undone is not done. */
	if (base->valid && pf_side & ~base->set.has)
		return not_told(pf_side & ~base->set.has, err);
	if (want->has & HAS_RDMA_ISOLATION && want->rdma_isolation)
		return rdma_movable(err);
	return 0;
}

int eth_settings(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_settings *want = &job->call->wanted;
	int rc = check_wanted(job, err);

	if (rc >= 0 && want->has & VFINFO_ETHERNET)
		rc = make(job, want, want->has & VFINFO_ETHERNET, true, err);
	if (rc < 0)
		return rc;
	job->out->rebind_needed = !job->vf.driver[0];
	return 0;
}

int eth_settings_home(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	struct vf_settings is;
	uint32_t bits;
	struct eth_pf pf;
	int rc;

	job->out->rebind_needed = eth_wants_rebind(job);
	if (!base->valid || !(base->set.has & VFINFO_ETHERNET))
		return 0;
	rc = pf_link(job, &pf, err);
	if (rc >= 0)
		rc = eth_on_pf(job->home, &pf.link, job->call->index, &is, err);
	if (rc < 0)
		return rc;
	/* Whoever changed it: a driver in the pod may have set an address through the PF.  Of
	 * a VF that the PF does not tell of: what was set for this attachment. */
	bits = is.has ? off_baseline(base, &is) :
			base->set.has & job->call->wanted.has & VFINFO_ETHERNET;
	return bits ? make(job, &base->set, bits, false, err) : 0;
}

/* --- verify ----------------------------------------------------------------------- */

static int verify_link(const struct eth_vf *vf, const struct vf_baseline *base,
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
	if (link_differs(&vf->link, &base->set, &ch))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "MTU or modes of the link are not as in its baseline");
	if (!eth_address_is_right(&vf->link, base))
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "the link's address is not that of its baseline");
	return 0;
}

static int verify_rdma(const struct eth_vf *vf, const struct vf_baseline *base,
		       struct vfk_err *err)
{
	if (!eth_owes_rdma(vf, base))
		return 0;
	if (!vf->rdma.home)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its RDMA device is not at home");
	if (strcmp(vf->rdma.name, base->rdma_dev) != 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "its RDMA device is called %s, its baseline %s",
				   vf->rdma.name, base->rdma_dev);
	return 0;
}

static int verify_pf(const struct eth_job *job, const struct vf_baseline *base,
		     struct vfk_err *err)
{
	struct vf_settings is;
	struct eth_pf pf;
	uint32_t left;
	int rc = pf_link(job, &pf, err);

	if (rc >= 0)
		rc = eth_on_pf(job->home, &pf.link, job->call->index, &is, err);
	if (rc < 0)
		return rc;
	left = off_baseline(base, &is);
	return left ? vfk_err_set(err, VFK_E_KERNEL, 0,
				  "its %s on the PF is not that of its baseline",
				  name_of(left)) :
		      0;
}

int eth_verify(struct eth_job *job, struct vfk_err *err)
{
	const struct vf_baseline *base = &job->call->baseline;
	const struct eth_vf *vf = &job->vf;
	int rc = 0;

	if (base->valid && strcmp(vf->driver, base->driver) != 0)
		return vfk_err_set(err, VFK_E_KERNEL, 0, "its driver is %s, not %s",
				   vf->driver[0] ? vf->driver : "none", base->driver);
	if (base->valid && vf->driver[0] && !vf->user_driver) {
		job->out->rebind_needed = rdma_misnamed(&vf->rdma, base->rdma_dev);
		rc = verify_rdma(vf, base, err);
		if (rc >= 0)
			rc = verify_link(vf, base, err);
	}
	if (rc >= 0 && base->valid && job->call->wanted.has & VFINFO_ETHERNET)
		rc = verify_pf(job, base, err);
	if (rc < 0)
		return rc;
	job->out->where = WHERE_HOME;
	job->out->ifindex = vf->link_home ? vf->link.ifindex : 0;
	return 0;
}
