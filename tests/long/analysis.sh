#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# analysis.sh cppcheck|clang-tidy: static analysis of src/ with the configuration that is kept
# beside this script and in .clang-tidy.
set -uo pipefail
: "${top_srcdir:?}" "${top_builddir:?}"
here=$top_srcdir/tests/long
cd "$top_builddir" || exit 1
tool=$1
if ! command -v "$tool" >/dev/null; then
	echo "SKIP: analysis: $tool: missing packages: apt-get install $tool"
	exit 0
fi
mkdir -p long
out=long/$tool.out
flags=(-std=gnu11 -D_GNU_SOURCE -DHAVE_CONFIG_H -I"$top_srcdir/src" -I"$top_builddir" -I"$top_builddir/src")
for name in PACKAGE_VERSION VFK_VERSION VFK_ENGINE_PATH VFK_CNI_BIN_DIR VFK_SBIN_DIR; do
	flags+=("-D$name=\"x\"")
done
# shellcheck disable=SC2207
flags+=($(pkg-config --cflags libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libevent_core jansson \
	inih libprotobuf-c libibverbs zlib))
case $tool in
cppcheck)
	defines=()
	for flag in "${flags[@]}"; do
		case $flag in -[DI]*) defines+=("$flag") ;; esac
	done
	grep -v '^#' "$here/cppcheck.suppress" >long/cppcheck.list
	cppcheck -q --std=c11 --enable=warning,performance,portability --error-exitcode=3 \
		--inline-suppr --max-configs=2 --library="$here/cppcheck.cfg" \
		--suppressions-list=long/cppcheck.list "${defines[@]}" \
		--template='{file}:{line}: {severity}: {id}: {message}' "$top_srcdir/src" >"$out" 2>&1
	;;
clang-tidy)
	find "$top_srcdir/src" -name '*.c' -print0 |
		xargs -0 -P "$(nproc)" -I '{}' clang-tidy --quiet '{}' -- "${flags[@]}" >"$out" 2>/dev/null
	;;
esac
status=$?
if [ $status = 0 ]; then
	echo "PASS: analysis: $tool finds nothing in src"
else
	grep -E ': (error|warning|style|portability|performance)' "$out" | head -n 40 | sed 's/^/      /'
	echo "FAIL: analysis: $tool finds nothing in src (all of it in $out)"
	exit 1
fi
