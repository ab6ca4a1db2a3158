#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# verdict.sh TEST [ARGUMENT...]: runs one test and sees to it that it ends in a verdict.
# Every test prints lines "PASS: ", "FAIL: " and "SKIP: "; they are what is counted.  One
# that dies, hangs on to a good status or says nothing at all gets the line it owes.
# Exit status: 0, 77 all skipped, 1.
set -u
name=$(basename "$1" .sh)
said=$(mktemp) || exit 99
trap 'rm -f "$said"' EXIT
if [ -x "$1" ] && [ "${1%.sh}" = "$1" ]; then
	"$@" 2>&1 | tee "$said"
else
	bash "$@" 2>&1 | tee "$said"
fi
status=${PIPESTATUS[0]}
count() { grep -c "^$1: " "$said"; }
failed=$(count FAIL) passed=$(count PASS) skipped=$(count SKIP)

case $status in
0 | 77) ;;
*)
	if [ "$failed" = 0 ]; then
		echo "FAIL: $name: ended with status $status after $passed good cases"
		failed=1
	fi
	;;
esac
if [ "$failed" = 0 ] && [ "$passed" = 0 ] && [ "$skipped" = 0 ]; then
	if [ "$status" = 77 ]; then
		echo "SKIP: $name: all of it: $(tail -n 1 "$said")"
	else
		echo "FAIL: $name: said nothing"
		failed=1
	fi
fi
[ "$failed" = 0 ] || exit 1
[ "$passed" != 0 ] || exit 77
