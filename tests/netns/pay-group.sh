#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the engine runs to pay a lease has a control group of its own (R11): whatever the
# plugin leaves behind, also outside its process group, ends with it.

. "$(dirname "$0")/lib.sh"
world_enter "$@"

groups=$ROOT/tmp/cg
mkdir -p $groups $ROOT/sys/fs/cgroup
mount -t cgroup2 none $groups 2>/dev/null || skip_all "no cgroup2 can be mounted here"
mine=$groups/vfk-test-$(basename "$VFK_WORLD")
mkdir "$mine" && echo $$ >"$mine/cgroup.procs" || skip_all "no control group can be made here"
# Left to nobody else, whatever happens to the cases below.
leave() {
	echo $$ >$groups/cgroup.procs
	rmdir "$mine"/* "$mine" 2>/dev/null
}
trap leave EXIT

world 1 2
fake_ipam
# A child that has left the process group and keeps the lease's byte, as daemons of plugins do.
cat >$ROOT/plugins/daemon <<'PLUGIN'
#!/bin/bash
exec <&- # stdin is not read
if [ "$CNI_COMMAND" = DEL ]; then
	[ -e /run/w/daemon.works ] || exit 1
	sed -n 's/^0:://p' /proc/self/cgroup >/run/w/daemon.group
	setsid sleep 1000 >/dev/null 2>&1 &
	echo $! >/run/w/daemon.pid
fi
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}'
PLUGIN
chmod 755 $ROOT/plugins/daemon

no_groups() { ! ls -d "$mine"/ipam-* >/dev/null 2>&1; }

# The engine sees this control group as the root of all.
unshare -C bash -c "mount -t cgroup2 none $ROOT/sys/fs/cgroup && exec $VFKEEPERD" \
	>>$ROOT/vfkeeperd.log 2>&1 &
SVC=$!
wait_for 30 service_answers
vf=$(vf_addr 0 0)
c=$(conf "$vf" '"ipam":{"type":"daemon"}')
add_netns p 1 1
add one net1 /run/netns/p1 "$c"
check "ADD succeeds" answered 0
del one net1 /run/netns/p1 "$c"
check "DEL succeeds although its plugin fails" answered 0
touch $ROOT/daemon.works
check "the engine pays when the plugin works" wait_for 30 no_lease
check "in a control group of its own" matches '^/ipam-[0-9]+$' "$(cat $ROOT/daemon.group)"
check "what the plugin left behind is ended" wait_for 10 is_gone "$(cat $ROOT/daemon.pid)"
check "the control group is removed" wait_for 10 no_groups
engines_end
finish
