/* SPDX-License-Identifier: Apache-2.0 */
/* The list of drivers.  Layer: drivers. */
#ifndef VFK_DRIVERS_REGISTRY_H
#define VFK_DRIVERS_REGISTRY_H

#include "drivers/driver.h"

/* The drivers that this configuration enables, NULL at the end; unset operations are filled
 * with functions that return VFK_E_UNSUPPORTED. */
const struct driver *const *registry_drivers(const struct drv_env *env);
const struct driver *registry_find(const struct drv_env *env, const char *name); /* or NULL */

/* 'd' with its unset operations filled; for tests. */
struct driver registry_fill(struct driver d);

/* The drivers, one for each kind of VF. */
extern const struct driver eth_driver; /* VFs of Ethernet cards */
extern const struct driver ib_driver;  /* VFs of InfiniBand HCAs */
extern const struct driver sim_driver; /* VFs of a description file, with veth links */

#endif
