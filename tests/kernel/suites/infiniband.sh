# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# turns: yes
# suite: infiniband: attach and release of InfiniBand VFs
. ./t.sh
UVWATCH=$PWD/uvwatch
. ./node.sh
. ./ibnode.sh

life() {
	pods a b
	attach 0 a 01
	attach 1 b 02
	ip -n a addr add 10.9.0.1/24 dev net1
	ip -n b addr add 10.9.0.2/24 dev net1
	within 20 ip netns exec a ping -c 1 -W 2 10.9.0.2
	# the VF has an owner
	add other net1 /run/netns/b "$(conf "$(vf $IB 0)" "$(guid 09)")"
	answered 11
	release 0 a
	release 1 b
	all_as_before
	release 0 a # again
	all_as_before
	unpods a b
}


probes() { echo "$(<$DBG/$IB/ops/probe/count)"; }

modes() {
	pods m
	attach 0 m 03 '"mtu":1500,"allmulti":true,"promisc":true,"ipoibMode":"connected"'
	link_in m net1 | grep -q 'mtu 1500'
	link_in m net1 | grep 'PROMISC' | grep -q ALLMULTI
	ip -n m -d link show net1 | grep -q 'mode *connected'
	release 0 m
	all_as_before
	unpods m
}
too_large() {
	pods m
	add m net1 /run/netns/m "$(conf "$(vf $IB 0)" "$(guid 03)" '"mtu":4000')"
	says "mtu 4000"
	all_as_before
	want "$(ip netns exec m rdma dev | lines mlx5)" 0
	unpods m
}
link_state() {
	pods m
	attach 0 m 04 '"link_state":"disable"'
	ip link show "$PF" | grep 'vf 0 ' | grep -q 'link-state disable'
	release 0 m
	all_as_before
	ip link show "$PF" | grep 'vf 0 ' | grep -q 'link-state auto'
	unpods m
}
partition() {
	pods m
	add m net1 /run/netns/m "$(conf "$(vf $IB 0)" "$(guid 05)" '"pkey":"0x8001"')"
	says "pkey 0x8001"
	all_as_before
	attach 0 m 05 '"pkey":"0x7fff"'
	release 0 m
	all_as_before
	unpods m
}
# was_up POD: VF 0 has been in use.  A link that comes up joins its partition's group, which cuts
# its MTU until the link is made anew.
was_up() {
	add "$1" net1 "/run/netns/$1" "$(conf "$(vf $IB 0)" '"guidPolicy":"keep"')"
	answered 0
	within 20 carrier net1 "$1"
	release 0 "$1"
	within 20 all_free_again
}
made_anew() { # VF 0, whose link is as it was before it was up
	rebind "$(vf $IB 0)"
	look_anew
	within 20 all_free_again
	remember
}
no_rebind() {
	local a n
	a=$(vf $IB 0)
	pods k
	n=$(probes)
	add k net1 /run/netns/k "$(conf "$a" '"guidPolicy":"keep","rdmaIsolation":true')"
	answered 0
	release 0 k
	all_as_before
	want "$(probes)" "$n"
	# a GUID that the VF has already
	ip link set "$PF" vf 0 node_guid 02:00:00:00:00:00:00:77
	ip link set "$PF" vf 0 port_guid 02:00:00:00:00:00:00:77
	rebind "$a"
	was_up k
	look_anew
	"$VFCTL" -o json show "$a" | grep -q 00:00:00:77
	remember
	n=$(probes)
	add k net1 /run/netns/k "$(conf "$a" \
		'"rdmaIsolation":false,"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:00:77"}')"
	answered 0
	release 0 k
	all_as_before
	want "$(probes)" "$n"
	made_anew
	unpods k
}

scrub() { # seen by the driver's own count of probes: its GUID is kept
	local n
	pods k
	n=$(probes)
	add k net1 /run/netns/k "$(conf "$(vf $IB 0)" '"guidPolicy":"keep","scrub":"flr"')"
	answered 0
	want "$(probes)" "$n"
	release 0 k
	all_as_before
	want "$(probes)" $((n + 1))
	unpods k
}
ethernet_only() {
	local key
	pods k
	for key in '"vlan":7' '"trust":"on"' '"mac":"02:00:00:00:00:01"'; do
		add k net1 /run/netns/k "$(conf "$(vf $IB 0)" "$(guid 0d)" "$key")"
		want "$(code)" 2
	done
	all_as_before
	unpods k
}

