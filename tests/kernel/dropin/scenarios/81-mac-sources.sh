# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# Every place where a MAC can stand, alone and together.
pod pod1
k='"mac":"02:aa:aa:aa:aa:a1"'
r='"runtimeConfig":{"mac":"02:aa:aa:aa:aa:b2"}'
c=CNI_ARGS=MAC=02:aa:aa:aa:aa:c3
t() {
	try "$@"
	snap "after-$1"
}
t key "$k"
t runtime "$r"
t env '' $c
t env-lower '' "CNI_ARGS=IgnoreUnknown=1;mac=02:aa:aa:aa:aa:c4"
t args.cni.mac '"args":{"cni":{"mac":"02:aa:aa:aa:aa:d4"}}'
t key+runtime "$k,$r"
t key+env "$k" $c
t runtime+env "$r" $c
t all "$k,$r" $c
t upper '"mac":"02:AA:AA:AA:AA:E5"'
t runtime-empty "$k,"'"runtimeConfig":{"mac":""}'
