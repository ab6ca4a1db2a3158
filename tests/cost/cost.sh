#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What one ADD and one DEL of each kind cost, counted by strace: the table of COST goes to
# descriptor 3 (make cost).
. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"
requires strace python3
export VFKEEPER_BOOT_ID=11111111-1111-1111-1111-111111111111
world 2 8 'retry_min_ms = 60000' 'retry_max_ms = 60000'
fake_ipam
add_netns p 1 4
mkdir $ROOT/trace
strace -f -ff -qq -yy -s 0 -o $ROOT/trace/engine "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1 &
strace_pid=$!
answers() { "$VFCTL" -o json status | grep -q '"discovered": true'; }
wait_for 60 answers || { fail "the service starts under strace"; finish; }

n=0
# one NAME VERB CONTAINER NETNS CONF: a call, repeated by its caller.
one() {
	local name=$1 verb=$2 mark
	n=$((n + 1))
	mark=$ROOT/marks/$n
	mkdir -p "$mark"
	quiet "$mark/before"
	OUT=$(printf '%s' "$5" | env -i PATH="$PATH" VFKEEPER_ROOT=$ROOT CNI_COMMAND="$verb" \
		CNI_CONTAINERID="$3" CNI_IFNAME=net1 CNI_NETNS="$4" CNI_PATH="$CNI_PATH" \
		strace -f -ff -qq -yy -s 0 -o "$mark/client" "$CNI_BIN/vfkeeper")
	[ $? = 0 ] || fail "$name: $verb succeeds" "$OUT"
	quiet "$mark/after"
	printf '%s\n%s\n' "$name" "$verb" >"$mark/what"
}
# quiet FILE: waits until nobody does anything any more, and writes how far each trace is.
quiet() {
	local now before= still=0
	for _ in $(seq 200); do
		now=$(wc -l $ROOT/trace/engine.* | grep -v total)
		[ "$now" = "$before" ] && still=$((still + 1)) || still=0
		[ $still -lt 2 ] || break
		before=$now
		sleep 0.12
	done
	echo "$now" >"$1"
}
# kind NAME CONF: four rounds of ADD and DEL.
kind() {
	local round
	for round in 0 1 2 3; do
		one "$1" ADD "c$round" /run/netns/p1 "$2"
		one "$1" DEL "c$round" /run/netns/p1 "$2"
	done
}
vf=$(vf_addr 0 1)
kind 'link alone' "$(conf "$vf")"
kind 'with settings' "$(conf "$vf" "$SETTINGS")"
kind 'with GUID, RDMA device' "$(conf "$vf" "$GUID")"
kind 'with addresses of our own' \
	"$(conf "$vf" '"ipam":{"type":"vfkeeper","ranges":[[{"subnet":"10.1.0.0/24"}]]}')"
kind 'with an IPAM plugin' "$(conf "$vf" "$FAKE")"
one 'link alone' ADD owner /run/netns/p1 "$(conf "$vf")"
for round in 0 1 2 3; do
	one 'of a stranger' DEL "s$round" /run/netns/p2 "$(conf "$vf")"
done
rm -r "$ROOT/marks/$((n - 4))"
[ "$n_failed" = 0 ] && python3 "$lib_dir/../cost/count.py" $ROOT/trace $ROOT/marks >&3 ||
	fail "the calls can be counted"
kill $strace_pid
engines_end
wait $strace_pid 2>/dev/null
[ "$n_failed" != 0 ] || pass "every kind was counted"
finish
