# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service
# Interface names: length, characters, taken in the pod.
pod pod1
for IFN in n23456789012345 n234567890123456 'a/b' . .. 'a b' a:b 'ünï' lo; do
	add "add-$IFN" < <(conf)
	r=$RC
	[ $r = 0 ] || snap "state-$IFN"
	del "del-$IFN" < <(conf)
done
again
pod pod1
CID=c2
snap before-taken
ip -n pod1 link add net1 address 02:0d:00:00:00:01 type dummy
ip -n pod1 addr add 10.1.1.1/24 dev net1
ip -n pod1 link set net1 up
add add-taken < <(conf)
snap after-taken
del del-taken < <(conf)
snap after-del-taken
