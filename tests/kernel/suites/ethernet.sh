# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12 6.1
# turns: yes
# limit: 900
# suite: ethernet: attach and release of Ethernet VFs, beside an InfiniBand card
. ./t.sh
CARD=0002:3b:00.0
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
	within 10 ping_it a 10.9.0.2
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
	within 10 ping_it a 10.9.0.2
	release 0 a
	release 1 b
	all_as_before
	unpods a b
}


shows() { # INDEX WORDS...: the PF holds them for the VF
	local is word
	is=$(on_pf "$1")
	for word in "${@:2}"; do
		[[ $is == *"$word"* ]] || {
			echo "no '$word' in '$is'"
			return 1
		}
	done
}
sriov() { # as the incumbent's configuration calls us
	CNI_NAME=sriov "$@"
}
every_key() {
	local made
	pods k
	attach 2 k "\"mac\":\"${MAC}3\"" '"vlan":10,"vlanQoS":3,"vlanProto":"802.1ad"' \
		'"max_tx_rate":200,"min_tx_rate":10' '"spoofchk":"on","trust":"on"' \
		'"link_state":"enable"' '"mtu":9000,"allmulti":true,"promisc":true'
	shows 2 ${MAC}3 "vlan 10, qos 3, vlan protocol 802.1ad" "max_tx_rate 200Mbps" "min_tx_rate 10Mbps" \
		"spoof checking on" "link-state enable" "trust on"
	link_in k net1 | grep 'mtu 9000' | grep PROMISC | grep -q ALLMULTI
	made=$OUT
	[[ $made == *\"mac\":\"${MAC}3\"*\"mtu\":9000* ]]
	cni CHECK k net1 /run/netns/k "$(conf "$(vf $CARD 2)" '"vlan":10' "\"prevResult\":$made")"
	answered 0
	ip link set "$PF" vf 2 vlan 11 # behind the pod's back
	cni CHECK k net1 /run/netns/k "$(conf "$(vf $CARD 2)" '"vlan":10' "\"prevResult\":$made")"
	not answered 0
	release 2 k
	all_as_before
	# what an operator emits whatever it is worth
	sriov attach 2 k '"vlan":0,"vlanQoS":0,"vlanProto":"802.1q","spoofchk":"off","link_state":"auto"'
	sriov release 2 k
	all_as_before
	unpods k
}
one_rate() { # the other one stays
	pods k
	ip link set "$PF" vf 3 max_tx_rate 500
	look_anew
	remember
	attach 3 k '"min_tx_rate":20'
	shows 3 "max_tx_rate 500Mbps" "min_tx_rate 20Mbps"
	release 3 k
	all_as_before
	shows 3 "max_tx_rate 500Mbps"
	ip link set "$PF" vf 3 max_tx_rate 0
	look_anew
	remember
	unpods k
}
refused() {
	pods r
	refuse 0 r "set max_tx_rate, min_tx_rate of VF 0" '"vlan":7,"trust":"on","max_tx_rate":200000'
	refuse 0 r "mtu 20000: the driver of the VF refuses it" '"mtu":20000'
	refuse 0 r "ipoibMode" '"ipoibMode":"datagram"'
	want "$(code)" 2
	refuse 0 r "pkey" '"pkey":"0x8001"'
	CNI_NAME=ib-sriov refuse 0 r "is an Ethernet VF, and a network of type ib-sriov is for InfiniBand"
	want "$(code)" 7
	unpods r
}
both_kinds() { # in one engine
	local a
	a=$(vf $IB 0)
	pods i e
	CNI_NAME=sriov add i net1 /run/netns/i "$(conf "$a")"
	answered 7
	says "is an InfiniBand VF, and a network of type sriov is for Ethernet"
	add i net1 /run/netns/i "$(conf "$a" '"guidPolicy":"keep"')"
	answered 0
	link_in i net1 | grep -q link/infiniband
	attach 0 e '"vlan":5'
	del i net1 /run/netns/i "$(conf "$a")"
	answered 0
	release 0 e
	within 20 has_link "$a"
	all_as_before
	unpods i e
}

