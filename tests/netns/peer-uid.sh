#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sockets are for uid 0: by the mode of their directory, and by the peer's credentials
# where that was opened.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
requires setpriv
world 1 2
service_start
vf=$(vf_addr 0 0)
add_netns p 1 1
c=$(conf "$vf")
printf '%s' "$c" >$ROOT/conf
add c1 net1 /run/netns/p1 "$c"
check "root attaches" answered 0

check "the directory of the sockets has mode 0700" is 700 "$(stat -c %a $ROOT/run/vfkeeper)"
check "the state directory has mode 0700" is 700 "$(stat -c %a $ROOT/var/lib/vfkeeper)"

as_nobody() {
	OUT=$(env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_IFNAME=net1 CNI_NETNS= CNI_PATH="$CNI_PATH" \
		setpriv --reuid 65534 --regid 65534 --clear-groups timeout 60 \
		$ROOT/open/vfkeeper <$ROOT/conf 2>/dev/null)
	RC=$?
}
mkdir $ROOT/open
cp $ROOT/bin/vfkeeper $ROOT/open/
chmod 755 $ROOT $ROOT/open
chmod 644 $ROOT/conf
as_nobody
check "another user's DEL fails" lacks '^0$' "$RC"
check "in one line with a code" answered "$(code)"
check "and releases nothing" vf_is ATTACHED "$vf"

# The mode lost: the engine itself has to look.
chmod 755 $ROOT/run/vfkeeper
chmod 666 $ROOT/run/vfkeeper/*.sock
as_nobody
check "with the directory open, another user's DEL still fails" lacks '^0$' "$RC"
check "and still releases nothing" vf_is ATTACHED "$vf"
setpriv --reuid 65534 --regid 65534 --clear-groups "$VFCTL" release "$vf" --force >/dev/null 2>&1
check "vfctl of another user changes nothing either" vf_is ATTACHED "$vf"
del c1 net1 /run/netns/p1 "$c"
check "root's DEL releases" answered 0
check "the node is clean" wait_clean
engines_end
finish
