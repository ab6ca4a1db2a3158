#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a configuration may hold instead of what it should: for every key that is text a value
# that is too long, has a NUL or bytes that are no text; nesting; floods of standard input.  One
# line each, the VF untouched, and a DEL that is not disturbed by any of it.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 2
add_netns p 1 2
fake_ipam
vf=$(vf_addr 0 0)
service_start
add keep net1 /run/netns/p2 "$(conf "$(vf_addr 0 1)")"
check "one VF is attached all the while" answered 0
main=$(engine_pid)

zeros() { head -c "$1" /dev/zero; }
long() { zeros "$1" | tr '\0' "${2:-x}"; }
one_line() {
	[ "$(printf '%s' "$OUT" | wc -l)" = 0 ] && [ ${#OUT} -lt 1400 ] ||
		{ echo "${#OUT} bytes: ${OUT:0:300}"; return 1; }
}
# from_file VERB FILE: a call with this on standard input
from_file() {
	OUT=$(env CNI_COMMAND="$1" CNI_CONTAINERID=v CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
		CNI_PATH="$CNI_PATH" timeout -s KILL 150 "$CNI_BIN/${CNI_NAME:-vfkeeper}" <"$2" 2>>$ROOT/client.log)
	RC=$?
}
# says SENTENCE CODE PATTERN: of the last ADD; then nothing is attached, and a DEL succeeds
says() {
	check "$1: code $2" answered "$2"
	check "$1: the line" matches "$3" "$(msg)"
	check "$1: is one" one_line
	from_file DEL $ROOT/in
	check "$1: a DEL with it succeeds" is 0: "$RC:$OUT"
}
send() { # TEXT: as the configuration of an ADD
	printf '%s' "$1" >$ROOT/in
	from_file ADD $ROOT/in
}
conf_with() { printf '{"cniVersion":"1.1.0","name":"net","type":"x","deviceID":"%s",%s}' "$vf" "$1"; }
nest() { # KEY VALUE: KEY may be a.b.c
	local key=$1 text=$2
	while [[ $key == *.* ]]; do
		text="{\"${key##*.}\":$text}" key=${key%.*}
	done
	printf '"%s":%s' "$key" "$text"
}

# --- every key that is text ---
# name, cniVersion and deviceID are in the base: theirs come first, so that the last wins.
for row in \
	'name|7|invalid characters found in network name|network name|name is 5000 bytes long' \
	'cniVersion|1|incompatible CNI versions|incompatible CNI versions|incompatible CNI versions' \
	'deviceID|7|deviceID|deviceID|deviceID' \
	'runtimeConfig.infinibandGUID|7|infinibandGUID|infinibandGUID|infinibandGUID' \
	'args.cni.guid|7|args.cni.guid|args.cni.guid|args.cni.guid' \
	'runtimeConfig.mac|7|mac|mac|mac' \
	'ipam.type|7|ipam.type|IPAM plugin|ipam.type' \
	'link_state|7|link_state|link_state|link_state' \
	'pkey|7|pkey|pkey|pkey' \
	'mac|7|mac|mac|mac' \
	'spoofchk|7|spoofchk|spoofchk|spoofchk' \
	'trust|7|trust|trust|trust' \
	'ipoibMode|7|ipoibMode|ipoibMode|ipoibMode' \
	'guidPolicy|7|guidPolicy|guidPolicy|guidPolicy' \
	'scrub|7|scrub|scrub|scrub'; do
	IFS='|' read -r key code nul bytes toolong <<<"$row"
	send "$(conf_with "$(nest "$key" '"a\u0000b"')")"
	says "$key with a NUL character" "$code" "$nul"
	send "$(conf_with "$(nest "$key" $'"\xff\xfe\x80"')")"
	says "$key with bytes that are no text" "$code" "$bytes"
	send "$(conf_with "$(nest "$key" "\"$(long 5000)\"")")"
	says "$key of 5,000 characters" "$code" "$toolong"
	send "$(conf_with "$(nest "$key" '"line\none\u001b[31m\u007f"')")"
	says "$key with control characters" "$code" ''
done
for row in 'vlanProto|"vlan":5,' ; do
	send "$(conf_with "${row#*|}\"${row%%|*}\":\"a\\u0000b\"")"
	says "vlanProto with a NUL character" 7 'vlan Proto'
done
for key in vlan vlanQoS min_tx_rate max_tx_rate mtu timeoutSeconds; do
	for value in 1e400 -1 1.5 99999999999999999999999999 -0.1 1e30; do
		send "$(conf_with "\"vlan\":5,\"$key\":$value")"
		check "$key $value: refused" matches '^(6|7)$' "$(code)"
		check "$key $value: in one line" one_line
	done
done

# --- nesting ---
deep() { printf '%s%s%s' "$(long "$1" '[')" "$2" "$(long "$1" ']')"; }
send "$(conf_with "\"x\":$(deep 30000 1)")"
says "30,000 levels of an unknown key" 6 'error unmarshall network config'
send "$(conf_with "\"x\":$(deep 1000 1)")"
check "1,000 levels of an unknown key do not disturb" answered 0
from_file DEL $ROOT/in
for key in ipam args runtimeConfig prevResult vlan link_state deviceID name type mtu; do
	send "$(conf_with "\"$key\":$(deep 200 1)")"
	says "$key as 200 nested arrays" 6 "$key"
