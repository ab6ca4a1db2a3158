/* SPDX-License-Identifier: Apache-2.0 */
/* Where a VF's devices are and what they are, from sysfs and the links of a namespace. */
#include "drivers/ib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_arp.h>

#include "drivers/sysfs.h"
#include "drivers/vfinfo.h"

#define CLASS_INFINIBAND 0x0207
#define IPOIB_LEN 20
#define IPOIB_GUID 12 /* where in the address the port's GUID begins */
#define ATTR_BYTES 160

bool ib_parse_guid(const char *text, uint64_t *out)
{
	uint64_t guid = 0;
	unsigned n = 0;

	for (; *text; text++) {
		const char *at, *digits = "0123456789abcdef";

		if (*text == ':')
			continue;
		at = strchr(digits, *text | 0x20);
		if (!at || ++n > 16)
			return false;
		guid = guid << 4 | (uint64_t)(at - digits);
	}
	*out = guid;
	return n == 16;
}

uint64_t ib_guid_of_link(const struct link *link)
{
	uint64_t guid = 0;

	for (unsigned i = IPOIB_GUID; link->hwaddr_len == IPOIB_LEN && i < IPOIB_LEN; i++)
		guid = guid << 8 | link->hwaddr[i];
	return guid;
}

bool ib_is_pf(const struct drv_env *env, pci_addr_t addr)
{
	uint64_t class, total;

	return pci_attr_number(env, addr, "class", &class) &&
	       class >> 8 == CLASS_INFINIBAND &&
	       pci_attr_number(env, addr, "sriov_totalvfs", &total) && total > 0;
}

bool ib_is_link_of(const struct link *link, pci_addr_t addr)
{
	char pci[PCI_STRLEN];

	/* A child for another partition has the same parent, and a link below it. */
	return link->hwaddr_len == IPOIB_LEN && !strcmp(link->parent_bus, "pci") &&
	       !strcmp(link->parent_dev, pci_format(addr, pci)) &&
	       (!link->peer || link->peer == link->ifindex);
}

struct candidate {
	const struct drv_env *env;
	struct vnl *home;
	pci_addr_t addr;
	struct link *out;
	struct vfk_err *err;
	uint64_t port; /* of the one that was found */
	bool any;
};

static int consider(void *arg, const char *name)
{
	struct candidate *c = arg;
	char attr[ATTR_BYTES];
	uint64_t index, type, port = 0;
	struct link link;
	int rc;

	snprintf(attr, sizeof(attr), "net/%s/type", name);
	if (!pci_attr_number(c->env, c->addr, attr, &type) || type != ARPHRD_INFINIBAND)
		return 0;
	snprintf(attr, sizeof(attr), "net/%s/ifindex", name);
	if (!pci_attr_number(c->env, c->addr, attr, &index) || index > UINT32_MAX)
		return 0;
	snprintf(attr, sizeof(attr), "net/%s/dev_port", name);
	(void)pci_attr_number(c->env, c->addr, attr, &port);
	if (c->any && port >= c->port)
		return 0;
	/* The index and the kernel's word whose it is; the name was a way to it. */
	rc = link_get(c->home, LINK_HERE, (uint32_t)index, NULL, &link, c->err);
	if (rc < 0)
		return rc;
	if (rc > 0 && ib_is_link_of(&link, c->addr)) {
		*c->out = link;
		c->port = port;
		c->any = true;
	}
	return 0;
}

int ib_link_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		    struct link *out, struct vfk_err *err)
{
	struct candidate c = {
		.env = env, .home = home, .addr = addr, .out = out, .err = err
	};
	int rc = pci_each_name(env, addr, "net", consider, &c);

	return rc < 0 ? rc : c.any;
}

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
	else if (!s->any && ib_is_link_of(link, s->addr)) {
		*s->out = *link;
		s->any = true;
	}
	return 0;
}

int ib_link_in(struct vnl *nl, int32_t nsid, pci_addr_t addr, uint32_t hint,
	       struct link *out, struct vfk_err *err)
{
	struct search s = { .addr = addr, .out = out };
	struct link_walk walk = { match, &s };
	struct vfk_err own;
	int rc;

	if (hint) {
		rc = link_get(nl, nsid, hint, NULL, out, err);
		if (rc < 0 || (rc > 0 && ib_is_link_of(out, addr)))
			return rc;
	}
	rc = link_each(nl, nsid, &walk, &own);
	if (rc == -VFK_E_KERNEL && nsid >= 0 && own.sys == EINVAL)
		return 0; /* of an id that names no namespace any more */
	if (rc < 0 && err)
		*err = own;
	return rc < 0 ? rc : s.any;
}

/* --- the RDMA device -------------------------------------------------------------- */

