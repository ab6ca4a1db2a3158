# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# Every knob of ibvfsim_driver that the other suites do not turn.
. ./t.sh
PF=$(link_of $IB)
set_guid() { ip link set "$PF" vf "$1" node_guid "02:00:00:00:00:00:00:$2"; }
held() { grep "^$1 " $DBG/$IB/vfs | sed 's/.*node=\([0-9a-f]*\) .*/\1/'; }

started() { [ "$(<$DBG/$IB/ops/node_guid/count)" -gt "$1" ]; }

delay() {
	local t p n
	n=$(<$DBG/$IB/ops/node_guid/count)
	knob $IB node_guid delay_ms 1500
	t=$(ms)
	set_guid 2 01 &
	p=$!
	within 20 started "$n"
	ip link set lo mtu 60000 # whoever administers any link waits as well
	[ $(($(ms) - t)) -ge 1300 ]
	wait $p
	knob $IB node_guid delay_ms 0
	t=$(ms)
	set_guid 2 02
	[ $(($(ms) - t)) -lt 1000 ]
	want "$(held 2)" 0200000000000002
}

failure() {
	knob $IB node_guid fail 2
	fails "Input/output error" set_guid 2 11
	fails "Input/output error" set_guid 2 11
	set_guid 2 12
	knob $IB node_guid errno 110
	knob $IB node_guid fail always
	for i in 1 2 3; do fails "timed out" set_guid 2 13; done
	want "$(cat $DBG/$IB/ops/node_guid/fail)" always
	knob $IB node_guid fail 0
	knob $IB node_guid errno 0
	want "$(held 2)" 0200000000000012
	# port_guid and state are commands of their own
	knob $IB port_guid fail 1
	set_guid 2 14
	fails "Input/output error" ip link set "$PF" vf 2 port_guid 02:00:00:00:00:00:00:14
	knob $IB state fail 1
	fails "Input/output error" ip link set "$PF" vf 2 state enable
}

ignored() {
	knob $IB node_guid ignore 1
	set_guid 2 21
	want "$(held 2)" 0200000000000014
	set_guid 2 22
	want "$(held 2)" 0200000000000022
	knob $IB node_guid ignore always
	for i in 1 2; do set_guid 2 23; done
	want "$(held 2)" 0200000000000022
	knob $IB node_guid ignore 0
}

one_vf() {
	local n
	n=$(cat $DBG/$IB/ops/node_guid/count)
	knob $IB node_guid vf 3
	knob $IB node_guid fail always
	set_guid 2 31
	fails "Input/output error" set_guid 3 31
	knob $IB node_guid fail 0
	knob $IB node_guid vf -1
	set_guid 3 31
	want "$(cat $DBG/$IB/ops/node_guid/count)" $((n + 3))
}

query() { # a slow or failing query of one VF: the whole list waits, the VF is left out
	local t
	knob $IB get_config delay_ms 100
	t=$(ms)
	ip link show "$PF" >/dev/null
	[ $(($(ms) - t)) -ge 1500 ] # 16 VFs
	knob $IB get_config delay_ms 0
	knob $IB get_config vf 3
	knob $IB get_config fail always
	want "$(ip link show "$PF" | lines '^ *vf ')" 15
	want "$(ip link show "$PF" | lines '^ *vf 3 ')" 0
	knob $IB get_config fail 0
	knob $IB get_config vf -1
	want "$(ip link show "$PF" | lines '^ *vf ')" 16
}

probe() {
	local a t
	a=$(vf $IB 4)
	knob $IB probe fail 1
	echo "$a" >$DRV/unbind
	fails "Input/output error" write "$a" $DRV/bind
	[ ! -e "$PCI/$a/driver" ]
	echo "$a" >$DRV/bind
	knob $IB probe delay_ms 800
	t=$(ms)
	rebind "$a"
	[ $(($(ms) - t)) -ge 800 ]
	knob $IB probe delay_ms 0
	knob $IB probe ignore 1 # bound, and nothing there
	rebind "$a"
	[ -e "$PCI/$a/driver" ]
	want "$(link_of "$a")$(rdma_of "$a")" ''
	rebind "$a"
	has_link "$a"
}

opened() {
	local u
	u=/dev/infiniband/$(uverbs_of "$(vf $IB 4)")
	knob $IB open fail 1
	fails "Input/output error" ./uvwatch "$u" 0
	./uvwatch "$u" 0
}

numvfs() {
	local P=0002:3b:00.0
	knob $P numvfs fail 1
	fails "Input/output error" write 0 $PCI/$P/sriov_numvfs
	want "$(ls -d $PCI/$P/virtfn* | wc -l)" 16
	echo 0 >$PCI/$P/sriov_numvfs
	knob $P numvfs ignore 1
	echo 4 >$PCI/$P/sriov_numvfs
	want "$(ls -d $PCI/$P/virtfn* 2>/dev/null | wc -l)" 0
	# the PCI core believes it, and so nothing works until it is set back
	echo 0 >$PCI/$P/sriov_numvfs
	knob $P numvfs delay_ms 700
	t=$(ms)
	echo 2 >$PCI/$P/sriov_numvfs
	[ $(($(ms) - t)) -ge 700 ]
	knob $P numvfs delay_ms 0
	want "$(ls -d $PCI/$P/virtfn* | wc -l)" 2
}

renumber() {
	local a l r u
	a=$(vf $IB 6) l=$(link_of "$(vf $IB 6)") r=$(rdma_of "$(vf $IB 6)") u=$(uverbs_of "$(vf $IB 6)")
	rebind "$a"
	want "$(rdma_of "$a") $(uverbs_of "$a")" "$r $u" # the lowest free ones: its own
	echo 1 >$PARAM/renumber
	rebind "$a"
	[ "$(rdma_of "$a")" != "$r" ]
	[ "$(uverbs_of "$a")" != "$u" ]
	[ "$(link_of "$a")" != "$l" ]
	rebind "$a"
	want "$(rdma_of "$a") $(uverbs_of "$a") $(link_of "$a")" "$r $u $l"
}

