# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# The VF has no GUID and nobody gives one; then one is given: what comes back at DEL.
for i in 0 1; do
	ip link set "$PF" vf $i node_guid 00:00:00:00:00:00:00:00
	ip link set "$PF" vf $i port_guid 00:00:00:00:00:00:00:00
	rebind "$(vfpci $i)"
done
pod pod1
snap before
add add-no-guid < <(conf)
snap after-no-guid
del del-no-guid < <(conf)
CID=c2
add add-with-guid < <(conf '"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:60"}')
snap attached
del del-with-guid < <(conf)
snap after
CID=c3
add add-after < <(conf)
del del-after < <(conf)
