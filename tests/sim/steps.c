/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/node.h"
#include "faults.h"
#include "fds.h"
#include "promises.h"
#include "story.h"

/* Before every single change of the kernel's state.  False: here the step is cut short. */
static bool change(struct step_run *r, const char *what)
{
	if (r->cut && r->writes_left-- == 0)
		return false;
	promise_change(r->v, r->rq);
	(void)what;
	return true;
}

static enum step_end fail(struct step_run *r, enum vfk_err_kind kind, int sys,
			  const char *text)
{
	vfk_err_set(r->err, kind, sys, "%s", text);
	return STEP_FAILED;
}

/* The next command to the card: STEP_DONE to go on; 'forgets': it only says that it did it. */
static enum step_end command(struct step_run *r, const char *what, bool *forgets)
{
	int sys = 0;

	*forgets = false;
	switch (fault_take_card(what, &sys)) {
	case CARD_SLOW:
		return STEP_WAITS;
	case CARD_FAILS:
		return fail(r, VFK_E_KERNEL, sys, "the card refuses it");
	case CARD_FORGETS:
		*forgets = true;
		break;
	case CARD_DOES:
		break;
	}
	return change(r, what) ? STEP_DONE : STEP_CUT;
}

#define SET(r, flag, member)                                                             \
	do {                                                                             \
		if (!(want->has & (flag)) || !(have & (flag)) ||                         \
		    !memcmp(&(r)->v->set.member, &want->member, sizeof(want->member)))   \
			break;                                                           \
		end = command(r, #member, &forgets);                                     \
		if (end != STEP_DONE)                                                    \
			return end;                                                      \
		if (forgets) /* what was set is read back */                             \
			return fail(r, VFK_E_KERNEL, 0, "the card does not have it");    \
		memcpy(&(r)->v->set.member, &want->member, sizeof(want->member));        \
	} while (0)

/* One message each: what was set before an error stays set (do_setvfinfo has no way back). */
static enum step_end settings(struct step_run *r, const struct vf_settings *want, bool home)
{
	struct vf_baseline now;
	enum step_end end;
	uint32_t have;
	bool forgets;

	kernel_look(r->v, &now);
	have = now.set.has;
	if (!home && r->v->kind == KIND_INFINIBAND && (want->has & (HAS_MAC | HAS_VLAN)))
		return fail(r, VFK_E_UNSUPPORTED, 0,
			    "vlan: an InfiniBand VF has none"); /* no ndo: EOPNOTSUPP */
	if (!home && r->v->kind == KIND_ETHERNET &&
	    (want->has & (HAS_NODE_GUID | HAS_PORT_GUID)))
		return fail(r, VFK_E_UNSUPPORTED, 0, "guid: an Ethernet VF has none");
	SET(r, HAS_LINK_STATE, link_state);
	SET(r, HAS_NODE_GUID, node_guid);
	SET(r, HAS_PORT_GUID, port_guid);
	SET(r, HAS_MAC, mac);
	SET(r, HAS_VLAN, vlan);
	SET(r, HAS_VLAN, qos);
	SET(r, HAS_VLAN, vlan_proto);
	SET(r, HAS_MIN_TX, min_tx_mbps);
	SET(r, HAS_MAX_TX, max_tx_mbps);
	SET(r, HAS_SPOOFCHK, spoofchk);
	SET(r, HAS_TRUST, trust);
	/* Its GUID is of the last bind; one that lost its driver has no link. */
	if ((r->v->kind == KIND_INFINIBAND && r->v->guid != r->v->set.port_guid) ||
	    (r->v->kind != KIND_VFIO && !r->v->bound))
		r->out->rebind_needed = true;
	return STEP_DONE;
}

static enum step_end rename_to(struct step_run *r, const char *name)
{
	if (!strcmp(r->v->link.name, name))
		return STEP_DONE;
	if (!change(r, "name"))
		return STEP_CUT;
	if (link_rename(r->v, name))
		return fail(r, VFK_E_KERNEL, EEXIST, "rename of the link");
	return STEP_DONE;
}

/* A link that was made anew, as a driver leaves it: under its own name, or where that is taken
 * under one that nobody has. */
static enum step_end own_name(struct step_run *r)
{
	struct link *l = &r->v->link;
	const char *own = r->rq->call.baseline.ifname;

	r->out->ifindex = l->ifindex;
	if (!own[0] || l->ns != HOME || !strcmp(l->name, own))
		return STEP_DONE;
	if (!change(r, "name"))
		return STEP_CUT;
	if (link_rename(r->v, own))
		snprintf(l->name, sizeof(l->name), "vfk%u", l->ifindex);
	return STEP_DONE;
}

static enum step_end rebind(struct step_run *r)
{
	enum step_end end;
	bool forgets;

	if (r->v->kind == KIND_VFIO)
		return STEP_DONE;
	if (r->v->bound && r->v->link.ifindex &&
	    (r->v->kind == KIND_ETHERNET || r->v->guid == r->v->set.port_guid))
		return own_name(r); /* done before */
	if (!change(r, "unbind"))
		return STEP_CUT;
	r->v->bound = false;
	link_gone(r->v);
	end = command(r, "bind", &forgets);
	if (end != STEP_DONE)
		return end;
	kernel_rebind(r->v);
	/* Names are verified at the end of the window, and put back. */
	return own_name(r);
}

static enum step_end rdma_to(struct step_run *r, int ns)
{
	if (r->v->kind != KIND_INFINIBAND || r->v->rdma_ns == ns)
		return STEP_DONE;
	if (!netns_reachable(r->v->rdma_ns))
		return STEP_WAITS;
	if (!change(r, "rdma device"))
		return STEP_CUT;
	rdma_move(r->v, ns);
	return own_name(r);
}

static void tell_link(struct step_run *r)
{
	r->out->ifindex = r->v->link.ifindex;
	r->out->mtu_bytes = r->v->link.mtu_bytes;
	memcpy(r->out->hwaddr, r->v->link.hwaddr, sizeof(r->out->hwaddr));
	r->out->hwaddr_len = r->v->link.hwaddr_len;
}

static enum step_end link_to_pod(struct step_run *r)
{
	struct link *l = &r->v->link;

	if (r->ns <= HOME || !netns_reachable(r->ns))
		return fail(r, VFK_E_NETNS, 0, "the network namespace is gone");
	if (!l->ifindex)
		return fail(r, VFK_E_GONE, 0, "the VF has no link");
	if (l->ns != r->ns) {
		if (l->ns != HOME && !netns_reachable(l->ns))
			return STEP_WAITS;
		if (!link_name_free(r->ns, r->rq->call.ifname, r->v))
			return fail(r, VFK_E_EXISTS, EEXIST,
				    "the name is taken in the pod");
		if (!change(r, "namespace"))
			return STEP_CUT;
		link_move(r->v, r->ns);
		snprintf(l->name, sizeof(l->name), "%s", r->rq->call.ifname);
	}
	if (!l->up) {
		if (!change(r, "up"))
			return STEP_CUT;
		l->up = true;
	}
	tell_link(r);
	r->out->where = WHERE_IN_POD;
	r->out->netns_cookie = spaces[r->ns].cookie;
	r->out->nsid = netns_give_nsid((unsigned)r->ns);
	return STEP_DONE;
}

static enum step_end link_flags(struct step_run *r, const struct vf_settings *want)
{
	struct link *l = &r->v->link;

	if ((want->has & HAS_MTU) && l->mtu_bytes != want->mtu_bytes) {
		if (!change(r, "mtu"))
			return STEP_CUT;
		l->mtu_bytes = want->mtu_bytes;
	}
	if ((want->has & HAS_ALLMULTI) && l->allmulti != want->allmulti) {
		if (!change(r, "allmulti"))
			return STEP_CUT;
		l->allmulti = want->allmulti;
	}
	if ((want->has & HAS_PROMISC) && l->promisc != want->promisc) {
		if (!change(r, "promisc"))
			return STEP_CUT;
		l->promisc = want->promisc;
	}
	if ((want->has & HAS_MAC) && l->hwaddr_len == 6 &&
	    memcmp(l->hwaddr, want->mac, 6) != 0) {
		if (!change(r, "address"))
			return STEP_CUT;
		memcpy(l->hwaddr, want->mac, 6);
	}
	return STEP_DONE;
}

static enum step_end link_settings(struct step_run *r)
{
	enum step_end end;

	if (r->v->link.ns != r->ns || r->ns <= HOME)
		return fail(r, VFK_E_GONE, 0, "the link is not in the pod");
	end = link_flags(r, &r->rq->call.wanted);
	tell_link(r);
	return end;
}

static enum step_end addresses(struct step_run *r)
{
	if (r->v->link.ns != r->ns || r->ns <= HOME)
		return fail(r, VFK_E_GONE, 0, "the link is not in the pod");
	if (r->v->link.n_addrs == r->rq->call.n_ips)
		return STEP_DONE;
	if (!change(r, "addresses"))
		return STEP_CUT;
	r->v->link.n_addrs = r->rq->call.n_ips;
	return STEP_DONE;
}

static enum step_end link_home(struct step_run *r)
{
	const struct vf_baseline *b = &r->rq->call.baseline;
	struct link *l = &r->v->link;
	char name[16];

	if (!l->ifindex)
		return STEP_DONE;
	if (!netns_reachable(l->ns))
		return STEP_WAITS; /* it comes by itself */
	if (l->ns != HOME) {
		if (!change(r, "namespace"))
			return STEP_CUT;
		link_move(r->v, HOME);
		/* One message, with the name that it has at home, or one that nobody has. */
		snprintf(name, sizeof(name), "%s", b->valid ? b->ifname : "");
		if (!name[0] || !link_name_free(HOME, name, r->v))
			snprintf(name, sizeof(name), "vfk%u", l->ifindex);
		snprintf(l->name, sizeof(l->name), "%s", name);
	}
	if (l->up) {
		if (!change(r, "down"))
			return STEP_CUT;
		l->up = false;
		l->n_addrs = 0;
	}
	r->out->where = WHERE_HOME;
	return own_name(r);
}

static enum step_end link_baseline(struct step_run *r)
{
	const struct vf_baseline *b = &r->rq->call.baseline;
	enum step_end end;

	if (!r->v->link.ifindex)
		return STEP_DONE;
	if (r->v->link.ns != HOME)
		return netns_reachable(r->v->link.ns) ?
			       fail(r, VFK_E_KERNEL, EBUSY, "the link is not at home") :
			       STEP_WAITS;
	if (!b->valid) { /* whatever it was called before */
		if (!change(r, "name"))
			return STEP_CUT;
		link_name_new(r->v);
		return STEP_DONE;
	}
	end = rename_to(r, b->ifname);
	if (end != STEP_DONE)
		return end;
	if (r->v->link.hwaddr_len == 6 && b->hwaddr_len == 6 &&
	    memcmp(r->v->link.hwaddr, b->hwaddr, 6) != 0) {
		if (!change(r, "address"))
			return STEP_CUT;
		memcpy(r->v->link.hwaddr, b->hwaddr, 6);
	}
	struct vf_settings want = b->set;

	want.has &= ~(uint32_t)HAS_MAC;
	return link_flags(r, &want);
}

bool settings_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->link_state == b->link_state && a->node_guid == b->node_guid &&
	       a->port_guid == b->port_guid && !memcmp(a->mac, b->mac, 6) &&
	       a->vlan == b->vlan && a->qos == b->qos && a->spoofchk == b->spoofchk &&
	       a->trust == b->trust && a->min_tx_mbps == b->min_tx_mbps &&
	       a->max_tx_mbps == b->max_tx_mbps && a->mtu_bytes == b->mtu_bytes &&
	       a->allmulti == b->allmulti && a->promisc == b->promisc;
}

