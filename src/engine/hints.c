/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's events lead to.  An event is a hint: nothing of it is believed but where to
 * look, so that it may be late, doubled, out of order or of our own doing.  A hint is a mark
 * on a VF or PF, or a discovery that is due: however many come, a VF is looked at once for
 * all of them, a few VFs at a time, and discoveries keep their distance. */
#include "engine/engine-internal.h"

#include <net/if.h>
#include <string.h>

#include "drivers/link.h"
#include "engine/baseline.h"

#define HINT_NS (20 * NS_PER_MS) /* what belongs together has come by then */
#define HINT_BATCH 32
/* A PF that makes 127 VFs is busy for seconds: let some come together. */
#define BUS_NS (200 * NS_PER_MS)
#define BUS_SHARE 4 /* discovery takes at most a fifth of the time in a storm */
#define GUID_AT 12  /* in an address of InfiniBand: before it, a number that changes */

static void hints_due(struct engine *e, int64_t at_ns)
{
	if (e->hints_at_ns && e->hints_at_ns <= at_ns)
		return;
	e->hints_at_ns = at_ns;
	wake(e, at_ns);
}

/* A state in which somebody else may change what a VF is like.  RESERVED and DETACHING have a
 * plan, whose own doing this is, and which ends with a look. */
static bool watched(const struct vf *vf)
{
	return vf->fsm.state == VF_FREE || vf->fsm.state == VF_ATTACHED ||
	       (vf->fsm.state == VF_FAULTED && vf->fsm.foreign);
}

static void touched(struct engine *e, struct vf *vf)
{
	if (!watched(vf))
		return;
	if (vf->fsm.state == VF_FREE)
		vf->verified = false; /* an ADD that comes before the look has its own */
	e->metrics.hints++;
	e->metrics.hints_coalesced += vf->hinted;
	vf->hinted = true;
	hints_due(e, now_ns(e) + HINT_NS);
}

void engine_vf_touched(struct engine *e, pci_addr_t addr)
{
	struct vf *vf = node_vf(e->node, addr);

	if (!vf || vf->fsm.state == VF_ABSENT)
		engine_bus_changed(e);
	else
		touched(e, vf);
}

void engine_bus_changed(struct engine *e)
{
	int64_t at = now_ns(e) + BUS_NS;
	int64_t free_at = e->discover_ended_ns + BUS_SHARE * e->discover_took_ns;

	if (e->rediscover_at_ns)
		return;
	e->rediscover_at_ns = at > free_at ? at : free_at;
	wake(e, e->rediscover_at_ns);
}

void engine_resync(struct engine *e)
{
	for (size_t i = 0; i < e->node->n_vfs; i++)
		touched(e, e->node->vfs[i]);
	for (size_t i = 0; i < e->node->n_pfs; i++)
		ports_ask(e, &e->node->pfs[i]);
	engine_bus_changed(e);
}

int64_t engine_discovered_ns(const struct engine *e)
{
	return e->discovered ? e->discovered_at_ns : 0;
}

/* --- links -------------------------------------------------------------------------- */

static bool address_as(const struct link *link, const struct vf_baseline *base)
{
	size_t from = link->hwaddr_len == sizeof(base->hwaddr) ? GUID_AT : 0;

	return link->hwaddr_len == base->hwaddr_len &&
	       !memcmp(link->hwaddr + from, base->hwaddr + from, link->hwaddr_len - from);
}

static bool modes_as(const struct link *link, const struct vf_baseline *base)
{
	struct vf_settings is = { .has = HAS_PROMISC | HAS_ALLMULTI | HAS_IPOIB_MODE,
				  .promisc = (link->flags & IFF_PROMISC) != 0,
				  .allmulti = (link->flags & IFF_ALLMULTI) != 0,
				  .ipoib_mode = (uint8_t)link->ipoib_mode };

	return baseline_modes_equal(&is, &base->set);
}

/* The link of a FREE VF as its baseline has it: such events follow every release of ours. */
static bool as_free(const struct vf *vf, const struct link *link)
{
	const struct vf_baseline *base = &vf->rec.baseline;

	return vf->verified && base->valid && link->ifindex == vf->rec.ifindex &&
	       !strcmp(link->ifname, base->ifname) && address_as(link, base) &&
	       modes_as(link, base) &&
	       (!(base->set.has & HAS_MTU) || link->mtu_bytes == base->set.mtu_bytes ||
		link->mtu_bytes == vf->mtu_free);
}

