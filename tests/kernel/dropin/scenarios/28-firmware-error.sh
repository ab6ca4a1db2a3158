# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The card refuses: first VF command, and (rebind) probe; at ADD and at DEL.
pod pod1
case $KIND in
ib) x='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:11"}' ;;
eth) x='"vlan":111,"mac":"02:aa:aa:aa:aa:11","trust":"on"' ;;
esac
card_fails 1
add add-eio < <(conf "$x")
card_fails 0
snap after-eio
del del-eio < <(conf "$x")
snap after-del-eio
CID=c2
add add-2 < <(conf "$x")
card_fails 1
del del-with-eio < <(conf "$x")
card_fails 0
snap after-del-with-eio
del del-again < <(conf "$x")
snap after-del-again
ip netns del pod1
SETTLE=2 snap netns-gone
again
pod pod1
CID=c3
card errno 16
card_fails 1
add add-ebusy < <(conf "$x")
card errno 0
card_fails 0
del del-ebusy < <(conf "$x")
