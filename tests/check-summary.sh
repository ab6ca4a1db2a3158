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
gate_end
