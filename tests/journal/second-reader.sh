#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 'make check-journal': reader.py, which was written from the page, against vfkeeper-replay on
# CASES (10,000) journals that were cut, flipped and reordered.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=${top_builddir:-.}
export top_srcdir=${top_srcdir:-$here/../..} PYTHONDONTWRITEBYTECODE=1

lines=$(wc -l <"$here/reader.py")
if [ "$lines" -le 200 ]; then
	echo "PASS: second-reader: it has no more than 200 lines"
else
	echo "FAIL: second-reader: it has no more than 200 lines (it has $lines)"
fi
exec python3 "$here/compare.py" "$top/src/vfkeeper-replay/vfkeeper-replay" \
	"$top/tests/journal/make_journals" "${CASES:-10000}" "${FIRST:-0}"
