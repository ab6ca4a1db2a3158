/* SPDX-License-Identifier: Apache-2.0 */
/* The ethernet driver's operations. */
#include "drivers/eth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/registry.h"
#include "drivers/sysfs.h"
#include "drivers/vfinfo.h"

#define MARGIN_NS NS_PER_S /* left of a deadline for saying that it has passed */

/* Numbers of enum port_state (fsm/port.h). */
enum { PORT_IS_UNKNOWN = 1, PORT_IS_DOWN = 2, PORT_IS_ACTIVE = 4 };

static int any_pf(void *arg, pci_addr_t addr)
{
	return eth_is_pf(arg, addr);
}

static void guard_path(const struct drv_env *env, char *out, size_t cap_bytes)
{
	/* Whoever serves VFs of this bus; nothing to keep anybody from without cards. */
	out[0] = '\0';
	if (pci_each(env, any_pf, (void *)(uintptr_t)env))
		snprintf(out, cap_bytes, "%s/bus/pci/rescan", env->sysfs_root);
}

/* --- discover ------------------------------------------------------------------- */

struct discovery {
	const struct drv_env *env;
	struct vnl *home;
	struct link_list at_home; /* when it began */
	int (*pf_fn)(void *arg, const struct drv_pf *pf);
	int (*vf_fn)(void *arg, const struct drv_vf *vf);
	void *arg;
	struct vfk_err *err;
	size_t n_pfs, cap_pfs;
	pci_addr_t *pfs;
	/* of the PF at hand */
	pci_addr_t pf;
	struct vf_settings *set; /* by index: what the PF holds */
	unsigned n_set, n_vfs;
};

static int count_vf(void *arg, uint16_t index, pci_addr_t addr)
{
	struct discovery *d = arg;

	(void)addr;
	d->n_vfs++;
	if (index >= d->n_set)
		d->n_set = index + 1u;
	return 0;
}

static void take_settings(void *arg, uint16_t index, const struct vf_settings *set)
{
	struct discovery *d = arg;

	if (index >= d->n_set)
		return;
	d->set[index] = *set;
	d->set[index].has &= VFINFO_ETHERNET;
}

/* A driver of the kernel's, and what it made is not here: somebody has it. */
static bool is_away(const struct eth_vf *vf)
{
	return vf->driver[0] && !vf->user_driver &&
	       (!vf->link_home || (vf->rdma.name[0] && !vf->rdma.home));
}

static int give_vf(void *arg, uint16_t index, pci_addr_t addr)
{
	struct discovery *d = arg;
	struct drv_vf found = { .addr = addr,
				.pf = d->pf,
				.index = index,
				.incarnation = pci_incarnation(d->env, addr),
				.where = WHERE_UNKNOWN };
	struct vfk_err why;
	struct eth_vf vf;
	char pci[PCI_STRLEN];
	int rc;

	if (index >= d->n_set) /* made since they were counted: the next round's */
		return 0;
	rc = eth_look_among(d->env, d->home, &d->at_home, addr, d->pf, &vf, &why);
	if (rc == -VFK_E_GONE)
		return 0;
	if (rc < 0) {
		log_warn("ethernet", "vf=%s cannot be looked at: %s",
			 pci_format(addr, pci), why.msg);
	} else {
		found.bound = vf.driver[0] != '\0';
		found.cannot = eth_cannot(&vf);
		found.ifindex = vf.link_home ? vf.link.ifindex : 0;
		found.where = is_away(&vf) ? WHERE_ELSEWHERE : WHERE_HOME;
		if (found.where == WHERE_HOME)
			eth_seen(&vf, &d->set[index], &found.seen);
	}
	return d->vf_fn(d->arg, &found);
}

/* 1: its link is at home. */
static int look_at_pf(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		      struct drv_pf *out, struct eth_pf *pf, struct vfk_err *err)
{
	char attr[64], text[8];
	int rc = eth_pf_at_home(env, home, addr, pf, err);

	memset(out, 0, sizeof(*out));
	out->addr = addr;
	out->n_ports = 1;
	out->port_state[0] = PORT_IS_UNKNOWN;
	if (rc <= 0)
		return rc;
	out->port_state[0] = PORT_IS_DOWN;
	memcpy(out->ifname, pf->link.ifname, sizeof(out->ifname));
	snprintf(attr, sizeof(attr), "net/%s/carrier", pf->link.ifname);
	if (pci_attr(env, addr, attr, text, sizeof(text)) && text[0] == '1')
		out->port_state[0] = PORT_IS_ACTIVE;
	return 1;
}

