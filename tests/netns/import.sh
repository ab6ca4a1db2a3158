#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfctl import: a node whose pods were attached by ib-sriov-cni and sriov-cni becomes vfkeeper's
# with the pods running; vfctl export gives it back.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8 'retry_min_ms = 50'
fake_ipam
CNI=$ROOT/var/lib/cni PUT=$ROOT/var/lib/vfkeeper/imported
ID1=$(printf 'a%.0s' {1..64}) ID2=$(printf 'b%.0s' {1..64}) ID3=$(printf 'c%.0s' {1..64})
V0=$(vf_addr 0 0) V1=$(vf_addr 0 1) V2=$(vf_addr 0 2) V3=$(vf_addr 0 3)
add_netns p 1 3

# vfctl ARGUMENT...: sets RC, OUT (in one line) and ERR.
vfctl() {
	OUT=$("$VFCTL" "$@" 2>$ROOT/vfctl.err)
	RC=$?
	OUT=$(tr '\n' ' ' <<<"$OUT")
	ERR=$(cat $ROOT/vfctl.err)
}
host_name() { grep -F " $1" $ROOT/links | cut -d' ' -f1; }
files() { (cd $ROOT/var/lib && find cni vfkeeper/imported -type f ! -name '*.lock' ! -path '*/results/*' 2>/dev/null | sort | xargs); }
# owner VF: container and interface on record.
owner() {
	"$VFCTL" -o json show "$1" | tr -d ' \n"' |
		sed -nE 's/.*owner:\{network:([^,]*),container:([^,]*),ifname:([^}]*)\}.*/\1 \2 \3/p'
}
# facts VF: whose it is, what was asked for, and what it was like before.
facts() {
	"$VFCTL" -o json show "$1" | tr -d ' \n' | grep -oE '"(owner|wanted|baseline)":\{[^}]*\}'
}
sim_says() { grep -qx "$2" "$ROOT/run/vfkeeper/sim/$1" || { cat "$ROOT/run/vfkeeper/sim/$1"; return 1; }; }

# A node that vfkeeper has never seen.
fresh() {
	engines_end
	rm -rf $ROOT/var/lib/vfkeeper $ROOT/run/vfkeeper/sim $CNI
	: >$ROOT/fake.calls
}
# in_pod INDEX POD: a VF as a peer leaves it in a pod.
in_pod() { ip link set "$(host_name "$(vf_addr 0 "$1")")" netns "p$2" name net1 up; }
# ib_text INDEX [IPAM [VERSION]]: what ib-sriov-cni 1.3.0 writes.
ib_text() {
	local vf=$(vf_addr 0 "$1")
	printf '{"ContIFNames":"net1","HostIFGUID":"","HostIFNames":"%s","Master":"simib0","RdmaNetState":{"containerRdmaDevName":"","deviceID":"","sandboxRdmaDevName":"","version":""},"VFID":%d,"args":{"cni":null},"cniVersion":"%s","deviceID":"%s","ipam":{%s},"name":"net","pkey":"","runtimeConfig":{"infinibandGUID":""},"type":"ib-sriov"}' \
		"$(host_name "$vf")" "$1" "${3:-0.4.0}" "$vf" "${2:+\"type\":\"$2\"}"
}
# eth_text INDEX MAC [VERSION]: what sriov-cni 2.10.0 writes.
eth_text() {
	local vf=$(vf_addr 0 "$1")
	printf '{"MAC":"","MTU":1500,"Master":"simib0","OrigVfState":{"AdminMAC":"%s","EffectiveMAC":"%s","HostIFName":"%s","LinkState":0,"MTU":1500,"MaxTxRate":0,"MinTxRate":0,"SpoofChk":true,"Trust":false,"Vlan":0,"VlanProto":33024,"VlanQoS":0},"VFID":%d,"cniVersion":"%s","deviceID":"%s","ipam":{},"max_tx_rate":null,"min_tx_rate":null,"name":"net","runtimeConfig":{},"trust":"on","type":"sriov","vlan":85,"vlanProto":"802.1q","vlanQoS":2}' \
		"$2" "$2" "$(host_name "$vf")" "$1" "${3:-0.4.0}" "$vf"
}
mac_of() { cat "/sys/class/net/$(host_name "$1")/address"; }

