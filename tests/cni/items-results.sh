# SPDX-License-Identifier: Apache-2.0
# C-70 to C-86: what an ADD prints in each version, and how IPAM plugins are run.

RICH='{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.5/24","gateway":"10.9.0.1"},{"address":"10.9.1.5/24"},{"address":"fd09::5/64","gateway":"fd09::1"}],"routes":[{"dst":"10.77.0.0/16"},{"dst":"fd77::/48","gw":"fd09::2"}],"dns":{"nameservers":["10.9.0.2"],"domain":"x.test"}}'

# result_at VERSION: an ADD with the rich answer above; the result in OUT, then a DEL.
result_at() {
	local c
	echo "$RICH" >$ROOT/say.ADD
	c=$(VERSION=$1 conf "$vf" "$SAY")
	add "$id" net1 $P1 "$c"
	t answered 0
	t one_document "$OUT"
	result=$(flat)
	t is '10.9.0.5/24 10.9.1.5/24' "$(addr_in p1 net1 | xargs)" # all of them, whatever can be said
	del "$id" net1 $P1 "$c"
	t quiet
}
has() { matches "$1" "$result"; }
hasnt() { lacks "$1" "$result"; }

i_70() {
	item "mtu and pciID stand in results of 1.0.0 and 1.1.0, and in none before"
	local v result
	for v in 0.3.0 0.3.1 0.4.0; do
		result_at $v
		t hasnt '"mtu"|"pciID"'
	done
	for v in 1.0.0 1.1.0; do
		result_at $v
		t has '"mtu": *[0-9]+'
		t has "\"pciID\": *\"$vf\""
	done
}
i_71() {
	item "an empty dns is {} up to 0.4.0 and left out from 1.0.0 on"
	local v
	for v in 0.1.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		add "$id" net1 $P1 "$(VERSION=$v conf "$vf" "$SAY")"
		case $v in
		0.*) t matches '"dns": *\{ *\}' "$(flat)" ;;
		*) t lacks '"dns"' "$OUT" ;;
		esac
		del "$id" net1 $P1 "$(VERSION=$v conf "$vf" "$SAY")"
	done
}
i_72() {
	item "every result and every error says its cniVersion"
	local v
	for v in 0.1.0 0.3.1 1.1.0; do
		add "$id" net1 $P1 "$(VERSION=$v conf "$vf" "$SAY")"
		t matches "\"cniVersion\": *\"$v\"" "$(flat)"
		del "$id" net1 $P1 "$(VERSION=$v conf "$vf" "$SAY")"
		echo fail >$ROOT/fake.ADD
		add "$id" net1 $P1 "$(VERSION=$v conf "$vf" "$FAKE")"
		t matches "\"cniVersion\": *\"$v\"" "$(flat)"
		rm -f $ROOT/fake.ADD
	done
}
old_result() { # VERSION
	local result
	result_at "$1"
	t has "\"cniVersion\": *\"$1\""
	t has '"ip4": *\{ *"ip": *"10.9.0.5/24", *"gateway": *"10.9.0.1", *"routes": *\[ *\{ *"dst": *"10.77.0.0/16" *\} *\] *\}'
	t has '"ip6": *\{ *"ip": *"fd09::5/64", *"gateway": *"fd09::1", *"routes": *\[ *\{ *"dst": *"fd77::/48", *"gw": *"fd09::2" *\} *\] *\}'
	t has '"nameservers": *\["10.9.0.2"\]'
	t hasnt '"interfaces"|"ips"|10.9.1.5|sandbox'
	add "$id" net1 $P1 "$(VERSION=$1 conf "$vf")" # nothing that could be said
	t failed_with 2 'no valid IP addresses'
	t vf_is FREE "$vf"
}
middle_result() { # VERSION
	local result
	result_at "$1"
	t has "\"cniVersion\": *\"$1\""
	t has '"interfaces": *\[ *\{ *"name": *"net1", *"mac": *"[0-9a-f:]{17}", *"sandbox": *"/run/netns/p1" *\} *\]'
	t has '"version": *"4", *"address": *"10.9.0.5/24", *"gateway": *"10.9.0.1", *"interface": *0'
	t has '"version": *"4", *"address": *"10.9.1.5/24", *"interface": *0'
	t has '"version": *"6", *"address": *"fd09::5/64"'
	t has '"routes": *\[ *\{ *"dst": *"10.77.0.0/16" *\}'
	t has '"domain": *"x.test"'
	add "$id" net1 $P1 "$(VERSION=$1 conf "$vf")"
	t answered 0
	del "$id" net1 $P1 "$(VERSION=$1 conf "$vf")"
}
new_result() { # VERSION
	local result
	result_at "$1"
	t has "\"cniVersion\": *\"$1\""
	t has '"name": *"net1", *"mac": *"[0-9a-f:]{17}", *"mtu": *1500, *"sandbox": *"/run/netns/p1"'
	t has '"address": *"10.9.0.5/24", *"gateway": *"10.9.0.1", *"interface": *0'
	t hasnt '"version"'
	t has '"dst": *"fd77::/48", *"gw": *"fd09::2"'
	add "$id" net1 $P1 "$(VERSION=$1 conf "$vf")"
	t answered 0
	t lacks '"ips"|"routes"|"dns"' "$OUT"
	del "$id" net1 $P1 "$(VERSION=$1 conf "$vf")"
}
i_73() { item "the result of 0.1.0: ip4, ip6 with their routes, dns; without an address it is refused before anything is done"; old_result 0.1.0; }
i_74() { item "the result of 0.2.0: likewise"; old_result 0.2.0; }
i_75() { item "the result of 0.3.0: interfaces with name, mac, sandbox; ips with version and interface; routes, dns"; middle_result 0.3.0; }
i_76() { item "the result of 0.3.1: likewise"; middle_result 0.3.1; }
i_77() { item "the result of 0.4.0: likewise"; middle_result 0.4.0; }
i_78() { item "the result of 1.0.0: ips without version, and nothing that is empty"; new_result 1.0.0; }
i_79() {
	item "the result of 1.1.0: likewise, and routes keep mtu, advmss, priority, table and scope"
	local result
	new_result 1.1.0
	RICH='{"cniVersion":"1.1.0","ips":[{"address":"10.9.0.5/24"},{"address":"10.9.1.5/24"}],"routes":[{"dst":"10.77.0.0/16","mtu":1400,"advmss":1300,"priority":5,"table":100,"scope":253}]}' \
		result_at 1.1.0
	t has '"mtu": *1400, *"advmss": *1300, *"priority": *5, *"table": *100, *"scope": *253'
}

