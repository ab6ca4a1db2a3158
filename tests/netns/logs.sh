#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Logs as text, JSON and in the journal service's own protocol, levels by module at run time, and
# the configuration read again on SIGHUP.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
requires python3
world 1 2
c=$(conf "$(vf_addr 0 1)")
add_netns p 1 1

vfctl() {
	OUT=$("$VFCTL" "$@" 2>$ROOT/vfctl.err)
	RC=$?
	ERR=$(cat $ROOT/vfctl.err)
}
reload() { write_config "$@"; kill -HUP "$SVC"; }
logged() { grep -qE "$1" $ROOT/vfkeeperd.log; }
one_pod() {
	add "$1" net1 /run/netns/p1 "$c"
	del "$1" net1 /run/netns/p1 "$c"
	wait_for 20 vf_is FREE "$(vf_addr 0 1)"
}

service_start || fail "vfkeeperd starts" "no answer on the control socket"
one_pod 0123456789abcdef
check "a transition is one line with container, pod, VF and cause" logged \
	"^notice engine vf=$(vf_addr 0 1) from=FREE to=RESERVED ev=ADD seq=[0-9]+ container=0123456789abcdef ifname=net1 pod=tests/0123456789abcdef cause=\"ADD 0123456789abcdef/net1\"$"

vfctl log
check "all modules have a level" matches 'engine +info.*ipam +info' "$(tr '\n' ' ' <<<"$OUT")"
vfctl log engine warn
check "one of them is changed" matches 'engine +warn' "$OUT"
: >$ROOT/vfkeeperd.log
one_pod 1123456789abcdef
check "it is quiet then" lacks 'notice engine' "$(cat $ROOT/vfkeeperd.log)"
add 1123456789abcdef net1 /run/netns/p1 "$(conf 0000:00:00.0)"
check "and others are not" logged '^info cni ADD container=1123456789abcdef '
vfctl log engine loud
check "a level that does not exist is refused" matches \
	'^2:vfctl: a level is error, warn, notice, info or debug, not loud' "$RC:$ERR"
vfctl log engin debug
check "so is a module" matches '^2:vfctl: unknown module engin' "$RC:$ERR"

reload 'log_format = json' 'workers = 3'
check "on SIGHUP the file is read again" wait_for 20 logged '"msg":"read again"'
check "what needs another engine is said" logged \
	'workers changed: the next engine takes it'
one_pod 2123456789abcdef
python3 - $ROOT/vfkeeperd.log <<'PY'
import json, sys
lines = [l for l in open(sys.argv[1]) if l.startswith('{')]
docs = [json.loads(l) for l in lines]
adds = [d for d in docs if d.get('ev') == 'ADD' and d['container'] == '2123456789abcdef']
assert len(adds) == 1, adds
want = {'level': 'notice', 'module': 'engine', 'from': 'FREE', 'to': 'RESERVED',
        'pod': 'tests/2123456789abcdef', 'cause': 'ADD 2123456789abcdef/net1'}
assert all(adds[0].get(k) == v for k, v in want.items()), adds[0]
PY
check "every line is JSON, with the fields" is 0 $?

reload 'no_such_key = 1'
check "a file with an error changes nothing" wait_for 20 logged \
	'vfkeeper.conf:[0-9]+: unknown key no_such_key; nothing was taken over'
check "and ADD is served" one_pod 3123456789abcdef

mkdir -p $ROOT/run/systemd/journal
python3 - $ROOT/run/systemd/journal/socket $ROOT/journald.out <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], 'wb', 0) as out:
    while True:
        out.write(s.recv(65536) + b'--\n')
PY
journald=$!
check "a journal service stands in" wait_for 20 test -S $ROOT/run/systemd/journal/socket
reload 'log_target = journal'
native() { grep -qx "$1" $ROOT/journald.out; }
check "lines go to its socket" wait_for 20 native 'MESSAGE=info config read again'
: >$ROOT/vfkeeperd.log
one_pod 4123456789abcdef
check "with fields" native 'VFKEEPER_CONTAINER=4123456789abcdef'
check "and a priority" native 'PRIORITY=5'
check "under the name of the program" native 'SYSLOG_IDENTIFIER=vfkeeperd'
check "and nowhere else" lacks . "$(cat $ROOT/vfkeeperd.log)"
kill $journald
wait $journald 2>/dev/null
one_pod 5123456789abcdef
check "when it is gone they go to standard error" logged 'notice engine .*5123456789abcdef'
service_end TERM

ulimit -c 0
write_config 'log_level = warn'
: >$ROOT/vfkeeperd.log
service_start || fail "vfkeeperd starts" "no answer on the control socket"
one_pod 7123456789abcdef
check "it is quiet" lacks 'notice engine' "$(cat $ROOT/vfkeeperd.log)"
kill -ABRT "$SVC"
wait "$SVC" 2>/dev/null
check "an engine that is ended by a fault of its own ends so" is 134 $?
SVC=
check "and says by which" logged '^vfkeeperd: ended by SIGABRT; '
check "and what it did last, also what was not shown" logged \
	'^notice engine vf=.* from=ATTACHED to=DETACHING ev=DEL .*7123456789abcdef'

write_config 'no_such_key = 1'
service_start || fail "vfkeeperd starts" "no answer on the control socket"
add 6123456789abcdef net1 /run/netns/p1 "$c"
check "an engine without a configuration takes no ADD" matches 'unknown key no_such_key' "$(msg)"
kill -0 "$SVC" && reload
gone() { ! kill -0 "$SVC" 2>/dev/null; }
check "when the file is mended it ends for another one" wait_for 20 gone
wait "$SVC"
check "with a failure, so that the service is started again" is 1 $?
SVC=
check "which serves" one_pod 6123456789abcdef
del_netns p 1 1
finish
