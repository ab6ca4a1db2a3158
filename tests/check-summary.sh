#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 'vfkeeperd -V' prints what configure said at its end, letter by letter.
. "$(dirname "$0")/gate.sh"

build=${top_builddir:-.}
"$build/src/vfkeeperd/vfkeeperd" -V 2>&1 | diff "$build/config.summary" - |
	rule "vfkeeperd -V prints the summary of configure"
version=$(sed -n 's/^PACKAGE_VERSION = //p' "$build/Makefile")
{ [ "$(head -n 1 "$build/config.summary")" = "vfkeeper $version" ] ||
	head -n 1 "$build/config.summary"; } | rule "the summary begins with the version"

# A release is built by whatever compiler there is: warnings are errors only where one says so.
src=$(cd "$gate_tests/.." && pwd)
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
warnings_of() { sed -n "s/^VFK_WARN_CFLAGS *= *//p" "$1" | tr -d "'" | tr ' ' '\n'; }
{ (cd "$work" && "$src/configure" -q --no-create) >"$work/said" 2>&1 || tail -n 5 "$work/said"
	warnings_of "$work/config.log" | grep -x -e -Wall >/dev/null || echo "no warnings at all"
	warnings_of "$work/config.log" | grep -x -e '-Werror.*'; } |
	rule "a plain configure makes no warning an error"
case $("$build/config.status" --config) in
*--enable-werror*)
	warnings_of "$build/Makefile" | grep -qx -e -Werror || echo "no -Werror here"
	;;
esac | rule "--enable-werror does"
gate_end
