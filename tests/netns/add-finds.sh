#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each row of the table "what ADD finds".

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 8 'add_timeout_s = 6' 'give_up_after = 2' 'retry_min_ms = 50' 'retry_max_ms = 200'
fake_ipam
n=0

next() { # a fresh VF, pod and container for a row
	n=$((n + 1))
	vf=$(vf_addr $((n / 8 % 2)) $((n % 8)))
	c=$(conf "$vf" "$SETTINGS")
	add_netns "r$n-" 1 2
	ns1=/run/netns/r$n-1 ns2=/run/netns/r$n-2
}
released() { # CONTAINER NETNS
	del "$1" net1 "$2" "$c"
	check "$row: the DEL afterwards succeeds ($HOW)" answered 0
	check "$row: the VF is FREE in the end ($HOW)" wait_for 20 vf_is FREE "$vf"
}
kill_all() {
	local pid
	for pid in $(engine_pids); do
		kill -KILL "$pid" 2>/dev/null
	done
	wait_for 10 no_engine
	[ -z "$SVC" ] || { wait "$SVC" 2>/dev/null; SVC=; service_start; }
}

everything() {
	local call
	row="RESERVED by an ADD whose engine and client died"
	next
	faults "settings $vf latency_ms=1500 count=1"
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=ADD CNI_CONTAINERID=dead$n CNI_IFNAME=net1 CNI_NETNS=$ns1 CNI_PATH=$CNI_PATH \
		"$CNI_BIN/vfkeeper" <$ROOT/conf >/dev/null 2>&1 &
	call=$!
	check "$row: it is ($HOW)" wait_for 20 step_begun
	kill -KILL $call
	kill_all
	wait $call 2>/dev/null
	faults
	add "new$n" net1 "$ns2" "$c"
	check "$row: it is replayed and another ADD succeeds ($HOW)" answered 0
	released "new$n" "$ns2"

	row="ATTACHED, same container and interface, another request"
	next
	add "c$n" net1 "$ns1" "$c"
	add "c$n" net1 "$ns1" "$c"
	check "$row: refused with code 999 ($HOW)" answered 999
	check "$row: the first stays attached ($HOW)" vf_is ATTACHED "$vf"
	released "c$n" "$ns1"

	row="the attachment has another VF already"
	next
	add "c$n" net1 "$ns1" "$c"
	first=$vf first_conf=$c
	next
	add "c$((n - 1))" net1 "$ns2" "$c"
	check "$row: refused with code 999 ($HOW)" answered 999
	check "$row: it is named ($HOW)" matches "$first" "$(msg)"
	check "$row: the VF asked for stays FREE ($HOW)" vf_is FREE "$vf"
	vf=$first c=$first_conf
	check "$row: the one it has stays attached ($HOW)" vf_is ATTACHED "$vf"
	released "c$((n - 1))" "$ns1"

	row="FREE, but not yet looked at"
	next
	faults "discover * latency_ms=1500 count=1"
	kill_all
	add "c$n" net1 "$ns1" "$c"
	check "$row: looked at ($HOW)" step_begun
	check "$row: then attached ($HOW)" answered 0
	faults
	released "c$n" "$ns1"

	row="an OWED lease of this attachment"
	next
	c=$(conf "$vf" "$FAKE")
	add "c$n" net1 "$ns1" "$c"
	echo fail >$ROOT/fake.DEL
	del "c$n" net1 "$ns1" "$c"
	check "$row: the DEL before succeeds ($HOW)" answered 0
	sleep 0.05
	add "c$n" net1 "$ns1" "$c"
	check "$row: it cannot be paid, so ADD gets code 11 ($HOW)" answered 11
	check "$row: the message says that IPAM owes ($HOW)" matches 'earlier lease of this attachment.*fake' "$(msg)"
	: >$ROOT/fake.calls # first: the engine itself may pay at any moment
	rm -f $ROOT/fake.DEL
	add "c$n" net1 "$ns1" "$c"
	check "$row: it can be paid, so ADD succeeds ($HOW)" answered 0
	check "$row: it was paid before IPAM ADD was asked ($HOW)" \
		is "DEL ADD" "$(grep -o "^[A-Z]* " $ROOT/fake.calls | uniq | tr -d '\n' | sed 's/ $//')"
	released "c$n" "$ns1"

	row="ATTACHED, another owner whose netns is gone"
	next
	add "c$n" net1 "$ns1" "$c"
	ip netns del "$(basename "$ns1")"
	add "d$n" net1 "$ns2" "$c"
	check "$row: released first, then attached ($HOW)" answered 0
	released "d$n" "$ns2"

	row="ATTACHED, another owner"
	next
	add "c$n" net1 "$ns1" "$c"
	add "d$n" net1 "$ns2" "$c"
	check "$row: code 11 ($HOW)" answered 11
	check "$row: names owner and VF ($HOW)" matches "c$n.*$vf|$vf.*c$n" "$(msg)"
	check "$row: names the pod ($HOW)" matches "tests/c$n" "$(msg)"
	check "$row: ends with the command that explains it ($HOW)" \
		matches "\\(vfctl explain $vf\\)\$" "$(msg)"
	released "c$n" "$ns1"

	row="DETACHING"
	next
	add "c$n" net1 "$ns1" "$c"
	faults "settings_home $vf latency_ms=1500 count=1"
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=DEL CNI_CONTAINERID=c$n CNI_IFNAME=net1 CNI_NETNS=$ns1 CNI_PATH=$CNI_PATH \
		"$CNI_BIN/vfkeeper" <$ROOT/conf >/dev/null 2>&1 &
	call=$!
	check "$row: its step runs ($HOW)" wait_for 20 step_begun
	check "$row: it is ($HOW)" vf_is DETACHING "$vf"
	add "d$n" net1 "$ns2" "$c"
	check "$row: the release is finished first, then ADD succeeds ($HOW)" answered 0
	wait $call
	check "$row: the DEL succeeded ($HOW)" is 0 $?
	released "d$n" "$ns2"

	row="FAULTED"
	next
	add "c$n" net1 "$ns1" "$c"
	faults "settings_home $vf errno=EIO"
	del "c$n" net1 "$ns1" "$c"
	check "$row: the DEL that cannot restore succeeds ($HOW)" answered 0
	check "$row: after its attempts the VF is FAULTED ($HOW)" wait_for 20 vf_is FAULTED "$vf"
	check "$row: its link is home all the same ($HOW)" at_home "$vf"
	add "d$n" net1 "$ns2" "$c"
	check "$row: the repair fails, so ADD gets code 11 ($HOW)" answered 11
	check "$row: with the reason ($HOW)" matches 'settings_home.*EIO' "$(msg)"
	faults
	add "d$n" net1 "$ns2" "$c"
	check "$row: the repair works, so ADD succeeds ($HOW)" answered 0
	released "d$n" "$ns2"

	row="DETACHING that does not end"
	next
	add "c$n" net1 "$ns1" "$c"
	faults "settings_home $vf hang_ms=60000 count=1"
	printf '%s' "$c" >$ROOT/conf
	CNI_COMMAND=DEL CNI_CONTAINERID=c$n CNI_IFNAME=net1 CNI_NETNS=$ns1 CNI_PATH=$CNI_PATH \
		"$CNI_BIN/vfkeeper" <$ROOT/conf >$ROOT/del.out 2>&1 &
	call=$!
	check "$row: it is ($HOW)" wait_for 20 step_begun
	add "d$n" net1 "$ns2" "$c"
	check "$row: at its deadline ADD gets code 11 ($HOW)" answered 11
	check "$row: naming the old owner and the step ($HOW)" \
		matches "c$n.*settings_home|settings_home.*c$n" "$(msg)"
	wait $call
	check "$row: the DEL was answered with success: the engine owns the rest ($HOW)" is 0 $?
	faults
	kill_all
	del "d$n" net1 "$ns2" "$c"
	check "$row: an engine that comes later finishes it ($HOW)" wait_for 60 vf_is FREE "$vf"
}
in_both_ways everything

HOW='with an engine on demand'
row=ABSENT
sed -i 's/^vfs = 8/vfs = 6/' "$SIM"
add_netns z 1 1
add z net1 /run/netns/z1 "$(conf "$(vf_addr 0 7)")"
check "$row: one clear error" answered 11
check "$row: it names the VF" matches "$(vf_addr 0 7)" "$(msg)"
sed -i 's/^vfs = 6/vfs = 8/' "$SIM"
engines_end
check "the node is clean" wait_clean
finish
