#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Callers that send the wrong descriptors, do not read, come by the thousand, or have no
# descriptors left; an engine that has none left.  Nothing hangs, and everybody gets a line.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8
add_netns p 1 8
vf=$(vf_addr 0 0)
c=$(conf "$vf")

# --- CNI_NETNS that is none ---
mkfifo $ROOT/fifo
mkdir -p $ROOT/directory
ln -sf /no/such/netns $ROOT/dangling
ln -sf loop2 $ROOT/loop1
ln -sf loop1 $ROOT/loop2
touch $ROOT/plain
mount --bind /proc/self/ns/mnt $ROOT/mntns 2>/dev/null || { touch $ROOT/mntns; mount --bind /proc/self/ns/mnt $ROOT/mntns; }
netns_cases() {
	local what path line
	while IFS='|' read -r what path line; do
		add n1 net1 "$path" "$c"
		check "ADD with $what as netns: code 8 ($HOW)" answered 8
		check "ADD with $what as netns: the line ($HOW)" matches "$line" "$(msg)"
		cni CHECK n1 net1 "$path" "$c"
		check "CHECK with $what as netns fails ($HOW)" lacks '^0$' "$RC"
		add n2 net1 /run/netns/p1 "$c"
		check "an ADD before the DEL with $what ($HOW)" answered 0
		del n2 net1 "$path" "$c"
		check "DEL with $what as netns releases ($HOW)" answered 0
		check "DEL with $what as netns: the VF is home ($HOW)" wait_for 20 vf_is FREE "$vf"
	done <<CASES
a FIFO|$ROOT/fifo|^CNI_NETNS $ROOT/fifo is not a network namespace
a directory|$ROOT/directory|^CNI_NETNS $ROOT/directory is not a network namespace
a dangling link|$ROOT/dangling|^cannot open CNI_NETNS $ROOT/dangling: ENOENT
a loop of links|$ROOT/loop1|^cannot open CNI_NETNS $ROOT/loop1: ELOOP
a plain file|$ROOT/plain|is not a network namespace
a file of /proc|/proc/version|^CNI_NETNS /proc/version is not a network namespace
a file of /sys|/sys/kernel/uevent_seqnum|is not a network namespace
/dev/null|/dev/null|^CNI_NETNS /dev/null is not a network namespace
/dev/zero|/dev/zero|is not a network namespace
a socket|$ROOT/run/vfkeeper/cni.sock|cannot open CNI_NETNS .*: ENXIO
a mount namespace|$ROOT/mntns|is not a network namespace
a path below a file|$ROOT/plain/x|^cannot open CNI_NETNS $ROOT/plain/x: ENOTDIR
a path of 5,000 bytes|/$(head -c 5000 /dev/zero | tr '\0' p)|^cannot open CNI_NETNS /p.*
CASES
}
in_both_ways netns_cases

# --- interface names ---
service_start
main=$(engine_pid)
ip -n p1 link add net1 type veth peer name other
add i1 net1 /run/netns/p1 "$c"
check "a name that is taken: ADD fails" answered 999
check "a name that is taken: the line" matches "VF $vf: .*net1" "$(msg)"
add i2 lo /run/netns/p2 "$c"
check "the name of the loopback: ADD fails" matches 'lo\b' "$(msg)"
add i3 "$(printf '%016d' 1)" /run/netns/p2 "$c"
check "a name of 16 bytes: the line" is 'interface name is too long' "$(msg)"
add i4 '' /run/netns/p2 "$c"
check "an empty name: the line" is 'required env variables [CNI_IFNAME] missing' "$(msg)"
add i5 'a%d' /run/netns/p2 "$c"
check "a name that the kernel would number is taken as it is, or refused" matches '^[01]$' "$RC"
[ "$RC" != 0 ] || check "and is not numbered" matches 'a%d' "$(ip -n p2 -o link show)"
del i5 'a%d' /run/netns/p2 "$c"
add i6 all /run/netns/p2 "$c"
check "a name that is a directory of the kernel's settings: an answer" matches '^[01]$' "$RC"
del i6 all /run/netns/p2 "$c"
check "after all of them the VF is free" wait_for 20 vf_is FREE "$vf"
check "and the link that had the name is still there" matches other "$(link_in p1 net1 2>&1)"
ip -n p1 link del net1

# --- a caller that does not read ---
mkfifo $ROOT/unread
exec 7<>$ROOT/unread
head -c 65536 /dev/zero >&7 & # the pipe is full
filler=$!
sleep 0.2
printf '%s' "$c" | env CNI_COMMAND=ADD CNI_CONTAINERID=u1 CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
	CNI_PATH="$CNI_PATH" timeout -s KILL 60 "$CNI_BIN/vfkeeper" >&7 2>/dev/null &
