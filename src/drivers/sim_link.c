/* SPDX-License-Identifier: Apache-2.0 */
/* The netdev of a simulated VF is one end of a veth pair.  The other end, the peer, always
 * stays at home; the kernel tells from it where the first one is, and it vanishes with it.
 * A real VF comes home by itself when its namespace dies, a veth is destroyed: whoever
 * looks next plays the kernel and makes it again. */
#include "drivers/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "base/log.h"

#define MTU_BYTES 1500

bool sim_link_is(const struct sim_vf *vf, const struct link *link)
{
	return !strcmp(link->alias, vf->pci) && !strcmp(link->kind, "veth");
}

static int put_peer(struct nl_msg *msg, const char *name)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data, *peer;
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "veth"))
		return -1;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	peer = data ? nla_nest_start(msg, VETH_INFO_PEER) : NULL;
	if (!peer || nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, name) ||
	    nla_put_u32(msg, IFLA_NUM_TX_QUEUES, 1) ||
	    nla_put_u32(msg, IFLA_NUM_RX_QUEUES, 1))
		return -1;
	nla_nest_end(msg, peer);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

/* Gives the VF's end the alias that it is known by. */
static int mark(struct vnl *home, const struct sim_vf *vf, struct link *link,
		struct vfk_err *err)
{
	struct link_change ch = LINK_NO_CHANGE;
	int rc;

	ch.alias = vf->pci;
	rc = link_set(home, link->ifindex, &ch, err);
	if (rc < 0)
		return vfk_err_wrap(err, "mark link %s", link->ifname);
	snprintf(link->alias, sizeof(link->alias), "%s", vf->pci);
	return 0;
}

static int make(struct vnl *home, const struct sim_vf *vf, struct sim_place *out,
		struct vfk_err *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = vnl_msg_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
					 sizeof(ifi));
	struct sim_names names;
	struct link *link;
	int rc;

	sim_names_of(vf, &names);
	/* One queue each: by default a veth has as many as there are processors. */
	if (msg && (nla_put_string(msg, IFLA_IFNAME, names.vf) ||
		    nla_put(msg, IFLA_ADDRESS, sizeof(names.hwaddr), names.hwaddr) ||
		    nla_put_u32(msg, IFLA_MTU, MTU_BYTES) ||
		    nla_put_u32(msg, IFLA_NUM_TX_QUEUES, 1) ||
		    nla_put_u32(msg, IFLA_NUM_RX_QUEUES, 1) || put_peer(msg, names.peer))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	rc = vnl_request(home, msg, NULL, NULL, err);
	if (rc < 0)
		return vfk_err_wrap(err, "make the links %s and %s", names.vf, names.peer);
	memset(out, 0, sizeof(*out));
	out->nsid = LINK_HERE;
	out->peer = vnl_ifindex(home, names.peer);
	/* What was asked for is what there is: one look at a thousand links fewer. */
	link = &out->link;
	link->ifindex = vnl_ifindex(home, names.vf);
	if (!link->ifindex)
		return vfk_err_set(err, VFK_E_KERNEL, 0,
				   "link %s vanished when it was made", names.vf);
	snprintf(link->ifname, sizeof(link->ifname), "%s", names.vf);
	snprintf(link->kind, sizeof(link->kind), "veth");
	link->flags = IFF_BROADCAST | IFF_MULTICAST;
	link->mtu_bytes = MTU_BYTES;
	link->hwaddr_len = sizeof(names.hwaddr);
	memcpy(link->hwaddr, names.hwaddr, sizeof(names.hwaddr));
	link->peer = out->peer;
	link->peer_nsid = LINK_SAME_NETNS;
	return mark(home, vf, &out->link, err);
}

static int not_ours(const struct sim_vf *vf, const char *name, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_EXISTS, 0,
			   "the name %s is taken by a link that is not of VF %s", name,
			   vf->pci);
}

/* What the peer says.  1 and the place; 0: the VF's end is being destroyed. */
static int follow(struct vnl *home, const struct sim_vf *vf, const struct link *peer,
		  struct sim_place *out, struct vfk_err *err)
{
	int rc;

	if (peer->peer_nsid == LINK_NO_NSID)
		return 0;
	out->peer = peer->ifindex;
	out->nsid = peer->peer_nsid == LINK_SAME_NETNS ? LINK_HERE : peer->peer_nsid;
	rc = link_get(home, out->nsid, peer->peer, NULL, &out->link, err);
	if (rc <= 0)
		return rc;
	/* Made by somebody who was ended before the link was marked. */
	if (out->nsid == LINK_HERE && !out->link.alias[0] && !strcmp(out->link.kind, "veth"))
		rc = mark(home, vf, &out->link, err);
	if (rc < 0)
		return rc;
	return sim_link_is(vf, &out->link) ? 1 : not_ours(vf, peer->ifname, err);
}

static int find_once(struct vnl *home, const struct sim_vf *vf, uint32_t hint,
		     struct sim_place *out, struct vfk_err *err)
{
	struct sim_names names;
	struct link peer;
	int rc;

