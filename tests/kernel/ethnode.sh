# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For suites that attach Ethernet VFs, after node.sh: what a VF is like is asked with ip, rdma
# and sysfs alone.
#	CARD	the PF that is used (default: the first card of ibvfsim)
CARD=${CARD:-$IB}
[ ! -e /sys/class/infiniband ] || rdma system set netns exclusive
node_enter
PF=$(link_of "$CARD")
VFS='0 1 2 3'
printf '[vfkeeper]\nplugin_dirs = %s\n' "$PLUGIN_DIRS" >$ROOT/etc/vfkeeper/vfkeeper.conf

# on_pf INDEX: what the PF holds for the VF
on_pf() {
	local list
	list=$(ip link show "$PF")
	list=${list#*"    vf $1 "}
	echo "${list%%$'\n'*}"
}
# What the VFs are like, without our programs: driver, link, MTU, address, promiscuous and such,
# RDMA and verbs device, and what the PF holds.
look() {
	local i a l list line
	list=$(ip link show "$PF")
	for i in $VFS; do
		a=$(vf "$CARD" "$i") l=$(link_of "$a") line=${list#*"    vf $i "}
		echo -n "$(driver_of "$a") "
		[ -z "$l" ] || echo -n "$l $(<"/sys/class/net/$l/mtu") $(<"/sys/class/net/$l/address")" \
			"$(($(<"/sys/class/net/$l/flags") & 0x300)) $(rdma_of "$a") $(uverbs_of "$a") "
		echo "${line%%$'\n'*}"
	done
}

# attach INDEX POD [MEMBER...]: and looks whether the link is there and up
attach() {
	local a
	a=$(vf "$CARD" "$1")
	add "$2" net1 "/run/netns/$2" "$(conf "$a" "${@:3}")"
	answered 0
	link_in "$2" net1 | grep -q '[<,]UP[,>]'
	not has_link "$a"
}
refuse() { # INDEX POD WORDS [MEMBER...]: nothing is left behind
	add "$2" net1 "/run/netns/$2" "$(conf "$(vf "$CARD" "$1")" "${@:4}")"
	[ "$RC" != 0 ]
	says "$3"
	all_as_before
}
release() { # INDEX POD
	del "$2" net1 "/run/netns/$2" "$(conf "$(vf "$CARD" "$1")")"
	answered 0
}
