# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# The gate of the GUID manager (ibKubernetesEnabled and the marker in args.cni).
pod pod1
g=02:00:00:00:00:00:bb:62
n=0
m='"mellanox.infiniband.app":"configured"'
t() {
	CID=c$((++n))
	add "add-$1" < <(conf "$2")
	snap "attached-$1"
	del "del-$1" < <(conf "$2")
}
t enabled-no-marker '"ibKubernetesEnabled":true'
t enabled-marker-no-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m'}}'
t enabled-marker-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m',"guid":"'$g'"}}'
t enabled-marker-runtime-guid '"ibKubernetesEnabled":true,"args":{"cni":{'$m'}},"runtimeConfig":{"infinibandGUID":"'$g'"}'
t enabled-guid-no-marker '"ibKubernetesEnabled":true,"args":{"cni":{"guid":"'$g'"}}'
t enabled-other-marker '"ibKubernetesEnabled":true,"args":{"cni":{"mellanox.infiniband.app":"pending","guid":"'$g'"}}'
t disabled-marker-guid '"args":{"cni":{'$m',"guid":"'$g'"}}'
t enabled-all-with-pkey '"ibKubernetesEnabled":true,"pkey":"0x5","args":{"cni":{'$m',"guid":"'$g'","pkey":"0x5"}}'
snap end