static void look_for_rdma(struct ib_vf *vf)
{
	char attr[ATTR_BYTES], text[64];

	rdma_look(vf->env, vf->addr, &vf->rdma);
	if (!vf->rdma.home)
		return;
	snprintf(attr, sizeof(attr), "infiniband/%s/node_guid", vf->rdma.name);
	vf->has_node_guid = pci_attr(vf->env, vf->addr, attr, text, sizeof(text)) &&
			    ib_parse_guid(text, &vf->node_guid);
	/* fe80:0000:0000:0000: and the GUID */
	snprintf(attr, sizeof(attr), "infiniband/%s/ports/1/gids/0", vf->rdma.name);
	vf->has_port_guid = pci_attr(vf->env, vf->addr, attr, text, sizeof(text)) &&
			    strlen(text) == 39 && ib_parse_guid(text + 20, &vf->port_guid);
}

/* 1: its devices can be looked for; 0: it has none. */
static int look_at_function(const struct drv_env *env, pci_addr_t addr, pci_addr_t pf,
			    uint64_t incarnation, struct ib_vf *out, struct vfk_err *err)
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
	look_for_rdma(out);
	return 1;
}

int ib_look(const struct drv_env *env, struct vnl *home, pci_addr_t addr, pci_addr_t pf,
	    uint64_t incarnation, struct ib_vf *out, struct vfk_err *err)
{
	int rc = look_at_function(env, addr, pf, incarnation, out, err);

	if (rc > 0)
		rc = ib_link_at_home(env, home, addr, &out->link, err);
	out->link_home = rc > 0;
	return rc < 0 ? rc : 0;
}

int ib_look_among(const struct drv_env *env, struct vnl *home,
		  const struct link_list *links, pci_addr_t addr, pci_addr_t pf,
		  struct ib_vf *out, struct vfk_err *err)
{
	int rc = look_at_function(env, addr, pf, 0, out, err);

	/* One that came since, or is away, or not alone, is asked for by itself. */
	if (rc > 0 && !link_list_one(links, addr, ib_is_link_of, &out->link))
		rc = ib_link_at_home(env, home, addr, &out->link, err);
	out->link_home = rc > 0;
	return rc < 0 ? rc : 0;
}

bool ib_complete(const struct ib_vf *vf, const struct vf_baseline *base)
{
	return vf->driver[0] && (vf->rdma.home || (base->valid && !base->rdma_dev[0])) &&
	       (vf->link_home || (base->valid && !base->ifname[0]));
}

uint32_t ib_cannot(const struct ib_vf *vf)
{
	uint32_t cannot = HAS_MAC | HAS_VLAN | HAS_MIN_TX | HAS_MAX_TX | HAS_SPOOFCHK |
			  HAS_TRUST;

	if (vf->user_driver)
		cannot |= HAS_RDMA_ISOLATION;
	if (vf->user_driver || !pci_can_reset(vf->env, vf->addr))
		cannot |= HAS_SCRUB;
	return cannot;
}

void ib_seen(const struct ib_vf *vf, struct vf_baseline *out)
{
	memset(out, 0, sizeof(*out));
	out->valid = true;
	snprintf(out->driver, sizeof(out->driver), "%s", vf->driver);
	snprintf(out->rdma_dev, sizeof(out->rdma_dev), "%s", vf->rdma.name);
	if (vf->has_node_guid) {
		out->set.has |= HAS_NODE_GUID;
		out->set.node_guid = vf->node_guid;
	}
	if (vf->has_port_guid) {
		out->set.has |= HAS_PORT_GUID;
		out->set.port_guid = vf->port_guid;
	}
	if (!vf->link_home)
		return;
	out->set.has |= HAS_MTU | HAS_PROMISC | HAS_ALLMULTI | HAS_IPOIB_MODE;
	out->set.mtu_bytes = vf->link.mtu_bytes;
	out->set.promisc = (vf->link.flags & IFF_PROMISC) != 0;
	out->set.allmulti = (vf->link.flags & IFF_ALLMULTI) != 0;
	out->set.ipoib_mode = (uint8_t)vf->link.ipoib_mode;
	memcpy(out->ifname, vf->link.ifname, sizeof(out->ifname));
	out->hwaddr_len = vf->link.hwaddr_len;
	memcpy(out->hwaddr, vf->link.hwaddr, sizeof(out->hwaddr));
}

struct policy {
	uint16_t index;
	bool any;
	uint8_t *value;
};

static void take_policy(void *arg, uint16_t index, const struct vf_settings *set)
{
	struct policy *p = arg;

	if (index != p->index || !(set->has & HAS_LINK_STATE))
		return;
	p->any = true;
	*p->value = set->link_state;
}

int ib_link_state(struct vnl *home, const struct link *pf, uint16_t index, uint8_t *out,
		  struct vfk_err *err)
{
	struct policy p = { .index = index, .value = out };
	int rc = vfinfo_each(home, pf->ifindex, take_policy, &p, err);

	return rc < 0 ? rc : p.any;
}
