/* SPDX-License-Identifier: Apache-2.0 */
/* The infiniband driver's operations. */
#include "drivers/ib.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/registry.h"
#include "drivers/sysfs.h"
#include "drivers/vfinfo.h"

#define MARGIN_NS NS_PER_S /* left of a deadline for saying that it has passed */

static int any_pf(void *arg, pci_addr_t addr)
{
	return ib_is_pf(arg, addr);
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
	bool links;		 /* it has an IPoIB link, and so have its VFs */
	struct vf_settings *set; /* by index: what the PF holds */
	unsigned n_set, n_vfs;
};

/* Numbers of enum port_state (fsm/port.h). */
static uint8_t port_state(const char *text)
{
	switch (atoi(text)) { /* "4: ACTIVE" */
	case 1:
		return 2;
	case 2: /* INIT */
	case 3: /* ARMED */
		return 3;
	case 4:
	case 5: /* ACTIVE_DEFER */
		return 4;
	default:
		return 1;
	}
}

static void look_at_ports(const struct drv_env *env, pci_addr_t pf, struct drv_pf *out)
{
	char rdma[64], attr[120], text[32];

	out->n_ports = 1;
	out->port_state[0] = 1;
	if (!pci_first_name(env, pf, "infiniband", rdma, sizeof(rdma)))
		return;
	for (unsigned i = 0; i < VFK_ARRAY_SIZE(out->port_state); i++) {
		snprintf(attr, sizeof(attr), "infiniband/%s/ports/%u/state", rdma, i + 1);
		if (!pci_attr(env, pf, attr, text, sizeof(text)))
			break;
		out->n_ports = (uint8_t)(i + 1);
		out->port_state[i] = port_state(text);
	}
}

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

	if (index < d->n_set)
		d->set[index] = *set;
}

static void describe_vf(const struct discovery *d, const struct ib_vf *vf,
			struct drv_vf *out)
{
	out->bound = vf->driver[0] != '\0';
	out->cannot = ib_cannot(vf);
	out->ifindex = vf->link_home ? vf->link.ifindex : 0;
	if (vf->driver[0] && !vf->user_driver &&
	    (!vf->rdma.home || (d->links && !vf->link_home))) {
		out->where = WHERE_ELSEWHERE;
		return;
	}
	out->where = WHERE_HOME;
	ib_seen(vf, &out->seen);
	if (d->set[out->index].has & HAS_LINK_STATE) {
		out->seen.set.has |= HAS_LINK_STATE;
		out->seen.set.link_state = d->set[out->index].link_state;
	}
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
	struct ib_vf vf;
	char pci[PCI_STRLEN];
	int rc;

	if (index >= d->n_set) /* made since they were counted: the next round's */
		return 0;
	rc = ib_look_among(d->env, d->home, &d->at_home, addr, d->pf, &vf, &why);
	if (rc >= 0)
		describe_vf(d, &vf, &found);
	else if (rc == -VFK_E_GONE)
		return 0;
	else
		log_warn("ib", "vf=%s cannot be looked at: %s", pci_format(addr, pci),
			 why.msg);
	return d->vf_fn(d->arg, &found);
}

static int give_pf(struct discovery *d, pci_addr_t addr)
{
	struct drv_pf pf = { .addr = addr };
	struct vfk_err why;
	struct link link;
	char pci[PCI_STRLEN];
	int rc = ib_link_at_home(d->env, d->home, addr, &link, d->err);

	if (rc < 0)
		return rc;
	d->pf = addr;
	d->links = rc > 0;
	d->n_set = d->n_vfs = 0;
	pci_each_vf(d->env, addr, count_vf, d);
	if (d->links)
		memcpy(pf.ifname, link.ifname, sizeof(pf.ifname));
	pf.n_vfs = (uint16_t)d->n_vfs;
	look_at_ports(d->env, addr, &pf);
	rc = d->pf_fn(d->arg, &pf);
	if (rc < 0 || !d->n_vfs)
		return rc;
	d->set = calloc(d->n_set, sizeof(*d->set));
	if (!d->set)
		return vfk_err_set(d->err, VFK_E_NOMEM, 0, "list the VFs of a PF");
	/* What the PF holds: without it a baseline has no link state. */
	if (d->links && vfinfo_each(d->home, link.ifindex, take_settings, d, &why) < 0)
		log_warn("ib", "pf=%s: %s", pci_format(addr, pci), why.msg);
	rc = pci_each_vf(d->env, addr, give_vf, d);
	free(d->set);
	d->set = NULL;
	return rc;
}

static int take_pf(void *arg, pci_addr_t addr)
{
	struct discovery *d = arg;

	if (!ib_is_pf(d->env, addr))
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
		log_info("ib", "%s: each VF is asked for by itself", why.msg);
	for (size_t i = 0; rc >= 0 && i < d.n_pfs; i++)
		rc = give_pf(&d, d.pfs[i]);
	link_list_free(&d.at_home);
	free(d.pfs);
	return rc < 0 ? rc : 0;
}

/* --- one VF --------------------------------------------------------------------- */

