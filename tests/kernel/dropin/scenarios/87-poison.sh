# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# often: service
# Failed ADDs with settings, then a plain pod: what does the VF keep.
pod pod1
IPAM='{"type":"failipam"}'
CID=bad
add add-fails < <(conf '"vlan":187,"mac":"02:aa:aa:aa:aa:87","trust":"on","max_tx_rate":100')
snap after-failed
del del-fails < <(conf)
snap after-del-failed
IPAM=''
CID=c2
add add-2 < <(conf '"vlan":287,"mac":"02:bb:bb:bb:bb:87"')
del del-2 < <(conf)
snap after-2
CID=c3
add add-plain < <(conf)
snap attached-3
del del-3 < <(conf)
snap end
