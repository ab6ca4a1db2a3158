#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-rules(7) and those who refer to it: every promise and rule is there and names tests
# that exist, and whoever points to the page points to something in it.
. "$(dirname "$0")/gate.sh"

page=man/vfkeeper-rules.7
wanted="$(seq -f P%g 1 10) $(seq -f R%g 1 16)"

# entry NAME: its lines of the page.
entry() {
	awk -v name="$1" '/^\.(It|El|Sh)/ { inside = $1 == ".It" && $2 == name } inside' "$page"
}

for name in $wanted; do
	said=$(entry "$name")
	[ -n "$said" ] || echo "$page: $name is missing"
	grep -q '^\.Em Test :$' <<<"$said" || echo "$page: $name names no test"
done | rule "vfkeeper-rules(7) has every promise and rule, each with its test"

# In unit suites a case begins with its rule, in scripts a check does: "R7: ...".
for name in $wanted; do
	grep -qE "\"([PR][0-9]+, )*$name[:,] " tests/unit/test_*.c tests/netns/*.sh ||
		echo "no case of tests/unit or tests/netns begins with $name"
done | rule "every promise and rule has a case that is named after it"

grep -oE '\btest_[a-z_]+\b|\b[a-z-]+\.sh\b' "$page" | sort -u | while read -r name; do
	case $name in
	*.sh) file=tests/netns/$name ;;
	*) file=tests/unit/$name.c ;;
	esac
	[ -f "$file" ] || echo "$page: $file does not exist"
done | rule "the tests that vfkeeper-rules(7) names exist"

sources=$(find src tests proto man -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.am' \
	-o -name '*.proto' -o -name '*.[1-8]' -o -name README \) ! -name check-rules-man.sh)
# shellcheck disable=SC2086
grep -noE '\b[PR][0-9]{1,2}\b' $sources /dev/null | while IFS=: read -r file line name; do
	grep -qw -- "$name" <<<"$wanted" || echo "$file:$line: $name is in no list"
done | rule "a promise or rule that is named exists"

# "vfkeeper-rules(7), WHAT AN ADD FINDS": the section is there.
# shellcheck disable=SC2086
grep -noE 'vfkeeper-rules\(7\), [A-Z][A-Z, ]*[A-Z]' $sources /dev/null |
	while IFS=: read -r file line ref; do
		grep -qxF ".Sh ${ref#*, }" "$page" || echo "$file:$line: no section ${ref#*, }"
	done | rule "sections of vfkeeper-rules(7) that are named exist"
gate_end
