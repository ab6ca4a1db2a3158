#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may release what (P3), and what an ADD finds.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8
fake_ipam

everything() {
	local vf=$(vf_addr 0 0) c
	c=$(conf "$vf" "$FAKE")
	add_netns p 1 5

	add owner net1 /run/netns/p1 "$c"
	check "the owner's ADD succeeds ($HOW)" answered 0
	add owner net1 /run/netns/p1 "$c"
	check "a second ADD of the same attachment is refused ($HOW)" lacks '^0$' "$RC"
	check "the refusal is one line with a code ($HOW)" answered "$(code)"
	check "the VF stays with its owner ($HOW)" vf_is ATTACHED "$vf"
	check "IPAM was not asked again ($HOW)" is 1 "$(fake_calls ADD owner)"

	add other net1 /run/netns/p2 "$c"
	check "another pod's ADD gets code 11 ($HOW)" answered 11
	check "it names the owner ($HOW)" matches owner "$(msg)"
	check "it names the VF ($HOW)" matches "$vf" "$(msg)"

	del other net1 /run/netns/p2 "$c"
	check "the DEL of that other pod succeeds ($HOW)" is 0: "$RC:$OUT"
	check "it releases nothing ($HOW)" vf_is ATTACHED "$vf"
	del stranger net1 /run/netns/p1 "$c"
	check "a stranger's DEL with the owner's netns succeeds ($HOW)" is 0: "$RC:$OUT"
	check "and releases nothing ($HOW)" matches net1 "$(link_in p1 net1 2>&1)"
	NETWORK=othernet del owner net1 /run/netns/p1 "$(NETWORK=othernet conf "$vf" "$FAKE")"
	check "a DEL of another network succeeds ($HOW)" is 0: "$RC:$OUT"
	check "and releases nothing either ($HOW)" vf_is ATTACHED "$vf"
	check "IPAM was not asked to release the owner's ($HOW)" is 0 "$(grep -c '^DEL owner net1 net$' $ROOT/fake.calls)"

	del owner net1 /run/netns/p1 "$c"
	check "the owner's DEL succeeds ($HOW)" answered 0
	check "and the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	sleep 0.05 # the ADD has to start in a later clock tick than the DEL
	add owner net1 /run/netns/p1 "$c"
	check "DEL and then ADD of the same ID is legal ($HOW)" answered 0

	ip netns del p1
	sleep 1 # the kernel takes a namespace apart in its own time
	add heir net1 /run/netns/p3 "$c"
	check "an ADD takes over a VF whose netns is gone ($HOW)" answered 0
	check "the link is in the heir's pod ($HOW)" matches net1 "$(link_in p3 net1 2>&1)"
	del owner net1 /run/netns/p1 "$c"
	check "the late DEL of the former owner succeeds ($HOW)" answered 0
	check "and does not touch the heir's ($HOW)" matches net1 "$(link_in p3 net1 2>&1)"
	del heir net1 /run/netns/p3 "$c"
	check "the heir's DEL succeeds ($HOW)" answered 0

	ip -n p4 link add net1 type veth peer name x1
	: >$ROOT/fake.calls
	add c4 net1 /run/netns/p4 "$c"
	check "ADD fails where the name is taken in the pod ($HOW)" lacks '^0$' "$RC"
	check "nothing is changed then: the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	check "the link that stood there stands ($HOW)" matches veth "$(ip -n p4 -d link show net1)"
	del c4 net1 /run/netns/p4 "$c"
	check "its DEL succeeds and leaves the pod's own link ($HOW)" \
		matches veth "$(ip -n p4 -d link show net1)"
	check "the node is clean ($HOW)" wait_clean
	check "no lease is left ($HOW)" wait_for 10 no_lease
	: >$ROOT/fake.calls
	del_netns p 1 5
}
in_both_ways everything
finish
