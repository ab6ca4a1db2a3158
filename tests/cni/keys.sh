#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every key of the configuration in every dialect: it reaches the device, where the simulated one
# shows it, and is undone; where several places can say the same, the right one wins; a value
# that is wrong, or that the device cannot honour, is one line before anything is touched.

. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"
world 1 8
echo 0123456789abcdef0123456789abcdef >$ROOT/etc/machine-id
add_netns p 1 1
fake_ipam
service_start
vf=$(vf_addr 0 0)
G1=02:00:00:00:00:00:bb:a1 G2=02:00:00:00:00:00:bb:b2
H1=0x20000000000bba1 H2=0x20000000000bbb2

# What the device says now: from the simulation's own file and from the kernel.
device() { sed -n "s/^$1 = //p" $ROOT/run/vfkeeper/sim/$vf; }
factory=$(add f net1 /run/netns/p1 "$(conf $vf '"vlan":1')"; del f net1 /run/netns/p1 "$(conf $vf)"
	grep -v -e rebinds -e resets $ROOT/run/vfkeeper/sim/$vf)
as_before() {
	wait_for 20 vf_is FREE "$vf" && at_home "$vf" &&
		is "$factory" "$(grep -v -e rebinds -e resets $ROOT/run/vfkeeper/sim/$vf)"
}
said() { msg | sed 's/\\"/"/g'; }
n=0
attach() { # MEMBER...
	n=$((n + 1))
	c=$(conf $vf "$@")
	add k$n net1 /run/netns/p1 "$c"
}
detach() { del k$n net1 /run/netns/p1 "$c"; }

# sees DIALECTS SETTING VALUE MEMBER...: under each name
sees() {
	local name setting=$2 value=$3
	for name in $1; do
		CNI_NAME=$name attach "${@:4}"
		check "$name: ${*:4}: is served" answered 0
		check "$name: ${*:4}: $setting is $value" is "$value" "$(device "$setting")"
		CNI_NAME=$name detach
		check "$name: ${*:4}: is undone" as_before
	done
}
# pod DIALECTS PATTERN MEMBER...: the link in the pod
pod() {
	local name
	for name in $1; do
		CNI_NAME=$name attach "${@:3}"
		check "$name: ${*:3}: is served" answered 0
		check "$name: ${*:3}: the link is as it says" matches "$2" "$(link_in p1 net1 2>&1)"
		CNI_NAME=$name detach
		check "$name: ${*:3}: is undone" as_before
	done
}
# refuses DIALECTS CODE PATTERN MEMBER...
refuses() {
	local name
	for name in $1; do
		CNI_NAME=$name attach "${@:4}"
		check "$name: ${*:4}: code $2" answered "$2"
		check "$name: ${*:4}: names it" matches "$3" "$(said)"
		check "$name: ${*:4}: nothing was touched" as_before
	done
}
# ignores DIALECTS SETTING MEMBER...: not a key of this dialect
ignores() {
	local name before
	before=$(sed -n "s/^$2 = //p" <<<"$factory")
	sees "$1" "$2" "$before" "${@:3}"
}
ib='ib-sriov vfkeeper' eth='sriov vfkeeper' all='ib-sriov sriov vfkeeper'

# --- both dialects ---
sees "$all" link_state 1 '"link_state":"enable"'
sees "$all" link_state 2 '"link_state":"disable"'
sees "$all" link_state 0 '"link_state":"auto"'
sees "$all" link_state 0 '"link_state":""'
refuses "$all" 7 'invalid link_state value: up' '"link_state":"up"'
refuses "$all" 7 'invalid link_state value: Enable' '"link_state":"Enable"'

# --- InfiniBand ---
sees "$ib" port_guid $H1 "\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
sees "$ib" node_guid $H1 "\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
sees "$ib" bound_port_guid $H2 "\"runtimeConfig\":{\"infinibandGUID\":\"$G2\"}"
sees "$ib" port_guid $H2 "\"runtimeConfig\":{\"infinibandGUID\":\"$G2\"},\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
sees "$ib" port_guid $H1 "\"runtimeConfig\":{\"infinibandGUID\":\"\"},\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
sees "$ib" port_guid $H1 "\"args\":{\"cni\":{\"guid\":\"$G1\",\"vlan\":5,\"ips\":[\"1\"],\"x\":{\"y\":true},\"z\":null}}"
refuses "$ib" 7 'invalid guid zz' "\"runtimeConfig\":{\"infinibandGUID\":\"zz\"},\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
for guid in 00:00:00:00:00:00:00:00 02-00-00-00-00-00-bb-64 020000000000bb64 02:00:00:00:00:bb:64 \
	"$G1:00" " $G1" "$G1 " 0x020000000000bb64; do
	refuses ib-sriov 7 "invalid guid" "\"args\":{\"cni\":{\"guid\":\"$guid\"}}"