/* What the PF keeps for the VF, of what was asked for. */
static const char *missing_on_pf(const struct kvf *v, const struct vf_settings *want)
{
	const struct vf_settings *is = &v->set;

	if ((want->has & HAS_MAC) && memcmp(is->mac, want->mac, sizeof(is->mac)) != 0)
		return "MAC";
	if ((want->has & HAS_VLAN) && (is->vlan != want->vlan || is->qos != want->qos ||
				       is->vlan_proto != want->vlan_proto))
		return "VLAN";
	if ((want->has & HAS_NODE_GUID) && is->node_guid != want->node_guid)
		return "node GUID";
	if ((want->has & HAS_PORT_GUID) && is->port_guid != want->port_guid)
		return "port GUID";
	if ((want->has & HAS_PORT_GUID) && v->guid != want->port_guid)
		return "port GUID (its driver has another)";
	if ((want->has & HAS_SPOOFCHK) && is->spoofchk != want->spoofchk)
		return "spoofchk";
	if ((want->has & HAS_TRUST) && is->trust != want->trust)
		return "trust";
	return NULL;
}

/* What the link has, which a rebind or a move of the RDMA device makes anew. */
static const char *missing_on_link(const struct kvf *v, const struct vf_settings *want)
{
	const struct link *l = &v->link;

	if ((want->has & HAS_MTU) && l->mtu_bytes != want->mtu_bytes)
		return "MTU";
	if ((want->has & HAS_MAC) && l->hwaddr_len == sizeof(want->mac) &&
	    memcmp(l->hwaddr, want->mac, sizeof(want->mac)) != 0)
		return "address of the link";
	if ((want->has & HAS_ALLMULTI) && l->allmulti != want->allmulti)
		return "allmulti";
	if ((want->has & HAS_PROMISC) && l->promisc != want->promisc)
		return "promisc";
	if (v->kind == KIND_INFINIBAND && (want->has & HAS_RDMA_ISOLATION) &&
	    want->rdma_isolation && v->rdma_ns != l->ns)
		return "RDMA device";
	return NULL;
}

