#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-replay: the state as it was at a record or a time, and the repair of a damaged journal.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 4
fake_ipam
add_netns p 0 4
journal=$ROOT/var/lib/vfkeeper/journal
vf=$(vf_addr 0 1)
c=$(conf "$vf" "$FAKE")

replay() {
	OUT=$("$REPLAY" "$@" 2>$ROOT/replay.err)
	RC=$?
	ERR=$(cat $ROOT/replay.err)
}
# seq_of EVENT: the number of the record of this VF with the event.
seq_of() {
	"$REPLAY" --json | grep "\"vf\":\"$vf\"" | grep "\"event\":\"$1\"" |
		sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | tail -n 1
}
time_of() { "$REPLAY" --json | grep "\"seq\":$1," | sed -n 's/.*"time":"\([^"]*\)".*/\1/p'; }
row() { grep "^$vf " <<<"$OUT"; }

add 0123456789abcdef net1 /run/netns/p0 "$c"
check "an ADD" answered 0
sleep 1.1
del 0123456789abcdef net1 /run/netns/p0 "$c"
check "and its DEL" answered 0
check "end as they began" wait_for 20 vf_is FREE "$vf"
check "with nothing owed" wait_for 20 no_lease
added=$(seq_of ADD) attached=$(seq_of SETUP_DONE)

replay --until "$attached"
check "at the record of the ADD's end it was attached" matches \
	"$vf .* ATTACHED .*tests/0123456789abcdef" "$(row)"
check "and the lease was held" matches ' HELD ' "$OUT"
check "the line above says which record that is" matches "^As it was after record $attached of 2" "$OUT"
replay --until "$((added - 1))"
check "before the ADD it was free" matches " FREE " "$(row)"
replay --until "$(time_of "$attached")"
check "a time does as well as a number" matches " ATTACHED " "$(row)"
replay --until "$(date -u -d "@$(($(date -d "$(time_of "$attached")" +%s) - 1))" +'%Y-%m-%d %H:%M:%S')"
check "a little earlier it was not attached" lacks ATTACHED "$(row)"
replay --until -1s
check "how long ago is a time, too" is 0 "$RC"
replay --until "$attached" --json
check "the same as JSON" is "$attached ATTACHED 1" "$(python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["after_seq"], [v["state"] for v in d["vfs"] if v["address"] == sys.argv[1]][0],
      len(d["leases"]))' "$vf" <<<"$OUT")"
replay --until -100d
check "what is older than the files is an error that says how far they reach" matches \
	'^1:vfkeeper-replay: the journal reaches back to record [0-9]+, 20' "$RC:$ERR"
replay --until yesterday
check "what is no time is a usage error" matches '^2:.*takes the number of a record' "$RC:$ERR"
replay --until 5 --dump
check "and so are two modes" is 2 "$RC"

replay --repair
check "a whole journal is not repaired" matches 'there is nothing to repair' "$OUT"
check "and not with an error" is 0 "$RC"

# The pod's end is lost: its record is damaged while nobody looks, and the link is at home.
add 1123456789abcdef net1 /run/netns/p1 "$c"
check "another ADD" answered 0
engines_end
newest() { ls -t $journal/journal.[0-2] | head -1; }
file=$(newest)
at=$(grep -abo '1123456789abcdef' "$file" | head -1 | cut -d: -f1)
mkdir $ROOT/copy
cp $journal/journal.[0-2] $ROOT/copy/
printf '\377' | dd of="$file" bs=1 seek=$((at + 2)) conv=notrunc 2>/dev/null
cp "$file" $ROOT/copy/
bad=$(md5sum <"$file")
replay --verify
check "the journal is damaged" is 4 "$RC"

cp -r $ROOT/copy $ROOT/copy2
replay -d $ROOT/copy2 --repair
check "a copy is repaired without an engine" matches '^0:found: .*damaged' "$RC:$OUT"
check "and is clean then" is 0 "$("$REPLAY" -d $ROOT/copy2 >/dev/null 2>&1; echo $?)"
check "no engine was started for it" no_engine

# Beside all that follows: an engine of another node, played, that takes its time for its list.
slow=$ROOT/slow
mkdir -p $slow/run/vfkeeper $slow/etc/vfkeeper $slow/var/lib/vfkeeper
cp -r $ROOT/copy $slow/var/lib/vfkeeper/journal
cp "$SIM" $slow/sim.conf
printf '[vfkeeper]\nsim = %s\n' $slow/sim.conf >$slow/etc/vfkeeper/vfkeeper.conf
cat >$slow/engine.py <<'ENGINE'
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen()
while True:
    c = s.accept()[0]
    while m := c.recv(4096):  # control.proto: version, id, command
        command, text = m[6:6 + m[5]], b'{"vfs":[]}'
        if command == b'status':
            text = b'{"engine":{"discovered":true}}'
        elif command == b'list':
            time.sleep(6)
        c.send(bytes([8, 1, 16, m[3], 50, len(text)]) + text)
ENGINE
python3 $slow/engine.py $slow/run/vfkeeper/control.sock &
slow_engine=$!
wait_for 20 test -S $slow/run/vfkeeper/control.sock
VFKEEPER_ROOT=$slow "$REPLAY" --repair --timeout 60 >$ROOT/slow.out 2>&1 &
slow_repair=$!

service_start || fail "vfkeeperd starts" "no answer on the control socket"
service_end TERM
# (that engine has set the files aside: the damage is put back)
rm -f $journal/*damaged*
cp $ROOT/copy/journal.[0-2] $journal/
rm -f $ROOT/run/vfkeeper/durable
service_start &
starting=$!
wait_for 20 has_engine
replay --repair
check "while an engine runs a repair is refused" matches '^5:vfkeeper-replay: an engine runs' "$RC:$ERR"
wait "$starting"
for pid in $(engine_pids); do kill "$pid"; done
wait_for 20 no_engine
rm -f $journal/*damaged*
cp $ROOT/copy/journal.[0-2] $journal/
replay --repair
check "a repair ends well" is "0:" "$RC:$ERR"
check "it says what was found" matches 'found: +[^ ].*journal' "$OUT"
check "which file was kept" matches "kept: +$journal/journal.[0-2].damaged-[0-9]+" "$OUT"
check "as it was" is "$bad" "$(md5sum <"$(ls $journal/*damaged* | head -1)")"
check "what is whole" matches 'saved: +[0-9]+ records, .*: 4 VFs' "$OUT"
check "what was lost" matches 'lost: +records? [0-9]+' "$OUT"
check "and that the kernel was asked about all VFs" matches 'kernel: 4 VFs looked at' "$OUT"
replay --verify
check "the journal is whole then" is 0 "$RC"
del 1123456789abcdef net1 /run/netns/p1 "$c"
check "the pod's DEL is served" answered 0
check "the node is clean" wait_for 60 vf_is FREE "$vf"
check "with its link at home" wait_for 20 at_home "$vf"
add 2123456789abcdef net1 /run/netns/p2 "$c"
check "and ADDs are taken" answered 0
del 2123456789abcdef net1 /run/netns/p2 "$c"
del_netns p 0 4
wait "$slow_repair"
check "a repair waits for the list of the engine as long as it is told" matches \
	'^0:.*kernel: 0 VFs looked at' "$?:$(cat $ROOT/slow.out)"
kill "$slow_engine"
finish
