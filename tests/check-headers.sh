#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, with gcc and with clang, without a warning.
. "$(dirname "$0")/gate.sh"

flags=(-std=gnu11 -D_GNU_SOURCE -Isrc -Itests/unit -fsyntax-only -Wall -Wextra -Wshadow
	-Wstrict-prototypes -Wmissing-prototypes -Werror
	$(pkg-config --cflags libnl-3.0 libnl-route-3.0 jansson cunit))
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		skip_rule "every header compiles alone with $compiler" "$compiler is not installed"
		continue
	fi
	for header in $(find src tests -name '*.h' | sort); do
		# As an included file, so that a static function nobody calls is no warning.
		echo "#include \"$gate_root/$header\"" |
			$compiler "${flags[@]}" -x c - 2>&1 | sed "s|^|$header: |"
	done | rule "every header compiles alone with $compiler"
done

for header in $(find src tests -name '*.h' | sort); do
	guard=$(awk '/^#ifndef/ { print $2; exit }' "$header")
	[ -n "$guard" ] && grep -q "^#define $guard\$" "$header" || echo "$header: no include guard"
	echo "$guard" >&3
done 3> >(sort | uniq -d | sed 's/$/: a guard of two headers/') |
	rule "every header has an include guard of its own"
gate_end
