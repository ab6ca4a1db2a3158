# SPDX-License-Identifier: Apache-2.0
# In the guest: every scenario that is there for this kind of card; its steps go to /out.
here=$PWD
. ./t.sh
. ./node.sh
node_enter
. "$here/dropin/node.sh"
make_ipam
# The names of the other card are out of the way.
other=0002:3b:00.0
echo 0 >"$PCI/$other/sriov_numvfs"
ip link set "$(link_of $other)" down name other0
rdma dev set "$(rdma_of $other)" name other
for scenario in "$here"/scenarios/*.sh; do
	name=$(basename "$scenario" .sh)
	t=$SECONDS
	(
		reset_node
		. "$scenario"
	) >/tmp/said 2>&1
	steps=$(ls $W/*.label | wc -l)
	tar -C /tmp -cf "/out/$name.tar" w
	echo "$name: $((SECONDS - t)) s, $steps steps"
	sed 's/^/	/' /tmp/said
done
node_stop
exit 0
