#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Client, engine on demand and vfctl need no shared object; the client stays small.
. "$(dirname "$0")/gate.sh"

build=${top_builddir:-.}
if ! grep -q '^STATIC_LDFLAGS = -static' "$build/Makefile" 2>/dev/null; then
	echo "SKIP: $gate_name: all of it: this build links them with shared libraries"
	exit 77
fi
for program in vfkeeper vfkeeper-engine vfctl; do
	file=$build/src/$program/$program
	{
		if [ ! -x "$file" ]; then
			echo "$file is not built"
		else
			readelf -d "$file" 2>&1 | grep NEEDED
			readelf -l "$file" 2>&1 | grep -E 'INTERP|Not an ELF'
		fi
	} | rule "$program needs no shared object and no interpreter"
done

if grep -q '^CLIENT_CC = musl-gcc' "$build/Makefile"; then
	stripped=$(mktemp) || exit 99
	trap 'rm -f "$stripped"' EXIT
	strip -o "$stripped" "$build/src/vfkeeper/vfkeeper"
	size=$(stat -c %s "$stripped")
	{ [ "${size:-0}" -gt 0 ] && [ "$size" -le $((256 * 1024)) ] ||
		echo "stripped, it has $size bytes"; } | rule "the client has at most 256 KiB"
else
	skip_rule "the client has at most 256 KiB" "only with musl, and this build is without"
fi

for program in vfkeeper vfkeeper-engine vfctl vfkeeperd vfkeeper-replay; do
	file=$build/src/$program/$program
	[ ! -x "$file" ] || readelf -lW "$file" | awk -v p="$program" '
		/GNU_STACK/ { if ($0 ~ /RWE/) print p ": executable stack" }
		/GNU_RELRO/ { relro = 1 }
		END { if (!relro) print p ": no relro" }'
done | rule "every program has relro and no executable stack"
gate_end