done
sees ib-sriov port_guid 0xffffffffffffffff '"args":{"cni":{"guid":"FF:ff:FF:ff:ff:ff:ff:ff"}}'
ignores "$all" port_guid "\"guid\":\"$G1\""
ignores "$all" port_guid "\"args\":{\"cni\":{\"GUID\":\"$G1\"}}" # a map's keys are exact
ignores sriov port_guid "\"runtimeConfig\":{\"infinibandGUID\":\"$G1\"}"
sees ib-sriov port_guid $H1 "\"runtimeconfig\":{\"InfiniBandguid\":\"$G1\"}"
sees ib-sriov link_state 1 '"LINK_STATE":"enable"'
sees "$ib" rebinds "$(($(device rebinds) + 1))" "\"args\":{\"cni\":{\"guid\":\"$G1\"}}" 2>/dev/null |
	grep -v 'rebinds is' # only where the GUID really changes
attach '"rdmaIsolation":true'
check "rdmaIsolation true: the RDMA device is in the pod" lacks '^0$' "$(device rdma_cookie)"
detach
check "rdmaIsolation true: and home again" as_before
sees "$ib" rdma_cookie 0 '"rdmaIsolation":false'
sees "$ib" pkey 0x8005 '"pkey":"0x8005"'
sees "$ib" pkey 0x5 '"pkey":"5"'
refuses "$ib" 7 'pkey "0xfffff"' '"pkey":"0xfffff"'
refuses "$ib" 7 'pkey "notakey"' '"pkey":"notakey"'
refuses "$ib" 6 'pkey 5 must be a string' '"pkey":5'
ignores sriov pkey '"pkey":"0x8005"'
marker='"mellanox.infiniband.app":"configured"'
refuses "$ib" 11 'InfiniBand status "mellanox.infiniband.app" is not "configured"|InfiniBand status' '"ibKubernetesEnabled":true'
refuses "$ib" 11 'InfiniBand status' "\"ibKubernetesEnabled\":true,\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
refuses "$ib" 11 'InfiniBand status' "\"ibKubernetesEnabled\":true,\"args\":{\"cni\":{\"guid\":\"$G1\",\"mellanox.infiniband.app\":\"pending\"}}"
refuses "$ib" 7 'GUID must be provided by ib-kubernetes' "\"ibKubernetesEnabled\":true,\"args\":{\"cni\":{$marker}}"
sees "$ib" port_guid $H1 "\"ibKubernetesEnabled\":true,\"args\":{\"cni\":{\"guid\":\"$G1\",$marker,\"pkey\":\"0x5\"}}"
sees "$ib" port_guid $H2 "\"ibKubernetesEnabled\":true,\"runtimeConfig\":{\"infinibandGUID\":\"$G2\"},\"args\":{\"cni\":{$marker}}"
refuses "$ib" 7 'vfioPciMode is enabled but the device is not bound to vfio-pci' '"vfioPciMode":true'
sees "$ib" vlan 0 '"vfioPciMode":false'

