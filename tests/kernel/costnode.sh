# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For suites that count what a call costs, after node.sh.  The kernel itself writes down each
# system call of our programs, each netlink message, each list of VFs that they ask for, and
# each probe of a VF's driver: under strace an ADD takes 15 seconds in a guest.
#	cost_begin			the service is running
#	cost_kind NAME POD CONF		ADD and DEL, twice
#	cost_count TITLE		what was counted, as the table TITLE of COST: in /tmp/cost
#	cost_same			COST says the same
TRACE=/sys/kernel/tracing

cost_event() { # NAME [CONDITION]: from now on, of our programs
	echo "comm ~ \"vfk*\"${2:+ && $2}" >"$TRACE/events/$1/filter"
	echo 1 >"$TRACE/events/$1/enable"
}
cost_begin() {
	local fd
	[ -e $TRACE/kprobe_events ] || mount -t tracefs tracefs $TRACE
	echo 6000 >$TRACE/buffer_size_kb
	{
		echo 'p:cost/netlink netlink_sendmsg bytes=$arg3:u32'
		echo 'p:cost/route rtnetlink_rcv_msg type=+4($arg2):u16'
		echo 'p:cost/list rtnl_fill_vf mask=$arg3:u32' # 1 of the mask: RTEXT_FILTER_VF
		echo 'p:cost/probe pci_device_probe'
	} >$TRACE/kprobe_events
	cost_event raw_syscalls/sys_enter
	cost_event cost/netlink
	cost_event cost/route
	cost_event cost/list 'mask & 1'
	cost_event cost/probe
	for fd in /proc/"$SVC"/fd/*; do
		case $(readlink "$fd") in
		*/journal/journal.*) cost_mark "journal $SVC ${fd##*/}" ;;
		esac
	done
}
cost_mark() { echo "COST $*" >$TRACE/trace_marker; }

# cost_idle PID: it and its children wait for something to do: in recvmsg, epoll_wait, poll or
# wait4.
cost_idle() {
	local nr child
	read -r nr _ <"/proc/$1/syscall" || return 0 # it has ended
	case $nr in 47 | 232 | 281 | 7 | 61) ;; *) return 1 ;; esac
	for child in $(<"/proc/$1/task/$1/children"); do
		cost_idle "$child" || return 1
	done
}
# Waits until nobody does anything any more.
cost_quiet() {
	local before='' now still=0 cpu n
	while [ $still -lt 3 ]; do
		now=
		for cpu in $TRACE/per_cpu/cpu*/stats; do
			read -r _ n <"$cpu"
			now+=" $n"
		done
		if [ "$now" = "$before" ] && cost_idle "$SVC" 2>/dev/null; then
			still=$((still + 1))
		else
			still=0
		fi
		before=$now
		read -r -t 0.1 -u $T_WAIT || continue # nothing ever comes: it waits
	done
}
cost_call() { # NAME VERB POD CONF
	cost_mark "$2 $1"
	(
		cost_mark "client $BASHPID"
		exec env -i PATH="$PATH" VFKEEPER_ROOT=$ROOT CNI_COMMAND="$2" CNI_CONTAINERID="$3" \
			CNI_IFNAME=net1 CNI_NETNS="/run/netns/$3" CNI_PATH="$CNI_PATH" \
			"$CNI_BIN/vfkeeper" <<<"$4" >/tmp/answer
	) || {
		cat /tmp/answer
		return 1
	}
	cost_quiet
	cost_mark end
}
cost_kind() {
	local n
	cost_quiet
	for n in 1 2; do
		cost_call "$1" ADD "$2" "$3"
		cost_call "$1" DEL "$2" "$3"
	done
}
cost_count() {
	local cpu
	echo 0 >$TRACE/tracing_on
	for cpu in $TRACE/per_cpu/cpu*/stats; do
		grep -qx 'overrun: 0' "$cpu" && grep -qx 'dropped events: 0' "$cpu"
	done
	python3 "$top_srcdir/tests/cost/traced.py" "$1" $TRACE/trace >/tmp/cost
	cp /tmp/cost "/out/cost"
}
cost_same() {
	local said
	said=$(python3 "$top_srcdir/tests/cost/table.py" --compare "$top_srcdir/COST" /tmp/cost)
	[ -z "$said" ] || {
		echo "$said"
		cat /tmp/cost
		return 1
	}
}
# cost_lists CALL NUMBER: so many lists of VFs
cost_lists() {
	awk -v call="$1" -v n="$2" 'index($0, call " ") == 1 && $(NF - 4) == n { ok = 1 } END { exit !ok }' \
		/tmp/cost
}
