# SPDX-License-Identifier: Apache-2.0
# layout: igb
# kernel: 6.12
# QEMU's own SR-IOV card with the drivers of its vendor: a second opinion on ours.
. ./t.sh
P=$(basename "$(dirname "$(ls -d $PCI/*/sriov_totalvfs | head -n 1)")")
PF=$(link_of "$P")

vfs() {
	want "$(cat "$PCI/$P/sriov_totalvfs")" 7
	fails "range" write 8 "$PCI/$P/sriov_numvfs"
	echo 4 >"$PCI/$P/sriov_numvfs"
	want "$(ls -d "$PCI/$P"/virtfn* | wc -l)" 4
	want "$(basename "$(readlink "$PCI/$P/virtfn2/driver")")" igbvf
	fails "busy" write 6 "$PCI/$P/sriov_numvfs"
}

verbs() {
	ip link set "$PF" up
	ip link set "$PF" vf 2 mac 02:11:22:33:44:55
	ip link set "$PF" vf 2 vlan 100 qos 2
	ip link set "$PF" vf 2 trust on
	ip link set "$PF" vf 2 spoofchk off
	ip link show "$PF" | grep -q 'vf 2 .*02:11:22:33:44:55.*vlan 100, qos 2, spoof checking off.*trust on'
	fails "not supported" ip link set "$PF" vf 2 state enable
	fails "not supported" ip link set "$PF" vf 2 node_guid 02:00:00:00:00:00:00:01
	fails "" ip link set "$PF" vf 2 vlan 100 proto 802.1ad
}

returns() {
	local a index
	a=$(vf "$P" 3)
	index=$(index_of "$(link_of "$a")")
	ip link set "$(link_of "$a")" mtu 1400
	ip netns add i
	ip link set "$(link_of "$a")" netns i name net1
	ip -n i link set net1 up
	want "$(link_of "$a")" ''
	ip netns del i
	within 10 has_link "$a"
	want "$(link_of "$a")" net1 # the name it had inside
	want "$(index_of net1)" "$index"
	want "$(cat /sys/class/net/net1/mtu)" 1400
	ip link show net1 | grep -q 'state DOWN'
}

rebound() {
	local a
	a=$(vf "$P" 1)
	echo "$a" >/sys/bus/pci/drivers/igbvf/unbind
	want "$(link_of "$a")" ''
	echo "$a" >/sys/bus/pci/drivers/igbvf/bind
	within 5 has_link "$a"
}

gone() {
	ip netns add g
	ip link set "$(link_of "$(vf "$P" 0)")" netns g name net1
	echo 0 >"$PCI/$P/sriov_numvfs"
	fails "not exist" ip -n g link show net1
	ip netns del g
}

t_case "igb: VFs" vfs
t_case "igb: verbs" verbs
t_case "igb: a link returns under the name it had" returns
t_case "igb: unbind and bind" rebound
t_case "igb: VFs go while one is in a namespace" gone
t_end
