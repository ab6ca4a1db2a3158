#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kills one process in front of each state-changing system call of ADD, DEL and replay, and
# holds traces of the same calls to P1.  The traces and what became of each point are kept in
# tests/crash/points of the build.
#
#	check.sh [all]     all: each point with both recoveries, not with one of them

set -u
here=$(cd "$(dirname "$0")" && pwd)
points=$top_builddir/tests/crash/points
everything=0
[ "${1-}" != all ] || everything=1
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

# Two worlds at a time: most of a run is waiting.
for part in 0 1; do
	bash "$here/world.sh" kill "$points" $part 2 $everything &
done
for job in $(jobs -p); do
	wait "$job" || status=1
done

bash "$here/world.sh" unread "$points" $everything || status=1

# A verdict for each call, way and role, and the sums.
cat "$points"/done.* | awk -v both=$everything '
	{ split($1, at, "/"); split(at[4], point, ":"); key = at[1] "/" at[2] "/" point[1] }
	{ if (!(key SUBSEP point[2] in seen)) { seen[key, point[2]] = 1; n[key]++ } }
	$NF != "ok" { bad[key]++; failed++ }
	END {
		for (key in n) {
			split(key, at, "/")
			text = sprintf("%s, engine %s: %s killed in front of each of its %d calls",
				at[1], at[2] == "demand" ? "on demand" : "as service", at[3], n[key])
			print (key in bad ? "FAIL" : "PASS") ": crash: " text
			points += n[key]
		}
		print "sum", points + 0, failed + 0 > "/dev/stderr"
	}' 2>"$points/sum" | sort -k 3
read -r _ n_points n_failed <"$points/sum"
n_traced=$(tr -cs '0-9' '\n' <"$points/points.json" | awk '{ n += $1 } END { print n + 0 }')
[ "$n_points" = "$n_traced" ] || status=1
[ "$n_failed" = 0 ] || status=1
echo "crash: points=$n_points traced=$n_traced failed=$n_failed"
exit $status
