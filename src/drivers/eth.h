/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the ethernet driver: VFs of Ethernet cards, bound to a driver of the kernel's
 * (with a link, and an RDMA device where the card has RoCE) or to one for user space (with
 * neither).  What each step does: vfkeeper-drivers(7).  Layer: drivers. */
#ifndef VFK_DRIVERS_ETH_H
#define VFK_DRIVERS_ETH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/driver.h"
#include "drivers/link.h"
#include "drivers/link_list.h"
#include "drivers/rdma.h"
#include "io/nl.h"

/* --- eth_look.c: what there is ------------------------------------------------------ */

/* A VF as sysfs and the home namespace show it at one moment. */
struct eth_vf {
	const struct drv_env *env;
	pci_addr_t addr, pf;
	char driver[24];  /* "": none */
	bool user_driver; /* that is one for user space: no devices of the kernel's */
	struct rdma_place rdma;
	bool no_rdma;	/* nor has its PF one: the driver of RDMA devices is not loaded */
	bool link_home; /* 'link' is there, in the home namespace */
	struct link link;
};

struct eth_pf {
	struct link link;
	bool switchdev; /* its VFs have representors */
};

/* Looks at VF 'addr' of 'pf'.  VFK_E_GONE: it is not on the bus, or another incarnation (0:
 * any). */
int eth_look(const struct drv_env *env, struct vnl *home, pci_addr_t addr, pci_addr_t pf,
	     uint64_t incarnation, struct eth_vf *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise for one VF of many: its link is looked for among those of home first. */
int eth_look_among(const struct drv_env *env, struct vnl *home,
		   const struct link_list *links, pci_addr_t addr, pci_addr_t pf,
		   struct eth_vf *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Whether the VF has to have an RDMA device at home by its baseline. */
bool eth_owes_rdma(const struct eth_vf *vf, const struct vf_baseline *base);
/* Whether what the VF has by its baseline is at home. */
bool eth_complete(const struct eth_vf *vf, const struct vf_baseline *base);
/* Whether the PF is one of ours: a network card that is not InfiniBand, with VFs that it
 * could have. */
bool eth_is_pf(const struct drv_env *env, pci_addr_t addr);
/* The link of a PF at home: of several the uplink, never a VF's representor.  1, 0: it has
 * none there. */
int eth_pf_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		   struct eth_pf *out, struct vfk_err *err) VFK_MUST_CHECK;
/* The link of a VF at home; likewise. */
int eth_link_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		     struct link *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise in the namespace of 'nl', or the one with this nsid there. */
int eth_link_in(struct vnl *nl, int32_t nsid, pci_addr_t addr, uint32_t hint,
		struct link *out, struct vfk_err *err) VFK_MUST_CHECK;
bool eth_is_link_of(const struct link *link, pci_addr_t addr);
/* Whether the baseline has an address of the PF's that is not the one of its link. */
bool eth_given_address(const struct vf_baseline *base);
/* Whether the link has the address of the baseline: its own, or the one of the PF's. */
bool eth_address_is_right(const struct link *link, const struct vf_baseline *base);
/* Settings that the VF can never honour, as bits of enum vf_has. */
uint32_t eth_cannot(const struct eth_vf *vf);
/* What is set, for a baseline; 'on_pf': what the PF holds for it. */
void eth_seen(const struct eth_vf *vf, const struct vf_settings *on_pf,
	      struct vf_baseline *out);

/* --- steps -------------------------------------------------------------------------- */

/* What a step works with. */
struct eth_job {
	const struct drv_call *call;
	struct drv_out *out;
	struct vnl *home;
	struct eth_vf vf;
	int64_t until_ns; /* to be waited to at most */
};

/* An error that goes away by itself: the VF or its PF is being reset. */
bool eth_passes(int rc, const struct vfk_err *err);
/* Sleeps before another try; false: 'until' has come. */
bool eth_pause(int64_t until_boot_ns);

/* eth_step.c */
int eth_settings(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_settings_home(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_verify(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
/* What the PF holds for VF 'index' of 'pf'; has == 0: it does not tell. */
int eth_on_pf(struct vnl *home, const struct link *pf, uint16_t index,
	      struct vf_settings *out, struct vfk_err *err) VFK_MUST_CHECK;

/* eth_bind.c */
int eth_rebind(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_rdma_to_pod(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_rdma_home(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_rebind_home(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
/* Whether REBIND_HOME has something to do: another driver than the baseline's, or none; or
 * the VF is reset when it is released. */
bool eth_wants_rebind(const struct eth_job *job);
/* Takes the driver off the VF: link and RDMA device leave whatever namespace they are in.
 * The step tells that a rebind is needed. */
int eth_unbind(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
/* The link at home gets its baseline name.  Where somebody has that, one that nobody uses. */
int eth_own_name(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;

/* eth_link.c */
int eth_link_to_pod(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_link_settings(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_addresses(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_link_home(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int eth_link_baseline(struct eth_job *job, struct vfk_err *err) VFK_MUST_CHECK;

#endif
