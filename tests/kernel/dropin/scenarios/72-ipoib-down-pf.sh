# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The PF is down; the fabric or link is down.
pod pod1
ip link set "$PF" down
add add-pf-down < <(conf)
snap pf-down
del del-pf-down < <(conf)
ip link set "$PF" up
echo link_down >$DBG/$IB/event
CID=c2
add add-link-down < <(conf)
snap link-down
del del-link-down < <(conf)
echo link_up >$DBG/$IB/event
snap end