# The two pods as their plugins leave them, VF 0 in p1 with a lease and VF 1 in p2 with a VLAN.
peers_attach() {
	mkdir -p $CNI/ib-sriov $CNI/sriov/pci/vf_lock $ROOT/run/vfkeeper/sim
	ib_text 0 fake >$CNI/ib-sriov/$ID1-net1
	eth_text 1 "$(mac_of "$V1")" >$CNI/sriov/$ID2-net1
	printf /run/netns/p2 >"$CNI/sriov/pci/$V1"
	: >"$CNI/sriov/pci/vf_lock/$V1.lock"
	printf 'vlan = 85\nqos = 2\ntrust = 1\n' >"$ROOT/run/vfkeeper/sim/$V1"
	in_pod 0 1
	in_pod 1 2
}
paid_once() { is 1 "$(fake_calls DEL "$1")" && no_lease; }
all_home() { [ "$(links_home)" = "$(cat $ROOT/links)" ]; }

takes_over() {
	local before
	fresh
	peers_attach
	mkdir -p $CNI/multus/results
	printf '{"kind":"cniCacheV1","containerId":"%s","config":"e30=","ifName":"net1","networkName":"net","cniArgs":[["IgnoreUnknown","true"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_NAME","web-0"]],"result":{}}' \
		$ID1 >$CNI/multus/results/net-$ID1-net1
	# What cannot be taken over.
	ib_text 2 fake >$CNI/ib-sriov/$ID3-net1 # its VF is at home
	: >$CNI/ib-sriov/empty-net1
	head -c 90 $CNI/ib-sriov/$ID1-net1 >$CNI/ib-sriov/half-net1
	printf '{"cniVersion":"0.4.0","ipam":{"type":"fake"},"name":"net","type":"ib-sriov"}' \
		>$CNI/ib-sriov/short-net1
	sed 's/0000:3b/0000:af/' $CNI/sriov/$ID2-net1 >$CNI/sriov/other-net1
	sed "s/\"VFID\":1/\"VFID\":7/" $CNI/sriov/$ID2-net1 >$CNI/sriov/old-net1
	touch -d '1 hour ago' $CNI/sriov/old-net1
	before=$(files)
	[ "$HOW" = 'with the service' ] && service_start

	vfctl import --dry-run
	check "a dry run says what would be ($HOW)" matches \
		"to be imported $V0 a{13}/net1 .*to be imported $V1 b{13}/net1 .*2 to be imported, 6 left" "$OUT"
	check "and changes nothing ($HOW)" is "$before:FAULTED:FAULTED" \
		"$(files):$(state_of "$V0"):$(state_of "$V1")"

	vfctl import
	check "both pods are taken over, the rest is left ($HOW)" matches \
		"^1:.*2 imported, 6 left.*:vfctl: 6 files were left" "$RC:$OUT:$ERR"
	check "they are on record ($HOW)" is \
		"ATTACHED net $ID1 net1:ATTACHED net $ID2 net1" \
		"$(state_of "$V0") $(owner "$V0"):$(state_of "$V1") $(owner "$V1")"
	check "with the lease ($HOW)" is "1 HELD" "$(lease_states)"
	check "their files are put away, no other ($HOW)" is \
		"cni/ib-sriov/$ID3-net1 cni/ib-sriov/empty-net1 cni/ib-sriov/half-net1 cni/ib-sriov/short-net1 cni/sriov/old-net1 cni/sriov/other-net1 vfkeeper/imported/ib-sriov/$ID1-net1 vfkeeper/imported/sriov/$ID2-net1 vfkeeper/imported/sriov/pci-$V1" \
		"$(files)"
	check "one whose VF is in no pod ($HOW)" matches "left +[^ ]*$ID3-net1: no pod has its VF any more -> " "$OUT"
	check "an empty one ($HOW)" matches "empty-net1: it is empty -> nothing can be taken" "$OUT"
	check "half of one ($HOW)" matches "half-net1: it is damaged" "$OUT"
	check "one without a VF ($HOW)" matches "short-net1: it names no VF" "$OUT"
	check "one of another node's VF ($HOW)" matches "other-net1: (VF 0000:af:00.2 is not on this node|no pod has)" "$OUT"
	check "one beside a newer one ($HOW)" matches "old-net1: [^ ]*$ID2-net1 names the same VF and is newer" "$OUT"
	vfctl list
	check "the pod has its name ($HOW)" matches "$V0 .*shop/web-0" "$OUT"
	vfctl -o json status
	check "no records are missing any more ($HOW)" matches '"records_missing": false' "$OUT"

	engines_end
	[ "$HOW" = 'with the service' ] && service_start
	vfctl import
	check "a second import finds nothing new ($HOW)" matches "0 imported, 6 left" "$OUT"
	check "and another engine has the records ($HOW)" is "ATTACHED:ATTACHED:1 HELD" \
		"$(state_of "$V0"):$(state_of "$V1"):$(lease_states)"

	CNI_NAME=ib-sriov del $ID1 net1 /run/netns/p1 "$(conf "$V0" '"ipam":{"type":"fake","pool":"of the DEL"}')"
	check "the pod's DEL succeeds ($HOW)" answered 0
	check "the VF is free ($HOW)" wait_for 20 vf_is FREE "$V0"
	check "its lease is paid once ($HOW)" wait_for 20 paid_once $ID1
	check "with the DEL's own configuration ($HOW)" grep -q 'of the DEL' $ROOT/fake.stdin.DEL.$ID1
	CNI_NAME=sriov del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "so is the other's ($HOW)" wait_for 20 vf_is FREE "$V1"
	check "the settings are as before the peer's ADD ($HOW)" sim_says "$V1" 'vlan = 0'
	check "trust, too ($HOW)" sim_says "$V1" 'trust = 0'
	check "every link is home under its name ($HOW)" wait_for 20 all_home
	engines_end
}

