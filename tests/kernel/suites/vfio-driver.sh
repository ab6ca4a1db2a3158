# SPDX-License-Identifier: Apache-2.0
# layout: igb-iommu
# kernel: 6.12
# limit: 600
# suite: vfio-driver: VFs of a vendor's card, bound to its driver and to vfio-pci
. ./t.sh
CARD=
for CARD in "$PCI"/*/sriov_totalvfs; do :; done
CARD=${CARD%/*} CARD=${CARD##*/}
echo 4 >"$PCI/$CARD/sriov_numvfs"
ip link set "$(link_of "$CARD")" up
. ./node.sh
. ./costnode.sh
. ./ethnode.sh
DRV=/sys/bus/pci/drivers/igbvf
MAC=02:00:00:00:bf:0 # and a digit

to_vfio() { # INDEX
	local a
	a=$(vf "$CARD" "$1")
	echo vfio-pci >"$PCI/$a/driver_override"
	[ ! -e "$PCI/$a/driver" ] || echo "$a" >"$PCI/$a/driver/unbind"
	echo "$a" >/sys/bus/pci/drivers_probe
	want "$(driver_of "$a")" vfio-pci
}
prepare() {
	local i
	for i in 0 1; do
		within 10 has_link "$(vf "$CARD" $i)"
		# this card tells of a VF's own address once that was up
		ip link set "$(link_of "$(vf "$CARD" $i)")" up
		ip link set "$(link_of "$(vf "$CARD" $i)")" down
	done
	for i in 2 3; do to_vfio $i; done
}