# A program in the pod hears of the port of the device that is its own; one on the node may not.
verbs_event() {
	local u=/dev/infiniband/
	pods v
	attach 0 v 0e
	u+=$(uverbs_of "$(vf $IB 0)")
	fails "not permitted" "$UVWATCH" "$u" 0
	ip netns exec v "$UVWATCH" "$u" 60 >/tmp/uv &
	within 20 grep -q ready /tmp/uv
	event $IB link_down
	within 10 grep -q 'event 10 ' /tmp/uv
	event $IB link_up
	within 10 grep -q 'event 9 ' /tmp/uv
	release 0 v
	within 10 grep -q 'event 8 ' /tmp/uv # it has gone
	wait $!
	all_as_before
	unpods v
}

# A GUID of this machine and the VF's place in it: the same each time, also beside another one.
derived() {
	local i a guids=
	echo 0123456789abcdef0123456789abcdef >$ROOT/etc/machine-id
	look_anew
	pods d
	for i in 0 1 0; do
		a=$(vf $IB $i)
		add d net1 /run/netns/d "$(conf "$a" '"guidPolicy":"derived","rdmaIsolation":true')"
		answered 0
		guids+=" $(ip netns exec d cat /sys/class/net/net1/address | cut -c 37-)"
		release $i d
		all_as_before
	done
	want "$guids" " $(derived_guid 0) $(derived_guid 1) $(derived_guid 0)"
	rm $ROOT/etc/machine-id
	unpods d
}
derived_guid() { # as vfkeeper-cni(7) describes it
	python3 - "$(<$ROOT/etc/machine-id)" "$(vf $IB "$1")" <<-'P'
		import sys
		h = 0xcbf29ce484222325
		for byte in "".join(sys.argv[1:]).encode():
		    h = (h ^ byte) * 0x100000001b3 % 2**64
		print((h >> 8 | 2 << 56).to_bytes(8, "big").hex(":"))
	P
}

