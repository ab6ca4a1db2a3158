/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan.h"

#define PF_SIDE                                                                          \
	(HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID | HAS_MAC | HAS_VLAN |           \
	 HAS_MIN_TX | HAS_MAX_TX | HAS_SPOOFCHK | HAS_TRUST)
#define LINK_SIDE                                                                        \
	(HAS_MTU | HAS_MAC | HAS_ALLMULTI | HAS_PROMISC | HAS_IPOIB_MODE | HAS_PKEY)

uint32_t plan_attach(const struct vf_settings *wanted, bool has_link, bool has_ips,
		     bool rebind)
{
	uint32_t steps = has_link ? STEP_BIT(LINK_TO_POD) : 0;

	/* A reset on release is part of undoing the settings: they count as made. */
	if ((wanted->has & PF_SIDE) || ((wanted->has & HAS_SCRUB) && wanted->scrub))
		steps |= STEP_BIT(SETTINGS);
	if (rebind)
		steps |= STEP_BIT(REBIND);
	if ((wanted->has & HAS_RDMA_ISOLATION) && wanted->rdma_isolation)
		steps |= STEP_BIT(RDMA_TO_POD);
	if (has_link && (wanted->has & LINK_SIDE))
		steps |= STEP_BIT(LINK_SETTINGS);
	if (has_link && has_ips)
		steps |= STEP_BIT(ADDRESSES);
	return steps;
}

uint32_t plan_detach(uint32_t touched, bool has_link, bool rebind)
{
	uint32_t steps = 0;

	/* Moving an RDMA device re-creates its IPoIB link, so it counts as touching it. */
	if (touched & (STEP_BIT(LINK_TO_POD) | STEP_BIT(LINK_SETTINGS) |
		       STEP_BIT(ADDRESSES) | STEP_BIT(RDMA_TO_POD) | STEP_BIT(REBIND)))
		steps |= STEP_BIT(LINK_HOME) | STEP_BIT(LINK_BASELINE);
	if (touched & STEP_BIT(RDMA_TO_POD))
		steps |= STEP_BIT(RDMA_HOME);
	if (touched & (STEP_BIT(SETTINGS) | STEP_BIT(REBIND)))
		steps |= STEP_BIT(SETTINGS_HOME);
	if (rebind || (touched & STEP_BIT(REBIND)))
		steps |= STEP_BIT(REBIND_HOME) | STEP_BIT(LINK_BASELINE);
	if (!has_link)
		steps &= ~(STEP_BIT(LINK_HOME) | STEP_BIT(LINK_BASELINE));
	if (steps)
		steps |= STEP_BIT(VERIFY);
	return steps;
}

uint32_t plan_batch(uint32_t pending, enum drv_lock *lock)
{
	uint32_t batch = 0;

	*lock = LOCK_NONE;
	for (unsigned bit = 0; bit < 32; bit++) {
		enum drv_lock wants;

		if (!(pending & (1u << bit)))
			continue;
		wants = drv_step_lock(bit);
		if (batch && wants != *lock && wants != LOCK_NONE)
			break;
		if (!batch)
			*lock = wants;
		batch |= 1u << bit;
		/* Its answer decides whether a rebind comes next. */
		if (bit == STEP_SETTINGS || bit == STEP_SETTINGS_HOME)
			break;
	}
	return batch;
}