ends_half_way() {
	fresh
	peers_attach
	# The records are written, and nothing can be put away.
	mkdir -p $ROOT/var/lib/vfkeeper
	: >$PUT
	vfctl import
	check "a file that cannot be put away is told" matches \
		"$ID1-net1: .*its VF is ours now; vfctl import again puts the file away" "$OUT"
	check "it is still there, and the VF is ours" is "yes:ATTACHED" \
		"$([ -e $CNI/ib-sriov/$ID1-net1 ] && echo yes):$(state_of "$V0")"
	rm $PUT
	engines_end
	vfctl import
	check "the next import completes it" matches "^0:on record +$V0 .*on record +$V1 .*2 imported, 0 left" "$RC:$OUT"
	check "and the files are away" is \
		"vfkeeper/imported/ib-sriov/$ID1-net1 vfkeeper/imported/sriov/$ID2-net1 vfkeeper/imported/sriov/pci-$V1" \
		"$(files)"
	check "with one lease" is "1 HELD" "$(lease_states)"
	del $ID1 net1 /run/netns/p1 "$(conf "$V0" "$FAKE")"
	del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "both are released" wait_for 20 all_home

	# The engine is killed while it looks for the VF.
	fresh
	peers_attach
	faults "observe $V0 count=1 hang_ms=60000"
	"$VFCTL" import >$ROOT/import.out 2>&1 &
	local vfctl=$! pid
	check "the engine looks" wait_for 20 step_begun
	for pid in $(engine_pids); do kill -KILL "$pid" 2>/dev/null; done
	wait $vfctl
	check "an engine that is killed is followed by another" is "0:1" \
		"$?:$(grep -c '2 imported, 0 left' $ROOT/import.out)"
	faults
	del $ID1 net1 /run/netns/p1 "$(conf "$V0" "$FAKE")"
	del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "all is home again" wait_for 20 all_home

	# So is vfctl.
	fresh
	peers_attach
	faults "observe $V0 count=1 hang_ms=60000"
	"$VFCTL" import >/dev/null 2>&1 &
	vfctl=$!
	check "the engine looks for another" wait_for 20 step_begun
	kill -KILL $vfctl
	wait $vfctl 2>/dev/null
	faults
	check "of one that is killed nothing is half done" is "FAULTED:yes" \
		"$(state_of "$V0"):$([ -e $CNI/ib-sriov/$ID1-net1 ] && echo yes)"
	vfctl import
	check "the next one does it all" matches "2 imported, 0 left" "$OUT"
	del $ID1 net1 /run/netns/p1 "$(conf "$V0" "$FAKE")"
	del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "and all is home" wait_for 20 all_home
}

