# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service demand
# The IPAM plugin refuses: what stays behind, what DEL cleans, what the next pod inherits.
pod pod1 pod2
IPAM='{"type":"failipam"}'
case $KIND in
ib) x='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:01"}' ;;
eth) x='"vlan":100,"mac":"02:aa:aa:aa:aa:01","trust":"on","link_state":"enable"' ;;
esac
add add < <(conf "$x")
snap after-failed-add
del del < <(conf "$x")
snap after-del
IPAM=''
next_pod c2
snap next-after
IPAM='{"type":"delfailipam"}'
CID=c3
NETNS=/run/netns/pod1
add add-then-ipam-del-fails < <(conf "$x")
del del-ipam-fails < <(conf "$x")
snap after-del-ipam-fails
del del-again < <(conf "$x")
snap after-second-del
