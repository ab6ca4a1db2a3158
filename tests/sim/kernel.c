/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cover.h"
#include "engines.h"
#include "fsm/port.h"
#include "rng.h"
#include "story.h"
#include "when.h"

struct kvf vfs[SIM_VFS];
struct netns spaces[SIM_NS];
unsigned n_sim_vfs;
unsigned port_state[SIM_PFS];
int64_t netns_death_takes;
bool nsid_events_lost, no_udev;
char squatter[16];

static uint32_t next_ifindex;
static uint64_t next_cookie, next_incarnation;

#define ETHERNET_HAS                                                                     \
	(HAS_LINK_STATE | HAS_MAC | HAS_VLAN | HAS_MIN_TX | HAS_MAX_TX | HAS_SPOOFCHK |  \
	 HAS_TRUST | HAS_MTU | HAS_ALLMULTI | HAS_PROMISC)
#define INFINIBAND_HAS (HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID | HAS_MTU)

/* What the firmware gives a VF when the PF's driver makes it. */
static void factory(struct kvf *v)
{
	v->set = (struct vf_settings){ .vlan_proto = 0x8100 };
	if (v->kind == KIND_INFINIBAND) {
		v->set.node_guid = v->set.port_guid = 0x0200000000000000u | v->index |
						      (uint64_t)v->pf << 8;
	} else {
		v->set.mac[0] = 2;
		v->set.mac[4] = (uint8_t)v->pf;
		v->set.mac[5] = (uint8_t)(v->index + 1);
		v->set.spoofchk = 1;
	}
	v->guid = v->set.port_guid;
}

static void home_name(const struct kvf *v, char out[16])
{
	snprintf(out, 16, "%s%uv%u", v->kind == KIND_INFINIBAND ? "ibp" : "enp", v->pf,
		 v->index);
}

struct kvf *kernel_vf(pci_addr_t addr)
{
	for (unsigned i = 0; i < n_sim_vfs; i++)
		if (vfs[i].addr == addr)
			return &vfs[i];
	return NULL;
}

void kernel_look(const struct kvf *v, struct vf_baseline *out)
{
	memset(out, 0, sizeof(*out));
	out->valid = true;
	out->set = v->set;
	out->set.has = v->kind == KIND_INFINIBAND ? INFINIBAND_HAS : ETHERNET_HAS;
	snprintf(out->driver, sizeof(out->driver), "%s",
		 !v->bound	      ? "" :
		 v->kind == KIND_VFIO ? "vfio-pci" :
					"mlx5_core");
	if (v->kind == KIND_INFINIBAND)
		snprintf(out->rdma_dev, sizeof(out->rdma_dev), "rocep%uv%u", v->pf,
			 v->index);
	if (!v->link.ifindex) {
		out->set.has &= ~(uint32_t)(HAS_MTU | HAS_ALLMULTI | HAS_PROMISC);
		return;
	}
	memcpy(out->ifname, v->link.name, sizeof(out->ifname));
	memcpy(out->hwaddr, v->link.hwaddr, sizeof(out->hwaddr));
	out->hwaddr_len = v->link.hwaddr_len;
	out->set.mtu_bytes = v->link.mtu_bytes;
	out->set.allmulti = v->link.allmulti;
	out->set.promisc = v->link.promisc;
}

bool kernel_is_home(const struct kvf *v)
{
	return v->link.ifindex == 0 || v->link.ns == HOME;
}

void kernel_take_home(struct kvf *v)
{
	kernel_look(v, &v->home);
	v->meddled = v->moved_by_others = false;
}

/* --- namespaces --- */

unsigned netns_new(void)
{
	for (unsigned i = 1; i < SIM_NS; i++) {
		if (spaces[i].used && !(spaces[i].dead && !spaces[i].pins))
			continue;
		spaces[i] = (struct netns){
			.used = true, .path = true, .cookie = next_cookie++, .nsid = -1
		};
		return i;
	}
	return 0;
}

bool netns_reachable(int ns)
{
	return ns == HOME || (ns > 0 && spaces[ns].used && !spaces[ns].dying);
}

/* A number for a namespace that a link is moved to: the lowest that is free, so that the
 * number of a dead one is soon another's (peernet2id_alloc, idr_alloc). */
int32_t netns_give_nsid(unsigned ns)
{
	if (ns == HOME || spaces[ns].nsid >= 0)
		return spaces[ns].nsid;
	for (int32_t id = 0;; id++)
		if (!nsid_names_one(id)) {
			spaces[ns].nsid = id;
			return id;
		}
}

int netns_of_nsid(int32_t nsid)
{
	for (int i = 1; i < SIM_NS && nsid >= 0; i++)
		if (spaces[i].used && !spaces[i].dead && spaces[i].nsid == nsid)
			return i;
	return NOWHERE;
}

