# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# suite: programs: what was built, and programs of the host, in the guest
. ./t.sh
. ./node.sh
node_enter

tools() {
	ip -V | grep -q iproute2
	rdma dev | grep -q mlx5_
	nsenter --version | grep -q util-linux
}

python() {
	python3 - <<-'P'
		import json, os, socket
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
		s.bind((0, 0))
		assert json.loads('{"a": [1]}')["a"] == [1]
		assert len(os.listdir("/sys/class/infiniband")) == 34
	P
}

ipam() { # VERB CONTAINER NETNS
	env CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_IFNAME=net1 CNI_NETNS="$3" \
		CNI_PATH=$ROOT/gobin $ROOT/gobin/host-local <<-C
			{"cniVersion":"1.0.0","name":"n","type":"x",$(host_local 10.70.0.0/24)}
		C
}
plugin() {
	ip netns add h
	ipam ADD one /run/netns/h | grep -q '"address": "10.70.0.2/24"'
	ipam ADD two /run/netns/h | grep -q '"address": "10.70.0.3/24"'
	want "$(leases)" 2
	ipam DEL one /run/netns/h
	ipam DEL two /run/netns/h
	want "$(leases)" 0
	ip netns del h
}

# life HOST: a simulated VF of the engine's own, beside the cards that the guest has.
life() {
	local ipam='"mtu":1400'
	[ $has_go = no ] || ipam=$(host_local 10.71.0.0/24)
	ip netns add "p$1"
	add one net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 1)" "$ipam")"
	answered 0
	link_in "p$1" net1 | grep -q '[<,]UP[,>]'
	[ $has_go = no ] || want "$(leases) $(addr_in "p$1" net1)" "1 10.71.0.${1}/24"
	"$VFCTL" show "$(vf_addr 0 1)" | grep -q ATTACHED
	del one net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 1)" "$ipam")"
	answered 0
	within 20 all_free_again
	want "$(leases)" 0
	"$REPLAY" -d $ROOT/var/lib/vfkeeper/journal --verify
	ip netns del "p$1"
}
with_service() {
	service_start
	life 2
	node_stop
}
on_demand() {
	life 3
	node_stop
}

t_case "programs: ip, rdma and nsenter of the host" tools
t_case "programs: python, with sockets and sysfs" python
if [ $has_go = yes ]; then
	t_case "programs: host-local gives and takes addresses" plugin
else
	t_skip "programs: host-local gives and takes addresses" "it is not built (no Go 1.23 or newer)"
fi
sim_node 1 4
write_config
t_case "programs: vfkeeper, vfkeeperd, vfctl and vfkeeper-replay, simulated VF" with_service
t_case "programs: the same with an engine on demand" on_demand
node_end