# --- Ethernet ---
sees "$eth" vlan 7 '"vlan":7'
sees "$eth" vlan 0 '"vlan":0'
sees "$eth" vlan 7 '"vlan":7.0'
sees "$eth" qos 3 '"vlan":7,"vlanQoS":3'
sees "$eth" qos 3 '"VLAN":7,"vlanqos":3'
sees "$eth" vlan_proto 0x88a8 '"vlan":7,"vlanProto":"802.1AD"'
sees "$eth" vlan_proto 0x8100 '"vlan":7,"vlanProto":"802.1q"'
ignores ib-sriov vlan '"vlan":7'
refuses "$eth" 7 'vlan id 4095' '"vlan":4095'
refuses "$eth" 7 'vlan id -1' '"vlan":-1'
refuses "$eth" 7 'vlan id must be configured' '"vlanQoS":3'
refuses "$eth" 7 'non-zero vlan id' '"vlan":0,"vlanQoS":3'
refuses "$eth" 7 'PCP 8' '"vlan":5,"vlanQoS":8'
refuses "$eth" 7 'vlan Proto' '"vlan":5,"vlanProto":"802.1x"'
refuses "$eth" 7 'non-zero vlan id' '"vlan":0,"vlanProto":"802.1ad"'
refuses "$eth" 6 'vlan "5" must be a whole number' '"vlan":"5"'
pod "$eth" '02:aa:aa:aa:aa:01' '"mac":"02:AA:aa:aa:aa:01"'
pod "$eth" '02:aa:aa:aa:aa:02' '"mac":"02:aa:aa:aa:aa:01","runtimeConfig":{"mac":"02:aa:aa:aa:aa:02"}'
for bad in 02-aa-aa-aa-aa-82 02aaaaaaaa82 02:aa:aa:aa:aa 01:00:5e:00:00:01 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff text; do
	refuses sriov 7 "mac \"$bad\"" "\"vlan\":82,\"mac\":\"$bad\""
done
ignores ib-sriov vlan '"mac":"nonsense"'
with_args() { # CNI_ARGS MEMBER...
	n=$((n + 1))
	c=$(conf $vf "${@:2}")
	OUT=$(printf '%s' "$c" | env CNI_COMMAND=ADD CNI_CONTAINERID=k$n CNI_IFNAME=net1 CNI_NETNS=/run/netns/p1 \
		CNI_PATH="$CNI_PATH" "CNI_ARGS=$1" "$CNI_BIN/sriov" 2>>$ROOT/client.log)
	RC=$?
}
with_args 'MAC=02:aa:aa:aa:aa:03;IgnoreUnknown=1' '"mac":"02:aa:aa:aa:aa:01"'
check "MAC of CNI_ARGS comes before mac" matches 02:aa:aa:aa:aa:03 "$(link_in p1 net1 2>&1)"
detach
with_args 'MAC=02:aa:aa:aa:aa:03' '"mac":"02:aa:aa:aa:aa:01"' '"runtimeConfig":{"mac":"02:aa:aa:aa:aa:02"}'
check "runtimeConfig.mac comes before MAC of CNI_ARGS" matches 02:aa:aa:aa:aa:02 "$(link_in p1 net1 2>&1)"
detach
with_args 'MAC=' '"mac":"02:aa:aa:aa:aa:01"' '"runtimeConfig":{"mac":""}'
check "an empty one is passed over" matches 02:aa:aa:aa:aa:01 "$(link_in p1 net1 2>&1)"
detach
with_args 'MAC=nonsense' '"mac":"02:aa:aa:aa:aa:01"'
check "a wrong one is not" answered 7
check "all undone" as_before
sees "$eth" spoofchk 0 '"spoofchk":"off"'
sees "$eth" spoofchk 1 '"spoofchk":"on"'
sees "$eth" trust 1 '"trust":"on"'
refuses "$eth" 7 'spoofchk "On"' '"spoofchk":"On"'
refuses "$eth" 7 'trust "yes"' '"trust":"yes"'
refuses "$eth" 6 'trust true' '"trust":true'
sees "$eth" max_tx_mbps 1000 '"max_tx_rate":1000'
sees "$eth" min_tx_mbps 100 '"min_tx_rate":100,"max_tx_rate":1000'
sees "$eth" min_tx_mbps 100 '"min_tx_rate":100,"max_tx_rate":0'
refuses "$eth" 7 'min_tx_rate 1000' '"min_tx_rate":1000,"max_tx_rate":100'
refuses "$eth" 7 'max_tx_rate -5' '"max_tx_rate":-5'
refuses "$eth" 7 'max_tx_rate 5000000000' '"max_tx_rate":5000000000'
sees sriov vlan 0 '"logLevel":"debug","logFile":"/x"'
refuses sriov 6 'logLevel 5' '"logLevel":5'

