# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# Pkey values: what is looked at, what is stored, what is programmed.
pod pod1
n=0
for k in 0x8001 0x5 5 '' 0xfffff notakey; do
	CID=c$((++n))
	add "add-'$k'" < <(conf '"pkey":"'"$k"'"')
	[ $RC = 0 ] && snap "attached-'$k'"
	del "del-'$k'" < <(conf)
done
note pkeys "$(cat "$PFDIR"/virtfn0/infiniband/*/ports/1/pkeys/0)"
CID=c20
add add-args-pkey < <(conf '"args":{"cni":{"pkey":"0x5"}}')
snap args
del del-args < <(conf)
