#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfctl(8), vfctl's help and its completion against src/engine/ctl_cmds.h and each other.
. "$(dirname "$0")/gate.sh"

page=man/vfctl.8
vfctl=${VFCTL:-${top_builddir:-.}/src/vfctl/vfctl}
completion=src/vfctl/completion/vfctl

# The commands for people, from the list in the header: X(NAME, "name", ... kind, help).
commands=$(awk '/^#define CTL_CMDS/ { inside = 1; next } inside && !/\\$/ { last = 1 }
		inside { text = text $0 } last { exit } END { print text }' src/engine/ctl_cmds.h |
	sed 's/X(/\nX(/g' | grep '^X(' | grep -v CTL_INTERNAL |
	sed -nE 's/^X\([A-Z_]+, "([a-z-]+)".*/\1/p')
internal=$(sed -n '/^#define CTL_CMDS/,/^$/p' src/engine/ctl_cmds.h | grep CTL_INTERNAL |
	sed -nE 's/.*X\([A-Z_]+, "([a-z-]+)".*/\1/p')

{
	[ "$(wc -w <<<"$commands")" -ge 9 ] || echo "only these commands were found: $commands"
	[ -n "$internal" ] || echo "no internal command was found"
} | rule "the list of commands can be read"

# page_items SECTION: the tags of the lists in it.
page_section() {
	awk -v name="$1" '/^\.Sh / { inside = ($0 == ".Sh " name) } inside' "$page"
}

{
	for c in $commands; do
		page_section COMMANDS | grep -qE "^\\.It Ic $c( |\$)" || echo "$page: no command $c"
	done
	page_section COMMANDS | sed -nE 's/^\.It Ic ([a-z-]+).*/\1/p' | while read -r c; do
		grep -qx -- "$c" <<<"$commands" || echo "$page: the command $c does not exist"
	done
} | rule "the page has every command, and no other"

for code in $(sed -nE 's/^[[:space:]]*X\(VFK_E_[A-Z]+, [0-9]+, "[^"]*", ([0-9]+), [0-9]+\).*/\1/p' \
	src/base/err.h | sort -u) 0; do
	page_section 'EXIT STATUS' | grep -qx "\\.It $code" || echo "$page: no exit status $code"
done | rule "the page has every exit code"

grep -oE '\{ "[a-z-]+", (no|required)_argument, NULL, .[^ ]* \}' src/vfctl/main.c |
	sed -E 's/\{ "([a-z-]+)".*/\1/' | while read -r option; do
	grep -qE -- "-$option\\b" "$page" || echo "$page: no option --$option"
done | rule "the page has every option"

for c in $commands; do
	sed -nE "s/^\tlocal commands='(.*)'/\1/p" "$completion" | grep -qw -- "$c" ||
		echo "$completion: no command $c"
done | rule "the completion has every command"
# completes WANTED WORD...: what the completion offers for the last word.
completes() {
	local wanted=$1 got
	shift
	got=$(PATH=/nonexistent "$BASH" -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vfctl; printf "%s\n" "${COMPREPLY[*]}"' - "$completion" "$@" 2>/dev/null)
	[ "$got" = "$wanted" ] || echo "$completion: '$*' gives '$got', not '$wanted'"
}
{
	completes reconcile vfctl rec
	completes --dry-run vfctl reconcile --d
	completes --dialect vfctl import --di
	completes ib-sriov vfctl export --dialect i
	completes --force vfctl -o json release --f
	completes node vfctl cordon n
	completes --reason vfctl cordon --r
	completes '' vfctl uncordon --r
	completes '-n' vfctl history -n
	completes '-v' vfctl status -v
	completes pod vfctl -n 3 history p
	completes debug vfctl log engine d
	completes 'lease' vfctl fsm l
	completes json vfctl -o j
} | rule "the completion offers what can follow"
grep -rhoE 'log_(error|warn|notice|info|debug)\([[:space:]]*"[a-z-]+"' src | sed 's/.*"\(.*\)"/\1/' |
	sort -u | while read -r module; do
	sed -n '/define LOG_MODULES/,/^$/p' src/base/log.h | grep -q "X($module)" ||
		echo "src/base/log.h: $module logs and is none of LOG_MODULES"
done | rule "every module that logs can be set by itself"
bash -n "$completion" 2>&1 | rule "the completion is a script that bash can read"

if [ ! -x "$vfctl" ]; then
	skip_rule "help agrees with page and list" "vfctl is not built"
	gate_end
fi

help=$("$vfctl" --help)
{
	for c in $commands; do
		grep -qE "^  $c( |\$)" <<<"$help" || echo "--help: no command $c"
		usage=$("$vfctl" help "$c" | head -n 1)
		[[ $usage == "Usage: vfctl $c"* ]] || echo "help $c: says $usage"
		# The words of the usage stand in the page, too.
		for word in $(grep -oE -- '-(-[a-z]+|[a-z]\b)' <<<"${usage#* * }"); do
			page_section COMMANDS | grep -qE "^\\.It Ic $c .*Fl ${word#-}\\b" ||
				echo "$page: $c has no $word"
		done
	done
	for c in $internal; do
		! grep -qw -- "$c" <<<"$help" || echo "--help: has the internal command $c"
		! "$vfctl" help "$c" >/dev/null 2>&1 || echo "help $c: an internal command has help"
	done
	sed -nE 's/^  (-[a-zA-Z]), (--[a-z]+).*/\1 \2/p' <<<"$help" | while read -r short long; do
		grep -qE "^\\.It Fl ${short#-} , ${long#-}\\b" "$page" || echo "$page: no $short, $long"
		sed -nE "s/^\tlocal options='(.*)'/\1/p" "$completion" | grep -qw -- "$long" ||
			echo "$completion: no option $long"
	done
	page_section DESCRIPTION | sed -nE 's/^\.It Fl ([a-zA-Z]) , (-[a-z]+).*/\1 -\2/p' |
		while read -r short long; do
			grep -qE "^  -$short, $long" <<<"$help" || echo "--help: no -$short, $long"
		done
	for code in $(page_section 'EXIT STATUS' | sed -nE 's/^\.It ([0-9]+)$/\1/p'); do
		grep -qE "(^|[ :,])$code [a-z]" <<<"$(sed -n '/^Exit status/,$p' <<<"$help")" ||
			echo "--help: no exit status $code"
	done
} | rule "help, page, completion and list agree"
gate_end
