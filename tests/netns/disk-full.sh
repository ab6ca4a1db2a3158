#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A full or read-only disk stops ADD with a clear error, and never a DEL (P10).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8
fake_ipam
state=$ROOT/var/lib/vfkeeper
add_netns p 1 12
n=0

# small_disk SIZE: an empty file system of that size in place of the state directory; ext4 on a
# loop device where there is one, else tmpfs.
small_disk() {
	engines_end
	# A killed engine's files are closed a moment after its executable is gone from /proc.
	! mountpoint -q $state || wait_for 10 umount $state
	rm -rf $state $ROOT/run/vfkeeper
	mkdir -p $state
	chmod 700 $state
	truncate -s "$1" $ROOT/tmp/disk
	kind=ext4
	mkfs.ext4 -q -F -m 0 $ROOT/tmp/disk >/dev/null 2>&1 &&
		mount -o loop $ROOT/tmp/disk $state 2>/dev/null ||
		{ kind=tmpfs; mount -t tmpfs -o "mode=700,size=$1" tmpfs $state; }
}
fill() {
	dd if=/dev/zero of=$state/ballast bs=4k 2>/dev/null
	dd if=/dev/zero of=$state/ballast2 bs=1 count=4096 2>/dev/null
	check "$1: it is full ($kind)" is 0 "$(df --output=avail "$state" | tail -n 1 | xargs)"
}

# Full before the first start: there is no journal, and none can be made.
small_disk 24M
fill "a disk without a journal"
vf=$(vf_addr 0 0)
c=$(conf "$vf" "$FAKE")
add full1 net1 /run/netns/p1 "$c"
check "no journal can be made: ADD fails ($kind)" lacks '^0$' "$RC"
check "no journal can be made: the error is one line that names the trouble" \
	matches 'ENOSPC|[Nn]o space|disk|full' "$(msg)"
check "no journal can be made: IPAM was not asked" is 0 "$(fake_calls ADD full1)"
check "no journal can be made: the pod has no link" lacks net1 "$(ip -n p1 -o link show)"
del full1 net1 /run/netns/p1 "$c"
check "no journal can be made: DEL succeeds" answered 0
# A link that is in a pod without a record: DEL takes it home all the same.
name=$(head -1 $ROOT/links | cut -d' ' -f1)
vf0=$(vf_addr 0 0)
ip link set "$name" netns p2 name net1
del lost net1 /run/netns/p2 "$(conf "$vf0")"
check "no journal can be made: DEL of a link without a record succeeds" answered 0
check "no journal can be made: the link is home" wait_for 10 at_home "$vf0"
running=$(engine_pid)
rm -f $state/ballast*
add_succeeds() { add full2 net1 /run/netns/p1 "$c" && [ "$RC" = 0 ]; }
check "with room again ADD succeeds" wait_for 20 add_succeeds
check "and is served by the engine that had no journal" is "$running" "$(engine_pid)"
engines_end
del full2 net1 /run/netns/p1 "$c"
check "and DEL too" answered 0

# Full while it runs: the journal was preallocated.
small_disk 64M
for ((i = 0; i < 3; i++)); do
	add "run$i" net1 /run/netns/p$((i + 3)) "$(conf "$(vf_addr 0 $i)" "$FAKE")"
	check "attaches VF $i before the disk fills" answered 0
done
fill "a disk with a journal"
for ((i = 0; i < 2; i++)); do
	del "run$i" net1 /run/netns/p$((i + 3)) "$(conf "$(vf_addr 0 $i)" "$FAKE")"
	check "the disk is full: DEL of VF $i succeeds" answered 0
	check "the disk is full: VF $i is FREE" wait_for 10 vf_is FREE "$(vf_addr 0 $i)"
done
engines_end
i=2
del "run$i" net1 /run/netns/p$((i + 3)) "$(conf "$(vf_addr 0 $i)" "$FAKE")"
check "the disk is full and the engine new: DEL succeeds" answered 0
check "the disk is full and the engine new: the VF is home" wait_for 10 at_home "$(vf_addr 0 $i)"
check "every lease was paid" wait_for 20 asked DEL run2
# The journal has its place already, so that even ADD goes on.
bad=0 refused=0
for ((i = 0; i < 40; i++)); do
	add "round$i" net1 /run/netns/p6 "$c"
	[ "$RC" = 0 ] || refused=$((refused + 1))
	del "round$i" net1 /run/netns/p6 "$c"
	[ "$RC" = 0 ] || bad=$((bad + 1))
