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
all_free_again() { [[ ! $("$VFCTL" list) =~ RESERVED|ATTACHED|DETACHING|FAULTED ]]; }

# Ends whatever engine runs; for use under "set -e".
node_stop() { if engines_end; then :; else return 1; fi; }

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
