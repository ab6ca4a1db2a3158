/* SPDX-License-Identifier: Apache-2.0 */
/* A free VF whose link was made anew by somebody else's rebind, or came back from a namespace
 * that is gone, has whatever name was free and the MTU and modes of a new link.  Nobody asked
 * for that: it is restored as after any attachment.  A new name on the same link is an
 * operator's word, and a new GUID is one always (P4). */
#include "engine/engine-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/baseline.h"
#include "engine/plan.h"

#define RDMA_WAIT_NS (60 * NS_PER_S)

void tidy_index(struct vf *vf, uint32_t ifindex)
{
	if (!ifindex || ifindex == vf->rec.ifindex)
		return;
	vf->renewed |= vf->rec.ifindex && vf->fsm.state == VF_FREE;
	vf->rec.ifindex = ifindex;
}

/* The address of a new link is a random one, unless the PF gives it one. */
static bool own_address(const struct vf_baseline *base, const struct vf_baseline *seen)
{
	struct vf_baseline owed;

	baseline_owed(&owed, base, seen);
	return seen->hwaddr_len != sizeof(seen->set.mac) ||
	       !memcmp(owed.hwaddr, seen->hwaddr, sizeof(seen->set.mac));
}

static bool named_as(const struct vf_baseline *base, const struct vf_baseline *seen)
{
	return !strcmp(base->ifname, seen->ifname) &&
	       (!(base->set.has & seen->set.has & HAS_MTU) ||
		base->set.mtu_bytes == seen->set.mtu_bytes) &&
	       baseline_modes_equal(&base->set, &seen->set) && own_address(base, seen);
}

static bool rdma_named_as(const struct vf_baseline *base, const struct vf_baseline *seen)
{
	return !base->rdma_dev[0] || !seen->rdma_dev[0] ||
	       !strcmp(base->rdma_dev, seen->rdma_dev);
}

/* A card may make the RDMA device after the link: then there is another look.  One that never
 * comes is waited for until the next rounds of looks. */
static bool wait_for_rdma(struct engine *e, struct vf *vf, const struct vf_baseline *seen)
{
	const struct vf_baseline *base = &vf->rec.baseline;

	if (!base->rdma_dev[0] || !seen->valid || seen->rdma_dev[0] ||
	    strcmp(base->driver, seen->driver) != 0)
		return false;
	if (!vf->renewed_ns)
		vf->renewed_ns = now_ns(e);
	return now_ns(e) - vf->renewed_ns < RDMA_WAIT_NS;
}

bool tidy_begin(struct engine *e, struct vf *vf, const struct vf_baseline *seen)
{
	const struct vf_baseline base = vf->rec.baseline;
	bool renewed = vf->renewed, rdma, without;

	if (renewed && wait_for_rdma(e, vf, seen))
		return true;
	without = vf->renewed_ns && !seen->rdma_dev[0];
	vf->renewed = false;
	vf->renewed_ns = 0;
	if (!renewed || !base.valid || !base.ifname[0] || !seen->valid || !seen->ifname[0])
		return false;
	rdma = !rdma_named_as(&base, seen);
	if (!rdma && !without && named_as(&base, seen))
		return false;
	cause_set(e, CAUSE_EVENT, "its link was made anew, as %s%s%s", seen->ifname,
		  rdma ? " with RDMA device " : "", rdma ? seen->rdma_dev : "");
	if (!handed_out(e, seen))
		baseline_owed(&vf->rec.baseline, &base, seen);
	vf->rec.touched = STEP_BIT(LINK_SETTINGS) | (rdma ? STEP_BIT(REBIND) : 0);
	return release_begin(e, vf, VF_EV_RETURNED);
}

/* --- names ----------------------------------------------------------------------------- */

/* One name for two VFs would be settled never. */
bool tidy_name_taken(const struct engine *e, const struct vf *vf, const char *name)
{
	for (size_t i = 0; name[0] && i < e->node->n_vfs; i++) {
		const struct vf *other = e->node->vfs[i];
		const struct vf_baseline *base = &other->rec.baseline;

		if (other != vf && base->valid && !other->name_free &&
		    !strcmp(base->ifname, name))
			return true;
	}
	return false;
}

bool tidy_name(const struct engine *e, const struct vf *vf, struct vf_baseline *base)
{
	char addr[PCI_STRLEN];

	if (!tidy_name_taken(e, vf, base->ifname))
		return false;
	log_warn("engine",
		 "vf=%s is called %s, as the link of another VF is at home: it gets "
		 "a name of its own",
		 pci_format(vf->rec.addr, addr), base->ifname);
	/* As drivers call a link whose name is taken. */
	snprintf(base->ifname, sizeof(base->ifname), "vfk%" PRIx64,
		 vf->rec.addr & UINT64_C(0xffffffffffff));
	return true;
}

void tidy_taken(struct engine *e, struct vf *vf)
{
	vf->rec.touched = STEP_BIT(LINK_SETTINGS);
	release_begin(e, vf, VF_EV_RETURNED);
}
