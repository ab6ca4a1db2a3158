# SPDX-License-Identifier: Apache-2.0
# layout: eth
# kernel: 6.12 6.1
# suite: ethernet: attach and release of Ethernet VFs
. ./t.sh
. ./node.sh
. ./ethnode.sh

MAC=02:00:00:00:be:0 # and a digit
ping_it() { ip netns exec "$1" ping -q -c 1 -W 2 "$2"; }

life() {
	pods a b
	attach 0 a "\"mac\":\"${MAC}1\""
	attach 1 b
	[[ $OUT == *\"mac\":\"$(ip netns exec b cat /sys/class/net/net1/address)\"* ]]
	want "$(ip netns exec a cat /sys/class/net/net1/address)" ${MAC}1
	ip -n a addr add 10.9.0.1/24 dev net1
	ip -n b addr add 10.9.0.2/24 dev net1
	ping_it a 10.9.0.2
	# the VF has an owner
	add other net1 /run/netns/b "$(conf "$(vf $CARD 0)")"
	answered 11
	release 0 a
	release 1 b
	all_as_before
	release 0 a # again
	all_as_before
	unpods a b
}

vlans() {
	pods a b
	attach 0 a '"vlan":7'
	attach 1 b '"vlan":8'
	[[ $(on_pf 0) == *"vlan 7"* && $(on_pf 1) == *"vlan 8"* ]]
	ip -n a addr add 10.9.0.1/24 dev net1
	ip -n b addr add 10.9.0.2/24 dev net1
	fails "100% packet loss" ip netns exec a ping -q -c 1 -W 1 10.9.0.2
	release 1 b
	attach 1 b '"vlan":7,"vlanQoS":3'
	[[ $(on_pf 1) == *"vlan 7, qos 3"* ]]
	ip -n b addr add 10.9.0.2/24 dev net1
	ping_it a 10.9.0.2
	release 0 a
	release 1 b
	all_as_before
	unpods a b
}

remember
t_case "ethernet: attach, ping, release, with an engine on demand" life
node_stop
service_start
t_case "ethernet: attach, ping, release, with the service" life
t_case "ethernet: two VLANs, and one" vlans
node_stop
node_end
