/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated kernel: VFs, their links, network namespaces.  This is the truth that the
 * promises are held against.  Each rule that a real kernel has names, in kernel.c, the place
 * in Linux where it has it. */
#ifndef VFK_TESTS_SIM_KERNEL_H
#define VFK_TESTS_SIM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pci.h"
#include "base/vfconf.h"

#define SIM_VFS 4
#define SIM_PFS 2
#define SIM_NS 32
#define HOME 0 /* namespace 0 is the home one */
#define NOWHERE (-1)

struct netns {
	bool used, path, dying, dead;
	uint64_t cookie; /* never used again */
	int32_t nsid;	 /* in the home namespace; -1: none */
	unsigned pins;	 /* open descriptors */
	bool taken_name; /* something there has the interface's name already */
};

struct link {
	uint32_t ifindex; /* 0: there is none */
	int ns;
	char name[16];
	bool up, allmulti, promisc;
	uint32_t mtu_bytes;
	uint8_t hwaddr[20], hwaddr_len;
	unsigned n_addrs;
};

enum vf_kind { KIND_ETHERNET, KIND_INFINIBAND, KIND_VFIO };

struct kvf {
	pci_addr_t addr;
	unsigned pf, index;
	enum vf_kind kind;
	bool present, bound;
	uint64_t incarnation;
	struct vf_settings set; /* on the PF's side */
	uint64_t guid;		/* that the VF's driver has read: of the last bind */
	int rdma_ns;		/* InfiniBand */
	struct link link;
	/* What the promises need. */
	struct vf_baseline home; /* as somebody who may has last left the free VF */
	bool meddled;		 /* changed by others while it was not free */
	bool moved_by_others; /* its link was moved by somebody else since it was free */
	bool came_named;      /* anew, with the name that another one has at home */
	unsigned steps_running;
};

extern struct kvf vfs[SIM_VFS];
extern struct netns spaces[SIM_NS];
extern unsigned n_sim_vfs;
extern unsigned port_state[SIM_PFS]; /* enum port_state */

#define PF_ADDR(pf) (UINT64_C(0x3b00) + (uint64_t)(pf)*0x4400)

void kernel_reset(unsigned n_vfs, unsigned kinds);
void kernel_boot(void); /* again: no namespace but home, VFs as the firmware leaves them */

struct kvf *kernel_vf(pci_addr_t addr); /* NULL: no such address */
void kernel_look(const struct kvf *v, struct vf_baseline *out);
/* As kernel_look, but also for a link that is not at home. */
bool kernel_is_home(const struct kvf *v);
/* Takes what is so for what a free VF looks like. */
void kernel_take_home(struct kvf *v);

/* --- namespaces --- */
unsigned netns_new(void);
void netns_remove(unsigned ns); /* the path goes, and the processes */
void kernel_pin(unsigned ns);
void kernel_unpin(unsigned ns);
bool netns_reachable(int ns); /* home, or not being taken down */
int32_t netns_give_nsid(unsigned ns);
bool nsid_names_one(int32_t nsid);
int netns_of_nsid(int32_t nsid);  /* NOWHERE */
extern int64_t netns_death_takes; /* 0: as usual */
extern bool nsid_events_lost;
extern bool no_udev;	  /* nobody renames links; as it is in a guest */
extern char squatter[16]; /* name of somebody else's link at home, "" for none */

/* --- links; what the driver and everybody else can do to them --- */
/* Nobody but 'v' (or NULL) has it there. */
bool link_name_free(int ns, const char *name, const struct kvf *v);
void link_move(struct kvf *v, int ns);
int link_rename(struct kvf *v, const char *name); /* errno, or 0 */
void link_name_new(struct kvf *v);		  /* a name that the kernel chooses */
void link_make(struct kvf *v); /* a new one at home, udev comes later */
void link_gone(struct kvf *v);
void kernel_rebind(struct kvf *v);
void rdma_move(struct kvf *v, int ns);

/* --- the bus --- */
void vf_vanish(struct kvf *v);
void vf_appear(struct kvf *v);

#endif
