# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# What an InfiniBand VF is: identity, carrier, traffic, return.
. ./t.sh
PF=$(link_of $IB)

inventory() {
	want "$(ls -d $PCI/000[12]:3b:00.0/virtfn* | wc -l)" 32
	want "$(cat $PCI/$IB/class)" 0x020700
	want "$(cat $PCI/$IB/vendor)" 0x15b3
	want "$(cat $PCI/$IB/sriov_totalvfs)" 16
	want "$(basename "$(readlink $PCI/$IB/virtfn3/physfn)")" $IB
	want "$(basename "$(readlink $PCI/$IB/virtfn3/driver)")" mlx5_core
	want "$(cat "/sys/class/net/$PF/type")" 32
	want "$(rdma link show | wc -l)" 34
	for i in 0 7 15; do has_link "$(vf $IB $i)"; done
}

guid() {
	local a l
	a=$(vf $IB 1) l=$(link_of "$(vf $IB 1)")
	want "$(guid_of "$l")" 00:00:00:00:00:00:00:00
	ip link set "$PF" vf 1 node_guid 02:00:00:00:00:01:00:17
	ip link set "$PF" vf 1 port_guid 02:00:00:00:00:00:00:17
	want "$(ip -j link show "$PF" | python3 -c '
import json, sys
v = json.load(sys.stdin)[0]["vfinfo_list"][1]
print(v["vf"], v["node guid"], v["port guid"])')" "1 02:00:00:00:00:01:00:17 02:00:00:00:00:00:00:17"
	want "$(guid_of "$l")" 00:00:00:00:00:00:00:00 # not before the probe
	rebind "$a"
	l=$(link_of "$a")
	want "$(guid_of "$l")" 02:00:00:00:00:00:00:17
	want "$(cat $PCI/$a/infiniband/*/node_guid)" 0200:0000:0001:0017
	want "$(cat $PCI/$a/infiniband/*/ports/1/gids/0)" fe80:0000:0000:0000:0200:0000:0000:0017
	rdma dev show "$(rdma_of "$a")" | grep -q 'node_guid 0200:0000:0001:0017'
}

refusals() {
	local l
	fails "Invalid argument" ip link set "$PF" vf 16 node_guid 02:00:00:00:00:00:00:01
	fails "not supported" ip link set "$PF" vf 1 vlan 5
	fails "not supported" ip link set "$PF" vf 1 trust on
	l=$(link_of "$(vf $IB 2)")
	fails "" ip link set "$l" vf 0 node_guid 02:00:00:00:00:00:00:01
	fails "busy" write 8 $PCI/$IB/sriov_numvfs
	fails "range" write 17 $PCI/$IB/sriov_numvfs
}

partition() { # two VFs in one partition and not in the default one
	local n
	for n in 0 1; do
		ip -n ping$n link set net1 down
		event "$(vf $IB $n)" "pkey 1 800$1"
		ip -n ping$n link add link net1 name net1.$1 type ipoib pkey 0x800$1
		ip -n ping$n link set net1 up
		ip -n ping$n link set net1.$1 up
		ip -n ping$n addr add 10.$1.0.$((n + 1))/24 dev net1.$1
	done
	within 5 carrier net1.$1 ping0
	within 5 carrier net1.$1 ping1
}

traffic() {
	local n a
	for n in 0 1; do
		provision $IB $n 2$n
		a=$(vf $IB $n)
		ip netns add ping$n
		ip link set "$(link_of "$a")" netns ping$n name net1
		ip -n ping$n addr add 10.0.0.$((n + 1))/24 dev net1
		ip -n ping$n link set net1 up
	done
	within 5 carrier net1 ping0
	within 5 carrier net1 ping1
	ip netns exec ping0 ping -q -c 2 -W 3 10.0.0.2
	want "$(ip netns exec ping0 cat /sys/class/net/net1/mtu)" 2044
}

partitions() {
	partition 2
	ip netns exec ping0 ping -q -c 1 -W 3 10.2.0.2
	# a partition that the other side is not in any more
	event "$(vf $IB 1)" "pkey 1 8003"
	ip netns exec ping0 ip neigh flush dev net1.2
	fails "100% packet loss" ip netns exec ping0 ping -q -c 1 -W 1 10.2.0.2
	ip -n ping0 link del net1.2
	ip -n ping1 link del net1.2
}

policy() {
	ip link set "$PF" vf 1 state disable
	within 5 not carrier net1 ping1
	fails "100% packet loss" ip netns exec ping0 ping -q -c 1 -W 1 10.0.0.2
	ip link set "$PF" vf 1 state enable
	within 5 carrier net1 ping1
	within 5 ip netns exec ping0 ping -q -c 1 -W 2 10.0.0.2
	event $IB link_down # VF 0 follows the PF, VF 1 does not
	within 5 not carrier net1 ping0
	carrier net1 ping1
	event $IB link_up
	within 5 carrier net1 ping0
}

returns() {
	local n a
	for n in 0 1; do ip netns del ping$n; done
	for n in 0 1; do
		a=$(vf $IB $n)
		within 10 has_link "$a"
		ip link show "$(link_of "$a")" | grep -q 'state DOWN'
		want "$(guid_of "$(link_of "$a")")" 02:00:00:00:00:00:00:2$n
	done
	# both were net1 inside: one keeps the name, the other cannot
	link_of "$(vf $IB 0)"
	link_of "$(vf $IB 1)"
	want "$(for n in 0 1; do link_of "$(vf $IB $n)"; done | lines '^(net1|dev[0-9]+)$')" 2
}

recreation() {
	echo 0 >$PCI/$IB/sriov_numvfs
	want "$(ls -d $PCI/$IB/virtfn* 2>/dev/null | wc -l)" 0
	echo 5 >$PCI/$IB/sriov_numvfs
	want "$(ls -d $PCI/$IB/virtfn* | wc -l)" 5
	# the card remembers what was set
	want "$(guid_of "$(link_of "$(vf $IB 1)")")" 02:00:00:00:00:00:00:21
}

t_case "ib: the cards are all there" inventory
t_case "ib: a GUID takes effect at the probe of the VF" guid
t_case "ib: what is refused" refusals
t_case "ib: carrier, and ping between VFs in two namespaces" traffic
t_case "ib: a VF hears only its partition" partitions
t_case "ib: link state policy, and the port of the PF" policy
t_case "ib: links return when their namespace dies" returns
t_case "ib: VFs are removed and made again" recreation
t_end