honours_locks() {
	fresh
	peers_attach
	mkdir -p $ROOT/var/run/cni/ib-sriov
	(flock 9; : >$ROOT/locked; sleep 0.5; rm $CNI/ib-sriov/$ID1-net1; : >$ROOT/unlocked) 9>$ROOT/var/run/cni/ib-sriov/cni.lock &
	local holder=$!
	wait_for 10 test -e $ROOT/locked
	vfctl import
	check "the plugin's lock is waited for" test -e $ROOT/unlocked
	wait $holder
	check "and a file that its DEL removed meanwhile is none of ours" is "ATTACHED:FAULTED" \
		"$(state_of "$V1"):$(state_of "$V0")"
	check "so that records may be missing yet" matches "VF $V0 is in use by nobody on record.*records may still be missing" "$OUT"
	ip -n p1 link set net1 down
	ip -n p1 link set net1 netns 1 name "$(host_name "$V0")"
	del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "what is home is free" wait_for 20 all_free 8
}

goes_back() {
	local mac one two
	fresh
	mac=$(mac_of "$V1")
	CNI_NAME=ib-sriov add $ID1 net1 /run/netns/p1 "$(conf "$V0" "$FAKE" | sed 's/"vfkeeper"/"ib-sriov"/')"
	CNI_NAME=sriov add $ID2 net1 /run/netns/p2 "$(conf "$V1" '"vlan":85,"vlanQoS":2,"trust":"on"')"
	add $ID3 net1 /run/netns/p3 "$(conf "$V2" '"promisc":true,"trust":"on"')"
	one=$(facts "$V0") two=$(facts "$V1")
	vfctl export --dry-run
	check "a dry run of an export writes nothing" matches \
		"^1:to be exported $V0 .*to be exported $V1 .*$V2: .*2 to be exported, 1 left.*:::$" "$RC:$OUT:$(files)::"
	vfctl export
	check "an export hands over what the peers can undo" matches \
		"^1:exported +$V0 .*exported +$V1 .*2 exported, 1 left.*stop vfkeeperd" "$RC:$OUT"
	check "and says what stays, and why" matches "left +$V2: sriov-cni|left +$V2: sriov would not undo its promisc" "$OUT"
	check "the files are the peers'" is \
		"cni/ib-sriov/$ID1-net1 cni/sriov/$ID2-net1 cni/sriov/pci/$V1" "$(files)"
	check "byte by byte that of ib-sriov-cni" is "$(ib_text 0 fake 1.1.0)" "$(cat $CNI/ib-sriov/$ID1-net1)"
	check "and of sriov-cni" is "$(eth_text 1 "$mac" 1.1.0):/run/netns/p2" \
		"$(cat $CNI/sriov/$ID2-net1):$(cat "$CNI/sriov/pci/$V1")"
	check "the VFs are not ours any more" is "FAULTED:FAULTED:ATTACHED:" \
		"$(state_of "$V0"):$(state_of "$V1"):$(state_of "$V2"):$(lease_states)"
	engines_end
	add $ID3 net2 /run/netns/p3 "$(conf "$V3")"
	check "nothing is attached any more" matches 'cordoned.*vfctl export' "$(msg)"
	check "the pods keep their VFs over an engine's start" link_in /run/netns/p1 net1
	check "and their addresses" is 0 "$(fake_calls DEL $ID1)"
	vfctl import
	check "an import of the export brings them back" matches "2 imported, 0 left" "$OUT"
	check "with the same records" is "$one" "$(facts "$V0")"
	check "of both" is "$two" "$(facts "$V1")"

	# And once more, to the peers' own DEL.
	vfctl export
	check "it can be exported again" matches "2 exported, 1 left" "$OUT"
	ip -n p1 link set net1 down
	ip -n p1 link set net1 netns 1 name "$(host_name "$V0")"
	check "a VF that the peer released is free" wait_for 20 vf_is FREE "$V0"
	vfctl uncordon node
	del $ID2 net1 /run/netns/p2 "$(conf "$V1")"
	check "a DEL that comes to us all the same releases" wait_for 20 vf_is FREE "$V1"
	del $ID3 net1 /run/netns/p3 "$(conf "$V2")"
	check "everything is home" wait_for 20 all_home
}

HOW='with the service'
takes_over
HOW='with engines on demand'
takes_over
ends_half_way
honours_locks
goes_back
engines_end
finish
