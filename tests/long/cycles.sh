#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# LONG_CYCLES (5,000) attachments and releases through the service, eight callers at once: no
# process of the engine grows in memory or descriptors.  Measured in rounds: after the first
# ones every later one must find what was there before, but for GROWTH_KB in all.
. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"
cycles=${LONG_CYCLES:-5000}
rounds=10
# The allocator may keep a page or two more here and there; a leak of 32 bytes in each cycle
# between the measurements is 125 KB.
GROWTH_KB=96
per_round=$(((cycles + rounds - 1) / rounds))
world 1 8
fake_ipam
cat >$ROOT/plugins/fake <<'PLUGIN'
#!/bin/sh
cat >/dev/null
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24","gateway":"10.9.9.1"}]}'
PLUGIN
add_netns p 0 8

for ((i = 0; i < 8; i++)); do
	conf "$(vf_addr 0 "$i")" "$FAKE" "$SETTINGS" >$ROOT/tmp/conf.$i
done
# Round by round other containers: what is kept for each would be seen.
list() {
	local n
	for ((n = 0; n < per_round; n++)); do
		echo "ADD r$1n$n net1 /run/netns/p$((n % 8)) $ROOT/tmp/conf.$((n % 8))"
		echo "DEL r$1n$n net1 /run/netns/p$((n % 8)) $ROOT/tmp/conf.$((n % 8))"
	done
}
# One caller for each VF, so that ADD and DEL of one stay in their order.
round() {
	local k pids=() bad=0 pid
	list "$1" >$ROOT/tmp/list
	for ((k = 0; k < 8; k++)); do
		grep -F "conf.$k" $ROOT/tmp/list >$ROOT/tmp/list.$k
		"$HELPERS/storm" -k 1 -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" $ROOT/tmp/list.$k \
			>$ROOT/tmp/said.$k 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || bad=1; done
	[ $bad = 0 ] && ! grep -L ' failed=0 ' $ROOT/tmp/said.* | grep .
}
# measure PID...: "kilobytes descriptors processes", memory of their own.  In the end of those that
# were there at the beginning: a busy machine may need another worker meanwhile.
measure() {
	local pid kb=0 fds=0 n=0
	for pid; do
		[ -e "/proc/$pid/fd" ] || continue
		kb=$((kb + $(awk '$1 == "Anonymous:" { print $2 }' "/proc/$pid/smaps_rollup")))
		fds=$((fds + $(find "/proc/$pid/fd" -type l | wc -l)))
		n=$((n + 1))
	done
	echo "$kb $fds $n"
}

service_start || { fail "the service starts"; finish; }
bad=0
for ((r = 0; r < rounds; r++)); do
	round $r || bad=$((bad + 1))
	wait_for 30 all_free 8
	sleep 1 # connections of the last callers end
	[ $r -gt 2 ] || mapfile -t pids0 < <(engine_pids)
	read -r kb fds processes < <(measure "${pids0[@]}")
	echo "      after $(((r + 1) * per_round)) cycles: $kb KB, $fds descriptors, $processes processes"
	# What is kept on purpose (tables, buffers, what malloc has once had) is there by then.
	[ $r != 2 ] || { kb0=$kb fds0=$fds processes0=$processes; }
done
check "$((rounds * per_round)) cycles: every call succeeds" is 0 "$bad"
check "$((rounds * per_round)) cycles: no descriptor is left open" is "$fds0 $processes0" "$fds $processes"
check "$((rounds * per_round)) cycles: memory does not grow by more than $GROWTH_KB KB" \
	test $((kb - kb0)) -le $GROWTH_KB
check "the journal is whole" "$REPLAY" --verify
service_end TERM
wait_for 10 no_engine
finish
