# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service demand
# Late DEL of a former owner whose netns is gone, while another pod owns the VF.
pod pod1 pod2
IPAM='{"type":"okipam"}'
case $KIND in
ib)
	x='"link_state":"disable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:07"}'
	y='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:cc:07"}'
	;;
eth)
	x='"vlan":107,"mac":"02:aa:aa:aa:aa:07","trust":"on","link_state":"disable"'
	y='"vlan":207,"mac":"02:bb:bb:bb:bb:07","trust":"on","link_state":"enable"'
	;;
esac
CID=old
add add-old < <(conf "$x")
ip netns del pod1
sleep 0.6
CID=new NETNS=/run/netns/pod2
add add-new < <(conf "$y")
snap new-owner
CID=old NETNS=/run/netns/pod1 del late-del-netns-missing < <(conf "$x")
snap after-late-del
CID=old NETNS='' del late-del-netns-empty < <(conf "$x")
snap after-late-del-empty
CID=new del del-new < <(conf "$y")
snap end
