# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# often: service
# A failed ADD, then another pod: which GUID does the VF keep in the end.
pod pod1
snap before
CID=bad
IPAM='{"type":"failipam"}' add add-fails < <(IPAM='{"type":"failipam"}' conf '"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:71"}')
del del-fails < <(conf)
snap after-failed
CID=c2
add add-2 < <(conf '"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:cc:71"}')
snap attached-2
del del-2 < <(conf)
snap after-2
CID=c3
add add-no-guid < <(conf)
snap attached-3
del del-3 < <(conf)
snap end
