# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib
# RdmaIsolation in shared and exclusive mode.
pod pod1
x='"rdmaIsolation":true'
add add-shared < <(conf "$x")
snap after-shared
del del-shared < <(conf "$x")
again
exclusive
pod pod1
CID=c2
add add-exclusive < <(conf "$x")
snap attached
del del-exclusive < <(conf "$x")
SETTLE=0.6 snap after
CID=c3
add add-guid < <(conf "$x,"'"runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:67"}')
snap attached-guid
del del-guid < <(conf "$x")
SETTLE=0.6 snap after-guid
CID=c4
add add-not-isolated < <(conf)
snap attached-not-isolated
del del-not-isolated < <(conf)
SETTLE=0.6 snap after-not-isolated
