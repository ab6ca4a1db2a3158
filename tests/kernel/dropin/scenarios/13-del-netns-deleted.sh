# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service demand
# The sandbox is gone before DEL comes.
pod pod1 pod2
IPAM='{"type":"okipam"}'
case $KIND in
ib) x='"link_state":"disable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:04"}' ;;
eth) x='"vlan":104,"mac":"02:aa:aa:aa:aa:04","trust":"on"' ;;
esac
add add < <(conf "$x")
ip netns del pod1
SETTLE=2 snap netns-gone
del del < <(conf "$x")
snap after-del
del del-again < <(conf "$x")
next_pod c2
snap end