bool nsid_names_one(int32_t nsid)
{
	return netns_of_nsid(nsid) != NOWHERE;
}

static void udev_renames(uint64_t vf, uint64_t ifindex)
{
	struct kvf *v = &vfs[vf];
	char name[16];

	/* udev's rule is by path; it comes late, and it finds whatever is there by then. */
	home_name(v, name);
	if (v->link.ifindex != ifindex || v->link.ns != HOME || !strcmp(v->link.name, name))
		return;
	if (link_rename(v, name))
		return;
	v->meddled = true;
	story("udev: vf%u is named %s", (unsigned)vf, name);
	engines_vf_touched(v->addr);
}

static void late_uevent(const struct kvf *v)
{
	if (no_udev)
		return;
	when_after(when_jitter(300 * MS), udev_renames, (uint64_t)(v - vfs),
		   v->link.ifindex);
}

/* cleanup_net: its number goes first (rtnl_net_notifyid), then every device that is no
 * namespace's own comes to the home namespace, also IPoIB (netns_refund), down, under the
 * name it has, or dev<ifindex> where that is taken (default_device_exit_net). */
static void cleanup_net(uint64_t ns, uint64_t cookie)
{
	struct netns *n = &spaces[ns];
	int32_t nsid = n->nsid;

	if (n->cookie != cookie || !n->dying || n->dead)
		return;
	n->dead = true;
	n->nsid = -1;
	story("kernel: netns %u is taken down", (unsigned)ns);
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		struct kvf *v = &vfs[i];

		/* In exclusive mode the RDMA device goes home, too (rdma_dev_exit_net), and its
		 * IPoIB link is made anew. */
		if (v->kind == KIND_INFINIBAND && v->rdma_ns == (int)ns)
			rdma_move(v, HOME);
		if (!v->link.ifindex || v->link.ns != (int)ns)
			continue;
		link_move(v, HOME);
		if (!link_name_free(HOME, v->link.name, v)) {
			snprintf(v->link.name, sizeof(v->link.name), "dev%u",
				 v->link.ifindex);
		}
		story("kernel: link of vf%u is back at home as %s", i, v->link.name);
		engines_vf_touched(v->addr);
		late_uevent(v);
	}
	if (nsid >= 0 && nsid_events_lost)
		cover_event(EVENT_NSID_LOST);
	else if (nsid >= 0)
		engines_nsid_gone(nsid);
}

static void maybe_dies(unsigned ns)
{
	struct netns *n = &spaces[ns];

	if (n->dying || n->pins || n->path)
		return;
	n->dying = true;
	if (netns_death_takes)
		cover_event(EVENT_NETNS_SLOW);
	when_after(netns_death_takes ? netns_death_takes : when_jitter(40 * MS),
		   cleanup_net, ns, n->cookie);
}

void netns_remove(unsigned ns)
{
	if (ns == HOME || !spaces[ns].used || !spaces[ns].path)
		return;
	spaces[ns].path = false;
	maybe_dies(ns);
}

/* Whatever is open keeps a namespace alive (get_net): a process, a mount, a descriptor. */
void kernel_pin(unsigned ns)
{
	spaces[ns].pins++;
}

void kernel_unpin(unsigned ns)
{
	if (ns == HOME)
		return;
	spaces[ns].pins--;
	maybe_dies(ns);
}

/* --- links --- */

bool link_name_free(int ns, const char *name, const struct kvf *v)
{
	if (ns > 0 && spaces[ns].taken_name)
		return false;
	for (unsigned i = 0; i < n_sim_vfs; i++)
		if (&vfs[i] != v && vfs[i].link.ifindex && vfs[i].link.ns == ns &&
		    !strcmp(vfs[i].link.name, name))
			return false;
	if (ns != HOME || !squatter[0] || strcmp(squatter, name) != 0)
		return true;
	cover_event(EVENT_SQUATTER);
	return false;
}

/* A move closes the device: down, addresses gone; name, MTU and address stay
 * (__dev_change_net_namespace).  The index stays unless it is taken there. */
void link_move(struct kvf *v, int ns)
{
	v->link.ns = ns;
	v->link.up = false;
	v->link.n_addrs = 0;
	if (ns != HOME)
		netns_give_nsid((unsigned)ns);
}

int link_rename(struct kvf *v, const char *name)
{
	if (!strcmp(v->link.name, name))
		return 0;
	if (!link_name_free(v->link.ns, name, v))
		return EEXIST; /* dev_get_valid_name */
	snprintf(v->link.name, sizeof(v->link.name), "%s", name);
	return 0;
}

void link_gone(struct kvf *v)
{
	memset(&v->link, 0, sizeof(v->link));
}

