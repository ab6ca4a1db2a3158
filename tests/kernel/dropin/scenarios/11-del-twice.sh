# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# DEL repeated, as the runtimes do.
pod pod1
IPAM='{"type":"okipam"}'
add add < <(conf)
del del-1 < <(conf)
snap after-1
del del-2 < <(conf)
del del-3 < <(conf)
snap after-3
ip netns del pod1
del del-netns-gone < <(conf)
snap end
