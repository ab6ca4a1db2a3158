/* SPDX-License-Identifier: Apache-2.0 */
/* What devlink says of a PF: the mode of its switch, and which links stand for its VFs there.
 * Layer: drivers. */
#ifndef VFK_DRIVERS_DEVLINK_H
#define VFK_DRIVERS_DEVLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "io/nl.h"

struct devlink_family {
	uint16_t type;	/* of its messages */
	uint32_t group; /* of its events */
};

/* 'nl' is of NETLINK_GENERIC.  VFK_E_KERNEL with ENOENT: a kernel without devlink. */
int devlink_family(struct vnl *nl, struct devlink_family *out,
		   struct vfk_err *err) VFK_MUST_CHECK;

struct devlink_ports {
	bool known; /* it told; else there is no devlink, or the card has none */
	bool switchdev;
	size_t n_reps, cap_reps;
	uint32_t *reps; /* indices of the representors of VFs and the like */
};

/* Asks of 'pf' in the network namespace at hand.  Nothing is 'known' when it cannot tell. */
void devlink_look(pci_addr_t pf, struct devlink_ports *out);
void devlink_free(struct devlink_ports *ports);
bool devlink_is_rep(const struct devlink_ports *ports, uint32_t ifindex);

/* Takes one answer about 'pf' into account: the mode, or a port.  False: out of memory. */
bool devlink_take(struct devlink_ports *ports, pci_addr_t pf, const struct nlmsghdr *msg);

#endif
