# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12
# limit: 600
# suite: infiniband-faults: cards that fail, forget and are slow, and engines that die
. ./t.sh
. ./node.sh
. ./ibnode.sh
echo 'step_timeout_s = 8' >>$ROOT/etc/vfkeeper/vfkeeper.conf
declare -A ERRNO=([EIO]=5 [EBUSY]=16)

# fault OP KIND NUMBER: KIND is an errno, or ignore
fault() {
	if [ "$2" = ignore ]; then
		knob $IB "$1" ignore "$3"
	else
		knob $IB "$1" errno "${ERRNO[$2]}"
		knob $IB "$1" fail "$3"
	fi
}
no_faults() {
	local op
	for op in node_guid port_guid state probe; do
		knob $IB $op fail 0
		knob $IB $op ignore 0
		knob $IB $op delay_ms 0
	done
}

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
	unpods f
}

# The same while it is released: the DEL succeeds, and the rest is done by and by.
on_release() {
	local op kind
	pods f
	for op in node_guid port_guid probe; do
		for kind in EIO EBUSY ignore; do
			[ $op-$kind != probe-ignore ] || continue
			attach 0 f 12
			fault $op $kind 1
			release 0 f
			all_as_before
		done
	done
	attach 0 f 12 '"link_state":"enable"'
	fault state ignore 1
	release 0 f
	all_as_before
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
kill_engines() {
	local pid
	for pid in $(engine_pids); do # workers go with the engine
		if ! kill -KILL "$pid" 2>/dev/null; then continue; fi
	done
}
started() { [ "$(<"$DBG/$IB/ops/$1/count")" -gt "$2" ]; }
killed_adding() { # OP
	local n
	n=$(<"$DBG/$IB/ops/$1/count")
	knob $IB "$1" delay_ms 3000
	(add f net1 /run/netns/f "$(conf "$(vf $IB 0)" "$(guid 16)")" && echo "$RC" >/tmp/rc) &
	within 20 started "$1" "$n"
	kill_engines
	wait $!
	no_faults
	[ -s /tmp/rc ]
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

remember
service_start
t_case "infiniband-faults: each command of the card fails while a VF is attached" on_attach
no_faults
t_case "infiniband-faults: what a card took and forgot is found out" ignored
no_faults
t_case "infiniband-faults: each command fails or is forgotten while a VF is released" on_release
no_faults
t_case "infiniband-faults: firmware that takes 1.5 s" slow
t_case "infiniband-faults: no uevents" no_events
t_case "infiniband-faults: another number of the verbs device is found out" other_names
t_case "infiniband-faults: a VF that comes back under other names gets its own" own_names
node_stop
t_case "infiniband-faults: engines are killed in the middle of ADD and DEL" killed
node_stop
node_end
