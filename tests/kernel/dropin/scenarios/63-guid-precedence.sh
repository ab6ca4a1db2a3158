# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# Several GUIDs at once: who wins.
pod pod1
a='"args":{"cni":{"guid":"02:00:00:00:00:00:bb:a1"}}'
r='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:b2"}'
c=CNI_ARGS=GUID=02:00:00:00:00:00:bb:c3
t='"guid":"02:00:00:00:00:00:bb:d4"'
m='"cni":{"mellanox.infiniband.app":"configured","guid":"02:00:00:00:00:00:bb:a1"}'
try args+runtime "$a,$r"
try args+runtime+env "$a,$r" $c
try args+env "$a" $c
try args+top "$a,$t"
try all "$a,$r,$t" $c
try runtime-empty+args "$a,"'"runtimeConfig":{"infinibandGUID":""}'
try runtime-bad+args "$a,"'"runtimeConfig":{"infinibandGUID":"zz"}'
try marker-args+runtime "\"ibKubernetesEnabled\":true,\"args\":{$m},$r"
