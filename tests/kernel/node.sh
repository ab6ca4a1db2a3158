# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For suites that run what was built, in a guest: after t.sh.  The calls are those of
# tests/netns/lib.sh; here the guest itself is the private world.
#	node_enter		the programs are below $ROOT; exits with a skip where they are not
if ! [ -x "${top_builddir-}/src/vfkeeper/vfkeeper" ]; then
	t_skip "$(sed -n 's/^# suite: //p' "$0")" "nothing is built ('make check-vfs' builds first)"
	exit 0
fi
. "$top_srcdir/tests/netns/lib.sh"

node_enter() {
	ROOT=/run/w
	mkdir -p $ROOT/{run,bin,gobin,tmp,etc/vfkeeper,var/lib}
	world_programs
}

# As in lib.sh, without starting a program for each process of the guest.
engine_pids() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		[ "$exe" -ef $ROOT/bin/vfkeeperd ] || [ "$exe" -ef $ROOT/bin/vfkeeper-engine ] || continue
		exe=${exe#/proc/}
		echo "${exe%/exe}"
	done
}

# No VF of the node, simulated or of a card, is in use.
all_free_again() {
	local now
	now=$("$VFCTL" list) && [[ $now == *FREE* && ! $now =~ RESERVED|ATTACHED|DETACHING|FAULTED ]]
}

# What VFs are like, without our programs, is what look prints: the suite has it.
remember() { look >/tmp/before; }
as_before() {
	look >/tmp/now 2>&1
	[ "$(</tmp/before)" = "$(</tmp/now)" ] || {
		diff /tmp/before /tmp/now
		return 1
	}
}
# Links and RDMA devices; the numbers of device files are the kernel's.
names_as_before() {
	look >/tmp/now 2>&1 && [ "$(sed 's/ uverbs[0-9]*//' /tmp/before)" = "$(sed 's/ uverbs[0-9]*//' /tmp/now)" ]
}
# swap A B: unbinds two VFs and binds them in the other order: each gets the other's names
swap() {
	echo "$1" >$DRV/unbind
	echo "$2" >$DRV/unbind
	echo "$2" >$DRV/bind
	echo "$1" >$DRV/bind
}
# free_as VF WORD...: the engine has all of these in the baseline of a free VF
free_as() {
	local said word
	said=$("$VFCTL" -o json show "$1") && [[ $said == *'"FREE"'*'"baseline"'* ]] || return
	said=${said#*'"baseline"'} said=${said//' '}
	for word in "${@:2}"; do [[ $said == *"$word"* ]] || return; done
}
is_free() { [ "$(state_of "$1")" = FREE ]; }
all_as_before() {
	within 20 all_free_again || return # also where -e is off
	as_before || within 20 as_before || as_before
}
# says WORDS: the last answer
says() {
	[[ $(msg) == *"$1"* ]] || {
		echo "it said '$(msg)', not '$1'"
		return 1
	}
}
pods() {
	local n
	for n; do
		[ ! -e "/run/netns/$n" ] || ip netns del "$n" # a case before has failed
		ip netns add "$n"
	done
}
unpods() {
	local n
	for n; do ip netns del "$n"; done
}

# Ends whatever engine runs; for use under "set -e".
node_stop() { if engines_end; then :; else return 1; fi; }

# The commands of the PF at CARD that are named in OPS fail, do nothing, or take long.
declare -A ERRNO=([EIO]=5 [EBUSY]=16)
fault() { # COMMAND KIND TIMES: KIND is an errno, or ignore
	if [ "$2" = ignore ]; then
		knob "$CARD" "$1" ignore "$3"
	else
		knob "$CARD" "$1" errno "${ERRNO[$2]}"
		knob "$CARD" "$1" fail "$3"
	fi
}
no_faults() {
	local op
	for op in $OPS; do
		knob "$CARD" "$op" fail 0
		knob "$CARD" "$op" ignore 0
		knob "$CARD" "$op" delay_ms 0
	done
}

kill_engines() {
	local pid
	for pid in $(engine_pids); do # workers go with the engine
		if ! kill -KILL "$pid" 2>/dev/null; then continue; fi
	done
}

# an operator changed something: the next engine finds it at once
look_anew() {
	node_stop
	service_start
}

# What the engine said, when a case failed.
node_end() {
	[ $T_FAILED = 0 ] || world_dump_logs
	t_end
}
