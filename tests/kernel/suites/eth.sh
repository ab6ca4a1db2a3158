# SPDX-License-Identifier: Apache-2.0
# layout: eth
# kernel: 6.12 6.1
# Ethernet VFs: every verb of "ip link set vf", and that the switch enforces it.
. ./t.sh
E=$IB # the first card
PF=$(link_of $E)

shown() { # VF: what "ip link show" says of it
	ip -j link show "$PF" | python3 -c '
import json, sys
v = json.load(sys.stdin)[0]["vfinfo_list"][int(sys.argv[1])]
r = v.get("rate") or {}
vl = (v.get("vlan_list") or [{}])[0]
print(v["address"], vl.get("vlan", 0), vl.get("qos", 0), vl.get("protocol", "802.1Q"), v["spoofchk"],
      v["trust"], v["link_state"], r.get("max_tx", 0), r.get("min_tx", 0), v["query_rss_en"])' "$1"
}
ping_it() { ip netns exec e0 ping -q -c 1 -W 2 "${1:-10.2.0.2}"; }
silent() { fails "100% packet loss" ip netns exec e0 ping -q -c 1 -W 1 "${1:-10.2.0.2}"; }
vf_set() { ip link set "$PF" vf "$@"; }

verbs() {
	want "$(shown 1)" "00:00:00:00:00:00 0 0 802.1Q False False auto 0 0 False"
	vf_set 1 mac 02:00:00:00:01:01
	vf_set 1 vlan 10 qos 3 proto 802.1ad
	vf_set 1 spoofchk on
	vf_set 1 trust on
	vf_set 1 state disable
	vf_set 1 max_tx_rate 200 min_tx_rate 10
	vf_set 1 query_rss on
	want "$(shown 1)" "02:00:00:00:01:01 10 3 802.1ad True True disable 200 10 True"
	vf_set 1 mac 00:00:00:00:00:00 vlan 0 spoofchk off trust off state auto max_tx_rate 0 min_tx_rate 0 query_rss off
	want "$(shown 1)" "00:00:00:00:00:00 0 0 802.1Q False False auto 0 0 False"
}

refusals() {
	fails "not supported" vf_set 1 node_guid 02:00:00:00:00:00:00:01
	fails "Invalid argument" vf_set 16 mac 02:00:00:00:00:01
	fails "Invalid argument" vf_set 1 max_tx_rate 200000
	fails "Invalid argument" vf_set 1 mac 01:00:00:00:00:01
	fails "" vf_set 1 vlan 4096
}

traffic() {
	local n
	for n in 0 1; do
		ip netns add e$n
		ip link set "$(link_of "$(vf $E $n)")" netns e$n name net1
		ip -n e$n addr add 10.2.0.$((n + 1))/24 dev net1
		ip -n e$n link set net1 up
	done
	ping_it
}

address() { # takes effect at the probe; may not be changed without trust
	local a l
	a=$(vf $E 2)
	vf_set 2 mac 02:00:00:00:02:02
	[ "$(cat "/sys/class/net/$(link_of "$a")/address")" != 02:00:00:00:02:02 ]
	rebind "$a"
	l=$(link_of "$a")
	want "$(cat /sys/class/net/"$l"/address)" 02:00:00:00:02:02
	fails "not permitted" ip link set "$l" address 02:00:00:00:02:03
	vf_set 2 trust on
	ip link set "$l" address 02:00:00:00:02:03
}

spoofing() {
	vf_set 1 spoofchk on # no address is set: nothing to compare with
	ping_it
	vf_set 1 mac 02:00:00:00:01:99
	silent # the VF still has its old one
	vf_set 1 spoofchk off
	ping_it
}

vlans() {
	vf_set 0 vlan 7
	silent
	vf_set 1 vlan 7
	ping_it
	vf_set 1 vlan 7 proto 802.1ad # the number alone is not the VLAN
	silent
	vf_set 1 vlan 7
	# the PF sees the tag, with the priority
	ip link set "$PF" up
	ip link add link "$PF" name pf.7 type vlan id 7
	ip addr add 10.2.0.9/24 dev pf.7
	ip link set pf.7 up
	ping_it 10.2.0.9
	# a VF with a VLAN may not tag
	ip -n e0 link add link net1 name net1.9 type vlan id 9
	ip -n e0 addr add 10.9.0.1/24 dev net1.9
	ip -n e0 link set net1.9 up
	dropped=$(ip netns exec e0 cat /sys/class/net/net1/statistics/tx_dropped)
	fails "100% packet loss" ip netns exec e0 ping -q -c 1 -W 1 10.9.0.2
	[ "$(ip netns exec e0 cat /sys/class/net/net1/statistics/tx_dropped)" -gt "$dropped" ]
	ip -n e0 link del net1.9
	ip link del pf.7
	vf_set 0 vlan 0
	vf_set 1 vlan 0
	ping_it
}

