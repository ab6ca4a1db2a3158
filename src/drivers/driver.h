/* SPDX-License-Identifier: Apache-2.0 */
/* The driver contract.  A driver knows one kind of VF (infiniband, ethernet, sim).
 * Every operation runs in a worker process: plain blocking code, one thread, no state kept
 * between calls (the next call may run in another process), no call back into the engine.
 * It addresses nothing by name (P7): a VF by PCI address and incarnation, a link by
 * ifindex plus proof that it is this VF's (IFLA_PARENT_DEV_NAME; the alias for sim), a
 * network namespace by descriptor.  Layer: drivers. */
#ifndef VFK_DRIVERS_DRIVER_H
#define VFK_DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "base/vfconf.h"

/* What a job may hold while it runs; the engine runs at most one job of LOCK_RTNL and of
 * LOCK_REBIND on the node, and one of LOCK_PF per PF, at a time.  LOCK_REBIND is a byte of
 * 'inflight' besides: the worker of a killed engine keeps it. */
enum drv_lock { LOCK_NONE = 0, LOCK_RTNL, LOCK_PF, LOCK_REBIND };

/* The steps of the plans (order: engine/plan.c).  Values are bit numbers in journal
 * records: never reused. */
#define DRV_STEPS(X)                                                                     \
	/* attach */                                                                     \
	X(SETTINGS, 0, LOCK_PF)	       /* PF-side settings of the VF to 'wanted' */      \
	X(REBIND, 1, LOCK_REBIND)      /* unbind, bind, wait, names verified */          \
	X(RDMA_TO_POD, 2, LOCK_REBIND) /* RDMA device into the pod netns */              \
	X(LINK_TO_POD, 3, LOCK_RTNL)   /* one message: netns, name, up */                \
	X(LINK_SETTINGS, 4, LOCK_RTNL) /* MTU, MAC, modes of the link in the pod */      \
	X(ADDRESSES, 5, LOCK_RTNL)     /* addresses and routes in the pod */             \
	/* detach */                                                                     \
	X(LINK_HOME, 8, LOCK_RTNL)    /* link out of the pod, baseline name */           \
	X(RDMA_HOME, 9, LOCK_REBIND)  /* out of it: device files get new numbers */      \
	X(SETTINGS_HOME, 10, LOCK_PF) /* PF-side settings to the baseline */             \
	X(REBIND_HOME, 11, LOCK_REBIND)                                                  \
	X(LINK_BASELINE, 12, LOCK_RTNL) /* name, MTU, MAC, modes, altnames */            \
	X(VERIFY, 13, LOCK_NONE) /* looks only: is everything as the baseline says? */

enum drv_step {
#define X(name, bit, lock) STEP_##name = (bit),
	DRV_STEPS(X)
#undef X
};

struct drv_env { /* the same for every call; from the configuration file */
	char sysfs_root[256], proc_root[256], dev_root[256];
	char sim_path[256]; /* description of the simulated PFs; "" = no sim driver */
};

struct drv_ip {
	/* In a job the routes follow the addresses: they have to be aligned there. */
	_Alignas(uint32_t) uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix_len;
	uint8_t addr[16], gateway[16];
	bool has_gateway;
};

struct drv_route {
	uint8_t family, prefix_len;
	uint8_t dst[16], gateway[16];
	bool has_gateway;
	uint32_t mtu, advmss, priority, table;
	int32_t scope; /* -1: unset */
};

#define DRV_MAX_IPS 32
#define DRV_MAX_ROUTES 128

struct drv_call {
	const struct drv_env *env;
	pci_addr_t addr, pf;
	uint16_t index;
	uint64_t incarnation;
	int64_t deadline_boot_ns; /* the driver gives up by then (VFK_E_TIMEOUT) if it can */
	int netns_fd;		  /* the pod's, -1 if there is none (any more) */
	char ifname[16];	  /* CNI_IFNAME */
	uint32_t ifindex;	  /* where the link was last seen; 0: not known */
	struct vf_settings wanted;
	struct vf_baseline baseline;
	unsigned n_ips, n_routes;
	const struct drv_ip *ips; /* ADDRESSES only */
	const struct drv_route *routes;
};

enum drv_where {
	WHERE_UNKNOWN = 0, /* could not be found out */
	WHERE_HOME,	   /* link (or a link-less VF) is in the home netns */
	WHERE_IN_POD,	   /* link is in the netns of netns_fd or of nsid */
	WHERE_ELSEWHERE,   /* in a netns that is neither */
	WHERE_GONE	   /* the VF is not on the bus */
};

#define DRV_MAX_SEEN_ADDRS 8
struct drv_addr {
	uint8_t family, addr[16];
};

