#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo: a simulated node of 8 PFs x 127 VFs; 600 pods attached and released by 64 callers
# at once, the service killed in the middle of both; 100 more pods, a reboot, and
# vfkeeper-replay --apply.  A leak check that knows nothing of our programs has the last word.
# Everything happens in private namespaces and in the build directory.

. "$(dirname "$0")/../netns/lib.sh"
PODS=${DEMO_PODS:-600} MORE=${DEMO_MORE:-100} CALLERS=${DEMO_CALLERS:-64}
N_PFS=${DEMO_PFS:-8} N_VFS=127
ALL=$((N_PFS * N_VFS))
if [ "${1:-}" != inside ]; then
	for program in vfkeeper/vfkeeper vfkeeper-engine/vfkeeper-engine vfkeeperd/vfkeeperd \
		vfctl/vfctl vfkeeper-replay/vfkeeper-replay; do
		[ -x "$top_builddir/src/$program" ] ||
			{ echo "demo: $top_builddir/src/$program is not built" >&2; exit 1; }
	done
	[ -x "$VFK_GO_BIN/host-local" ] ||
		{ echo "demo: $VFK_GO_BIN/host-local is missing ('./run demo' builds it)" >&2; exit 1; }
fi
world_enter inside

say() { printf '%s\n' "$*" >&2; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
field() { sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" <<<"$2"; }
stop() { say "demo: $*"; world_dump_logs >&2; exit 1; }

rows=()
row() { # PHASE COUNT FAILED SECONDS [FLOOR]
	local ratio=- floor=${5:--}
	[ "$floor" = - ] || ratio=$(awk -v a="$4" -v b="$floor" 'BEGIN { printf "%.2f", a / b }')
	rows+=("$(printf '%-44s %5s %8s %8s %8s %6s' "$1" "$2" "$3" "$4" "$floor" "$ratio")")
}

# pods FIRST LAST VERB: the calls for these pods, and a configuration for each.
pods() {
	local i vf
	for ((i = $1; i <= $2; i++)); do
		vf=$(((i - 1) % ALL))
		conf "$(vf_addr $((vf / N_VFS)) $((vf % N_VFS)))" "$(host_local)" >$ROOT/conf/$i
		echo "$3 pod$i net1 /run/netns/pod$i $ROOT/conf/$i"
	done
}

# check_pods FIRST LAST OUTDIR: how many pods have the link, up, and the address that their
# ADD answered with; seen by the kernel's eyes alone.
check_pods() {
	"$HELPERS/netns-pool" look /run/netns pod "$1" "$2" net1 | while read -r i state address; do
		[ "$state" = up ] && grep -qF "\"$address\"" "$3/$((i - $1 + 1)).out" && echo "$i"
	done | wc -l
}

complain() { # RESULTS OUTDIR
	awk '$4 != 0' "$1" | head -n 5 | while read -r line verb pod code rest; do
		say "  $verb $pod exited $code: $(head -c 300 "$2/$line.out")"
	done
}

mkdir -p $ROOT/conf $ROOT/out-add $ROOT/out-del $ROOT/out-more
VFKEEPER_BOOT_ID=$(cat /proc/sys/kernel/random/uuid)
export VFKEEPER_BOOT_ID
start=$(now)
sim_node "$N_PFS" "$N_VFS"
write_config

say "node: $N_PFS PFs x $N_VFS VFs; starting the service"
service_start >/dev/null || stop "the service does not answer"
wait_for 30 all_free $ALL >/dev/null || stop "not every VF became FREE: $(states)"
"$top_srcdir/tests/demo/leakcheck.sh" snapshot $ROOT/before || stop "no VF links"
[ "$(wc -l <$ROOT/before)" -ge $ALL ] || stop "VF links are missing"
say "node: ready after $(since "$start") s; making $PODS + $MORE pods (network namespaces)"
add_netns pod 1 $((PODS + MORE)) || stop "no namespaces"

say "floor: $PODS bare moves of spare links into the pods and back"
add_netns spare 0 0
spare() { nsenter --net=/run/netns/spare0 "$HELPERS/moves" -n "$PODS" "$@"; }
spare make && floor_in=$(spare in) && floor_out=$(spare out) || stop "the bare moves failed"
floor_in=$(field seconds "$floor_in") floor_out=$(field seconds "$floor_out")

# Plays systemd for one phase: kills the service when storm says so, and starts it again
# if asked to.
storm() { # PHASE LABEL KILL-AT|0 RESTART OUTDIR LIST
	local file=$ROOT/$1.mid pid
	"$HELPERS/storm" -k "$CALLERS" -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -P "$2" \
		-o "$5" -r "$ROOT/$1.tsv" ${3:+-x "$3:touch $file"} "$6" >"$ROOT/$1.sum" &
	pid=$!
	if [ -n "$3" ]; then
		wait_for 60 test -e "$file" >/dev/null || say "  (it ended before the kill)"
		service_end KILL
		say "
  kill -9 of vfkeeperd after $3 of the calls$([ "$4" = restart ] && echo ', restarting it' ||
			echo ', left dead: an engine on demand takes over')"
		if [ "$4" = restart ]; then
			sleep 0.1 # RestartSec
			"$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1 &
			SVC=$!
		fi
	fi
	wait "$pid" || stop "storm could not do its work"
}

pods 1 "$PODS" ADD >$ROOT/add.list
t=$(now)
storm add attach $((PODS / 3)) restart $ROOT/out-add $ROOT/add.list
wait_for 120 settled $ALL >/dev/null || say "  (not all ended: $(states))"
seconds=$(since "$t")
failed_add=$(field failed "$(cat $ROOT/add.sum)")
complain $ROOT/add.tsv $ROOT/out-add
attached=$(check_pods 1 "$PODS" $ROOT/out-add)
row "attach, $CALLERS callers, service killed" "$PODS" "$failed_add" "$seconds" "$floor_in"
say "attached $attached pods (counted in the pods); host-local holds $(leases) addresses"

pods 1 "$PODS" DEL >$ROOT/del.list
t=$(now)
storm del release $((PODS / 3)) dead $ROOT/out-del $ROOT/del.list
wait_for 120 settled $ALL >/dev/null || say "  (not all ended: $(states))"
seconds=$(since "$t")
failed_del=$(field failed "$(cat $ROOT/del.sum)")
complain $ROOT/del.tsv $ROOT/out-del
still=$("$HELPERS/netns-pool" look /run/netns pod 1 "$PODS" net1 | wc -l)
released=$((PODS - failed_del - still))
row "release, $CALLERS callers, service killed for good" "$PODS" "$failed_del" "$seconds" \
	"$floor_out"
wait_for 30 no_addresses >/dev/null
say "released $released pods; host-local holds $(leases) addresses"

pods $((PODS + 1)) $((PODS + MORE)) ADD >$ROOT/more.list
t=$(now)
storm more "attach $MORE more" "" "" $ROOT/out-more $ROOT/more.list
wait_for 60 settled $ALL >/dev/null || say "  (not all ended: $(states))"
seconds=$(since "$t")
failed_more=$(field failed "$(cat $ROOT/more.sum)")
complain $ROOT/more.tsv $ROOT/out-more
more=$(check_pods $((PODS + 1)) $((PODS + MORE)) $ROOT/out-more)
row "attach, engine on demand" "$MORE" "$failed_more" "$seconds" \
	"$(awk -v f="$floor_in" -v n="$MORE" -v p="$PODS" 'BEGIN { printf "%.3f", f * n / p }')"

say "reboot: all engines and namespaces gone, new boot id, fresh /run; then replay --apply"
engines_end >/dev/null || stop "an engine cannot be ended"
del_netns pod 1 $((PODS + MORE))
del_netns spare 0 0
umount -l $ROOT/run && mount -t tmpfs -o mode=755 tmpfs $ROOT/run || stop "no fresh /run"
VFKEEPER_BOOT_ID=$(cat /proc/sys/kernel/random/uuid)
failed_replay=0
t=$(now)
if ! "$REPLAY" --apply >$ROOT/replay.log 2>&1; then
	say "  vfkeeper-replay: $(tail -n 3 $ROOT/replay.log)"
	failed_replay=$MORE
fi
wait_for 60 all_free $ALL >/dev/null || say "  (not all VFs are free: $(states))"
wait_for 30 no_addresses >/dev/null
row "reboot: replay --apply, $MORE leases paid" "$MORE" "$failed_replay" "$(since "$t")"

leaks=$("$top_srcdir/tests/demo/leakcheck.sh" judge $ROOT/before $ROOT/ipam)
leaked_vfs=$(field leaked_vfs "$leaks") leaked_leases=$(field leaked_leases "$leaks")
# A pod whose ADD said yes but that lacks link or address has failed as well.
failed=$((failed_add + failed_del + failed_more + failed_replay))
failed=$((failed + (PODS - failed_add - attached) + still + (MORE - failed_more - more)))
engines_end >/dev/null
[ "$failed" = 0 ] && [ "$leaks" = "leaked_vfs=0 leaked_leases=0" ] ||
	world_dump_logs >&2

echo
printf '%-44s %5s %8s %8s %8s %6s\n' phase count failures seconds floor ratio
printf '%s\n' "${rows[@]}"
echo "(floor: the same moves by bare netlink messages, in this run; whole demo $(since "$start") s)"
echo
echo "demo: attached=$attached released=$released failed=$failed" \
	"leaked_vfs=${leaked_vfs:-?} leaked_leases=${leaked_leases:-?}"
[ "$failed" = 0 ] && [ "${leaked_vfs:-1}" = 0 ] && [ "${leaked_leases:-1}" = 0 ]
