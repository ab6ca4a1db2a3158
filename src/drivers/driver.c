/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/driver.h"

/* "link_to_pod": what a person reads, writes into a fault file, and greps for. */
static const char *const lower[] = {
	[STEP_SETTINGS] = "settings",		[STEP_REBIND] = "rebind",
	[STEP_RDMA_TO_POD] = "rdma_to_pod",	[STEP_LINK_TO_POD] = "link_to_pod",
	[STEP_LINK_SETTINGS] = "link_settings", [STEP_ADDRESSES] = "addresses",
	[STEP_LINK_HOME] = "link_home",		[STEP_RDMA_HOME] = "rdma_home",
	[STEP_SETTINGS_HOME] = "settings_home", [STEP_REBIND_HOME] = "rebind_home",
	[STEP_LINK_BASELINE] = "link_baseline", [STEP_VERIFY] = "verify",
};

const char *drv_step_name(enum drv_step step)
{
	if ((unsigned)step >= VFK_ARRAY_SIZE(lower) || !lower[step])
		return "?";
	return lower[step];
}

enum drv_lock drv_step_lock(enum drv_step step)
{
	switch (step) {
#define X(name, bit, lock)                                                               \
	case STEP_##name:                                                                \
		return lock;
		DRV_STEPS(X)
#undef X
	}
	return LOCK_NONE;
}