static int give_pf(struct discovery *d, pci_addr_t addr)
{
	struct vfk_err why;
	struct drv_pf found;
	struct eth_pf pf;
	char pci[PCI_STRLEN];
	bool has_link;
	int rc = look_at_pf(d->env, d->home, addr, &found, &pf, d->err);

	if (rc < 0)
		return rc;
	has_link = rc > 0;
	d->pf = addr;
	d->n_set = d->n_vfs = 0;
	pci_each_vf(d->env, addr, count_vf, d);
	found.n_vfs = (uint16_t)d->n_vfs;
	rc = d->pf_fn(d->arg, &found);
	if (rc < 0 || !d->n_vfs)
		return rc;
	d->set = calloc(d->n_set, sizeof(*d->set));
	if (!d->set)
		return vfk_err_set(d->err, VFK_E_NOMEM, 0, "list the VFs of a PF");
	/* Without it a baseline has no settings, and an ADD that wants some is refused. */
	if (has_link && vfinfo_each(d->home, pf.link.ifindex, take_settings, d, &why) < 0)
		log_warn("ethernet", "pf=%s: %s", pci_format(addr, pci), why.msg);
	rc = pci_each_vf(d->env, addr, give_vf, d);
	free(d->set);
	d->set = NULL;
	return rc;
}

static int ports(const struct drv_env *env, pci_addr_t addr, struct drv_pf *out,
		 struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct drv_pf seen;
	struct eth_pf pf;
	char pci[PCI_STRLEN];
	int rc;

	if (!eth_is_pf(env, addr))
		return vfk_err_set(err, VFK_E_GONE, 0, "PF %s is not on the bus",
				   pci_format(addr, pci));
	rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
	if (rc >= 0)
		rc = look_at_pf(env, home, addr, &seen, &pf, err);
	if (rc < 0)
		return rc;
	out->n_ports = seen.n_ports;
	memcpy(out->port_state, seen.port_state, sizeof(out->port_state));
	return 0;
}

static int take_pf(void *arg, pci_addr_t addr)
{
	struct discovery *d = arg;

	if (!eth_is_pf(d->env, addr))
		return 0;
	if (d->n_pfs == d->cap_pfs) {
		size_t cap = d->cap_pfs ? d->cap_pfs * 2 : 16;
		pci_addr_t *grown = realloc(d->pfs, cap * sizeof(*grown));

		if (!grown)
			return vfk_err_set(d->err, VFK_E_NOMEM, 0, "list the PFs");
		d->pfs = grown;
		d->cap_pfs = cap;
	}
	d->pfs[d->n_pfs++] = addr;
	return 0;
}

static int discover(const struct drv_env *env,
		    int (*pf)(void *arg, const struct drv_pf *pf),
		    int (*vf)(void *arg, const struct drv_vf *vf), void *arg,
		    struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct discovery d = { .env = env, .pf_fn = pf, .vf_fn = vf, .arg = arg, .err = err };
	struct vfk_err why;
	int rc = pci_each(env, take_pf, &d);

	if (rc >= 0 && d.n_pfs)
		rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
	d.home = home;
	/* Once for all: each question takes the lock that moves wait for, too. */
	if (home && link_list_read(home, &d.at_home, &why) < 0)
		log_info("ethernet", "%s: each VF is asked for by itself", why.msg);
	for (size_t i = 0; rc >= 0 && i < d.n_pfs; i++)
		rc = give_pf(&d, d.pfs[i]);
	link_list_free(&d.at_home);
	free(d.pfs);
	return rc < 0 ? rc : 0;
}

/* --- one VF --------------------------------------------------------------------- */

static const struct {
	int (*fn)(struct eth_job *job, struct vfk_err *err);
} steps[] = {
	[STEP_SETTINGS] = { eth_settings },
	[STEP_REBIND] = { eth_rebind },
	[STEP_RDMA_TO_POD] = { eth_rdma_to_pod },
	[STEP_LINK_TO_POD] = { eth_link_to_pod },
	[STEP_LINK_SETTINGS] = { eth_link_settings },
	[STEP_ADDRESSES] = { eth_addresses },
	[STEP_LINK_HOME] = { eth_link_home },
	[STEP_RDMA_HOME] = { eth_rdma_home },
	[STEP_SETTINGS_HOME] = { eth_settings_home },
	[STEP_REBIND_HOME] = { eth_rebind_home },
	[STEP_LINK_BASELINE] = { eth_link_baseline },
	[STEP_VERIFY] = { eth_verify },
};

static int step(enum drv_step number, const struct drv_call *call, struct drv_out *out,
		struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct eth_job job = { .call = call,
			       .out = out,
			       .until_ns = call->deadline_boot_ns - MARGIN_NS };
	char pci[PCI_STRLEN];
	int rc;

	memset(out, 0, sizeof(*out));
	out->nsid = -1;
	if ((unsigned)number >= VFK_ARRAY_SIZE(steps) || !steps[number].fn)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "no step has number %d",
				   (int)number);
	rc = vnl_open(&home, NETLINK_ROUTE, -1, err);
	job.home = home;
	if (rc >= 0)
		rc = eth_look(call->env, home, call->addr, call->pf, call->incarnation,
			      &job.vf, err);
	if (rc >= 0)
		rc = steps[number].fn(&job, err);
	return rc < 0 ? vfk_err_wrap(err, "VF %s", pci_format(call->addr, pci)) : 0;
}

