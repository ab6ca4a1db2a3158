#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hung step delays no VF of another PF; one hung under RTNL delays only what needs RTNL;
# a hung IPAM delays nobody (vfkeeper-rules(7), PROCESSES, JOBS, LOCKS).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
fake_ipam
# PF 0 and PF 1 have links; the third has none, so its VFs need no RTNL.
sim_node 2 4
printf '\n[pf 0000:3d:00.0]\nname = simib2\nvfs = 4\nlinks = no\n' >>"$SIM"
write_config 'step_timeout_s = 20' 'add_timeout_s = 25'
cni DEL nobody net1 - "$(conf "")"
check "the links of both PFs are made" wait_for 20 all_links 8
links_snapshot
engines_end
service_start
add_netns p 1 30
n=0

# goes_on SENTENCE PF INDEX: ADD and DEL of that VF while something hangs; that it still does
# afterwards shows that neither waited for it.
goes_on() {
	local vf=$(vf_addr "$2" "$3") c
	n=$((n + 1))
	c=$(conf "$vf")
	add "w$n" net1 "/run/netns/p$n" "$c"
	check "$1: ADD succeeds" answered 0
	del "w$n" net1 "/run/netns/p$n" "$c"
	check "$1: DEL succeeds" answered 0
}
# hang_in VERB-OF-CALL CONTAINER PF INDEX STEP: begins a call whose STEP hangs for long.
hang_in() {
	n=$((n + 1))
	hung_vf=$(vf_addr "$2" "$3")
	hung_conf=$(conf "$hung_vf" "$SETTINGS")
	hung_ns=/run/netns/p$n
	hung_id=h$n
	faults "$4 $hung_vf hang_ms=$5 count=1"
	if [ "$1" = DEL ]; then
		add "$hung_id" net1 "$hung_ns" "$hung_conf"
		check "the VF that will hang is attached" answered 0
	fi
	printf '%s' "$hung_conf" >$ROOT/hung.conf
	CNI_COMMAND=$1 CNI_CONTAINERID=$hung_id CNI_IFNAME=net1 CNI_NETNS=$hung_ns \
		CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/hung.conf >$ROOT/hung.out 2>&1 &
	hung=$!
	check "$4 of PF $2 hangs" wait_for 20 step_begun
}
# still STATE: what hung was hanging all the while.
still() { check "it hung all the while" vf_is "$1" "$hung_vf"; }

hang_in ADD 0 0 settings 600000
goes_on "a sysfs step of PF 0 hangs: a VF of PF 1" 1 0
goes_on "a sysfs step of PF 0 hangs: a VF without a link" 2 0
still RESERVED
wait $hung
RC=$? OUT=$(cat $ROOT/hung.out)
check "the hung ADD gets code 11 in the end" answered 11
faults
check "its VF is FREE again when the step let go or was ended" wait_for 90 vf_is FREE "$hung_vf"
goes_on "afterwards: a VF of PF 0" 0 1

hang_in DEL 1 1 link_home 600000
goes_on "a step under RTNL hangs: a VF that needs no RTNL" 2 1
still DETACHING
wait $hung
check "the DEL whose step hangs succeeds: the engine owns the rest" is 0 $?
faults
check "its VF is FREE when the step was ended" wait_for 90 vf_is FREE "$hung_vf"
goes_on "afterwards: a VF of PF 1" 1 2

echo 'hang 600' >$ROOT/fake.ADD
n=$((n + 1))
conf "$(vf_addr 0 3)" "$FAKE" >$ROOT/hung.conf
CNI_COMMAND=ADD CNI_CONTAINERID=hi CNI_IFNAME=net1 CNI_NETNS=/run/netns/p$n \
	CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/hung.conf >$ROOT/hung.out 2>&1 &
hung=$!
wait_for 10 asked ADD hi
goes_on "an IPAM plugin hangs: a VF of the same PF" 0 2
check "it hung all the while" kill -0 $hung
wait $hung
RC=$? OUT=$(cat $ROOT/hung.out)
check "the ADD with the hung plugin gets code 11 at its deadline" answered 11
rm -f $ROOT/fake.ADD
check "its lease is paid" wait_for 30 no_lease
check "the node is clean" wait_clean
check "the engine is the same process as at the start" is "$SVC" "$(engine_pid)"

# A step in the kernel that outlives its engine keeps its VF busy, not the others (R6).
hang_in DEL 0 0 settings_home 9000
for pid in $(engine_pid); do
	kill -KILL "$pid"
done
wait "$SVC" 2>/dev/null
service_start
still DETACHING
goes_on "a step outlives its engine: a VF of another PF" 1 0
wait $hung
check "the DEL whose engine died succeeds" is 0 $?
check "its VF is FREE in the end" wait_for 90 vf_is FREE "$hung_vf"
check "the node is clean at the end" wait_clean
engines_end
finish
