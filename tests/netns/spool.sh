#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No engine can be had: a hung process holds the lock.  A DEL is left in spool/ and answered with
# code 11; the next engine carries it out (R5).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 4 'idle_s = 120'
vf=$(vf_addr 0 0)
add_netns p 1 4
fake_ipam
CNI_TRIES=1 # what becomes of a DEL that finds none is what is looked for
spool=$ROOT/var/lib/vfkeeper/spool
entries() { find $spool -name "*.$1" | wc -l; }
spool_empty() { [ "$(entries del)" = 0 ]; }
signal_engines() {
	local pid
	for pid in $(engine_pids); do
		kill "-$1" "$pid"
	done
}
c=$(conf "$vf" "$FAKE")

add c1 net1 /run/netns/p1 "$c"
check "ADD succeeds before" answered 0
hung=$(engine_pid)
signal_engines STOP
start=$SECONDS
del c1 net1 /run/netns/p1 "$c"
check "a DEL that finds no engine gets code 11" answered 11
check "it is in the spool" is 1 "$(entries del)"
del c1 net1 /run/netns/p1 "$c"
check "the same DEL again is the same entry" is 1 "$(entries del)"
check "nothing half-written is left" is 0 "$(entries tmp)"
# It could serve again, but its own alarm ends it first.
until [ $((SECONDS - start)) -ge 32 ]; do sleep 1; done
signal_engines CONT
check "R4: a loop that did not turn for 30 s is ended by its own alarm" wait_for 5 is_gone "$hung"
wait_for 10 no_engine

# Any call starts the next engine.
del other net1 - "$(conf "")"
check "the next call succeeds" answered 0
check "the VF is FREE without another DEL" wait_for 20 vf_is FREE "$vf"
check "its lease is paid" wait_for 20 asked DEL c1
check "the spool is empty" wait_for 10 spool_empty

# An entry whose attachment was made anew after it does not release that.
add c2 net1 /run/netns/p2 "$c"
check "another ADD succeeds" answered 0
signal_engines STOP
del c2 net1 /run/netns/p2 "$c"
check "a DEL that finds no engine is kept again" is 1 "$(entries del)"
cp $spool/*.del $ROOT/tmp/
signal_engines KILL
wait_for 10 no_engine
del other net1 - "$(conf "")"
check "the spooled DEL is carried out" wait_for 20 vf_is FREE "$vf"
sleep 0.05
add c2 net1 /run/netns/p2 "$c"
check "DEL and then ADD of the same ID is legal" answered 0
cp $ROOT/tmp/*.del $spool/
check "an old entry of it is read (by a running engine) and dropped" wait_for 20 spool_empty
check "the attachment that began after it stays" vf_is ATTACHED "$vf"

echo garbage >$spool/0123456789abcdef.del
wait_for 12 spool_empty
check "a damaged entry is put aside, not deleted" is 1 "$(entries bad)"
del c2 net1 /run/netns/p2 "$c"
check "the last DEL succeeds" answered 0
check "the node is clean" wait_clean
engines_end
finish
