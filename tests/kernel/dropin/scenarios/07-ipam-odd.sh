# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Odd IPAM sections.
pod pod1
for IPAM in '{"type":"emptyipam"}' '{"type":"dhcp"}' '{"type":"nosuch"}' '{}' \
	'{"type":""}' '{"range":"x"}' '[]' '"host-local"' 'null'; do
	add "add-$IPAM" < <(conf)
	r=$RC
	[ $r = 0 ] || snap "state-$IPAM"
	del "del-$IPAM" < <(conf)
done
snap end
