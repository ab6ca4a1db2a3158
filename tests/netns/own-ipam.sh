#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# IPAM of our own: addresses come and go with the VF's record, through kill -9 and a reboot of
# the engine, with no plugin at all (vfkeeper-cni(7), IPAM).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 8 'node_slice = 1'
OWN='"ipam":{"type":"vfkeeper","ranges":[[{"subnet":"10.1.0.0/27"}],[{"subnet":"fd00:1::/64"}]],"nodeSlice":{"count":2},"routes":[{"dst":"0.0.0.0/0"}]}'

# The addresses in the pods themselves, as "pod address".
in_pods() {
	local i
	for i in $(seq 1 16); do
		ip -n p$i -o addr show dev net1 2>/dev/null |
			grep -oE 'inet6? (10\.|fd00)[0-9a-f.:]*' | cut -d' ' -f2
	done | sort
}
c_of() { conf "$(vf_addr $(($1 % 2)) $((($1 - 1) / 2)))" "$OWN"; }

everything() {
	add_netns p 1 16
	for i in $(seq 1 14); do
		add "own$i" net1 /run/netns/p$i "$(c_of $i)"
		check "ADD $i gets addresses ($HOW)" answered 0
	done
	check "14 pods have 28 addresses, none twice ($HOW)" is "28 28" \
		"$(in_pods | wc -l) $(in_pods | uniq | wc -l)"
	check "all of IPv4 are of this node's slice ($HOW)" is "" \
		"$(in_pods | grep '^10' | grep -vE '^10\.1\.0\.(1[6-9]|2[0-9]|30)$')"
	check "the pod's default route goes through the subnet's first address ($HOW)" \
		matches 'via 10.1.0.1 ' "$(ip -n p1 route show default)"
	add own15 net1 /run/netns/p15 "$(c_of 15)"
	check "the 15th of a slice of 15 succeeds ($HOW)" answered 0
	add own16 net1 /run/netns/p16 "$(c_of 16)"
	check "the next has no address: code 11 ($HOW)" answered 11
	check "the line says so ($HOW)" matches 'no address is free in 10.1.0.16 to 10.1.0.30' "$(msg)"
	check "its VF is FREE ($HOW)" vf_is FREE "$(vf_addr 0 7)"
	before=$(in_pods)
	kill -KILL "$(engine_pid)"
	[ -z "$SVC" ] || { wait "$SVC" 2>/dev/null; service_start; }
	del own3 net1 /run/netns/p3 "$(c_of 3)"
	check "DEL after kill -9 succeeds ($HOW)" answered 0
	add own16 net1 /run/netns/p16 "$(c_of 16)"
	check "its address is free for the next ($HOW)" answered 0
	check "again none is there twice ($HOW)" is "30 30" \
		"$(in_pods | wc -l) $(in_pods | uniq | wc -l)"
	for i in $(seq 1 16); do
		del "own$i" net1 /run/netns/p$i "$(c_of $i)"
		[ "$RC" = 0 ] || fail "DEL $i succeeds ($HOW)" "$OUT"
	done
	check "the node is clean ($HOW)" wait_clean
	check "no address is on record ($HOW)" lacks '10\.1\.0\.' "$("$VFCTL" -o json list)"
	check "no lease was made ($HOW)" no_lease
	del_netns p 1 16
}
# After damage: what is on a link in a living pod is held, whoever put it there.
taken_back() {
	local addr c
	engines_end
	add_netns p 1 2
	add lost net1 /run/netns/p1 "$(c_of 1)"
	check "an ADD before the damage succeeds" answered 0
	addr=$(ip -n p1 -o -4 addr show dev net1 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')
	engines_end
	rm -rf $ROOT/var/lib/vfkeeper $ROOT/run/vfkeeper
	c=$(conf "$(vf_addr 0 5)" "$OWN" "\"runtimeConfig\":{\"ips\":[\"$addr\"]}")
	add wants net1 /run/netns/p2 "$c"
	check "the journal is lost: the address of a pod that nobody knows is not given again" \
		answered 11
	check "and the line says that it is held" matches "$addr is held by another" "$(msg)"
	check "vfctl shows it with the VF" matches "$addr" "$("$VFCTL" -o json show "$(vf_addr 1 0)")"
	add other net1 /run/netns/p2 "$(conf "$(vf_addr 0 5)" "$OWN")"
	check "another address is given at once" answered 0
	del other net1 /run/netns/p2 "$(conf "$(vf_addr 0 5)" "$OWN")"
	del lost net1 /run/netns/p1 "$(c_of 1)"
	check "the DEL of the unknown pod succeeds" answered 0
	check "its link is home" wait_for 20 vf_is FREE "$(vf_addr 1 0)"
	add wants net1 /run/netns/p2 "$c"
	check "its address can be had again" answered 0
	del wants net1 /run/netns/p2 "$c"
	check "the node is clean at the end" wait_clean
	engines_end
}

# Two ranges in a set, the first of them all excluded; a range within its subnet; a gateway of
# its own; a wish for the other family; routes of both.
mixed() {
	local c
	add_netns p 1 1
	c=$(conf "$(vf_addr 0 6)" '"ipam":{"type":"vfkeeper","ranges":[[{"subnet":"10.3.0.0/30","exclude":["10.3.0.2/31"]},{"subnet":"10.4.0.0/24","rangeStart":"10.4.0.100","rangeEnd":"10.4.0.101","gateway":"10.4.0.200","exclude":["10.4.0.100"]}],[{"subnet":"fd00:2::/64","rangeStart":"fd00:2::10"}]],"routes":[{"dst":"10.9.0.0/16"},{"dst":"10.8.0.0/16","gw":"10.4.0.7"},{"dst":"fd00:9::/64"}]}' \
		'"runtimeConfig":{"ips":["fd00:2::77"]}')
	add mixed net1 /run/netns/p1 "$c"
	check "ranges of all kinds: ADD succeeds" answered 0
	check "the address is the only one left of its set, the other the one wished for" \
		is "10.4.0.101/24 fd00:2::77/64" \
		"$(ip -n p1 -o addr show dev net1 scope global | grep -oE 'inet6? [^ ]*' | cut -d' ' -f2 | xargs)"
	check "a route without a gateway goes through the range's" matches 'via 10.4.0.200 ' "$(ip -n p1 route show 10.9.0.0/16)"
	check "one with a gateway through that" matches 'via 10.4.0.7 ' "$(ip -n p1 route show 10.8.0.0/16)"
	check "IPv6 likewise" matches 'via fd00:2::1 ' "$(ip -n p1 -6 route show fd00:9::/64)"
	del mixed net1 /run/netns/p1 "$c"
	check "its DEL succeeds" answered 0
	del_netns p 1 1
}

in_both_ways everything
mixed
taken_back
finish