taken_in_pod() {
	pods t
	ip -n t link add net1 type dummy
	add t net1 /run/netns/t "$(conf "$(vf $IB 0)" "$(guid 06)")"
	says "the pod has a link named net1 already"
	ip -n t link del net1
	all_as_before
	unpods t
}
taken_at_home() {
	local n
	n=$(link_of "$(vf $IB 0)")
	pods t
	attach 0 t 06
	ip link add "$n" type dummy
	release 0 t
	not is_free "$(vf $IB 0)"
	ip link del "$n"
	all_as_before
	unpods t
}
of_an_operator() { # what is made of the link of a free VF is what it comes back as
	local a l
	a=$(vf $IB 1)
	l=$(link_of "$a")
	ip link set "$l" promisc on allmulticast on
	echo connected >"/sys/class/net/$l/mode"
	within 20 free_as "$a" '"promisc":true' '"allmulti":true' '"ipoib_mode":"connected"'
	remember
	pods o
	attach 1 o 0d
	release 1 o
	all_as_before
	rebind "$a" # by somebody: the modes of a new link are not the baseline
	all_as_before
	l=$(link_of "$a")
	ip link set "$l" promisc off allmulticast off
	echo datagram >"/sys/class/net/$l/mode"
	within 20 free_as "$a" '"promisc":false' '"allmulti":false' '"ipoib_mode":"datagram"'
	remember
	unpods o
}
rebound() { # an operator's new GUID stays, under the names that were
	local a l r
	a=$(vf $IB 2)
	provision $IB 2 72
	look_anew
	within 60 all_free_again
	l=$(link_of "$a") r=$(rdma_of "$a")
	ip link set "$l" name ibop2
	rdma dev set "$r" name rdmaop2
	within 20 free_as "$a" '"ibop2"' '"rdmaop2"'
	provision $IB 2 a2
	within 40 free_as "$a" '"ibop2"' '"rdmaop2"' '"02:00:00:00:00:00:00:a2"'
	want "$(link_of "$a") $(rdma_of "$a") $(guid_of ibop2)" "ibop2 rdmaop2 02:00:00:00:00:00:00:a2"
	ip link set ibop2 name "$l"
	rdma dev set rdmaop2 name "$r"
	look_anew
	remember
}
pf_away() { # what the PF does not tell for a while is no operator's word
	local a
	a=$(vf $IB 0)
	pods m x
	ip link set "$PF" netns x
	"$VFCTL" reconcile >/dev/null
	ip -n x link set "$PF" netns 1
	add m net1 /run/netns/m "$(conf "$a" "$(guid 04)" '"link_state":"disable"')"
	release 0 m
	within 20 all_free_again
	look_anew
	within 20 all_free_again
	ip link show "$PF" | grep 'vf 0 ' | grep -q 'link-state auto'
	all_as_before
	unpods m x
}
back_to_front() { # the link is not made anew here: what it got in the pod comes home with it
	pods t
	was_up t
	look_anew
	remember
	add t net1 /run/netns/t "$(conf "$(vf $IB 0)" '"guidPolicy":"keep"')"
	answered 0
	ip -n t link property add dev net1 altname "$(sed -n '1s/ .*//p' /tmp/before)"
	ip -n t link set net1 mtu 1600 promisc on
	ip -n t link property add dev net1 altname other
	release 0 t
	all_as_before
	not ip link show other
	made_anew
	unpods t
}
# What joining its partition has cut is not what the free VF was like.
cut_short() {
	local a l mtu
	a=$(vf $IB 0)
	made_anew
	l=$(link_of "$a")
	mtu=$(<"/sys/class/net/$l/mtu")
	within 20 free_as "$a" "\"mtu\":$mtu"
	pods c
	was_up c
	[ "$(<"/sys/class/net/$l/mtu")" -lt "$mtu" ]
	"$VFCTL" reconcile >/dev/null
	free_as "$a" "\"mtu\":$mtu"
	look_anew # also the next engine
	"$VFCTL" reconcile >/dev/null
	free_as "$a" "\"mtu\":$mtu"
	attach 0 c 0e # binds it anew, and then it is not cut
	release 0 c
	all_as_before
	ip link set "$l" mtu 1400 # by an operator
	within 20 free_as "$a" '"mtu":1400'
	ip link set "$l" mtu "$mtu"
	within 20 free_as "$a" "\"mtu\":$mtu"
	unpods c
}
# The pod calls its device otherwise; its VF is not made anew.
rdma_renamed() {
	local a was
	a=$(vf $IB 0)
	was=$(rdma_of "$a")
	pods n
	was_up n
	look_anew
	remember
	add n net1 /run/netns/n "$(conf "$a" '"guidPolicy":"keep","rdmaIsolation":true')"
	answered 0
	ip netns exec n rdma dev set "$was" name pods
	release 0 n
	within 20 all_free_again
	want "$(rdma_of "$a")" "$was"
	made_anew
	unpods n
}
dead_netns() {
	pods d
	attach 0 d 07
	ip netns del d
	del d net1 - "$(conf "$(vf $IB 0)")"
	answered 0
	all_as_before
}
held_netns() {
	pods d
	attach 0 d 07
	held
	pods d
	add d net1 /run/netns/d "$(conf "$(vf $IB 0)" '"guidPolicy":"keep"')" # the link alone
	answered 0
	held
}
held() {
	ip netns exec d sleep 1000 &
	within 20 grep -q sleep /proc/$!/comm
	ip netns del d
	del d net1 - "$(conf "$(vf $IB 0)")"
	answered 0
	all_as_before
	kill $!
}
unbound() {
	local a
	a=$(vf $IB 0)
	pods u
	attach 0 u 08
	echo "$a" >$DRV/unbind
	release 0 u
	all_as_before
	unpods u
}
numvfs() {
	local a
	a=$(vf $IB 0)
	provision $IB 0 77
	look_anew
	within 60 all_free_again
	pods u
	attach 0 u 0a '"link_state":"disable"'
	echo 0 >$PCI/$IB/sriov_numvfs
	del u net1 /run/netns/u "$(conf "$a")" # its VF is not there
	answered 0
	echo 4 >$PCI/$IB/sriov_numvfs
	unpods u
	look_anew
	within 60 is_free "$(vf $IB 3)" # no engine binds anything any more
	within 60 all_free_again
	want "$(guid_of "$(link_of "$a")")" 02:00:00:00:00:00:00:77
	ip link show "$PF" | grep 'vf 0 ' | grep -q 'link-state auto'
	provision $IB 0 78
	look_anew
	within 60 all_free_again
	remember
	pods u
	attach 0 u 0b
	release 0 u
	all_as_before
	unpods u
}
shared() {
	for n in /run/netns/*; do [ ! -e "$n" ] || ip netns del "${n##*/}"; done
	within 20 rdma system set netns shared
	pods s
	add s net1 /run/netns/s "$(conf "$(vf $IB 0)" "$(guid 0c)")"
	says "rdmaIsolation: RDMA devices are shared"
	all_as_before
	add s net1 /run/netns/s "$(conf "$(vf $IB 0)" '"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:ff:0c"}')"
	answered 0
	release 0 s
	all_as_before
	unpods s
}

