/* SPDX-License-Identifier: Apache-2.0 */
/* RDMA devices by netlink (nldev).  The kernel takes the namespace of the calling process for
 * the one that a device is in: sockets are used in the namespace that they were opened in
 * (vnl_inside).  Layer: drivers. */
#ifndef VFK_DRIVERS_RDMA_H
#define VFK_DRIVERS_RDMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/driver.h"
#include "io/nl.h"

struct rdma_dev {
	uint32_t index; /* survives renames and moves, not a rebind */
	uint64_t node_guid;
	char name[64];
};

/* Whether devices belong to one namespace each ("exclusive").  VFK_E_SYS: no RDMA here. */
int rdma_exclusive(struct vnl *nl, bool *exclusive, struct vfk_err *err) VFK_MUST_CHECK;
/* 1 and the device called 'name' if it is in the socket's namespace (names are unique on the
 * machine), else 0. */
int rdma_find(struct vnl *nl, const char *name, struct rdma_dev *out,
	      struct vfk_err *err) VFK_MUST_CHECK;
/* Moves device 'index' from the caller's namespace to that of 'netns_fd'.  Its IPoIB links
 * are destroyed wherever they are, and made anew in the first namespace. */
int rdma_to_netns(struct vnl *nl, uint32_t index, int netns_fd,
		  struct vfk_err *err) VFK_MUST_CHECK;
int rdma_set_name(struct vnl *nl, uint32_t index, const char *name,
		  struct vfk_err *err) VFK_MUST_CHECK;

/* --- rdma_pod.c: the device of a VF ------------------------------------------------- */

struct rdma_place {
	char name[64];	 /* whatever namespace it is in; "": there is none */
	bool home;	 /* it is in the home namespace */
	char uverbs[32]; /* its character device, "": none */
};

void rdma_look(const struct drv_env *env, pci_addr_t addr, struct rdma_place *out);
/* VFK_E_UNSUPPORTED: RDMA devices cannot be moved on this node. */
int rdma_movable(struct vfk_err *err) VFK_MUST_CHECK;
/* Into the pod; '*moved' false: it was there. */
int rdma_to_pod(const struct rdma_place *place, int netns_fd, bool *moved,
		struct vfk_err *err) VFK_MUST_CHECK;
/* Home from there; '*moved' false: it is not there. */
int rdma_from_pod(const struct rdma_place *place, struct vnl *home, int netns_fd,
		  bool *moved, struct vfk_err *err) VFK_MUST_CHECK;
/* The container was given the device file by its old number 'was' already ("": not known).
 * VFK_E_KERNEL with EAGAIN: it is another one now. */
int rdma_same_number(const struct drv_env *env, pci_addr_t addr, const char *was,
		     struct vfk_err *err) VFK_MUST_CHECK;
/* A device at home is not called 'want' ("": any name will do): REBIND, which then finds nothing
 * else to do, puts that right. */
bool rdma_misnamed(const struct rdma_place *place, const char *want);
/* A device at home gets the name 'want' ("": any). */
int rdma_own_name(const struct rdma_place *place, const char *want,
		  struct vfk_err *err) VFK_MUST_CHECK;

#endif
