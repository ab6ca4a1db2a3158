# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service
# CHECK, GC, STATUS.
pod pod1
CNIV=1.0.0
IPAM='{"type":"okipam"}'
call check-without-add CHECK < <(conf)
add add < <(conf)
pr="\"prevResult\":$(<"$S.stdout")"
call check-good CHECK < <(conf "$pr")
call check-no-prevresult CHECK < <(conf)
ip -n pod1 addr flush dev net1
call check-address-lost CHECK < <(conf "$pr")
ip -n pod1 link set net1 down
ip -n pod1 link set net1 name other
call check-interface-renamed CHECK < <(conf "$pr")
ip -n pod1 link set other name net1
call check-0.3.1 CHECK < <(CNIV=0.3.1 conf "$pr")
NETNS=/run/netns/none call check-netns-gone CHECK < <(conf "$pr")
for CNIV in 0.4.0 1.0.0 1.1.0; do
	call "gc-$CNIV-keep" GC < <(conf '"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"net1"}]')
	call "status-$CNIV" STATUS < <(conf)
done
snap before-gc
CNIV=1.1.0
call gc-drop-all GC < <(conf '"cni.dev/valid-attachments":[]')
call gc-no-list GC < <(conf)
D=- call gc-no-device GC < <(D=- conf '"cni.dev/valid-attachments":[]')
D=- call status-no-device STATUS < <(D=- conf)
D=0009:3b:00.1 call status-bad-device STATUS < <(D=0009:3b:00.1 conf)
snap after-gc
CNIV=1.0.0
del del < <(conf)
snap end
