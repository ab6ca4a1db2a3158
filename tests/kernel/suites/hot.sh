# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12 6.1
# Functions that come and go.
. ./t.sh
ETH=0002:3b:00.0
CARD=/sys/kernel/debug/ibvfsim_cards

numa() {
	want "$(cat $PCI/$IB/numa_node) $(cat $PCI/$ETH/numa_node)" "0 1"
	want "$(cat "$PCI/$(vf $ETH 3)/numa_node")" 1
}

vfs() {
	local p i
	for p in $IB $ETH; do
		for i in 1 2; do
			echo 0 >$PCI/$p/sriov_numvfs
			want "$(ls -d $PCI/$p/virtfn* 2>/dev/null | wc -l)" 0
			echo $((4 * i)) >$PCI/$p/sriov_numvfs
			want "$(ls -d $PCI/$p/virtfn* | wc -l)" $((4 * i))
			has_link "$(vf $p 3)"
			has_rdma "$(vf $p 3)"
		done
	done
}

no_probe() { # left without a driver, a VF is bound by hand only with an override
	local a
	echo 0 >$PCI/$IB/sriov_numvfs
	echo 0 >$PCI/$IB/sriov_drivers_autoprobe
	echo 4 >$PCI/$IB/sriov_numvfs
	a=$(vf $IB 1)
	[ ! -e "$PCI/$a/driver" ]
	[ ! -e "$PCI/$a/remove" ] # a VF cannot be removed by hand
	fails "No such device" write "$a" $DRV/bind
	echo mlx5_core >"$PCI/$a/driver_override"
	echo "$a" >$DRV/bind
	has_link "$a"
	echo >"$PCI/$a/driver_override"
	echo 1 >$PCI/$IB/sriov_drivers_autoprobe
	a=$(vf $IB 2)
	echo "$a" >$DRV/bind
	has_link "$a"
}

override() {
	local a
	a=$(vf $IB 1)
	echo "$a" >$DRV/unbind
	echo nothing >"$PCI/$a/driver_override"
	fails "No such device" write "$a" $DRV/bind
	echo >"$PCI/$a/driver_override"
	echo "$a" >/sys/bus/pci/drivers_probe
	has_link "$a"
}

in_netns() { # all of it goes while links are in a namespace
	local p
	for p in $IB $ETH; do
		ip netns add h
		ip link set "$(link_of "$(vf $p 1)")" netns h name net1
		ip -n h link set net1 up
		echo 0 >$PCI/$p/sriov_numvfs
		fails "not exist" ip -n h link show net1
		ip netns del h
		echo 4 >$PCI/$p/sriov_numvfs
	done
}

pulled() {
	local i p
	for i in 0 1; do
		p=000$((i + 1)):3b:00.0
		ip link set "$(link_of "$(vf $p 1)")" up
		echo 0 >$CARD/$i/present
		[ ! -e $PCI/$p ]
		want "$(ls -d $PCI/000$((i + 1)):* 2>/dev/null | wc -l)" 0
		echo 1 >$CARD/$i/present
		want "$(cat $PCI/$p/sriov_numvfs)" 0
		has_link $p
		echo 4 >$PCI/$p/sriov_numvfs
		has_rdma "$(vf $p 3)"
	done
}

reset() {
	local a
	a=$(vf $IB 1)
	echo 1 >"$PCI/$a/reset"
	has_link "$a"
}

pf_unbound() {
	echo $IB >$DRV/unbind
	want "$(ls -d $PCI/$IB/virtfn* 2>/dev/null | wc -l)" 0
	echo $IB >$DRV/bind
	has_link $IB
}

modules() {
	modprobe -r ibvfsim_driver
	[ ! -e $DBG ]
	want "$(rdma dev | wc -l)" 0
	modprobe -r ibvfsim_cards
	want "$(ls $PCI | lines '^000[1-9]')" 0
	modprobe ibvfsim_cards cards=3 ports=1,2 totalvfs=300,3 class=0x020700 node=1
	modprobe ibvfsim_driver
	want "$(ls $PCI | lines '^000[123]:3b:00[.][01]$')" 5
	echo 0 >$PCI/$IB/sriov_drivers_autoprobe # 300 IPoIB links need more memory
	echo 300 >$PCI/$IB/sriov_numvfs
	want "$(ls -d $PCI/0001:3c:* | wc -l)" 45 # the numbers go on to the next bus
	echo 3 >$PCI/0002:3b:00.1/sriov_numvfs
	want "$(basename "$(readlink $PCI/0002:3b:00.1/virtfn0/physfn)")" 0002:3b:00.1
	modprobe -r ibvfsim_driver
	modprobe -r ibvfsim_cards
}

t_case "hot: NUMA nodes" numa
t_case "hot: VFs come and go" vfs
t_case "hot: VFs without a driver" no_probe
t_case "hot: driver_override" override
t_case "hot: VFs go while one is in a namespace" in_netns
t_case "hot: a card is pulled out and put back" pulled
t_case "hot: reset of a function" reset
t_case "hot: the driver leaves the PF" pf_unbound
t_case "hot: modules out and in, many VFs, two ports" modules
t_end