struct drv_out {
	uint32_t ifindex; /* of the link now; 0: unchanged or none */
	uint8_t where;	  /* enum drv_where (OBSERVE, VERIFY, moves) */
	bool nsid_alive;  /* OBSERVE: the nsid of the call still names a namespace */
	/* SETTINGS, SETTINGS_HOME: the GUID really changed.  LINK_HOME, RDMA_HOME: the VF's
	 * driver had to be taken off it. */
	bool rebind_needed;
	uint64_t netns_cookie; /* LINK_TO_POD: of netns_fd */
	int32_t nsid;	       /* LINK_TO_POD: of the pod netns in the home netns; -1 */
	/* LINK_TO_POD, LINK_SETTINGS: for the result.  VERIFY: where a link may rightly have
	 * another than its baseline.  0: unknown. */
	uint32_t mtu_bytes;
	uint8_t hwaddr[20], hwaddr_len; /* LINK_TO_POD, LINK_SETTINGS: for the result */
	struct vf_baseline seen; /* OBSERVE: present settings; valid if it could be read */
	uint32_t cannot;	 /* OBSERVE: as drv_vf.cannot */
	/* OBSERVE, WHERE_ELSEWHERE: the link's addresses but link-local ones; not known where
	 * they could not be listed or are more than fit. */
	bool addrs_known;
	uint8_t n_addrs;
	struct drv_addr addrs[DRV_MAX_SEEN_ADDRS];
};

/* One VF as discovery sees it. */
struct drv_vf {
	pci_addr_t addr, pf;
	uint16_t index;
	uint64_t incarnation;
	uint8_t where; /* HOME, ELSEWHERE (link not in the home netns), UNKNOWN */
	bool bound;    /* has a driver */
	uint32_t ifindex;
	struct vf_baseline seen;
	/* Bits of enum vf_has: settings that this VF can never honour (no such verb in its
	 * driver or firmware).  An ADD that wants one is refused before anything. */
	uint32_t cannot;
};

struct drv_pf {
	pci_addr_t addr;
	char ifname[16];
	uint8_t n_ports;
	uint8_t port_state[4]; /* enum port_state of fsm/port.h, by number */
	uint16_t n_vfs;
};

struct driver {
	const char *name; /* at most 15 characters; stands in journal records */

	/* Path whose flock keeps a second engine of this kind away (R1), into 'out'; "" if
	 * the driver has nothing to guard.  Called in the starting process, not in a worker. */
	void (*guard_path)(const struct drv_env *env, char *out, size_t cap_bytes);

	/* Lists this driver's PFs and VFs through the callbacks, PF before its VFs.  Looks
	 * only, but sim makes missing links here.  An unreadable VF is passed with
	 * WHERE_UNKNOWN, never left out.  A callback's negative value ends it. */
	int (*discover)(const struct drv_env *env,
			int (*pf)(void *arg, const struct drv_pf *pf),
			int (*vf)(void *arg, const struct drv_vf *vf), void *arg,
			struct vfk_err *err);

	/* The ports of one PF, as 'discover' tells them; fills in these alone.  VFK_E_GONE:
	 * it is not on the bus.  VFK_E_UNSUPPORTED: only 'discover' knows. */
	int (*ports)(const struct drv_env *env, pci_addr_t pf, struct drv_pf *out,
		     struct vfk_err *err);

	/* Carries out one step.  Idempotent: doing a done step again succeeds and changes
	 * nothing; a step that was cut short anywhere may be repeated.  A step that does not
	 * apply to this VF (no link, no RDMA device, nothing wanted) returns 0; but LINK_TO_POD,
	 * and ADDRESSES if there are any, may fail without a link: the engine plans neither
	 * there.  The *_HOME steps also succeed where the pod's netns is gone, and LINK_HOME
	 * finds the link wherever it is; LINK_BASELINE and VERIFY fail with VFK_E_KERNEL where
	 * it is not at home.  LINK_TO_POD fails with VFK_E_EXISTS, nothing changed, if the name
	 * is taken in the pod.  VERIFY returns VFK_E_KERNEL and names the first difference.
	 * Errors: VFK_E_KERNEL (errno in err->sys; EBUSY and EAGAIN are worth a retry),
	 * VFK_E_UNSUPPORTED (a wanted setting cannot be honoured: names key and reason),
	 * VFK_E_GONE (VF not on the bus), VFK_E_TIMEOUT, VFK_E_NETNS. */
	int (*step)(enum drv_step step, const struct drv_call *call, struct drv_out *out,
		    struct vfk_err *err);

	/* Tells where the VF and its link are and what is set.  Changes nothing.  'nsid' is
	 * the one that LINK_TO_POD gave (-1: none).  Succeeds with WHERE_UNKNOWN where it
	 * cannot tell. */
	int (*observe)(const struct drv_call *call, int32_t nsid, struct drv_out *out,
		       struct vfk_err *err);

	/* DEL without a record: which VF of this driver is the link 'ifname' in netns_fd?
	 * 0 and *addr (PCI_NONE: no link of that name, or not a VF of ours). */
	int (*identify)(const struct drv_env *env, int netns_fd, const char *ifname,
			pci_addr_t *addr, struct vfk_err *err);
};

const char *drv_step_name(enum drv_step step); /* "link_to_pod"; "?" */
enum drv_lock drv_step_lock(enum drv_step step);

#endif
