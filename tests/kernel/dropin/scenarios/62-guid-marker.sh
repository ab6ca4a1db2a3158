# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# The gate of the GUID manager (ibKubernetesEnabled and the marker in args.cni).
pod pod1
g=02:00:00:00:00:00:bb:62
m='"mellanox.infiniband.app":"configured"'
try enabled-no-marker '"ibKubernetesEnabled":true'
try enabled-marker-no-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m'}}'
try enabled-marker-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m',"guid":"'$g'"}}'
try enabled-marker-runtime-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m'}},"runtimeConfig":{"infinibandGUID":"'$g'"}'
try enabled-guid-no-marker '"ibKubernetesEnabled":true,"args":{"cni":{"guid":"'$g'"}}'
try enabled-other-marker '"ibKubernetesEnabled":true,"args":{"cni":{"mellanox.infiniband.app":"pending","guid":"'$g'"}}'
try disabled-marker-guid '"args":{"cni":{'$m',"guid":"'$g'"}}'
try enabled-all-with-pkey '"ibKubernetesEnabled":true,"pkey":"0x5","args":{"cni":{'$m',"guid":"'$g'","pkey":"0x5"}}'
snap end
