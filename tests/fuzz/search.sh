#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# search.sh TARGET...: each fuzz target looks for new inputs for FUZZ_SECONDS, two at once, from
# its seeds and from what earlier searches in this build directory have left in corpus/.
set -uo pipefail
cd "${top_builddir:?}" || exit 1
seconds=${FUZZ_SECONDS:-60}
export seconds top_srcdir

search() {
	name=${1##*/}
	dir=corpus/$name
	mkdir -p "$dir"
	"./$1" -d "$dir" || return 1
	kept=$top_srcdir/tests/fuzz/seeds/$name
	[ -d "$kept" ] || kept=
	if "./$1-search" -max_len=65536 -max_total_time="$seconds" -timeout=20 \
		-print_final_stats=1 -verbosity=1 -artifact_prefix="corpus/$name-" \
		"$dir" ${kept:+"$kept"} >"corpus/$name.log" 2>&1; then
		inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "corpus/$name.log")
		cov=$(grep -o ' cov: [0-9]*' "corpus/$name.log" | tail -n 1)
		if [ "${inputs:-0}" = 0 ]; then # its seeds alone are some
			tail -n 40 "corpus/$name.log" | sed 's/^/      /'
			echo "FAIL: $name: a search of $seconds s has tried no input"
			return 1
		fi
		echo "PASS: $name: a search of $seconds s finds nothing ($inputs inputs,$cov)"
	else
		tail -n 40 "corpus/$name.log" | sed 's/^/      /'
		echo "FAIL: $name: found an input, corpus/$name-*; corpus/$name.log tells"
		return 1
	fi
}
export -f search
printf '%s\n' "$@" | xargs -P 2 -I '{}' bash -c 'search {}'