/* "eth%d": the lowest number that is free (dev_alloc_name). */
void link_name_new(struct kvf *v)
{
	for (unsigned i = 0;; i++) {
		snprintf(v->link.name, sizeof(v->link.name), "%s%u",
			 v->kind == KIND_INFINIBAND ? "ib" : "eth", i);
		if (link_name_free(v->link.ns, v->link.name, v))
			break;
	}
}

void link_make(struct kvf *v)
{
	memset(&v->link, 0, sizeof(v->link));
	if (v->kind == KIND_VFIO || !v->bound)
		return;
	v->link.ifindex = next_ifindex++; /* never the old one (dev_new_index) */
	v->link.ns = HOME;
	v->link.mtu_bytes = 1500;
	link_name_new(v); /* udev renames it later */
	if (v->kind == KIND_INFINIBAND) {
		v->link.hwaddr_len = 20;
		v->link.mtu_bytes = 2044;
		for (unsigned i = 0; i < 8; i++)
			v->link.hwaddr[12 + i] = (uint8_t)(v->guid >> (56 - 8 * i));
	} else {
		v->link.hwaddr_len = 6;
		memcpy(v->link.hwaddr, v->set.mac, 6);
	}
	late_uevent(v);
}

/* The driver reads the GUID when it is bound (mlx5_query_port_guid), the link is a new one. */
void kernel_rebind(struct kvf *v)
{
	v->bound = true;
	v->guid = v->set.port_guid;
	v->rdma_ns = HOME;
	link_make(v);
}

/* Moving an RDMA device destroys its IPoIB link and makes a new one, in the home namespace
 * (rdma_dev_change_netns: ib_enum_clients remove, then add). */
void rdma_move(struct kvf *v, int ns)
{
	if (v->rdma_ns == ns)
		return;
	v->rdma_ns = ns;
	link_make(v);
}

/* --- the bus --- */

void vf_vanish(struct kvf *v)
{
	v->present = v->bound = false;
	link_gone(v);
}

/* pci_enable_sriov: a device directory with a new inode, settings as the firmware has them; but
 * GUIDs that were set once are set again by the PF's driver (mlx5: sriov_restore_guids). */
void vf_appear(struct kvf *v)
{
	struct vf_settings before = v->set, home = v->home.set;
	bool meddled = v->meddled;
	char name[16];

	v->present = v->bound = true;
	v->incarnation = next_incarnation++;
	v->rdma_ns = HOME;
	factory(v);
	if (v->kind == KIND_INFINIBAND && before.port_guid) {
		v->set.node_guid = before.node_guid;
		v->guid = v->set.port_guid = before.port_guid;
	}
	link_make(v);
	if (v->link.ifindex && !no_udev) { /* udev was in time */
		home_name(v, name);
		link_rename(v, name);
	}
	kernel_take_home(v);
	v->came_named = false;
	for (unsigned i = 0; i < n_sim_vfs; i++)
		v->came_named |= &vfs[i] != v && v->home.ifname[0] &&
				 !strcmp(vfs[i].home.ifname, v->home.ifname);
	if (v->kind != KIND_INFINIBAND || !before.port_guid)
		return;
	/* That a pod had one of them does not make it the VF's own. */
	v->meddled = meddled;
	v->home.set.node_guid = home.node_guid;
	v->home.set.port_guid = home.port_guid;
}

void kernel_boot(void)
{
	memset(spaces, 0, sizeof(spaces));
	spaces[HOME] = (struct netns){ .used = true, .path = true, .cookie = 1, .nsid = -1 };
	for (unsigned i = 0; i < n_sim_vfs; i++)
		vfs[i].steps_running = 0;
	next_ifindex = 10;
	for (unsigned i = 0; i < n_sim_vfs; i++) {
		memset(&vfs[i].set, 0, sizeof(vfs[i].set));
		link_gone(&vfs[i]);
	}
	for (unsigned i = 0; i < n_sim_vfs; i++)
		vf_appear(&vfs[i]);
	for (unsigned i = 0; i < SIM_PFS; i++)
		port_state[i] = PORT_ACTIVE;
}

void kernel_reset(unsigned n_vfs, unsigned kinds)
{
	memset(vfs, 0, sizeof(vfs));
	n_sim_vfs = n_vfs;
	next_cookie = 4096;
	next_incarnation = 20000;
	netns_death_takes = 0;
	nsid_events_lost = false;
	squatter[0] = '\0';
	for (unsigned i = 0; i < n_vfs; i++) {
		vfs[i].pf = i % SIM_PFS;
		vfs[i].index = i / SIM_PFS;
		vfs[i].addr = PF_ADDR(vfs[i].pf) + 1 + vfs[i].index;
		/* One PF is Ethernet, the other InfiniBand; one VF may be for vfio. */
		vfs[i].kind = vfs[i].pf ? KIND_INFINIBAND : KIND_ETHERNET;
		if (i == 2 && (kinds & 1))
			vfs[i].kind = KIND_VFIO;
	}
	kernel_boot();
}
