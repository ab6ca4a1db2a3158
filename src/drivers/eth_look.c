/* SPDX-License-Identifier: Apache-2.0 */
/* Where a VF's link is and what it is, from sysfs and the links of a namespace. */
#include "drivers/eth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_arp.h>

#include "drivers/devlink.h"
#include "drivers/sysfs.h"

#define CLASS_NETWORK 0x02
#define CLASS_INFINIBAND 0x0207
#define MAC_LEN 6
#define ATTR_BYTES 160

bool eth_is_pf(const struct drv_env *env, pci_addr_t addr)
{
	uint64_t class, total;

	return pci_attr_number(env, addr, "class", &class) &&
	       class >> 16 == CLASS_NETWORK && class >> 8 != CLASS_INFINIBAND &&
	       pci_attr_number(env, addr, "sriov_totalvfs", &total) && total > 0;
}

bool eth_is_link_of(const struct link *link, pci_addr_t addr)
{
	char pci[PCI_STRLEN];

	/* A link that somebody made on top of it has a kind. */
	return link->hwaddr_len == MAC_LEN && !link->kind[0] &&
	       !strcmp(link->parent_bus, "pci") &&
	       !strcmp(link->parent_dev, pci_format(addr, pci));
}

/* --- at home ---------------------------------------------------------------------- */

struct candidate {
	const struct drv_env *env;
	struct vnl *home;
	pci_addr_t addr;
	struct link *out;
	struct vfk_err *err;
	bool one_is_enough;	      /* a second link is no reason for questions */
	unsigned n_names;	      /* links of any kind */
	struct devlink_ports devlink; /* asked where there are several */
	uint64_t port;		      /* of the one that was found */
	bool any, switchdev;
};

/* The switch's end of a VF, which hangs on the same PCI function.  Without devlink's word: it is
 * called "pf0vf3" or "c1pf0sf5"; an uplink "p0", and others have no such name. */
static bool is_representor(struct candidate *c, const char *name, uint64_t ifindex)
{
	char attr[ATTR_BYTES], port[32];

	if (c->devlink.known)
		return devlink_is_rep(&c->devlink, (uint32_t)ifindex);
	snprintf(attr, sizeof(attr), "net/%s/phys_port_name", name);
	return pci_attr(c->env, c->addr, attr, port, sizeof(port)) && strstr(port, "pf");
}

static bool has_switch(struct candidate *c, const char *name)
{
	char attr[ATTR_BYTES], id[80];

	snprintf(attr, sizeof(attr), "net/%s/phys_switch_id", name);
	return pci_attr(c->env, c->addr, attr, id, sizeof(id)) && id[0];
}

static int consider(void *arg, const char *name)
{
	struct candidate *c = arg;
	char attr[ATTR_BYTES];
	uint64_t index, type, port = 0;
	struct link link;
	int rc;

	if (++c->n_names > 1 && !c->one_is_enough)
		return 1;
	snprintf(attr, sizeof(attr), "net/%s/type", name);
	if (!pci_attr_number(c->env, c->addr, attr, &type) || type != ARPHRD_ETHER)
		return 0;
	snprintf(attr, sizeof(attr), "net/%s/ifindex", name);
	if (!pci_attr_number(c->env, c->addr, attr, &index) || index > UINT32_MAX)
		return 0;
	if (is_representor(c, name, index)) {
		c->switchdev = true;
		return 0;
	}
	snprintf(attr, sizeof(attr), "net/%s/dev_port", name);
	(void)pci_attr_number(c->env, c->addr, attr, &port);
	if (c->any && port >= c->port)
		return 0;
	/* The index and the kernel's word whose it is; the name was a way to it. */
	rc = link_get(c->home, LINK_HERE, (uint32_t)index, NULL, &link, c->err);
	if (rc < 0)
		return rc;
	if (rc > 0 && eth_is_link_of(&link, c->addr)) {
		*c->out = link;
		c->port = port;
		c->any = true;
		c->switchdev |= !c->devlink.known && has_switch(c, name);
	}
	return 0;
}

static int find_link(struct candidate *c, struct eth_pf *out)
{
	int rc = pci_each_name(c->env, c->addr, "net", consider, c);

	/* A link that is alone is the one: most are, and save the question. */
	if (rc > 0) {
		devlink_look(c->addr, &c->devlink);
		c->one_is_enough = true;
		c->any = c->switchdev = false;
		rc = pci_each_name(c->env, c->addr, "net", consider, c);
	}
	out->switchdev = c->switchdev || c->devlink.switchdev;
	devlink_free(&c->devlink);
	return rc < 0 ? rc : c->any;
}

int eth_pf_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		   struct eth_pf *out, struct vfk_err *err)
{
	struct candidate c = {
		.env = env, .home = home, .addr = addr, .out = &out->link, .err = err
	};

	return find_link(&c, out);
}

int eth_link_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		     struct link *out, struct vfk_err *err)
{
	struct eth_pf pf;
	struct candidate c = { .env = env,
			       .home = home,
			       .addr = addr,
			       .out = out,
			       .err = err,
			       .one_is_enough = true };

	return find_link(&c, &pf);
}

/* --- anywhere --------------------------------------------------------------------- */

struct search {
	pci_addr_t addr;
	struct link *out;
	bool any;
};

static int match(void *arg, const struct link *link, struct vfk_err *err)
{
	struct search *s = arg;

	(void)err;
	if (!link)
		s->any = false;
	else if (!s->any && eth_is_link_of(link, s->addr)) {
		*s->out = *link;
		s->any = true;
	}
	return 0;
}

