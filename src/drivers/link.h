/* SPDX-License-Identifier: Apache-2.0 */
/* Links, addresses and routes by rtnetlink, for every driver whose VF has a netdev.  All
 * calls address a link by index; none keeps state.  Layer: drivers. */
#ifndef VFK_DRIVERS_LINK_H
#define VFK_DRIVERS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/vfconf.h"
#include "drivers/driver.h"
#include "io/nl.h"

/* link.peer_nsid beside an id: */
#define LINK_SAME_NETNS (-2) /* the peer is in the same namespace */
#define LINK_NO_NSID (-1)    /* its namespace is being destroyed */

struct link {
	uint32_t ifindex;
	unsigned flags; /* IFF_*: promiscuous and all-multicast as asked for by people */
	uint32_t mtu_bytes;
	char ifname[16];
	char kind[16];		     /* "veth", "" for a plain device */
	char alias[32];		     /* longer ones are cut: only ours are compared */
	char parent_bus[8];	     /* "pci" */
	char parent_dev[PCI_STRLEN]; /* the VF's PCI address (P7) */
	uint8_t hwaddr[20], hwaddr_len;
	uint32_t peer;	   /* IFLA_LINK: index of the other end; 0: none */
	int32_t peer_nsid; /* where that is, or LINK_SAME_NETNS */
	unsigned n_altnames;
	uint16_t ipoib_mode, ipoib_pkey; /* kind "ipoib": 0 datagram, 1 connected */
};

/* Fills 'out' from an RTM_NEWLINK message; false: it is something else. */
bool link_parse(const struct nlmsghdr *msg, struct link *out);
/* Likewise of a notification; 'gone': it has left that namespace, for another one or for
 * good, and 'out' is what it was like. */
bool link_parse_event(const struct nlmsghdr *msg, struct link *out, bool *gone);

/* Where to look: the namespace of the socket, or the one with this nsid in it. */
#define LINK_HERE (-1)

/* Returns 1 and the link, 0 if there is none of that index (or, for 0, of that name or
 * altname), also where the nsid names nothing (any more). */
int link_get(struct vnl *nl, int32_t nsid, uint32_t ifindex, const char *name,
	     struct link *out, struct vfk_err *err) VFK_MUST_CHECK;

/* Calls 'fn' for every link there; 'fn' gets NULL where it has to forget (vnl_dump). */
struct link_walk {
	int (*fn)(void *arg, const struct link *link, struct vfk_err *err);
	void *arg;
};
int link_each(struct vnl *nl, int32_t nsid, const struct link_walk *walk,
	      struct vfk_err *err) VFK_MUST_CHECK;

/* What one RTM_SETLINK changes, in the kernel's order: namespace, address, MTU, name, flags. */
struct link_change {
	int netns_fd;	       /* -1: stays where it is */
	const char *ifname;    /* NULL: keeps it */
	const uint8_t *hwaddr; /* NULL: keeps it */
	uint8_t hwaddr_len;
	uint32_t mtu_bytes;	/* 0: keeps it */
	const char *alias;	/* NULL: keeps it */
	unsigned flags, change; /* of IFF_*: those in 'change' become as in 'flags' */
};
#define LINK_NO_CHANGE                                                                   \
	{                                                                                \
		.netns_fd = -1                                                           \
	}

/* One message.  Nothing is rolled back by the kernel when a later part of it is refused: on
 * any error look again.  VFK_E_KERNEL. */
int link_set(struct vnl *nl, uint32_t ifindex, const struct link_change *ch,
	     struct vfk_err *err) VFK_MUST_CHECK;
/* Moves 'link' from the namespace of 'home' to that of 'pod' under the name 'ifname', up, in
 * one message; its index there to '*ifindex'.  VFK_E_EXISTS: the name is taken, and the
 * link is at home as before.  VFK_E_KERNEL. */
