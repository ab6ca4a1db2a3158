/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the infiniband driver: VFs of InfiniBand HCAs, each with an RDMA device and an
 * IPoIB link.  What each step does: vfkeeper-drivers(7).  Layer: drivers. */
#ifndef VFK_DRIVERS_IB_H
#define VFK_DRIVERS_IB_H

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

/* --- ib_look.c: what there is ------------------------------------------------------ */

/* A VF as sysfs and the home namespace show it at one moment. */
struct ib_vf {
	const struct drv_env *env;
	pci_addr_t addr, pf;
	char driver[24];  /* "": none */
	bool user_driver; /* that is one for user space: no devices of the kernel's */
	struct rdma_place rdma;
	bool link_home; /* 'link' is there, in the home namespace */
	struct link link;
	bool has_node_guid, has_port_guid; /* could be read: at home only */
	uint64_t node_guid, port_guid; /* what the VF's driver has seen at its probe */
};

/* Looks at VF 'addr' of 'pf'.  VFK_E_GONE: it is not on the bus, or another incarnation (0:
 * any). */
int ib_look(const struct drv_env *env, struct vnl *home, pci_addr_t addr, pci_addr_t pf,
	    uint64_t incarnation, struct ib_vf *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise for one VF of many: its link is looked for among those of home first. */
int ib_look_among(const struct drv_env *env, struct vnl *home,
		  const struct link_list *links, pci_addr_t addr, pci_addr_t pf,
		  struct ib_vf *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Whether the devices that the VF has by its baseline are at home. */
bool ib_complete(const struct ib_vf *vf, const struct vf_baseline *base);
/* The IPoIB link of function 'addr' (PF or VF) at home.  1, 0: it has none there. */
int ib_link_at_home(const struct drv_env *env, struct vnl *home, pci_addr_t addr,
		    struct link *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise in the namespace of 'nl', or the one with this nsid there. */
int ib_link_in(struct vnl *nl, int32_t nsid, pci_addr_t addr, uint32_t hint,
	       struct link *out, struct vfk_err *err) VFK_MUST_CHECK;
bool ib_is_link_of(const struct link *link, pci_addr_t addr);
/* The port GUID in an IPoIB address; 0: it is none. */
uint64_t ib_guid_of_link(const struct link *link);
/* "0200:0000:0001:0017", with colons anywhere. */
bool ib_parse_guid(const char *text, uint64_t *out);
/* Whether the PF is one of ours: of PCI class InfiniBand, with VFs that it could have. */
bool ib_is_pf(const struct drv_env *env, pci_addr_t addr);
/* Settings that the VF can never honour, as bits of enum vf_has. */
uint32_t ib_cannot(const struct ib_vf *vf);
/* The link state that PF link 'pf' holds for a VF, which the VF itself does not show (enum
 * vf_link_state); all VFs of the PF are asked for it.  1, 0: the PF does not tell. */
int ib_link_state(struct vnl *home, const struct link *pf, uint16_t index, uint8_t *out,
		  struct vfk_err *err) VFK_MUST_CHECK;
/* What is set, for a baseline: without what only the PF knows. */
void ib_seen(const struct ib_vf *vf, struct vf_baseline *out);

/* --- steps -------------------------------------------------------------------------- */

/* What a step works with. */
struct ib_job {
	const struct drv_call *call;
	struct drv_out *out;
	struct vnl *home;
	struct ib_vf vf;
	int64_t until_ns; /* to be waited to at most */
};

int ib_settings(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_settings_home(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_verify(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;

/* ib_bind.c */
int ib_rebind(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_rebind_home(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
/* Somebody has bound another driver, or none, since the baseline was taken. */
bool ib_other_driver(const struct ib_job *job);
/* Whether the VF is reset when it is released (at REBIND_HOME). */
bool ib_wants_scrub(const struct drv_call *call);
/* Takes the driver off the VF: link and RDMA device leave whatever namespace they are in.
 * The step tells that a rebind is needed. */
int ib_unbind(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
/* Looks again until the VF has at home what its baseline has; job->vf is what was seen last.
 * VFK_E_TIMEOUT names what is missing. */
int ib_wait_complete(struct ib_job *job, int64_t until_ns,
		     struct vfk_err *err) VFK_MUST_CHECK;
/* The link at home gets its baseline name.  Where somebody has that, one that nobody uses: a
 * link made anew may have taken the name of another VF's. */
int ib_own_name(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;

/* ib_rdma.c */
int ib_rdma_to_pod(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_rdma_home(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;

/* ib_link.c */
int ib_link_to_pod(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_link_settings(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_addresses(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_link_home(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int ib_link_baseline(struct ib_job *job, struct vfk_err *err) VFK_MUST_CHECK;

#endif
