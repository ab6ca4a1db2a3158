# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12
# limit: 600
# suite: infiniband-faults: cards that fail, forget and are slow, and engines that die
. ./t.sh
. ./node.sh
. ./ibnode.sh
echo 'step_timeout_s = 8' >>$ROOT/etc/vfkeeper/vfkeeper.conf
OPS='node_guid port_guid state probe remove'

# Every command of the card fails or does nothing, once, while a VF is attached.
refused() { # OP KIND [MEMBER]
	fault "$1" "$2" 1
	add f net1 /run/netns/f "$(conf "$(vf $IB 0)" "$(guid 11)" ${3:+"$3"})"
	[ "$RC" != 0 ] && [ -n "$(msg)" ]
	all_as_before
}
on_attach() {
	local kind
	pods f
	for kind in EIO EBUSY; do
		refused node_guid $kind
		says $kind
		refused port_guid $kind
		says $kind
		refused state $kind '"link_state":"enable"'
		says $kind
		refused probe $kind
		says $kind
	done
	attach 0 f 11
	release 0 f
	all_as_before
	unpods f
}
ignored() {
	pods f
	refused node_guid ignore
	says "the PF took node GUID 020000000000ff11, after the rebind the VF has 0000000000000000"
	refused port_guid ignore
	says "the PF took port GUID"
	refused state ignore '"link_state":"enable"'
	says "link state is auto on the PF, not enable"
	refused probe ignore
	unpods f
}

# The same while it is released: the DEL succeeds, and the rest is done by and by.
on_release() {
	local op kind
	pods f
	for op in node_guid port_guid state probe; do
		for kind in EIO EBUSY ignore; do
			attach 0 f 12 '"link_state":"enable"'
			fault $op $kind 1
			release 0 f
			all_as_before
		done
	done
	unpods f
}

slow() {
	pods f
	knob $IB node_guid delay_ms 1500
	attach 0 f 13
	release 0 f
	all_as_before
	no_faults
	unpods f
}
no_events() {
	pods f
	echo -1 >$PARAM/uevent_drop
	attach 0 f 14
	release 0 f
	all_as_before
	echo 0 >$PARAM/uevent_drop
	unpods f
}
other_names() { # the device file was promised by its number
	pods f
	echo 1 >$PARAM/renumber
	add f net1 /run/netns/f "$(conf "$(vf $IB 0)" "$(guid 15)")"
	says "its verbs device was uverbs2 and is uverbs"
	all_as_before
	unpods f
}

own_names() { # but the numbers of its device files are the kernel's
	local a
	a=$(vf $IB 0)
	pods f
	attach 0 f 18
	echo 1 >$PARAM/renumber
	release 0 f
	within 20 all_free_again
	want "$(link_of "$a") $(rdma_of "$a")" "ib2 mlx5_2"
	rebind "$a"
	all_as_before
	unpods f
}

# An engine dies in the middle; its client goes to the next one.
killed_adding() { # OP
	local n
	n=$(<"$DBG/$IB/ops/$1/count")
	knob $IB "$1" delay_ms 3000
	(add f net1 /run/netns/f "$(conf "$(vf $IB 0)" "$(guid 16)")" && echo "$RC $(msg)" >/tmp/rc) &
	within 20 started "$1" "$n"
	kill_engines
	wait $!
	no_faults
	want "$(</tmp/rc)" "0 "
	link_in f net1 | grep -q "$GUID0:16"
	release 0 f
	all_as_before
}
killed_deleting() { # OP
	local n
	attach 0 f 17
	n=$(<"$DBG/$IB/ops/$1/count")
	knob $IB "$1" delay_ms 3000
	(del f net1 /run/netns/f "$(conf "$(vf $IB 0)")" && echo "$RC" >/tmp/rc) &
	within 20 started "$1" "$n"
	kill_engines
	wait $!
	no_faults
	want "$(</tmp/rc)" 0
	release 0 f
	all_as_before
}
killed() {
	pods f
	killed_adding node_guid
	killed_adding probe
	killed_deleting node_guid
	killed_deleting probe
	unpods f
}

