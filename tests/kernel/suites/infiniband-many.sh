# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12
# limit: 900
# suite: infiniband-many: many VFs at once; how many says $INFINIBAND_VFS (8, in soak 32)
. ./t.sh
. ./node.sh
. ./ibnode.sh
N=$INFINIBAND_VFS # of both cards together

# Every VF as ip, rdma and sysfs show it, by PCI address.
all_vfs() {
	local p i a l r list line
	for p in $IB 0002:3b:00.0; do
		list=$(ip link show "$(link_of $p)")
		for ((i = 0; i < N / 2; i++)); do
			a=$(vf $p $i) l=$(link_of "$a") r=$(rdma_of "$a")
			line=${list#*vf $i }
			read -r line <<<"NODE_GUID${line#*NODE_GUID}"
			echo "$a $l $(<"/sys/class/net/$l/mtu") $(guid_of "$l") $r" \
				"$(<"/sys/class/infiniband/$r/node_guid") $line"
		done
	done
}
drift() {
	all_vfs >/tmp/all.now 2>&1
	[ "$(</tmp/all)" = "$(</tmp/all.now)" ] || {
		diff /tmp/all /tmp/all.now | head -n 20
		return 1
	}
}
settled_as_before() {
	within 120 all_free_again
	within 20 drift || drift
}

address() { awk -v n="$1" '{ a[NR] = $1 } END { print a[n] }' /tmp/all; }
# in_parallel VERB: ADD or DEL of all, each in a process of its own; prints how many failed
in_parallel() {
	local i pids=() failed=0
	for ((i = 1; i <= N; i++)); do
		(
			cni "$1" "c$i" net1 "$2$([ "$2" = - ] || echo "$i")" "$(<"/tmp/conf.$i")"
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
every_pod() {
	local i
	for ((i = 1; i <= N; i++)); do
		[[ $(ip -n "n$i" link show net1) == *link/infiniband\ *:"$(printf %02x "$i")"\ brd* ]]
		want "$(ip netns exec "n$i" rdma dev | lines mlx5_)" 1
	done
}
make_pods() {
	local i
	for ((i = 1; i <= N; i++)); do
		[ -e "/run/netns/n$i" ] || ip netns add "n$i"
		conf "$(address "$i")" "$(guid "$(printf %02x "$i")")" >"/tmp/conf.$i"
	done
}

attach_all() {
	make_pods
	in_parallel ADD /run/netns/n
	every_pod
}
release_all() {
	in_parallel DEL /run/netns/n
	settled_as_before
}
half_dead() {
	local i
	in_parallel ADD /run/netns/n
	for ((i = 1; i <= N; i += 2)); do ip netns del "n$i"; done
	in_parallel DEL /run/netns/n
	settled_as_before
}
killed() {
	local pid job
	make_pods
	in_parallel ADD /run/netns/n
	in_parallel DEL /run/netns/n &
	job=$!
	if read -r -t 1 -u "$T_WAIT"; then return 1; fi
	for pid in $(engine_pids); do
		if ! kill -KILL "$pid" 2>/dev/null; then continue; fi
	done
	# Where no engine was there in time a DEL is kept, and asked for again (R5).
	if ! wait $job; then in_parallel DEL /run/netns/n; fi
	settled_as_before
}
# The service hears of it by itself: nobody calls.
no_del() {
	make_pods
	in_parallel ADD /run/netns/n
	for i in 1 2 $N; do ip netns del "n$i"; done
	for i in 1 2 $N; do within 120 is_free "$(address $i)"; done
	in_parallel DEL /run/netns/n
	settled_as_before
}

all_vfs >/tmp/all
want "$(lines . </tmp/all)" $N || exit 1
service_start
t_case "infiniband-many: all VFs are attached at once" attach_all
t_case "infiniband-many: and released at once, every name and GUID as before" release_all
t_case "infiniband-many: half of the namespaces died before the DEL" half_dead
t_case "infiniband-many: namespaces die and nobody calls" no_del
t_case "infiniband-many: the engine is killed while all VFs are released" killed
node_stop
node_end