uevents() {
	local a p
	a=$(vf $IB 7)
	./nlwatch >/tmp/nl &
	p=$!
	within 5 grep -q ready /tmp/nl
	echo 1 >$PARAM/uevent_drop # the link's is the first, the RDMA device's the second
	rebind "$a"
	within 5 grep -q "uevent add@.*$a/infiniband/[^/]* nsid" /tmp/nl
	fails "" grep "uevent add@.*$a/net/[^/]* nsid" /tmp/nl
	want "$(cat $PARAM/uevent_drop)" 0
	echo 1500 >$PARAM/uevent_delay_ms
	: >/tmp/nl
	rebind "$a"
	has_link "$a"
	fails "" grep -E "uevent add@.*$a/(net|infiniband)/[^/]* nsid" /tmp/nl
	within 4 grep -q "uevent add@.*$a/net/[^/]* nsid" /tmp/nl
	within 4 grep -q "uevent add@.*$a/infiniband/[^/]* nsid" /tmp/nl
	echo 0 >$PARAM/uevent_delay_ms
	kill $p
}

vendor() {
	local D=$PCI/0002:3b:00.0
	echo 0 >$D/sriov_numvfs
	[ ! -e $D/sriov ]
	echo Y >$PARAM/vendor_sysfs
	echo 3 >$D/sriov_numvfs
	want "$(ls $D/sriov | tr '\n' ' ')" "0 1 2 "
	want "$(cat $D/sriov/1/node)" 00:00:00:00:00:00:00:00
	want "$(cat $D/sriov/1/policy)" Follow
	echo 02:00:00:00:00:00:0a:0b >$D/sriov/1/port
	echo 02:00:00:00:00:00:0a:0c >$D/sriov/1/node
	echo Up >$D/sriov/1/policy
	want "$(cat $D/sriov/1/node $D/sriov/1/policy | tr '\n' ' ')" "02:00:00:00:00:00:0a:0c Up "
	ip link show "$(link_of 0002:3b:00.0)" |
		grep -q 'vf 1 .*NODE_GUID 02:00:00:00:00:00:0a:0c, PORT_GUID 02:00:00:00:00:00:0a:0b, link-state enable'
	fails "Invalid argument" write nonsense $D/sriov/1/node
	fails "Invalid argument" write Sideways $D/sriov/1/policy
	knob 0002:3b:00.0 node_guid fail 1
	fails "Input/output error" write 02:00:00:00:00:00:00:01 $D/sriov/1/node
	echo N >$PARAM/vendor_sysfs
	echo 0 >$D/sriov_numvfs
	[ ! -e $D/sriov ]
	echo 2 >$D/sriov_numvfs
	[ ! -e $D/sriov ]
}

live() {
	local a
	a=$(vf $IB 8)
	echo Y >$PARAM/live_guid
	set_guid 8 81
	want "$(sed -n 's/.* node=\([0-9a-f]*\) .*/\1/p' "$DBG/$a/port")" 0200000000000081
	echo N >$PARAM/live_guid
	set_guid 8 82
	want "$(sed -n 's/.* node=\([0-9a-f]*\) .*/\1/p' "$DBG/$a/port")" 0200000000000081
}

administrator() { # of the subnet
	local l
	l=$(link_of "$(vf $IB 9)")
	echo N >$PARAM/sa_on
	ip link set "$l" up
	sleep 2
	not carrier "$l"
	echo Y >$PARAM/sa_on
	within 40 carrier "$l"
	l=$(link_of "$(vf $IB 10)") # one that has never been in the group
	echo 1500 >$PARAM/sa_delay_ms
	ip link set "$l" up
	sleep 0.5
	not carrier "$l"
	echo 0 >$PARAM/sa_delay_ms
	within 40 carrier "$l"
}

policy() {
	echo 2 >$PARAM/vf_policy # of the VFs of a PF that is bound from now on
	rebind 0002:3b:00.0
	echo 1 >$PCI/0002:3b:00.0/sriov_numvfs
	ip link show "$(link_of 0002:3b:00.0)" | grep -q 'vf 0 .*link-state disable'
	echo 0 >$PARAM/vf_policy
}

fixed() { # RDMA devices that cannot move, as a driver without disassociation
	modprobe -r ibvfsim_driver
	modprobe ibvfsim_driver netns=0 driver_name=other ib_name=rx%d
	[ -d /sys/bus/pci/drivers/other ]
	want "$(rdma_of $IB)" rx0
	rdma system set netns exclusive
	ip netns add f
	fails "not supported" rdma dev set rx0 netns f
	ip netns del f
	modprobe -r ibvfsim_driver
	modprobe ibvfsim_driver
}

t_case "knobs: delay_ms, and who else waits" delay
t_case "knobs: fail N, fail always, errno" failure
t_case "knobs: ignore N, ignore always" ignored
t_case "knobs: vf, count" one_vf
t_case "knobs: get_config: slow, failing for one VF" query
t_case "knobs: probe: failing, slow, ignored" probe
t_case "knobs: open" opened
t_case "knobs: numvfs: failing, ignored, slow" numvfs
t_case "knobs: renumber" renumber
t_case "knobs: uevent_drop, uevent_delay_ms" uevents
t_case "knobs: vendor_sysfs" vendor
t_case "knobs: live_guid" live
t_case "knobs: sa_on, sa_delay_ms" administrator
t_case "knobs: vf_policy" policy
t_case "knobs: netns, driver_name, ib_name" fixed
t_end
