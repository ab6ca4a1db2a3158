# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# Several GUIDs at once: who wins.
pod pod1
n=0
t() {
	CID=c$((++n))
	add "add-$1" "${@:3}" < <(conf "$2")
	snap "attached-$1"
	del "del-$1" "${@:3}" < <(conf "$2")
}
a='"args":{"cni":{"guid":"02:00:00:00:00:00:bb:a1"}}'
r='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:b2"}'
c=CNI_ARGS=GUID=02:00:00:00:00:00:bb:c3
t='"guid":"02:00:00:00:00:00:bb:d4"'
m='"cni":{"mellanox.infiniband.app":"configured","guid":"02:00:00:00:00:00:bb:a1"}'
t args+runtime "$a,$r"
t args+runtime+env "$a,$r" $c
t args+env "$a" $c
t args+top "$a,$t"
t all "$a,$r,$t" $c
t runtime-empty+args "$a,"'"runtimeConfig":{"infinibandGUID":""}'
t runtime-bad+args "$a,"'"runtimeConfig":{"infinibandGUID":"zz"}'
t marker-args+runtime "\"ibKubernetesEnabled\":true,\"args\":{$m},$r"