unread=$!
check "the ADD of a caller that does not read is carried out" wait_for 20 vf_is ATTACHED "$vf"
add u2 net1 /run/netns/p2 "$(conf "$(vf_addr 0 1)")"
check "and delays no other" answered 0
del u2 net1 /run/netns/p2 "$(conf "$(vf_addr 0 1)")"
check "nor a DEL" answered 0
kill -KILL $unread $filler 2>/dev/null
exec 7>&-
del u1 net1 /run/netns/p1 "$c"
check "its own DEL releases" answered 0
check "and the engine has closed what it left" test "$(ls /proc/$main/fd | wc -l)" -lt 120
# Callers that are stopped before they read the engine's frame.
printf '%s' "$c" >$ROOT/conf
stopped=()
for n in 1 2 3 4 5 6 7 8 9 10; do
	env CNI_COMMAND=DEL CNI_CONTAINERID=stop$n CNI_IFNAME=net1 CNI_NETNS= \
		CNI_PATH="$CNI_PATH" "$CNI_BIN/vfkeeper" <$ROOT/conf >/dev/null 2>&1 &
	stopped+=($!)
	kill -STOP $!
done
add u3 net1 /run/netns/p2 "$c"
check "ten callers that are stopped delay no ADD" answered 0
del u3 net1 /run/netns/p2 "$c"
kill -CONT "${stopped[@]}"
wait "${stopped[@]}"
check "and the engine is the same process" is "$main" "$(engine_pid)"

# --- 2,000 callers at once ---
many() { # VERB CONF NETNS [N]: a list for storm
	printf '%s' "$2" >$ROOT/conf.$1
	seq -f "$1 many%04.0f net1 $3 $ROOT/conf.$1" "${4:-2000}"
}
total() { grep -o "$1=[0-9]*" <<<"$summary" | cut -d= -f2; }
many DEL "$c" - >$ROOT/list
summary=$("$HELPERS/storm" -k 2000 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/list 2>&1 | tail -n 1)
check "2,000 DELs of strangers at once: all succeed" is '2000 0' "$(total count) $(total failed)"
many ADD "$(conf "$vf" '"timeoutSeconds":5')" /run/netns/p1 >$ROOT/list
mkdir -p $ROOT/answers
summary=$("$HELPERS/storm" -k 2000 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -o $ROOT/answers $ROOT/list 2>&1 | tail -n 1)
check "2,000 ADDs for one VF at once: one succeeds" is '2000 1999' "$(total count) $(total failed)"
check "the others have code 11 and name VF" \
	is 1999 "$(grep -l "\"code\": *11,.*$vf" $ROOT/answers/*.out | wc -l)"
many DEL "$(conf "$vf")" - >$ROOT/list
summary=$("$HELPERS/storm" -k 2000 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/list 2>&1 | tail -n 1)
check "and 2,000 DELs of them: all succeed" is '2000 0' "$(total count) $(total failed)"
check "the VF is free then" wait_for 20 vf_is FREE "$vf"
check "the engine is still the same process" is "$main" "$(engine_pid)"
engines_end
check "(the node is clean so far)" wait_clean
many DEL "$(conf "$vf")" - >$ROOT/list
summary=$("$HELPERS/storm" -k 2000 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/list 2>&1 | tail -n 1)
check "2,000 DELs at once that find no engine: all succeed" is '2000 0' "$(total count) $(total failed)"
engines_end

# --- no descriptors left ---
with_fds() { # N VERB CONTAINER: a caller that may have N descriptors
	OUT=$(printf '%s' "$c" | (
		ulimit -n "$1"
		exec env CNI_COMMAND="$2" CNI_CONTAINERID="$3" CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
			CNI_PATH="$CNI_PATH" timeout -s KILL 60 "$CNI_BIN/vfkeeper" 2>>$ROOT/client.log
	))
	RC=$?
}
service_start
for n in 5 6 7 8 9 10 11 12; do
	with_fds $n ADD few$n
	check "a caller with $n descriptors gets an answer" matches '^[01]$' "$RC"
	[ "$RC" = 0 ] || check "a caller with $n descriptors gets a line with code 5 or 11" matches '^(5|11)$' "$(code)"
	del few$n net1 /run/netns/p1 "$c"
	check "and its DEL afterwards succeeds ($n)" answered 0
done
engines_end
(
	ulimit -n 40
	exec "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1
) &
SVC=$!
wait_for 30 service_answers
main=$(engine_pid)
many ADD "$(conf "$vf" '"timeoutSeconds":8')" /run/netns/p1 200 >$ROOT/list
rm -rf $ROOT/answers
mkdir -p $ROOT/answers
summary=$("$HELPERS/storm" -k 200 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -o $ROOT/answers $ROOT/list 2>&1 | tail -n 1)
check "an engine with 40 descriptors and 200 callers: everybody is answered" is 200 "$(total count)"
check "at most one with success" test "$(total failed)" -ge 199
check "the others with one line" is "$(total failed)" "$(grep -l '"code": *[0-9]*,.*"msg"' $ROOT/answers/*.out | wc -l)"
many DEL "$c" - 200 >$ROOT/list
summary=$("$HELPERS/storm" -k 20 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/list 2>&1 | tail -n 1)
check "their DELs succeed" is '200 0' "$(total count) $(total failed)"
check "the VF is free" wait_for 30 vf_is FREE "$vf"
add last net1 /run/netns/p1 "$c"
check "and the same engine serves the next ADD" is "0 $main" "$RC $(engine_pid)"
del last net1 /run/netns/p1 "$c"
check "and its DEL" answered 0
engines_end
umount $ROOT/mntns
check "the node is clean" wait_clean
finish
