#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo with fewer pods, where every file system but the build directory is read-only: it
# ends as it should, and touches nothing else.

. "$(dirname "$0")/../netns/lib.sh"
[ -x "$VFK_GO_BIN/host-local" ] || skip_all "host-local is not built (no Go)"
[ "$(id -u)" = 0 ] || skip_all "needs root"
requires unshare mount
work=$(mktemp -d "$top_builddir/demo.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
ROOT=$work # finish looks there for logs

# read_only COMMAND...: with nothing to write to but the build directory and kernel interfaces.
# shellcheck disable=SC2016 # expanded inside
read_only() {
	unshare -m bash -c '
		mount --make-rprivate / && mount --bind "$0" "$0" || exit 98
		for where in $(cut -d" " -f2 /proc/mounts | sort -u); do
			case $where in
			"$0" | "$0"/* | /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) ;;
			*) mount -o remount,bind,ro "$where" || exit 98 ;;
			esac
		done
		"$@"' "$top_builddir" "$@"
}
read_only true 2>"$work/why" || skip_all "no read-only view of the machine: $(head -n 1 "$work/why")"
check "nothing can be written beside the build directory" is 1 \
	"$(read_only touch /var/tmp/vfkeeper-check-demo 2>/dev/null; echo $?)"

DEMO_PODS=60 DEMO_MORE=20 DEMO_PFS=1 read_only \
	bash "$top_srcdir/tests/demo/demo.sh" >"$work/out" 2>"$work/err"
check "the demo exits with 0" is 0 $? || tail -n 40 "$work/err"
check "its last line has true numbers" is \
	"demo: attached=60 released=60 failed=0 leaked_vfs=0 leaked_leases=0" \
	"$(tail -n 1 "$work/out")"
check "there is one such line" is 1 "$(grep -c '^demo: ' "$work/out")"
check "the table has its four phases" is 4 \
	"$(grep -cE '^(attach|release|reboot).* +(60|20) +0 +[0-9.]+ ' "$work/out")"
check "the engine was killed twice" is 2 "$(grep -c 'kill -9 of vfkeeperd' "$work/err")"
check "neither kill came too late" lacks 'ended before the kill' "$(cat "$work/err")"
finish
