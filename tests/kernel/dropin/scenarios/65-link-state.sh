# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Link_state.
pod pod1
n=0
for s in auto enable disable '' Enable bad; do
	CID=c$((++n))
	add "add-'$s'" < <(conf '"link_state":"'"$s"'"')
	snap "attached-'$s'"
	del "del-'$s'" < <(conf)
	snap "after-'$s'"
done
ip link set "$PF" vf 0 state disable
CID=c20
add add-preset-disable-none < <(conf)
del del-preset < <(conf)
snap after-preset-none
CID=c21
add add-preset-disable-enable < <(conf '"link_state":"enable"')
del del-preset-2 < <(conf)
snap after-preset-enable
