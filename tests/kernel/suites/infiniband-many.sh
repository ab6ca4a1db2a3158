# SPDX-License-Identifier: Apache-2.0
# layout: cards=4,totalvfs=64,vfs=0,mem=3072,smp=2
# kernel: 6.12
# limit: 1800
# suite: infiniband-many: a pod for every VF, all at once (256; "make soak": 635)
. ./t.sh
. ./node.sh
. ./ibnode.sh
CALLERS=64 # that release; an ADD has a deadline, and where 16 are attached at once none comes near it
ADDERS=16
JUDGE=$top_srcdir/tests/kernel/ibjudge

field() { sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" "$2"; }
netns() { "$HELPERS/netns-pool" "$1" /run/netns pod "$2" "$3"; } # add|del FIRST LAST
guid_last() { printf '%02x:%02x' $(($1 >> 8)) $(($1 & 255)); }

# calls VERB: of every pod
calls() {
	local i
	for ((i = 1; i <= N; i++)); do
		echo "$1 pod$i net1 /run/netns/pod$i /tmp/conf/$i"
	done >/tmp/$1.list
}
confs() {
	local i ipam=''
	[ $has_go = no ] || ipam=$(host_local)
	mkdir -p /tmp/conf
	for ((i = 1; i <= N; i++)); do
		conf "${ALL[i - 1]}" '"rdmaIsolation":true' ${ipam:+"$ipam"} \
			"\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:ff:ff:$(guid_last $i)\"}" \
			>/tmp/conf/$i
	done
}

# storm VERB AT again|gone STATE CALLERS: all calls; the service dies when AT of them have ended, and is
# started again or not; then until nothing is under way, and all VFs are in STATE
storm() {
	local t pid
	mkdir -p "/tmp/out.$1"
	calls "$1"
	t=$(ms)
	"$HELPERS/storm" -k "$5" -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -o "/tmp/out.$1" \
		-r "/tmp/$1.tsv" -x "$2:touch /tmp/$1.mid" "/tmp/$1.list" >"/tmp/$1.sum" &
	pid=$!
	within 600 there "/tmp/$1.mid"
	if service_end KILL; then :; fi # it says how the service ended
	want "$(lines . <"/tmp/$1.sum")" 0 # calls are under way
	if [ "$3" = again ]; then service_start; fi
	wait $pid
	within $((600 + 2 * N)) quiet
	echo $(($(ms) - t)) >"/tmp/$1.ms"
	awk '$4 != 0' "/tmp/$1.tsv" | head -n 5 | while read -r line _ pod code _; do
		echo "$pod exited $code: $(tr '\n' ' ' <"/tmp/out.$1/$line.out")"
	done
	want "$(field failed "/tmp/$1.sum") calls failed" "0 calls failed"
	want "$(states)" "$4=$N "
}
quiet() {
	local now
	now=$(states)
	[ -n "$now" ] && [[ ! $now =~ RESERVED|DETACHING ]]
}

# What the kernel says of the pods: each link is there, up, with the GUID of its pod, and so is
# what the PFs hold; no RDMA device but those of the PFs is left at home.
pods_with_all() {
	local i have=0
	ip -o link show | tr '\\' '\n' | sed -n 's/.*PORT_GUID 02:00:00:00:ff:ff:\([^,]*\),.*/\1/p' |
		sort >/tmp/held
	for ((i = 1; i <= N; i++)); do guid_last $i; echo; done | sort | diff - /tmp/held >/tmp/odd
	[ ! -s /tmp/odd ] || cat /tmp/odd
	"$HELPERS/netns-pool" look /run/netns pod 1 $N net1 >/tmp/pods
	while read -r i state address; do
		grep -qF "02:00:00:00:ff:ff:$(guid_last "$i")\"" "/tmp/out.ADD/$i.out" || continue
		[ $has_go = no ] || grep -qF "\"$address\"" "/tmp/out.ADD/$i.out" || continue
		[ "$state" != up ] || have=$((have + 1))
	done </tmp/pods
	ATTACHED=$have
}
# And VFs at home, seen from pods: in a few of them by ip and rdma.
look_into_some() {
	local i
	want "$(rdma dev | lines .)" "$(set -- $PCI/*:3b:00.0; echo $#)"
	for i in 1 $((N / 2)) $N; do
		[[ $(ip -n "pod$i" link show net1) == *link/infiniband\ *:ff:ff:"$(guid_last $i)"\ brd* ]]
		want "$(ip netns exec "pod$i" rdma dev | lines mlx5_)" 1
	done
}

# The same by bare requests, one after the other, of VFs without an engine.
floor() {
	"$HELPERS/netns-pool" add /run/netns spare 1 "$FLOOR"
	"$top_builddir/tests/kernel/ibfloor" /run/netns spare "${ALL[@]:0:FLOOR}" >/tmp/floor
	"$HELPERS/netns-pool" del /run/netns spare 1 "$FLOOR"
	"$JUDGE" judge /tmp/all "$ROOT/ipam/net"
}
per_vf() { awk -v a="$1" -v n="$2" 'BEGIN { printf "%.0f", a / n }'; }

attach_all() {
	storm ADD $((N / 3)) again ATTACHED $ADDERS
	pods_with_all
	echo "$ATTACHED" >/tmp/attached
	want "$ATTACHED attached" "$N attached"
	look_into_some
}
release_all() {
	storm DEL $((N / 3)) gone FREE $CALLERS
	"$HELPERS/netns-pool" look /run/netns pod 1 $N net1 >/tmp/still
	want "$(lines . </tmp/still) still there" "0 still there"
}
as_they_were() {
	"$JUDGE" judge /tmp/all "$ROOT/ipam/net" >/tmp/judged
}

# --- a few of them ---

FEW=6
in_parallel() { # VERB: prints how many failed
	local i pids=() failed=0
	for ((i = 1; i <= FEW; i++)); do
		(
			cni "$1" "pod$i" net1 "/run/netns/pod$i" "$(<"/tmp/conf/$i")"
			[ "$RC" = 0 ] || echo "$1 $i: $OUT" | tr '\n' ' ' >&2
			exit "$RC"
		) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		if ! wait "$i"; then failed=$((failed + 1)); fi
	done
	want "$failed failed" "0 failed"
}
all_as_they_were() {
	within 120 all_free "$N"
	within 20 as_they_were || as_they_were
}
half_dead() {
	local i
	in_parallel ADD
	for ((i = 1; i <= FEW; i += 2)); do netns del $i $i; done
	in_parallel DEL
	all_as_they_were
	for ((i = 1; i <= FEW; i += 2)); do netns add $i $i; done
}
# The service hears of it by itself: nobody calls.
no_del() {
	local i
	in_parallel ADD
	netns del 1 2
	for i in 1 2; do within 120 is_free "${ALL[i - 1]}"; done
	in_parallel DEL
	all_as_they_were
}

t=$(ms)
make_vfs && N=${#ALL[@]} && "$JUDGE" snapshot /tmp/all && want "$(lines . </tmp/all)" $N || exit 1
echo "made: $N VFs, each with a GUID of its own, in $(($(ms) - t)) ms"
FLOOR=${FLOOR_VFS:-16}
[ "$FLOOR" -le $N ] || FLOOR=$N
t_case "infiniband-many: bare requests to the kernel leave no trace" floor
[ $N -ge 256 ] || CALLERS=$((N / 4)) # or all DELs are answered before the kill
service_start && within 60 all_free $N || exit 1
netns add 1 $N || exit 1
confs
# (2.4, 17) the incumbent looks at names and numbers while others rebind, and fails
t_case "infiniband-many: all VFs are attached at once, the service is killed meanwhile (2.4, 17)" attach_all
t_case "infiniband-many: all are released at once, the service is killed for good" release_all
t_case "infiniband-many: name, MTU, GUIDs and devices of every VF are as they were" as_they_were
node_stop
service_start
t_case "infiniband-many: half of the namespaces died before the DEL" half_dead
t_case "infiniband-many: namespaces die and nobody calls" no_del
node_stop
[ $T_FAILED = 0 ] || node_end
# The least is what the kernel needs; not asserted.
echo "took: attach $N: $(</tmp/ADD.ms) ms, release: $(</tmp/DEL.ms) ms; for each VF" \
	"$(per_vf "$(</tmp/ADD.ms)" $N) and $(per_vf "$(</tmp/DEL.ms)" $N) ms, bare requests" \
	"for each of $FLOOR $(per_vf "$(field in_ms /tmp/floor)" "$FLOOR") and" \
	"$(per_vf "$(field out_ms /tmp/floor)" "$FLOOR") ms"
# A pod whose ADD said yes but that lacks link, GUID or address has failed as well.
del=$(field failed /tmp/DEL.sum) still=$(lines . </tmp/still)
ATTACHED=$(</tmp/attached)
RELEASED=$((N - still - del))
failed=$((N - ATTACHED + still + del))
echo "600: attached=$ATTACHED released=$RELEASED failed=$failed $(</tmp/judged)"
node_end
