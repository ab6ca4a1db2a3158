/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the sim driver: PFs and VFs that exist in a description file, with veth links
 * as their netdevs.  Formats: vfkeeper-drivers(7).  Layer: drivers. */
#ifndef VFK_DRIVERS_SIM_H
#define VFK_DRIVERS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "base/vfconf.h"
#include "drivers/driver.h"
#include "drivers/link.h"
#include "io/nl.h"

#define SIM_MAX_PFS 64
#define SIM_MAX_VFS 4096 /* of one PF */
#define SIM_NAME_MAX 10	 /* "<name>v4095" is a link name */
#define SIM_MAX_PORTS 4

/* --- sim_conf.c: the description ------------------------------------------------- */

struct sim_pf {
	pci_addr_t addr;
	char name[SIM_NAME_MAX + 1];
	uint16_t n_vfs;
	uint8_t n_ports, port_state; /* number of enum port_state */
	bool links;		     /* its VFs have netdevs */
	uint32_t cannot;	     /* settings that they do not have */
};

struct sim_conf {
	unsigned n_pfs;
	struct sim_pf pf[SIM_MAX_PFS];
	char faults[256]; /* file of faults, "" for none */
	unsigned n_fixed;
	struct {	       /* faults of the description */
		pci_addr_t pf; /* PCI_NONE: all */
		char text[120];
	} fixed[32];
};

/* The description 'path', borrowed until the next call (read again only where the file has
 * changed).  VFK_E_CONFIG: file, line and what is wrong. */
int sim_conf_get(const char *path, const struct sim_conf **out,
		 struct vfk_err *err) VFK_MUST_CHECK;

/* A VF of the description. */
struct sim_vf {
	const struct sim_conf *conf;
	const struct sim_pf *pf;
	uint16_t index;
	pci_addr_t addr;
	char pci[PCI_STRLEN]; /* text of 'addr', also the alias of its link */
};
struct sim_vf sim_vf_at(const struct sim_conf *conf, const struct sim_pf *pf,
			uint16_t index);
/* False: no VF has this address. */
bool sim_vf_find(const struct sim_conf *conf, pci_addr_t addr, struct sim_vf *out);
uint64_t sim_incarnation(void); /* of every VF: made of the boot id */

/* The bit of enum vf_has whose setting the state file calls 'key'; 0: none. */
uint32_t sim_setting_bit(const char *key);

/* --- sim_fault.c ------------------------------------------------------------------ */

/* What stands in the way of one operation. */
struct sim_fault {
	uint64_t latency_ms; /* ends early at the deadline, VFK_E_TIMEOUT */
	uint64_t hang_ms;    /* sleeps on; can be killed */
	uint64_t stuck_ms;   /* cannot be killed: see sim_fault_meet */
	int sys;	     /* errno to fail with */
};
/* Collects the faults for operation 'op' ("link_home") on 'vf' (NULL: on none) and counts
 * them down.  VFK_E_CONFIG: file, line and what is wrong. */
