# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# often: service
# Every place where a GUID can stand, one at a time.
pod pod1
g=02:00:00:00:00:00:bb:61
t() {
	try "$@"
	snap "after-$1"
}
t args.cni.guid '"args":{"cni":{"guid":"'$g'"}}'
t runtimeConfig.infinibandGUID '"runtimeConfig":{"infinibandGUID":"'$g'"}'
t CNI_ARGS-GUID '' CNI_ARGS=GUID=$g
t CNI_ARGS-guid-ignoreunknown '' "CNI_ARGS=IgnoreUnknown=1;guid=$g"
t top-level-guid '"guid":"'$g'"'
t top-level-infinibandGUID '"infinibandGUID":"'$g'"'
t mac-runtime '"runtimeConfig":{"mac":"'$g'"}'