int link_to_pod(struct vnl *home, struct vnl *pod, const struct link *link,
		const char *ifname, uint32_t *ifindex, struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise with the address of 'with' (the rest of that is not looked at): where only that is
 * refused, or the link cannot be opened, the link is in the pod (VFK_E_KERNEL). */
int link_to_pod_with(struct vnl *home, struct vnl *pod, const struct link *link,
		     const char *ifname, const struct link_change *with,
		     uint32_t *ifindex, struct vfk_err *err) VFK_MUST_CHECK;
/* The kernel moves first and renames then: when the new name was taken in between, the link
 * is in the pod under its old one.  Takes it back from there; 0 also if it is not there. */
int link_back_from_half_way(struct vnl *home, struct vnl *pod, const struct link *link,
			    struct vfk_err *err) VFK_MUST_CHECK;
/* Moves 'link' from the namespace of 'from' to that of 'home', down, under the name 'ifname'
 * in one message, or, where somebody has that name at home, under 'passing' (which nobody
 * else uses): a name must not keep a link in its pod.  Its index to '*ifindex'. */
int link_to_home(struct vnl *from, struct vnl *home, const struct link *link,
		 const char *passing, const char *ifname, uint32_t *ifindex,
		 struct vfk_err *err) VFK_MUST_CHECK;
/* The link is in the namespace of 'pod' already: its name there, and up.  VFK_E_EXISTS. */
int link_finish_in_pod(struct vnl *pod, const struct link *link, const char *ifname,
		       struct vfk_err *err) VFK_MUST_CHECK;
/* Names a link, taken down for it where it is up.  VFK_E_KERNEL with EEXIST: taken. */
int link_set_name(struct vnl *nl, const struct link *link, const char *name,
		  struct vfk_err *err) VFK_MUST_CHECK;
/* The difference between 'link' and what 'set' asks for in MTU and modes, as one change; true
 * if there is any. */
bool link_differs(const struct link *link, const struct vf_settings *set,
		  struct link_change *ch);
/* Removes every altname of the link. */
int link_drop_altnames(struct vnl *nl, uint32_t ifindex, struct vfk_err *err) VFK_MUST_CHECK;
/* Destroys a virtual link; 0 also if there is none. */
int link_delete(struct vnl *nl, int32_t nsid, uint32_t ifindex,
		struct vfk_err *err) VFK_MUST_CHECK;

/* The id of the namespace 'netns_fd' in the socket's own, or -1 if it has none yet. */
int netns_id(struct vnl *nl, int netns_fd, int32_t *nsid,
	     struct vfk_err *err) VFK_MUST_CHECK;
/* Likewise, but gives it one (the kernel chooses), so that its events and its end are heard. */
int netns_id_assign(struct vnl *nl, int netns_fd, int32_t *nsid,
		    struct vfk_err *err) VFK_MUST_CHECK;
/* Calls 'fn' with every id that a namespace has in the socket's own, until it returns
 * non-zero, which is returned. */
int netns_id_each(struct vnl *nl, int (*fn)(void *arg, int32_t nsid, struct vfk_err *err),
		  void *arg, struct vfk_err *err) VFK_MUST_CHECK;
/* Whether 'nsid' names a namespace that is not being destroyed. */
int netns_id_alive(struct vnl *nl, int32_t nsid, bool *alive,
		   struct vfk_err *err) VFK_MUST_CHECK;

/* Fills out->addrs with the addresses of link 'ifindex' in the namespace 'nsid' of the socket's
 * own; what keeps it from knowing them is no error. */
void addr_list(struct vnl *nl, int32_t nsid, uint32_t ifindex, struct drv_out *out);

/* The call's addresses and routes on link 'ifindex' (named 'ifname', up) in the namespace
 * that 'nl' lives in.  What is there already stays.  A route without gateway gets the first
 * one of its family, unless its scope is the link.  IPv6 is switched on for the link where
 * it is off.  VFK_E_KERNEL names the address or route. */
int addr_configure(struct vnl *nl, uint32_t ifindex, const struct drv_call *call,
		   struct vfk_err *err) VFK_MUST_CHECK;

#endif