int sim_fault_get(const struct sim_conf *conf, const char *op, const struct sim_vf *vf,
		  struct sim_fault *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Checks one line; for the description. */
int sim_fault_check(const char *line, bool fixed, struct vfk_err *err) VFK_MUST_CHECK;
/* Sleeps, and fails where 'f' says so ('stuck_ms' is the caller's part). */
int sim_fault_meet(const struct sim_fault *f, int64_t deadline_boot_ns,
		   struct vfk_err *err) VFK_MUST_CHECK;

/* --- sim_state.c: what the device itself would remember ---------------------------- */

struct sim_state {
	struct vf_settings set; /* PF side; every bit of SIM_PF_SIDE and IPOIB_MODE */
	uint64_t bound_node_guid,
		bound_port_guid; /* what the driver saw when it was bound */
	uint64_t rdma_cookie;	 /* namespace of its RDMA device; 0: home */
	uint64_t rebinds, resets;
	uint8_t bound;
};
#define SIM_PF_SIDE                                                                      \
	(HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID | HAS_MAC | HAS_VLAN |           \
	 HAS_MIN_TX | HAS_MAX_TX | HAS_SPOOFCHK | HAS_TRUST | HAS_PKEY)

/* As it comes from the factory where nothing was ever changed in this boot. */
int sim_state_load(const struct sim_vf *vf, struct sim_state *out,
		   struct vfk_err *err) VFK_MUST_CHECK;
/* Writes the file, at once and whole. */
int sim_state_save(const struct sim_vf *vf, const struct sim_state *st,
		   struct vfk_err *err) VFK_MUST_CHECK;
/* Copies those settings of 'from' that stand in 'mask' and in from->has. */
void sim_settings_apply(struct vf_settings *to, const struct vf_settings *from,
			uint32_t mask);
/* 0, or VFK_E_KERNEL naming the first setting of 'want' (within 'mask') that differs. */
int sim_settings_verify(const struct vf_settings *is, const struct vf_settings *want,
			uint32_t mask, struct vfk_err *err) VFK_MUST_CHECK;

/* --- sim_names.c ------------------------------------------------------------------ */

struct sim_names {
	char vf[16], peer[16]; /* "simib0v3", "simib0p3" */
	char passing[16];      /* on its way home */
	uint8_t hwaddr[6];     /* from the factory */
};
void sim_names_of(const struct sim_vf *vf, struct sim_names *out);

/* --- sim_link.c ------------------------------------------------------------------- */

struct sim_place {
	int32_t nsid;  /* LINK_HERE: at home */
	uint32_t peer; /* index of the end that always is at home; 0: not asked for */
	struct link link;
	bool unknown; /* sim_link_all: could not be found out (logged) */
};
/* Finds the VF's link wherever it is, by its other end; 'hint' is an index to try first at
 * home (0: none).  Makes the link again, at home, if it was destroyed. */
int sim_link_find(struct vnl *home, const struct sim_vf *vf, uint32_t hint,
		  struct sim_place *out, struct vfk_err *err) VFK_MUST_CHECK;
/* Destroys the link and makes it again at home: the way back from a namespace that cannot
 * be entered. */
int sim_link_remake(struct vnl *home, const struct sim_vf *vf, struct sim_place *place,
		    struct vfk_err *err) VFK_MUST_CHECK;
/* Makes all links that are missing, with one look at those that are there.  '*out' gets one
 * place for each VF, PF after PF (those of PFs without links are zero); the caller frees. */
int sim_link_all(struct vnl *home, const struct sim_conf *conf, struct sim_place **out,
		 struct vfk_err *err) VFK_MUST_CHECK;
bool sim_link_is(const struct sim_vf *vf, const struct link *link);

/* --- sim_step.c, sim_move.c: steps and looks at one VF ------------------------------- */

/* What a step works with. */
struct sim_job {
	const struct sim_vf *vf;
	const struct drv_call *call;
	struct drv_out *out;
	struct vnl *home; /* NULL: the VF has no netdev */
};
typedef int (*sim_step_fn)(const struct sim_job *job, struct vfk_err *err);
/* The VF's link, and its index for the engine; VFK_E_KERNEL if it is not at home. */
int sim_link_find_home(const struct sim_job *job, struct sim_place *out,
		       struct vfk_err *err) VFK_MUST_CHECK;
int sim_link_to_pod(const struct sim_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int sim_link_settings(const struct sim_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int sim_addresses(const struct sim_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int sim_link_home(const struct sim_job *job, struct vfk_err *err) VFK_MUST_CHECK;
int sim_link_baseline(const struct sim_job *job, struct vfk_err *err) VFK_MUST_CHECK;

int sim_step_run(enum drv_step step, const struct sim_vf *vf, const struct drv_call *call,
		 struct drv_out *out, struct vfk_err *err) VFK_MUST_CHECK;
/* 'link' is NULL where the VF has none or it cannot be seen. */
void sim_seen(const struct sim_vf *vf, const struct sim_state *st,
	      const struct link *link, struct vf_baseline *out);

#endif
