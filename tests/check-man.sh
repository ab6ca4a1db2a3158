#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The man pages: mandoc finds nothing, and the sections that people look for are there.
. "$(dirname "$0")/gate.sh"

pages=$(find man -name '*.[1-8]' | sort)
[ -n "$pages" ] || echo "no page in man/" | rule "there are man pages"

if command -v mandoc >/dev/null; then
	{
		# Which other pages are installed is not ours, nor what it says of their index.
		# shellcheck disable=SC2086
		mandoc -Tlint $pages 2>/dev/null
		status=$? # 1: remarks on the style at most
		[ $status -le 1 ] || echo "$(command -v mandoc) ended with status $status"
	} | grep -v 'referenced manual not found' | rule "mandoc has nothing to say about a page"
else
	skip_rule "mandoc has nothing to say about a page" "mandoc is not installed"
fi

for page in $pages; do
	wanted='NAME DESCRIPTION SEE_ALSO'
	case $page in
	*.8 | *.1) wanted='NAME SYNOPSIS DESCRIPTION FILES EXIT_STATUS EXAMPLES SEE_ALSO' ;;
	*.5) wanted='NAME DESCRIPTION EXAMPLES SEE_ALSO' ;;
	esac
	for section in $wanted; do
		grep -qE "^\.Sh \"?${section/_/ }\"?\$" "$page" || echo "$page: no section ${section/_/ }"
	done
done | rule "every page has the sections of its kind"

for page in $pages; do
	name=$(basename "$page") section=${page##*.}
	grep -qiE "^\.Dt ${name%.*} $section\$" "$page" || echo "$page: .Dt does not say $name"
	grep -q "^\.Nm ${name%.*}\$" "$page" || echo "$page: .Nm does not say ${name%.*}"
	# Every page of ours that it points to exists.
	sed -n 's/^\.Xr \(vf[a-z.-]*\) \([1-8]\).*/\1.\2/p' "$page" | sort -u | while read -r other; do
		[ -f "man/$other" ] || echo "$page: points to $other, which does not exist"
	done
done | rule "every page says its own name and points to pages that exist"

for program in $(find src -name main.c | sed 's|.*/\([^/]*\)/main\.c$|\1|' | sort); do
	[ -f "man/$program.8" ] || echo "man/$program.8 is missing"
done | rule "every program has a page"
gate_end
