# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Another link took the VF's host name while the pod ran.
pod pod1
n=$(vfname 0)
add add < <(conf)
ip link add "$n" address 02:0d:00:00:00:02 type dummy
snap name-taken
del del-1 < <(conf)
snap after-1
del del-2 < <(conf)
snap after-2
ip link del "$n" type dummy 2>/dev/null
del del-3 < <(conf)
snap end
