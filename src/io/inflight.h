/* SPDX-License-Identifier: Apache-2.0 */
/* Byte locks on /run/vfkeeper/inflight (R6, R9): proof that a step in the kernel or a plugin
 * is still under way, whoever asked for it.  Open file description locks: they belong to
 * the description, travel with it, and end with its last descriptor.  Layer: io. */
#ifndef VFK_IO_INFLIGHT_H
#define VFK_IO_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"

/* Byte of a VF's step, and of a lease's plugin. */
static inline uint64_t inflight_vf(pci_addr_t addr)
{
	return addr;
}

static inline uint64_t inflight_lease(uint64_t lease_id)
{
	return (UINT64_C(1) << 60) + lease_id;
}

/* That of who pays the lease although the other byte is held (R9). */
static inline uint64_t inflight_lease_beside(uint64_t lease_id)
{
	return (UINT64_C(1) << 62) + lease_id;
}

/* The node's rebind window (LOCK_REBIND): beside the byte of the VF whose turn it is. */
static inline uint64_t inflight_rebind(void)
{
	return UINT64_C(1) << 61;
}

/* Opens the file anew and locks 'byte'; the descriptor is the caller's (close-on-exec).
 * VFK_E_BUSY: somebody holds it.  VFK_E_SYS. */
int inflight_lock(const char *path, uint64_t byte, int *fd,
		  struct vfk_err *err) VFK_MUST_CHECK;

/* Whether anybody holds 'byte'.  'fd' is any descriptor of the file that holds no lock on
 * it.  An error counts as held: not knowing must never start a second step. */
bool inflight_held(int fd, uint64_t byte);

#endif