state() {
	vf_set 1 state disable
	within 3 not carrier net1 e1
	silent
	vf_set 1 state enable
	within 3 carrier net1 e1
	event $E link_down # of the PF: enable stays, auto follows
	carrier net1 e1
	within 3 not carrier net1 e0
	event $E link_up
	within 3 carrier net1 e0
	vf_set 1 state auto
	ping_it
}

lost() { # of 300 frames of 1400 octets as fast as they come, in per cent
	ip netns exec e0 ping -q -f -c 300 -s 1372 -W 1 10.2.0.2 | sed -n 's/.* \([0-9]*\)[.0-9]*% packet loss.*/\1/p'
}
rate() {
	local l
	l=$(lost)
	[ "$l" -lt 10 ] || { echo "lost without a limit: $l %"; return 1; }
	vf_set 0 max_tx_rate 1
	l=$(lost)
	[ "$l" -gt 30 ] || { echo "lost at 1 Mb/s: $l %"; return 1; }
	vf_set 0 max_tx_rate 0
	ping_it
}

promiscuous() { # with trust a VF hears what is not for it
	local l before heard
	l=$(link_of "$(vf $E 3)")
	ip link set "$l" up promisc on
	ping_it
	heard="cat /sys/class/net/$l/statistics/rx_packets"
	# Every VF hears a broadcast or multicast now and then, but not 20 unicast frames.
	before=$($heard)
	ip netns exec e0 ping -q -c 10 -i 0.2 -W 1 10.2.0.2
	[ "$($heard)" -lt $((before + 10)) ]
	vf_set 3 trust on
	before=$($heard)
	ip netns exec e0 ping -q -c 10 -i 0.2 -W 1 10.2.0.2
	[ "$($heard)" -ge $((before + 20)) ]
}

statistics() {
	local n before after sent=/sys/class/net/net1/statistics/tx_packets
	before=$(ip netns exec e0 cat $sent)
	n=$(ip -s -j link show "$PF" | python3 -c '
import json, sys
print(json.load(sys.stdin)[0]["vfinfo_list"][0]["stats"]["tx"]["tx_packets"])')
	after=$(ip netns exec e0 cat $sent) # the VF sends by itself now and then
	[ "$before" -gt 0 ] && [ "$before" -le "$n" ] && [ "$n" -le "$after" ]
}

either_order() { # RoCE: nothing is made anew, whichever goes first
	local a r i index
	for i in 0 1; do ip netns del e$i; done
	within 10 has_link "$(vf $E 0)"
	within 10 has_link "$(vf $E 1)"
	within 5 rdma system set netns exclusive
	for i in 4 5; do
		a=$(vf $E $i) r=$(rdma_of "$(vf $E $i)")
		index=$(index_of "$(link_of "$a")")
		ip netns add r$i
		[ $i = 4 ] || rdma dev set "$r" netns r$i
		ip link set "$(link_of "$a")" netns r$i name net1
		[ $i = 5 ] || rdma dev set "$r" netns r$i
		ip -n r$i link set net1 up
		ip netns exec r$i rdma link show | grep -q "$r.*state ACTIVE.*netdev net1"
		want "$(ip netns exec r$i cat /sys/class/net/net1/ifindex)" "$index"
		ip netns del r$i
		within 10 has_link "$a"
		within 10 has_rdma "$a"
		want "$(index_of "$(link_of "$a")")" "$index"
	done
}

t_case "eth: every verb is taken and shown" verbs
t_case "eth: what is refused" refusals
t_case "eth: ping between VFs in two namespaces" traffic
t_case "eth: the address of a VF" address
t_case "eth: spoof check" spoofing
t_case "eth: VLANs separate, with priority and protocol" vlans
t_case "eth: link state" state
t_case "eth: max_tx_rate" rate
t_case "eth: promiscuous mode needs trust" promiscuous
t_case "eth: statistics of a VF" statistics
t_case "eth: RoCE: link and device move in either order" either_order
t_end