vendor() { # this driver takes over the address of its PF when it is reset, and refuses it before
	pods a
	attach 0 a "\"mac\":\"${MAC}1\"" '"vlan":7,"vlanQoS":2,"trust":"on","spoofchk":"off","mtu":1400'
	[[ $(on_pf 0) == *"${MAC}1"*"vlan 7, qos 2"*"spoof checking off"*"trust on"* ]]
	want "$(ip netns exec a cat /sys/class/net/net1/address)" ${MAC}1
	[[ $OUT == *\"mac\":\"${MAC}1\"* ]]
	release 0 a
	all_as_before
	attach 0 a
	release 0 a
	all_as_before
	refuse 0 a "the driver of the PF sets no link_state of its VFs" '"vlan":7,"link_state":"enable"'
	refuse 0 a "vlanProto: the driver of the PF cannot" '"vlan":7,"vlanProto":"802.1ad"'
	attach 0 a "\"mac\":\"${MAC}2\",\"vlan\":9"
	ip netns del a
	del a net1 - "$(conf "$(vf "$CARD" 0)")"
	answered 0
	all_as_before
}

# add_vfio INDEX POD [MEMBER...]: no link, and settings on the PF
add_vfio() {
	add "$2" net1 "/run/netns/$2" "$(conf "$(vf "$CARD" "$1")" "${@:3}")"
	answered 0
	[[ $OUT == *\"name\":\"net1\"* && $OUT == *"/run/netns/$2"* ]]
	want "$(driver_of "$(vf "$CARD" "$1")")" vfio-pci
	not ip -n "$2" link show net1
}
life() {
	local ipam=()
	[ $has_go = no ] || ipam=("$(static_ip 10.7.0.1/24)")
	pods v w
	add_vfio 2 v "\"mac\":\"${MAC}3\"" '"vlan":11,"spoofchk":"off","trust":"on"' "${ipam[@]}"
	[[ $OUT == *\"mac\":\"${MAC}3\"* ]]
	[[ $has_go = no || $OUT == *10.7.0.1/24* ]]
	[[ $(on_pf 2) == *"${MAC}3"*"vlan 11"*"spoof checking off"*"trust on"* ]]
	add_vfio 3 w
	add w net1 /run/netns/w "$(conf "$(vf "$CARD" 2)")" # another's
	not answered 0
	release 2 v # the first one is right (2.4, 6)
	release 3 w
	all_as_before
	want "$(lease_states)" ""
	release 2 v
	unpods v w
}
sriov_life() { # the incumbent's configuration
	pods v
	CNI_NAME=sriov add v net1 /run/netns/v "$(conf "$(vf "$CARD" 2)" '"vlan":12,"link_state":""')"
	answered 0
	[[ $(on_pf 2) == *"vlan 12"* ]]
	CNI_NAME=sriov del v net1 /run/netns/v "$(conf "$(vf "$CARD" 2)")"
	answered 0
	all_as_before
	unpods v
}
of_a_link() {
	pods v
	refuse 2 v "it has no network device: its driver is vfio-pci" '"mtu":1400'
	refuse 0 v "vfioPciMode is enabled but the device is not bound to vfio-pci" '"vfioPciMode":true'
	unpods v
}
foreign_change() { # what was done to a VF in a virtual machine shows on the PF alone (2.4, 24 of the reports)
	pods v
	add_vfio 2 v
	ip link set "$PF" vf 2 mac 02:00:00:00:ee:ee
	release 2 v
	all_as_before
	unpods v
}
dead_netns() {
	pods v
	add_vfio 2 v '"vlan":13'
	ip netns del v
	del v net1 - "$(conf "$(vf "$CARD" 2)")"
	answered 0
	all_as_before
}
other_driver() { # the workload gave it another, or none
	local a
	a=$(vf "$CARD" 2)
	pods v
	add_vfio 2 v '"vlan":14'
	echo "$a" >/sys/bus/pci/drivers/vfio-pci/unbind
	release 2 v
	all_as_before
	add_vfio 2 v
	echo "$a" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"$PCI/$a/driver_override"
	echo "$a" >$DRV/bind
	within 10 has_link "$a"
	release 2 v
	all_as_before
	# and the other way round: a VF of the kernel's driver comes back from vfio-pci
	attach 1 v
	to_vfio 1
	release 1 v
	all_as_before
	want "$(<"$PCI/$(vf "$CARD" 1)/driver_override")" "(null)"
	unpods v
}
# Other drivers for user space: to_other DRIVER INDEX
to_other() {
	local a
	a=$(vf "$CARD" "$2")
	echo "$1" >"$PCI/$a/driver_override"
	echo "$a" >"$PCI/$a/driver/unbind"
	echo "$a" >/sys/bus/pci/drivers_probe
	want "$(driver_of "$a")" "$1"
}
uio() { # DRIVER
	local a
	a=$(vf "$CARD" 2)
	modprobe "$1"
	to_other "$1" 2
	look_anew
	remember
	pods u
	add u net1 /run/netns/u "$(conf "$a" "\"mac\":\"${MAC}6\"" '"vlan":15,"trust":"on"')"
	answered 0
	[[ $OUT == *\"name\":\"net1\"* && $OUT == *\"mac\":\"${MAC}6\"* ]]
	want "$(driver_of "$a")" "$1"
	not ip -n u link show net1
	[[ $(on_pf 2) == *"${MAC}6"*"vlan 15"*"trust on"* ]]
	release 2 u # right at once
	all_as_before
	add u net1 /run/netns/u "$(conf "$a")"
	answered 0
	echo "$a" >"/sys/bus/pci/drivers/$1/unbind"
	release 2 u
	all_as_before
	want "$(driver_of "$a")" "$1"
	refuse 2 u "it has no network device: its driver is $1" '"mtu":1400'
	unpods u
	to_vfio 2
	modprobe -r "$1"
	look_anew
	remember
}
uio_pci_generic() { uio uio_pci_generic; }
igb_uio() { uio igb_uio; }

scrub() {
	[ -e "$PCI/$(vf "$CARD" 2)/reset" ] # what follows resets it
	pods v
	add_vfio 2 v '"scrub":"flr"'
	release 2 v
	all_as_before
	unpods v
}

counted() {
	local a
	a=$(vf "$CARD" 2)
	echo 'reconcile_s = 3600' >>$ROOT/etc/vfkeeper/vfkeeper.conf
	look_anew
	pods v
	add_vfio 2 v
	release 2 v
	cost_begin
	cost_kind 'vfio, alone' v "$(conf "$a")"
	cost_kind 'vfio, VLAN and MAC' v "$(conf "$a" "\"vlan\":15,\"mac\":\"${MAC}4\"")"
	cost_count 'VFs bound to vfio-pci, Linux 6.12'
	unpods v
}
lists() { # what was done to the VF in a virtual machine is looked for
	cost_lists 'ADD vfio, alone' 0
	cost_lists 'DEL vfio, alone' 1
	cost_lists 'ADD vfio, VLAN and MAC' 1
}

t_case "vfio-driver: two VFs for the kernel, two for user space" prepare
remember
service_start
t_case "vfio-driver: a vendor's Ethernet VFs" vendor
# (2.4, 6) the incumbent's first DEL of each such VF fails
t_case "vfio-driver: settings on the PF, no link, and a DEL that is right at once (2.4, 6)" life
t_case "vfio-driver: the same as type sriov" sriov_life
t_case "vfio-driver: what needs a link is refused" of_a_link
t_case "vfio-driver: an address that somebody else set goes with its user" foreign_change
t_case "vfio-driver: the namespace died before the DEL" dead_netns
t_case "vfio-driver: a VF comes back without its driver, or with another" other_driver
t_case "vfio-driver: a VF is reset when it is released" scrub
t_case "vfio-driver: VFs of uio_pci_generic" uio_pci_generic
t_case "vfio-driver: VFs of igb_uio" igb_uio
t_case "vfio-driver: every call that is counted succeeds" counted
t_case "vfio-driver: an ADD asks for no list of VFs, but after a setting" lists
t_case "vfio-driver: COST has what a call costs ('make cost' writes it anew)" cost_same
node_stop
t_case "vfio-driver: with an engine on demand" life
node_stop
node_end
