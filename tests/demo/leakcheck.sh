#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Judges whether a node is clean, with "ip", "ls" and host-local's own files only; shares
# nothing with the programs it judges.
#
#	leakcheck.sh snapshot FILE          the links of the free node: every link with an alias
#	leakcheck.sh judge FILE DATADIR     compares; prints "leaked_vfs=N leaked_leases=N"
#
# To be run in the home namespace of the VFs.  A VF is leaked unless a link with its alias
# stands in this namespace as it did, and in no other namespace: with its name, MTU, hardware
# address, addresses and altnames, up or down, promiscuous or not.  A lease is leaked if
# host-local has a file for it.  What is wrong is said on stderr.  Exit: 0 clean, 1 something
# leaked, 2 it could not be judged.

set -u
LC_ALL=C
export LC_ALL

# "alias<TAB>name<TAB>what else" of every link with an alias in the present namespace, or in
# namespace $1.  Addresses that the kernel makes up for a link that is up are not asked for.
links() {
	local at=()
	[ $# = 0 ] || at=(-n "$1")
	{
		ip "${at[@]}" -o addr show
		ip "${at[@]}" -o -d link show
	} | awk '
		$3 == "inet6" && / scope link / { next }
		$3 == "inet" || $3 == "inet6" { addresses[$1] = addresses[$1] " " $4; next }
		{
			name = alias = ""
			split($2, names, /[@:]/)
			also = $3 ~ /[<,]UP[,>]/ ? "up" : "down"
			for (i = 4; i < NF; i++)
				if ($i ~ /^link\//)
					also = also " " $(i + 1)
				else if ($i == "mtu" || $i == "promiscuity" || $i == "allmulti")
					also = also " " $i " " $(i + 1)
			n = split($0, parts, /\\ */)
			for (i = 1; i <= n; i++)
				if (parts[i] ~ /^alias /)
					alias = substr(parts[i], 7)
				else if (parts[i] ~ /^altname /)
					also = also " " parts[i]
			if (alias != "")
				print alias "\t" names[1] "\t" also addresses[$1]
		}' | sed 's/ *$//' | sort
}

snapshot() {
	links >"$1"
	[ -s "$1" ] || { echo "leakcheck: no link with an alias here" >&2; exit 2; }
}

judge() {
	local before=$1 data=$2 here missing leases=0 netns network file alias name also now
	[ -s "$before" ] || { echo "leakcheck: no snapshot in $before" >&2; exit 2; }
	work=$(mktemp -d) || exit 2
	trap 'rm -rf "$work"' EXIT
	here=$work/here
	links >"$here"
	cut -f1 "$before" | sort -u >"$work/known"

	# Wrong in something, or not here at all.
	comm -23 "$before" "$here" >"$work/missing"
	while IFS=$'\t' read -r alias name also; do
		now=$(awk -F '\t' -v alias="$alias" -v name="$name" \
			'$1 == alias && $2 == name { print $3 }' "$here")
		if [ -n "$now" ]; then
			echo "leakcheck: not as it was: $alias: was $also, is $now"
		else
			echo "leakcheck: not at home under its name: $alias $name"
		fi
	done <"$work/missing" >&2
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