static const struct {
	int (*fn)(struct ib_job *job, struct vfk_err *err);
} steps[] = {
	[STEP_SETTINGS] = { ib_settings },
	[STEP_REBIND] = { ib_rebind },
	[STEP_RDMA_TO_POD] = { ib_rdma_to_pod },
	[STEP_LINK_TO_POD] = { ib_link_to_pod },
	[STEP_LINK_SETTINGS] = { ib_link_settings },
	[STEP_ADDRESSES] = { ib_addresses },
	[STEP_LINK_HOME] = { ib_link_home },
	[STEP_RDMA_HOME] = { ib_rdma_home },
	[STEP_SETTINGS_HOME] = { ib_settings_home },
	[STEP_REBIND_HOME] = { ib_rebind_home },
	[STEP_LINK_BASELINE] = { ib_link_baseline },
	[STEP_VERIFY] = { ib_verify },
};

static int step(enum drv_step number, const struct drv_call *call, struct drv_out *out,
		struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct ib_job job = { .call = call,
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
		rc = ib_look(call->env, home, call->addr, call->pf, call->incarnation,
			     &job.vf, err);
	if (rc >= 0)
		rc = steps[number].fn(&job, err);
	return rc < 0 ? vfk_err_wrap(err, "VF %s", pci_format(call->addr, pci)) : 0;
}

struct scan {
	struct vnl *home;
	const struct drv_call *call;
	struct link *out;
	int32_t nsid; /* where it is */
};

static int scan_one(void *arg, int32_t nsid, struct vfk_err *err)
{
	struct scan *s = arg;

	s->nsid = nsid;
	return ib_link_in(s->home, nsid, s->call->addr, 0, s->out, err);
}

/* A bound VF whose link is not at home. */
static int look_away(struct vnl *home, const struct drv_call *call, int32_t nsid,
		     struct drv_out *out, struct vfk_err *err)
{
	struct link link;
	struct scan scan = { home, call, &link, -1 };
	int32_t pod = nsid;
	int rc = 0;

	if (call->netns_fd >= 0)
		rc = netns_id(home, call->netns_fd, &pod, err);
	if (rc >= 0 && pod >= 0)
		rc = ib_link_in(home, pod, call->addr, call->ifindex, &link, err);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		out->where = WHERE_IN_POD;
	} else {
		rc = netns_id_each(home, scan_one, &scan, err);
		if (rc < 0)
			return rc;
		out->where = rc > 0 ? WHERE_ELSEWHERE : WHERE_UNKNOWN;
		if (rc > 0)
			addr_list(home, scan.nsid, link.ifindex, out);
	}
	if (rc > 0)
		out->ifindex = link.ifindex;
	return 0;
}

/* What only the PF could tell is as it was: a list of its VFs costs too much here.  But a VF
 * without a baseline is seen for the first time, and what is not seen is never put back. */
static void see_link_state(const struct drv_call *call, struct vnl *home,
			   struct vf_settings *seen)
{
	struct vfk_err why;
	struct link pf;
	char pci[PCI_STRLEN];
	int rc = call->baseline.set.has & HAS_LINK_STATE;

	seen->link_state = call->baseline.set.link_state;
	if (!call->baseline.valid) {
		rc = ib_link_at_home(call->env, home, call->pf, &pf, &why);
		if (rc > 0)
			rc = ib_link_state(home, &pf, call->index, &seen->link_state, &why);
		if (rc < 0)
			log_warn("ib", "vf=%s has no link state in its baseline: %s",
				 pci_format(call->addr, pci), why.msg);
	}
	if (rc > 0)
		seen->has |= HAS_LINK_STATE;
}

static int look(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		struct vfk_err *err)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	struct ib_vf vf;
	struct link pf_link;
	int rc = vnl_open(&home, NETLINK_ROUTE, -1, err);

	if (rc >= 0)
		rc = netns_id_alive(home, nsid, &out->nsid_alive, err);
	if (rc >= 0)
		rc = ib_look(call->env, home, call->addr, call->pf, call->incarnation,
			     &vf, err);
	if (rc < 0)
		return rc;
	out->cannot = ib_cannot(&vf);
	if (!vf.driver[0])
		return 0; /* unknown: whoever took the driver off may put it back */
	if (vf.user_driver) {
		out->where = WHERE_HOME;
		ib_seen(&vf, &out->seen);
		see_link_state(call, home, &out->seen.set);
		return 0;
	}
	if (!vf.link_home) {
		rc = ib_link_at_home(call->env, home, call->pf, &pf_link, err);
		if (rc > 0)
			return look_away(home, call, nsid, out, err);
		if (rc < 0)
			return rc;
	}
	/* Only an RDMA device that somebody took away is not where the VF's link is. */
	out->where = vf.rdma.home || nsid >= 0 ? WHERE_HOME : WHERE_ELSEWHERE;
	out->ifindex = vf.link.ifindex;
	ib_seen(&vf, &out->seen);
	see_link_state(call, home, &out->seen.set);
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
	if (!pci_parse(link.parent_dev, addr) || !ib_is_link_of(&link, *addr) ||
	    !pci_link(env, *addr, "physfn", physfn, sizeof(physfn)) ||
	    !pci_parse(physfn, &pf) || !ib_is_pf(env, pf))
		*addr = PCI_NONE;
	return 0;
}

static int ports(const struct drv_env *env, pci_addr_t pf, struct drv_pf *out,
		 struct vfk_err *err)
{
	if (!ib_is_pf(env, pf))
		return vfk_err_set(err, VFK_E_GONE, 0, "the PF is not on the bus");
	look_at_ports(env, pf, out);
	return 0;
}

const struct driver ib_driver = {
	.name = "infiniband",
	.guard_path = guard_path,
	.discover = discover,
	.ports = ports,
	.step = step,
	.observe = observe,
	.identify = identify,
};
