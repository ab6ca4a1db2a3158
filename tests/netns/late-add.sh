#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An ADD whose client began before a DEL of its attachment comes too late (R12); an ADD that
# began after it does not.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 2
vf=$(vf_addr 0 0)
c=$(conf "$vf")

# Starts an ADD that waits for the rest of its stdin in a pipe.
begin_add() {
	rm -f $ROOT/pipe
	mkfifo $ROOT/pipe
	CNI_COMMAND=ADD CNI_CONTAINERID="$1" CNI_IFNAME=net1 CNI_NETNS="/run/netns/$2" \
		CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/pipe >$ROOT/late.out 2>&1 &
	late=$!
	exec 9>$ROOT/pipe
	printf '%s' "${c:0:5}" >&9
	sleep 0.1
}
end_add() {
	printf '%s' "${c:5}" >&9
	exec 9>&-
	wait $late
	RC=$? OUT=$(cat $ROOT/late.out)
}

everything() {
	add_netns p 1 3
	begin_add late p1
	del late net1 /run/netns/p1 "$c"
	check "the DEL that overtook its ADD succeeds ($HOW)" answered 0
	end_add
	check "the ADD that began before it gets code 11 ($HOW)" answered 11
	check "the VF is FREE ($HOW)" vf_is FREE "$vf"
	check "the pod has no link ($HOW)" lacks net1 "$(ip -n p1 -o link show)"

	begin_add late2 p1
	del late2 net1 - "$(conf "")"
	engines_end
	# Without the pipe, whose other end the waiting client reads to its end.
	[ "$HOW" = 'with an engine on demand' ] || service_start 9>&-
	end_add
	check "it is refused by the next engine as well ($HOW)" answered 11
	check "for the same reason ($HOW)" matches 'a DEL of container late2' "$(msg)"

	begin_add other p2
	del stranger net1 /run/netns/p1 "$c"
	end_add
	check "another attachment's DEL does not refuse an ADD ($HOW)" answered 0
	del other net1 /run/netns/p2 "$c"
	check "it is released ($HOW)" answered 0
	sleep 0.05
	add late net1 /run/netns/p1 "$c"
	check "an ADD that began after the DEL is served ($HOW)" answered 0

	# A DEL that began before the ADD of the attachment must not release it (P3).
	del late net1 /run/netns/p1 "$c"
	check "and released ($HOW)" answered 0
	sleep 0.05
	rm -f $ROOT/pipe
	mkfifo $ROOT/pipe
	CNI_COMMAND=DEL CNI_CONTAINERID=again CNI_IFNAME=net1 CNI_NETNS=/run/netns/p3 \
		CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/pipe >$ROOT/late.out 2>&1 &
	late=$!
	exec 9>$ROOT/pipe
	sleep 0.1
	add again net1 /run/netns/p3 "$c"
	check "an ADD while an older DEL still reads its input succeeds ($HOW)" answered 0
	printf '%s' "$c" >&9
	exec 9>&-
	wait $late
	check "that older DEL succeeds ($HOW)" is 0 $?
	check "and does not release what began after it ($HOW)" vf_is ATTACHED "$vf"
	del again net1 /run/netns/p3 "$c"
	check "the DEL that began later does ($HOW)" wait_for 10 vf_is FREE "$vf"
	check "the node is clean ($HOW)" wait_clean
	del_netns p 1 3
}
in_both_ways everything
finish
