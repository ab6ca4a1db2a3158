/* SPDX-License-Identifier: Apache-2.0 */
/* The process that holds a verbs context of each PF and turns events of their ports into
 * messages: opening a device may block, and a device that goes must not take the loop with
 * it.  Layer: engine. */
#ifndef VFK_ENGINE_PORT_WATCH_H
#define VFK_ENGINE_PORT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/driver.h"

struct port_message { /* from the process */
	pci_addr_t pf;
	uint32_t fatal; /* the device failed; else something about its ports changed */
};

/* Forks it: before the spawner, and before any descriptor that matters is open.  '*fd' (the
 * caller's) is its socket, non-blocking; closing it ends the process, end of file is its end.
 * VFK_E_SYS. */
int port_watch_start(int *fd, struct vfk_err *err) VFK_MUST_CHECK;

struct port_request { /* to the process: listen to this PF, if it is not yet */
	pci_addr_t pf;
	struct drv_env env;
};

#endif
