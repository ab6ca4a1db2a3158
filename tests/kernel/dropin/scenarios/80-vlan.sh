# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# Vlan, vlanQoS, vlanProto.
pod pod1
for x in '"vlan":0' '"vlan":5' '"vlan":4094' '"vlan":4095' '"vlan":-1' '"vlan":5000' \
	'"vlanQoS":3' '"vlan":5,"vlanQoS":3' '"vlan":5,"vlanQoS":7' '"vlan":5,"vlanQoS":8' \
	'"vlan":0,"vlanQoS":3' '"vlan":0,"vlanQoS":0' '"vlanProto":"802.1ad"' '"vlan":5,"vlanProto":"802.1ad"' \
	'"vlan":5,"vlanProto":"802.1AD"' '"vlan":5,"vlanProto":"802.1q"' '"vlan":0,"vlanProto":"802.1ad"' \
	'"vlan":5,"vlanProto":"qinq"' '"vlan":5,"vlanProto":""'; do
	try "$x" "$x"
done
snap end
