#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfctl with real engines: every way to name a VF, release, the story of a pod, and the same
# answers from the journal when the engine was killed.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 4
fake_ipam
# An engine that vfctl starts stands beside it.
cp "$VFCTL" "$ROOT/bin/vfctl"
VFCTL=$ROOT/bin/vfctl

# vfctl ARGUMENT...: sets RC, OUT and ERR.
vfctl() {
	OUT=$("$VFCTL" "$@" 2>$ROOT/vfctl.err)
	RC=$?
	ERR=$(cat $ROOT/vfctl.err)
}

# names VF WORD...: the words name this VF.
names() {
	local vf=$1
	shift
	vfctl -o json show "$@"
	[ "$RC" = 0 ] || { echo "exit $RC: $ERR"; return 1; }
	matches "^\{ *\"address\": \"$vf\"" "$(tr -d '\n' <<<"$OUT")"
}

every_name() { # SENTENCE PF-NAME
	local vf=$(vf_addr 1 2) guid mac
	vfctl -o json show "$vf"
	guid=$(sed -n 's/^  "guid": "\(.*\)",/\1/p' <<<"$OUT")
	mac=$(sed -n 's/^  "mac": "\(.*\)",/\1/p' <<<"$OUT")
	check "$1: PCI address" names "$vf" "$vf"
	check "$1: PF address and index" names "$vf" 0000:3c:00.0/2
	[ -z "$2" ] || check "$1: PF name and index" names "$vf" "$2/2"
	check "$1: netdev" names "$vf" "$NETDEV"
	check "$1: GUID" names "$vf" "$guid"
	check "$1: GUID without colons" names "$vf" "${guid//:/}"
	check "$1: MAC" names "$vf" "$mac"
	check "$1: container and interface" names "$vf" 0123456789abcdef/net1
	check "$1: the beginning of the container" names "$vf" 012345/net1
	check "$1: pod" names "$vf" pod tests/0123456789abcdef
}

listed() { vfctl list && matches "$1" "$OUT"; }

everything() {
	local vf=$(vf_addr 1 2) c pid
	c=$(conf "$vf" "$FAKE")
	add_netns p 1 2
	add 0123456789abcdef net1 /run/netns/p1 "$c"
	check "an ADD before all of this ($HOW)" is 0 "$RC"
	NETDEV=$(link_name "$vf")

	every_name "named by a live engine ($HOW)" simib1
	check "the list shows the pod ($HOW)" listed \
		"$vf +simib1/2 +ATTACHED +[0-9]+s +tests/0123456789abcdef +0123456789abc +net1 +$NETDEV"
	vfctl version
	check "version knows the engine ($HOW)" matches "^vfctl .*engine .*process $(engine_pid)\)" \
		"$(tr '\n' ' ' <<<"$OUT")"
	vfctl leases
	check "the lease is listed ($HOW)" matches ' HELD .* fake .*0123456789abc' "$OUT"

	vfctl release pod tests/0123456789abcdef
	check "a VF in use is not released by accident ($HOW)" is 5 "$RC"
	check "and the refusal names owner and way out ($HOW)" matches \
		"$vf is in use by .*0123456789abcdef.*--force" "$ERR"
	check "it stays ATTACHED ($HOW)" vf_is ATTACHED "$vf"

	pid=$(engine_pid)
	engines_end
	vfctl list
	check "without an engine the journal answers ($HOW)" is 0 "$RC"
	check "and that is said ($HOW)" is 'vfctl: no engine answers; reading the journal' "$ERR"
	check "the pod is listed from the journal ($HOW)" matches \
		"$vf +0000:3c:00.0/2 +ATTACHED .* tests/0123456789abcdef " "$OUT"
	every_name "named by the journal ($HOW)" ''

	vfctl release --force pod tests/0123456789abcdef
	check "a forced release starts an engine and is done ($HOW)" is "0:$vf is FREE:" \
		"$RC:$OUT:$ERR"
	check "an engine runs now, another one ($HOW)" lacks "^$pid?\$" "$(engine_pid)"
	check "the link is home ($HOW)" at_home "$vf"
	check "the addresses went back ($HOW)" wait_for 20 asked DEL 0123456789abcdef
	check "nothing is owed any more ($HOW)" wait_for 20 no_lease
	del 0123456789abcdef net1 /run/netns/p1 "$c"
	check "the owner's late DEL succeeds ($HOW)" is 0: "$RC:$OUT"

	vfctl explain pod tests/0123456789abcdef
	check "explain knows the pod that is gone ($HOW)" is 0 "$RC"
	check "explain tells the ADD ($HOW)" matches 'FREE -> RESERVED  \[ADD\]' "$OUT"
	check "explain tells the addresses ($HOW)" matches 'ASKED -> HELD  \[ANSWERED\]' "$OUT"
	check "explain tells who released it ($HOW)" matches \
		"\[ADMIN_RELEASE\].*cause: admin, vfctl release $vf --force" "$(tr '\n' ' ' <<<"$OUT")"
	check "explain ends where it is free ($HOW)" matches 'DETACHING -> FREE' "$OUT"
	vfctl show pod tests/0123456789abcdef
	check "the pod has no VF any more ($HOW)" is \
		"1:vfctl: no VF is attached to pod tests/0123456789abcdef" "$RC:$ERR"
	vfctl status
	check "status counts ($HOW)" matches 'FREE +8 ' "$(tr '\n' ' ' <<<"$OUT")"
	check "the node is clean ($HOW)" wait_clean
	del_netns p 1 2
	engines_end
	: >$ROOT/fake.calls
}

# The name that the link of a VF has at home.
link_name() {
	vfctl -o json show "$1"
	sed -n 's/^  "netdev": "\(.*\)",/\1/p' <<<"$OUT"
}

service_start || fail "vfkeeperd starts" "no answer on the control socket"
HOW='with the service' everything
HOW='with an engine on demand' everything
finish
