# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service
# The same ADD again; another container for a VF in use; one container with the same name
# for two VFs; two names.
pod pod1 pod2
IPAM='{"type":"okipam"}'
add add-1 < <(conf)
add add-again < <(conf)
snap after-again
del del-1 < <(conf)
snap after-del-1
again
pod pod1 pod2
IPAM='{"type":"okipam"}'
add add-2 < <(conf)
CID=c2 NETNS=/run/netns/pod2 add vf-in-use < <(conf)
snap after-in-use
CID=c2 NETNS=/run/netns/pod2 del del-in-use-loser < <(conf)
snap after-del-loser
del del-2 < <(conf)
snap after-del-2
again
pod pod1 pod2
IPAM='{"type":"okipam"}'
add add-3 < <(conf)
VF=1 add same-name-other-vf < <(VF=1 conf)
snap after-same-name
VF=1 del del-same-name < <(VF=1 conf)
snap after-del-same-name
again
pod pod1 pod2
IPAM='{"type":"okipam"}'
add add-4 < <(conf)
IFN=net2 add second-name-same-vf < <(conf)
snap after-second-name
IFN=net2 del del-second-name < <(conf)
snap after-del-second
del del < <(conf)
snap end
