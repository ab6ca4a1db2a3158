# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# turns: yes
# limit: 900
# suite: infiniband-events: what happens to VFs without a call
. ./t.sh
. ./node.sh
. ./ibnode.sh
CONF=$ROOT/etc/vfkeeper/vfkeeper.conf
PF2=0002:3b:00.0 # the second card
cp "$CONF" "$CONF.plain"

# sources LINE...: a service with these lines in its configuration
sources() {
	node_stop
	cp "$CONF.plain" "$CONF"
	printf '%s\n' "$@" >>"$CONF"
	service_start
	within 20 all_free_again
}
# demand LINE...: an engine on demand, which stays
demand() {
	node_stop
	cp "$CONF.plain" "$CONF"
	printf '%s\n' 'idle_s = 3600' "$@" >>"$CONF"
	del nobody net1 - "$(conf "")"
	within 20 all_free_again
}
is() { [ "$(state_of "$1")" = "$2" ]; }
port_is() { "$VFCTL" ports | grep -q "$1 .*$2"; }
events_of() { # SOURCE
	"$VFCTL" -o json status | tr -d ' \n' | sed -n "s/.*\"source\":\"$1\",\"open\":[a-z]*,\"events\":\([0-9]*\).*/\1/p"
}

# The owner's namespace dies; nobody says DEL.
killed_netns() {
	pods k
	attach 0 k 21
	ip netns del k
	within 30 is_free "$(vf $IB 0)"
	all_as_before
}
# The link of a pod comes home by itself.
returned() {
	pods k
	attach 1 k 22
	ip -n k link set net1 netns 1
	within 30 is_free "$(vf $IB 1)"
	all_as_before
	unpods k
}
# Somebody takes the driver off a free VF, and puts it back.
unbound() {
	local a
	a=$(vf $IB 2)
	echo "$a" >$DRV/unbind
	within 30 is "$a" FAULTED
	echo "$a" >$DRV/bind
	within 30 is "$a" FREE
	all_as_before
}
# Two VFs come back, each with the other's names.
swapped() {
	local a b
	a=$(vf $IB 0) b=$(vf $IB 1)
	swap "$a" "$b"
	within 40 names_as_before && within 40 all_free_again
}
right_numbers() { # bound in their order, they get the first that are free
	local i
	for i in 0 1 2 3; do echo "$(vf $IB $i)" >$DRV/unbind; done
	for i in 0 1 2 3; do echo "$(vf $IB $i)" >$DRV/bind; done
	within 40 all_free_again
}
foreign_name() {
	local a
	a=$(vf $IB 3)
	echo "$a" >$DRV/unbind
	ip link add "$1" type dummy # its name is taken meanwhile
	echo "$a" >$DRV/bind
	ip link del "$1"
	within 40 all_as_before
}
other_name() { foreign_name "$(link_of "$(vf $IB 3)")"; }

# All VFs go and come while two are in pods.
hot() {
	local n a i
	a=$(vf $IB 0)
	read -r n <$PCI/$IB/sriov_numvfs
	pods h
	attach 0 h 23
	echo 0 >$PCI/$IB/sriov_numvfs
	within 30 is "$a" ABSENT
	echo "$n" >$PCI/$IB/sriov_numvfs
	within 30 is "$a" FREE
	release 0 h
	within 30 all_free_again
	for i in 0 1 2 3; do [ "$(state_of "$(vf $IB $i)")" = FREE ]; done
	[ "$(guid_of "$(link_of "$a")")" != $GUID0:23 ] # which the card has kept
	attach 0 h 24
	release 0 h
	unpods h
	within 20 all_free_again
	remember # GUIDs and names of another incarnation
}

port_down() {
	ip link set "$PF" up
	within 20 port_is $IB ACTIVE
	event $IB link_down
	within 30 port_is $IB DOWN
	event $IB link_up
	within 30 port_is $IB ACTIVE
}

