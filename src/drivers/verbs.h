/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous events of an RDMA device, from the kernel's own interface: libibverbs would come
 * with a library per vendor, and the service is static.  Opening is a command of the device and
 * may block.  Layer: drivers. */
#ifndef VFK_DRIVERS_VERBS_H
#define VFK_DRIVERS_VERBS_H

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/driver.h"

struct verbs {
	int device, events; /* -1: closed */
};

enum verbs_event {
	VERBS_NONE,  /* nothing (more) now */
	VERBS_OTHER, /* of no interest */
	VERBS_PORT,  /* a port's state, address, keys or fabric manager changed */
	VERBS_FATAL, /* the device failed or goes; nothing follows */
	VERBS_END    /* nothing follows */
};

/* Opens the verbs device of 'pf'; its events come on 'events', non-blocking.  VFK_E_GONE: it has
 * none.  VFK_E_SYS: it cannot be opened, or its driver wants more than is known here. */
int verbs_open(const struct drv_env *env, pci_addr_t pf, struct verbs *out,
	       struct vfk_err *err) VFK_MUST_CHECK;
void verbs_close(struct verbs *v);
/* Takes one event; '*port' is its port, 0: of the whole device. */
enum verbs_event verbs_read(const struct verbs *v, unsigned *port);

#endif