const char *settings_missing(const struct kvf *v, const struct vf_settings *want)
{
	const char *what = missing_on_pf(v, want);

	return what ? what : missing_on_link(v, want);
}

static enum step_end verify(struct step_run *r)
{
	const struct vf_baseline *b = &r->rq->call.baseline;
	struct vf_baseline now;

	if (!netns_reachable(r->v->link.ns))
		return STEP_WAITS;
	if (!kernel_is_home(r->v))
		return fail(r, VFK_E_KERNEL, 0, "the link is not at home");
	if (!b->valid)
		return STEP_DONE;
	kernel_look(r->v, &now);
	if (strcmp(now.ifname, b->ifname) != 0)
		return fail(r, VFK_E_KERNEL, 0, "the link has another name");
	if (!settings_same(&now.set, &b->set) || r->v->guid != now.set.port_guid)
		return fail(r, VFK_E_KERNEL, 0, "a setting is not as the baseline says");
	if (r->v->rdma_ns != HOME)
		return fail(r, VFK_E_KERNEL, 0, "the RDMA device is not at home");
	return STEP_DONE;
}

enum step_end step_run(struct step_run *r, enum drv_step step)
{
	if (!r->v || !r->v->present || r->v->incarnation != r->rq->call.incarnation)
		return fail(r, VFK_E_GONE, 0, "the VF is not on the bus");
	switch (step) {
	case STEP_SETTINGS:
		return settings(r, &r->rq->call.wanted, false);
	case STEP_REBIND:
	case STEP_REBIND_HOME:
		return rebind(r);
	case STEP_RDMA_TO_POD:
		if (r->ns <= HOME || !netns_reachable(r->ns))
			return fail(r, VFK_E_NETNS, 0, "the network namespace is gone");
		return rdma_to(r, r->ns);
	case STEP_LINK_TO_POD:
		return link_to_pod(r);
	case STEP_LINK_SETTINGS:
		return link_settings(r);
	case STEP_ADDRESSES:
		return addresses(r);
	case STEP_LINK_HOME:
		return link_home(r);
	case STEP_RDMA_HOME:
		return rdma_to(r, HOME);
	case STEP_SETTINGS_HOME:
		return r->rq->call.baseline.valid ?
			       settings(r, &r->rq->call.baseline.set, true) :
			       STEP_DONE;
	case STEP_LINK_BASELINE:
		return link_baseline(r);
	case STEP_VERIFY:
		return verify(r);
	}
	return fail(r, VFK_E_INTERNAL, 0, "no such step");
}

