# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12 6.1
# Asynchronous events of InfiniBand and RoCE ports.
. ./t.sh
ETH=0002:3b:00.0

watch_port() { # PCI address
	rm -f /tmp/uv
	./uvwatch /dev/infiniband/"$(uverbs_of "$1")" 60 >/tmp/uv &
	W=$!
	within 5 grep -q ready /tmp/uv
}
saw() { within 5 grep -q "event $1 " /tmp/uv; }
port_state() { cat "$PCI/$1"/infiniband/*/ports/1/state; }

each() {
	local a=$IB e
	watch_port $a
	for e in port_err:10 port_active:9 lid_change:11 pkey_change:12 sm_change:13 reregister:17 fatal:8; do
		event $a ${e%:*}
		saw ${e#*:} || { echo "no event for $e"; return 1; }
	done
	kill $W
}

of_vf() {
	local a
	a=$(vf $IB 1)
	watch_port "$a"
	ip link set "$(link_of $IB)" vf 1 state disable
	saw 10
	want "$(port_state "$a")" "1: DOWN"
	ip link set "$(link_of $IB)" vf 1 state auto
	saw 9
	want "$(port_state "$a")" "4: ACTIVE"
	kill $W
}

down_up() {
	local a
	a=$(vf $IB 0)
	ip link set "$(link_of "$a")" up
	within 5 carrier "$(link_of "$a")"
	watch_port "$a"
	event $IB link_down # of the PF: the VF follows
	saw 10
	within 5 not carrier "$(link_of "$a")"
	want "$(port_state "$a")" "1: DOWN"
	event $IB link_up
	saw 9
	within 5 carrier "$(link_of "$a")"
	kill $W
}

dead() {
	local a
	a=$(vf $IB 2)
	watch_port "$a"
	event "$a" die
	saw 8
	want "$(port_state "$a")" "1: DOWN"
	event "$a" revive
	want "$(port_state "$a")" "4: ACTIVE"
	kill $W
	event $IB die
	fails "No such device or address" ip link set "$(link_of $IB)" vf 2 node_guid 02:00:00:00:00:00:00:01
	event $IB revive
	ip link set "$(link_of $IB)" vf 2 node_guid 02:00:00:00:00:00:00:01
}

unbound() {
	local a
	a=$(vf $IB 3)
	watch_port "$a"
	echo "$a" >$DRV/unbind
	saw 8
	sleep 1 # nothing more comes, not even an error: the event is the end
	want "$(tail -n 1 /tmp/uv)" "event 8 port 0"
	kill $W
	echo "$a" >$DRV/bind
	has_rdma "$a"
}

roce() {
	local a l
	a=$(vf $ETH 1) l=$(link_of "$(vf $ETH 1)")
	want "$(port_state "$a")" "1: DOWN"
	watch_port "$a"
	ip link set "$l" up
	saw 9
	want "$(port_state "$a")" "4: ACTIVE"
	ip addr add 10.9.0.1/24 dev "$l"
	saw 18 # GID_CHANGE
	: >/tmp/uv
	ip link set "$(link_of $ETH)" vf 1 state disable
	saw 10
	kill $W
}

t_case "events: each one that an InfiniBand port can have" each
t_case "events: the policy of a VF" of_vf
t_case "events: port down and up, with carrier" down_up
t_case "events: a fatal error, and commands after it" dead
t_case "events: unbinding ends them" unbound
t_case "events: RoCE, address, link state" roce
t_end
