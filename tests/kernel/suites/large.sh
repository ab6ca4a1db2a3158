# SPDX-License-Identifier: Apache-2.0
# layout: ib-large
# kernel: 6.12
# limit: 240
# Many VFs: 5 PFs with 127 each.
. ./t.sh

inventory() {
	local p
	for p in 1 2 3 4 5; do
		want "$(ls -d $PCI/000$p:3b:00.0/virtfn* | wc -l)" 127
	done
	want "$(rdma dev | wc -l)" 640
	want "$(ls /sys/class/net | lines '^ib')" 640
	has_link "$(vf 0005:3b:00.0 126)"
}

guids() { # of all VFs of one PF, read back in one message
	local l i
	l=$(link_of 0003:3b:00.0)
	for ((i = 0; i < 127; i++)); do
		printf 'link set %s vf %d node_guid 02:00:00:00:00:03:00:%02x\n' "$l" $i $i
		printf 'link set %s vf %d port_guid 02:00:00:00:00:03:00:%02x\n' "$l" $i $i
	done | ip -batch -
	want "$(ip link show "$l" | lines 'NODE_GUID 02:00:00:00:00:03:00:(..), PORT_GUID 02:00:00:00:00:03:00:')" 127
	ip link show "$l" | grep -q 'vf 126 .*PORT_GUID 02:00:00:00:00:03:00:7e'
}

one() {
	provision 0005:3b:00.0 126 7f
	ip netns add l
	ip link set "$(link_of "$(vf 0005:3b:00.0 126)")" netns l name net1
	ip -n l link set net1 up
	within 10 carrier net1 l
	ip netns del l
	within 20 has_link "$(vf 0005:3b:00.0 126)"
}

t_case "large: 640 devices and links" inventory
t_case "large: GUIDs of 127 VFs" guids
t_case "large: the last VF comes up in a namespace" one
t_end
