#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfctl doctor on a tree that is like a node of ib-sriov-cni and sriov-cni: what is wrong there is
# named, and what is right is not.

. "$(dirname "$0")/lib.sh"
world_enter "$@"

vfctl() {
	OUT=$("$VFCTL" "$@" 2>$ROOT/vfctl.err)
	RC=$?
	ERR=$(cat $ROOT/vfctl.err)
}
SYS=$ROOT/fake/sys PROC=$ROOT/fake/proc CNI=$ROOT/var/lib/cni
LIVE=$(printf 'a%.0s' {1..64}) DEAD=$(printf 'b%.0s' {1..64}) DEAD2=$(printf 'c%.0s' {1..64})

# pf ADDRESS
pf() { mkdir -p $SYS/devices/$1 $SYS/bus/pci/devices; ln -sfn ../../../devices/$1 $SYS/bus/pci/devices/$1; }
# vf PF INDEX ADDRESS DRIVER LINK GUID ("" for none)
vf() {
	local dir=$SYS/devices/$3
	mkdir -p $dir $SYS/bus/pci/drivers
	ln -sfn ../../../devices/$3 $SYS/bus/pci/devices/$3
	ln -sfn ../$1 $dir/physfn
	ln -sfn ../$3 $SYS/devices/$1/virtfn$2
	[ -z "$4" ] || { mkdir -p $SYS/bus/pci/drivers/$4; ln -sfn ../../bus/pci/drivers/$4 $dir/driver; }
	[ -z "$5" ] || { mkdir -p $dir/net/$5; printf '00:00:10:29:fe:80:00:00:00:00:00:00:%s\n' "$6" >$dir/net/$5/address; }
	[ -z "$6" ] || { mkdir -p $SYS/devices/$1/sriov/$2; echo "$6" >$SYS/devices/$1/sriov/$2/port; }
}
process() { mkdir -p $PROC/$1; echo "0::/kubepods.slice/cri-containerd-$2.scope" >$PROC/$1/cgroup; }
cache() { # PLUGIN CONTAINER DEVICE
	mkdir -p $CNI/$1
	printf '{"HostIFNames":"ib4","Master":"ib0","VFID":3,"cniVersion":"0.3.1","deviceID":"%s","name":"n","type":"%s"}' \
		"$3" "$1" >$CNI/$1/$2-net1
}
found() { matches "$1" "$(tr '\n' ' ' <<<"$OUT")"; }
hidden() { lacks "$1" "$(tr '\n' ' ' <<<"$OUT")"; }
no_writes() { is "$1" "$(cd $ROOT && find fake var run etc -type f -print0 | sort -z | xargs -0 md5sum | md5sum)"; }

SIM=
write_config "sysfs_root = $SYS" "proc_root = $PROC"
sed -i '/^sim = /d' $ROOT/etc/vfkeeper/vfkeeper.conf
mkdir -p $SYS/class/infiniband/mlx5_0 $SYS/class/infiniband/mlx5_1 $SYS/module/ib_core/parameters
echo N >$SYS/module/ib_core/parameters/netns_mode
pf 0000:3b:00.0
vf 0000:3b:00.0 0 0000:3b:00.1 mlx5_core ib4 02:00:00:00:00:00:00:01
process 100 "$LIVE"

vfctl doctor
check "a node without fault has no finding" is "0:" "$RC:$ERR"
check "it says so" found '0 problems, 0 warnings'
check "with the mode of RDMA" found 'ok +rdma +exclusive mode, 2 devices'

echo Y >$SYS/module/ib_core/parameters/netns_mode
vf 0000:3b:00.0 1 0000:3b:00.2 mlx5_core "" 02:00:00:00:00:00:00:02
vf 0000:3b:00.0 2 0000:3b:00.3 mlx5_core "" 02:00:00:00:00:00:00:03
vf 0000:3b:00.0 3 0000:3b:00.4 mlx5_core ib7 02:00:00:00:00:00:00:01
vf 0000:3b:00.0 4 0000:3b:00.5 mlx5_core ib8 00:00:00:00:00:00:00:00
vf 0000:3b:00.0 5 0000:3b:00.6 "" "" 02:00:00:00:00:00:00:06
vf 0000:3b:00.0 6 0000:3b:00.7 vfio-pci "" 02:00:00:00:00:00:00:07
cache ib-sriov "$LIVE" 0000:3b:00.2
cache ib-sriov "$DEAD" 0000:3b:00.3
cache ib-sriov "$DEAD2" 0000:af:00.1
printf '{"cniVersion":"0.3.1","name":"n","type":"ib-sriov"}' >$CNI/ib-sriov/$LIVE-net2
printf '{"deviceID":"0000:3b' >$CNI/ib-sriov/$LIVE-net3
cache sriov "$LIVE" 0000:af:00.2
mkdir -p $CNI/sriov/pci $CNI/networks/ibnet
printf '/var/run/netns/gone' >$CNI/sriov/pci/0000:3b:00.4
printf '%s\r\nnet1' "$LIVE" >$CNI/networks/ibnet/10.0.0.2
printf '%s\r\nnet1' "$DEAD" >$CNI/networks/ibnet/10.0.0.3
printf '10.0.0.3' >$CNI/networks/ibnet/last_reserved_ip.0
: >$CNI/networks/ibnet/lock
before=$(cd $ROOT && find fake var run etc -type f -print0 | sort -z | xargs -0 md5sum | md5sum)

vfctl doctor
check "one with faults ends with exit status 1" is 1 "$RC"
check "shared RDMA devices, and what they cost" found 'warning +rdma .*every pod costs 42 KB'
check "a VF whose container is dead is leaked" found 'problem +leak +VF 0000:3b:00.3 is leaked'
check "one whose container lives is not" hidden 'VF 0000:3b:00.2 is leaked'
check "nor is one for user space" hidden 'VF 0000:3b:00.7'
check "a VF without driver" found 'problem +leak +VF 0000:3b:00.6 is bound to no driver'
check "a GUID that two have" found \
	'problem +guid +VFs 0000:3b:00.(1 and 0000:3b:00.4|4 and 0000:3b:00.1) have the same GUID'
check "a GUID of zeros" found 'warning +guid +VF 0000:3b:00.5 has the GUID 00:00'
check "an orphan cache" found "$DEAD-net1 is an orphan: container bbbbbbbbbbbbb does not live"
check "a live one is none" hidden "$LIVE-net1 is an orphan"
check "a cache without device" found "$LIVE-net2 names no device"
check "a torn cache" found "problem +cache .*$LIVE-net3 cannot be read"
check "a VF that is gone from the bus" found 'has VF 0000:af:00.2 by .*which is not on the bus'
check "an allocation of a namespace that is gone" found \
	'VF 0000:3b:00.4 is in use by /var/run/netns/gone, which is gone'
check "addresses without a pod" found 'network ibnet: 1 of 2 leases are of containers .*\(10.0.0.3\)'
check "what to do is said" found '-> give the VF a GUID'
vfctl --json doctor
check "the same in JSON" matches '"check": "leak".*"problems": [1-9]' "$(tr '\n' ' ' <<<"$OUT")"
check "nothing was written" no_writes "$before"

rm -r $PROC/100
vfctl doctor
check "where no container can be seen none is called dead" hidden 'is an orphan'
check "and that is said" found 'warning +containers'
finish
