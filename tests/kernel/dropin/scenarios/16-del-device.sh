# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# DEL with no deviceID, another deviceID, for something never added.
pod pod1
add add < <(conf)
D=- del del-no-device < <(D=- conf)
snap after-no-device
del del-proper < <(conf)
snap after-proper
CID=c2
add add-2 < <(conf)
VF=1 del del-other-device < <(VF=1 conf)
snap after-other-device
del del-proper-2 < <(conf)
snap after-proper-2
CID=c3 IFN=net7
del del-never-added < <(conf)
D=- del del-never-added-no-device < <(D=- conf)
D=0009:3b:00.1 del del-nonexistent-device < <(D=0009:3b:00.1 conf)
NETNS=/run/netns/none del del-never-added-netns-gone < <(conf)
snap end
