# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# SIGKILL while the card takes its time: in the first VF command; (ib) in the driver probe
# after the rebind; then DEL, then the next pod; then a DEL killed in its first VF command.
case $KIND in
ib) x='"link_state":"enable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:10"}' ;;
eth) x='"vlan":110,"mac":"02:aa:aa:aa:aa:10","trust":"on"' ;;
esac
in_command() {
	KILL_IF="[ \$(begun) -gt $(begun) ]"
	card delay_ms 4000
}
end() {
	KILL_IF=''
	card delay_ms 0
	probe delay_ms 0
}
killed() { # WHERE NUMBER
	add "add-in-$1" < <(conf "$x")
	end
	SETTLE=4.5 snap "killed-in-$1"
	del "del-in-$1" < <(conf "$x")
	snap "after-del-in-$1"
	next_pod "n$2" "-$2"
	snap "end-$2"
}
pod pod1 pod2
in_command
killed command 1
if [ $KIND = ib ]; then
	again
	pod pod1 pod2
	CID=c2
	probe delay_ms 4000
	KILL_IF='[ ! -e "$PFDIR/virtfn0/net" ]'
	killed probe 2
fi
again
pod pod1 pod2
CID=d
add add-for-del < <(conf "$x")
in_command
del del-killed < <(conf "$x")
end
SETTLE=4.5 snap del-killed-state
del del-again < <(conf "$x")
snap end-del-again
