# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the gates share (sourced).  A gate looks at the tree 'gate_root', which check-gates.sh
# points at a copy with a planted fault; otherwise it is the source tree.

set -u
shopt -s lastpipe # a rule at the end of a pipe counts in this shell
export LC_ALL=C
gate_name=$(basename "$0" .sh)
gate_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VFK_GATE_ROOT=${VFK_GATE_ROOT:-}
gate_root=$(cd "${VFK_GATE_ROOT:-${top_srcdir:-$gate_tests/..}}" && pwd)
cd "$gate_root" || exit 99
gate_failed=0 gate_passed=0

# rule SENTENCE: the findings come on stdin, one per line; none is a pass.
rule() {
	local findings
	findings=$(cat)
	if [ -z "$findings" ]; then
		echo "PASS: $gate_name: $1"
		gate_passed=1
	else
		printf '%s\n' "$findings" | sed 's/^/  /' |
			if [ -n "$VFK_GATE_ROOT" ]; then cat; else head -n 40; fi
		echo "FAIL: $gate_name: $1"
		gate_failed=1
	fi
}

skip_rule() {
	echo "SKIP: $gate_name: $1: $2"
}

gate_end() {
	[ $gate_failed = 0 ] || exit 1
	[ $gate_passed = 1 ] || exit 77
	exit 0
}

# Our C sources and headers; with an argument, those below it.
c_files() {
	find "${@:-src}" -name '*.[ch]' | sort
}
