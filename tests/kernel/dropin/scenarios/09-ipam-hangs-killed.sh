# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The runtime's deadline: IPAM hangs, the plugin is killed, then DEL and the next pod.
case $KIND in
ib) x='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:02"}' ;;
eth) x='"vlan":100,"mac":"02:aa:aa:aa:aa:02"' ;;
esac
for SIG in KILL TERM; do
	pod pod1 pod2
	IPAM='{"type":"hangipam"}'
	CID=c-$SIG NETNS=/run/netns/pod1
	KILL_WHEN=/tmp/ipam.hang add "add-$SIG" < <(conf "$x")
	snap "after-$SIG"
	IPAM='{"type":"okipam"}'
	del "del-$SIG" < <(conf "$x")
	snap "after-del-$SIG"
	IPAM=''
	next_pod "n-$SIG" "-$SIG"
	snap "end-$SIG"
	again
done
