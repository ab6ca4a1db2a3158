#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Client and engine on demand work in an empty chroot with /proc, /sys, /run and /var/lib bound:
# no shared object and no name service file is ever opened.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
requires strace readelf
for program in vfkeeper vfkeeper-engine; do
	if readelf -d "$ROOT/bin/$program" 2>/dev/null | grep -q NEEDED; then
		skip_all "$program is linked with shared libraries in this build"
	fi
	pass "$program has no NEEDED entry"
done
world 1 4
add_netns p 1 1 # before /run is bound: a mount made later would not be seen in the jail
jail=$ROOT/jail
mkdir -p $jail/proc $jail/sys $jail/run $jail/var/lib $jail/bin $jail/dev
mount --rbind /proc $jail/proc && mount --rbind /sys $jail/sys && mount --rbind /run $jail/run ||
	fail "the jail is made"
# VFKEEPER_ROOT lies below /run here, so state and run directories are bound with it.
cp $ROOT/bin/vfkeeper $ROOT/bin/vfkeeper-engine $jail/bin/
touch $jail/dev/null && mount --bind /dev/null $jail/dev/null

vf=$(vf_addr 0 0)
conf "$vf" >$ROOT/conf
for verb in ADD DEL; do
	env -i "PATH=$PATH" VFKEEPER_ROOT=$ROOT CNI_COMMAND=$verb CNI_CONTAINERID=c1 CNI_IFNAME=net1 \
		CNI_NETNS=/run/netns/p1 CNI_PATH=/bin \
		strace -f -qq -o $ROOT/trace.$verb -e trace=open,openat,openat2,execve,connect \
		chroot $jail /bin/vfkeeper <$ROOT/conf >$ROOT/out.$verb 2>$ROOT/err.$verb &
	call=$!
	# strace follows the engine too and ends with it: the call has ended when it has answered.
	wait_for 30 test -s $ROOT/out.$verb -o "$verb" = DEL
	[ $verb = DEL ] || check "in the jail ADD answers" matches '"pciID"|"interfaces"' \
		"$(cat $ROOT/out.$verb $ROOT/err.$verb)"
	[ $verb = ADD ] && check "in the jail the link is in the pod" \
		matches net1 "$(link_in p1 net1 2>&1)"
	[ $verb = DEL ] && check "in the jail DEL brings it home" wait_for 20 at_home "$vf"
	engines_end
	wait $call
	# What chroot(1) itself loads stands before the exec of our program.
	sed '0,/execve("\/bin\/vfkeeper"/d' $ROOT/trace.$verb >$ROOT/trace.ours
	check "$verb: the client and the engine were both seen" \
		matches 'vfkeeper-engine' "$(grep execve $ROOT/trace.ours)"
	check "$verb: no shared object was opened" lacks '\.so[".0-9]' "$(cat $ROOT/trace.ours)"
	check "$verb: no name service file was opened" \
		lacks 'nsswitch|/etc/passwd|/etc/group|/etc/hosts|resolv\.conf|nscd' "$(cat $ROOT/trace.ours)"
	check "$verb: no locale and no time zone was opened" \
		lacks 'locale|zoneinfo|localtime' "$(cat $ROOT/trace.ours)"
done
umount -R $jail/proc $jail/sys $jail/run $jail/dev/null
check "the node is clean" wait_clean
finish
