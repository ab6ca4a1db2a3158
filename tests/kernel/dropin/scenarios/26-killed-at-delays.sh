# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# SIGKILL after a delay, then DEL, then the next pod on the same VF.
IPAM='{"type":"okipam"}'
case $KIND in
ib) x='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:09"}' ;;
eth) x='"vlan":109,"mac":"02:aa:aa:aa:aa:09","trust":"on"' ;;
esac
for ms in 020 040 060 090 130; do
	pod pod1 pod2
	CID=c$ms NETNS=/run/netns/pod1
	KILL_AFTER=0.$ms chance add "add-$ms" < <(conf "$x")
	del "del-$ms" < <(conf "$x")
	rm -f /tmp/ipam.log # how far it came is chance
	snap "after-del-$ms"
	CID=n$ms NETNS=/run/netns/pod2
	add "next-$ms" < <(conf)
	rm -f /tmp/ipam.log
	snap "next-attached-$ms"
	del "next-del-$ms" < <(conf)
	again
	IPAM='{"type":"okipam"}'
done
