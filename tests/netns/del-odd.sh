#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A DEL that lacks nearly everything still releases (P6), and a DEL with nothing to do
# succeeds.

. "$(dirname "$0")/lib.sh"
world_enter "$@"

world 1 8
add_netns other 1 1
n=0

# releases SENTENCE NETNS CONF: attaches a VF with an address, then DELs it so.
releases() {
	local vf=$(vf_addr 0 0) pod c
	n=$((n + 1))
	pod=p$n
	add_netns p $n $n
	c=$(conf "$vf" "$ipam")
	add "c$n" net1 /run/netns/$pod "$c"
	answered 0 || { fail "$1 ($HOW)" "ADD: $OUT"; return; }
	[ -z "${BEFORE_DEL:-}" ] || "$BEFORE_DEL" $pod
	del "c$n" net1 "${2//POD/$pod}" "$3"
	check "P6: $1: DEL succeeds ($HOW)" answered 0
	check "$1: the VF is FREE and home ($HOW)" wait_for 20 vf_is FREE "$vf"
	check "$1: nothing is left ($HOW)" wait_clean
}

removes_netns() { ip netns del "$1"; }
breaks_netns() { umount "/run/netns/$1"; }

everything() {
	local vf=$(vf_addr 0 0)
	[ $has_go = yes ] && ipam=$(host_local) || ipam='"ipam":{}'
	releases "without netns" - "$(conf "$vf" "$ipam")"
	releases "without deviceID" /run/netns/POD "$(conf "" "$ipam")"
	releases "without ipam" /run/netns/POD "$(conf "$vf")"
	releases "with another deviceID" /run/netns/POD "$(conf "$(vf_addr 0 5)" "$ipam")"
	releases "with empty stdin" /run/netns/POD ""
	releases "with an empty object" - "{}"
	releases "with half of its configuration" /run/netns/POD '{"cniVersion":"1.1.0","na'
	releases "with a wrong value in another key" /run/netns/POD "$(conf "$vf" "$ipam" '"vlan":"x"')"
	BEFORE_DEL=removes_netns releases "with its netns deleted" /run/netns/POD "$(conf "$vf" "$ipam")"
	BEFORE_DEL=breaks_netns releases "with a file in place of the netns" /run/netns/POD \
		"$(conf "$vf" "$ipam")"
	BEFORE_DEL=removes_netns releases "without netns, deviceID and ipam" - "$(conf "")"

	del unknown net1 /run/netns/other1 "$(conf "$vf" "$ipam")"
	check "DEL of an ID never added succeeds ($HOW)" is 0: "$RC:$OUT"
	del unknown net1 /no/such/netns "$(conf "0000:ff:1f.7")"
	check "DEL of an unknown VF and netns succeeds ($HOW)" is 0: "$RC:$OUT"
	del unknown net1 - "$(conf "")"
	check "DEL of nothing at all succeeds ($HOW)" is 0: "$RC:$OUT"
}

in_both_ways everything
finish
