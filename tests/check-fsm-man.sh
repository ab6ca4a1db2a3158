#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-fsm(7) and the headers of the state machines against 'vfctl fsm'.  With --write the
# generated parts of page and headers are written anew (VFCTL names the program).
. "$(dirname "$0")/gate.sh"

page=man/vfkeeper-fsm.7
vfctl=${VFCTL:-${top_builddir:-.}/src/vfctl/vfctl}
machines='vf lease port'

# part MACHINE diagram|table: that part of the program's answer.
part() {
	"$vfctl" fsm "$1" | awk -v part="$2" '
		NR <= 2 { next }
		/^$/ { second = 1; next }
		second == (part == "table")'
}

# block FILE MACHINE diagram|table: what stands between the marks in a file, without the
# leading " *   " of a comment.
block() {
	awk -v begin="begin $2 $3" -v end="end $2 $3" '
		index($0, end) { inside = 0 }
		inside
		index($0, begin) { inside = 1 }' "$1" |
		sed -e '/^\.Bd/d' -e '/^\.Ed/d' -e 's/^ \* \{0,3\}//'
}

rewrite() { # FILE MACHINE PART: replaces the block
	local file=$1 new
	new=$(mktemp) || exit 99
	case $file in
	*.h) part "$2" "$3" | sed 's/^/ *   /' ;;
	*) echo '.Bd -literal' && part "$2" "$3" && echo '.Ed' ;;
	esac >"$new"
	awk -v begin="begin $2 $3" -v end="end $2 $3" -v new="$new" '
		index($0, end) { inside = 0 }
		!inside
		index($0, begin) { inside = 1; while ((getline line < new) > 0) print line }' \
		"$file" >"$new.out" && cat "$new.out" >"$file"
	rm -f "$new" "$new.out"
}

if [ ! -x "$vfctl" ]; then
	skip_rule "vfkeeper-fsm(7) agrees with vfctl fsm" "vfctl is not built"
	exit 77
fi

if [ "${1:-}" = --write ]; then
	for m in $machines; do
		rewrite "$page" "$m" diagram
		rewrite "$page" "$m" table
		rewrite "src/fsm/$m.h" "$m" diagram
	done
	exit 0
fi

compare() { # FILE MACHINE PART
	diff <(part "$2" "$3") <(block "$1" "$2" "$3") >/dev/null ||
		echo "$1: the $3 of $2 is not that of vfctl fsm $2 (tests/check-fsm-man.sh --write)"
}

for m in $machines; do
	[ "$(part "$m" diagram | wc -l)" -gt 5 ] || echo "vfctl fsm $m draws no diagram"
	[ "$(part "$m" table | wc -l)" -gt 5 ] || echo "vfctl fsm $m prints no table"
	compare "$page" "$m" diagram
	compare "$page" "$m" table
done | rule "the diagrams and tables of the page are those of vfctl fsm"

for m in $machines; do
	compare "src/fsm/$m.h" "$m" diagram
done | rule "the diagrams in the headers are those of vfctl fsm"

# section MACHINE: the lines of the page between its .Sh and the next.
section() {
	awk -v name="^\\\\.Sh .*\\\\($1\\\\)\$" '/^\.Sh / { inside = $0 ~ name } inside' "$page"
}

for m in $machines; do
	table=$(part "$m" table | tail -n +2)
	said=$(section "$m")
	{
		awk '{ print $1; print $2 }' <<<"$table"
		awk '$3 != "-" { print $3 }' <<<"$table"
		awk '{ for (i = 5; i <= NF; i++) print $i }' <<<"$table"
	} | sort -u | while read -r word; do
		grep -qE "^\\.It Dv $word\$" <<<"$said" || echo "$page: $m: $word is not explained"
	done
	sed -nE 's/^\.It Dv //p' <<<"$said" | sort -u | while read -r word; do
		grep -qw -- "$word" <<<"$table" || echo "$page: $m: $word does not exist"
	done
done | rule "every state, event, guard and action of the machines is explained, and no other"
gate_end
