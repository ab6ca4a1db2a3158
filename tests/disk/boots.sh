#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boots.sh DIR: an engine starts on each journal that judge.py kept in DIR/boots, as after the
# loss of power at that place: every address that IPAM may have given out is paid, every VF is
# FREE, and the DELs of the boot before succeed.
. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"
[ -d "$1/boots" ] || { fail "there are journals to start on" "none in $1/boots"; finish; }
VFKEEPER_BOOT_ID=11111111-1111-1111-1111-111111111111
export VFKEEPER_BOOT_ID
world 1 8
fake_ipam
n=0
for boot in "$1"/boots/*; do
	n=$((n + 1))
	name="power lost at place $(basename "$boot")"
	engines_end
	umount -l $ROOT/run && mount -t tmpfs -o mode=755 tmpfs $ROOT/run
	rm -rf $ROOT/var/lib/vfkeeper
	install -d -m 700 $ROOT/var/lib/vfkeeper $ROOT/var/lib/vfkeeper/journal
	cp "$boot"/journal.? $ROOT/var/lib/vfkeeper/journal/
	VFKEEPER_BOOT_ID=$(printf '22222222-2222-2222-2222-%012d' $n)
	: >$ROOT/fake.calls
	"$REPLAY" --apply >$ROOT/tmp/said 2>&1
	unpaid=
	while read -r container; do
		wait_for 30 asked DEL "$container" >/dev/null || unpaid+=" $container"
	done <"$boot/owed"
	check "$name: each of $(wc -l <"$boot/owed") addresses is paid" is '' "$unpaid"
	check "$name: all VFs are FREE" wait_for 30 all_free 8
	refused=
	while read -r container; do
		del "$container" net1 - "$(conf "" "$FAKE")"
		[ "$RC" = 0 ] || refused+=" $container: $OUT"
	done <"$boot/owed"
	check "$name: DEL is served" is '' "$refused"
	check "$name: no lease is left" wait_for 30 no_lease
done
engines_end
check "an engine started on $n journals" test "$n" -ge 6
finish
