# SPDX-License-Identifier: Apache-2.0
# layout: ib
# kernel: 6.12 6.1
# RDMA devices in network namespaces.
. ./t.sh

shared() {
	rdma system show | grep -q 'netns shared'
	ip netns add s
	fails "not supported" rdma dev set "$(rdma_of "$(vf $IB 0)")" netns s
	want "$(ip netns exec s rdma dev | wc -l)" 34
	fails "busy" rdma system set netns exclusive # a second namespace exists
	ip netns del s
	within 5 rdma system set netns exclusive
	rdma system show | grep -q 'netns exclusive'
}

device_first() {
	local a r l index u
	provision $IB 1 31
	a=$(vf $IB 1) r=$(rdma_of "$(vf $IB 1)") l=$(link_of "$(vf $IB 1)")
	index=$(index_of "$l") u=$(uverbs_of "$a")
	ip netns add x1
	rdma dev set "$r" netns x1
	want "$(rdma_of "$a")" ''
	within 5 has_link "$a"
	l=$(link_of "$a")
	[ "$(index_of "$l")" != "$index" ] # made anew, in the first namespace
	ip link set "$l" netns x1 name net1
	ip -n x1 link set net1 up
	within 5 carrier net1 x1
	want "$(uverbs_of "$a")" "$u"
	fails "not permitted" ./uvwatch /dev/infiniband/"$u" 0
	ip netns exec x1 ./uvwatch /dev/infiniband/"$u" 0
}

dies_with_both() {
	local a
	a=$(vf $IB 1)
	index=$(ip netns exec x1 cat /sys/class/net/net1/ifindex)
	ip netns del x1
	within 10 has_rdma "$a"
	within 10 has_link "$a"
	[ "$(index_of "$(link_of "$a")")" != "$index" ]
	want "$(guid_of "$(link_of "$a")")" 02:00:00:00:00:00:00:31
	[[ $(link_of "$a") == ib* ]]
}

link_first() { # the wrong order: the link in the namespace is destroyed
	local a
	a=$(vf $IB 2)
	ip netns add x2
	ip link set "$(link_of "$a")" netns x2 name net1
	ip -n x2 link set net1 up
	rdma dev set "$(rdma_of "$a")" netns x2
	fails "not exist" ip -n x2 link show net1
	within 5 has_link "$a"
	ip netns del x2
	within 10 has_rdma "$a"
}

held() { # a process keeps the namespace, and all that is in it
	local a p
	a=$(vf $IB 3)
	ip netns add x3
	rdma dev set "$(rdma_of "$a")" netns x3
	ip netns exec x3 sleep 60 &
	p=$!
	sleep 0.3
	ip netns del x3
	sleep 1
	want "$(rdma_of "$a")" ''
	kill $p
	within 10 has_rdma "$a"
}

open_device() { # whoever has it open in the old namespace learns that it is gone
	local a p
	a=$(vf $IB 4)
	ip netns add x4
	./uvwatch /dev/infiniband/"$(uverbs_of "$a")" 20 >/tmp/uv &
	p=$!
	within 5 grep -q ready /tmp/uv
	rdma dev set "$(rdma_of "$a")" netns x4
	wait $p
	grep -q 'event 8 ' /tmp/uv
	ip netns del x4
	within 10 has_rdma "$a"
}

vanishes() { # VFs are removed while one is in a namespace
	local a
	a=$(vf $IB 5)
	ip netns add x5
	rdma dev set "$(rdma_of "$a")" netns x5
	within 5 has_link "$a"
	ip link set "$(link_of "$a")" netns x5 name net1
	echo 0 >$PCI/$IB/sriov_numvfs
	fails "not exist" ip -n x5 link show net1
	want "$(ip netns exec x5 rdma dev | wc -l)" 0
	ip netns del x5
	echo 6 >$PCI/$IB/sriov_numvfs
	has_rdma "$(vf $IB 5)"
}

t_case "rdma: shared mode: all see all, nothing moves" shared
t_case "rdma: exclusive mode: the device moves and IPoIB is made anew" device_first
t_case "rdma: both return, made anew, when the namespace dies" dies_with_both
t_case "rdma: the link first is the wrong order" link_first
t_case "rdma: a process in the namespace keeps the device there" held
t_case "rdma: an open device learns that it has gone" open_device
t_case "rdma: VFs can be removed from under a namespace" vanishes
t_end
