# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# needs: host-local
# often: service
# The same with addresses.
pod pod1
ranges='[[{"subnet":"10.5.0.0/24"}],[{"subnet":"fd00:5::/64"}]]'
routes='[{"dst":"0.0.0.0/0"},{"dst":"10.8.0.0/16","gw":"10.5.0.9"}]'
IPAM="{\"type\":\"host-local\",\"ranges\":$ranges,\"routes\":$routes}"
add add-host-local < <(conf '"dns":{"nameservers":["10.5.0.53"],"search":["a.example"]}')
snap attached
note routes "$(
	ip -n pod1 route show
	ip -n pod1 -6 route show dev net1
)"
del del-host-local < <(conf)
snap after
IPAM='{"type":"okipam"}'
CNIV=1.0.0
add add-okipam-1.0.0 < <(conf)
snap attached-1.0.0
del del-okipam-1.0.0 < <(conf)
snap after-1.0.0
