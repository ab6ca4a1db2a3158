# SPDX-License-Identifier: Apache-2.0
# In a guest: the disk under a running engine fails (dm-flakey: every write is an error) and the
# file system turns read-only, as ext4 does then.  ADD stops with a line that says so, IPAM is
# not asked, DEL goes on; a disk that works again is used again.
. ./t.sh
. ./node.sh
node_enter
for module in loop ext4 dm-flakey; do
	modprobe -d "$MODULES" $module || exit 1
done
work=/run/test
state=$ROOT/var/lib/vfkeeper

table() { # linear, or flakey with all writes failing
	case $1 in
	works) echo "0 $sectors linear $data 0" ;;
	fails) echo "0 $sectors flakey $data 0 0 3600 1 error_writes" ;;
	esac
}
switch() {
	table "$1" | dmsetup --noudevsync load state
	dmsetup --noudevsync suspend --noflush --nolockfs state
	dmsetup --noudevsync resume state
}
disk() {
	truncate -s 40M $work/data
	mkfs.ext4 -q -F -m 0 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 $work/data
	data=$(losetup -f --show $work/data)
	sectors=$(blockdev --getsz "$data")
	table works | dmsetup --noudevsync create state
	device=/dev/dm-$(dmsetup info -c --noheadings -o minor state)
	mkdir -p $state
	mount -o errors=remount-ro "$device" $state
	chmod 700 $state
}
attach() { add "c$1" net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 "$1")" "$FAKE")"; }
detach() { del "c$1" net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 "$1")" "$FAKE")"; }
calls() { lines "^$1 $2 " <$ROOT/fake.calls; }
read_only() { not touch $state/probe; } # or EIO, as long as the kernel thinks about it

prepare() {
	local i
	disk
	world 1 8
	fake_ipam
	for i in 0 1 2 3 4 5 6 7; do ip netns add "p$i"; done
}
# HOW: with the service or an engine on demand that runs.
writes_fail() {
	local i
	for i in 0 1 2; do
		attach $i
		want "$RC" 0
	done
	switch fails
	attach 3
	not test "$RC" = 0
	matches 'journal|disk|sync|EIO|EROFS' "$(msg)"
	want "$(calls ADD c3)" 0
	not link_in p3 net1
	detach 0
	want "$RC" 0
	within 20 at_home "$(vf_addr 0 0)"
}
read_only_under_it() {
	# ext4 does it by itself once its own journal cannot be written.
	within 20 read_only
	detach 1
	want "$RC" 0
	within 20 at_home "$(vf_addr 0 1)"
	attach 4
	not test "$RC" = 0
	want "$(calls ADD c4)" 0
	# A new engine finds the same.
	node_stop
	detach 2
	want "$RC" 0
	within 20 at_home "$(vf_addr 0 2)"
	attach 5
	not test "$RC" = 0
	matches 'EROFS|EIO|[Rr]ead-only' "$(msg)"
	want "$(calls ADD c5)" 0
}
works_again() {
	node_stop
	switch works
	umount $state
	fsck.ext4 -p "$device" || [ $? = 1 ]
	mount -o errors=remount-ro "$device" $state
	attach 6
	want "$RC" 0
	detach 6
	want "$RC" 0
	# The records that could not be written are settled: leases that were paid are paid twice.
	within 60 all_free 8
	within 60 no_lease
	node_stop
	node_clean
}

# Each case runs in a process of its own; what they share is in the kernel and in files.
prepare >$work/said 2>&1 || { cat $work/said; echo "FAIL: disk: a disk that can fail is made"; exit 1; }
t_case "disk: with failing writes ADD stops, IPAM is not asked, DEL is served" writes_fail
t_case "disk: read-only under a running engine, and a new one: the same" read_only_under_it
t_case "disk: once it works again all is settled" works_again
node_end