# --- ours, in every dialect ---
pod "$all" 'mtu 1400' '"mtu":1400'
refuses "$all" 7 'mtu 67' '"mtu":67'
refuses "$all" 7 'mtu 65536' '"mtu":65536'
pod "$all" PROMISC '"promisc":true'
pod "$all" ALLMULTI '"allmulti":true'
sees "$all" ipoib_mode 1 '"ipoibMode":"connected"'
refuses "$all" 7 'ipoibMode "x"' '"ipoibMode":"x"'
for name in $all; do
	before=$(device resets)
	CNI_NAME=$name attach '"scrub":"flr"'
	CNI_NAME=$name detach
	check "$name: scrub flr: the VF is FREE again" as_before
	check "$name: scrub flr: it was reset on its release" is $((before + 1)) "$(device resets)"
	CNI_NAME=$name attach '"scrub":"none"'
	CNI_NAME=$name detach
	check "$name: scrub none: it was not" is $((before + 1)) "$(device resets)"
	CNI_NAME=$name attach '"guidPolicy":"derived"'
	check "$name: guidPolicy derived: is served" answered 0
	derived=$(device port_guid)
	check "$name: guidPolicy derived: a GUID of ours" matches '^0x2[0-9a-f]{14}$' "$derived"
	CNI_NAME=$name detach
	check "$name: guidPolicy derived: is undone" as_before
	CNI_NAME=$name attach '"guidPolicy":"derived"'
	check "$name: guidPolicy derived: the same every time" is "$derived" "$(device port_guid)"
	CNI_NAME=$name detach
done
ignores "$all" port_guid '"guidPolicy":"keep"'
ignores "$all" port_guid '"guidPolicy":"given"'
refuses "$ib" 7 'guidPolicy "keep"' "\"guidPolicy\":\"keep\",\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
refuses "$ib" 7 'guidPolicy "derived"' "\"guidPolicy\":\"derived\",\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
refuses "$all" 7 'guidPolicy "x"' '"guidPolicy":"x"'
echo hang >$ROOT/fake.ADD
for name in $all; do
	begin=$SECONDS
	CNI_NAME=$name attach "$FAKE" '"timeoutSeconds":3'
	check "$name: timeoutSeconds 3: code 11" answered 11
	check "$name: timeoutSeconds 3: long before the usual 110 s" test $((SECONDS - begin)) -lt 60
	wait_for 20 no_lease
done
rm -f $ROOT/fake.ADD
refuses "$all" 7 'timeoutSeconds 0' '"timeoutSeconds":0'
refuses "$all" 7 'timeoutSeconds 111' '"timeoutSeconds":111'
refuses "$all" 6 'ipamCheck "no"' '"ipamCheck":"no"'

# --- where the device comes from ---
add dev net1 /run/netns/p1 "$(conf "" "\"pciBusID\":\"$vf\"")"
check "pciBusID stands in for deviceID" answered 0
del dev net1 /run/netns/p1 "$(conf "")"
add dev net1 /run/netns/p1 "$(conf $vf '"pciBusID":"0000:3b:00.7"' '"runtimeConfig":{"deviceID":"0000:3b:00.6"}')"
check "deviceID comes first" vf_is ATTACHED $vf
del dev net1 /run/netns/p1 "$(conf "")"
add dev net1 /run/netns/p1 "$(conf "" "\"DeviceID\":\"0000:3B:00.1\"")"
check "in another case, key and address" vf_is ATTACHED $vf
del dev net1 /run/netns/p1 "$(conf "")"

# --- the kind of value: every key, every wrong one ---
kinds() { # KEY KIND...: kinds that are right
	local key=$1 right=" ${*:2} null " kind value
	for kind in number boolean string array object; do
		[[ $right != *" $kind "* ]] || continue
		case $kind in
		number) value=5 ;; boolean) value=true ;; string) value='"text"' ;; array) value='[]' ;; object) value='{}' ;;
		esac
		case $key in
		runtimeConfig.*) CNI_NAME=$who attach "\"runtimeConfig\":{\"${key#*.}\":$value}" ;;
		ipam.type) CNI_NAME=$who attach "\"ipam\":{\"type\":$value}" ;;
		args.cni) CNI_NAME=$who attach "\"args\":{\"cni\":$value}" ;;
		args.cni.guid) CNI_NAME=$who attach "\"args\":{\"cni\":{\"guid\":$value}}" ;;
		deviceID) vf= CNI_NAME=$who attach "\"deviceID\":$value" ;;
		*) CNI_NAME=$who attach "\"$key\":$value" ;;
		esac
		check "$who: $key as $kind: code 6" answered 6
		check "$who: $key as $kind: names it" matches "$key" "$(said)"
	done
}
for who in $all; do
	kinds deviceID string
	kinds type string
	kinds ipam object
	kinds ipam.type string
	kinds dns object
	kinds capabilities object
	kinds runtimeConfig object
	kinds runtimeConfig.deviceID string
	kinds runtimeConfig.ips array
	kinds prevResult object
	kinds link_state string
	kinds mtu number
	kinds allmulti boolean
	kinds promisc boolean
	kinds ipoibMode string
	kinds guidPolicy string
	kinds scrub string
	kinds timeoutSeconds number
	kinds ipamCheck boolean
