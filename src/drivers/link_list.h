/* SPDX-License-Identifier: Apache-2.0 */
/* The links of a namespace, asked for once: for whoever looks at every VF of the node.  Layer:
 * drivers. */
#ifndef VFK_DRIVERS_LINK_LIST_H
#define VFK_DRIVERS_LINK_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/link.h"
#include "io/nl.h"

struct link_list {	   /* zero-initialised: knows of none */
	struct link *link; /* of PCI functions only, sorted by these */
	size_t n, cap;
};

/* What was there at one moment, by one dump.  VFK_E_BUSY: it changed too often. */
int link_list_read(struct vnl *nl, struct link_list *out,
		   struct vfk_err *err) VFK_MUST_CHECK;
/* The one link of function 'addr' that 'is' says is its own.  false: there was none, or there
 * were several. */
bool link_list_one(const struct link_list *list, pci_addr_t addr,
		   bool (*is)(const struct link *link, pci_addr_t addr), struct link *out);
void link_list_free(struct link_list *list);

#endif
