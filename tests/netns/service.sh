#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeperd under a service manager (vfkeeperd.service: Type=notify, WatchdogSec): what it says on
# NOTIFY_SOCKET, as long as its loop turns and no longer.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
requires python3
world 1 2

# A minimal service manager: one line per message.
cat >$ROOT/manager.py <<'MANAGER'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
out = open(sys.argv[2], 'w', buffering=1)
while True:
    for line in s.recv(4096).decode().split('\n'):
        print(line, file=out)
MANAGER
python3 $ROOT/manager.py $ROOT/notify $ROOT/said &
manager=$!
wait_for 20 test -S $ROOT/notify >/dev/null || fail "the service manager of the test listens"

said() { grep -cx "$1" $ROOT/said; }
said_more() { [ "$(said "$1")" -gt "$2" ]; } # LINE THAN
(NOTIFY_SOCKET=$ROOT/notify WATCHDOG_USEC=400000 exec "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1) &
SVC=$!
check "READY=1 is said when it serves" wait_for 30 said_more READY=1 0
check "a call is answered by then" service_answers
check "once" is 1 "$(said READY=1)"
check "WATCHDOG=1 is said while its loop turns" wait_for 20 said_more WATCHDOG=1 0
at=$(said WATCHDOG=1)
# Five seconds apart without WATCHDOG_USEC: that would not do.
check "ten more of them, as often as WATCHDOG_USEC wants" \
	wait_for 30 said_more WATCHDOG=1 $((at + 9))

kill -STOP "$SVC"
wait_for 10 grep -q '^State:.T' "/proc/$SVC/status"
sleep 0.2 # what had been sent arrives
at=$(said WATCHDOG=1)
"$REPLAY" --apply --timeout 60 >$ROOT/applied 2>&1 &
replay=$!
sleep 6
check "none while its loop stands still" is "$at" "$(said WATCHDOG=1)"
kill -CONT "$SVC"
wait "$replay"
check "vfkeeper-replay waits for it, as long as it was told" is 0 $?
check "and again when it turns" wait_for 20 said_more WATCHDOG=1 "$at"

check "STOPPING=1 is not said before it ends" is 0 "$(said STOPPING=1)"
service_end TERM
check "STOPPING=1 is said when it ends" wait_for 20 said_more STOPPING=1 0

# deaf: the service manager reads nothing, and its queue is full.  hears: it has read all of that.
deaf() {
	kill -STOP "$manager"
	wait_for 10 grep -q '^State:.T' "/proc/$manager/status"
	last=$(python3 -c 'import itertools, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
try:
    for n in itertools.count():
        s.sendto(b"%d-%d" % (os.getpid(), n), sys.argv[1])
except BlockingIOError:
    print("%d-%d" % (os.getpid(), n - 1))' $ROOT/notify)
}
hears() { kill -CONT "$manager" && wait_for 20 said_more "$last" 0; }

deaf
n=$(said READY=1)
(NOTIFY_SOCKET=$ROOT/notify WATCHDOG_USEC=400000 exec "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1) &
SVC=$!
check "it serves where nobody reads READY=1" wait_for 30 service_answers
check "the service manager reads again" hears
check "and is told READY=1" wait_for 20 said_more READY=1 "$n"
service_end TERM

# It ends before READY=1 could be said, and not at once: VFs are being looked at.
deaf
n=$(said STOPPING=1)
faults "discover * latency_ms=1500 count=1"
(NOTIFY_SOCKET=$ROOT/notify exec "$VFKEEPERD" >>$ROOT/vfkeeperd.log 2>&1) &
SVC=$!
check "it serves again where nobody reads READY=1" wait_for 30 service_answers
check "while it looks at the VFs" wait_for 20 step_begun
check "the service manager reads once more" hears
service_end TERM
faults
check "STOPPING=1 is said" wait_for 20 said_more STOPPING=1 "$n"
check "and READY=1 not behind it" is STOPPING=1 "$(grep -xE 'READY=1|STOPPING=1' $ROOT/said | tail -n 1)"

sleep 0.5 # what had been sent arrives
n=$(wc -l <$ROOT/said)
CNI_ENV+=(NOTIFY_SOCKET=$ROOT/notify WATCHDOG_USEC=400000)
cni DEL nobody net1 - "$(conf "")"
check "an engine on demand answers" answered 0
sleep 1.5
check "and says nothing to its caller's service manager" is "$n" "$(wc -l <$ROOT/said)"
engines_end
kill "$manager"

for unit in vfkeeperd vfkeeper-replay; do
	if ! command -v systemd-analyze >/dev/null; then
		skip "systemd-analyze verify finds nothing wrong in $unit.service" \
			"systemd-analyze is not installed"
		continue
	fi
	# The programs of the unit are not installed here, and that is all that may be said.
	sed "s,^ExecStart=[^ ]*,ExecStart=$CNI_BIN/$unit," "$top_builddir/systemd/$unit.service" >$ROOT/tmp/$unit.service
	out=$(systemd-analyze verify --man=no --recursive-errors=no $ROOT/tmp/$unit.service 2>&1)
	status=$?
	check "systemd-analyze verify finds nothing wrong in $unit.service" is "0:" "$status:$out"
done
sed 's/^WatchdogSec=/WatchdogSecs=/' $ROOT/tmp/vfkeeperd.service >$ROOT/tmp/wrong.service 2>/dev/null &&
	command -v systemd-analyze >/dev/null &&
	check "and a wrong key would be found" matches WatchdogSecs \
		"$(systemd-analyze verify --man=no --recursive-errors=no $ROOT/tmp/wrong.service 2>&1)"
finish