# 254 VFs appear, of which two get a driver later, and no event tells: the ADDs find it, and the
# last VF is as good as the first.  What the kernel tells of so many is longer than it says, and
# ip shows none of them: the card itself is asked.
card_holds() { grep "^$1 " "$DBG/$IB/vfs"; }
all_listed() { [ "$("$VFCTL" list | lines "^0001:3[bc]:")" = 254 ]; }
most() {
	local i a
	within 20 rdma system set netns exclusive
	modprobe -r ibvfsim_driver
	modprobe -r ibvfsim_cards
	modprobe ibvfsim_cards cards=1 totalvfs=254 class=0x020700
	modprobe ibvfsim_driver
	PF=$(link_of $IB)
	ip link set "$PF" up
	echo 0 >$PCI/$IB/sriov_drivers_autoprobe
	echo 254 >$PCI/$IB/sriov_numvfs
	echo 1 >$PCI/$IB/sriov_drivers_autoprobe
	printf '%s\n' 'event_sources = none' 'reconcile_s = 3600' >>$ROOT/etc/vfkeeper/vfkeeper.conf
	look_anew
	within 60 all_listed
	for i in 0 253; do
		ip link set "$PF" vf $i node_guid 02:00:00:00:00:01:00:0$((i % 7))
		ip link set "$PF" vf $i port_guid 02:00:00:00:00:00:00:0$((i % 7))
		[ $i = 0 ] || ip link set "$PF" vf $i state disable # which nobody guesses
		a=$(vf $IB $i)
		echo "$a" >$DRV/bind
	done
	card_holds 253 >/tmp/last
	pods m n
	attach 0 m 10
	attach 253 n 11 '"link_state":"enable"'
	card_holds 253 | grep -q 'port=020000000000ff11 policy=1'
	release 253 n
	release 0 m
	within 20 is_free "$(vf $IB 253)"
	card_holds 253 | diff /tmp/last -
	unpods m n
}

remember
t_case "infiniband: attach, ping, release, with an engine on demand" life
node_stop
service_start
t_case "infiniband: attach, ping, release, with the service" life
t_case "infiniband: MTU, modes and IPoIB mode" modes
t_case "infiniband: an MTU that the partition does not have is refused" too_large
t_case "infiniband: link state" link_state
t_case "infiniband: a partition that the VF is not in is refused" partition
t_case "infiniband: no rebind without another GUID" no_rebind
t_case "infiniband: a VF is reset when it is released" scrub
t_case "infiniband: what only Ethernet has is refused" ethernet_only
t_case "infiniband: an event of its port, seen in the pod that has the device for itself" verbs_event
t_case "infiniband: a derived GUID, the same each time" derived
t_case "infiniband: the name is taken in the pod" taken_in_pod
t_case "infiniband: the name is taken at home meanwhile" taken_at_home
t_case "infiniband: a pod changes MTU, modes and names of the link" back_to_front
t_case "infiniband: an MTU that was cut in a pod is nobody's baseline" cut_short
t_case "infiniband: the RDMA device gets another name in the pod" rdma_renamed
t_case "infiniband: an operator's modes of a free VF" of_an_operator
t_case "infiniband: an operator gives a free VF a new GUID" rebound
t_case "infiniband: the PF's link is away for a while" pf_away
t_case "infiniband: the namespace died before the DEL" dead_netns
t_case "infiniband: a process holds the namespace" held_netns
t_case "infiniband: the VF was unbound meanwhile" unbound
t_case "infiniband: VFs removed and made again under a pod" numvfs
t_case "infiniband: RDMA devices that are shared" shared
t_case "infiniband: a PF with 254 VFs" most
node_stop
node_end
