# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# Args.cni with values that are not strings, as other plugins' arguments are.
pod pod1
n=0
g='"guid":"02:00:00:00:00:00:bb:69"'
for a in "$g"',"vlan":5' "$g"',"ips":["10.0.0.1"]' "$g"',"x":{"y":1}' "$g"',"x":true' \
	"$g"',"x":null' '"guid":null' '"GUID":"02:00:00:00:00:00:bb:69"'; do
	CID=c$((++n))
	add "add-{$a}" < <(conf '"args":{"cni":{'"$a"'}}')
	if [ $RC = 0 ]; then
		snap "attached-{$a}"
		del "del-{$a}" < <(conf)
	fi
done
add args-null < <(conf '"args":null')
[ $RC = 0 ] && del d1 < <(conf)
add args-cni-null < <(conf '"args":{"cni":null}')
[ $RC = 0 ] && del d2 < <(conf)
snap end
