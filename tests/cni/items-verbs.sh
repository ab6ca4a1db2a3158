# SPDX-License-Identifier: Apache-2.0
# C-40 to C-69: CHECK, GC, STATUS and VERSION.

# checked CONF: CHECK with the last result as prevResult.
checked() { cni CHECK "$id" net1 $P1 "$(with "$1" "$(prev)")"; }
keep_result() { result=$OUT; }
check_again() { OUT=$result; checked "$1"; }

i_40() {
	item "CHECK compares name, state, MAC, MTU, addresses, routes and settings with prevResult, names the difference and changes nothing"
	local c result
	c=$(conf "$vf" '"mtu":1400,"vlan":7' "$(host_local)")
	add "$id" net1 $P1 "$c"
	keep_result
	check_again "$c"; t quiet
	ip -n p1 link set net1 mtu 1300
	check_again "$c"; t failed_with 100 'has MTU 1300, not 1400'
	t matches 'mtu 1300' "$(link_in p1 net1)"
	ip -n p1 link set net1 mtu 1400
	ip -n p1 addr flush dev net1
	check_again "$c"; t failed_with 100 'net1 has no address 10.64.'
	ip -n p1 addr add "$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' <<<"$result")" dev net1
	check_again "$c"; t quiet
	ip -n p1 link set net1 down
	check_again "$c"; t failed_with 100 'link net1 is down'
	ip -n p1 link set net1 name net9
	check_again "$c"; t failed_with 100 'is called net9'
	ip -n p1 link set net9 name net1 up
	sed -i 's/^vlan = 7/vlan = 6/' $ROOT/run/vfkeeper/sim/$vf
	check_again "$c"; t failed_with 100 'its vlan is 6, not 7'
	t matches 'vlan = 6' "$(cat $ROOT/run/vfkeeper/sim/$vf)"
	sed -i 's/^vlan = 6/vlan = 7/' $ROOT/run/vfkeeper/sim/$vf
	check_again "$c"; t quiet
	del "$id" net1 $P1 "$c"
}
i_41() {
	item "ipamCheck false leaves out the CHECK of an IPAM plugin that has none"
	local c
	printf '{"cniVersion":"1.0.0","code":100,"msg":"CHECK is not implemented"}' >$ROOT/say.CHECK
	echo 1 >$ROOT/say.CHECK.rc
	c=$(conf "$vf" "$SAY")
	add "$id" net1 $P1 "$c"
	cni CHECK "$id" net1 $P1 "$c"
	t failed_with 100 'not implemented'
	cni CHECK "$id" net1 $P1 "$(with "$c" '"ipamCheck":false')"
	t quiet
	del "$id" net1 $P1 "$c"
}
i_42() {
	item "CHECK without prevResult compares with the result that the ADD printed"
	local c
	c=$(conf "$vf" "$(host_local)")
	add "$id" net1 $P1 "$c"
	cni CHECK "$id" net1 $P1 "$c"
	t quiet
	ip -n p1 addr flush dev net1
	cni CHECK "$id" net1 $P1 "$c"
	t failed_with 100 'has no address'
	del "$id" net1 $P1 "$c"
}
i_43() {
	item "CHECK holds the MAC of prevResult against the link"
	local c result
	c=$(conf "$vf")
	add "$id" net1 $P1 "$c"
	keep_result
	ip -n p1 link set net1 address 02:00:00:00:00:99
	check_again "$c"
	t failed_with 100 'has the address 02:00:00:00:00:99, not '
	# A later plugin that changed it says so in its result.
	result=$(sed 's/"mac":"[^"]*"/"mac":"02:00:00:00:00:99"/' <<<"$result")
	check_again "$c"
	t quiet
	del "$id" net1 $P1 "$c"
}
i_44() {
	item "CHECK misses the routes of prevResult"
	local c result
	echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24","gateway":"10.9.9.1"}],"routes":[{"dst":"10.77.0.0/16"},{"dst":"10.78.0.0/16","gw":"10.9.9.2"}]}' >$ROOT/say.ADD
	c=$(conf "$vf" "$SAY")
	add "$id" net1 $P1 "$c"
	keep_result
	check_again "$c"; t quiet
	ip -n p1 route del 10.78.0.0/16
	check_again "$c"; t failed_with 100 'no route to 10.78.0.0/16'
	ip -n p1 route add 10.78.0.0/16 via 10.9.9.3
	check_again "$c"; t failed_with 100 'no route to 10.78.0.0/16'
	ip -n p1 route replace 10.78.0.0/16 via 10.9.9.2
	check_again "$c"; t quiet
	del "$id" net1 $P1 "$c"
}
i_45() {
	item "CHECK allows what later plugins of the chain have added or changed"
	local c result
	c=$(conf "$vf" "$SAY")
	add "$id" net1 $P1 "$c"
	keep_result
	ip -n p1 addr add 10.200.0.1/24 dev net1
	ip -n p1 route add 10.201.0.0/16 dev net1
	ip -n p1 link set net1 mtu 1280 # nobody had asked for another
	ip -n p1 link set net1 promisc on
	result=$(sed 's/"interfaces":\[/&{"name":"br0"},/;s/"interface":0/"interface":1/' <<<"$result")
	check_again "$c"
	t quiet
	del "$id" net1 $P1 "$c"
}
i_46() {
	item "CHECK of what was never added, or deleted, fails"
	cni CHECK "$id" net1 $P1 "$(conf "$vf")"
	t failed_with 100 'no VF on record'
	add "$id" net1 $P1 "$(conf "$vf")"
	del "$id" net1 $P1 "$(conf "$vf")"
	cni CHECK "$id" net1 $P1 "$(conf "$vf")"
	t failed_with 100 'no VF on record'
	add "$id" net1 $P1 "$(conf "$vf")"
	cni CHECK "$id" net1 $P1 "$(NETWORK=other conf "$vf")"
	t answered 100
	cni CHECK "$id" net1 $P1 "$(conf "$vf2")"
	t failed_with 100 "deviceID is $vf2"
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_47() {
	item "CHECK fails where the link is not in CNI_NETNS, or that is no namespace"
	add "$id" net1 $P1 "$(conf "$vf")"
	cni CHECK "$id" net1 $P2 "$(conf "$vf")"
	t failed_with 100 "another network namespace than $P2"
	cni CHECK "$id" net1 /run/netns/none "$(conf "$vf")"
	t answered 8
	cni CHECK "$id" net1 /etc/passwd "$(conf "$vf")"
	t answered 8
	t vf_is ATTACHED "$vf"
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_48() {
	item "CHECK runs the IPAM plugin's, with prevResult as received, and its error is the caller's"
	local c result
	c=$(conf "$vf" "$SAY")
	add "$id" net1 $P1 "$c"
	keep_result
	check_again "$c"; t quiet
	t is "$(with "$c" "\"prevResult\":$result")" "$(cat $ROOT/say.stdin.CHECK)"
	printf '{"cniVersion":"1.0.0","code":123,"msg":"it is not mine","details":"more"}' >$ROOT/say.CHECK
	echo 1 >$ROOT/say.CHECK.rc
	check_again "$c"
	t failed_with 123 'it is not mine'
	t matches '"details": *"more"' "$OUT"
	rm -f $ROOT/say.CHECK $ROOT/say.CHECK.rc
	del "$id" net1 $P1 "$c"
}
i_49() {
	item "a CHECK that hangs in the kernel delays no other call"
	local pid start
	add "$id" net1 $P1 "$(conf "$vf")"
	faults "observe $vf hang_ms=8000 count=001"
	(cni CHECK "$id" net1 $P1 "$(conf "$vf")"; echo "$RC" >$ROOT/late.out) &
	pid=$!
	t wait_for 10 grep -q 'count=000' $ROOT/faults
	start=$SECONDS
	add $id-2 net1 $P2 "$(conf "$vf2")"
	t answered 0
	del $id-2 net1 $P2 "$(conf "$vf2")"
	t quiet
	t test $((SECONDS - start)) -lt 7
	t kill -0 $pid
	wait $pid
	t is 0 "$(cat $ROOT/late.out)"
	faults
	del "$id" net1 $P1 "$(conf "$vf")"
}

# --- GC ---------------------------------------------------------------------------

gc() { cni GC x x - "$(with "$(NETWORK=${1} VERSION=1.1.0 conf "")" "${@:2}")"; }

i_50() {
	item "GC takes cni.dev/valid-attachments, and cni.dev/attachments, which it was called before"
	add $id-a net1 $P1 "$(conf "$vf")"
	add $id-b net1 $P2 "$(conf "$vf2")"
	gc net "$(valid $id-a $id-b)"
	t quiet
	t is 'ATTACHED ATTACHED' "$(state_of "$vf") $(state_of "$vf2")"
	gc net "$(valid $id-b | sed 's/valid-//')"
	t quiet
	t is 'FREE ATTACHED' "$(state_of "$vf") $(state_of "$vf2")"
	gc net "$(valid $id-b | sed 's/net1/net2/')" # the pair counts
	t quiet
	t is FREE "$(state_of "$vf2")"
	t at_home "$vf2"
}
i_51() {
	item "GC is for its own network only, goes on after errors and reports them together, and has the IPAM plugin collect"
	local c
	c=$(conf "$vf" "$FAKE")
	add $id-a net1 $P1 "$c"
	add $id-b net1 $P2 "$(NETWORK=other conf "$vf2" "$FAKE")"
	echo fail >$ROOT/fake.DEL
	gc net "$FAKE" "$(valid)"
	t lacks '^0$' "$RC"
	t matches "not released yet.*container $id-a.*no address is left" "$(msg)"
	t vf_is FREE "$vf" # although its lease is owed
	t vf_is ATTACHED "$vf2"
	t asked GC x
	rm -f $ROOT/fake.DEL
	t wait_for 60 no_owed
	gc other "$FAKE" "$(valid $id-b)"
	t quiet
	t vf_is ATTACHED "$vf2"
	gc other "$FAKE" "$(valid)"
	t quiet
	t no_lease
}
no_owed() { lacks OWED "$(lease_states)"; }
i_52() {
	item "GC without a list releases only what has lost its namespace; an empty list means that nothing is valid"
	add_netns q 1 1
	add $id-a net1 $P1 "$(conf "$vf" "$SAY")"
	add $id-b net1 /run/netns/q1 "$(conf "$vf2" "$SAY")"
	gc net "$SAY"
	t quiet
	t is 'ATTACHED ATTACHED' "$(state_of "$vf") $(state_of "$vf2")"
	del_netns q 1 1
	gc net "$SAY"
	t quiet
	t wait_for 20 vf_is FREE "$vf2"
	t vf_is ATTACHED "$vf"
	gc net "$SAY" '"cni.dev/valid-attachments":null'
	t quiet
	t vf_is ATTACHED "$vf"
	gc net "$SAY" "$(valid)"
	t quiet
	t vf_is FREE "$vf"
}
i_53() {
	item "a GC beside ADDs and DELs releases nothing that began after it"
	local n pid
	for n in 1 2 3; do
		(gc net "$(valid)") &
		pid=$!
		add $id-$n net1 $P1 "$(conf "$vf")"
		[ "$RC" != 0 ] || t one_document "$OUT"
		wait $pid
		del $id-$n net1 $P1 "$(conf "$vf")"
		t quiet
		t wait_for 20 vf_is FREE "$vf"
		t no_link p1 net1
	done
}
i_54() {
	item "libcni's own GC, DEL of what it has cached and then GC, leaves the node clean"
	if [ ! -x "$VFK_GO_BIN/cnitool" ]; then cannot "cnitool is not built (no Go)"; return; fi
	mount -t tmpfs tmpfs /var/lib
	mkdir -p $ROOT/net.d
	echo "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"vfkeeper\",\"capabilities\":{\"deviceID\":true},$(host_local)}]}" >$ROOT/net.d/net.conflist
	tool() {
		OUT=$(CNI_PATH=$CNI_PATH NETCONFPATH=$ROOT/net.d CNI_IFNAME=net1 \
			CAP_ARGS="{\"deviceID\":\"$vf\"}" "$VFK_GO_BIN/cnitool" "$1" net $P1 2>&1)
		RC=$?
	}
	tool add; t is 0 "$RC"
	tool check; t is 0 "$RC"
	add $id-stray net1 $P2 "$(conf "$vf2")" # of the network, and not in libcni's cache
	tool status; t is 0 "$RC"
	tool gc; t is 0 "$RC"
	t wait_for 20 vf_is FREE "$vf"
	t wait_for 20 no_addresses
	t no_link p1 net1
	# cnitool sends no list with it: what lives is not touched.
	t vf_is ATTACHED "$vf2"
	umount /var/lib
}
i_55() {
	item "GC ignores attachments in the list that it has never heard of"
	add "$id" net1 $P1 "$(conf "$vf")"
	gc net "$(valid foreign-a "$id" foreign-b)"
	t quiet
	t vf_is ATTACHED "$vf"
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_56() {
	item "GC may be repeated, and needs neither device nor namespace"
	gc net "$(valid)"
	t quiet
	gc net "$(valid)"
	t quiet
	raw "$(with "$(conf "")" "$(valid)")" CNI_COMMAND=GC CNI_PATH=/x
	t quiet
}
i_57() {
	item "GC refuses a list that it cannot read as a whole"
	local list
	add "$id" net1 $P1 "$(conf "$vf")"
	for list in '{}' '"x"' '[1]' '[{}]' '[{"containerID":"a"}]' '[{"containerID":1,"ifname":"net1"}]' \
		'[{"containerID":"a","ifname":["net1"]}]' '[null]' '5'; do
		gc net "\"cni.dev/valid-attachments\":$list"
		t lacks '^0$' "$RC"
		t matches 'cni.dev/valid-attachments' "$(msg)"
	done
	t vf_is ATTACHED "$vf"
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_58() {
	item "an attachment that GC released counts as deleted: an ADD of it that began before fails"
	add "$id" net1 $P1 "$(conf "$vf")"
	begin_call ADD "$id" $P1 "$(conf "$vf")"
	gc net "$(valid)"
	t quiet
	end_call
	t answered 11
	t vf_is FREE "$vf"
}
i_59() {
	item "GC with a thousand attachments in its list is served"
	local list
	list=$(seq -f '{"containerID":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%04.0f","ifname":"net1"}' 1000 | paste -sd,)
	add "$id" net1 $P1 "$(conf "$vf")"
	gc net "\"cni.dev/valid-attachments\":[$list,{\"containerID\":\"$id\",\"ifname\":\"net1\"}]" \
		"\"cni.dev/attachments\":[$list]"
	t quiet
	t vf_is ATTACHED "$vf"
	gc net "\"cni.dev/valid-attachments\":[$list]"
	t quiet
	t vf_is FREE "$vf"
}

# --- STATUS and VERSION -------------------------------------------------------------

status() { cni STATUS x x - "$(with "$(VERSION=1.1.0 conf "")" "$@")"; }

i_60() {
	item "STATUS is 0 where ADDs are served, 50 where not, 51 where containers may suffer; the IPAM plugin's counts"
	local net=status-$RANDOM
	status; t quiet
	NETWORK=$net-a status "$SAY"; t quiet
	echo 1 >$ROOT/say.STATUS.rc
	echo '{"cniVersion":"1.1.0","code":50,"msg":"the pool is empty"}' >$ROOT/say.STATUS
	NETWORK=$net-b status "$SAY"; t failed_with 50 'the pool is empty'
	echo '{"cniVersion":"1.1.0","code":51,"msg":"the pool burns"}' >$ROOT/say.STATUS
	NETWORK=$net-c status "$SAY"; t failed_with 51 'the pool burns'
	echo '{"cniVersion":"1.1.0","code":7,"msg":"no ranges"}' >$ROOT/say.STATUS
	NETWORK=$net-d status "$SAY"; t failed_with 50 'no ranges'
	status '"ipam":{"type":"not-there"}'; t failed_with 50 'failed to find plugin .*not-there'
}
i_61() {
	item "a node whose VFs are all in use is ready"
	local n=0 i c
	for i in 0 1; do
		for c in 0 1 2 3; do
			n=$((n + 1))
			add $id-$n eth$n $P1 "$(conf "$(vf_addr $i $c)")"
			t answered 0
		done
	done
	status; t quiet
}
i_62() {
	item "VERSION prints cniVersion and supportedVersions: the seven"
	local v
	for v in '' '{"cniVersion":"0.3.1"}' '{"cniVersion":"9.9"}' '{{{'; do
		raw "$v" CNI_COMMAND=VERSION
		t is 0 "$RC"
		t matches '"cniVersion": *"1.1.0"' "$(flat)"
		t matches '"supportedVersions": *\["0.1.0", *"0.2.0", *"0.3.0", *"0.3.1", *"0.4.0", *"1.0.0", *"1.1.0"\]' "$(flat)"
	done
}
i_63() {
	item "VERSION needs no engine and starts none"
	local before
	before=$(engine_pids | wc -w)
	OUT=$(env -i VFKEEPER_ROOT=$ROOT/nowhere CNI_COMMAND=VERSION "$CNI_BIN/vfkeeper" </dev/null)
	t one_document "$OUT"
	t test ! -e $ROOT/nowhere
	t is "$before" "$(engine_pids | wc -w)"
}
# In a world of its own: the engine there starts without a journal.
elsewhere() { # VERB CONF: the same programs with another root
	local i
	for i in {1..20}; do # a STATUS waits a second for an engine that starts, and is repeated
		OUT=$(printf '%s' "$2" | env VFKEEPER_ROOT=$ROOT/else CNI_COMMAND=$1 CNI_CONTAINERID=e CNI_IFNAME=net1 \
			CNI_NETNS=$P2 "CNI_PATH=$CNI_PATH" timeout 60 "$CNI_BIN/vfkeeper" 2>>$ROOT/client.log)
		RC=$?
		[[ $OUT == *'was not ready within'* ]] || break
	done
}
make_elsewhere() { # [SIM LINE...]
	rm -rf $ROOT/else
	mkdir -p $ROOT/else/etc/vfkeeper $ROOT/else/run $ROOT/else/var/lib
	printf '[vfkeeper]\nplugin_dirs = %s\nsim = %s\n' "$PLUGIN_DIRS" $ROOT/else/sim.conf \
		>$ROOT/else/etc/vfkeeper/vfkeeper.conf
	{ printf '[sim]\nlinks = no\n[pf 0000:5b:00.0]\nname = simel\nvfs = 2\n'; printf '%s\n' "$@"; } >$ROOT/else/sim.conf
}
end_elsewhere() {
	local exe
	for exe in /proc/[0-9]*; do
		grep -qzxF "VFKEEPER_ROOT=$ROOT/else" $exe/environ 2>/dev/null &&
			kill -KILL "${exe#/proc/}" 2>/dev/null
	done
	rm -rf $ROOT/else
}
i_64() {
	item "STATUS is 50 where the journal cannot be written or the configuration not be read, and says why"
	make_elsewhere
	touch $ROOT/else/var/lib/vfkeeper # not a directory
	elsewhere STATUS "$(VERSION=1.1.0 conf "")"
	t answered 50
	t matches 'cannot serve ADD' "$(msg)"
	elsewhere ADD "$(conf 0000:5b:00.1)"
	t lacks '^0$' "$RC"
	end_elsewhere
	make_elsewhere
	echo 'nonsense = 1' >>$ROOT/else/etc/vfkeeper/vfkeeper.conf
	elsewhere STATUS "$(VERSION=1.1.0 conf "")"
	t answered 50
	t matches 'vfkeeper.conf' "$(msg)"
	end_elsewhere
}
i_65() {
	item "STATUS is 51 where no PF has a port that works: FATAL, which takes no ADD, or without a link, which does"
	make_elsewhere 'port_state = fatal'
	elsewhere STATUS "$(VERSION=1.1.0 conf "")"
	t answered 51
	t matches 'port 1 of 0000:5b:00.0' "$(msg)"
	elsewhere ADD "$(conf 0000:5b:00.1)"
	t failed_with 11 FATAL
	end_elsewhere
	make_elsewhere 'port_state = down'
	elsewhere STATUS "$(VERSION=1.1.0 conf "")"
	t answered 51
	t matches 'port 1 of 0000:5b:00.0 is DOWN' "$(msg)"
	end_elsewhere
}
i_66() {
	item "an IPAM plugin that hangs does not make STATUS fail, and makes it wait once a minute at most"
	local net=hang-$RANDOM n start=$SECONDS
	: >$ROOT/fake.calls
	echo hang >$ROOT/fake.STATUS
	for n in 1 2 3 4 5 6 7 8 9 10; do
		NETWORK=$net status "$FAKE"
		t quiet
	done
	t is 1 "$(fake_calls STATUS x)"
	t test $((SECONDS - start)) -lt 10
}
i_67() {
	item "an IPAM plugin from before STATUS is no failure"
	local net=old-$RANDOM
	echo 1 >$ROOT/say.STATUS.rc
	echo '{"code":4,"msg":"unknown CNI_COMMAND: STATUS"}' >$ROOT/say.STATUS
	NETWORK=$net-a status "$SAY"; t quiet
	echo '{"code":1,"msg":"config version does not allow STATUS"}' >$ROOT/say.STATUS
	NETWORK=$net-b status "$SAY"; t quiet
}
i_68() {
	item "STATUS needs no device, and tells of a configuration that no ADD could use"
	status; t quiet
	status '"vlan":5000'; t failed_with 7 'vlan id 5000'
	status '"vlan":"x"'; t answered 6
	raw "$(VERSION=1.1.0 conf "")" CNI_COMMAND=STATUS CNI_PATH=/x
	t quiet
}
i_69() {
	item "CHECK, GC and STATUS are served under all three names"
	local name
	for name in vfkeeper ib-sriov sriov; do
		CNI_NAME=$name
		add "$id" net1 $P1 "$(conf "$vf")"
		t answered 0
		cni CHECK "$id" net1 $P1 "$(with "$(conf "$vf")" "$(prev)")"
		t quiet
		status; t quiet
		gc net "$(valid)"; t quiet
		t vf_is FREE "$vf"
	done
}
