#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A reboot (R13): no VF has an owner any more, every lease of the boot before is owed, and
# vfkeeper-replay --apply settles it; a DEL of the boot before is a success.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
VFKEEPER_BOOT_ID=11111111-1111-1111-1111-111111111111
export VFKEEPER_BOOT_ID
world 2 8
fake_ipam

boot() { # ID: power fails, and the node comes up again
	engines_end
	del_netns p 1 9
	umount -l $ROOT/run && mount -t tmpfs -o mode=755 tmpfs $ROOT/run
	VFKEEPER_BOOT_ID=$1
	: >$ROOT/fake.calls
}
attach() {
	local i
	add_netns p 1 9
	for i in 1 2 3 4; do
		add "$1$i" net1 /run/netns/p$i "$(conf "$(vf_addr 0 $i)" "$FAKE")"
		check "$1: ADD $i before the reboot" answered 0
	done
}

attach apply
boot 22222222-2222-2222-2222-222222222222
check "the journal is read without an engine: leases are not lost" \
	matches 4 "$("$VFCTL" leases | grep -c apply)"
check "vfkeeper-replay --apply succeeds" "$REPLAY" --apply
for i in 1 2 3 4; do
	check "lease $i of the boot before is paid" wait_for 30 asked DEL apply$i
	check "VF $i is FREE" wait_for 10 vf_is FREE "$(vf_addr 0 $i)"
done
check "no lease is left" wait_for 10 no_lease
check "the node is clean" wait_clean
del apply1 net1 - "$(conf "$(vf_addr 0 1)" "$FAKE")"
check "kubelet's DEL of the boot before succeeds" answered 0

# Without replay: the next call's engine does the same.
attach late
boot 33333333-3333-3333-3333-333333333333
add_netns p 1 9
add fresh net1 /run/netns/p5 "$(conf "$(vf_addr 0 1)" "$FAKE")"
check "the first ADD of the new boot gets a VF of the boot before" answered 0
check "the leases of the boot before are paid" wait_for 60 asked DEL late1
for i in 1 2 3 4; do
	del late$i net1 - "$(conf "$(vf_addr 0 $i)" "$FAKE")"
	check "DEL $i of the boot before succeeds" answered 0
done
check "it releases nothing of this boot" vf_is ATTACHED "$(vf_addr 0 1)"
check "each lease is paid" wait_for 60 asked DEL late4
del fresh net1 /run/netns/p5 "$(conf "$(vf_addr 0 1)" "$FAKE")"
check "the last DEL succeeds" answered 0

# IPAM that does not work at boot: nothing is lost, and no VF waits for it.
attach broken
echo fail >$ROOT/fake.DEL
boot 44444444-4444-4444-4444-444444444444
"$REPLAY" --apply >$ROOT/replay.out 2>&1
add_netns p 1 9
add next net1 /run/netns/p6 "$(conf "$(vf_addr 0 2)" "$FAKE")"
check "IPAM fails after the reboot: an ADD is served" answered 0
check "its leases are kept" matches OWED "$(lease_states)"
rm -f $ROOT/fake.DEL
"$REPLAY" --apply >$ROOT/replay.out 2>&1
check "and paid when it works again" wait_for 90 asked DEL broken3
del next net1 /run/netns/p6 "$(conf "$(vf_addr 0 2)" "$FAKE")"
check "DEL succeeds" answered 0
check "no lease is left at the end" wait_for 60 no_lease
check "vfkeeper-replay --verify finds nothing wrong" "$REPLAY" --verify
check "the node is clean at the end" wait_clean
engines_end
finish
