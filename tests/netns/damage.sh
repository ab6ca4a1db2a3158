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

# One byte in the middle of a synced record of the newest file.
attach_two byte p
file=$(newest)
at=$(grep -abo 'byte0' "$file" | head -1 | cut -d: -f1)
cp "$file" $ROOT/tmp/before
poke "$file" "$((at + 2))" '\0377'
check "damage: vfkeeper-replay --verify exits 4" is 4 \
	"$("$REPLAY" --verify >$ROOT/tmp/said 2>&1; echo $?)"
check "damage: it names the file" matches "$(basename "$file")" "$(cat $ROOT/tmp/said)"
add more net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
refused=$RC
check "damage: an engine starts and sets the damaged files aside" \
	matches damaged "$(ls $journal)"
[ "$refused" = 0 ] || check "damage: ADD is refused in one line" answered "$(code)"
del_both byte p
check "damage: every lease is paid" wait_for 30 asked DEL byte0
check "the node is clean" wait_clean
engines_end

# An unknown version.
attach_two version p
umount -l $ROOT/run && mount -t tmpfs -o mode=755 tmpfs $ROOT/run
for file in $journal/journal.[0-2]; do
	cp "$file" "$ROOT/tmp/$(basename "$file")"
done
"$REPLAY" --dump >$ROOT/tmp/dump 2>&1
# The version stands in the file header behind the magic: whatever is there becomes 0x7f7f.
poke "$(newest)" 8 '\0177\0177\0177\0177'
sum=$(md5sum $journal/journal.[0-2] | md5sum)
add more2 net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a version or header that is not known: ADD is refused, or the file was set aside" \
	test "$RC" != 0 -o -n "$(ls $journal | grep damaged)"
del_both version p
[ -n "$(ls $journal | grep damaged)" ] ||
	check "an unknown version: the files are untouched" is "$sum" "$(md5sum $journal/journal.[0-2] | md5sum)"
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
end=$("$REPLAY" --stats 2>/dev/null | grep -o 'end[_ ]*offset[^0-9]*[0-9]*' | grep -o '[0-9]*$' | head -1)
[ -n "$end" ] || end=$(($(grep -abo 'torn1' "$file" | tail -1 | cut -d: -f1) + 400))
rm -f $ROOT/run/vfkeeper/durable
poke "$file" "$end" 'half a record that a power loss left behind'
"$REPLAY" --verify >$ROOT/tmp/said 2>&1
check "a torn tail: vfkeeper-replay --verify says 0 or 3, not damage" matches '^[03]$' "$?"
del_both torn p
add after net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a torn tail: ADD is served" answered 0
del after net1 /run/netns/p9 "$(conf "$(vf_addr 0 3)" "$FAKE")"
check "a torn tail: and released" answered 0
check "no lease is left" wait_for 20 no_lease
check "the node is clean" wait_clean
engines_end
finish
