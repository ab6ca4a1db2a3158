/* SPDX-License-Identifier: Apache-2.0 */
/* The plans of RESERVED and DETACHING: which steps, in which order, which of them together
 * in one job.  Pure.  Layer: engine. */
#ifndef VFK_ENGINE_PLAN_H
#define VFK_ENGINE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/driver.h"
#include "drivers/sysfs.h"
#include "io/codec.h"

enum plan_kind { PLAN_NONE = 0, PLAN_ATTACH = 1, PLAN_DETACH = 2 };

#define STEP_BIT(name) (1u << STEP_##name)

/* Steps that an ADD with these wishes needs, as bits of enum drv_step. */
uint32_t plan_attach(const struct vf_settings *wanted, bool has_link, bool has_ips,
		     bool rebind);
/* Steps that undo what attach steps 'touched' may have changed. */
uint32_t plan_detach(uint32_t touched, bool has_link, bool rebind);
/* A VF without a netdev (vfio) has no link steps, and so never waits for RTNL. */
static inline bool plan_has_link(const struct rec_vf *rec)
{
	return !rec->baseline.valid || rec->baseline.ifname[0];
}
/* A VF that is given to user space: nobody sees what is done to it there, so it is put in
 * order when it comes back, whatever the ADD wanted. */
static inline bool plan_for_user(const struct rec_vf *rec)
{
	return rec->baseline.valid && pci_user_driver(rec->baseline.driver);
}
/* The steps of 'pending' that run next, in one job: they share one lock. */
uint32_t plan_batch(uint32_t pending, enum drv_lock *lock);

/* Everything that an attach plan may touch: for a VF of which nothing is known. */
#define PLAN_TOUCHED_ALL                                                                 \
	(STEP_BIT(SETTINGS) | STEP_BIT(RDMA_TO_POD) | STEP_BIT(LINK_TO_POD) |            \
	 STEP_BIT(LINK_SETTINGS) | STEP_BIT(ADDRESSES))

#endif