# Of the verbs device of the PF: its link need not be up for that.
port_fails() {
	local n
	n=$(events_of verbs)
	event $IB die
	within 30 port_is $IB FATAL
	[ "$(events_of verbs)" -gt "$n" ]
	cni STATUS '' '' - "$STATUS_CONF"
	answered 0 # another PF works
	"$VFCTL" cordon $PF2
	cni STATUS '' '' - "$STATUS_CONF"
	answered 51
	says "port 1 of $IB is FATAL"
	"$VFCTL" uncordon $PF2
	curl -s http://127.0.0.1:9477/metrics | grep -q "^vfkeeper_port_state{pf=\"$IB\",port=\"1\",state=\"FATAL\"} 1"
	pods f
	add f net1 /run/netns/f "$(conf "$(vf $IB 0)" "$(guid 25)")"
	says "port 1 of PF $IB is in state FATAL"
	event $IB revive
	within 30 port_is $IB ACTIVE
	attach 0 f 25
	release 0 f
	unpods f
	all_as_before
}
STATUS_CONF='{"cniVersion":"1.1.0","name":"n","type":"vfkeeper"}'
port_by_verbs() {
	ip link set "$PF" down
	event $IB port_err # says so, but the port is as it was
	event $IB link_down
	within 30 port_is $IB DOWN
	event $IB link_up
	within 30 port_is $IB ACTIVE
	ip link set "$PF" up
}
# The device of the PF goes and comes: it is listened to again.
pf_again() {
	local n
	n=$(<$PCI/$IB/sriov_numvfs)
	echo 0 >$PCI/$IB/sriov_numvfs
	rebind $IB
	echo "$n" >$PCI/$IB/sriov_numvfs
	within 40 all_free_again
	within 40 port_is $IB ACTIVE
	PF=$(link_of $IB)
	port_by_verbs
	remember
}

# A command of the firmware that takes a minute: the engine is killed, and the next one serves
# everybody else.
stuck_is() { "$VFCTL" -o json show "$1" | tr -d ' ' | grep -q '"stuck":true'; }
stuck() { # OP MILLISECONDS [service]
	local n a b u adder
	a=$(vf $IB 0) b=$(vf $PF2 0) u=$(vf $PF2 1)
	pods s t u
	add t net1 /run/netns/t "$(conf "$b")"
	answered 0
	add u net1 /run/netns/u "$(conf "$u")"
	answered 0
	n=$(<"$DBG/$IB/ops/$1/count")
	knob $IB "$1" delay_ms "$2"
	(add s net1 /run/netns/s "$(conf "$a" "$(guid 26)")" && echo "$RC $(msg)" >/tmp/rc) &
	adder=$!
	within 20 started "$1" "$n"
	kill_engines
	[ -z "${3-}" ] || service_start
	del nobody net1 - "$(conf "$b")" # on demand: the next engine
	answered 0
	within 20 stuck_is "$a"
	# VFs of another PF: one for user space, which has left with its pod; and where nobody holds
	# RTNL, one with a link
	del u net1 /run/netns/u "$(conf "$u")"
	answered 0
	if [ "$1" = probe ]; then
		del t net1 /run/netns/t "$(conf "$b")"
		answered 0
		within 20 is "$b" FREE
	fi
	stuck_is "$a" # still, and nothing second was begun on it
	[ "$(<"$DBG/$IB/ops/$1/count")" = $((n + 1)) ]
	knob $IB "$1" delay_ms 0
	wait $adder
	want "$(</tmp/rc)" "0 "
	del t net1 /run/netns/t "$(conf "$b")"
	answered 0
	release 0 s
	within 20 is "$u" FREE
	all_as_before
	want "$(driver_of "$u")" uio_pci_generic
	unpods s t u
}
stuck_service() { stuck probe 60000 service; }
stuck_demand() { stuck probe 15000; }
stuck_rtnl() { stuck node_guid 15000 service; }
stuck_rtnl_demand() { stuck node_guid 15000; }

