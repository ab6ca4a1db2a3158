#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The installed plugin under its three names, called with a raw environment at all seven versions
# of the specification.

. "$(dirname "$0")/../netns/lib.sh"
WORLD_INSTALLED=yes # by make install, not copied from the tree
world_enter "$@"
. "$top_srcdir/tests/cni/installed.sh"
for name in vfkeeper ib-sriov sriov; do
	check "$name is installed" test -x "$CNI_BIN/$name"
done
for program in "$VFKEEPERD" "$VFCTL" "$REPLAY" "$CNI_BIN/vfkeeper-engine"; do
	check "$(basename "$program") is installed" test -x "$program"
done
check "man pages are installed" test -n "$(installed vfkeeper.8)"

all='0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0'
for name in vfkeeper ib-sriov sriov; do
	for version in $all; do
		OUT=$(echo "{\"cniVersion\":\"$version\"}" | env -i CNI_COMMAND=VERSION \
			CNI_NETNS=dummy CNI_IFNAME=dummy CNI_PATH=dummy "$CNI_BIN/$name")
		check "$name: VERSION exits 0 (asked in $version)" is 0 $?
		for v in $all; do
			[[ $OUT == *"\"$v\""* ]] || fail "$name: VERSION lists $v" "$OUT"
		done
		check "$name: VERSION has cniVersion and supportedVersions (asked in $version)" \
			matches '"cniVersion".*"supportedVersions"|"supportedVersions".*"cniVersion"' \
			"$(tr -d '\n' <<<"$OUT")"
	done
done

[ $has_go = yes ] || { skip "ADD and DEL" "static is not built (no Go)"; finish; }
world 1 8
add_netns p 1 3
vf=$(vf_addr 0 0)
for CNI_NAME in vfkeeper ib-sriov sriov; do
	for version in $all; do
		c=$(VERSION=$version conf "$vf" "$(static_ip 10.7.0.5/24)")
		id=$CNI_NAME-$version
		add "$id" net1 /run/netns/p1 "$c"
		check "$CNI_NAME $version: ADD succeeds" answered 0
		flat=$(tr -d '\n' <<<"$OUT")
		check "$CNI_NAME $version: the result's version is the configuration's" \
			matches "\"cniVersion\": *\"$version\"" "$flat"
		case $version in
		0.1.0 | 0.2.0)
			check "$CNI_NAME $version: the result has ip4 and no interfaces" \
				matches '^[^i]*"ip4": *\{ *"ip": *"10.7.0.5/24"' "$(sed 's/"cniVersion"[^,]*,//' <<<"$flat")"
			check "$CNI_NAME $version: no interfaces" lacks interfaces "$flat"
			;;
		0.3.* | 0.4.0)
			check "$CNI_NAME $version: ips have a version" matches '"version": *"4"' "$flat"
			check "$CNI_NAME $version: no pciID" lacks pciID "$flat"
			;;
		1.0.0)
			check "$CNI_NAME $version: ips have no version" lacks '"version"' "$flat"
			;;
		1.1.0)
			check "$CNI_NAME $version: the interface has its PCI address" \
				matches "\"pciID\": *\"$vf\"" "$flat"
			;;
		esac
		check "$CNI_NAME $version: the pod has the address" is 10.7.0.5/24 "$(addr_in p1 net1)"
		del "$id" net1 /run/netns/p1 "$c"
		check "$CNI_NAME $version: DEL succeeds without a word" is 0: "$RC:$OUT"
		check "$CNI_NAME $version: the link is home" wait_for 10 at_home "$vf"
	done
	for version in 0.5.0 1.2.0 2 v1.0.0; do
		add "bad$version" net1 /run/netns/p2 "$(VERSION=$version conf "$vf")"
		check "$CNI_NAME: version $version is refused with code 1" answered 1
	done
	for verb in CHECK GC STATUS; do
		cni $verb c1 net1 /run/netns/p1 "$(VERSION=0.3.1 conf "$vf")"
		check "$CNI_NAME: $verb at 0.3.1 is refused with code 1" answered 1
	done
done
unset CNI_NAME
check "the node is clean" wait_clean
engines_end
finish
