# SPDX-License-Identifier: Apache-2.0
# layout: cards=1,totalvfs=16,vfs=0,smp=2
# kernel: 6.12
# suite: demo-ib: what "./run demo ib" shows
. ./t.sh
. ./node.sh
. ./ibnode.sh
JUDGE=$top_srcdir/tests/kernel/ibjudge

say() { printf '\n%s\n' "$*"; }
show() { # COMMAND...: and what it says
	echo "  # $*"
	"$@" 2>&1 | sed 's/^/  /'
}
failed() { echo "FAIL: demo-ib: $*"; exit 1; }
start() {
	"$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1 &
	SVC=$!
	disown $SVC # or the shell would comment on its end
	within 30 service_answers || failed "the service does not answer"
}
one() { conf "${ALL[$1 - 1]}" "$(guid "0$1")"; } # configuration of the VF for pod NUMBER
attached() {
	[ "$RC" = 0 ] || failed "ADD: $OUT"
	echo "  ADD pod$1: exit code $RC, address $(tr -d ' \n' <<<"$OUT" | sed 's/.*"mac":"\([^"]*\)".*/\1/')"
}
ping_it() { ip netns exec pod1 ping -c 1 -W 2 10.9.0.2 | sed -n '2s/^/  /p' | grep 'bytes from'; }
free() { all_free 16; }

begun=$(ms)
make_vfs && "$JUDGE" snapshot /tmp/all || failed "no VFs"
start
within 30 free || failed "not every VF is FREE"
say "A node with an InfiniBand card of 16 VFs; vfkeeperd runs.  The first ones:"
"$VFCTL" list | head -n 4 | sed 's/^/  /'

say "Two pods get a VF each, with a GUID and an RDMA device of their own:"
for n in 1 2; do
	ip netns add pod$n
	add pod$n net1 /run/netns/pod$n "$(one $n)"
	attached $n
	ip -n pod$n addr add 10.9.0.$n/24 dev net1
done
show ip netns exec pod2 rdma dev
say "They reach each other:"
within 20 ping_it || failed "no answer"
ping_it

say "kill -9 of the engine while a third pod is being attached:"
ip netns add pod3
knob $IB node_guid delay_ms 2000 # a slow command of the card
(add pod3 net1 /run/netns/pod3 "$(one 3)" && echo "$RC" >/tmp/rc && attached 3) &
adding=$!
begins() { [[ $("$VFCTL" list) == *RESERVED* ]]; }
within 20 begins || failed "the ADD did not begin"
"$VFCTL" list | grep RESERVED | sed 's/^/  /'
kill -KILL "$SVC"
echo "  killed process $SVC; we start it again, as systemd would, and the pods do not notice"
knob $IB node_guid delay_ms 0
ping_it || failed "no answer"
start
wait $adding
[ "$(</tmp/rc)" = 0 ] || failed "the ADD of pod3 failed"

say "The namespace of pod2 dies, and nobody calls DEL:"
ip netns del pod2
within 60 is_free "${ALL[1]}" || failed "the VF was not released"
"$VFCTL" list | grep "${ALL[1]}" | sed 's/^/  /'

say "The port of pod1 goes down and comes back:"
event "${ALL[0]}" link_down
within 20 not carrier net1 pod1 || failed "the link is up"
show ip -n pod1 -br link show net1
event "${ALL[0]}" link_up
within 20 carrier net1 pod1 || failed "the link is down"
show ip -n pod1 -br link show net1

say "DEL of the others; then ip, rdma and ls judge, which know nothing of vfkeeper:"
for n in 1 3; do
	del pod$n net1 /run/netns/pod$n "$(one $n)"
	[ "$RC" = 0 ] || failed "DEL: $OUT"
done
within 60 free || failed "not every VF is FREE"
"$JUDGE" judge /tmp/all "$ROOT/ipam/net" >/tmp/judged
judged=$?
node_stop
say "demo ib: attached=3 released=3 $(</tmp/judged) ($(($(ms) - begun)) ms in the guest)"
[ $judged = 0 ] || failed "a VF is not as it was"
echo "PASS: demo-ib: it ends with every VF as it was"
