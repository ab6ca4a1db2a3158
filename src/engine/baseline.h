/* SPDX-License-Identifier: Apache-2.0 */
/* What a free VF looks like (P4), and what of it is not its own.  Pure.  Layer: engine. */
#ifndef VFK_ENGINE_BASELINE_H
#define VFK_ENGINE_BASELINE_H

#include <stdbool.h>

#include "io/codec.h"

/* As far as a look can tell: names of devices, and what is set. */
bool baseline_equal(const struct vf_baseline *a, const struct vf_baseline *b);
/* Of what both report: promisc, allmulti, IPoIB mode. */
bool baseline_modes_equal(const struct vf_settings *a, const struct vf_settings *b);
/* Where 'is' has just what a pod was given, that is not the VF's own: it gets what was there
 * 'before'.  True: something was exchanged. */
bool baseline_mend(struct vf_baseline *is, const struct vf_baseline *before,
		   const struct vf_settings *given);
/* The VF goes from the bus, and its baseline with it; but the PF's driver may set a GUID or MAC
 * again when the VF comes back.  Only what a mending needs then stays of 'before', which is
 * not valid any more, and of 'given'. */
void baseline_former(struct vf_baseline *before, struct vf_settings *given);

#endif
