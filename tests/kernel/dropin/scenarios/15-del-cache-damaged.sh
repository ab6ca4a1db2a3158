# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The file of the attachment is missing, empty, half written, garbage, of another shape.
case $KIND in
ib) x='"link_state":"disable","runtimeConfig":{"infinibandGUID":"02:00:00:00:00:00:bb:06"}' ;;
eth) x='"vlan":106,"mac":"02:aa:aa:aa:aa:06"' ;;
esac
# damage HOW FILE: of the attachment, below /var/lib/cni; none where the plugin keeps none there
damage() {
	local file=$2
	[ -n "$file" ] || return
	case $1 in
	missing) rm "$file" ;;
	empty) : >"$file" ;;
	half) truncate -s $(($(stat -c %s "$file") / 2)) "$file" ;;
	garbage) head -c 300 /dev/urandom >"$file" ;;
	wrong-types) echo '{"cniVersion":5,"deviceID":[],"VFID":"x"}' >"$file" ;;
	other-json) echo "{\"cniVersion\":\"0.4.0\",\"ipam\":$IPAM,\"name\":\"net\",\"type\":\"$TYPE\"}" >"$file" ;;
	unreadable-dir) rm "$file" && mkdir "$file" ;;
	esac
}
for how in missing empty half garbage wrong-types other-json unreadable-dir; do
	pod pod1
	IPAM='{"type":"okipam"}'
	CID=c-$how
	add "add-$how" < <(conf "$x")
	file=$(find /var/lib/cni -type f -name "*$CID*$IFN*")
	damage $how "$file"
	del "del-$how" < <(conf "$x")
	snap "after-$how"
	[ ! -d "${file:-/none}" ] || rmdir "$file"
	del "del-again-$how" < <(conf "$x")
	again
done
