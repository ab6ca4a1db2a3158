# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12
# limit: 1200
# suite: crash: a process dies in front of one of its calls ("make check-crash-vfs": of each)
. ./t.sh
. ./node.sh
rdma system set netns exclusive
node_enter
printf '[vfkeeper]\nplugin_dirs = %s\nretry_min_ms = 50\nretry_max_ms = 500\n' "$PLUGIN_DIRS" \
	>$ROOT/etc/vfkeeper/vfkeeper.conf
export CNI_PATH PYTHONDONTWRITEBYTECODE=1 VFK_CRASH_MAKE=$top_srcdir/tests/kernel/crashnode.sh

crash() { python3 "$top_srcdir/tests/crash/crash.py" "$@" 2>&1; }
few() {
	mkdir "/tmp/$VFK_CRASH_CARD"
	bash "$VFK_CRASH_MAKE"
	crash few "/tmp/$VFK_CRASH_CARD" "$ROLES"
	cp /tmp/t.log "/tmp/$VFK_CRASH_CARD/said"
}
# All of them; /out keeps what was traced and done, also for a second run.
all() {
	bash "$VFK_CRASH_MAKE" || return
	[ -s /out/points.json ] || crash trace /out || return
	crash kill /out 0 1 0
	! grep -q ' gone$' /out/done.* || crash recount /out || return
	bash "$top_srcdir/tests/crash/sum.sh" /out "crash $VFK_CRASH_CARD"
}

pf_of() { if [ "$1" = ib ]; then echo "$IB"; else echo 0002:3b:00.0; fi; }
for VFK_CRASH_CARD in ${CRASH_KIND:-ib eth}; do
	VFK_CRASH_PF=$(pf_of "$VFK_CRASH_CARD")
	export VFK_CRASH_CARD VFK_CRASH_PF
	if [ -n "${CRASH_KIND-}" ]; then
		all
		exit
	fi
	ROLES=worker
	t_case "crash: $VFK_CRASH_CARD: the $ROLES dies in front of each kind of call" few
	cat "/tmp/$VFK_CRASH_CARD/said"
done
node_end