taken_in_pod() {
	pods t
	ip -n t link add net1 type dummy
	refuse 0 t "the pod has a link named net1 already" '"vlan":7'
	link_in t net1 | grep -q net1
	ip -n t link del net1
	unpods t
}
taken_at_home() {
	local n
	n=$(link_of "$(vf $CARD 0)")
	pods t
	attach 0 t "\"mac\":\"${MAC}5\""
	ip link add "$n" type dummy
	release 0 t
	not is_free "$(vf $CARD 0)"
	ip link del "$n"
	all_as_before
	unpods t
}
changed_in_pod() {
	local n
	n=$(link_of "$(vf $CARD 1)")
	pods t
	attach 1 t
	ip -n t link set net1 down
	ip -n t link set net1 address 02:00:00:00:dd:dd
	ip -n t link set net1 mtu 1600 promisc on allmulticast on
	ip -n t link property add dev net1 altname "$n"
	ip -n t link property add dev net1 altname "$(printf 'x%.0s' {1..127})"
	ip -n t link set net1 name fifteenletters.
	release 1 t
	all_as_before
	unpods t
}
given() { # an operator gave the PF an address that the VF has not taken over yet
	local a l
	a=$(vf $CARD 3)
	l=$(link_of "$a")
	ip link set "$PF" vf 3 mac ${MAC}a
	look_anew
	pods g
	attach 3 g "\"mac\":\"${MAC}b\""
	release 3 g
	within 20 all_free_again
	want "$(link_of "$a") $(<"/sys/class/net/$l/address")" "$l ${MAC}a"
	shows 3 ${MAC}a
	ip link set "$PF" vf 3 mac 00:00:00:00:00:00
	look_anew
	remember
	unpods g
}
of_an_operator() { # what is made of the link of a free VF is what it comes back as
	local a l was
	a=$(vf $CARD 1)
	l=$(link_of "$a")
	was=$(<"/sys/class/net/$l/address")
	ip link set "$l" address ${MAC}9 promisc on allmulticast on
	within 20 free_as "$a" '"promisc":true' '"allmulti":true' "\"${MAC}9\""
	remember
	pods o
	attach 1 o "\"mac\":\"${MAC}8\""
	release 1 o
	all_as_before
	ip link set "$l" address "$was" promisc off allmulticast off
	within 20 free_as "$a" '"promisc":false' '"allmulti":false' "\"$was\""
	remember
	unpods o
}
rebound() { # an operator binds a free VF anew: what a new link has lost is put back
	local a l was
	a=$(vf $CARD 1)
	l=$(link_of "$a")
	was=$(<"/sys/class/net/$l/address")
	ip link set "$l" address ${MAC}9
	within 20 free_as "$a" "\"${MAC}9\""
	remember
	rebind "$a"
	within 20 names_as_before
	# what the PF gives it is not
	ip link set "$l" name op1
	within 20 free_as "$a" '"op1"'
	ip link set "$PF" vf 1 mac ${MAC}a
	rebind "$a"
	within 40 free_as "$a" '"op1"' "\"hwaddr\":\"${MAC}a\""
	want "$(link_of "$a") $(<"/sys/class/net/op1/address")" "op1 ${MAC}a"
	ip link set "$PF" vf 1 mac 00:00:00:00:00:00
	ip link set op1 name "$l"
	ip link set "$l" address "$was"
	within 20 free_as "$a" "\"$l\"" "\"hwaddr\":\"$was\""
	look_anew
	remember
}
beside_a_pod() { # what an operator sets on the PF while a pod has the VF is not the free one's
	pods o
	attach 1 o
	ip link set "$PF" vf 1 vlan 12 trust on
	within 60 seen_by_the_engine "$(vf $CARD 1) somebody changed what its PF holds"
	release 1 o
	all_as_before
	unpods o
}
seen_by_the_engine() { "$VFCTL" reconcile >/dev/null && grep -q "vf=$1" $ROOT/vfkeeperd.log; }
called() { [ "$(link_of "$1")" = "$2" ]; }
names() { # of another VF's link: one that is in a pod gets its own again, two that are free may change
	local a b n m
	a=$(vf $CARD 0) b=$(vf $CARD 1)
	n=$(link_of "$a") m=$(link_of "$b")
	pods n
	attach 0 n
	ip link set "$m" name "$n"
	within 60 called "$b" "$m"
	release 0 n
	all_as_before
	ip link set "$n" name passing
	ip link set "$m" name "$n"
	ip link set passing name "$m"
	within 60 free_as "$a" "\"$m\""
	within 60 free_as "$b" "\"$n\""
	within 20 all_free_again
	want "$(link_of "$a") $(link_of "$b")" "$m $n"
	ip link set "$m" name passing
	ip link set "$n" name "$m"
	ip link set passing name "$n"
	within 60 free_as "$a" "\"$n\""
	within 60 free_as "$b" "\"$m\""
	all_as_before
	unpods n
}
is_made_up() { [[ $(link_of "$1") == vfk* ]]; }
new_name() { # a VF comes up with the name of one that is in a pod, and nobody knows another of it
	local a b n m
	a=$(vf $CARD 0) b=$(vf $CARD 1)
	n=$(link_of "$a") m=$(link_of "$b")
	node_stop
	rm -r $ROOT/var/lib/vfkeeper
	echo "$b" >$DRV/unbind
	service_start
	within 20 is_faulted "$b"
	pods n
	attach 0 n
	echo "$b" >$DRV/bind
	within 20 is_made_up "$b"
	within 20 is_free "$b"
	release 0 n
	within 20 all_free_again
	want "$(link_of "$a")" "$n"
	ip link set "$(link_of "$b")" name "$m"
	within 20 free_as "$b" "\"$m\""
	look_anew
	remember
	unpods n
}
is_faulted() { [ "$(state_of "$1")" = FAULTED ]; }
lent() { # what somebody else has made of a free VF's link is undone
	local a l
	a=$(vf $CARD 1)
	l=$(link_of "$a")
	pods x
	ip link set "$l" netns x
	within 20 is_faulted "$a"
	ip -n x link set "$l" address 02:00:00:00:dd:dd
	ip -n x link set "$l" netns 1
	within 20 is_free "$a"
	all_as_before
	unpods x
}
has_in_pod() { ip -n "$1" link show net1 2>/dev/null; }
pod_has() { # POD WORDS: its VF 0 is as it was given to it
	shows 0 "$2"
	link_in "$1" net1 | grep -q '[<,]UP[,>]'
}
# The pod was deleted by force and its namespace died; its DEL comes when another has the VF.
late_del() {
	pods a b
	attach 0 a "\"mac\":\"${MAC}c\",\"vlan\":7"
	ip netns del a
	within 20 is_free "$(vf $CARD 0)"
	attach 0 b "\"mac\":\"${MAC}d\",\"vlan\":8"
	del a net1 - "$(conf "$(vf $CARD 0)")"
	answered 0
	del a net1 /run/netns/a "$(conf "$(vf $CARD 0)")"
	answered 0
	shows 0 ${MAC}d
	pod_has b "vlan 8"
	release 0 b
	all_as_before
	unpods b
}
# Two DELs of one sandbox; the VF has its next owner while the second one is served.
two_dels() {
	local first
	pods a b
	attach 0 a '"vlan":7'
	(release 0 a) >/tmp/del 2>&1 &
	first=$!
	release 0 a
	wait $first
	within 20 is_free "$(vf $CARD 0)"
	attach 0 b '"vlan":8'
	release 0 a
	pod_has b "vlan 8"
	release 0 b
	all_as_before
	unpods a b
}
# Another pod's namespace has the path that the DEL names; and a file that is none.
path_again() {
	pods a
	attach 0 a '"vlan":7'
	pods a
	add c net1 /run/netns/a "$(conf "$(vf $CARD 1)" '"vlan":8')"
	answered 0
	release 0 a
	within 20 is_free "$(vf $CARD 0)"
	link_in a net1 | grep -q '[<,]UP[,>]'
	shows 1 "vlan 8"
	del c net1 /run/netns/a "$(conf "$(vf $CARD 1)")"
	answered 0
	all_as_before
	attach 0 a '"vlan":7'
	unpods a
	echo none >/run/netns/a
	release 0 a
	rm /run/netns/a
	all_as_before
}
twice() {
	pods a
	attach 0 a '"vlan":7'
	add a net1 /run/netns/a "$(conf "$(vf $CARD 0)" '"vlan":7')"
	answered 999
	says "DEL it first"
	pod_has a "vlan 7"
	release 0 a
	all_as_before
	unpods a
}
no_record() { # nothing but the configuration says whose the link is
	pods a
	attach 0 a '"mtu":1600'
	node_stop
	rm -r $ROOT/var/lib/vfkeeper
	service_start
	release 0 a
	not has_in_pod a
	within 20 has_link "$(vf $CARD 0)"
	within 20 all_free_again
	rebind "$(vf $CARD 0)" # nobody knows what its link was like
	look_anew
	remember
	unpods a
}
# The other plugin does not keep the modes of a link: what the pod made of them is the pod's.
imported() {
	local a l id
	a=$(vf $CARD 1)
	l=$(link_of "$a")
	id=$(printf 'b%.0s' {1..64})
	node_stop
	rm -r $ROOT/var/lib/vfkeeper
	pods i
	mkdir -p $ROOT/var/lib/cni/sriov
	printf '{"MTU":1500,"Master":"%s","OrigVfState":{"EffectiveMAC":"%s","HostIFName":"%s","MTU":1500},"VFID":1,"cniVersion":"0.4.0","deviceID":"%s","ipam":{},"name":"net","type":"sriov"}' \
		"$PF" "$(<"/sys/class/net/$l/address")" "$l" "$a" >$ROOT/var/lib/cni/sriov/$id-net1
	ip link set "$l" netns i name net1
	ip -n i link set net1 up promisc on allmulticast on
	service_start
	"$VFCTL" import >/tmp/said || { cat /tmp/said; return 1; }
	want "$(state_of "$a")" ATTACHED
	del $id net1 /run/netns/i "$(conf "$a")"
	answered 0
	all_as_before
	look_anew
	remember
	unpods i
}
# VLAN and MAC of a VF are gone after a reboot; the sandboxes of before are still to be deleted.
reboot() {
	pods a b
	attach 0 a "\"mac\":\"${MAC}e\",\"vlan\":7"
	node_stop
	unpods a
	echo 0 >$PCI/$CARD/sriov_numvfs
	echo 4 >$PCI/$CARD/sriov_numvfs
	ip link set "$PF" vf 0 vlan 0 mac 00:00:00:00:00:00 # this card has kept it
	echo 22222222-3333-4444-5555-666666666666 >/tmp/boot_id
	mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
	service_start
	within 60 is_free "$(vf $CARD 3)"
	remember
	attach 0 b '"vlan":8'
	del a net1 /run/netns/a "$(conf "$(vf $CARD 0)")"
	answered 0
	pod_has b "vlan 8"
	not shows 0 ${MAC}e
	release 0 b
	all_as_before
	unpods b
}

