# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For suites that attach InfiniBand VFs, after node.sh: what a VF is like is asked with ip,
# rdma and sysfs alone.
rdma system set netns exclusive
node_enter
CARD=${CARD:-$IB}
PF=$(link_of $IB)
printf '[vfkeeper]\nplugin_dirs = %s\n' "$PLUGIN_DIRS" >$ROOT/etc/vfkeeper/vfkeeper.conf
GUID0=02:00:00:00:00:00:ff # and two digits

# What VFs 0 to 3 are like, without our programs: link, MTU, modes, port GUID, RDMA device, its node
# GUID, verbs device, and what the PF holds for them.  One program: they are slow in a guest.
look() {
	local i a l r list line
	list=$(ip link show "$PF")
	for i in 0 1 2 3; do
		a=$(vf $IB $i) l=$(link_of "$a") r=$(rdma_of "$a")
		line=${list#*vf $i }
		echo "$l $(<"/sys/class/net/$l/mtu") $(<"/sys/class/net/$l/mode")" \
			"$(($(<"/sys/class/net/$l/flags") & 0x300)) $(guid_of "$l") $r" \
			"$(<"/sys/class/infiniband/$r/node_guid") $(uverbs_of "$a") NODE_GUID${line#*NODE_GUID}" |
			while read -r line; do echo "$line" && break; done
	done
}
guid() { echo "\"rdmaIsolation\":true,\"runtimeConfig\":{\"infinibandGUID\":\"$GUID0:$1\"}"; }

# attach INDEX POD LAST [MEMBER]: and looks whether everything is as asked for
attach() {
	local a
	a=$(vf $IB "$1")
	add "$2" net1 "/run/netns/$2" "$(conf "$a" "$(guid "$3")" ${4:+"$4"})"
	answered 0
	link_in "$2" net1 | grep -q '[<,]UP[,>]'
	[[ $(link_in "$2" net1) == *link/infiniband\ *:$GUID0:$3\ brd* ]]
	[[ $OUT == *:$GUID0:$3\"* ]]
	want "$(ip netns exec "$2" rdma dev | grep -c mlx5)" 1
	ip netns exec "$2" rdma dev | grep -q "node_guid 0200:0000:0000:ff$3"
	not has_link "$a"
}
release() { # INDEX POD
	del "$2" net1 "/run/netns/$2" "$(conf "$(vf $IB "$1")")"
	answered 0
}

# started OP COUNT: the card was given more of these commands
started() { [ "$(<"$DBG/$IB/ops/$1/count")" -gt "$2" ]; }

# Makes all VFs of all PFs, each with a GUID of its own before it is probed for the first time;
# ALL: their PCI addresses.
make_vfs() {
	local p l i n k=0 a
	ALL=()
	for p in $PCI/*:3b:00.0; do
		n=$(<"$p/sriov_totalvfs") l=$(first_of "$p/net") k=$((k + 1))
		echo 0 >"$p/sriov_drivers_autoprobe"
		echo "$n" >"$p/sriov_numvfs"
		echo 1 >"$p/sriov_drivers_autoprobe"
		for ((i = 0; i < n; i++)); do
			printf "link set $l vf %d node_guid 02:00:00:00:0$k:01:00:%02x\n" $i $i
			printf "link set $l vf %d port_guid 02:00:00:00:0$k:00:00:%02x\n" $i $i
			ALL+=("$(vf "${p##*/}" $i)")
		done >>/tmp/guids
	done
	ip -batch /tmp/guids || return
	for ((i = 0; i < ${#ALL[@]}; i += 64)); do # each process waits for the kernel
		for a in "${ALL[@]:i:64}"; do
			echo "$a" >$DRV/bind &
		done
		wait
	done
}
