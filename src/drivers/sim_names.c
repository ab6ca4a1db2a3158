/* SPDX-License-Identifier: Apache-2.0 */
/* How the links of a simulated VF are called; all of it follows from PF and index. */
#include "drivers/sim.h"

#include <stdio.h>

void sim_names_of(const struct sim_vf *vf, struct sim_names *out)
{
	uint32_t low = (uint32_t)vf->addr;

	snprintf(out->vf, sizeof(out->vf), "%sv%u", vf->pf->name, vf->index % 10000u);
	snprintf(out->peer, sizeof(out->peer), "%sp%u", vf->pf->name, vf->index % 10000u);
	snprintf(out->passing, sizeof(out->passing), "vfk%llx",
		 (unsigned long long)vf->addr & 0xffffffffffff);
	out->hwaddr[0] = 0x02; /* locally administered */
	out->hwaddr[1] = 0x53;
	for (int i = 5; i >= 2; i--, low >>= 8)
		out->hwaddr[i] = (uint8_t)low;
}