dead_netns() {
	pods d
	attach 0 d "\"mac\":\"${MAC}7\",\"vlan\":7,\"rdmaIsolation\":true"
	ip netns del d
	del d net1 - "$(conf "$(vf $CARD 0)")"
	answered 0
	all_as_before
}
held_netns() {
	pods d
	attach 0 d '"vlan":7,"rdmaIsolation":true'
	ip netns exec d sleep 1000 &
	within 20 grep -q sleep /proc/$!/comm
	ip netns del d
	del d net1 - "$(conf "$(vf $CARD 0)")"
	answered 0
	all_as_before
	kill $!
}
unbound() {
	local a
	a=$(vf $CARD 0)
	pods u
	attach 0 u "\"mac\":\"${MAC}8\",\"vlan\":7"
	echo "$a" >$DRV/unbind
	release 0 u
	all_as_before
	unpods u
}
numvfs() {
	local a was
	a=$(vf $CARD 0)
	was=$(on_pf 0)
	pods u
	attach 0 u "\"mac\":\"${MAC}7\"" '"vlan":7'
	echo 0 >$PCI/$CARD/sriov_numvfs
	del u net1 /run/netns/u "$(conf "$a")" # its VF is not there
	answered 0
	echo 4 >$PCI/$CARD/sriov_numvfs
	look_anew
	within 60 is_free "$(vf $CARD 3)"
	within 60 all_free_again
	want "$(on_pf 0)" "$was" # this card has kept what the pod was given
	[ "$(<"/sys/class/net/$(link_of "$a")/address")" != ${MAC}7 ]
	remember # the names are new
	attach 0 u '"vlan":8'
	release 0 u
	all_as_before
	unpods u
}
roce() {
	pods r
	attach 0 r '"rdmaIsolation":true'
	want "$(ip netns exec r rdma dev | grep -c mlx5)" 1
	ip netns exec r rdma link show | grep -q 'state ACTIVE.*netdev net1'
	not has_rdma "$(vf $CARD 0)"
	release 0 r
	all_as_before
	unpods r
}
# The pod calls its device otherwise; an operator does, for good, while the VF is free.
rdma_renamed() {
	local was a
	a=$(vf $CARD 0)
	was=$(rdma_of "$a")
	pods n
	attach 0 n '"rdmaIsolation":true'
	ip netns exec n rdma dev set "$was" name pods
	release 0 n
	all_as_before
	rdma dev set "$was" name operators
	look_anew
	attach 0 n '"rdmaIsolation":true'
	release 0 n
	within 20 all_free_again
	want "$(rdma_of "$a")" operators
	rdma dev set operators name "$was"
	look_anew
	all_as_before
	unpods n
}
# Two VFs come back, each with the other's names (and numbers of device files: the last case).
swapped() {
	local a b
	a=$(vf $CARD 2) b=$(vf $CARD 3)
	look_anew
	within 60 is_free "$b"
	within 60 all_free_again
	remember
	swap "$a" "$b"
	within 40 names_as_before
	within 40 all_free_again
}
scrub() { # seen by the driver's own count of probes
	local n
	n=$(<$DBG/$CARD/ops/probe/count)
	pods k
	attach 0 k '"scrub":"flr","vlan":9'
	want "$(<$DBG/$CARD/ops/probe/count)" "$n"
	release 0 k
	all_as_before
	want "$(<$DBG/$CARD/ops/probe/count)" $((n + 1))
	unpods k
}

