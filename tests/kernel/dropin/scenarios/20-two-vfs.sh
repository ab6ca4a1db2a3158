# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Two VFs in one pod, released in reverse order and crosswise.
pod pod1
add add-net1 < <(conf)
VF=1 IFN=net2 add add-net2 < <(VF=1 conf)
snap both
VF=1 IFN=net2 del del-net2 < <(VF=1 conf)
del del-net1 < <(conf)
snap end
