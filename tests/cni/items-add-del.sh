# SPDX-License-Identifier: Apache-2.0
# C-20 to C-39: what an ADD makes, and what a DEL takes away under all circumstances.

i_20() {
	item "ADD puts the VF's link into CNI_NETNS under the name CNI_IFNAME, or fails"
	add "$id" net1 $P1 "$(conf "$vf")"
	t answered 0
	t matches "$(alias_of "$vf")" "$(link_in p1 net1)"
	t matches '[<,]UP[,>]' "$(link_in p1 net1)"
	t matches 'is not at home' "$(at_home "$vf")"
	add "$id" net1 $P1 "$(conf 0000:ff:1f.7)"
	t lacks '^0$' "$RC"
	add $id-2 net1 /run/netns/none "$(conf "$vf2")"
	t answered 8
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_21() {
	item "ADD fails if the name is taken in the namespace, and changes nothing then"
	local before
	ip link add net1 netns p2 type veth peer name peer netns p2 || ip -n p2 link add net1 type veth peer name peer
	before=$(link_in p2 net1)
	add "$id" net1 $P2 "$(conf "$vf" '"vlan":9' "$(host_local)")"
	t lacks '^0$' "$RC"
	t matches net1 "$(msg)"
	t is "$before" "$(link_in p2 net1)"
	t wait_for 20 vf_is FREE "$vf"
	t at_home "$vf"
	t wait_for 20 no_addresses
	ip -n p2 link del net1
}
i_22() {
	item "ADD passes prevResult through, with its own changes merged"
	local c
	c=$(conf "$vf" "$SAY" '"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"00:00:5e:00:53:01","sandbox":"/x"},{"name":"br0"}],"ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":0}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.1.0.1"]}}')
	add "$id" net1 $P1 "$c"
	t answered 0
	t matches '"name": *"eth0".*"name": *"br0".*"name": *"net1"' "$(flat)"
	t matches '10.1.0.5/16.*10.9.9.9/24' "$(flat)"
	t matches '"dst": *"0.0.0.0/0"' "$(flat)"
	t matches '"nameservers": *\["10.1.0.1"\]' "$(flat)"
	del "$id" net1 $P1 "$c"
}
i_23() {
	item "the result's cniVersion is the configuration's, at all seven versions"
	local v c
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		c=$(VERSION=$v conf "$vf" "$SAY")
		add "$id" net1 $P1 "$c"
		t answered 0
		t matches "\"cniVersion\": *\"$v\"" "$(flat)"
		del "$id" net1 $P1 "$c"
		t quiet
	done
}
i_24() {
	item "interfaces lists the link with its name, and sandbox as CNI_NETNS was given"
	add "$id" net1 /run/netns/../netns/./p1 "$(conf "$vf")"
	t answered 0
	t matches '"interfaces": *\[ *\{[^}]*"name": *"net1"' "$(flat)"
	t matches '"sandbox": *"/run/netns/../netns/./p1"' "$(flat)"
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_25() {
	item "ips[].interface is the index of the link, also behind those of prevResult"
	local c
	add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	t matches '"address": *"10.9.9.9/24"[^}]*"interface": *0' "$(flat)"
	del "$id" net1 $P1 "$(conf "$vf" "$SAY")"
	c=$(conf "$vf" "$SAY" '"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"a"},{"name":"b"}]}')
	add "$id" net1 $P1 "$c"
	t matches '"address": *"10.9.9.9/24"[^}]*"interface": *2' "$(flat)"
	del "$id" net1 $P1 "$c"
}
i_26() {
	item "an IPAM answer without an address fails the ADD"
	echo empty >$ROOT/fake.ADD
	add "$id" net1 $P1 "$(conf "$vf" "$FAKE")"
	t failed_with 999 'IPAM plugin returned missing IP config'
	t wait_for 20 vf_is FREE "$vf"
	t wait_for 20 no_lease
}
i_27() {
	item "a failed ADD leaves nothing behind: VF, link, settings and lease are as before"
	local c how
	c=$(conf "$vf" "$SETTINGS" "$GUID" "$(host_local)")
	for how in settings rebind rdma_to_pod link_to_pod link_settings addresses; do
		faults "$how $vf errno=EIO"
		add "$id" net1 $P1 "$c"
		t lacks '^0$' "$RC"
		t matches "$vf" "$(msg)"
		faults
		t wait_for 20 vf_is FREE "$vf"
		t wait_for 20 at_home "$vf"
		t wait_for 20 no_addresses
		t no_link p1 net1
		t no_settings_left
	done
	t test -s $ROOT/run/vfkeeper/sim/$vf # what was looked into
	echo garbage >$ROOT/fake.ADD
	add "$id" net1 $P1 "$(conf "$vf" "$SETTINGS" "$FAKE")"
	t answered 999
	t wait_for 20 no_lease
	t no_settings_left
}
# The counters of rebinds and resets go up, all else is as it was.
no_settings_left() {
	local f=$ROOT/run/vfkeeper/sim/$vf
	[ ! -e $f ] || { matches 'vlan = 0' "$(cat $f)" && matches 'trust = 0' "$(cat $f)" &&
		lacks '0x200005e10' "$(cat $f)" && matches 'rdma_cookie = 0' "$(cat $f)"; }
}
i_28() {
	item "a second ADD for a container and interface without a DEL is refused, and the first stays"
	add "$id" net1 $P1 "$(conf "$vf")"
	t answered 0
	add "$id" net1 $P1 "$(conf "$vf")"
	t failed_with 999 'DEL it first'
	add "$id" net1 $P1 "$(conf "$vf2")"
	t failed_with 999 "$vf"
	t vf_is ATTACHED "$vf"
	t vf_is FREE "$vf2"
	t link_there p1 net1
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_29() {
	item "code 11 is for what passes: a VF of another container, which it names"
	add "$id" net1 $P1 "$(conf "$vf")"
	add $id-2 net1 $P2 "$(conf "$vf")"
	t failed_with 11 "$vf.*container $id interface net1"
	t vf_is ATTACHED "$vf"
	del $id-2 net1 $P2 "$(conf "$vf")"
	t quiet
	t vf_is ATTACHED "$vf"
	del "$id" net1 $P1 "$(conf "$vf")"
	add $id-3 net1 $P2 "$(conf "$vf")"
	t answered 0
	del $id-3 net1 $P2 "$(conf "$vf")"
}
i_30() {
	item "DEL may be repeated, and succeeds"
	local n
	add "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
	for n in 1 2 3 4; do
		del "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
		t quiet
	done
	del "$id" net1 - "$(conf "$vf")"
	t quiet
}
i_31() {
	item "DEL releases without netns, with a netns that is gone or a plain file, without prevResult, deviceID or the same configuration, and when IPAM or the VF is gone"
	local how netns c
	touch $ROOT/plain
	for how in empty gone file nothing changed broken version; do
		add_netns q 1 1
		add "$id" net1 /run/netns/q1 "$(conf "$vf" '"vlan":7' "$(host_local)")"
		t answered 0
		netns=/run/netns/q1 c=$(conf "$vf" "$(host_local)")
		case $how in
		empty) netns=- ;;
		gone) del_netns q 1 1 ;;
		file) netns=$ROOT/plain ;;
		nothing) c=$(conf "") ;;
		changed) c=$(VERSION=0.3.1 conf 0000:3b:00.3 '"vlan":"x"') ;;
		broken) c='{' ;;
		version) c=$(VERSION=9.9 conf "$vf") ;;
		esac
		del "$id" net1 "$netns" "$c"
		t quiet
		t wait_for 20 vf_is FREE "$vf"
		t wait_for 20 at_home "$vf"
		t wait_for 20 no_addresses
		del_netns q 1 1 2>/dev/null
	done
	add "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
	rm -rf $ROOT/ipam # the lease is gone already
	del "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
	t quiet
	del "$id" net1 $P1 "$(conf 0000:ff:00.1 "$(host_local)")" # no such VF
	t quiet
}
i_32() {
	item "a step of DEL that fails does not skip the others"
	add "$id" net1 $P1 "$(conf "$vf" '"vlan":7,"trust":"on"' "$(host_local)")"
	t answered 0
	faults "settings_home $vf errno=EIO"
	del "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
	t quiet # the engine goes on with what is left
	t no_link p1 net1
	t wait_for 20 no_addresses
	faults
	t wait_for 30 vf_is FREE "$vf"
	t at_home "$vf"
	t no_settings_left
}
i_33() {
	item "IPAM DEL is run when the netns is gone, and its failure keeps nothing else from being released"
	add_netns q 1 1
	add "$id" net1 /run/netns/q1 "$(conf "$vf" "$FAKE")"
	del_netns q 1 1
	echo fail >$ROOT/fake.DEL
	del "$id" net1 /run/netns/q1 "$(conf "$vf" "$FAKE")"
	t quiet # it is owed, and the engine pays
	t asked DEL "$id"
	t vf_is FREE "$vf"
	t at_home "$vf"
	t is '1 OWED' "$(lease_states)"
	rm -f $ROOT/fake.DEL
	t wait_for 60 no_lease
}
# begin_call VERB CONTAINER NETNS CONF: a call that waits for the rest of its stdin.
begin_call() {
	rm -f $ROOT/pipe
	mkfifo $ROOT/pipe
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_IFNAME=net1 CNI_NETNS=$3 CNI_PATH=$CNI_PATH \
		"$CNI_BIN/vfkeeper" <$ROOT/pipe >$ROOT/late.out 2>&1 &
	late=$! late_rest=${4:5}
	exec 9>$ROOT/pipe
	printf '%s' "${4:0:5}" >&9
	sleep 0.1
}
end_call() {
	printf '%s' "$late_rest" >&9
	exec 9>&-
	wait $late
	RC=$? OUT=$(cat $ROOT/late.out)
}
i_34() {
	item "DEL of what was never added succeeds, and an ADD that began before it fails"
	begin_call ADD "$id" $P1 "$(conf "$vf")"
	del "$id" net1 $P1 "$(conf "$vf")"
	t quiet
	end_call
	t failed_with 11 "a DEL of container $id"
	t vf_is FREE "$vf"
	t no_link p1 net1
	sleep 0.05
	add "$id" net1 $P1 "$(conf "$vf")" # a new one is served
	t answered 0
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_35() {
	item "the text of a failed DEL never has 'not found' or 'no such file or directory' in it"
	local said
	for said in 'lease not found' 'open /x: No such file or directory'; do
		printf '{"cniVersion":"1.0.0","code":100,"msg":"%s"}' "$said" >$ROOT/say.DEL
		echo 1 >$ROOT/say.DEL.rc
		add "$id" net1 $P1 "$(conf "$vf" "$SAY")"
		del "$id" net1 $P1 "$(conf "$vf" "$SAY")"
		t lacks '[Nn]ot found|[Nn]o such file' "$OUT"
		rm -f $ROOT/say.DEL $ROOT/say.DEL.rc
		t wait_for 60 no_lease
	done
	touch $ROOT/plain
	raw "$(conf "$vf")" CNI_COMMAND=DEL CNI_CONTAINERID=x CNI_IFNAME=net1 CNI_PATH=/x VFKEEPER_ROOT=$ROOT/plain/x
	t lacks '^0$' "$RC"
	t lacks '[Nn]ot found|[Nn]o such file' "$OUT"
	t matches 'E[A-Z]{3,}' "$OUT"
}
i_36() {
	item "after its DEL a VF is as before: name, MTU, MAC and settings, whatever the pod did to its link"
	local before
	before=$(ip -o link show "$(grep -F " $(alias_of "$vf")" $ROOT/links | cut -d' ' -f1)" | sed 's/^[0-9]*: //;s/@[^:]*:/:/')
	add "$id" net1 $P1 "$(conf "$vf" "$SETTINGS" "$GUID")"
	t answered 0
	ip -n p1 link set net1 promisc on mtu 1300
	ip -n p1 link set net1 address 02:00:00:00:00:99
	ip -n p1 link set net1 down
	ip -n p1 link set net1 name other
	ip -n p1 link property add dev other altname some-altname
	del "$id" net1 $P1 "$(conf "$vf")"
	t quiet
	t wait_for 20 vf_is FREE "$vf"
	t is "$before" "$(ip -o link show "${before%%:*}" | sed 's/^[0-9]*: //;s/@[^:]*:/:/')"
	t no_settings_left
}
i_37() {
	item "a late DEL of a former owner touches nothing of the new one's"
	add "$id" net1 $P1 "$(conf "$vf" '"vlan":7')"
	del "$id" net1 $P1 "$(conf "$vf")"
	add $id-new net1 $P2 "$(conf "$vf" '"vlan":8' "$(host_local)")"
	t answered 0
	del "$id" net1 $P1 "$(conf "$vf" "$(host_local)")"
	t quiet
	del "$id" net1 $P2 "$(conf "$vf" "$(host_local)")" # nor through its namespace
	t quiet
	t vf_is ATTACHED "$vf"
	t link_there p2 net1
	t matches 'vlan = 8' "$(cat $ROOT/run/vfkeeper/sim/$vf)"
	t is 1 "$(leases)"
	del $id-new net1 $P2 "$(conf "$vf" "$(host_local)")"
	t quiet
}
i_38() {
	item "a DEL during an ADD wins: the ADD is code 11 and leaves nothing"
	local pid
	echo hang >$ROOT/fake.ADD
	(add "$id" net1 $P1 "$(conf "$vf" "$FAKE")"; echo "$RC $OUT" >$ROOT/late.out) &
	pid=$!
	t wait_for 20 asked ADD "$id"
	rm -f $ROOT/fake.ADD
	del "$id" net1 $P1 "$(conf "$vf" "$FAKE")"
	t quiet
	wait $pid
	t matches '^1 .*"code": *11' "$(cat $ROOT/late.out)"
	t wait_for 20 vf_is FREE "$vf"
	t wait_for 20 no_lease
	t asked DEL "$id"
}
i_39() {
	item "a DEL that no engine can take is kept, and carried out by the next one"
	local pid
	add "$id" net1 $P1 "$(conf "$vf")"
	for pid in $(engine_pids); do kill -STOP $pid; done
	CNI_ENV=(LC_ALL=C VFKEEPER_CLIENT_DEADLINE_MS=2000)
	del "$id" net1 $P1 "$(conf "$vf")"
	t failed_with 11 'the DEL is kept'
	CNI_ENV=(LC_ALL=C)
	for pid in $(engine_pids); do kill -CONT $pid; done
	t wait_for 30 vf_is FREE "$vf"
	t wait_for 30 spool_empty
}
spool_empty() { is 0 "$(find $ROOT/var/lib/vfkeeper/spool -name '*.del' | wc -l)"; }