void step_observe(struct step_run *r)
{
	struct kvf *v = r->v;

	r->out->nsid_alive = nsid_names_one(r->rq->nsid);
	if (!v || !v->present || v->incarnation != r->rq->call.incarnation) {
		r->out->where = WHERE_GONE;
		return;
	}
	kernel_look(v, &r->out->seen);
	r->out->ifindex = v->link.ifindex;
	if (!v->link.ifindex)
		r->out->where = v->kind == KIND_VFIO ? WHERE_HOME : WHERE_UNKNOWN;
	else if (v->link.ns == HOME)
		r->out->where = WHERE_HOME;
	else if (spaces[v->link.ns].nsid >= 0 && spaces[v->link.ns].nsid == r->rq->nsid)
		r->out->where = WHERE_IN_POD;
	else
		r->out->where = WHERE_ELSEWHERE;
	if (r->out->where != WHERE_HOME)
		r->out->seen.valid = false;
}

void step_import(struct step_run *r)
{
	struct job_req rq = *r->rq;

	if (r->ns <= HOME || !netns_reachable(r->ns)) {
		fail(r, VFK_E_NETNS, 0, "the network namespace is gone");
		return;
	}
	rq.nsid = netns_give_nsid((unsigned)r->ns);
	r->rq = &rq;
	step_observe(r);
	r->out->nsid = rq.nsid;
	r->out->netns_cookie = spaces[r->ns].cookie;
}

