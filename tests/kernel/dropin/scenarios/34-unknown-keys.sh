# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Keys of others, prevResult, null.
pod pod1
x='"mtu":1500,"vlan_id":5,"bridge":"br0","promisc":true,"allmulti":true,"rdmaDeviceName":"mlx5_0"'
x+=',"disableCheck":true,"isGateway":true,"mode":"connected","pKey":"0x8001"'
add foreign < <(conf "$x")
snap foreign
del del-1 < <(conf)
x='"prevResult":{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/pod1"}]'
x+=',"ips":[{"version":"4","interface":0,"address":"10.1.0.2/24"}],"dns":{}}'
add prevResult < <(conf "$x")
snap prev
del del-2 < <(conf)
add bad-prevResult < <(conf '"prevResult":"x"')
[ $RC = 0 ] && del del-3 < <(conf)
x='"capabilities":{"infinibandGUID":true,"mac":true,"ips":true}'
x+=',"runtimeConfig":{"ips":["10.7.0.7/24"],"unknown":[1,2]}'
add capabilities < <(conf "$x")
snap caps
del del-4 < <(conf)
