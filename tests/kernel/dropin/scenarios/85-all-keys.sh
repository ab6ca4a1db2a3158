# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# often: service
# Everything at once; a VF that had settings before; settings changed while the pod ran.
pod pod1
x='"vlan":85,"vlanQoS":2,"mac":"02:aa:aa:aa:aa:85","spoofchk":"off","trust":"on","min_tx_rate":10,"max_tx_rate":100,"link_state":"enable"'
add add-all < <(conf "$x")
snap all
del del-all < <(conf "$x")
snap after-all
ip link set "$PF" vf 0 mac 02:0e:0e:0e:0e:01
ip link set "$PF" vf 0 vlan 7 qos 1
ip link set "$PF" vf 0 spoofchk off
ip link set "$PF" vf 0 trust on
ip link set "$PF" vf 0 max_tx_rate 50
ip link set "$PF" vf 0 state disable
ip link set "$(vfname 0)" mtu 1400
CID=c2
snap preset
add add-on-preset < <(conf "$x")
snap attached-preset
del del-on-preset < <(conf "$x")
snap after-preset
CID=c3
add add-none-on-preset < <(conf)
snap attached-none
ip link set "$PF" vf 0 vlan 99
ip link set "$PF" vf 0 trust off
del del-none < <(conf)
snap after-none-changed
look_anew # what was changed under the pod is seen when the free VF is looked at
CID=c4
add add-none-2 < <(conf '"vlan":85')
ip link set "$PF" vf 0 mac 02:0e:0e:0e:0e:77
del del-mac-changed < <(conf)
snap after-mac-changed
