#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each row of the table "what DEL finds", and VFs that somebody else moved (R14).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8 'retry_min_ms = 50' 'retry_max_ms = 200'
fake_ipam
name_of() { grep -F " $(alias_of "$1")" $ROOT/links | cut -d' ' -f1; }

everything() {
	local vf c name
	add_netns p 1 9
	row="a record of this owner"
	vf=$(vf_addr 0 0) c=$(conf "$(vf_addr 0 0)" "$FAKE")
	add c1 net1 /run/netns/p1 "$c"
	del c1 net1 /run/netns/p1 "$c"
	check "$row: released ($HOW)" answered 0
	check "$row: FREE ($HOW)" wait_for 10 vf_is FREE "$vf"

	row="a record of this owner, DELs at the same time"
	sleep 0.05
	add c1 net1 /run/netns/p1 "$c"
	: >$ROOT/fake.calls
	printf '%s' "$c" >$ROOT/conf
	for _ in 1 2 3 4 5 6 7 8; do
		echo "DEL c1 net1 /run/netns/p1 $ROOT/conf"
	done >$ROOT/list
	check "$row: all succeed ($HOW)" matches 'count=8 failed=0' \
		"$("$HELPERS/storm" -k 8 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/list)"
	check "$row: IPAM DEL is run once ($HOW)" is 1 "$(fake_calls DEL c1)"

	row="no VF, but an OWED lease of this owner"
	vf=$(vf_addr 0 1) c=$(conf "$(vf_addr 0 1)" "$FAKE")
	add c2 net1 /run/netns/p2 "$c"
	echo fail >$ROOT/fake.DEL
	del c2 net1 /run/netns/p2 "$c"
	check "$row: the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	del c2 net1 /run/netns/p2 "$c"
	check "$row: success, the engine pays ($HOW)" answered 0
	rm -f $ROOT/fake.DEL
	check "$row: it pays ($HOW)" wait_for 30 no_lease

	row="no record, but the link in the netns is a VF without owner"
	vf=$(vf_addr 0 2) c=$(conf "$(vf_addr 0 2)")
	name=$(name_of "$vf")
	ip link set "$name" netns p3 name net1
	del stranger-${#HOW} net1 /run/netns/p3 "$c"
	check "$row: success ($HOW)" answered 0
	check "$row: adopted and released ($HOW)" wait_for 10 at_home "$vf"
	check "$row: FREE ($HOW)" wait_for 10 vf_is FREE "$vf"

	row="a record of another owner"
	c=$(conf "$vf" "$FAKE")
	add c4 net1 /run/netns/p4 "$c"
	: >$ROOT/fake.calls
	del c5 net1 /run/netns/p4 "$c"
	check "$row: success ($HOW)" is 0: "$RC:$OUT"
	check "$row: nothing is done ($HOW)" vf_is ATTACHED "$vf"
	check "$row: a stranger's DEL never asks IPAM ($HOW)" is 0 "$(grep -c DEL $ROOT/fake.calls)"
	del c4 net1 /run/netns/p4 "$c"

	row="nothing"
	: >$ROOT/fake.calls
	del c6-${#HOW} net1 /run/netns/p6 "$(conf "$(vf_addr 0 6)" "$FAKE")"
	check "$row: success ($HOW)" is 0: "$RC:$OUT"
	check "$row, on a journal that knows no history: IPAM is asked, with the DEL's own configuration ($HOW)" \
		is 1 "$(fake_calls DEL c6-${#HOW})"
	before=$(cat $ROOT/var/lib/vfkeeper/journal/* | cksum)
	: >$ROOT/fake.calls
	del c6-${#HOW} net1 /run/netns/p6 "$(conf "$(vf_addr 0 6)" "$FAKE")"
	check "$row: repeated: success ($HOW)" is 0: "$RC:$OUT"
	check "$row: repeated: IPAM is not asked again ($HOW)" is 0 "$(fake_calls DEL c6-${#HOW})"
	check "$row: nothing is written to the journal (P3) ($HOW)" \
		is "$before" "$(cat $ROOT/var/lib/vfkeeper/journal/* | cksum)"

	row="a link that is not ours"
	ip -n p7 link add net1 type veth peer name x7
	del c7 net1 /run/netns/p7 "$(conf "$(vf_addr 0 6)")"
	check "$row: success ($HOW)" answered 0
	check "$row: it stays where it is ($HOW)" matches veth "$(ip -n p7 -d link show net1)"
	check "the node is clean ($HOW)" wait_clean
	del_netns p 1 9
}
in_both_ways everything

add_works() { add c10 net1 "/run/netns/$1" "$(conf "$vf")"; [ "$RC" = 0 ]; }

# R14: an engine that finds a VF in use by somebody else.
HOW=
add_netns q 1 3
vf=$(vf_addr 0 4)
name=$(name_of "$vf")
ip link set "$name" netns q1 name foreign0
rm -rf $ROOT/var/lib/vfkeeper $ROOT/run/vfkeeper
add c8 net1 /run/netns/q2 "$(conf "$vf")"
check "a VF whose link is in a foreign netns without a record: ADD gets code 11" answered 11
check "it is FAULTED" vf_is FAULTED "$vf"
check "its link stays where it is" matches foreign0 "$(link_in q1 foreign0 2>&1)"
add c9 net1 /run/netns/q2 "$(conf "$(vf_addr 0 5)")"
check "another VF is served meanwhile" answered 0
del c9 net1 /run/netns/q2 "$(conf "$(vf_addr 0 5)")"
ip -n q1 link set foreign0 netns $$ name "$name"
check "come home by itself it can be attached" wait_for 30 add_works q3
del c10 net1 /run/netns/q3 "$(conf "$vf")"
check "and released" answered 0
check "the node is clean" wait_clean
engines_end
finish
