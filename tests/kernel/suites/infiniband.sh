# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# suite: infiniband: attach and release of InfiniBand VFs
. ./t.sh
. ./node.sh
rdma system set netns exclusive
node_enter
PF=$(link_of $IB)
printf '[vfkeeper]\nplugin_dirs = %s\n' "$PLUGIN_DIRS" >$ROOT/etc/vfkeeper/vfkeeper.conf
GUID0=02:00:00:00:00:00:ff # and two digits

# What a VF looks like, without our programs: link, MTU, port GUID, RDMA device, node GUID, and
# what the PF holds for it.
look() { # INDEX
	local a l r
	a=$(vf $IB "$1") l=$(link_of "$a") r=$(rdma_of "$a")
	echo "$l $(<"/sys/class/net/$l/mtu") $(guid_of "$l") $r $(<"/sys/class/infiniband/$r/node_guid") $(uverbs_of "$a")" \
		"$(ip link show "$PF" | grep "vf $1 " | grep -o 'NODE_GUID.*')"
}
remember() { for i in 0 1 2 3; do look $i; done >/tmp/before; }
as_before() {
	for i in 0 1 2 3; do look $i; done >/tmp/now 2>&1
	cmp -s /tmp/before /tmp/now || {
		diff /tmp/before /tmp/now
		return 1
	}
}
is_free() { [ "$(state_of "$1")" = FREE ]; }
all_as_before() {
	local i
	for i in 0 1 2 3; do within 20 is_free "$(vf $IB $i)"; done
	within 20 as_before || as_before
}

guid() { echo "\"rdmaIsolation\":true,\"runtimeConfig\":{\"infinibandGUID\":\"$GUID0:$1\"}"; }
pods() {
	local n
	for n; do ip netns add "$n"; done
}
unpods() {
	local n
	for n; do ip netns del "$n"; done
}

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

life() {
	pods a b
	attach 0 a 01
	attach 1 b 02
	ip -n a addr add 10.9.0.1/24 dev net1
	ip -n b addr add 10.9.0.2/24 dev net1
	within 20 ip netns exec a ping -c 1 -W 2 10.9.0.2
	# the VF has an owner
	add other net1 /run/netns/b "$(conf "$(vf $IB 0)" "$(guid 09)")"
	answered 11
	release 0 a
	release 1 b
	all_as_before
	release 0 a # again
	all_as_before
	unpods a b
}

service_up() { service_start; }
remember
t_case "infiniband: the service starts and finds the VFs" service_up
t_case "infiniband: attach, ping, release, with the service" life
node_stop
t_case "infiniband: the same with an engine on demand" life
node_stop
node_end
