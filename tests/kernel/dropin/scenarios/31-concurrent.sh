# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# All VFs of the PF, ADD all at once, DEL all at once.
N=$(<"$PFDIR/sriov_totalvfs")
reset_node "$N"
IPAM='{"type":"okipam"}'
for ((i = 0; i < N; i++)); do
	ip netns add p$i
	v[i]=$(vfpci $i)
done
how_many() { if [ "$1" = "$N" ]; then echo all; elif [ "$1" = 0 ]; then echo none; else echo "$1"; fi; }
one() { # VERB INDEX
	env -i PATH="$PATH" "VFKEEPER_ROOT=$ROOT" CNI_COMMAND="$1" CNI_CONTAINERID="k$2" \
		CNI_NETNS="/run/netns/p$2" CNI_IFNAME=net1 CNI_PATH=$IPAMDIR timeout 120 "$PLUGIN" \
		<"/tmp/in.$2" >"/tmp/out.$2" 2>&1 && rm "/tmp/out.$2"
}
for verb in ADD DEL; do
	pids=() ok=0 there=0
	for ((i = 0; i < N; i++)); do
		case $KIND in
		ib) x="\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:dd:$(printf %02x $i)\"}" ;;
		eth) x="\"vlan\":$((300 + i))" ;;
		esac
		D=${v[i]} conf "$x" >/tmp/in.$i
		one $verb $i &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		if wait "$i"; then ok=$((ok + 1)); fi
	done
	head -c 300 /tmp/out.* # what was said by those that failed
	rm -f /tmp/out.*
	for ((i = 0; i < N; i++)); do
		if ip netns exec p$i test -e /sys/class/net/net1; then there=$((there + 1)); fi
	done
	note $verb "ok: $(how_many $ok), in pods: $(how_many $there)"
done
rm /tmp/ipam.log # in any order
snap end
home=0
for ((i = 0; i < N; i++)); do
	[ -z "$(vfname $i)" ] || home=$((home + 1))
done
note home "at home: $(how_many $home)"
