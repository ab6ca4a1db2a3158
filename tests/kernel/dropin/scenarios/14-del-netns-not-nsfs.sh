# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The mount of the netns was lost: a plain file lies at the path.
pod pod1
IPAM='{"type":"okipam"}'
case $KIND in
ib) x='"link_state":"disable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:05"}' ;;
eth) x='"vlan":105,"mac":"02:aa:aa:aa:aa:05"' ;;
esac
add add < <(conf "$x")
umount /run/netns/pod1
: >/run/netns/pod1
PODS=''
SETTLE=2 snap mount-lost
del del-1 < <(conf "$x")
snap after-1
del del-2 < <(conf "$x")
snap after-2