done
check "forty more ADDs on a full disk: none is refused" is 0 "$refused"
check "forty more DELs on a full disk: none fails" is 0 "$bad"
rm -f $state/ballast*

# Read-only.
add ro net1 /run/netns/p7 "$c"
check "attaches before the disk turns read-only" answered 0
engines_end
check "the disk turns read-only" wait_for 10 mount -o remount,ro $state
del ro net1 /run/netns/p7 "$c"
check "read-only: DEL succeeds" answered 0
check "read-only: the link is home" wait_for 10 at_home "$vf"
add ro2 net1 /run/netns/p8 "$c"
check "read-only: ADD fails" lacks '^0$' "$RC"
check "read-only: the error says so" matches '[Rr]ead-only|EROFS' "$(msg)"
engines_end
check "the disk turns writable" mount -o remount,rw $state
add ro3 net1 /run/netns/p8 "$c"
check "writable again: the stale record is settled and ADD succeeds" answered 0
del ro3 net1 /run/netns/p8 "$c"
check "writable again: DEL succeeds" answered 0
check "the node is clean" wait_clean
check "no lease is left" wait_for 20 no_lease
engines_end
wait_for 10 umount $state

# A journal that cannot be reached when an engine starts, as on a file system that is mounted
# later: that engine has not read it, and must not put its own in its place.
files() { cat $1/journal/journal.* | sha256sum; }
svc_gone() { ! kill -0 "$SVC" 2>/dev/null; }
late() {
	add "late-$1" net1 /run/netns/p10 "$c"
	check "attaches before the journal is out of reach of $2" answered 0
	engines_end
	# Whoever opens a torn one for writing begins a file.
	[ "$1" = demand ] ||
		printf torn | dd of=$state/journal/journal.2 conv=notrunc status=none
	before=$(files $state)
	mv $state $state.away
	: >$state
	[ "$1" = service ] && { service_start || fail "it starts without a journal"; }
	add "$1" net1 /run/netns/p11 "$c"
	check "out of reach of $2: ADD fails" lacks '^0$' "$RC"
	rm $state
	mv $state.away $state
	if [ "$1" = service ]; then
		check "in reach again: $2 ends" wait_for 20 svc_gone
		svc_gone || kill -KILL "$SVC"
		wait "$SVC"
		check "so that it is started again" is 1 $?
		SVC=
	else
		check "in reach again: $2 ends" wait_for 20 no_engine
	fi
	engines_end
	check "$2 has written nothing there" is "$before" "$(files $state)"
	[ "$1" = service ] && { service_start || fail "it starts again"; }
	check "$2 behind it starts" engine_answers
	check "it knows the pod's VF" vf_is ATTACHED "$vf"
	check "and its lease" is "1 HELD" "$(lease_states)"
	del "late-$1" net1 /run/netns/p10 "$c"
	check "DEL succeeds" answered 0
	check "the VF is FREE" wait_for 10 vf_is FREE "$vf"
	check "the lease is paid" wait_for 20 asked DEL "late-$1"
	check "none is left" wait_for 20 no_lease
	engines_end
}
late service "the service"
late demand "an engine on demand"

# /run without a free page.
add run9 net1 /run/netns/p9 "$c"
check "attaches before /run is full" answered 0
engines_end
umount -l $ROOT/run 2>/dev/null
mount -t tmpfs -o mode=755,size=8k tmpfs $ROOT/run
dd if=/dev/zero of=$ROOT/run/ballast bs=4k 2>/dev/null
check "/run is full" is 0 "$(df --output=avail $ROOT/run | tail -n 1 | xargs)"
del run9 net1 /run/netns/p9 "$c"
check "/run is full: DEL succeeds" answered 0
check "/run is full: the link is home" wait_for 10 at_home "$vf"
check "/run is full: no lease is left" wait_for 20 no_lease
engines_end
finish
