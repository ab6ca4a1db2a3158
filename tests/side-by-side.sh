#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side-by-side.sh SCRIPT...: runs test scripts by verdict.sh, as many at once as there are
# processors (TEST_JOBS says otherwise): they wait for timers more than they work.  Each one's
# lines are printed together when it ends.  Status 1 if any of them failed, all named.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
export here work

one() {
	bash "$here/verdict.sh" "$1" >"$work/$$" 2>&1
	status=$?
	flock "$work" cat "$work/$$"
	rm -f "$work/$$"
	case $status in 0 | 77) ;; *) echo "$1" >>"$work/failed" ;; esac
}
export -f one
printf '%s\n' "$@" | xargs -P "${TEST_JOBS:-$(nproc)}" -I '{}' bash -c 'one "$1"' - '{}' ||
	echo 'one that broke off, and what was to follow it' >>"$work/failed"
[ ! -s "$work/failed" ] || { echo "failed: $(tr '\n' ' ' <"$work/failed")" >&2; exit 1; }
