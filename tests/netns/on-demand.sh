#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Engines on demand (R1 to R4): one for all callers, none of the caller's descriptors kept, ends
# by itself, gives way to the service and takes over from it.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 16 'log_level = info'

# Counts the processes that hold the engine's lock from now on, until told to stop.
watch_engines() {
	: >$ROOT/seen
	while [ -e $ROOT/watching ]; do
		engine_pid >>$ROOT/seen
		sleep 0.02
	done
}
n_seen() { sort -u $ROOT/seen | grep -c .; }

for ((i = 1; i <= 600; i++)); do
	echo "DEL nobody$i net1 - $ROOT/conf"
done >$ROOT/list
conf "$(vf_addr 0 0)" >$ROOT/conf
: >$ROOT/watching
watch_engines &
watcher=$!
sum=$("$HELPERS/storm" -k 600 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -o $ROOT/tmp $ROOT/list)
rm $ROOT/watching
wait $watcher
check "600 clients at once are all served" matches 'count=600 failed=0' "$sum"
check "they started exactly one engine" is 1 "$(n_seen)"
check "it runs the engine on demand" matches vfkeeper-engine "$(readlink "/proc/$(engine_pid)/exe")"

# The caller waits for the end of its pipes: an engine that kept one would hang it.
engines_end
c=$(conf "$(vf_addr 0 0)")
start=$SECONDS
out=$(echo "$c" | CNI_COMMAND=DEL CNI_CONTAINERID=x CNI_IFNAME=net1 CNI_PATH=$CNI_PATH \
	timeout 30 "$CNI_BIN/vfkeeper" 2>&1 | cat)
check "the caller's stdout and stderr close with the client" test $((SECONDS - start)) -lt 6
check "although the engine lives on" has_engine
pid=$(engine_pid)
for fd in 0 1 2; do
	check "descriptor $fd of the engine is nobody's" \
		matches '^(/dev/null|/memfd:)' "$(readlink "/proc/$pid/fd/$fd")"
done
check "it has a session of its own" is "$pid" "$(cut -d' ' -f6 "/proc/$pid/stat" | head -1)" ||
	cat "/proc/$pid/stat"
check "it ends by itself when there is nothing to do" wait_for 30 no_engine
check "its sockets do not answer then" lacks '^answer' "$("$VFCTL" status 2>&1)"

# Giving way: the service takes over from an engine on demand, with an attachment under way.
add_netns p 1 4
c=$(conf "$(vf_addr 0 0)")
add c1 net1 /run/netns/p1 "$c"
check "an engine on demand attaches" answered 0
old=$(engine_pid)
service_start
check "the service starts beside an engine on demand" service_answers
check "the engine on demand gave way" wait_for 10 is_gone "$old"
check "the service holds the lock" is "$SVC" "$(engine_pid)"
check "it knows the attachment" vf_is ATTACHED "$(vf_addr 0 0)"
del c1 net1 /run/netns/p1 "$c"
check "and releases it" answered 0
check "a second service is refused with exit 5" is 5 \
	"$("$VFKEEPERD" >/dev/null 2>&1; echo $?)"

add c2 net1 /run/netns/p2 "$c"
check "the service attaches" answered 0
service_end TERM
check "after SIGTERM nothing of it is left" wait_for 10 no_engine
del c2 net1 /run/netns/p2 "$c"
check "an engine on demand releases what the service attached" answered 0
check "the node is clean" wait_clean

# A storm across both changes of hands: no call fails.
engines_end
for ((i = 1; i <= 300; i++)); do
	echo "DEL nobody$i net1 - $ROOT/conf"
done >$ROOT/list
"$HELPERS/storm" -k 16 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -x 50:"touch $ROOT/up" \
	-x 200:"touch $ROOT/down" $ROOT/list >$ROOT/sum &
storm=$!
wait_for 20 test -e $ROOT/up && service_start
wait_for 20 test -e $ROOT/down && service_end TERM
wait $storm
check "no call fails while the service comes and goes" \
	matches 'count=300 failed=0' "$(cat $ROOT/sum)"

# A configuration that cannot be read does not stop an engine from serving DEL (P10).
engines_end
echo 'nonsense = 1' >>$ROOT/etc/vfkeeper/vfkeeper.conf
del c9 net1 - "$c"
check "with a broken configuration DEL succeeds" answered 0
add c9 net1 /run/netns/p3 "$c"
check "and ADD fails in one line" lacks '^0$' "$RC"
check "which names the file and the line" matches 'vfkeeper.conf' "$(msg)"
engines_end
finish
