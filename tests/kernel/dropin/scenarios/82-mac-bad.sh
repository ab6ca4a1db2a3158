# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# Bad MACs, with a VLAN beside them: how much was applied.
pod pod1
n=0
snap before
for m in zz 02:aa:aa:aa:aa 02:aa:aa:aa:aa:aa:aa 01:00:5e:00:00:01 \
	00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 02-aa-aa-aa-aa-82 02aaaaaaaa82 \
	02aa.aaaa.aa82 '' 02:00:00:00:00:00:bb:82; do
	CID=c$((++n))
	add "add-'$m'" < <(conf '"vlan":82,"mac":"'"$m"'"')
	snap "state-'$m'"
	del "del-'$m'" < <(conf)
	snap "after-'$m'"
	again
	pod pod1
done
