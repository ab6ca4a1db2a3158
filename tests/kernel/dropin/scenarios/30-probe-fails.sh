# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# The driver does not come back after the rebind.
pod pod1 pod2
x='"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:13"}'
probe fail 1
add add < <(conf "$x")
probe fail 0
snap after-add
del del < <(conf "$x")
snap after-del
add again < <(conf "$x")
snap after-again
del del-2 < <(conf "$x")
again
pod pod1
CID=c2
add add-2 < <(conf "$x")
probe fail 1
del del-probe-fails < <(conf "$x")
probe fail 0
snap after-del-probe-fails
del del-probe-again < <(conf "$x")
snap end