# A worker that is killed between unbind and bind leaves a VF without a driver, and so does an
# engine whose worker is there still.  Another VF must not be bound meanwhile: each would get the
# number of the other one's device file, and both ADDs would fail.
sleeping_worker() { # in the kernel, and no signal wakes it
	local p pid comm state
	for p in /proc/[0-9]*/stat; do
		if ! read -r pid comm state _ 2>/dev/null <"$p"; then continue; fi
		[ "$comm $state" != '(vfk-worker) D' ] || echo "$pid"
	done
}
in_unbind() { started remove "$1" && [ -n "$(sleeping_worker)" ]; }
adding() { # INDEX POD LAST
	(add "$2" net1 "/run/netns/$2" "$(conf "$(vf $IB "$1")" "$(guid "$3")")" && echo "$RC $(msg)" >"/tmp/rc.$2") &
}
half_bound() { # WHOM to kill
	local n first second
	rm -f /tmp/rc.f /tmp/rc.g
	pods f g
	n=$(<"$DBG/$IB/ops/remove/count")
	knob $IB remove vf 0
	knob $IB remove delay_ms 4000
	adding 0 f 19
	first=$!
	within 20 in_unbind "$n"
	if [ "$1" = worker ]; then kill -KILL "$(sleeping_worker)"; else kill_engines; fi
	adding 1 g 1a
	second=$!
	wait $first $second
	want "$(</tmp/rc.g)" "0 "
	link_in g net1 | grep -q "$GUID0:1a"
	[ "$1" != worker ] || [[ $(</tmp/rc.f) == *"worker of STEPS ended"* ]]
	no_faults
	knob $IB remove vf -1
	release 1 g
	release 0 f
	all_as_before # with their numbers
	unpods f g
}
half_bound_worker() { half_bound worker; }
half_bound_engine() { half_bound engine; }

# A VF for user space that lost its driver gets that one again, and nobody else gets hold of it.
user_driver() {
	local a n
	a=$(vf $IB 4)
	modprobe uio_pci_generic
	echo uio_pci_generic >"$PCI/$a/driver_override"
	echo "$a" >$DRV/unbind
	echo "$a" >/sys/bus/pci/drivers_probe
	want "$(driver_of "$a")" uio_pci_generic
	look_anew
	pods u
	# It has no RDMA device to isolate.  The incumbent's DEL would look for one called "" for ever.
	CNI_NAME=ib-sriov add u net1 /run/netns/u "$(conf "$a" '"rdmaIsolation":true')"
	answered 2
	says "cannot honour rdmaIsolation"
	within 20 is_free "$a"
	for n in none mlx5_core; do # what the workload leaves it with
		add u net1 /run/netns/u "$(conf "$a" '"guidPolicy":"keep"')"
		answered 0
		not ip -n u link show net1
		echo "$a" >/sys/bus/pci/drivers/uio_pci_generic/unbind
		echo >"$PCI/$a/driver_override"
		[ $n = none ] || echo "$a" >$DRV/bind
		del u net1 /run/netns/u "$(conf "$a")"
		answered 0
		within 20 is_free "$a"
		want "$(driver_of "$a") $(<"$PCI/$a/driver_override")" "uio_pci_generic uio_pci_generic"
	done
	echo "$a" >/sys/bus/pci/drivers/uio_pci_generic/unbind
	echo >"$PCI/$a/driver_override"
	echo "$a" >$DRV/bind
	unpods u
}

remember
service_start
# (2.4, 2) the incumbent takes the pod's GUID, which its failed ADD leaves, for the VF's own
t_case "infiniband-faults: each command of the card fails while a VF is attached (2.4, 2)" on_attach
no_faults
t_case "infiniband-faults: what a card took and forgot is found out" ignored
no_faults
t_case "infiniband-faults: each command fails or is forgotten while a VF is released" on_release
no_faults
t_case "infiniband-faults: firmware that takes 1.5 s" slow
t_case "infiniband-faults: no uevents" no_events
t_case "infiniband-faults: another number of the verbs device is found out" other_names
t_case "infiniband-faults: a VF that comes back under other names gets its own" own_names
# (2.4, 18) the incumbent leaves such a VF without a driver, under the pod's GUID
t_case "infiniband-faults: a worker is killed between unbind and bind (2.4, 18)" half_bound_worker
no_faults
t_case "infiniband-faults: a VF for user space gets its own driver again (2.4, 19)" user_driver
node_stop
t_case "infiniband-faults: engines are killed between unbind and bind" half_bound_engine
no_faults
# (2.4, 1) the incumbent has no record before its end: its DEL says yes and leaves the VF in the pod
t_case "infiniband-faults: engines are killed in the middle of ADD and DEL (2.4, 1)" killed
node_stop
node_end
