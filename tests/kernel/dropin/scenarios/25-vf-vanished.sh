# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The VFs are destroyed under the pod; the driver is unbound under the pod.
pod pod1
IPAM='{"type":"okipam"}'
d=$(vfpci 0)
add add < <(conf)
echo 0 >"$PFDIR/sriov_numvfs"
SNAPVFS=0 snap vanished
D=$d del del-1 < <(D=$d conf)
SNAPVFS=0 snap after-1
D=$d del del-2 < <(D=$d conf)
again
pod pod1
CID=c2
add add-unbound < <(conf)
echo "$d" >"$PFDIR/virtfn0/driver/unbind"
snap unbound
del del-unbound < <(conf)
snap after-unbound
del del-unbound-again < <(conf)
again
pod pod1
CID=c3
echo "$d" >"$PFDIR/virtfn0/driver/unbind"
add add-no-driver < <(conf)
snap no-driver
del del-no-driver < <(conf)
