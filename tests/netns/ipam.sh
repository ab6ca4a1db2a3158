#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A foreign IPAM that fails, hangs, crashes or talks nonsense costs the VF nothing, and what may
# be leased is released (P8, R8 to R11).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 8
fake_ipam
n=0

# refused SENTENCE WHAT CODE: ADD with a plugin that does WHAT.
refused() {
	local vf=$(vf_addr 0 0) c
	n=$((n + 1))
	c=$(conf "$vf" "$FAKE")
	echo "$2" >$ROOT/fake.ADD
	add "bad$n" net1 /run/netns/p1 "$c"
	rm -f $ROOT/fake.ADD
	check "a plugin that $1: ADD fails with code $3 ($HOW)" answered "$3"
	check "a plugin that $1: the message names the plugin ($HOW)" matches fake "$(msg)"
	check "a plugin that $1: the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	check "a plugin that $1: the pod has no link ($HOW)" \
		lacks 'net1' "$(ip -n p1 -o link show)"
	check "a plugin that $1: its IPAM DEL is run ($HOW)" \
		wait_for 20 asked DEL "bad$n"
	check "a plugin that $1: no lease is left ($HOW)" wait_for 20 no_lease
	del "bad$n" net1 /run/netns/p1 "$c"
	check "a plugin that $1: the DEL afterwards succeeds ($HOW)" answered 0
}

bad_plugins() {
	add_netns p 1 4
	refused 'fails with a code of its own' 'fail 123' 123
	refused 'fails without a word' silent 999
	refused 'answers no JSON' garbage 999
	refused 'answers without an address' empty 999
	refused 'answers in an unknown version' version 999
	refused 'answers with a bad address' badip 999
	refused 'floods its stdout' flood 7
	refused 'crashes' crash 999
	del_netns p 1 4
}

not_found() {
	local vf=$(vf_addr 0 1) c
	add_netns p 1 2
	c=$(conf "$vf" '"ipam":{"type":"no-such-plugin"}')
	add nf net1 /run/netns/p1 "$c"
	check "a plugin that does not exist fails the ADD ($HOW)" lacks '^0$' "$RC"
	check "and is named ($HOW)" matches no-such-plugin "$(msg)"
	del nf net1 /run/netns/p1 "$c"
	check "a DEL with a plugin that does not exist succeeds ($HOW)" answered 0
	c=$(conf "$vf" '"ipam":{"type":"../gobin/static"}')
	add nf2 net1 /run/netns/p1 "$c"
	check "a plugin name with a slash is refused ($HOW)" lacks '^0$' "$RC"

	mkdir -p $ROOT/elsewhere
	cp $ROOT/plugins/fake $ROOT/elsewhere/outside
	c=$(conf "$vf" '"ipam":{"type":"outside"}')
	CNI_PATH=$CNI_PATH:$ROOT/elsewhere
	: >$ROOT/fake.calls
	add out net1 /run/netns/p1 "$c"
	CNI_PATH=$PLUGIN_DIRS
	check "a plugin outside plugin_dirs is refused with code 7 ($HOW)" answered 7
	check "both directories are named ($HOW)" matches "$ROOT/elsewhere.*$ROOT/plugins|$ROOT/plugins.*$ROOT/elsewhere" "$(msg)"
	check "it was not run ($HOW)" is 0 "$(fake_calls ADD out)"
	check "the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	del_netns p 1 2
}

owed() {
	local vf=$(vf_addr 0 2) c
	c=$(conf "$vf" "$FAKE")
	add_netns p 1 2
	add owed net1 /run/netns/p1 "$c"
	check "ADD succeeds before its IPAM DEL fails ($HOW)" answered 0
	echo fail >$ROOT/fake.DEL
	: >$ROOT/fake.calls
	del owed net1 /run/netns/p1 "$c"
	check "a failing IPAM DEL does not fail the DEL: the engine pays later ($HOW)" answered 0
	check "the VF is FREE all the same ($HOW)" wait_for 10 vf_is FREE "$vf"
	check "the lease is OWED ($HOW)" matches OWED "$(lease_states)"
	kill -KILL "$(engine_pid)"
	wait_for 10 no_engine
	[ -z "$SVC" ] || { wait "$SVC" 2>/dev/null; service_start; }
	check "and still is when its engine was killed ($HOW)" matches OWED "$(lease_states)"
	add next net1 /run/netns/p2 "$c"
	check "the next pod gets the VF meanwhile ($HOW)" answered 0
	rm -f $ROOT/fake.DEL
	check "the engine pays when IPAM works again ($HOW)" wait_for 60 owed_paid owed
	check "it pays with the configuration of the ADD ($HOW)" \
		is "$c" "$(cat $ROOT/fake.stdin.DEL.owed)"
	del next net1 /run/netns/p2 "$c"
	check "the next pod's DEL succeeds ($HOW)" answered 0
	check "no lease is left ($HOW)" wait_for 20 no_lease
	del_netns p 1 2
}
owed_paid() { "$VFCTL" leases | grep -q "$1" && return 1; [ "$(fake_calls DEL "$1")" -ge 2 ]; }

