#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What happens to VFs without a call is noticed by events at once, and without any event by
# the rounds of reconciliation (P5).

. "$(dirname "$0")/lib.sh"
world_enter "$@"

world 1 8
VF=$(vf_addr 0 0)
link_of() { grep -F " $(alias_of "$1")" $ROOT/links | cut -d' ' -f1; }
LINK=$(link_of "$VF")
ipam='"ipam":{}'
[ $has_go = no ] || ipam=$(host_local)
lease_paid() { is '' "$(lease_states)"; }

# The owner's namespace is gone, and nobody says DEL.
netns_dies() {
	add_netns p 1 1
	add c1 net1 /run/netns/p1 "$(conf "$VF" "$ipam")"
	answered 0 || { fail "ADD ($HOW)" "$OUT"; return; }
	ip netns del p1
	check "a VF is FREE when its namespace is gone, without DEL ($HOW)" wait_for 20 vf_is FREE "$VF"
	check "and its lease is paid ($HOW)" wait_for 20 lease_paid
	check "and its link is at home ($HOW)" wait_clean
}

# Somebody takes the link of a free VF and brings it back.
link_taken() {
	add_netns other 1 1
	ip link set "$LINK" netns other1
	check "a free VF whose link was taken is FAULTED ($HOW)" wait_for 20 vf_is FAULTED "$VF"
	ip -n other1 link set "$LINK" netns $$
	check "and FREE when it is at home again ($HOW)" wait_for 20 vf_is FREE "$VF"
	ip netns del other1
}

# The link of an attached VF comes home by itself.
link_returned() {
	add_netns p 1 1
	add c2 net1 /run/netns/p1 "$(conf "$VF" "$ipam")"
	answered 0 || { fail "ADD ($HOW)" "$OUT"; return; }
	ip -n p1 link set net1 netns $$
	check "a VF whose link came home is FREE ($HOW)" wait_for 20 vf_is FREE "$VF"
	check "under its own name ($HOW)" wait_clean
	ip netns del p1
}

# sources LINES...: with this in the configuration
sources() {
	write_config "$@"
	HOW="${*//_/ }"
	service_start || fail "vfkeeperd starts" "no answer"
}

sources 'event_sources = all' 'reconcile_s = 3600'
netns_dies
link_taken
link_returned
engines_end
sources 'event_sources = none' 'reconcile_s = 1'
netns_dies
link_taken
link_returned
engines_end
sources 'event_sources = link uevent udev rdma devlink verbs' 'reconcile_s = 1'
netns_dies
engines_end
sources 'event_sources = nsid uevent udev rdma devlink verbs' 'reconcile_s = 1'
link_taken
link_returned
engines_end

# Events are lost while nobody reads them: then everything is looked at.
overruns() { "$VFCTL" -o json status | tr -d ' \n' | sed -n 's/.*"source":"link"[^}]*"overruns":\([0-9]*\).*/\1/p'; }
lost() { [ "$(overruns)" -ge 1 ] || { echo "$(overruns) overruns"; return 1; }; }
sources 'event_sources = nsid link' 'reconcile_s = 3600'
add_netns p 1 1
add c3 net1 /run/netns/p1 "$(conf "$VF" "$ipam")"
check "ADD ($HOW)" answered 0
ip link add other0 type veth peer name other1
for ((i = 0; i < 10000; i++)); do
	printf 'link set other0 mtu %d\n' $((1400 + i % 2))
done >$ROOT/storm
kill -STOP "$SVC"
ip -batch $ROOT/storm
ip netns del p1
kill -CONT "$SVC"
check "a VF is FREE when the event of its namespace's end was lost" wait_for 20 vf_is FREE "$VF"
check "and it was lost" lost
check "and its link is at home after it" wait_clean
ip link del other0
engines_end

# A storm: what belongs together is looked at together.
sources 'event_sources = all' 'reconcile_s = 3600'
wait_for 20 all_free 8
before=$("$VFCTL" -o json status | grep -o '"looks": *[0-9]*' | grep -o '[0-9]*$')
for ((i = 0; i < 300; i++)); do
	printf 'link set %s mtu %d\n' "$LINK" $((1400 + i % 2))
done >$ROOT/storm
ip -batch $ROOT/storm
wait_for 20 all_free 8
sleep 1
after=$("$VFCTL" -o json status | grep -o '"looks": *[0-9]*' | grep -o '[0-9]*$')
few() { [ $((after - before)) -ge 1 ] && [ $((after - before)) -lt 150 ] || { echo "$((after - before)) looks"; return 1; }; }
check "300 events of one link are few looks" few

# udev passes on what it has done; whoever else sends to its group, or its form to us, is none.
from_udev() { # MAGIC
	python3 - "$VF" "$1" <<'SEND'
import socket, struct, sys
said = b"".join(part.encode() + b"\0" for part in (
    "ACTION=move", "DEVPATH=/devices/pci0000:3b/%s/net/other" % sys.argv[1],
    "SUBSYSTEM=net", "INTERFACE=other", "IFINDEX=9"))
head = b"libudev\0" + struct.pack(">I", int(sys.argv[2], 16))
head += struct.pack("=III", 40, 40, len(said)) + bytes(16)
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).sendto(head + said, (0, 2))
except ConnectionRefusedError:
    pass # the kernel itself takes none of these
SEND
}
of_udev() { "$VFCTL" -o json status | tr -d ' \n' | grep -q "\"udev\",\"open\":true,\"events\":$1,"; }
from_udev 0
from_udev feedcafe
check "what udev passes on is understood, other messages are not" wait_for 10 of_udev 1
engines_end
finish