# The PF has a representor for each VF, the first of them by name before its own link.
switchdev() {
	local rep=
	devlink dev eswitch set "pci/$CARD" mode switchdev
	for rep in "$PCI/$CARD"/net/*; do
		[ "${rep##*/}" = "$PF" ] || break
	done
	ip link set "${rep##*/}" name aaa
	want "$(first_of "$PCI/$CARD/net")" aaa
	for rep in "$PCI/$CARD"/net/*; do # devlink is enough
		mount --bind /dev/null "$rep/phys_port_name"
	done
	look_anew
	pods s
	attach 0 s "\"mac\":\"${MAC}f\",\"max_tx_rate\":100"
	shows 0 ${MAC}f "max_tx_rate 100Mbps"
	release 0 s
	all_as_before
	refuse 0 s "the PF is in switchdev mode" '"vlan":7'
	refuse 0 s "the PF is in switchdev mode" '"trust":"on"'
	for rep in "$PCI/$CARD"/net/*; do
		umount "$rep/phys_port_name"
	done
	devlink dev eswitch set "pci/$CARD" mode legacy
	look_anew
	attach 0 s '"vlan":7,"trust":"on"'
	release 0 s
	all_as_before
	unpods s
}

# --- cards that fail, forget and are slow ---

KEYS='mac vlan rate spoofchk trust state'
OPS="$KEYS get_config probe"
declare -A MEMBER=([mac]="\"mac\":\"${MAC}9\"" [vlan]='"vlan":7' [rate]='"max_tx_rate":100'
	[spoofchk]='"spoofchk":"on"' [trust]='"trust":"on"' [state]='"link_state":"enable"')
declare -A SHOWN=([mac]="${MAC}9" [vlan]='vlan 7' [rate]='max_tx_rate 100Mbps'
	[spoofchk]='spoof checking on' [trust]='trust on' [state]='link-state enable')
passing() { # what goes away by itself costs no pod
	local op
	pods f
	for op in $KEYS; do
		fault "$op" EBUSY 1
		attach 0 f "${MEMBER[$op]}"
		shows 0 "${SHOWN[$op]}"
		fault "$op" ignore 1
		release 0 f
		all_as_before
		fault "$op" ignore 1
		attach 0 f "${MEMBER[$op]}"
		shows 0 "${SHOWN[$op]}"
		fault "$op" EBUSY 1
		release 0 f
		all_as_before
	done
	unpods f
}
failing() {
	local op
	pods f
	for op in $KEYS; do
		fault "$op" EIO 1
		refuse 0 f EIO "${MEMBER[$op]}"
	done
	for op in mac vlan; do
		fault "$op" EBUSY always
		add f net1 /run/netns/f "$(conf "$(vf $CARD 0)" "${MEMBER[$op]}")"
		not answered 0
		says EBUSY
		no_faults
		all_as_before
		fault "$op" ignore always
		add f net1 /run/netns/f "$(conf "$(vf $CARD 0)" "${MEMBER[$op]}")"
		not answered 0
		says "and does not have it"
		no_faults
		all_as_before
	done
	unpods f
}
failing_home() {
	local op
	pods f
	for op in $KEYS; do
		attach 0 f "${MEMBER[$op]}"
		fault "$op" EIO 1
		release 0 f
		all_as_before
	done
	unpods f
}
# Not one failure but each: the DEL says yes, for the link has left; the rest stays owed.
owed_home() {
	local kind
	pods f
	for kind in EIO EBUSY ignore; do
		attach 0 f '"vlan":7'
		fault vlan $kind always
		release 0 f
		not has_in_pod f
		not is_free "$(vf $CARD 0)"
		no_faults
		all_as_before
	done
	unpods f
}
# The driver does not take the VF: it is bound again when it was reset, or unbound by others.
failing_probe() {
	local kind a kinds='EIO EBUSY ignore'
	a=$(vf $CARD 0)
	pods f
	[ "$KERNEL" != 6.1 ] || kinds=EIO
	for kind in $kinds; do
		attach 0 f '"scrub":"flr","vlan":7'
		fault probe $kind 1
		release 0 f
		all_as_before
		attach 0 f '"vlan":7,"rdmaIsolation":true'
		echo "$a" >$DRV/unbind
		fault probe $kind 1
		release 0 f
		all_as_before
	done
	unpods f
}
# What the PF holds for a VF cannot be read, once and always.
failing_look() {
	pods f
	attach 0 f '"vlan":7'
	fault get_config EIO 2
	release 0 f
	all_as_before
	unpods f
}
slow() {
	pods f
	knob $CARD vlan delay_ms 1500
	attach 0 f '"vlan":7'
	release 0 f
	no_faults
	all_as_before
	unpods f
}
hole() { # a VF that the PF does not tell of, and the VFs after it
	knob $CARD get_config vf 1
	knob $CARD get_config fail always
	look_anew
	pods f
	attach 2 f '"vlan":7'
	shows 2 "vlan 7"
	release 2 f
	add f net1 /run/netns/f "$(conf "$(vf $CARD 1)" '"vlan":7')"
	answered 11
	says "its PF does not tell its VLAN"
	attach 1 f # nothing of the PF's is changed
	release 1 f
	no_faults
	knob $CARD get_config vf -1
	look_anew
	all_as_before
	attach 1 f '"vlan":7'
	release 1 f
	all_as_before
	unpods f
}

remember
t_case "ethernet: attach, ping, release, with an engine on demand" life
node_stop
service_start
t_case "ethernet: attach, ping, release, with the service" life
t_case "ethernet: two VLANs, and one" vlans
# (2.4, 25) nobody would see it: the incumbents' CHECK does nothing
t_case "ethernet: every key, seen on the PF and undone; CHECK sees a change (2.4, 25)" every_key
t_case "ethernet: the rate that nobody asked for stays" one_rate
# (2.4, 7) the incumbent leaves what it has set before the key that fails
t_case "ethernet: what the card or the kind of VF cannot do is refused (2.4, 7)" refused
t_case "ethernet: InfiniBand and Ethernet VFs, each for networks of its kind" both_kinds
# (2.4, 8) the incumbent takes the other link of that name for the VF's and renames it
t_case "ethernet: the name is taken in the pod (2.4, 8)" taken_in_pod
# (2.4, 31) the incumbent's DEL stops there, with the link down in the pod
t_case "ethernet: the name is taken at home meanwhile (2.4, 31)" taken_at_home
# (2.4, 20, 21, 30) the incumbent's DEL fails for the name, or leaves the altname to the next pod
t_case "ethernet: a pod changes address, MTU, modes and names (2.4, 20, 21 and 30)" changed_in_pod
t_case "ethernet: an address that the PF was given for the VF before" given
# (2.4, 9 and 10) the incumbents leave what is set on the PF, and the address
t_case "ethernet: the namespace died before the DEL (2.4, 9 and 10)" dead_netns
# (2.4, 3) the incumbent resets VLAN and MAC of whoever has the VF now
t_case "ethernet: the DEL of a former owner comes late (2.4, 3)" late_del
# (2.4, 4) the incumbent's second DEL resets a VF that may have its next owner
t_case "ethernet: two DELs at a time (2.4, 4)" two_dels
# (2.4, 11 and 16) the incumbents fail for ever, or take the one at the path for the owner
t_case "ethernet: another namespace, or none, at the path of the pod's (2.4, 11 and 16)" path_again
# (2.4, 26) the incumbents fail as well, and their runtime's DEL for that takes the link of the pod
t_case "ethernet: an ADD of what is attached is refused and changes nothing (2.4, 26)" twice
t_case "ethernet: an operator's address and modes of a free VF" of_an_operator
t_case "ethernet: an operator gives the VF of a pod a VLAN" beside_a_pod
t_case "ethernet: an operator gives links the names of others" names
t_case "ethernet: a new link has the name of another's" new_name
t_case "ethernet: an operator binds a free VF anew" rebound
t_case "ethernet: a free VF is lent to another namespace" lent
t_case "ethernet: a process holds the namespace" held_netns
t_case "ethernet: the VF was unbound meanwhile" unbound
t_case "ethernet: RoCE: the RDMA device goes along" roce
t_case "ethernet: RoCE: the RDMA device gets another name" rdma_renamed
t_case "ethernet: a VF is reset when it is released" scrub
# (2.4, 24) the incumbents take the PF's first link, which is a representor
t_case "ethernet: a PF in switchdev mode (2.4, 24)" switchdev
T_ALONE=1
if [ "$KERNEL" != 6.1 ]; then
	t_case "ethernet: a busy card, and one that forgets once" passing
	no_faults
	# (2.4, 23) the incumbent takes another VF's settings for it, or ends in a panic
	t_case "ethernet: a PF that leaves a VF out (2.4, 23)" hole
	no_faults
	echo 'step_timeout_s = 8' >>$ROOT/etc/vfkeeper/vfkeeper.conf
	look_anew
	# (2.4, 28) the incumbent waits for an address that never comes, with the lock of all pods
	t_case "ethernet: each command fails or is forgotten while a VF is attached (2.4, 28)" failing
	no_faults
	# (2.4, 5) the incumbent's second DEL says yes and has forgotten what was left
	t_case "ethernet: each command fails while a VF is released (2.4, 5)" failing_home
	no_faults
	t_case "ethernet: a command goes on failing while a VF is released" owed_home
	no_faults
	t_case "ethernet: what the PF holds cannot be read while a VF is released" failing_look
	no_faults
	t_case "ethernet: firmware that takes 1.5 s" slow
	no_faults
fi
# with fewer faults on 6.1
t_case "ethernet: a driver that does not take the VF back at first" failing_probe
T_ALONE=
no_faults
# (2.4, 15) the incumbents fail, or say yes and keep the address
t_case "ethernet: VFs removed and made again under a pod (2.4, 15)" numvfs
# (2.4, 32) the incumbents say yes and leave the link in the pod
t_case "ethernet: a DEL with nothing but its configuration (2.4, 32)" no_record
t_case "ethernet: a VF of sriov-cni is imported, and its DEL ends the modes that its pod set" imported
# (2.4, 14) the incumbent gives the new VF address and VLAN of the one before
t_case "ethernet: a reboot, and DELs of the sandboxes of before (2.4, 14)" reboot
T_ALONE=1
t_case "ethernet: RoCE: two VFs swap their names" swapped
node_stop
node_end
