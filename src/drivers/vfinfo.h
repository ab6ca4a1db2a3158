/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that a PF holds for its VFs, by rtnetlink on the PF's link.  Messages are built
 * raw: libnl 3.7 puts both GUIDs into one VF_INFO, of which the kernel carries out the first
 * alone, and sends the protocol of a VLAN in host order.  Layer: drivers. */
#ifndef VFK_DRIVERS_VFINFO_H
#define VFK_DRIVERS_VFINFO_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/vfconf.h"
#include "io/nl.h"

/* The settings that are set and read here. */
#define VFINFO_ETHERNET                                                                  \
	(HAS_MAC | HAS_VLAN | HAS_MIN_TX | HAS_MAX_TX | HAS_SPOOFCHK | HAS_TRUST |       \
	 HAS_LINK_STATE)
#define VFINFO_ALL (VFINFO_ETHERNET | HAS_NODE_GUID | HAS_PORT_GUID)

/* The message for those settings of 'set' that stand in 'has'; NULL: out of memory. */
struct nl_msg *vfinfo_message(uint32_t pf_ifindex, uint16_t index,
			      const struct vf_settings *set, uint32_t has);

/* One message with those settings of 'set' that stand in 'mask' and in set->has.  The kernel
 * carries them out in turn and stops at the first that the device refuses: on any error
 * look again.  The two rates are always set together.  VFK_E_KERNEL and VFK_E_UNSUPPORTED
 * (this PF cannot do it for its VFs) name the setting where the device refuses one for
 * good: it is looked for with a message for each. */
int vfinfo_set(struct vnl *nl, uint32_t pf_ifindex, uint16_t index,
	       const struct vf_settings *set, uint32_t mask,
	       struct vfk_err *err) VFK_MUST_CHECK;

/* Gives 'fn' what stands of VFs in a message of the kernel's about a link. */
void vfinfo_read(const struct nlmsghdr *msg,
		 void (*fn)(void *arg, uint16_t index, const struct vf_settings *set),
		 void *arg);

/* Gives 'fn' what the PF holds for each VF that it can tell of: there may be holes.  The
 * device is asked for every VF, under RTNL: not for the way of a request.  VFK_E_KERNEL with
 * EMSGSIZE: kernels before 6.1.134 and 6.12.23 cannot tell for this many VFs. */
int vfinfo_each(struct vnl *nl, uint32_t pf_ifindex,
		void (*fn)(void *arg, uint16_t index, const struct vf_settings *set),
		void *arg, struct vfk_err *err) VFK_MUST_CHECK;

#endif
