#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ADD and DEL of one VF, in every way a configuration can ask for it.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 4
add_netns p 1 9
vf=$(vf_addr 0 0)

attach() { # SENTENCE CONTAINER NETNS CONF
	add "$2" net1 "/run/netns/$3" "$4"
	check "$1: ADD succeeds ($HOW)" answered 0
	check "$1: the link is in the pod, up ($HOW)" \
		matches '[<,]UP[,>]' "$(link_in "$3" net1 2>&1)"
}
detach() { # SENTENCE CONTAINER NETNS CONF
	del "$2" net1 "$3" "$4"
	check "$1: DEL succeeds without a word ($HOW)" is "0:" "$RC:$OUT"
	check "$1: the link is home again ($HOW)" wait_for 10 at_home "$vf"
	check "$1: the VF is FREE ($HOW)" wait_for 10 vf_is FREE "$vf"
}

plain() {
	local c=$(conf "$vf")
	attach "no IPAM" c1 p1 "$c"
	check "no IPAM: the result has version, name and sandbox ($HOW)" \
		matches '"cniVersion": *"1.1.0".*"name": *"net1".*"sandbox": *"/run/netns/p1"' \
		"$(tr -d '\n' <<<"$OUT")"
	check "no IPAM: the result names the PCI device ($HOW)" matches "\"pciID\": *\"$vf\"" "$OUT"
	detach "no IPAM" c1 /run/netns/p1 "$c"
	del c1 net1 /run/netns/p1 "$c"
	check "a second DEL succeeds ($HOW)" is "0:" "$RC:$OUT"
}

with_host_local() {
	local c=$(conf "$vf" "$(host_local)")
	[ $has_go = yes ] || { skip "host-local ($HOW)" "host-local is not built (no Go)"; return; }
	attach host-local c2 p2 "$c"
	check "host-local: one address is held ($HOW)" is 1 "$(leases)"
	check "host-local: the pod has the address of the result ($HOW)" \
		matches "\"address\": *\"$(addr_in p2 net1)\"" "$OUT"
	check "host-local: ips[0] points at interface 0 ($HOW)" matches '"interface": *0' "$OUT"
	detach host-local c2 /run/netns/p2 "$c"
	check "host-local: the address is given back ($HOW)" wait_for 10 no_addresses
}

with_static() {
	local c=$(conf "$vf" "$(static_ip 10.7.0.5/24)") caps
	[ $has_go = yes ] || { skip "static ($HOW)" "static is not built (no Go)"; return; }
	attach static c3 p3 "$c"
	check "static: the pod has the address ($HOW)" is 10.7.0.5/24 "$(addr_in p3 net1)"
	detach static c3 /run/netns/p3 "$c"
	caps='"runtimeConfig":{"ips":["10.7.0.9/24"]},"capabilities":{"ips":true},"ipam":{"type":"static"}'
	c=$(conf "$vf" "$caps")
	attach "ips capability" c4 p4 "$c"
	check "ips capability: the pod has the address ($HOW)" is 10.7.0.9/24 "$(addr_in p4 net1)"
	detach "ips capability" c4 /run/netns/p4 "$c"
}

by_capability() {
	local c=$(conf "" '"capabilities":{"deviceID":true}' "\"runtimeConfig\":{\"deviceID\":\"$vf\"}")
	attach "deviceID capability" c5 p5 "$c"
	detach "deviceID capability" c5 /run/netns/p5 "$c"
}

with_prev_result() {
	local prev='"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/p6"}],"ips":[{"interface":0,"address":"192.0.2.7/24"}],"dns":{}}'
	local c=$(VERSION=1.0.0 conf "$vf" "$prev")
	attach prevResult c6 p6 "$c"
	check "prevResult: what stood there is passed on ($HOW)" \
		matches '"name": *"eth0".*"name": *"net1"' "$(tr -d '\n' <<<"$OUT")"
	check "prevResult: its address is passed on ($HOW)" matches '192.0.2.7/24' "$OUT"
	detach prevResult c6 /run/netns/p6 "$c"
}

versions() {
	local v c
	for v in 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		c=$(VERSION=$v conf "$vf")
		attach "version $v" "v$v" p7 "$c"
		check "version $v: the result says so ($HOW)" matches "\"cniVersion\": *\"$v\"" "$OUT"
		detach "version $v" "v$v" /run/netns/p7 "$c"
	done
	for v in 0.1.0 0.2.0; do
		c=$(VERSION=$v conf "$vf" "$(static_ip 10.7.0.5/24)")
		[ $has_go = yes ] || { skip "version $v ($HOW)" "static is not built (no Go)"; continue; }
		attach "version $v" "v$v" p7 "$c"
		check "version $v: the result has ip4 ($HOW)" \
			matches '"ip4":.*"ip": *"10.7.0.5/24"' "$(tr -d '\n' <<<"$OUT")"
		detach "version $v" "v$v" /run/netns/p7 "$c"
		add "w$v" net1 /run/netns/p8 "$(VERSION=$v conf "$vf")"
		check "version $v without an address is refused ($HOW)" lacks '^0$' "$RC"
		check "version $v without an address: the VF stays FREE ($HOW)" vf_is FREE "$vf"
		del "w$v" net1 /run/netns/p8 "$(VERSION=$v conf "$vf")"
	done
}

with_settings() {
	local c
	c=$(conf "$vf" "$SETTINGS" "$GUID" '"mac":"02:00:5e:10:00:01"')
	attach settings c8 p8 "$c"
	check "settings: the link has the MTU ($HOW)" matches 'mtu 1400' "$(link_in p8 net1)"
	check "settings: the link has the MAC ($HOW)" matches '02:00:5e:10:00:01' "$(link_in p8 net1)"
	check "settings: the result has both ($HOW)" \
		matches '"mac": *"02:00:5e:10:00:01".*"mtu": *1400' "$(tr -d '\n' <<<"$OUT")"
	detach settings c8 /run/netns/p8 "$c"
	check "settings: MTU and MAC are as before ($HOW)" is "$before" "$(looks_like)"
}
# The VF's link at home, without what changes by itself.
looks_like() {
	ip -o link show dev "$(grep -F " $vf" $ROOT/links | cut -d' ' -f1)" |
		sed 's/^[0-9]*: //; s/@[^:]*//; s/<[^>]*>//; s/state [A-Z]*//; s/qdisc [a-z]*//'
}
before=$(looks_like)

everything() {
	with_settings
	plain
	with_host_local
	with_static
	by_capability
	with_prev_result
	versions
	check "the node is clean ($HOW)" wait_clean
}
in_both_ways everything
finish
