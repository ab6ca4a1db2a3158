#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The benchmark: each figure beside its floor, taken in the same run, in turns with it.  Writes
# bench.json into the directory it is called in, and prints it as a table.  Asserts nothing
# about time; it fails only where a call failed.
#
#	BENCH_ROUNDS=10     rounds of the small figures (100 calls each)
#	BENCH_STORMS='8 64 600'

. "$(dirname "$0")/../netns/lib.sh"
if [ "${1:-}" != inside ]; then
	BENCH_OUT=$PWD/bench.json
	BENCH_COMMIT=$(git -C "$top_srcdir" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
	export BENCH_OUT BENCH_COMMIT
fi
world_enter inside
ROUNDS=${BENCH_ROUNDS:-10} STORMS=${BENCH_STORMS:-8 64 600}
BENCH=${VFK_BENCH_HELPERS:-$top_builddir/tests/bench}
N_PFS=8 N_VFS=127 ALL=$((8 * 127))
n_bad=0

say() { printf '%s\n' "$*" >&2; }
now() { date +%s.%N; }
field() { sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" <<<"$2"; }

# --- figures ---

# A series is a file of numbers.  stat P FILE: the value at that percentile.
stat_of() {
	sort -n "$2" | awk -v p="$1" '{ a[NR] = $1 } END { print a[int((NR - 1) * p / 100) + 1] }'
}
results=$ROOT/results
: >$results
# figure NAME UNIT SCALE OURS FLOOR [rate]: SCALE turns the numbers of both files into UNIT.
# For a rate more is better: its p99 is the worst, and its ratio is floor / ours.
figure() {
	local p50 p99 floor worst=99
	[ "${6:-}" != rate ] || worst=1
	p50=$(stat_of 50 "$4") p99=$(stat_of $worst "$4")
	floor=$([ -s "$5" ] && stat_of 50 "$5" || echo 0)
	awk -v name="$1" -v unit="$2" -v s="$3" -v a="$p50" -v b="$p99" -v f="$floor" -v kind="${6:-}" '
	function short(x) { return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.3g", x) }
	BEGIN {
		r = kind == "rate" ? (a ? f / a : 0) : (f ? a / f : 0)
		printf "{\"name\": \"%s\", \"unit\": \"%s\", \"p50\": %s, \"p99\": %s, ", name, unit, short(a * s), short(b * s)
		printf "\"floor_p50\": %s, \"ratio\": %s}\n", f ? short(f * s) : "null", f ? sprintf("%.2f", r) : "null"
	}' >>$results
	say "  $(tail -n 1 $results)"
}

# calls OUTFILE STORM-ARGUMENTS...: runs storm, appends the latency of each call in
# microseconds to OUTFILE and leaves its summary in SUM.
calls() {
	local out=$1
	shift
	SUM=$("$HELPERS/storm" -r $ROOT/tsv "$@") || { say "bench: storm failed"; exit 1; }
	cut -d' ' -f5 $ROOT/tsv >>"$out"
	local failed
	failed=$(field failed "$SUM")
	[ "$failed" = 0 ] || say "bench: $failed calls failed: $* "
	n_bad=$((n_bad + failed))
}
ours() { calls "$1" -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" "${@:2}"; }
floor_calls() { FLOOR_SOCKET=$ROOT/echo.sock calls "$1" -b "$BENCH/floor-client" "${@:2}"; }

# list VERB FIRST LAST ROUND: for storm, one line per pod; pod I has VF I.
list() {
	local i
	for ((i = $2; i <= $3; i++)); do
		echo "$1 b$4-$i net1 ${NETNS_OF:-/run/netns/pod$i} $ROOT/conf/$i"
	done
}
configurations() {
	local i
	mkdir -p $ROOT/conf
	for ((i = 1; i <= ALL; i++)); do
		conf "$(vf_addr $(((i - 1) / N_VFS)) $(((i - 1) % N_VFS)))" >$ROOT/conf/$i
	done
}
fresh() { # CONFIG LINE...: a new node without history
	engines_end >/dev/null
	rm -rf $ROOT/var/lib/vfkeeper $ROOT/run/vfkeeper
	write_config "$@"
}

# --- the small figures, with a driver that costs nothing ---

echo_server() {
	"$BENCH/echo-server" $ROOT/echo.sock &
	echo_pid=$!
	wait_for 10 test -S $ROOT/echo.sock >/dev/null
}

versions() {
	local i
	for ((i = 0; i < 100; i++)); do echo "VERSION x - - -"; done >$ROOT/list
	for ((i = 0; i < ROUNDS; i++)); do
		ours $ROOT/s.version $ROOT/list
		calls $ROOT/s.version.floor -b "$BENCH/floor-client" $ROOT/list
	done
	figure client_version ms 0.001 $ROOT/s.version $ROOT/s.version.floor
}

# add_del SUFFIX: ADD and DEL one at a time.
add_del() {
	local i suffix=$1
	for ((i = 0; i < ROUNDS; i++)); do
		list ADD 1 100 "$suffix$i" >$ROOT/list
		ours "$ROOT/s.add$suffix" $ROOT/list
		floor_calls "$ROOT/s.one$suffix" $ROOT/list
		list DEL 1 100 "$suffix$i" >$ROOT/list
		ours "$ROOT/s.del$suffix" $ROOT/list
	done
	figure "add_free$suffix" ms 0.001 "$ROOT/s.add$suffix" "$ROOT/s.one$suffix"
	figure "del_free$suffix" ms 0.001 "$ROOT/s.del$suffix" "$ROOT/s.one$suffix"
}

# rates SUFFIX: 600 callers at once with a free driver, and repeated DELs.
rates() {
	local i suffix=$1
	for ((i = 0; i < ROUNDS; i++)); do
		list ADD 1 600 "r$suffix$i" >$ROOT/list
		ours /dev/null -k 600 $ROOT/list
		awk -v s="$(field seconds "$SUM")" 'BEGIN { print 600 / s }' >>"$ROOT/s.radd$suffix"
		floor_calls /dev/null -k 600 $ROOT/list
		awk -v s="$(field seconds "$SUM")" 'BEGIN { print 600 / s }' >>"$ROOT/s.rfloor$suffix"
		list DEL 1 600 "r$suffix$i" >$ROOT/list
		ours /dev/null -k 600 $ROOT/list
		awk -v s="$(field seconds "$SUM")" 'BEGIN { print 600 / s }' >>"$ROOT/s.rdel$suffix"
		ours /dev/null -k 8 $ROOT/list
		awk -v s="$(field seconds "$SUM")" 'BEGIN { print 600 / s }' >>"$ROOT/s.again$suffix"
		floor_calls /dev/null -k 8 $ROOT/list
		awk -v s="$(field seconds "$SUM")" 'BEGIN { print 600 / s }' >>"$ROOT/s.againfloor$suffix"
	done
	figure "del_repeated$suffix" 1/s 1 "$ROOT/s.again$suffix" "$ROOT/s.againfloor$suffix" rate
	figure "free600_600_add$suffix" 1/s 1 "$ROOT/s.radd$suffix" "$ROOT/s.rfloor$suffix" rate
	figure "free600_600_del$suffix" 1/s 1 "$ROOT/s.rdel$suffix" "$ROOT/s.rfloor$suffix" rate
}

# The resident memory of processes, shared pages divided among those that share them, in KiB.
memory_of() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}

replay_and_memory() {
	local i
	list ADD 1 $ALL all >$ROOT/list
	ours /dev/null -k 64 $ROOT/list
	for ((i = 0; i < ROUNDS; i++)); do
		memory_of $(engine_pids) >>$ROOT/s.mem
		memory_of "$echo_pid" >>$ROOT/s.memfloor
	done
	figure memory MiB 0.0009765625 $ROOT/s.mem $ROOT/s.memfloor
	engines_end >/dev/null
	for ((i = 0; i < ROUNDS * 3; i++)); do
		timed $ROOT/s.replay "$REPLAY" --verify
		FLOOR_READ=$ROOT/var/lib/vfkeeper/journal timed $ROOT/s.replayfloor "$BENCH/floor-client"
	done
	figure replay_1016 ms 0.001 $ROOT/s.replay $ROOT/s.replayfloor
	echo "DEL nobody net1 - $ROOT/conf/1" >$ROOT/list
	for ((i = 0; i < ROUNDS * 2; i++)); do
		ours $ROOT/s.first $ROOT/list
		engines_end >/dev/null
		floor_calls $ROOT/s.firstfloor $ROOT/list
	done
	figure first_answer_on_demand ms 0.001 $ROOT/s.first $ROOT/s.firstfloor
}
# timed FILE COMMAND...: microseconds from exec to exit, measured as for a call.
timed() {
	local file=$1
	shift
	printf '#!/bin/sh\nexec %s >/dev/null\n' "$*" >$ROOT/tmp/timed
	chmod 755 $ROOT/tmp/timed
	echo "X x - - -" >$ROOT/timed.list
	calls "$file" -b $ROOT/tmp/timed $ROOT/timed.list
}

# --- the storms, with links that the kernel moves ---

# storm_of CALLERS SUFFIX: 600 ADDs, then 600 DELs; each until the last VF is there.
storm_of() {
	local t
	list ADD 1 600 "s$1$2" >$ROOT/list
	t=$(now)
	ours /dev/null -k "$1" -P "  600 ADDs, $1 callers" $ROOT/list
	wait_for 120 settled $ALL >/dev/null
	awk -v a="$t" -v b="$(now)" 'BEGIN { print b - a }' >>"$ROOT/s.storm_add$1$2"
	list DEL 1 600 "s$1$2" >$ROOT/list
	t=$(now)
	ours /dev/null -k "$1" -P "  600 DELs, $1 callers" $ROOT/list
	wait_for 120 settled $ALL >/dev/null
	awk -v a="$t" -v b="$(now)" 'BEGIN { print b - a }' >>"$ROOT/s.storm_del$1$2"
}
bare_moves() { # CALLERS
	local said
	said=$(nsenter --net=/run/netns/spare0 "$HELPERS/moves" -n 600 in) &&
		field seconds "$said" >>"$ROOT/s.in$1" &&
		said=$(nsenter --net=/run/netns/spare0 "$HELPERS/moves" -n 600 out) &&
		field seconds "$said" >>"$ROOT/s.out$1" ||
		{ say "bench: the bare moves failed"; exit 1; }
}
storms() {
	local k
	for k in $STORMS; do
		say "  600 bare moves in and out"
		bare_moves "$k"
		[ -n "$SVC" ] || service_start >/dev/null
		storm_of "$k" ""
		engines_end >/dev/null
		storm_of "$k" _on_demand
		engines_end >/dev/null
		figure "storm600_$k" s 1 "$ROOT/s.storm_del$k" "$ROOT/s.out$k"
		figure "storm600_${k}_add" s 1 "$ROOT/s.storm_add$k" "$ROOT/s.in$k"
		figure "storm600_${k}_on_demand" s 1 "$ROOT/s.storm_del${k}_on_demand" "$ROOT/s.out$k"
		figure "storm600_${k}_add_on_demand" s 1 "$ROOT/s.storm_add${k}_on_demand" "$ROOT/s.in$k"
	done
}

say "free driver: $N_PFS PFs x $N_VFS VFs without links; 1016 namespaces"
add_netns pod 1 $ALL || exit 1
sim_node $N_PFS $N_VFS 'links = no'
configurations
echo_server
versions
fresh
service_start >/dev/null || { say "the service does not answer"; world_dump_logs >&2; exit 1; }
add_del ""
rates ""
replay_and_memory
fresh
add_del _on_demand
rates _on_demand
fresh 'sync = all'
service_start >/dev/null
add_del _sync_all
rates _sync_all
kill "$echo_pid"

say "storms: the same node with links"
sim_node $N_PFS $N_VFS
fresh
add_netns spare 0 0
nsenter --net=/run/netns/spare0 "$HELPERS/moves" -n 600 make || exit 1
storms

{
	printf '{\n"machine": "%s x %s, Linux %s, %s",\n' "$(nproc)" \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr -s ' ')" \
		"$(uname -r | cut -d- -f1)" "$(df --output=fstype "$ROOT/var/lib" | tail -n 1)"
	printf '"date": "%s",\n"commit": "%s",\n"results": [\n' "$(date -u +%F)" "$BENCH_COMMIT"
	sed '$!s/$/,/' $results
	printf ']\n}\n'
} >$ROOT/bench.json
cat $ROOT/bench.json >&3
"$top_srcdir/tests/bench/table.sh" $ROOT/bench.json
[ "$n_bad" = 0 ] || { say "bench: $n_bad calls failed"; world_dump_logs >&2; exit 1; }