# A caller that dies while its IPAM runs: VF free at once, plugin ended, lease paid.
caller_killed() {
	local vf=$(vf_addr 0 3) c pid
	c=$(conf "$vf" "$FAKE")
	add_netns p 1 2
	: >$ROOT/fake.calls
	echo 'hang 100' >$ROOT/fake.ADD
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=ADD CNI_CONTAINERID=killed CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
		CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/conf >/dev/null 2>&1 &
	pid=$!
	check "the plugin is running ($HOW)" wait_for 20 asked ADD killed
	check "the VF is RESERVED meanwhile ($HOW)" vf_is RESERVED "$vf"
	kill -KILL $pid
	wait $pid 2>/dev/null
	rm -f $ROOT/fake.ADD
	check "its caller killed, the VF is FREE again ($HOW)" wait_for 20 vf_is FREE "$vf"
	check "the plugin is gone with its caller ($HOW)" wait_for 10 no_plugin
	check "IPAM DEL is run for it ($HOW)" wait_for 30 asked DEL killed
	check "no lease is left ($HOW)" wait_for 30 no_lease
	add after net1 /run/netns/p2 "$c"
	check "the VF serves the next pod ($HOW)" answered 0
	del after net1 /run/netns/p2 "$c"
	check "and is released ($HOW)" answered 0
	del_netns p 1 2
}
no_plugin() {
	local f
	for f in /proc/[0-9]*/cmdline; do
		tr '\0' ' ' <"$f" 2>/dev/null | grep -q "$ROOT/plugins/fake" && return 1
	done
	return 0
}

# DEL during a running IPAM ADD (R10).
del_during() {
	local vf=$(vf_addr 0 4) c pid
	c=$(conf "$vf" "$FAKE")
	add_netns p 1 1
	: >$ROOT/fake.calls
	echo 'hang 100' >$ROOT/fake.ADD
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=ADD CNI_CONTAINERID=during CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
		CNI_PATH=$CNI_PATH "$CNI_BIN/vfkeeper" <$ROOT/conf >$ROOT/during.out 2>&1 &
	pid=$!
	check "IPAM ADD is running ($HOW)" wait_for 20 asked ADD during
	del during net1 /run/netns/p1 "$c"
	check "a DEL during it succeeds ($HOW)" answered 0
	check "the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	wait $pid
	RC=$? OUT=$(cat $ROOT/during.out)
	check "the ADD is answered with code 11 ($HOW)" answered 11
	check "the plugin's group is ended ($HOW)" wait_for 10 no_plugin
	rm -f $ROOT/fake.ADD
	check "IPAM DEL follows ($HOW)" wait_for 30 asked DEL during
	check "no lease is left ($HOW)" wait_for 30 no_lease
	check "the node is clean ($HOW)" wait_clean
	del_netns p 1 1
}

# The steps of an ADD with every setting are counted: none for an ADD whose IPAM fails, each
# for one whose IPAM works.
costs_nothing() {
	local vf=$(vf_addr 0 6) c what step
	c=$(conf "$vf" "$FAKE" "$SETTINGS" "$GUID")
	add_netns p 1 1
	for what in 'fail 11' silent garbage crash; do
		faults "settings $vf latency_ms=1 count=1" "rebind $vf latency_ms=1 count=1" \
			"settings_home $vf latency_ms=1 count=1" \
			"rebind_home $vf latency_ms=1 count=1" \
			"rdma_to_pod $vf latency_ms=1 count=1" "link_to_pod $vf latency_ms=1 count=1"
		echo "$what" >$ROOT/fake.ADD
		add costs net1 /run/netns/p1 "$c"
		check "IPAM that says '$what' fails an ADD with settings and a GUID ($HOW)" lacks '^0$' "$RC"
		check "its VF is FREE again ($HOW)" wait_for 10 vf_is FREE "$vf"
		check "nothing was set, moved or rebound for it, nor undone ($HOW)" lacks 'count=0' "$(cat $ROOT/faults)"
		rm -f $ROOT/fake.ADD
		check "its lease is released ($HOW)" wait_for 20 no_lease
	done
	add costs net1 /run/netns/p1 "$c"
	check "IPAM that works: the same ADD succeeds ($HOW)" answered 0
	for step in settings rebind rdma_to_pod link_to_pod; do
		check "and its step $step was counted ($HOW)" grep -q "^$step $vf.*count=0" $ROOT/faults
	done
	del costs net1 /run/netns/p1 "$c"
	check "its DEL succeeds ($HOW)" answered 0
	check "its VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
	for step in settings_home rebind_home; do
		check "and its step $step was counted ($HOW)" grep -q "^$step $vf.*count=0" $ROOT/faults
	done
	faults
	del_netns p 1 1
}

# The plugin gets what the caller gave: whole stdin, environment but CNI_COMMAND.
environment() {
	local vf=$(vf_addr 0 5) c
	c=$(conf "$vf" "$FAKE" '"x":{"y":[1,2.50,"z\u00e9"]}')
	add_netns p 1 1
	CNI_ENV=(LC_ALL=C TRACEPARENT=abc K8S_TEST=1 HTTP_PROXY=http://p:1)
	add env net1 /run/netns/p1 "$c"
	CNI_ENV=(LC_ALL=C)
	check "the plugin's stdin is the caller's, byte for byte ($HOW)" \
		is "$c" "$(cat $ROOT/fake.stdin.ADD.env)"
	check "its environment is the caller's ($HOW)" grep -qx TRACEPARENT=abc $ROOT/fake.env.ADD.env
	check "with CNI_COMMAND=ADD ($HOW)" is 1 "$(grep -c '^CNI_COMMAND=ADD$' $ROOT/fake.env.ADD.env)"
	del env net1 /run/netns/p1 "$c"
	check "DEL succeeds ($HOW)" answered 0
	check "IPAM DEL has the container's name ($HOW)" \
		grep -qx CNI_CONTAINERID=env $ROOT/fake.env.DEL.env
	del_netns p 1 1
}

everything() {
	bad_plugins
	not_found
	costs_nothing
	environment
	caller_killed
	del_during
	owed
}
in_both_ways everything
finish