static void vf_link(struct engine *e, struct vf *vf, const struct link *link,
		    int32_t nsid, bool gone)
{
	if (vf->fsm.state == VF_ATTACHED && nsid >= 0 && nsid == vf->rec.nsid && !gone)
		return;
	if (vf->fsm.state == VF_FREE && nsid == LINK_HERE && !gone && as_free(vf, link))
		return;
	/* That it left home is how it came where it is. */
	if (vf->fsm.state == VF_ATTACHED && nsid == LINK_HERE && gone)
		return;
	touched(e, vf);
}

void engine_link_event(struct engine *e, const struct link *link, int32_t nsid, bool gone)
{
	pci_addr_t addr;
	struct vf *vf;
	struct pf *pf;
	bool pci = !strcmp(link->parent_bus, "pci");

	/* The simulated links of the sim driver carry the VF's address as their alias, which
	 * anybody in a pod can write: of no other node's. */
	if (!pci && !e->config.env.sim_path[0])
		return;
	if (!pci_parse(pci ? link->parent_dev : link->alias, &addr))
		return;
	vf = node_vf(e->node, addr);
	if (vf && vf->fsm.state != VF_ABSENT) {
		vf_link(e, vf, link, nsid, gone);
		return;
	}
	pf = node_pf(e->node, addr);
	if (pf && (gone || link->flags != pf->link_flags)) {
		/* Also every setting of a VF makes an event of its PF: only what tells of the
		 * port counts. */
		pf->link_flags = gone ? 0 : link->flags;
		ports_ask(e, pf);
	}
}

void engine_nsid_gone(struct engine *e, int32_t nsid)
{
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (vf->fsm.state != VF_ATTACHED || vf->rec.nsid != nsid)
			continue;
		if (vf->job)
			vf->look_again = true;
		else
			observe_start(e, vf, NULL);
	}
}

/* --- devices ------------------------------------------------------------------------ */

/* A name that the VF has to have, in an event about the VF: nothing is new. */
static bool as_named(const struct vf *vf, const char *name, const char *own)
{
	return vf->fsm.state == VF_FREE && vf->verified && name[0] && !strcmp(name, own);
}

void engine_device_event(struct engine *e, pci_addr_t addr, enum device_event ev,
			 const char *name)
{
	struct vf *vf = node_vf(e->node, addr);
	struct pf *pf = node_pf(e->node, addr);

	if (vf && vf->fsm.state == VF_ABSENT)
		vf = NULL;
	switch (ev) {
	case DEVICE_CAME:
	case DEVICE_WENT:
		engine_bus_changed(e);
		return;
	case DEVICE_CHANGED:
		if (pf)
			engine_bus_changed(e);
		break;
	case DEVICE_LINK:
		if (vf && as_named(vf, name, vf->rec.baseline.ifname))
			return;
		break;
	case DEVICE_RDMA:
		if (vf && as_named(vf, name, vf->rec.baseline.rdma_dev))
			return;
		break;
	}
	if (vf)
		touched(e, vf);
	if (pf)
		ports_ask(e, pf);
}

/* An RDMA device is known by its name only. */
void engine_rdma_event(struct engine *e, const char *name, bool gone)
{
	for (size_t i = 0; name[0] && i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (strcmp(vf->rec.baseline.rdma_dev, name) != 0)
			continue;
		/* Gone from a pod's namespace is not heard of; home again is. */
		if (vf->fsm.state == VF_FREE ? gone || !vf->verified :
					       vf->fsm.state != VF_ATTACHED)
			touched(e, vf);
	}
}

/* --- their turn ---------------------------------------------------------------------- */

void hints_turn(struct engine *e, int64_t now)
{
	unsigned looked = 0;

	if (!e->hints_at_ns)
		return;
	if (now < e->hints_at_ns) {
		wake(e, e->hints_at_ns);
		return;
	}
	e->hints_at_ns = 0;
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (!vf->hinted)
			continue;
		if (!watched(vf)) {
			vf->hinted = false;
			continue;
		}
		if (vf->job || looked == HINT_BATCH) {
			hints_due(e, now + HINT_NS);
			continue;
		}
		vf->hinted = false;
		observe_start(e, vf, NULL);
		looked++;
	}
	ports_turn(e, now);
}
