#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One world of the crash tests; crash.py has the arguments.  Everything that is written stands
# in memory: only processes die here, no disk.
. "$(dirname "$0")/../netns/lib.sh"
test_name=crash
world_enter "$@"
requires python3 strace
[ "$has_go" = yes ] || skip_all "host-local is not there"
mkdir -p $ROOT/var
mount -t tmpfs -o mode=755 tmpfs $ROOT/var && mkdir -p $ROOT/var/lib || exit 99
export CNI_PATH VFKEEPER_BOOT_ID=11111111-1111-1111-1111-111111111111
export PYTHONDONTWRITEBYTECODE=1
world 1 2 'retry_min_ms = 50' 'retry_max_ms = 500'
python3 "$top_srcdir/tests/crash/crash.py" "$@"
status=$?
[ $status = 0 ] || [ -z "${VFK_KEEP_LOG:-}" ] || cp $ROOT/engines.log "$VFK_KEEP_LOG"
exit $status
