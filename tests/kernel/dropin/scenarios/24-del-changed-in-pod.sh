# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service
# The application changed the interface: name, MTU, address, promiscuous, up; then DEL.
pod pod1
add add-renamed < <(conf)
ip -n pod1 link set net1 down
ip -n pod1 link set net1 name foo
del del-renamed < <(conf)
snap after-renamed
del del-renamed-again < <(conf)
snap after-renamed-again
ip -n pod1 link set foo netns 1 2>/dev/null
again
pod pod1
CID=c2
add add-mtu < <(conf)
ip -n pod1 link set net1 mtu 1400 promisc on allmulticast on
ip -n pod1 link property add dev net1 altname tenantname
[ $KIND = ib ] || {
	ip -n pod1 link set net1 down
	ip -n pod1 link set net1 address 02:de:ad:be:ef:01
	ip -n pod1 link set net1 up
}
snap changed
del del-mtu < <(conf)
snap after-changed
note flags "$(ip link show "$(vfname 0)" | grep -o "<.*> mtu [0-9]*")"