	memset(out, 0, sizeof(*out));
	out->nsid = LINK_HERE;
	if (hint) {
		rc = link_get(home, LINK_HERE, hint, NULL, &out->link, err);
		if (rc < 0 || (rc > 0 && sim_link_is(vf, &out->link)))
			return rc < 0 ? rc : 0;
	}
	sim_names_of(vf, &names);
	rc = link_get(home, LINK_HERE, 0, names.peer, &peer, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return make(home, vf, out, err);
	if (strcmp(peer.kind, "veth"))
		return not_ours(vf, names.peer, err);
	rc = follow(home, vf, &peer, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* Its namespace is on its way out and takes it along: no need to wait for that. */
	out->peer = peer.ifindex;
	return sim_link_remake(home, vf, out, err);
}

int sim_link_find(struct vnl *home, const struct sim_vf *vf, uint32_t hint,
		  struct sim_place *out, struct vfk_err *err)
{
	struct vfk_err own;
	int rc;

	for (int tries = 0;; tries++) {
		rc = find_once(home, vf, hint, out, &own);
		/* Discovery and a step may find it missing at the same time. */
		if (rc != -VFK_E_KERNEL || own.sys != EEXIST || tries == 2)
			break;
	}
	if (rc < 0 && err)
		*err = own;
	return rc;
}

int sim_link_remake(struct vnl *home, const struct sim_vf *vf, struct sim_place *place,
		    struct vfk_err *err)
{
	struct sim_names names;
	uint32_t peer = place->peer;
	int rc;

	sim_names_of(vf, &names);
	if (!peer)
		peer = vnl_ifindex(home, names.peer);
	if (peer) {
		rc = link_delete(home, LINK_HERE, peer, err);
		if (rc < 0)
			return vfk_err_wrap(err, "destroy link %s", names.peer);
	}
	return make(home, vf, place, err);
}

/* --- all of them ---------------------------------------------------------------- */

struct census {
	const struct sim_conf *conf;
	struct sim_place *place;
	struct link *peer; /* beside each place; ifindex 0: none seen */
	size_t n;
};

/* The place of VF 'index' of 'pf'. */
static size_t place_of(const struct sim_conf *conf, const struct sim_pf *pf, unsigned index)
{
	size_t n = index;

	for (const struct sim_pf *p = conf->pf; p < pf; p++)
		n += p->n_vfs;
	return n;
}

/* "simib0p12": which VF's other end has this name?  -1: none's. */
static long peer_place(const struct sim_conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->n_pfs; i++) {
		const struct sim_pf *pf = &conf->pf[i];
		size_t len = strlen(pf->name);
		struct sim_names names;
		unsigned long index;

		if (strncmp(name, pf->name, len) || name[len] != 'p')
			continue;
		index = strtoul(name + len + 1, NULL, 10);
		if (index >= pf->n_vfs)
			continue;
		sim_names_of(&(struct sim_vf){ .pf = pf, .index = (uint16_t)index },
			     &names);
		if (!strcmp(names.peer, name))
			return (long)place_of(conf, pf, (unsigned)index);
	}
	return -1;
}

static int count_link(void *arg, const struct link *link, struct vfk_err *err)
{
	struct census *c = arg;
	struct sim_vf vf;
	pci_addr_t addr;
	long at;

	(void)err;
	if (!link) { /* from the beginning */
		memset(c->place, 0, c->n * sizeof(*c->place));
		memset(c->peer, 0, c->n * sizeof(*c->peer));
		return 0;
	}
	if (strcmp(link->kind, "veth"))
		return 0;
	if (pci_parse(link->alias, &addr) && sim_vf_find(c->conf, addr, &vf)) {
		struct sim_place *p = &c->place[place_of(c->conf, vf.pf, vf.index)];

		p->nsid = LINK_HERE;
		p->link = *link;
	}
	at = peer_place(c->conf, link->ifname);
	if (at >= 0)
		c->peer[at] = *link;
	return 0;
}

static void settle(struct vnl *home, const struct census *c, const struct sim_vf *vf)
{
	size_t at = place_of(c->conf, vf->pf, vf->index);
	struct sim_place *p = &c->place[at];
	const struct link *peer = &c->peer[at];
	struct vfk_err err;
	int rc;

	if (p->link.ifindex) {
		p->peer = peer->ifindex;
		return;
	}
	/* Elsewhere: only where, not what; a pod's link is not looked into here. */
	if (peer->ifindex && peer->peer_nsid >= 0) {
		p->peer = peer->ifindex;
		p->nsid = peer->peer_nsid;
		p->link.ifindex = peer->peer;
		return;
	}
	rc = peer->ifindex ? -1 : make(home, vf, p, &err);
	if (rc < 0)
		rc = sim_link_find(home, vf, 0, p, &err);
	if (rc < 0) {
		p->unknown = true; /* one VF must not hide the others */
		log_warn("sim", "vf=%s %s", vf->pci, err.msg);
	}
}

int sim_link_all(struct vnl *home, const struct sim_conf *conf, struct sim_place **out,
		 struct vfk_err *err)
{
	struct census c = { .conf = conf, .n = place_of(conf, conf->pf + conf->n_pfs, 0) };
	struct link_walk walk = { count_link, &c };
	VFK_AUTO(free_auto) struct sim_place *place = calloc(c.n + 1, sizeof(*place));
	VFK_AUTO(free_auto) struct link *peer = calloc(c.n + 1, sizeof(*peer));
	int rc;

	if (!place || !peer)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "list the links");
	c.place = place;
	c.peer = peer;
	rc = link_each(home, LINK_HERE, &walk, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < conf->n_pfs; i++)
		for (unsigned k = 0; k < conf->pf[i].n_vfs && conf->pf[i].links; k++) {
			struct sim_vf vf = sim_vf_at(conf, &conf->pf[i], (uint16_t)k);

			settle(home, &c, &vf);
		}
	*out = VFK_STEAL(place);
	return 0;
}
