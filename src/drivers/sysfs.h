/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and links below the configured sysfs_root, and the PCI functions in it.  For
 * every driver of real VFs.  Looking never fails loudly: what cannot be read is not there.
 * Layer: drivers. */
#ifndef VFK_DRIVERS_SYSFS_H
#define VFK_DRIVERS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/pci.h"
#include "drivers/driver.h"

/* The first line of attribute 'attr' of function 'addr' ("infiniband/mlx5_2/node_guid"), without
 * its end.  false: it cannot be read. */
bool pci_attr(const struct drv_env *env, pci_addr_t addr, const char *attr, char *out,
	      size_t cap_bytes);
/* Likewise, as a number ("0x020700" or decimal). */
bool pci_attr_number(const struct drv_env *env, pci_addr_t addr, const char *attr,
		     uint64_t *out);
/* The last part of what link 'attr' points to ("driver"). */
bool pci_link(const struct drv_env *env, pci_addr_t addr, const char *attr, char *out,
	      size_t cap_bytes);
bool pci_present(const struct drv_env *env, pci_addr_t addr);
/* The inode of its directory: another whenever the function is made anew; 0: not there. */
uint64_t pci_incarnation(const struct drv_env *env, pci_addr_t addr);

/* Calls 'fn' with each name in directory 'dir' of function 'addr', until it returns
 * non-zero, which is returned; 0 also where there is no such directory. */
int pci_each_name(const struct drv_env *env, pci_addr_t addr, const char *dir,
		  int (*fn)(void *arg, const char *name), void *arg);
/* The first name there in the order of the alphabet; false: none. */
bool pci_first_name(const struct drv_env *env, pci_addr_t addr, const char *dir,
		    char *out, size_t cap_bytes);

/* Calls 'fn' with the address of each function on the bus, in no order. */
int pci_each(const struct drv_env *env, int (*fn)(void *arg, pci_addr_t addr), void *arg);
/* Calls 'fn' for each VF of 'pf', by the numbers of its virtfn links; they may have holes. */
int pci_each_vf(const struct drv_env *env, pci_addr_t pf,
		int (*fn)(void *arg, uint16_t index, pci_addr_t addr), void *arg);

/* Writes 'addr' to "bind" or "unbind" of PCI driver 'driver': a probe or removal of the VF's
 * driver runs inside.  VFK_E_KERNEL with the errno. */
int pci_bind(const struct drv_env *env, pci_addr_t addr, const char *driver,
	     struct vfk_err *err) VFK_MUST_CHECK;
int pci_unbind(const struct drv_env *env, pci_addr_t addr, const char *driver,
	       struct vfk_err *err) VFK_MUST_CHECK;
/* Lets 'driver' and no other be bound: one for user space knows no device by itself, and a
 * device that was held for one would take no other.  Before the bind.  VFK_E_KERNEL. */
int pci_override(const struct drv_env *env, pci_addr_t addr, const char *driver,
		 struct vfk_err *err) VFK_MUST_CHECK;
/* Whether 'driver' gives the VF to user space: then it has no devices of the kernel's. */
bool pci_user_driver(const char *driver);
/* Function-level reset.  VFK_E_KERNEL. */
int pci_reset(const struct drv_env *env, pci_addr_t addr,
	      struct vfk_err *err) VFK_MUST_CHECK;
bool pci_can_reset(const struct drv_env *env, pci_addr_t addr);

#endif