done
for who in $ib; do
	kinds args object
	kinds args.cni object
	kinds args.cni.guid string
	kinds runtimeConfig.infinibandGUID string
	kinds ibKubernetesEnabled boolean
	kinds rdmaIsolation boolean
	kinds vfioPciMode boolean
	kinds pkey string
done
for who in $eth; do
	kinds vlan number
	kinds vlanQoS number
	kinds vlanProto string
	kinds mac string
	kinds runtimeConfig.mac string
	kinds spoofchk string
	kinds trust string
	kinds min_tx_rate number
	kinds max_tx_rate number
done
check "after all that nothing is attached" as_before
engines_end

# --- what a device cannot honour ---
cp "$SIM" $ROOT/sim.before
sed -i 's/^vfs = .*/&\ncannot = vlan trust port_guid mtu_bytes/' "$SIM"
cannot() { # KEY MEMBER...
	attach "${@:2}" "$FAKE"
	check "a device without $1: code 2" answered 2
	check "a device without $1: key, VF and reason" \
		matches "^VF $vf cannot honour $1: .*device does not have" "$(msg)"
}
: >$ROOT/fake.calls
cannot vlan '"vlan":7'
cannot trust '"trust":"on"'
cannot infinibandGUID "\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
cannot mtu '"mtu":1400'
check "IPAM was not asked for any of them" is '' "$(cat $ROOT/fake.calls)"
check "and nothing was touched" as_before
sees vfkeeper spoofchk 0 '"spoofchk":"off"'
engines_end
cp $ROOT/sim.before "$SIM"
sed -i 's/^\(bound_\)\{0,1\}\(node\|port\)_guid = .*/\1\2_guid = 0/' $ROOT/run/vfkeeper/sim/$vf
wait_for 10 no_engine
rm -rf $ROOT/var/lib/vfkeeper/journal # its baseline is from before
CNI_NAME=ib-sriov attach '"link_state":"auto"'
check "ib-sriov: a VF without a GUID, and none given: code 7" answered 7
check "ib-sriov: a VF without a GUID, and none given: says so" matches "^VF $vf GUID is not valid" "$(msg)"
CNI_NAME=ib-sriov attach "\"args\":{\"cni\":{\"guid\":\"$G1\"}}"
check "ib-sriov: with one that is given it is served" answered 0
CNI_NAME=ib-sriov detach
check "ib-sriov: and has none again after its DEL" wait_for 20 vf_is FREE $vf
check "ib-sriov: none, not all ones" is 0x0 "$(device port_guid)"
engines_end
printf '[sim]\nlinks = no\n[pf 0000:5b:00.0]\nname = simvfio\nvfs = 2\n' >"$SIM"
vf=0000:5b:00.1
attach '"vfioPciMode":true'
check "vfioPciMode true: a VF on vfio-pci is served" answered 0
check "vfioPciMode true: the result names the interface, with the MAC that the PF holds" \
	matches '"name": *"net1", *"mac": *"02:53:00:00:5b:01", *"sandbox"' "$(tr -d '\n' <<<"$OUT")"
detach
for key in '"mtu":1400' '"promisc":true' '"allmulti":true' '"ipoibMode":"connected"'; do
	attach "$key"
	check "a VF without a network device: $key: code 2" answered 2
	check "a VF without a network device: $key: reason" matches 'no network device: its driver is vfio-pci' "$(msg)"
done
engines_end
finish
