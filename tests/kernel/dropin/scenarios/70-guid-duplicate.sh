# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# The GUID is already carried by another VF; the same GUID again for the same VF.
pod pod1 pod2
x='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:70"}'
add add-vf0 < <(conf "$x")
VF=1 CID=c2 NETNS=/run/netns/pod2 add add-vf1-same-guid < <(VF=1 conf "$x")
snap both
VF=1 CID=c2 NETNS=/run/netns/pod2 del del-vf1 < <(VF=1 conf "$x")
del del-vf0 < <(conf "$x")
snap end
CID=c3
add add-own-guid < <(conf '"runtimeConfig":{"infinibandGUID":"'"$(hostguid 0)"'"}')
snap own
del del-own < <(conf)
snap after-own
