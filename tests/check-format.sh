#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The layout of the C files, as .clang-format says it.  Pinned: another version of
# clang-format has other ideas.
. "$(dirname "$0")/gate.sh"

pinned=14
if ! command -v clang-format >/dev/null; then
	skip_rule "the C files have the layout of .clang-format" "clang-format is not installed"
	gate_end
fi
version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" != $pinned ]; then
	skip_rule "the C files have the layout of .clang-format" \
		"clang-format is $version, the rules are for $pinned"
	gate_end
fi
c_files src tests | xargs -r clang-format --dry-run --style=file 2>&1 | grep 'warning:' |
	rule "the C files have the layout of .clang-format"
gate_end