int eth_link_in(struct vnl *nl, int32_t nsid, pci_addr_t addr, uint32_t hint,
		struct link *out, struct vfk_err *err)
{
	struct search s = { .addr = addr, .out = out };
	struct link_walk walk = { match, &s };
	struct vfk_err own;
	int rc;

	if (hint) {
		rc = link_get(nl, nsid, hint, NULL, out, err);
		if (rc < 0 || (rc > 0 && eth_is_link_of(out, addr)))
			return rc;
	}
	rc = link_each(nl, nsid, &walk, &own);
	if (rc == -VFK_E_KERNEL && nsid >= 0 && own.sys == EINVAL)
		return 0; /* of an id that names no namespace any more */
	if (rc < 0 && err)
		*err = own;
	return rc < 0 ? rc : s.any;
}

/* 1: its devices can be looked for; 0: it has none. */
static int look_at_function(const struct drv_env *env, pci_addr_t addr, pci_addr_t pf,
			    uint64_t incarnation, struct eth_vf *out, struct vfk_err *err)
{
	uint64_t now = pci_incarnation(env, addr);

	memset(out, 0, sizeof(*out));
	out->env = env;
	out->addr = addr;
	out->pf = pf;
	if (!now)
		return vfk_err_set(err, VFK_E_GONE, 0, "the VF is not on the bus");
	if (incarnation && now != incarnation)
		return vfk_err_set(err, VFK_E_GONE, 0, "the VF was made anew meanwhile");
	if (!pci_link(env, addr, "driver", out->driver, sizeof(out->driver)))
		out->driver[0] = '\0';
	out->user_driver = pci_user_driver(out->driver);
	if (!out->driver[0] || out->user_driver)
		return 0;
	rdma_look(env, addr, &out->rdma);
	if (!out->rdma.name[0]) {
		struct rdma_place of_pf;

		rdma_look(env, pf, &of_pf);
		out->no_rdma = !of_pf.name[0];
	}
	return 1;
}

int eth_look(const struct drv_env *env, struct vnl *home, pci_addr_t addr, pci_addr_t pf,
	     uint64_t incarnation, struct eth_vf *out, struct vfk_err *err)
{
	int rc = look_at_function(env, addr, pf, incarnation, out, err);

	if (rc > 0)
		rc = eth_link_at_home(env, home, addr, &out->link, err);
	out->link_home = rc > 0;
	return rc < 0 ? rc : 0;
}

int eth_look_among(const struct drv_env *env, struct vnl *home,
		   const struct link_list *links, pci_addr_t addr, pci_addr_t pf,
		   struct eth_vf *out, struct vfk_err *err)
{
	int rc = look_at_function(env, addr, pf, 0, out, err);

	/* One that came since, or is away, or not alone, is asked for by itself. */
	if (rc > 0 && !link_list_one(links, addr, eth_is_link_of, &out->link))
		rc = eth_link_at_home(env, home, addr, &out->link, err);
	out->link_home = rc > 0;
	return rc < 0 ? rc : 0;
}

bool eth_owes_rdma(const struct eth_vf *vf, const struct vf_baseline *base)
{
	return base->rdma_dev[0] && !vf->no_rdma;
}

bool eth_complete(const struct eth_vf *vf, const struct vf_baseline *base)
{
	if (!base->valid)
		return vf->driver[0] != '\0';
	return vf->driver[0] && (!base->driver[0] || !strcmp(vf->driver, base->driver)) &&
	       (vf->rdma.home || !eth_owes_rdma(vf, base)) &&
	       (vf->link_home || !base->ifname[0]);
}

bool eth_given_address(const struct vf_baseline *base)
{
	static const uint8_t none[MAC_LEN];

	return base->set.has & HAS_MAC && memcmp(base->set.mac, none, MAC_LEN) != 0 &&
	       memcmp(base->set.mac, base->hwaddr, MAC_LEN) != 0;
}

bool eth_address_is_right(const struct link *link, const struct vf_baseline *base)
{
	return base->hwaddr_len != link->hwaddr_len ||
	       !memcmp(link->hwaddr, base->hwaddr, base->hwaddr_len) ||
	       (eth_given_address(base) && !memcmp(link->hwaddr, base->set.mac, MAC_LEN));
}

uint32_t eth_cannot(const struct eth_vf *vf)
{
	uint32_t cannot = HAS_NODE_GUID | HAS_PORT_GUID | HAS_IPOIB_MODE | HAS_PKEY;

	if (!vf->rdma.name[0])
		cannot |= HAS_RDMA_ISOLATION;
	if (!pci_can_reset(vf->env, vf->addr))
		cannot |= HAS_SCRUB;
	return cannot;
}

void eth_seen(const struct eth_vf *vf, const struct vf_settings *on_pf,
	      struct vf_baseline *out)
{
	memset(out, 0, sizeof(*out));
	out->valid = true;
	out->set = *on_pf;
	snprintf(out->driver, sizeof(out->driver), "%s", vf->driver);
	snprintf(out->rdma_dev, sizeof(out->rdma_dev), "%s", vf->rdma.name);
	if (!vf->link_home)
		return;
	out->set.has |= HAS_MTU | HAS_PROMISC | HAS_ALLMULTI;
	out->set.mtu_bytes = vf->link.mtu_bytes;
	out->set.promisc = (vf->link.flags & IFF_PROMISC) != 0;
	out->set.allmulti = (vf->link.flags & IFF_ALLMULTI) != 0;
	memcpy(out->ifname, vf->link.ifname, sizeof(out->ifname));
	out->hwaddr_len = vf->link.hwaddr_len;
	memcpy(out->hwaddr, vf->link.hwaddr, sizeof(out->hwaddr));
}
