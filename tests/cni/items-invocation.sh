# SPDX-License-Identifier: Apache-2.0
# C-01 to C-19: how a plugin is called, and what it refuses before it does anything.

E0=(CNI_CONTAINERID=inv CNI_NETNS=/run/netns/p1 CNI_IFNAME=net1 "CNI_PATH=$PLUGIN_DIRS")

i_01() {
	item "CNI_COMMAND is ADD, DEL, CHECK, GC, STATUS or VERSION in capitals; another is code 4 with the text 'unknown CNI_COMMAND: x'"
	local verb
	for verb in add Add FROB 'ADD ' version; do
		raw "$(conf "$vf")" "${E0[@]}" "CNI_COMMAND=$verb"
		t failed_with 4 "^unknown CNI_COMMAND: $verb\$"
	done
	for verb in ADD DEL CHECK GC STATUS VERSION; do
		raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=$verb
		t lacks 'unknown CNI_COMMAND' "$OUT"
	done
	del inv net1 - "$(conf "$vf")"
}
i_02() {
	item "without CNI_COMMAND it is code 4, not a text about the program"
	raw '{}' "${E0[@]}"
	t failed_with 4 '^required env variables \[CNI_COMMAND\] missing$'
	raw '{}' "${E0[@]}" CNI_COMMAND=
	t answered 4
}
i_03() {
	item "each verb needs its variables, and no others"
	local verb var need
	for verb in ADD CHECK DEL GC STATUS; do
		case $verb in
		ADD | CHECK) need='CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_PATH' ;;
		DEL) need='CNI_CONTAINERID CNI_IFNAME CNI_PATH' ;;
		*) need=CNI_PATH ;;
		esac
		for var in CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_PATH; do
			raw "$(conf "$vf")" "${E0[@]/#$var=*/X=}" CNI_COMMAND=$verb
			if [[ " $need " == *" $var "* ]]; then
				t failed_with 4 "^required env variables \[$var\] missing\$"
			else
				t lacks 'required env' "$OUT"
			fi
		done
	done
	raw '' CNI_COMMAND=VERSION
	t is 0 "$RC"
	raw '' CNI_COMMAND=VERSION CNI_NETNS=dummy CNI_IFNAME=dummy CNI_PATH=dummy
	t is 0 "$RC"
	del inv net1 - "$(conf "$vf")"
}
i_04() {
	item "an empty variable is a missing one; all missing ones are named at once, in order; a wrong value comes before them"
	raw '{}' CNI_COMMAND=ADD
	t failed_with 4 '\[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH\] missing$'
	raw '{}' CNI_COMMAND=ADD CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME=net1 CNI_PATH=/x
	t failed_with 4 '\[CNI_CONTAINERID,CNI_NETNS\] missing$'
	raw '{}' CNI_COMMAND=ADD CNI_CONTAINERID='a b'
	t failed_with 4 '^invalid characters in containerID$'
	raw '{}' CNI_COMMAND=ADD CNI_CONTAINERID=c CNI_IFNAME=.
	t failed_with 4 '^interface name is'
}
i_05() {
	item "a container ID begins with a letter or digit and goes on with these and '_', '.', '-'; else code 4"
	local c
	for c in '../etc' 'a b' -x ü .hidden 'a/b' 'a:b' $'a\nb'; do
		raw "$(conf "$vf")" "${E0[@]:1}" CNI_COMMAND=ADD "CNI_CONTAINERID=$c"
		t failed_with 4 '^invalid characters in containerID$'
	done
	raw "$(conf "$vf")" "${E0[@]:1}" CNI_COMMAND=ADD CNI_CONTAINERID='bad id'
	t matches '"details": *"bad id"' "$OUT"
	for c in a 0 A-b_c.d 5d41402abc4b2a76b9719d911017c592aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
		add "$c" net1 $P1 "$(conf "$vf")"
		t answered 0
		del "$c" net1 $P1 "$(conf "$vf")"
		t quiet
	done
}
i_06() {
	item "an interface name has 1 to 15 bytes and is not '.' or '..', without '/', ':' and white space; else code 4"
	local name
	for name in . .. a/b 'a b' a:b sixteen-letters- $'a\tb' $'a\xc2\xa0b'; do
		raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD "CNI_IFNAME=$name"
		t failed_with 4 '^interface name'
	done
	add "$id" fifteen-letters $P1 "$(conf "$vf")"
	t answered 0
	t link_there p1 fifteen-letters
	del "$id" fifteen-letters $P1 "$(conf "$vf")"
	t quiet
	raw "$(VERSION=1.1.0 conf "")" CNI_COMMAND=STATUS CNI_IFNAME=a/b CNI_PATH=/x
	t is 0 "$RC"
}
i_07() {
	item "the network's name obeys the rule of container IDs; missing or wrong it is code 7, for every verb but VERSION and DEL"
	local name verb
	for verb in ADD CHECK GC STATUS; do
		for name in '""' '"a/b"' '"-a"' '"a b"' null; do
			raw "{\"cniVersion\":\"1.1.0\",\"name\":$name,\"type\":\"x\",\"deviceID\":\"$vf\"}" \
				"${E0[@]}" CNI_COMMAND=$verb
			t answered 7
		done
	done
	raw '{"name":"a/b"}' CNI_COMMAND=VERSION
	t is 0 "$RC"
	raw '{"cniVersion":"1.1.0","name":"a/b"}' "${E0[@]}" CNI_COMMAND=DEL
	t quiet # nothing in a configuration fails a DEL
}
i_08() {
	item "standard input is read to its end: a failure is code 5, what is no JSON code 6; VERSION needs none"
	local c
	for c in '' hello '{"a":' "$(conf "$vf")x" '[1]' "$(conf "$vf")$(conf "$vf")"; do
		raw "$c" "${E0[@]}" CNI_COMMAND=ADD
		t answered 6
	done
	OUT=$(env -i VFKEEPER_ROOT=$ROOT "${E0[@]}" CNI_COMMAND=ADD "$CNI_BIN/vfkeeper" <&-)
	RC=$?
	t answered 5
	OUT=$(env -i VFKEEPER_ROOT=$ROOT "${E0[@]}" CNI_COMMAND=ADD "$CNI_BIN/vfkeeper" <$ROOT)
	RC=$?
	t answered 5
	OUT=$(env -i CNI_COMMAND=VERSION "$CNI_BIN/vfkeeper" <&-)
	t matches supportedVersions "$OUT"
	# A pipe that nobody ends is not waited for.
	OUT=$(env -i CNI_COMMAND=VERSION timeout 10 "$CNI_BIN/vfkeeper" < <(exec sleep 3))
	t matches supportedVersions "$OUT"
}
i_09() {
	item "a missing cniVersion is 0.1.0; one that is not in the list is code 1 with both in details; a malformed one is code 6 for CHECK, GC, STATUS"
	local v
	add "$id" net1 $P1 "{\"name\":\"net\",\"type\":\"x\",\"deviceID\":\"$vf\",$SAY}"
	t answered 0
	t matches '"cniVersion": *"0.1.0"' "$(flat)"
	del "$id" net1 $P1 "{\"name\":\"net\",\"type\":\"x\",\"deviceID\":\"$vf\",$SAY}"
	for v in 0.5.0 1.2.0 2.0.0 1.0 v1.0.0 abc; do
		add "$id" net1 $P1 "$(VERSION=$v conf "$vf")"
		t failed_with 1 '^incompatible CNI versions$'
		t matches "config is .*$v.*0\.1\.0.*1\.1\.0" "$OUT"
	done
	for v in CHECK GC STATUS; do
		cni $v "$id" net1 $P1 "$(VERSION=abc conf "$vf")"
		t answered 6
	done
}
i_10() {
	item "CHECK needs version 0.4.0, GC and STATUS 1.1.0; below it is code 1, 'config version does not allow VERB'"
	local v verb
	for verb in CHECK GC STATUS; do
		for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
			cni $verb "$id" net1 $P1 "$(VERSION=$v conf "$vf")"
			case $verb$v in
			CHECK0.4.0 | *1.1.0 | CHECK1.*) t lacks 'does not allow' "$OUT" ;;
			*) t failed_with 1 "^config version does not allow $verb\$" ;;
			esac
		done
	done
}
i_11() {
	item "unknown keys do not disturb, nor do those that runtimes make"
	local c
	c=$(conf "$vf" '"cni.dev/valid-attachments":[]' '"cni.dev/x":{"a":[1,2]}' \
		'"unknown":{"vlan":"x"}' '"Unknown2":null' '"runtimeConfig":{"portMappings":[{"hostPort":1}],"bandwidth":{},"other":5}' \
		'"args":{"labels":[{"key":"a","value":"b"}],"cni":{"other":[1]}}' '"plugins":[]' '"big":123456789012345678901234567890')
	add "$id" net1 $P1 "$c"
	t answered 0
	del "$id" net1 $P1 "$c"
	t quiet
}
i_12() {
	item "CNI_ARGS is K=V;K=V: one '=' in each, unknown keys are an error unless IgnoreUnknown is 1 or true, and their order means nothing"
	local a
	CNI_NAME=sriov
	for a in nonsense 'A=1=2;IgnoreUnknown=1' 'FOO=bar' 'FOO=bar;IgnoreUnknown=0' 'IgnoreUnknown=maybe'; do
		raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD "CNI_ARGS=$a"
		t lacks '^0$' "$RC"
		t one_document "$OUT"
	done
	for a in 'FOO=bar;IgnoreUnknown=1' 'IgnoreUnknown=true;FOO=bar' '' \
		'K8S_POD_NAME=p;IgnoreUnknown=1;K8S_POD_NAMESPACE=n' 'K8S_POD_NAMESPACE=n;K8S_POD_NAME=p'; do
		raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD "CNI_ARGS=$a"
		t is 0 "$RC"
		raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=DEL "CNI_ARGS=nonsense"
		t quiet
	done
	CNI_NAME=ib-sriov # has never read them
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD CNI_ARGS=nonsense
	t is 0 "$RC"
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=DEL
}
i_13() {
	item "standard output carries exactly one JSON document, or nothing; all else goes to standard error"
	raw "$(conf "$vf" "$SAY")" "${E0[@]}" CNI_COMMAND=ADD
	t one_document "$OUT"
	t matches 'say was here' "$(cat $ROOT/stderr)"
	raw "$(conf "$vf" "$SAY")" "${E0[@]}" CNI_COMMAND=DEL
	t quiet
	raw "$(conf nonsense)" "${E0[@]}" CNI_COMMAND=ADD
	t one_document "$OUT"
	t is '' "$(cat $ROOT/stderr)"
	raw '' CNI_COMMAND=VERSION
	t one_document "$OUT"
}
i_14() {
	item "0 is success and 1 failure, with the error object on standard output"
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD
	t is 0 "$RC"
	for c in '{' "$(conf nonsense)" "$(VERSION=9.9.9 conf "$vf")" "$(conf "$vf")"; do
		raw "$c" "${E0[@]}" CNI_COMMAND=ADD
		t is 1 "$RC"
		t matches '"code": *[0-9]+,.*"msg": *"' "$(flat)"
	done
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=DEL
	t is 0 "$RC"
}
i_15() {
	item "its own network namespace is code 8 before anything is done, unless CNI_NETNS_OVERRIDE says so"
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD CNI_NETNS=/proc/self/ns/net
	t answered 8
	t vf_is FREE "$vf"
	t at_home "$vf"
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=0
	t answered 8
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=ADD CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=TRUE
	t lacks 'namespace of the VFs themselves' "$OUT"
	raw "$(conf "$vf")" "${E0[@]}" CNI_COMMAND=DEL CNI_NETNS=/proc/self/ns/net
	t quiet
	t wait_for 20 vf_is FREE "$vf"
}
i_16() {
	item "SIGKILL of the caller at any moment leaves nothing that its DEL does not take away, and disturbs no other container"
	local n pid
	for n in 1 2 3 4 5 6; do
		printf '%s' "$(conf "$vf" "$FAKE")" | env VFKEEPER_ROOT=$ROOT "${E0[@]}" \
			CNI_COMMAND=ADD "$CNI_BIN/vfkeeper" >/dev/null 2>&1 &
		pid=$!
		sleep 0.00$((n * 2 - 1))
		kill -KILL $pid 2>/dev/null
		add other$n net1 $P2 "$(conf "$vf2" "$FAKE")"
		t answered 0
		del other$n net1 $P2 "$(conf "$vf2" "$FAKE")"
		t quiet
		raw "$(conf "$vf" "$FAKE")" "${E0[@]}" CNI_COMMAND=DEL
		t quiet
		wait $pid 2>/dev/null
		t wait_for 20 vf_is FREE "$vf"
		t wait_for 20 no_lease
		t no_link p1 net1
	done
}
i_17() {
	item "the program can be replaced by rename while it is called"
	local n failed=0 pid
	(
		for n in $(seq 20); do
			cp $CNI_BIN/vfkeeper $CNI_BIN/.new && mv -f $CNI_BIN/.new $CNI_BIN/vfkeeper
		done
	) &
	pid=$!
	for n in $(seq 40); do
		OUT=$(CNI_COMMAND=VERSION $CNI_BIN/vfkeeper </dev/null) || failed=1
	done
	wait $pid
	t is 0 $failed
	add "$id" net1 $P1 "$(conf "$vf")"
	t answered 0
	del "$id" net1 $P1 "$(conf "$vf")"
}
i_18() {
	item "delegates get the environment as it came"
	CNI_ENV=(LC_ALL=C MY_OWN='some thing' TRACEPARENT=00-1-2-01 PATH="$PATH" CNI_EXTRA=x)
	add "$id" net1 $P1 "$(conf "$vf" "$FAKE")"
	t answered 0
	local var
	for var in 'MY_OWN=some thing' TRACEPARENT=00-1-2-01 CNI_EXTRA=x CNI_COMMAND=ADD \
		"CNI_CONTAINERID=$id" CNI_NETNS=$P1 CNI_IFNAME=net1 "CNI_PATH=$CNI_PATH" \
		"CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=tests;K8S_POD_NAME=$id"; do
		t grep -qxF "$var" $ROOT/fake.env.ADD.$id
	done
	del "$id" net1 $P1 "$(conf "$vf" "$FAKE")"
	t grep -qxF 'MY_OWN=some thing' $ROOT/fake.env.DEL.$id
	t grep -qxF CNI_COMMAND=DEL $ROOT/fake.env.DEL.$id
}
i_19() {
	item "values of capabilities come in runtimeConfig, with deviceID, mac and infinibandGUID before the configuration's own"
	local c
	c="{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\",\"capabilities\":{\"deviceID\":true,\"mac\":true,\"ips\":true,\"infinibandGUID\":true},
	 \"runtimeConfig\":{\"deviceID\":\"$vf\",\"mac\":\"02:00:00:00:00:11\",\"ips\":[\"10.1.1.1/24\"],
	 \"infinibandGUID\":\"02:00:00:00:00:00:00:11\",\"CNIDeviceInfoFile\":\"/run/x\",\"portMappings\":[],\"aliases\":{},
	 \"io.kubernetes.cri.pod-annotations\":null},\"mac\":\"02:00:00:00:00:22\",
	 \"args\":{\"cni\":{\"guid\":\"02:00:00:00:00:00:00:22\"}}}"
	add "$id" net1 $P1 "$c"
	t answered 0
	t matches '"mac": *"02:00:00:00:00:11"' "$(flat)"
	t matches 'port_guid = 0x200000000000011' "$(cat $ROOT/run/vfkeeper/sim/$vf)"
	del "$id" net1 $P1 "$c"
	t quiet
}
