#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The deliberate faults of tests/sim/mutants: each still applies and says what it is, and the
# table in HACKING has them all.  'make mutants' shows that they are caught.
. "$(dirname "$0")/gate.sh"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# field NAME PATCH: a line of the head of a patch.
field() {
	sed -n "s/^$1: //p;/^---/q" "$2"
}

for patch in tests/sim/mutants/*.patch; do
	sed -n 's|^+++ b/||p' "$patch" | while read -r file; do
		mkdir -p "$work/$(dirname "$file")"
		cp -f "$file" "$work/$file" || echo "$patch: no $file"
		chmod u+w "$work/$file" # the sources of an archive may be read-only
	done
	patch -s -p1 -d "$work" <"$patch" >"$work/said" 2>&1 || {
		echo "$patch does not apply:"
		cat "$work/said"
	}
done | rule "every deliberate fault can be put into the sources"

for patch in tests/sim/mutants/*.patch; do
	[ -n "$(field Breaks "$patch")" ] || echo "$patch: no line Breaks:"
	case $(field 'Caught by' "$patch") in
	sim) ;;
	'unit '*) file=tests/unit/$(field 'Caught by' "$patch" | cut -d' ' -f2).c ;;
	'netns '*) file=tests/netns/$(field 'Caught by' "$patch" | cut -d' ' -f2).sh ;;
	*) file= ;;
	esac
	[ -e "${file-.}" ] || echo "$patch: who is to catch it?"
	unset file
	printf '%s %s\n' "$(basename "$patch" | cut -d- -f1)" "$(field Fault "$patch")"
done >"$work/faults"
grep -v '^[0-9A-Z][0-9] [^ ]' "$work/faults" | rule "every deliberate fault says what it breaks and who sees it"

sed -n '/^  no fault  .* seeds$/,/^$/s/^  \([0-9A-Z][0-9] .\{67\}\).*/\1/p' HACKING | sed 's/ *$//' |
	diff - <(grep '^[0-9A-Z][0-9] ' "$work/faults") |
	rule "the table of HACKING has every deliberate fault and no other"
gate_end
