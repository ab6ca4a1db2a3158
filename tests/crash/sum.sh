#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sum.sh DIR NAME: a verdict for each call, way and role of what crash.py kept in DIR, and last
# "NAME: points=N traced=N failed=N".  Exit: 0 all points are there and none has failed.
#
# points.json is what a clean run had.  A point that was counted and is gone counts for nothing:
# either 'crash.py recount' has shown a run that ends before it, and points.json says so, or
# the numbers differ.  One that is gone before others that were hit is missing in any case.
set -u
points=$1 name=$2 status=0
awk -v name="$name" '
	{ split($1, at, "/"); split(at[4], point, ":"); key = at[1] "/" at[2] "/" point[1] }
	$NF == "gone" { next }
	!((key, point[2]) in seen) { seen[key, point[2]] = 1; n[key]++ }
	$NF != "ok" { bad[key]++; failed++ }
	END {
		for (key in n) {
			split(key, at, "/")
			text = sprintf("%s, engine %s: %s killed in front of each of its %d calls",
				at[1], at[2] == "demand" ? "on demand" : "as service", at[3], n[key])
			print (key in bad ? "FAIL" : "PASS") ": " name ": " text
			points += n[key]
		}
		print "sum", points + 0, failed + 0 > "/dev/stderr"
	}' "$points"/done.* 2>"$points/sum" | sort -k 3
read -r _ n_points n_failed <"$points/sum"
n_traced=$(tr -cs '0-9' '\n' <"$points/points.json" | awk '{ n += $1 } END { print n + 0 }')
[ "$n_points" = "$n_traced" ] || status=1
[ "$n_failed" = 0 ] || status=1
echo "$name: points=$n_points traced=$n_traced failed=$n_failed"
exit $status
