/* SPDX-License-Identifier: Apache-2.0 */
/* Holds the numbers that reach the disk equal to those of proto/journal.proto.  Nothing
 * here runs: a difference does not compile. */
#include "base/vfconf.h"
#include "drivers/driver.h"
#include "fsm/lease.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "proto/journal.pb-c.h"

#define SAME(ours, on_disk) _Static_assert((int)(ours) == (int)(on_disk), #ours)

#define X(name, value) SAME(VF_##name, VFK__VF_STATE__VF_STATE_##name);
VF_STATES(X)
#undef X
#define X(name, value) SAME(VF_EV_##name, VFK__VF_EVENT__VF_EVENT_##name);
VF_EVENTS(X)
#undef X
#define X(name, value) SAME(LEASE_##name, VFK__LEASE_STATE__LEASE_STATE_##name);
LEASE_STATES(X)
#undef X
#define X(name, value) SAME(LEASE_EV_##name, VFK__LEASE_EVENT__LEASE_EVENT_##name);
LEASE_EVENTS(X)
#undef X
#define X(name, bit, lock) SAME(STEP_##name + 1, VFK__STEP__STEP_##name);
DRV_STEPS(X)
#undef X

SAME(CAUSE_ENGINE, VFK__CAUSE__CAUSE_ENGINE);
SAME(CAUSE_REQUEST, VFK__CAUSE__CAUSE_REQUEST);
SAME(CAUSE_EVENT, VFK__CAUSE__CAUSE_EVENT);
SAME(CAUSE_ADMIN, VFK__CAUSE__CAUSE_ADMIN);

SAME(LINK_STATE_AUTO, VFK__LINK_STATE__LINK_STATE_AUTO);
SAME(LINK_STATE_ENABLE, VFK__LINK_STATE__LINK_STATE_ENABLE);
SAME(LINK_STATE_DISABLE, VFK__LINK_STATE__LINK_STATE_DISABLE);

SAME(HAS_LINK_STATE, VFK__HAS__HAS_LINK_STATE);
SAME(HAS_NODE_GUID, VFK__HAS__HAS_NODE_GUID);
SAME(HAS_PORT_GUID, VFK__HAS__HAS_PORT_GUID);
SAME(HAS_MAC, VFK__HAS__HAS_MAC);
SAME(HAS_VLAN, VFK__HAS__HAS_VLAN);
SAME(HAS_MIN_TX, VFK__HAS__HAS_MIN_TX);
SAME(HAS_MAX_TX, VFK__HAS__HAS_MAX_TX);
SAME(HAS_SPOOFCHK, VFK__HAS__HAS_SPOOFCHK);
SAME(HAS_TRUST, VFK__HAS__HAS_TRUST);
SAME(HAS_MTU, VFK__HAS__HAS_MTU);
SAME(HAS_ALLMULTI, VFK__HAS__HAS_ALLMULTI);
SAME(HAS_PROMISC, VFK__HAS__HAS_PROMISC);
SAME(HAS_IPOIB_MODE, VFK__HAS__HAS_IPOIB_MODE);
SAME(HAS_PKEY, VFK__HAS__HAS_PKEY);
SAME(HAS_RDMA_ISOLATION, VFK__HAS__HAS_RDMA_ISOLATION);
SAME(HAS_SCRUB, VFK__HAS__HAS_SCRUB);
