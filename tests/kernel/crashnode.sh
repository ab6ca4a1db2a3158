# SPDX-License-Identifier: Apache-2.0
# In a guest, for tests/crash/crash.py: two VFs of PF $VFK_CRASH_PF, each with a GUID of its own
# if it is for InfiniBand, and none of other PFs; made anew each time that it is run.
set -e
. "$top_srcdir/tests/kernel/t.sh"
for n in $PCI/*/sriov_numvfs; do echo 0 >"$n"; done
pf=$PCI/$VFK_CRASH_PF link=$(link_of "$VFK_CRASH_PF")
echo 0 >"$pf/sriov_drivers_autoprobe"
echo 2 >"$pf/sriov_numvfs"
echo 1 >"$pf/sriov_drivers_autoprobe"
for i in 0 1; do
	if [ "$VFK_CRASH_CARD" = ib ]; then
		ip link set "$link" vf $i node_guid "02:00:00:00:00:01:00:0$i"
		ip link set "$link" vf $i port_guid "02:00:00:00:00:00:00:0$i"
	fi
	a=$(vf "$VFK_CRASH_PF" $i)
	echo "$a" >$DRV/bind
	within 20 has_link "$a"
	within 20 has_rdma "$a"
done
