# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12
# suite: import: a VF that another plugin attached, taken over and released
. ./t.sh
. ./node.sh
. ./ibnode.sh

CNI=$ROOT/var/lib/cni
ID=$(printf 'a%.0s' {1..64})

# As ib-sriov-cni does: GUIDs by the PF, a rebind, the link into the pod.
peer_attach() { # INDEX POD GUID
	local a l d was
	a=$(vf $IB "$1")
	l=$(link_of "$a")
	was=$(guid_of "$l")
	mkdir -p $CNI/ib-sriov
	printf '{"ContIFNames":"net1","HostIFGUID":"%s","HostIFNames":"%s","Master":"%s","RdmaNetState":{"containerRdmaDevName":"","deviceID":"","sandboxRdmaDevName":"","version":""},"VFID":%d,"args":{"cni":null},"cniVersion":"0.4.0","deviceID":"%s","ipam":{},"link_state":"enable","name":"net","pkey":"","runtimeConfig":{"infinibandGUID":"%s"},"type":"ib-sriov"}' \
		"$was" "$l" "$PF" "$1" "$a" "$3" >$CNI/ib-sriov/$ID-net1
	ip link set "$PF" vf "$1" node_guid "$3"
	ip link set "$PF" vf "$1" port_guid "$3"
	ip link set "$PF" vf "$1" state enable
	d=$(driver_of "$a")
	echo "$a" >/sys/bus/pci/drivers/$d/unbind
	echo "$a" >/sys/bus/pci/drivers/$d/bind
	within 10 has_link "$a"
	l=$(link_of "$a")
	ip link set "$l" netns "$2" name net1
	ip -n "$2" link set net1 up
}

taken_over() {
	pods a
	peer_attach 0 a $GUID0:31
	"$VFCTL" import >/tmp/said || { cat /tmp/said; "$VFCTL" list; return 1; }
	grep -q "imported .*1 imported, 0 left" <<<"$(tr '\n' ' ' </tmp/said)" || { cat /tmp/said; return 1; }
	want "$(state_of "$(vf $IB 0)")" ATTACHED
	del $ID net1 /run/netns/a "$(conf "$(vf $IB 0)")"
	answered 0
	all_as_before
	unpods a
}
pod_dies() {
	pods a
	peer_attach 1 a $GUID0:32
	service_start
	"$VFCTL" import >/tmp/said || { cat /tmp/said; return 1; }
	unpods a
	all_as_before
	node_stop
}
remember
t_case "import: a VF of ib-sriov-cni is imported, and its DEL restores GUID, state and name" taken_over
t_case "import: the end of its pod does so, too" pod_dies
node_end
