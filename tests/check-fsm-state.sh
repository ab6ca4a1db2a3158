#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A state is assigned by the step functions and by what decodes records, and nowhere else;
# the one other place takes a step back whose record could not be written.
. "$(dirname "$0")/gate.sh"

grep -nE '\bfsm(\.|->)state[[:space:]]*=[^=]|\b(l|lease|port)->state[[:space:]]*=[^=]|\bports\[[^]]*\][[:space:]]*=[^=]' \
	$(c_files src) /dev/null |
	grep -vE '^src/(fsm/[a-z]+|engine/node)\.c:' |
	grep -vE '^src/engine/record\.c:[0-9]+:.*= before;' |
	rule "only step functions and decoders assign a state"

for m in vf lease port; do
	n=$(grep -cE '(->|\*)state = row->to;' "src/fsm/$m.c")
	[ "$n" = 1 ] || echo "src/fsm/$m.c: ${m}_step assigns the state in $n places"
done | rule "each step function assigns the state in one place"
gate_end