done
send "$(conf_with "\"args\":{\"cni\":{\"guid\":{\"guid\":{\"guid\":\"x\"}}}}")"
says "a GUID inside of a GUID" 6 'args.cni.guid must be a string, not an object'

# --- the same key again and again, in all spellings: the last one counts ---
send "$(conf_with "$(for ((i = 0; i < 1000; i++)); do printf '"vlan":%d,' $i; done)\"VLAN\":5000")"
says "a thousand vlans, the last one wrong" 7 'vlan id 5000'

# --- standard input ---
printf '{"cniVersion":"1.1.0",\0"name":"net","type":"x"}' >$ROOT/in
from_file ADD $ROOT/in
says "a NUL byte between two keys" 6 'error unmarshall network config'
{ conf "$vf"; printf '\0'; } >$ROOT/in
from_file ADD $ROOT/in
says "a NUL byte behind the document" 6 'error unmarshall network config'
zeros 4096 >$ROOT/in
from_file ADD $ROOT/in
says "4 kB of NUL bytes" 6 'error unmarshall network config'
head -c 60000 /dev/urandom >$ROOT/in
from_file ADD $ROOT/in
says "60 kB of noise" 6 'error unmarshall network config'
printf '\xef\xbb\xbf%s' "$(conf "$vf")" >$ROOT/in
from_file ADD $ROOT/in
says "a byte order mark" 6 'error unmarshall network config'
{ zeros 1048576 | tr '\0' ' '; conf "$vf"; } >$ROOT/in
from_file ADD $ROOT/in
says "1 MiB of blanks before the document" 7 'the configuration has 10[0-9]* bytes, 65536 are allowed'
for verb in ADD CHECK GC STATUS DEL; do
	zeros 67108864 | env CNI_COMMAND=$verb CNI_CONTAINERID=v CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
		CNI_PATH="$CNI_PATH" timeout -s KILL 60 "$CNI_BIN/vfkeeper" >$ROOT/out 2>/dev/null
	RC=$? OUT=$(cat $ROOT/out)
	check "$verb with 64 MiB of standard input: code 5" answered 5
	check "$verb with 64 MiB of standard input: the line" matches '16777216 bytes|16 MiB' "$(msg)"
done
check "all that has not disturbed the engine" is "$main" "$(engine_pid)"
check "nor filled it" test "$(awk '/^VmRSS/ { print $2 }' /proc/$main/status)" -lt 65536

# --- what an IPAM plugin may answer ---
answers() { # SENTENCE TEXT CODE PATTERN
	printf '%s' "$2" >$ROOT/answer
	send "$(conf "$vf" '"ipam":{"type":"answer"}')"
	says "IPAM answer: $1" "$3" "$4"
	check "IPAM answer: $1: nothing is leased" wait_for 20 no_lease
}
printf '#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || cat /run/w/answer\n' >$ROOT/plugins/answer
chmod 755 $ROOT/plugins/answer
answers "nothing" '' 999 'not JSON'
answers "an address with a NUL" '{"ips":[{"address":"10.0.0.1\u0000/24"}]}' 999 'address'
answers "an address of 5,000 characters" "{\"ips\":[{\"address\":\"$(long 5000 1)\"}]}" 999 'address'
answers "an address with control characters" '{"ips":[{"address":"10.0.0.1\n/24"}]}' 999 'address'
answers "33 addresses" "{\"ips\":[$(for ((i = 1; i < 33; i++)); do printf '{"address":"10.0.%d.1/24"},' $i; done){\"address\":\"10.0.0.1/24\"}]}" \
	999 'returned 33 addresses'
answers "129 routes" "{\"ips\":[{\"address\":\"10.0.0.1/24\"}],\"routes\":[$(for ((i = 1; i < 129; i++)); do printf '{"dst":"10.%d.0.0/16"},' $i; done){\"dst\":\"0.0.0.0/0\"}]}" \
	999 'and 129 routes'
answers "30,000 levels" "$(deep 30000 1)" 999 'not JSON'
answers "100 kB" "{\"code\":7,\"msg\":\"$(long 100000)\"}" 7 'answered with 1000[0-9]* bytes, 65536 are allowed'

del keep net1 /run/netns/p2 "$(conf "$(vf_addr 0 1)")"
check "the VF attached before is released at the end" answered 0
check "the node is clean" wait_clean
engines_end
finish
