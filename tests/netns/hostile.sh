#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Missing, wrong or hostile input: one clear line, the right CNI code, nothing changed.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 1 4
add_netns p 1 4
vf=$(vf_addr 0 0)
c=$(conf "$vf")
service_start
add keep net1 /run/netns/p1 "$c"
check "one VF is attached all the while" answered 0
main=$(engine_pid)

# raw STDIN NAME=VALUE...: calls with this environment only.
raw() {
	OUT=$(printf '%s' "$1" | env -i VFKEEPER_ROOT=$ROOT "${@:2}" timeout -s KILL 150 \
		"$CNI_BIN/${CNI_NAME:-vfkeeper}" 2>>$ROOT/client.log)
	RC=$?
}
E=(CNI_CONTAINERID=h1 CNI_NETNS=/run/netns/p2 CNI_IFNAME=net1 "CNI_PATH=$CNI_PATH")

# --- environment ---
raw "$c" CNI_COMMAND=add "${E[@]}"
check "CNI_COMMAND in small letters: code 4" answered 4
check "it names the command" matches 'unknown CNI_COMMAND: add' "$(msg)"
raw "$c" "${E[@]}"
check "no CNI_COMMAND: code 4" answered 4
raw "$c" CNI_COMMAND=ADD
check "nothing but CNI_COMMAND: code 4" answered 4
check "all missing names at once" \
	matches 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH' "$(msg)"
raw "$c" CNI_COMMAND=ADD CNI_CONTAINERID= CNI_NETNS=/run/netns/p2 CNI_IFNAME=net1 CNI_PATH=/x
check "an empty variable counts as missing: code 4" answered 4
for id in '../etc' 'a b' '-x' 'ü' '.hidden'; do
	raw "$c" CNI_COMMAND=ADD "CNI_CONTAINERID=$id" "${E[@]:1}"
	check "container ID '$id': code 4" answered 4
done
for name in . .. a/b 'a b' a:b sixteen-letters- ''; do
	raw "$c" CNI_COMMAND=ADD "${E[@]}" "CNI_IFNAME=$name"
	check "interface name '$name': code 4" answered 4
done
raw "$c" CNI_COMMAND=ADD "${E[@]}" CNI_ARGS=nonsense
check "CNI_ARGS without '=' is refused" answered "$(code)"
check "... and not accepted" lacks '^0$' "$RC"
raw "$c" CNI_COMMAND=ADD "${E[@]}" CNI_NETNS=/no/such/netns
check "ADD with a netns that does not exist fails" lacks '^0$' "$RC"
raw "$c" CNI_COMMAND=ADD "${E[@]}" CNI_NETNS=/etc/passwd
check "ADD with a file that is no netns fails" lacks '^0$' "$RC"
raw "$c" CNI_COMMAND=ADD "${E[@]}" CNI_NETNS=/proc/self/ns/net
check "ADD with the plugin's own netns: code 8" answered 8
mkfifo $ROOT/fifo
raw "$c" CNI_COMMAND=ADD "${E[@]}" CNI_NETNS=$ROOT/fifo
check "ADD with a pipe as netns fails and does not hang" lacks '^(0|137)$' "$RC"
raw "$c" CNI_COMMAND=ADD "CNI_CONTAINERID=$(head -c 300 /dev/zero | tr '\0' a)" "${E[@]:1}"
check "a container ID of 300 letters is refused" answered "$(code)"
check "... with an error" lacks '^0$' "$RC"
raw "$c" CNI_COMMAND=ADD "${E[@]}" "CNI_X=$(head -c 120000 /dev/zero | tr '\0' x)"
check "120 kB in one variable: an answer all the same" matches '^[01]$' "$RC"
raw "$c" CNI_COMMAND=DEL "${E[@]}"
check "the DEL after it succeeds" answered 0

