#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnitool (the specification's own caller) drives ADD and DEL against the installed programs.

. "$(dirname "$0")/../netns/lib.sh"
[ -x "$VFK_GO_BIN/cnitool" ] ||
	skip_all "cnitool is not built: $(cat "$VFK_GO_BIN/../why-not" 2>/dev/null || echo "no Go 1.23 or newer")"
WORLD_INSTALLED=yes # by make install, not copied from the tree
world_enter "$@"
. "$top_srcdir/tests/cni/installed.sh"
# libcni keeps its results in /var/lib/cni; this world has one of its own.
mount -t tmpfs tmpfs /var/lib || fail "/var/lib is private"
world 2 8
add_netns p 1 9
mkdir -p $ROOT/net.d

tool() { # COMMAND NETNS [CAP_ARGS]
	OUT=$(CNI_PATH=$CNI_PATH NETCONFPATH=$ROOT/net.d CNI_IFNAME=net1 CAP_ARGS=${3:-} \
		CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=tests;K8S_POD_NAME=tool' \
		timeout 120 "$VFK_GO_BIN/cnitool" "$1" tool "/run/netns/$2" 2>$ROOT/tool.err)
	RC=$?
	OUT+=$(cat $ROOT/tool.err)
}
ok() { [ "$RC" = 0 ] || { echo "exit $RC: $OUT"; return 1; }; }

drive() { # VERSION TYPE
	local vf=$(vf_addr 1 2) what="$2 at $1 ($HOW)"
	rm -f $ROOT/net.d/*
	cat >$ROOT/net.d/10-tool.conflist <<CONF
{"cniVersion":"$1","name":"tool","disableCheck":true,"plugins":[{"type":"$2",
 "capabilities":{"deviceID":true},$(host_local 10.65.0.0/24)}]}
CONF
	tool add p1 "{\"deviceID\":\"$vf\"}"
	check "$what: cnitool add succeeds" ok
	check "$what: the link is in the pod" matches '[<,]UP[,>]' "$(link_in p1 net1 2>&1)"
	check "$what: with the address of the result" \
		matches "\"$(addr_in p1 net1)\"" "$OUT"
	tool add p2 "{\"deviceID\":\"$vf\"}"
	check "$what: the same VF for another pod fails" lacks '^0$' "$RC"
	check "$what: and says who has it" matches "$vf" "$OUT"
	tool del p2 "{\"deviceID\":\"$vf\"}"
	check "$what: cnitool del of the failed one succeeds" ok
	check "$what: and does not touch the owner's" matches net1 "$(link_in p1 net1 2>&1)"
	tool del p1 "{\"deviceID\":\"$vf\"}"
	check "$what: cnitool del succeeds" ok
	check "$what: the VF is home" wait_for 10 at_home "$vf"
	tool del p1
	check "$what: cnitool del again succeeds" ok
	check "$what: the node is clean" wait_clean
}
everything() {
	local version
	for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
		drive $version vfkeeper
	done
	drive 1.0.0 ib-sriov
	drive 1.0.0 sriov
}
in_both_ways everything
finish
