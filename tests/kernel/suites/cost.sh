# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12
# limit: 600
# suite: cost: what a call costs on InfiniBand and Ethernet VFs
. ./t.sh
CARD=0002:3b:00.0
. ./node.sh
. ./costnode.sh
. ./ethnode.sh
echo 'reconcile_s = 3600' >>$ROOT/etc/vfkeeper/vfkeeper.conf

GUID='"runtimeConfig":{"infinibandGUID":"02:00:00:00:be:00:00:01"}'
RDMA='"rdmaIsolation":true'
KEEP='"guidPolicy":"keep"'
counted() {
	local ib eth
	ib=$(vf $IB 0) eth=$(vf $CARD 0)
	pods p
	# what is done once: workers, sockets
	attach 0 p
	release 0 p
	cost_begin
	cost_kind 'InfiniBand, link alone' p "$(conf "$ib" "$KEEP")"
	cost_kind 'InfiniBand, RDMA device' p "$(conf "$ib" "$KEEP" "$RDMA")"
	cost_kind 'InfiniBand, GUID' p "$(conf "$ib" "$GUID")"
	cost_kind 'InfiniBand, GUID, RDMA device' p "$(conf "$ib" "$GUID" "$RDMA")"
	cost_kind 'Ethernet, link alone' p "$(conf "$eth")"
	cost_kind 'Ethernet, VLAN and MAC' p "$(conf "$eth" '"vlan":7,"mac":"02:00:00:00:be:01"')"
	cost_kind 'Ethernet, RDMA device' p "$(conf "$eth" "$RDMA")"
	cost_count 'VFs of cards, Linux 6.12'
}
# A list has all VFs of the PF.  The kernel tells a VF's settings on the PF in no other way, so
# one is read back after each change of them, and looked at before they are restored.
lists() {
	local call
	for call in 'InfiniBand, '{'link alone','RDMA device','GUID','GUID, RDMA device'} \
		'Ethernet, '{'link alone','RDMA device'}; do
		cost_lists "ADD $call" 0
		cost_lists "DEL $call" 0
	done
	cost_lists 'ADD Ethernet, VLAN and MAC' 1
}

service_start
t_case "cost: every call succeeds, and nothing that was counted is lost" counted
t_case "cost: no list of VFs is asked for, but after a setting on an Ethernet PF" lists
t_case "cost: COST has what a call costs ('make cost' writes it anew)" cost_same
node_stop
node_end