# --- IPAM plugins -------------------------------------------------------------------

i_80() {
	item "CNI_PATH is searched in order for the exact name, the first regular file counts, also behind a symlink; a name with '/' is none"
	mkdir -p $ROOT/plugins/a $ROOT/plugins/b/say
	ln -sf ../say $ROOT/plugins/a/linked
	CNI_PATH=$ROOT/plugins/none:$ROOT/plugins/b:$ROOT/plugins
	add "$id" net1 $P1 "$(conf "$vf" "$SAY")" # b/say is a directory
	t answered 0
	del "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	ln -sf say $ROOT/plugins/linked
	add "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"linked"}')"
	t answered 0
	del "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"linked"}')"
	for c in ../plugins/say /run/w/plugins/say . ..; do
		add "$id" net1 $P1 "$(conf "$vf" "\"ipam\":{\"type\":\"$c\"}")"
		t failed_with 7 'no name of a plugin'
	done
	add "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"Say"}')"
	t answered 7
	CNI_PATH=$ROOT/plugins/none
	add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	t answered 7
	t vf_is FREE "$vf"
	rm -rf $ROOT/plugins/a $ROOT/plugins/b $ROOT/plugins/linked
}
i_81() {
	item "a delegate gets the caller's environment with another CNI_COMMAND, and standard input to the byte"
	local c
	c='{ "cniVersion":"1.0.0", "name":"net","type":"x",  "deviceID":"'$vf'", "ipam": {"type":"say","x":[1, 2.50]},"runtimeConfig":{"ips":["10.1.1.1/24"]},"é":"\u00e9" }'
	add "$id" net1 $P1 "$c"
	t answered 0
	t is "$c" "$(cat $ROOT/say.stdin.ADD)"
	t grep -qxF CNI_COMMAND=ADD $ROOT/say.env.ADD
	# The DEL gets what the ADD had, whatever it is called with itself.
	del "$id" net1 - "$(conf "")"
	t quiet
	t wait_for 20 no_lease
	t is "$c" "$(cat $ROOT/say.stdin.DEL)"
	t grep -qxF CNI_COMMAND=DEL $ROOT/say.env.DEL
	t grep -qxF "CNI_NETNS=$P1" $ROOT/say.env.DEL
}
i_82() {
	item "a delegate's standard error is passed on, and its error goes up with code, text and details"
	echo '{"cniVersion":"1.0.0","code":111,"msg":"the pool is empty","details":"10.0.0.0/30"}' >$ROOT/say.ADD
	echo 1 >$ROOT/say.ADD.rc
	raw "$(conf "$vf" "$SAY")" CNI_COMMAND=ADD CNI_CONTAINERID="$id" CNI_NETNS=$P1 CNI_IFNAME=net1 "CNI_PATH=$CNI_PATH"
	t failed_with 111 'say.*the pool is empty'
	t matches '"details": *"10.0.0.0/30"' "$OUT"
	t matches 'say was here' "$(cat $ROOT/stderr)"
	echo '{"code":3,"msg":"no DEL please"}' >$ROOT/say.ADD # would tell the runtime not to clean up
	add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	t answered 999
}
i_83() {
	item "after an IPAM ADD that failed, IPAM DEL is run before the ADD fails"
	echo fail >$ROOT/fake.ADD
	add "$id" net1 $P1 "$(conf "$vf" "$FAKE")"
	t failed_with 999 'no address is left'
	t asked DEL "$id"
	t no_lease
}
i_84() {
	item "CHECK, DEL, GC and STATUS run the delegate as well; without ipam, with {} or an empty type there is none"
	local c ipam
	: >$ROOT/fake.calls
	c=$(conf "$vf" "$FAKE")
	add "$id" net1 $P1 "$c"
	cni CHECK "$id" net1 $P1 "$c"; t quiet
	cni GC "$id" net1 $P1 "$(with "$c" "$(valid "$id")")"; t quiet
	NETWORK=delegates-$RANDOM
	cni STATUS "$id" net1 $P1 "$(conf "$vf" "$FAKE")"; t quiet
	NETWORK=
	del "$id" net1 $P1 "$c"; t quiet
	t is 'ADD CHECK GC STATUS DEL' "$(cut -d' ' -f1 $ROOT/fake.calls | xargs)"
	: >$ROOT/fake.calls
	for ipam in '"ipam":{}' '"x":1' '"ipam":null' '"ipam":{"type":""}'; do
		c=$(conf "$vf" "$ipam")
		add "$id" net1 $P1 "$c"; t answered 0
		cni CHECK "$id" net1 $P1 "$c"; t quiet
		del "$id" net1 $P1 "$c"; t quiet
	done
	t is '' "$(cat $ROOT/fake.calls)"
}
i_85() {
	item "a delegate that hangs is ended with its group at the deadline, and nobody waits for it meanwhile"
	local c pid
	c=$(conf "$vf" "$FAKE" '"timeoutSeconds":4')
	echo hang >$ROOT/fake.ADD
	(add "$id" net1 $P1 "$c"; echo "$RC $OUT" >$ROOT/late.out) &
	pid=$!
	t wait_for 20 asked ADD "$id"
	add $id-2 net1 $P2 "$(conf "$vf2" "$SAY")"
	t answered 0
	del $id-2 net1 $P2 "$(conf "$vf2" "$SAY")"
	t quiet
	t kill -0 $pid
	rm -f $ROOT/fake.ADD
	wait $pid
	t matches '^1 .*"code": *11' "$(cat $ROOT/late.out)"
	t is '' "$(pgrep -f $ROOT/plugins/fake)"
	t wait_for 60 no_lease
	t vf_is FREE "$vf"
}
i_86() {
	item "IPAM results of every version are accepted; dhcp is refused by ib-sriov, and passed on by the others"
	local one
	for one in '{"cniVersion":"0.1.0","ip4":{"ip":"10.9.0.5/24","gateway":"10.9.0.1"}}' \
		'{"cniVersion":"0.2.0","ip4":{"ip":"10.9.0.5/24","routes":[{"dst":"10.5.0.0/16"}]},"dns":{}}' \
		'{"cniVersion":"0.3.0","ips":[{"version":"4","address":"10.9.0.5/24"}]}' \
		'{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.9.0.5/24"}],"dns":{}}' \
		'{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.9.0.5/24"}],"routes":[]}' \
		'{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.5/24"}]}' \
		'{"cniVersion":"1.1.0","interfaces":[],"ips":[{"address":"10.9.0.5/24"}]}' \
		'{"ips":[{"address":"10.9.0.5/24"}]}' '{"ip4":{"ip":"10.9.0.5/24"}}'; do
		echo "$one" >$ROOT/say.ADD
		add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
		t answered 0
		t matches '"address": *"10.9.0.5/24"' "$(flat)"
		t is 10.9.0.5/24 "$(addr_in p1 net1)"
		del "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	done
	for one in '{"cniVersion":"9.9.9","ips":[]}' '[]' 'x' ''; do
		echo "$one" >$ROOT/say.ADD
		add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
		t lacks '^0$' "$RC"
	done
	CNI_NAME=ib-sriov add "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"dhcp"}')"
	t failed_with 2 'ipam type dhcp is not supported'
	cp $ROOT/plugins/say $ROOT/plugins/dhcp
	rm -f $ROOT/say.ADD
	CNI_NAME=sriov add "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"dhcp"}')"
	t answered 0
	CNI_NAME=sriov del "$id" net1 $P1 "$(conf "$vf" '"ipam":{"type":"dhcp"}')"
	t quiet
	rm -f $ROOT/plugins/dhcp
}