# What happens while no engine is there is found by the next one.
found_later() {
	local a
	a=$(vf $IB 2)
	pods k k2
	attach 0 k 27
	attach 1 k2 28
	node_stop
	ip netns del k
	ip -n k2 link set net1 netns 1
	echo "$a" >$DRV/unbind
	del nobody net1 - "$(conf "")"
	within 30 is_free "$(vf $IB 0)"
	within 30 is_free "$(vf $IB 1)"
	within 30 is "$a" FAULTED
	echo "$a" >$DRV/bind
	within 30 is "$a" FREE
	all_as_before
	unpods k2
}

everything() { # SENTENCE
	t_case "infiniband-events: a namespace dies, $1" killed_netns
	t_case "infiniband-events: a link comes home, $1" returned
	t_case "infiniband-events: a free VF is unbound and bound, $1" unbound
	t_case "infiniband-events: a VF whose name was taken gets its own, $1" other_name
	t_case "infiniband-events: a port goes down and comes back, $1" port_down
}

remember
sources 'reconcile_s = 3600'
everything 'told by events'
t_case "infiniband-events: all VFs go and come under a pod, told by events" hot
t_case "infiniband-events: two VFs swap their names, told by events" swapped
right_numbers
remember
sources 'reconcile_s = 3600' 'event_sources = verbs' 'http = 127.0.0.1:9477'
t_case "infiniband-events: a port goes down and comes back, told by verbs events alone" port_by_verbs
t_case "infiniband-events: a device fails and works again, told by verbs events alone" port_fails
sources 'reconcile_s = 3600'
t_case "infiniband-events: a PF is bound again and listened to again" pf_again
demand 'reconcile_s = 3600'
T_ALONE=1
[ "$KERNEL" = 6.1 ] || everything 'told to an engine on demand'
T_ALONE=
t_case "infiniband-events: what happened while no engine was there" found_later
sources 'reconcile_s = 2' 'event_sources = none'
everything 'without any event'
t_case "infiniband-events: all VFs go and come under a pod, without any event" hot
if [ "$KERNEL" != 6.1 ]; then # each source missing is the same there, and 6.1 has no RDMA events
	T_ALONE=1
	sources 'reconcile_s = 2' 'event_sources = link uevent udev rdma devlink verbs'
	t_case "infiniband-events: a namespace dies, without nsid" killed_netns
	sources 'reconcile_s = 2' 'event_sources = nsid uevent udev rdma devlink verbs'
	t_case "infiniband-events: a link comes home, without link" returned
	t_case "infiniband-events: a port goes down and comes back, without link" port_down
	sources 'reconcile_s = 2' 'event_sources = nsid link udev rdma devlink verbs'
	t_case "infiniband-events: a free VF is unbound and bound, without uevent" unbound
	t_case "infiniband-events: all VFs go and come under a pod, without uevent" hot
	for s in udev rdma devlink; do
		w='nsid link uevent udev rdma devlink verbs'
		sources 'reconcile_s = 2' "event_sources = ${w/ $s/}"
		t_case "infiniband-events: a free VF is unbound and bound, without $s" unbound
	done
	sources 'reconcile_s = 2' 'event_sources = nsid link uevent udev rdma devlink'
	t_case "infiniband-events: a port goes down and comes back, without verbs" port_down
	a=$(vf $PF2 1)
	modprobe uio_pci_generic
	echo uio_pci_generic >"$PCI/$a/driver_override"
	echo "$a" >$DRV/unbind
	echo "$a" >/sys/bus/pci/drivers_probe
	sources 'reconcile_s = 3600' 'step_timeout_s = 8'
	# (2.4, 22) one lock for the whole node: the incumbent serves nobody in that minute
	t_case "infiniband-events: a command of a minute, and a service that is killed (2.4, 22)" stuck_service
	t_case "infiniband-events: a command that holds RTNL, and a service that is killed" stuck_rtnl
	demand 'reconcile_s = 3600' 'step_timeout_s = 8'
	t_case "infiniband-events: a slow command, and an engine on demand that is killed" stuck_demand
	t_case "infiniband-events: a command that holds RTNL, and an engine on demand that is killed" stuck_rtnl_demand
	sources 'reconcile_s = 3600' 'event_sources = rdma'
	t_case "infiniband-events: a free VF is unbound and bound, told by RDMA events alone" unbound
fi
node_stop
node_end
