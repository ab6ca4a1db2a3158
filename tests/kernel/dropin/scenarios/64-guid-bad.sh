# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# GUIDs of every wrong shape; the VF before and after.
pod pod1
snap before
n=0
for g in 00:00:00:00:00:00:00:00 ff:ff:ff:ff:ff:ff:ff:ff FF:FF:FF:FF:FF:FF:FF:FF 02:00:00:00:00:00:BB:64 \
	02-00-00-00-00-00-bb-64 020000000000bb64 0x020000000000bb64 02:00:00:00:00:bb:64 \
	02:00:00:00:00:00:00:bb:64 02:00:00:00:00:00:bb:6 0200:0000:0000:bb64 ' 02:00:00:00:00:00:bb:64' 02:00:00:00:00:00:bb:64' ' \
	01:00:00:00:00:00:bb:64; do
	CID=c$((++n))
	add "add-'$g'" < <(conf '"runtimeConfig":{"infinibandGUID":"'"$g"'"}')
	[ $RC = 0 ] && snap "attached-'$g'"
	del "del-'$g'" < <(conf)
done
snap end
