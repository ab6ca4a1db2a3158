# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# DEL without the variable and with an empty one.
pod pod1
IPAM='{"type":"okipam"}'
case $KIND in
ib) x='"link_state":"disable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:03"}' ;;
eth) x='"vlan":103,"mac":"02:aa:aa:aa:aa:03"' ;;
esac
add add < <(conf "$x")
UNSET=CNI_NETNS call del-unset DEL < <(conf "$x")
snap after-unset
del del-proper < <(conf "$x")
snap after-proper
again
pod pod1
IPAM='{"type":"okipam"}'
CID=c2 IFN=net2
add add-2 < <(conf "$x")
NETNS='' del del-empty < <(conf "$x")
snap after-empty
ip netns del pod1
NETNS='' del del-empty-netns-gone < <(conf "$x")
SETTLE=2 snap after-netns-gone