# --- stdin ---
bad() { # SENTENCE CODE STDIN
	raw "$3" CNI_COMMAND=ADD "${E[@]}"
	check "$1: code $2" answered "$2"
}
bad "empty stdin" 6 ''
bad "no JSON" 6 'hello'
bad "half an object" 6 "${c:0:20}"
bad "an array" 6 '[1,2]'
bad "two documents" 6 "$c$c"
bad "JSON with a NUL escape in the name" 7 '{"cniVersion":"1.0.0","name":"a\u0000b","type":"vfkeeper"}'
bad "no name" 7 '{"cniVersion":"1.0.0","type":"vfkeeper"}'
bad "a bad name" 7 '{"cniVersion":"1.0.0","name":"a/b","type":"vfkeeper"}'
bad "an unknown version" 1 '{"cniVersion":"2.0.0","name":"n","type":"vfkeeper"}'
bad "a version that is a number" 6 '{"cniVersion":1,"name":"n","type":"vfkeeper"}'
bad "deviceID that is no PCI address" 7 "$(conf nonsense)"
bad "deviceID that is a number" 6 '{"cniVersion":"1.0.0","name":"n","type":"vfkeeper","deviceID":5}'
bad "ipam that is a string" 6 "$(conf "$vf" '"ipam":"host-local"')"
bad "60,000 opening brackets" 6 "$(head -c 60000 /dev/zero | tr '\0' '[')"
bad "200 kB of configuration (R15)" 7 "$(head -c 200000 /dev/zero | tr '\0' ' ')$c"
raw "$(conf 0000:ff:1f.7)" CNI_COMMAND=ADD "${E[@]}"
check "a VF that does not exist: ADD fails" lacks '^0$' "$RC"
check "and names it" matches '0000:ff:1f.7' "$(msg)"
raw "$(conf "")" CNI_COMMAND=ADD "${E[@]}"
check "ADD without a device: code 7" answered 7
raw "$(conf 0000:3b:00.0)" CNI_COMMAND=ADD "${E[@]}"
check "ADD of the PF itself fails" lacks '^0$' "$RC"
raw "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"pad\":\"$(head -c 1000000 /dev/zero | tr '\0' x)\"}" \
	CNI_COMMAND=DEL "${E[@]}"
check "a DEL with 1 MB of configuration succeeds" answered 0
head -c 20000000 /dev/zero | env -i VFKEEPER_ROOT=$ROOT CNI_COMMAND=DEL "${E[@]}" \
	"$CNI_BIN/vfkeeper" >$ROOT/big.out 2>/dev/null
RC=$? OUT=$(cat $ROOT/big.out)
check "20 MB of stdin: code 5" answered 5
OUT=$(env -i VFKEEPER_ROOT=$ROOT CNI_COMMAND=ADD "${E[@]}" "$CNI_BIN/vfkeeper" <&- 2>/dev/null)
RC=$?
check "stdin closed: an error in one line" answered "$(code)"
check "... not success" lacks '^0$' "$RC"
OUT=$(env -i VFKEEPER_ROOT=$ROOT CNI_COMMAND=VERSION "$CNI_BIN/vfkeeper" <&- 2>/dev/null)
check "VERSION works with stdin closed" matches supportedVersions "$OUT"
printf '%s' "$c" | env -i VFKEEPER_ROOT=$ROOT CNI_COMMAND=DEL "${E[@]}" "$CNI_BIN/vfkeeper" >&- 2>/dev/null
check "a DEL with stdout closed ends" matches '^[01]$' "$?"
raw "$c" CNI_COMMAND=ADD "${E[@]}" VFKEEPER_ROOT=relative/path
check "a relative VFKEEPER_ROOT is refused" lacks '^0$' "$RC"
check "in one line with a code" answered "$(code)"
raw "$c" CNI_COMMAND=ADD "${E[@]}" "VFKEEPER_ROOT=/$(head -c 600 /dev/zero | tr '\0' r)"
check "a VFKEEPER_ROOT of 600 bytes is refused" answered "$(code)"
check "nothing of all that attached anything" lacks net1 "$(ip -n p2 -o link show)"
check "the engine is still the same process" is "$main" "$(engine_pid)"

# --- frames ---
sock=$ROOT/run/vfkeeper/cni.sock
ctl=$ROOT/run/vfkeeper/control.sock
packet() { "$HELPERS/../netns/packet" "$@" 2>&1; }
# header VERSION TYPE LEN N_FDS, little-endian
header() {
	printf 'VFK1'
	printf '%b' "$(printf '\\x%02x\\x00\\x%02x\\x00' "$1" "$2")"
	printf '%b' "$(printf '\\x%02x\\x%02x\\x00\\x00\\x%02x\\x00\\x00\\x00' \
		$(($3 & 255)) $(($3 >> 8)) "$4")"
}
zeros() { head -c "$1" /dev/zero; }
closes() { # SENTENCE N_FDS COUNT [ELSE]: from stdin; the engine answers with an error or closes
	check "frame: $1" matches "^(send: .*; )?(eof|reset|answer [1-9]|${4:-none})" \
		"$(packet $sock "$2" "$3")"
}
printf 'hello' | closes "five bytes" 0 1
printf '' | closes "an empty packet" 0 1
zeros 100 | closes "zeros" 0 1
head -c 65536 /dev/urandom | closes "64 kB of noise" 3 1
{ header 1 1 96 3; zeros 80; } | closes "a request without its descriptors" 0 1
{ header 1 1 96 0; zeros 80; } | closes "a request that announces none" 3 1
{ header 1 1 96 3; zeros 80; } | closes "a request of verb 0" 3 1
{ header 1 1 96 3; zeros 80; } | closes "the same with 16 descriptors" 16 1
{ header 1 1 9999 3; zeros 80; } | closes "a length that is not its own" 3 1
{ header 1 3 64 1; zeros 48; } | closes "a RAN frame before any request" 1 1
{ header 1 5 24 0; zeros 8; } | closes "an ANSWER from a client" 0 1
{ header 1 99 24 0; zeros 8; } | closes "a frame of unknown type" 0 1
{ header 99 1 96 3; zeros 80; } | closes "a frame of version 99" 3 1 '24 bytes'
zeros 64 | closes "five hundred bad packets" 2 500
check "frame: 300 silent connections do no harm" is held "$(packet $sock 0 0 </dev/null)"
add after net1 /run/netns/p3 "$(conf "$(vf_addr 0 1)")"
check "after all that an ADD is served" answered 0
del after net1 /run/netns/p3 "$(conf "$(vf_addr 0 1)")"
check "and its DEL" answered 0
head -c 4096 /dev/urandom | packet $ctl 0 200 >/dev/null
check "noise on the control socket does no harm" service_answers
check "the engine is still the same process after the frames" is "$main" "$(engine_pid)"
check "no descriptor was lost to them" test "$(ls /proc/$main/fd | wc -l)" -lt 120
check "the VF attached before is still attached" vf_is ATTACHED "$vf"
engines_end

