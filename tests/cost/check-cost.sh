#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COST still says what an ADD and a DEL cost: messages, records, syncs and processes exactly, the
# rest within what chance does.  A change that makes a call dearer, or cheaper, has to change it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top_srcdir=${top_srcdir:-$here/../..}
command -v strace >/dev/null || { echo "SKIP: check-cost: all of it: strace is not installed"; exit 77; }
new=$(mktemp) || exit 99
trap 'rm -f "$new"' EXIT
# Twice before it counts: on a busy machine the end of a call may be taken for the next one's.
for _ in 1 2; do
	bash "$here/cost.sh" 3>"$new"
	status=$?
	[ $status = 0 ] || exit $status
	said=$(python3 "$here/table.py" --compare "$top_srcdir/COST" "$new")
	[ -n "$said" ] || break
done
if [ -z "$said" ]; then
	echo "PASS: check-cost: COST has what a call costs"
else
	echo "$said"
	echo "FAIL: check-cost: COST has what a call costs (make cost writes it anew)"
	exit 1
fi
