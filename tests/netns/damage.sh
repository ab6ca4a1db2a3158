#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A damaged journal, or one of an unknown version, is never success and never stops DEL (P10).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8
fake_ipam
add_netns p 0 12
journal=$ROOT/var/lib/vfkeeper/journal

newest() { ls -t $journal/journal.[0-2] | head -1; }
# Overwrites bytes at OFFSET of FILE.
poke() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

attach_two() {
	local i
	for i in 0 1; do
		add "$1$i" net1 "/run/netns/$2$i" "$(conf "$(vf_addr 0 $i)" "$FAKE")"
		check "$1: ADD of VF $i succeeds before" answered 0
	done
	engines_end
}
del_both() {
	local i
	for i in 0 1; do
		del "$1$i" net1 "/run/netns/$2$i" "$(conf "$(vf_addr 0 $i)" "$FAKE")"
		check "$1: DEL of VF $i succeeds" answered 0
		check "$1: its link is home" wait_for 10 at_home "$(vf_addr 0 $i)"
	done
}

add_works() {
	add "$1" net1 "/run/netns/$2" "$(conf "$(vf_addr 0 3)" "$FAKE")"
	[ "$RC" = 0 ]
}

# One byte in the middle of a synced record of the newest file.
attach_two byte p
file=$(newest)
at=$(grep -abo 'byte0' "$file" | head -1 | cut -d: -f1)
cp "$file" $ROOT/tmp/before
poke "$file" "$((at + 2))" '\0377'
check "damage: vfkeeper-replay --verify exits 4" is 4 \
	"$("$REPLAY" --verify >$ROOT/tmp/said 2>&1; echo $?)"
check "damage: it names the file" matches "$(basename "$file")" "$(cat $ROOT/tmp/said)"
# No VF can be looked at: no ADD is served, not even of a VF that is on record.
faults 'discover * errno=EIO'
add more net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "damage: before the VFs were looked at ADD is refused with code 11" answered 11
check "damage: and IPAM is not asked" is 0 "$(fake_calls ADD more)"
check "damage: an engine starts and sets the damaged files aside" \
	matches damaged "$(ls $journal)"
cni STATUS '' '' - "$(conf "")"
check "damage: STATUS says that records may be missing" matches 'records may be missing' "$(msg)"
faults
check "damage: when they were looked at ADD is served" wait_for 60 add_works more p9
del more net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "damage: and its DEL" answered 0
del_both byte p
check "damage: every lease is paid" wait_for 30 asked DEL byte0
check "the node is clean" wait_clean
engines_end

aside=$(ls $journal | grep -c damaged)
# A later version: the header of each file with its checksum (gzip has the same).
attach_two version p
umount -l $ROOT/run && mount -t tmpfs -o mode=755 tmpfs $ROOT/run
for file in $journal/journal.[0-2]; do
	head -c 128 "$file" >$ROOT/tmp/head
	poke $ROOT/tmp/head 8 '\02\00\00\00\00\00\00\00'
	gzip -nc $ROOT/tmp/head | tail -c 8 | head -c 4 |
		dd of=$ROOT/tmp/head bs=1 seek=12 conv=notrunc 2>/dev/null
	dd if=$ROOT/tmp/head of="$file" conv=notrunc 2>/dev/null
done
sum=$(md5sum $journal/journal.[0-2] | md5sum)
add more2 net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a later version: ADD is refused with code 11" answered 11
check "a later version: the message says why" matches 'version' "$(msg)"
del_both version p
check "a later version: the leases are paid with the DELs' own configuration" \
	wait_for 20 asked DEL version0
check "a later version: all of them" wait_for 20 asked DEL version1
check "a later version: the files are untouched" \
	is "$sum" "$(md5sum $journal/journal.[0-2] | md5sum)"
check "a later version: nothing is set aside but what was" \
	is "$aside" "$(ls $journal | grep -c damaged)"
engines_end
check "the node is clean" wait_clean
rm -f $journal/*

# All of it gone.
attach_two lost p
rm -f $journal/*
del_both lost p
check "journal deleted: the leases are paid with the DELs' own configuration" wait_for 20 asked DEL lost1
check "the node is clean" wait_clean
engines_end

# A torn tail is cut.
attach_two torn p
file=$(newest)
# A power loss took a part of the last record, that of VF 1, which was not synced.
last=$("$REPLAY" --json | tail -n 1)
check "the last record is that of VF 1" matches "\"state\": *\"ATTACHED\".*torn1|torn1.*\"state\": *\"ATTACHED\"" "$last"
rm -f $ROOT/run/vfkeeper/durable
poke "$file" $(($(sed -n 's/.*"offset": *\([0-9]*\).*/\1/p' <<<"$last") + 60)) '\0377'
"$REPLAY" --verify >$ROOT/tmp/said 2>&1
check "a torn tail: vfkeeper-replay --verify exits 3" is 3 "$?"
del_both torn p
add after net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a torn tail: ADD is served" answered 0
del after net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a torn tail: and released" answered 0
check "no lease is left" wait_for 20 no_lease
check "the node is clean" wait_clean
engines_end
finish
