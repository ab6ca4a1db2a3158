#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's table is the one of the kept bench.json, and a changed figure would be seen.

set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
table=$top_srcdir/tests/bench/table.sh
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
verdict() { [ "$1" = 0 ] && echo "PASS: check-readme: $2" || { echo "FAIL: check-readme: $2"; failed=1; }; }

in_readme() { awk '/what .*unit .*floor .*ratio/ { on = 1 } on && /^$/ { exit } on' "$1"; }

bash "$table" "$top_srcdir/bench.json" >"$work/wanted"
in_readme "$top_srcdir/README" >"$work/found"
diff "$work/wanted" "$work/found"
verdict $? "the table in README is that of bench.json"

for name in client_version add_free del_free storm600_8 storm600_64 storm600_600 del_repeated \
	replay_1016 memory; do
	grep -q "\"name\": \"$name\"" "$top_srcdir/bench.json"
	verdict $? "bench.json has $name"
done

sed 's/"p50": [0-9]/&9/' "$top_srcdir/bench.json" >"$work/other.json"
bash "$table" "$work/other.json" | diff -q - "$work/found" >/dev/null
verdict $((! $?)) "another figure in bench.json would be seen"
cp "$top_srcdir/README" "$work/README"
bash "$table" "$work/other.json" "$work/README"
in_readme "$work/README" | diff -q - <(bash "$table" "$work/other.json")
verdict $? "the table in a README is replaced as a whole"
[ "$(grep -c . "$work/README")" = "$(grep -c . "$top_srcdir/README")" ]
verdict $? "and nothing else of it"
exit $failed
