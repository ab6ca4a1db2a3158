#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# write.sh FILE: COST with all its tables counted anew (make cost).
set -u
: "${top_srcdir:?}"
here=$(cd "$(dirname "$0")" && pwd)
out=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bash "$here/cost.sh" 3>"$work/sim" || exit
# They are red where COST says something else, which is why it is written.
KERNEL_OUT=$work "$here/../kernel/check" cost vfio-driver | grep -v 'COST has what a call costs'
{
	sed '/^Simulated VFs$/,$d' "$top_srcdir/COST"
	cat "$work/sim"
	for suite in cost vfio-driver; do
		echo
		cat "$work/$suite/cost" || exit
	done
} >"$out"
