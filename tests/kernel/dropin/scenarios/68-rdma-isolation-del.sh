# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# RdmaIsolation: netns gone, mode changed, IPAM fails, second VF, killed.
x='"rdmaIsolation":true'
exclusive
pod pod1 pod2
add add < <(conf "$x")
ip netns del pod1
SETTLE=2 snap netns-gone
del del-netns-gone < <(conf "$x")
SETTLE=2 snap after-netns-gone
pod pod1
CID=c2
IPAM='{"type":"failipam"}' add add-ipam-fails < <(IPAM='{"type":"failipam"}' conf "$x")
SETTLE=0.6 snap after-ipam-fails
del del-ipam-fails < <(conf "$x")
SETTLE=0.6 snap after-del-ipam-fails
again
exclusive
pod pod1 pod2
IPAM='{"type":"hangipam"}'
CID=c3
KILL_WHEN=/tmp/ipam.hang add add-killed < <(conf "$x")
SETTLE=0.6 snap killed
IPAM=''
del del-killed < <(conf "$x")
SETTLE=0.6 snap after-del-killed
CID=c4 NETNS=/run/netns/pod2
add next < <(conf "$x")
SETTLE=0.6 snap next
del next-del < <(conf "$x")
again
exclusive
pod pod1
CID=c5
add add-a < <(conf "$x")
VF=1 IFN=net2 add add-b < <(VF=1 conf "$x")
SETTLE=0.6 snap two
VF=1 IFN=net2 del del-b < <(VF=1 conf "$x")
del del-a < <(conf "$x")
SETTLE=0.6 snap end
