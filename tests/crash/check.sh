#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kills one process in front of each state-changing system call of ADD, DEL and replay, and
# holds traces of the same calls to P1; kills where a message is on its way, and an engine
# that ends; has system calls and allocations of the engine fail.  The traces and what became
# of each point are kept in tests/crash/points of the build.
#
#	check.sh [all]     all: each point with both recoveries, not with one of them, and
#			   each call and each allocation, not every 25th

set -u
here=$(cd "$(dirname "$0")" && pwd)
points=$top_builddir/tests/crash/points
everything=0 step=25
[ "${1-}" != all ] || everything=1 step=1
export PYTHONDONTWRITEBYTECODE=1

rm -rf "$points"
mkdir -p "$points"
bash "$here/world.sh" trace "$points"
status=$?
if [ $status = 77 ]; then
	exit 77
elif [ $status != 0 ]; then
	echo "FAIL: crash: clean runs of ADD, DEL and replay can be recorded"
	exit 1
fi
python3 "$here/p1.py" "$points" || status=1

# Several worlds at a time: most of a run is waiting.
worlds() {
	local job
	for job; do
		# shellcheck disable=SC2086 # words
		bash "$here/world.sh" $job &
	done
	for job in $(jobs -p); do
		wait "$job" || status=1
	done
}
worlds "kill $points 0 3 $everything" "kill $points 1 3 $everything" \
	"kill $points 2 3 $everything"
# How busy the machine is decides what overlaps, and so how many calls there are.
if grep -q ' gone$' "$points"/done.*; then
	worlds "recount $points"
fi
worlds "unread $points $everything" "ending $points" "fail $points 0 1 $step" \
	"nomem $points 0 1 $step"

bash "$here/sum.sh" "$points" crash || status=1
exit $status
