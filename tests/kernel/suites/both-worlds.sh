# SPDX-License-Identifier: Apache-2.0
# layout: mixed
# kernel: 6.12
# limit: 900
# suite: both-worlds: scenarios end alike in the simulator and here
. ./t.sh
. ./node.sh
. "$top_srcdir/tests/kernel/scenario.sh"

SIM=$top_builddir/tests/sim/sim
# Without t_case: what one scenario has started is there for the next.
alike() { # FILE
	local name
	name=$(basename "$1" .scenario)
	if ! "$SIM" --scenario "$1" >/tmp/sim; then
		echo "FAIL: both-worlds: $name: the simulator breaks off"
		sed 's/^/	/' /tmp/sim
		T_FAILED=1
	fi
	scenario_play "$1" >/tmp/here 2>/tmp/said </dev/null
	if [ -s /tmp/sim ] && cmp -s /tmp/sim /tmp/here; then
		echo "PASS: both-worlds: $name: $(sed -n '2s/^# //p' "$1")"
	else
		echo "FAIL: both-worlds: $name: < in the simulator, > on this kernel"
		diff /tmp/sim /tmp/here | sed 's/^/	/'
		tail -n 5 /tmp/said | sed 's/^/	/'
		T_FAILED=1
	fi
}

scenario_begin
D=$top_srcdir/tests/sim/scenarios
for NAME in ${SCENARIOS:-$(ls "$D")}; do alike "$D/${NAME%.scenario}.scenario"; done
node_stop
node_end