void step_ports(pci_addr_t addr, struct drv_pf *out)
{
	for (unsigned pf = 0; pf < SIM_PFS; pf++)
		if (PF_ADDR(pf) == addr) {
			out->n_ports = 1;
			out->port_state[0] = (uint8_t)port_state[pf];
		}
}

void step_discover(int memfd)
{
	for (unsigned pf = 0; pf < SIM_PFS; pf++) {
		struct job_found f = { .is_pf = 1, .driver = "sim" };

		f.pf.addr = PF_ADDR(pf);
		snprintf(f.pf.ifname, sizeof(f.pf.ifname), "pf%u", pf);
		f.pf.n_ports = 1;
		f.pf.port_state[0] = (uint8_t)port_state[pf];
		fd_append(memfd, &f, sizeof(f));
		for (unsigned i = 0; i < n_sim_vfs; i++) {
			const struct kvf *v = &vfs[i];
			struct job_found vf = { .driver = "sim" };

			if (v->pf != pf || !v->present)
				continue;
			vf.vf.addr = v->addr;
			vf.vf.pf = PF_ADDR(pf);
			vf.vf.index = (uint16_t)v->index;
			vf.vf.incarnation = v->incarnation;
			vf.vf.bound = v->bound;
			vf.vf.ifindex = v->link.ifindex;
			vf.vf.where = kernel_is_home(v) ? WHERE_HOME : WHERE_ELSEWHERE;
			kernel_look(v, &vf.vf.seen);
			vf.vf.seen.valid = vf.vf.where == WHERE_HOME;
			fd_append(memfd, &vf, sizeof(vf));
		}
	}
}

pci_addr_t step_identify(int ns, const char *ifname)
{
	for (unsigned i = 0; i < n_sim_vfs && ns > HOME; i++)
		if (vfs[i].link.ifindex && vfs[i].link.ns == ns &&
		    !strcmp(vfs[i].link.name, ifname))
			return vfs[i].addr;
	return PCI_NONE;
}
