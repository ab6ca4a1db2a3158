#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The leak check has to go red: one case per kind of leak that it must see.

. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"

judge=$top_srcdir/tests/demo/leakcheck.sh
said() { "$judge" judge $ROOT/before $ROOT/ipam 2>/dev/null; }

ip netns add pod1
ip netns add pod2
for i in 0 1 2; do
	ip link add vf$i type veth peer name peer$i
	ip link set vf$i alias "vf number $i" address 02:00:00:00:00:0$i
done
mkdir -p $ROOT/ipam/net
: >$ROOT/ipam/net/lock
echo 10.0.0.7 >$ROOT/ipam/net/last_reserved_ip.0
check "takes a snapshot" "$judge" snapshot $ROOT/before
check "passes a clean node" is "leaked_vfs=0 leaked_leases=0" "$(said)"

printf 'c1\r\nnet1' >$ROOT/ipam/net/10.0.0.7
check "sees one planted lease" is "leaked_vfs=0 leaked_leases=1" "$(said)"
rm $ROOT/ipam/net/10.0.0.7

ip link set vf1 netns pod2 name net1
check "sees one VF left in a pod" is "leaked_vfs=1 leaked_leases=0" "$(said)"
check "says where that VF is" matches 'in namespace pod2: vf number 1' \
	"$("$judge" judge $ROOT/before $ROOT/ipam 2>&1)"
if "$judge" judge $ROOT/before $ROOT/ipam >/dev/null 2>&1; then
	fail "its exit status is not 0 when something leaked"
else
	pass "its exit status is not 0 when something leaked"
fi
ip -n pod2 link set net1 netns $$ name vf1
check "passes again when the VF is back" is "leaked_vfs=0 leaked_leases=0" "$(said)"

ip link set vf2 name dev7
check "sees a VF at home under another name" is "leaked_vfs=1 leaked_leases=0" "$(said)"
ip link set dev7 name vf2

# What else a VF had: each is seen, and said.
sees() { # WHAT COMMAND BACK
	$2
	check "sees a VF whose $1 is not as it was" is "leaked_vfs=1 leaked_leases=0" "$(said)"
	check "says what is wrong with its $1" matches "not as it was: vf number 1: was down" \
		"$("$judge" judge $ROOT/before $ROOT/ipam 2>&1)"
	$3
	check "passes again with its $1" is "leaked_vfs=0 leaked_leases=0" "$(said)"
}
sees MTU "ip link set vf1 mtu 1400" "ip link set vf1 mtu 1500"
sees 'hardware address' "ip link set vf1 address 02:00:00:00:00:02" \
	"ip link set vf1 address 02:00:00:00:00:01"
sees state "ip link set vf1 up" "ip link set vf1 down"
sees address "ip addr add 10.9.9.9/24 dev vf1" "ip addr del 10.9.9.9/24 dev vf1"
sees 'IPv6 address' "ip addr add 2001:db8::9/64 dev vf1 nodad" "ip addr del 2001:db8::9/64 dev vf1"
sees promisc "ip link set vf1 promisc on" "ip link set vf1 promisc off"
sees allmulti "ip link set vf1 allmulticast on" "ip link set vf1 allmulticast off"
sees altname "ip link property add dev vf1 altname other" \
	"ip link property del dev vf1 altname other"

ip link set vf0 alias "someone else"
check "sees a VF that was replaced by another link" \
	is "leaked_vfs=1 leaked_leases=0" "$(said)"
ip link set vf0 alias "vf number 0"

ip link del vf0
check "sees a VF that is gone" is "leaked_vfs=1 leaked_leases=0" "$(said)"

: >$ROOT/empty
if "$judge" judge $ROOT/empty $ROOT/ipam >/dev/null 2>&1; then
	fail "judges nothing without a snapshot"
else
	pass "judges nothing without a snapshot"
fi
finish
