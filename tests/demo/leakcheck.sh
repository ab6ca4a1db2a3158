#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Judges whether a node is clean, with "ip", "ls" and host-local's own files only; shares
# nothing with the programs it judges.
#
#	leakcheck.sh snapshot FILE          the links of the free node: every link with an alias
#	leakcheck.sh judge FILE DATADIR     compares; prints "leaked_vfs=N leaked_leases=N"
#
# To be run in the home namespace of the VFs.  A VF is leaked unless a link with its alias
# stands in this namespace under the name that it had, and in no other namespace; a lease
# is leaked if host-local has a file for it.  What is wrong is said on stderr.  Exit: 0
# clean, 1 something leaked, 2 it could not be judged.

set -u
LC_ALL=C
export LC_ALL

# "alias<TAB>name" of every link with an alias in the present namespace, or in namespace $1.
links() {
	if [ $# = 0 ]; then ip -o link show; else ip -n "$1" -o link show; fi |
		sed -n 's/^[0-9]*: \([^:@]*\)[@:].*\\    alias \(.*\)$/\2\t\1/p' | sort
}

snapshot() {
	links >"$1"
	[ -s "$1" ] || { echo "leakcheck: no link with an alias here" >&2; exit 2; }
}

judge() {
	local before=$1 data=$2 here missing leases=0 netns network file
	[ -s "$before" ] || { echo "leakcheck: no snapshot in $before" >&2; exit 2; }
	work=$(mktemp -d) || exit 2
	trap 'rm -rf "$work"' EXIT
	here=$work/here
	links >"$here"
	cut -f1 "$before" | sort -u >"$work/known"

	# Wrong name, or not here at all.
	comm -23 "$before" "$here" >"$work/missing"
	sed 's/^/leakcheck: not at home under its name: /' "$work/missing" >&2
	cut -f1 "$work/missing" >"$work/leaked"

	# In a namespace that is not its home.
	for netns in $(ip netns list | cut -d' ' -f1); do
		links "$netns" | cut -f1 | sort -u | comm -12 - "$work/known" >"$work/strays"
		[ -s "$work/strays" ] || continue
		sed "s/^/leakcheck: still in namespace $netns: /" "$work/strays" >&2
		cat "$work/strays" >>"$work/leaked"
	done
	missing=$(sort -u "$work/leaked" | wc -l)

	# host-local keeps one file per address, named by it, beside "lock" and
	# "last_reserved_ip.N".
	for network in "$data"/*/; do
		[ -d "$network" ] || continue
		for file in $(ls "$network"); do
			case $file in
			lock | last_reserved_ip.*) continue ;;
			esac
			echo "leakcheck: lease without a pod: $network$file" >&2
			leases=$((leases + 1))
		done
	done
	echo "leaked_vfs=$missing leaked_leases=$leases"
	[ "$missing" = 0 ] && [ "$leases" = 0 ]
}

case "${1:-} $#" in
'snapshot 2') snapshot "$2" ;;
'judge 3') judge "$2" "$3" ;;
*)
	echo "usage: leakcheck.sh snapshot FILE | judge FILE DATADIR" >&2
	exit 2
	;;
esac