# --- configuration and sim description ---
config_refused() { # SENTENCE PATTERN
	add cfg net1 /run/netns/p4 "$(conf "$(vf_addr 0 2)")"
	check "$1: ADD fails" lacks '^0$' "$RC"
	check "$1: in one line that says where" matches "$2" "$(msg)"
	del keepnot net1 - "$c"
	check "$1: DEL succeeds" answered 0
	engines_end
}
good=$ROOT/tmp/good.conf
cp $ROOT/etc/vfkeeper/vfkeeper.conf $good
for line in 'unknown_key = 1' 'add_timeout_s = soon' 'add_timeout_s = -5' 'sync = perhaps' \
	'log_level = loud' 'plugin_dirs = relative' $'[nosection]\nx = 1' 'no equals sign'; do
	cp $good $ROOT/etc/vfkeeper/vfkeeper.conf
	echo "$line" >>$ROOT/etc/vfkeeper/vfkeeper.conf
	config_refused "configuration with '${line/$'\n'/, }'" 'vfkeeper.conf'
done
head -c 70000 /dev/urandom >$ROOT/etc/vfkeeper/vfkeeper.conf
config_refused "configuration of noise" 'vfkeeper.conf'
rm $ROOT/etc/vfkeeper/vfkeeper.conf && mkdir $ROOT/etc/vfkeeper/vfkeeper.conf
config_refused "a directory as configuration" 'vfkeeper.conf'
rmdir $ROOT/etc/vfkeeper/vfkeeper.conf
cp $good $ROOT/etc/vfkeeper/vfkeeper.conf
check "none of that cost the attached VF" matches net1 "$(link_in p1 net1 2>&1)"

cp "$SIM" $ROOT/tmp/sim.good
sim_bad() { # SENTENCE
	add sim net1 /run/netns/p4 "$(conf "$(vf_addr 0 2)")"
	check "sim description $1: ADD fails" lacks '^0$' "$RC"
	check "sim description $1: in one line" answered "$(code)"
	del simnot net1 - "$c"
	check "sim description $1: DEL of nothing succeeds" answered 0
	engines_end
	cp $ROOT/tmp/sim.good "$SIM"
}
printf '[pf nonsense]\nname = x\nvfs = 4\n' >"$SIM"; sim_bad "with a bad address"
printf '[pf 0000:3b:00.0]\nname = x\nvfs = 100000\n' >"$SIM"; sim_bad "with 100,000 VFs"
printf '[pf 0000:3b:00.0]\nname = a-name-of-more-than-15-letters\nvfs = 4\n' >"$SIM"
sim_bad "with a name too long"
printf '[pf 0000:3b:00.0]\nwhat = 1\n' >"$SIM"; sim_bad "with an unknown key"
head -c 5000 /dev/urandom >"$SIM"; sim_bad "of noise"
rm "$SIM"; sim_bad "that is not there"
faults 'nonsense here' 'settings * errno=ENOSUCHERRNO' 'settings'
add flt net1 /run/netns/p4 "$(conf "$(vf_addr 0 2)")"
check "a faults file of nonsense: an answer in one line" answered "$(code)"
faults
del flt net1 /run/netns/p4 "$(conf "$(vf_addr 0 2)")"
check "and the DEL afterwards succeeds" answered 0
del keep net1 /run/netns/p1 "$c"
check "the VF attached at the beginning is released at the end" answered 0
check "the node is clean" wait_clean || "$VFCTL" explain "$vf"
engines_end
finish
