# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The card says yes and stores nothing (twice, then for good).
pod pod1
case $KIND in
ib) x='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:12"}' ;;
eth) x='"mac":"02:aa:aa:aa:aa:12"' ;;
esac
card ignore 2
add add-2 < <(conf "$x")
snap attached-2
del del-2 < <(conf "$x")
snap after-2
CID=c2
card ignore 1000
add add-1000 < <(conf "$x")
snap attached-1000
card ignore 0
del del-1000 < <(conf "$x")
snap end
