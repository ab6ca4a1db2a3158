# SPDX-License-Identifier: Apache-2.0
# In a guest: attaches and releases with the journal on an ext4 over dm-log-writes, which keeps
# every write and every flush in order.  Marks say what was known when: a mark stands behind
# what was flushed before it and before what was not.  Leaves base.img, the log and the calls
# in /out.  From the environment: MODULES (a kernel's root), SYNC (vfkeeper.conf).
. ./t.sh
. ./node.sh
node_enter
for module in loop ext4 dm-log-writes; do
	modprobe -d "$MODULES" $module || exit 1
done
work=/run/test
state=$ROOT/var/lib/vfkeeper
mark() { dmsetup message lw 0 mark "${1// /.}"; } # one word

disk() {
	local data log
	truncate -s 28M $work/data
	truncate -s 400M $work/log
	mkfs.ext4 -q -F -m 0 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 $work/data
	cp --sparse=always $work/data /out/base.img
	data=$(losetup -f --show $work/data)
	log=$(losetup -f --show $work/log)
	dmsetup --noudevsync create lw --table "0 $(blockdev --getsz "$data") log-writes $data $log"
	mkdir -p $state
	mount "/dev/dm-$(dmsetup info -c --noheadings -o minor lw)" $state
	chmod 700 $state
}

# A plugin that tells when it was asked, and answers.
plugin() {
	cat >$ROOT/plugins/fake <<-'PLUGIN'
		#!/bin/bash
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		dmsetup message lw 0 mark "ipam.$CNI_COMMAND.$CNI_CONTAINERID"
		echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24","gateway":"10.9.9.1"}]}'
	PLUGIN
	chmod 755 $ROOT/plugins/fake
}

attach() {
	mark "adding c$1"
	add "c$1" net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 "$1")" "$IPAM")"
	want "$RC" 0
	mark "added c$1"
}
detach() {
	mark "releasing c$1"
	del "c$1" net1 "/run/netns/p$1" "$(conf "$(vf_addr 0 "$1")" "$IPAM")"
	want "$RC" 0
	mark "released c$1"
}

IPAM='"ipam":{"type":"fake"}'
story() {
	local i file end
	disk
	mark mounted
	sim_node 1 8
	write_config "$SYNC"
	plugin
	for i in 0 1 2 3 4 5 6 7; do ip netns add "p$i"; done
	service_start
	for i in 0 1 2 3 4; do attach "$i"; done
	detach 0
	detach 1
	attach 0
	node_stop
	# An engine on demand goes on in the same file.
	attach 5
	detach 2
	node_stop
	# What a loss of power leaves behind: the next engine begins another file.
	rm -f $ROOT/run/vfkeeper/durable
	file=$state/journal/journal.0
	read -r from end < <("$REPLAY" -d $state/journal --json | tail -n 1 | python3 -c '
import json, sys
r = json.loads(sys.stdin.read())
print(r["offset"], r["offset"] + r["bytes"])')
	# The header of a record of this generation, and then nothing.
	dd if="$file" of="$file" bs=8 skip=$((from / 8)) seek=$((end / 8)) count=5 conv=notrunc
	service_start
	attach 6
	detach 3
	mark "releasing c4"
	"$VFCTL" release "$(vf_addr 0 4)" --force
	mark "told c4"
	within 20 vf_is FREE "$(vf_addr 0 4)"
	detach 0
	mark end
	# The disk as it is now, whatever the engine still holds.
	sync
	node_stop
	umount $state
	dmsetup --noudevsync remove lw
	cp --sparse=always $work/log /out/log.img
}
t_case "disk: records writes and flushes ($SYNC)" story
node_end
