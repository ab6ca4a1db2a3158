/* SPDX-License-Identifier: GPL-2.0 */
/* ibvfsim_driver: what its files share.  README has the picture. */
#ifndef IBVFSIM_SIM_H
#define IBVFSIM_SIM_H
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/version.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>

#define SIM_SGE	   4
#define SIM_GIDS   8
#define ROCE_GIDS  32
#define SIM_PKEYS  32
#define SM_LID	   1
#define LID_FIRST  2
#define MLID_FIRST 0xc000
#define SIM_PREFIX cpu_to_be64(0xfe80000000000000ULL)
#define SIM_OUI	   0x0c42a1ULL

/* Commands that a knob can slow down, fail or swallow: ops/NAME/ in debugfs. */
#define SIM_OPS(X)                                                                     \
	X(NODE_GUID, "node_guid")                                                      \
	X(PORT_GUID, "port_guid")                                                      \
	X(STATE, "state")                                                              \
	X(MAC, "mac")                                                                  \
	X(VLAN, "vlan")                                                                \
	X(RATE, "rate")                                                                \
	X(SPOOFCHK, "spoofchk")                                                        \
	X(TRUST, "trust")                                                              \
	X(QUERY_RSS, "query_rss")                                                      \
	X(GET_CONFIG, "get_config")                                                    \
	X(NUMVFS, "numvfs")                                                            \
	X(PROBE, "probe")                                                              \
	X(REMOVE, "remove")                                                            \
	X(OPEN, "open")

enum sim_op_id {
#define X(id, name) SIM_OP_##id,
	SIM_OPS(X)
#undef X
	SIM_N_OPS
};

#define SIM_ALWAYS (-1)

struct sim_op {
	u32 delay_ms;
	u32 err;	 /* errno of a failure, 0: EIO */
	u32 count;	 /* calls so far */
	int fail;	 /* this many next calls fail; SIM_ALWAYS */
	int ignore;	 /* this many next calls say yes and do nothing; SIM_ALWAYS */
	int vf;		 /* only calls for this VF; -1: all */
};

/* What the card keeps for a VF; outlives the VF. */
struct sim_vfcfg {
	u64 node_guid, port_guid;
	struct ifla_vf_info eth; /* mac, vlan, ...; its linkstate is the policy below */
	int policy;		 /* IFLA_VF_LINK_STATE_* */
	s64 bucket;		 /* bytes that max_tx_rate still allows */
	u64 filled_ns;		 /* when 'bucket' was last filled */
};

struct sim_pf {
	struct sim_dev *dev;
	struct sim_op ops[SIM_N_OPS];
	struct kobject *vendor_dir; /* sriov/, NULL when there is none */
	struct sim_vendor_vf **vendor_vf;
	u32 n_vendor_vf, n_vfs;
	struct devlink *devlink; /* Ethernet only; NULL when there is none */
	bool switchdev;
	struct sim_vfcfg vf[];
};

/* One PCI function that is bound to the driver. */
struct sim_dev {
	struct ib_device ibdev;
	struct list_head node;	   /* in sim_devs */
	struct list_head qps, mcast; /* sim_lock */
	struct pci_dev *pdev;
	struct sim_pf *pf;	   /* its own, or the one of its PF; NULL for a decoy */
	struct net_device *netdev; /* Ethernet only */
	struct dentry *dir;
	u64 node_guid, port_guid;
	u32 next_qpn;
	u16 lid, pkey[SIM_PKEYS];
	int vf; /* -1: a PF */
	bool eth, link_up;
	bool dead;  /* after a fatal error: no port, every command fails */
	bool going; /* being removed; sim_mutex */
};

/* sim_lock: devices, queues and messages; taken in any context.
 * sim_mutex: whoever uses a device that he does not own; taken inside RTNL. */
extern spinlock_t sim_lock;
extern struct mutex sim_mutex;
extern struct list_head sim_devs;
extern struct workqueue_struct *sim_wq;
extern bool sim_sa_on, sim_live_guid, sim_vendor_sysfs, sim_netns;
extern int sim_sa_delay_ms, sim_vf_policy;
extern char *sim_eth_name;

static inline struct sim_dev *to_sim(struct ib_device *ib)
{
	return container_of(ib, struct sim_dev, ibdev);
}

static inline struct sim_vfcfg *sim_cfg(struct sim_dev *d)
{
	return d->vf >= 0 && d->pf ? &d->pf->vf[d->vf] : NULL;
}

/* main.c */
enum ib_port_state sim_state(struct sim_dev *d);
void sim_event(struct sim_dev *d, enum ib_event_type type);
struct sim_dev *sim_find_vf(struct sim_pf *pf, int vf); /* under sim_mutex */
void sim_link(struct sim_dev *d, bool up);
void sim_die(struct sim_dev *d, bool dead);
u64 sim_guid(struct pci_dev *p);

/* vf.c: administration of VFs.  sim_gate() counts the call, waits, and returns an error
 * or 0; *ignore tells the caller to stop there with success. */
int sim_gate(struct sim_pf *pf, enum sim_op_id op, int vf, bool *ignore);
int sim_set_guid(struct sim_pf *pf, int vf, u64 guid, int type);
int sim_set_policy(struct sim_pf *pf, int vf, int policy);
void sim_vf_ops(struct ib_device *ib);

/* verbs.c, fabric.c */
void sim_verbs_ops(struct ib_device *ib);
void sim_fabric_ops(struct ib_device *ib);
int sim_fabric_init(void);
void sim_fabric_exit(void);
void sim_gid(struct sim_dev *d, union ib_gid *gid);

/* ether.c */
int sim_eth_add(struct sim_dev *d);
void sim_eth_carrier(struct sim_dev *d);
int sim_eth_init(void);
void sim_eth_exit(void);

/* devlink.c */
void sim_devlink_add(struct sim_dev *d);
void sim_devlink_drop(struct sim_dev *d);

/* uevent.c */
int sim_uevent_init(void);
void sim_uevent_exit(void);
void sim_uevent_attach(struct device *dev);
extern int sim_renumber;
bool sim_take(int *left);

/* knobs.c, vendor.c */
void sim_knobs_init(void);
void sim_knobs_exit(void);
void sim_knobs_add(struct sim_dev *d);
int sim_vendor_add(struct sim_pf *pf, int n);
void sim_vendor_drop(struct sim_pf *pf);

#endif