struct scan {
	struct vnl *home;
	const struct drv_call *call;
	struct link *out;
};

static int scan_one(void *arg, int32_t nsid, struct vfk_err *err)
{
	struct scan *s = arg;

	return eth_link_in(s->home, nsid, s->call->addr, 0, s->out, err);
}

/* A bound VF whose link is not at home. */
static int look_away(struct vnl *home, const struct drv_call *call, int32_t nsid,
		     struct drv_out *out, struct vfk_err *err)
{
	struct link link;
	struct scan scan = { home, call, &link };
	int32_t pod = nsid;
	int rc = 0;

	if (call->netns_fd >= 0)
		rc = netns_id(home, call->netns_fd, &pod, err);
	if (rc >= 0 && pod >= 0)
		rc = eth_link_in(home, pod, call->addr, call->ifindex, &link, err);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		out->where = WHERE_IN_POD;
	} else {
		rc = netns_id_each(home, scan_one, &scan, err);
		if (rc < 0)
			return rc;
		out->where = rc > 0 ? WHERE_ELSEWHERE : WHERE_UNKNOWN;
	}
	if (rc > 0)
		out->ifindex = link.ifindex;
	return 0;
}

/* Present settings; of an ADD's VF for CHECK. */
static int look_at_settings(struct vnl *home, const struct drv_call *call,
			    struct vf_settings *set, struct vfk_err *err)
{
	struct eth_pf pf;
	int rc = eth_pf_at_home(call->env, home, call->pf, &pf, err);

	memset(set, 0, sizeof(*set));
	return rc <= 0 ? rc : eth_on_pf(home, &pf.link, call->index, set, err);
}

static int look(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct vf_settings set;
	struct eth_vf vf;
	int rc = vnl_open(&home, NETLINK_ROUTE, -1, err);

	if (rc >= 0)
		rc = netns_id_alive(home, nsid, &out->nsid_alive, err);
	if (rc >= 0)
		rc = eth_look(call->env, home, call->addr, call->pf, call->incarnation,
			      &vf, err);
	if (rc >= 0)
		rc = look_at_settings(home, call, &set, err);
	if (rc < 0)
		return rc;
	out->cannot = eth_cannot(&vf);
	if (!vf.driver[0])
		return 0; /* unknown: whoever took the driver off may put it back */
	if (!vf.user_driver && !vf.link_home) {
		out->seen.valid = true;
		out->seen.set = set;
		return look_away(home, call, nsid, out, err);
	}
	/* Only an RDMA device that somebody took away is not where the VF's link is. */
	out->where = nsid < 0 && is_away(&vf) ? WHERE_ELSEWHERE : WHERE_HOME;
	out->ifindex = vf.link_home ? vf.link.ifindex : 0;
	eth_seen(&vf, &set, &out->seen);
	return 0;
}

static int observe(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		   struct vfk_err *err)
{
	struct vfk_err own = { 0 };
	char pci[PCI_STRLEN];
	int rc;

	memset(out, 0, sizeof(*out));
	out->nsid = -1;
	rc = look(call, nsid, out, &own);
	if (rc == -VFK_E_GONE) {
		out->where = WHERE_GONE;
		return 0;
	}
	if (rc < 0) {
		if (err)
			*err = own;
		return vfk_err_wrap(err, "VF %s", pci_format(call->addr, pci));
	}
	return 0;
}

static int identify(const struct drv_env *env, int netns_fd, const char *ifname,
		    pci_addr_t *addr, struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *pod = NULL;
	char physfn[PCI_STRLEN];
	struct link link;
	pci_addr_t pf;
	int rc = vnl_open(&pod, NETLINK_ROUTE, netns_fd, err);

	*addr = PCI_NONE;
	if (rc >= 0)
		rc = link_get(pod, LINK_HERE, 0, ifname, &link, err);
	if (rc <= 0)
		return rc;
	/* The parent is the kernel's word: nobody in a pod can change it. */
	if (!pci_parse(link.parent_dev, addr) || !eth_is_link_of(&link, *addr) ||
	    !pci_link(env, *addr, "physfn", physfn, sizeof(physfn)) ||
	    !pci_parse(physfn, &pf) || !eth_is_pf(env, pf))
		*addr = PCI_NONE;
	return 0;
}

const struct driver eth_driver = {
	.name = "ethernet",
	.guard_path = guard_path,
	.discover = discover,
	.ports = ports,
	.step = step,
	.observe = observe,
	.identify = identify,
};
