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
# Every start leaves a line, also that of an engine that does not get the lock.
mkdir $ROOT/bin/real
mv $ROOT/bin/vfkeeper-engine $ROOT/bin/real/
cat >$ROOT/bin/vfkeeper-engine <<STARTER
#!/bin/sh
echo started >>$ROOT/starts
exec $ROOT/bin/real/vfkeeper-engine "\$@"
STARTER
chmod 755 $ROOT/bin/vfkeeper-engine
: >$ROOT/watching
watch_engines &
watcher=$!
sum=$("$HELPERS/storm" -k 600 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -o $ROOT/tmp $ROOT/list)
rm $ROOT/watching
wait $watcher
check "600 clients at once are all served" matches 'count=600 failed=0' "$sum"
check "R2: they started exactly one engine" is 1 "$(wc -l <$ROOT/starts)"
check "and one has held the lock" is 1 "$(n_seen)"
check "it runs the engine on demand" matches vfkeeper-engine "$(readlink "/proc/$(engine_pid)/exe")"

# The caller waits for the end of its pipes: an engine that kept one would hang it.
engines_end
mv $ROOT/bin/real/vfkeeper-engine $ROOT/bin/
c=$(conf "$(vf_addr 0 0)")
out=$(echo "$c" | CNI_COMMAND=DEL CNI_CONTAINERID=x CNI_IFNAME=net1 CNI_PATH=$CNI_PATH \
	timeout 30 "$CNI_BIN/vfkeeper" 2>&1 | cat)
# An engine that held one of them would keep us here until its own end.
check "the caller's stdout and stderr close with the client, the engine lives on" has_engine
pid=$(engine_pid)
for fd in 0 1 2; do
	check "descriptor $fd of the engine is nobody's" \
		matches '^(/dev/null|/memfd:)' "$(readlink "/proc/$pid/fd/$fd")"
done
check "it has a session of its own" is "$pid" "$(cut -d' ' -f6 "/proc/$pid/stat" | head -1)" ||
	cat "/proc/$pid/stat"
check "it ends by itself when there is nothing to do" wait_for 30 no_engine
check "its sockets do not answer then" matches 'no engine answers' "$("$VFCTL" list 2>&1)"

# Its limits are not those of the caller that happens to start it.
soft() { sed -n "s/^Max $1  *\([a-z0-9]*\) .*/\1/p" "/proc/$(engine_pid)/limits"; }
(ulimit -Sn 64 && ulimit -Sf 4096 && cni DEL x net1 - "$c")
check "its limit of open files is not its starter's" lacks '^64?$' "$(soft 'open files')"
check "its limit of the size of a file is not its starter's" is unlimited "$(soft 'file size')"
engines_end

# Giving way: the service takes over from an engine on demand, with an attachment under way.
add_netns p 1 4
c=$(conf "$(vf_addr 0 0)")
add c1 net1 /run/netns/p1 "$c"
check "an engine on demand attaches" answered 0
old=$(engine_pid)
service_start
check "the service starts beside an engine on demand" service_answers
check "R3: the engine on demand gave way" wait_for 10 is_gone "$old"
check "the service holds the lock" is "$SVC" "$(engine_pid)"
check "it knows the attachment" vf_is ATTACHED "$(vf_addr 0 0)"
del c1 net1 /run/netns/p1 "$c"
check "and releases it" answered 0
sockets=$(stat -c '%n %i' $ROOT/run/vfkeeper/*.sock)
check "R1: a second service is refused with exit 5" is 5 \
	"$(timeout -s KILL 60 "$VFKEEPERD" >/dev/null 2>&1; echo $?)"
check "and has left the sockets of the other alone" is "$sockets" \
	"$(stat -c '%n %i' $ROOT/run/vfkeeper/*.sock)"

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

# Whoever cleans /run makes the engine deaf: it ends, and the next one serves.
service_start
add c3 net1 /run/netns/p3 "$c"
check "the service attaches again" answered 0
rm -r $ROOT/run/vfkeeper
check "its files in /run removed, the service ends" wait_for 15 is_gone "$SVC"
wait "$SVC"
check "with a status that has it started again" is 1 $?
SVC=
del c3 net1 /run/netns/p3 "$c"
check "an engine on demand releases what it attached" answered 0
add c3a net1 /run/netns/p3 "$c"
rm $ROOT/run/vfkeeper/cni.sock
del c3a net1 /run/netns/p3 "$c"
check "only the socket removed: DEL succeeds" answered 0
check "the node is clean again" wait_clean

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
