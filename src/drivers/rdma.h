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

#endif
