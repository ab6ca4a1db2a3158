#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The engine is killed (SIGKILL) in every step of ADD and DEL; the call ends well at its first
# try, and nothing is lost.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8 'log_level = debug'
fake_ipam
n=0
with_service=

start() { # VERB: begins the call in the background
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=$1 CNI_CONTAINERID=crash$n CNI_IFNAME=net1 CNI_NETNS=/run/netns/p$n \
		CNI_PATH=$CNI_PATH CNI_ARGS= "$CNI_BIN/vfkeeper" <$ROOT/conf \
		>$ROOT/call.out 2>>$ROOT/client.log &
	call=$!
}
result() {
	wait $call
	RC=$? OUT=$(cat $ROOT/call.out)
}
kill_engine() {
	local pid
	pid=$(engine_pid)
	[ -n "$pid" ] && kill -KILL "$pid"
	[ -z "$SVC" ] || { wait "$SVC" 2>/dev/null; SVC=; }
	[ -z "$with_service" ] || { "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1 & SVC=$!; }
}

# killed_in VERB STEP: the STEP takes 700 ms, the engine dies in the middle of it.
killed_in() {
	n=$((n + 1))
	vf=$(vf_addr 0 $((n % 8)))
	c=$(conf "$vf" "$FAKE" "$SETTINGS" "$GUID")
	add_netns p $n $n
	if [ "$1" = DEL ]; then
		start ADD
		result
		answered 0 || { fail "ADD before the kill in $2 ($HOW)" "$OUT"; return; }
	fi
	faults "$2 $vf latency_ms=700 count=1"
	start "$1"
	check "killed in $2: the step had begun ($HOW)" wait_for 20 step_begun
	sleep 0.1
	kill_engine
	faults
	result
	check "killed in $2: $1 succeeds at its first call ($HOW)" answered 0
	if [ "$1" = ADD ]; then
		check "killed in $2: the VF is ATTACHED ($HOW)" wait_for 10 vf_is ATTACHED "$vf"
		check "killed in $2: the link is in the pod ($HOW)" \
			matches 'UP' "$(link_in p$n net1 2>&1)"
		check "killed in $2: IPAM ADD was asked once ($HOW)" is 1 "$(fake_calls ADD crash$n)"
		start DEL
		result
		check "killed in $2: the DEL afterwards succeeds ($HOW)" answered 0
	fi
	check "killed in $2: the VF is FREE ($HOW)" wait_for 20 vf_is FREE "$vf"
	check "killed in $2: the link is home ($HOW)" wait_for 10 at_home "$vf"
	check "killed in $2: IPAM DEL was run ($HOW)" asked DEL crash$n
	check "killed in $2: no lease is left ($HOW)" wait_for 20 no_lease
}

# The engine dies while the plugin runs: the client delivers the answer to the next engine.
killed_in_ipam() {
	n=$((n + 1))
	vf=$(vf_addr 0 0)
	c=$(conf "$vf" "$FAKE")
	add_netns p $n $n
	echo 'hang 1' >$ROOT/fake.ADD
	start ADD
	wait_for 10 asked ADD crash$n
	kill_engine
	rm -f $ROOT/fake.ADD
	result
	check "killed during IPAM ADD: ADD succeeds at its first call ($HOW)" answered 0
	check "killed during IPAM ADD: it was asked once ($HOW)" is 1 "$(fake_calls ADD crash$n)"
	echo 'hang 1' >$ROOT/fake.DEL
	start DEL
	wait_for 10 asked DEL crash$n
	kill_engine
	rm -f $ROOT/fake.DEL
	result
	check "killed during IPAM DEL: DEL succeeds at its first call ($HOW)" answered 0
	check "killed during IPAM DEL: the VF is FREE ($HOW)" wait_for 20 vf_is FREE "$vf"
	check "killed during IPAM DEL: no lease is left ($HOW)" wait_for 30 no_lease
}

everything() {
	local step
	for step in settings rebind rdma_to_pod link_to_pod link_settings addresses; do
		killed_in ADD $step
	done
	for step in link_home rdma_home settings_home rebind_home link_baseline verify; do
		killed_in DEL $step
	done
	killed_in_ipam
	check "the node is clean ($HOW)" wait_clean
}
HOW='with the service' with_service=yes
service_start >/dev/null
everything
engines_end
HOW='with an engine on demand' with_service=
everything
finish
