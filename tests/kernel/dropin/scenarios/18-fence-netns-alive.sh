# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The same with the old netns still there (the VF was taken back by hand and given to
# another pod).
pod pod1 pod2
case $KIND in
ib)
	x='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:08"}'
	y='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:cc:08"}'
	;;
eth)
	x='"vlan":108,"mac":"02:aa:aa:aa:aa:08"'
	y='"vlan":208,"mac":"02:bb:bb:bb:bb:08"'
	;;
esac
CID=old
add add-old < <(conf "$x")
ip -n pod1 link set net1 down
ip -n pod1 link set net1 netns 1 name back0
CID=new NETNS=/run/netns/pod2
add add-new < <(conf "$y")
snap new-owner
CID=old NETNS=/run/netns/pod1 del late-del < <(conf "$x")
snap after-late-del
CID=new del del-new < <(conf "$y")
snap end
