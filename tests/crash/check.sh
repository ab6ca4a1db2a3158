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
worlds "unread $points $everything" "ending $points" "fail $points 0 1 $step" \
	"nomem $points 0 1 $step"

# A verdict for each call, way and role, and the sums.
awk '
	{ split($1, at, "/"); split(at[4], point, ":"); key = at[1] "/" at[2] "/" point[1] }
	$NF == "gone" { lost[key, point[2]] = 1; next }
	!((key, point[2]) in seen) { seen[key, point[2]] = 1; n[key]++ }
	$NF != "ok" { bad[key]++; failed++ }
	END {
		for (call in lost)
			gone += !(call in seen)
		for (key in n) {
			split(key, at, "/")
			text = sprintf("%s, engine %s: %s killed in front of each of its %d calls",
				at[1], at[2] == "demand" ? "on demand" : "as service", at[3], n[key])
			print (key in bad ? "FAIL" : "PASS") ": crash: " text
			points += n[key]
		}
		print "sum", points + 0, failed + 0, gone + 0 > "/dev/stderr"
	}' "$points"/done.* 2>"$points/sum" | sort -k 3
read -r _ n_points n_failed n_gone <"$points/sum"
n_traced=$(tr -cs '0-9' '\n' <"$points/points.json" | awk '{ n += $1 } END { print n + 0 }')
# A few calls may be in no run any more when the machine is busier than it was.
[ "$n_gone" = 0 ] || echo "crash: $n_gone calls were traced once and in no run after that"
[ $((n_gone * 20)) -le "$n_traced" ] || status=1
n_traced=$((n_traced - n_gone))
[ "$n_points" = "$n_traced" ] || status=1
[ "$n_failed" = 0 ] || status=1
echo "crash: points=$n_points traced=$n_traced failed=$n_failed"
exit $status
