/* SPDX-License-Identifier: Apache-2.0 */
/* What a free VF looks like (P4), and what of it is not its own.  Pure.  Layer: engine. */
#ifndef VFK_ENGINE_BASELINE_H
#define VFK_ENGINE_BASELINE_H

#include <stdbool.h>

#include "io/codec.h"

/* As far as a look can tell: names of devices, and what is set. */
bool baseline_equal(const struct vf_baseline *a, const struct vf_baseline *b);
/* What a look did not see of the settings on the PF is as it was: its link may be away. */
void baseline_fill(struct vf_baseline *seen, const struct vf_baseline *base);
/* What a free VF whose link was made anew has to be like: what its PF holds is an operator's
 * word, and so is the address that it gave; what a new link has lost is put back. */
void baseline_owed(struct vf_baseline *out, const struct vf_baseline *base,
		   const struct vf_baseline *seen);
/* Whether somebody has changed what the PF holds for a VF that was 'given' this: what it tells is
 * neither that nor the baseline. */
bool baseline_overridden(const struct vf_baseline *base, const struct vf_settings *given,
			 const struct vf_baseline *seen);
/* Of what both report: promisc, allmulti, IPoIB mode. */
bool baseline_modes_equal(const struct vf_settings *a, const struct vf_settings *b);
/* Where 'is' has just what a pod was given, that is not the VF's own, or does not tell: it gets
 * what was there 'before'.  True: something was exchanged. */
bool baseline_mend(struct vf_baseline *is, const struct vf_baseline *before,
		   const struct vf_settings *given);
/* The VF goes from the bus, and its baseline with it; but the PF's driver, or the card, may have
 * what an attachment was given for it again when it comes back.  Only what a mending needs then
 * stays of 'before', which is not valid any more, and of 'given'. */
void baseline_former(struct vf_baseline *before, struct vf_settings *given);

#endif
