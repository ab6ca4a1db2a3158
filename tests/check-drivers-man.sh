#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-drivers(7) against the contract and the sim driver: every step with its lock, every
# operation, and every key of description and faults.
. "$(dirname "$0")/gate.sh"

page=man/vfkeeper-drivers.7
header=src/drivers/driver.h

sed -n 's/^\tX(\([A-Z_]*\), [0-9]*, LOCK_\([A-Z]*\)).*/\1 \2/p' "$header" | tr A-Z a-z |
	while read -r step lock; do
		grep -qE "^\.It Cm $step Pq $lock\$" "$page" ||
			echo "$page: step $step with the lock $lock of $header is missing"
	done | rule "every step of the contract is described with its lock"

sed -n 's/^\(\.It Cm\) \([a-z_]*\) Pq [a-z]*$/\2/p' "$page" | while read -r step; do
	grep -qi "^	X($step, " "$header" || echo "$page: $header knows no step $step"
done | rule "every step that is described is one of the contract"

sed -n '/^struct driver {/,/^};/s/.*(\*\([a-z_]*\))(const struct drv.*/\1/p
	/^struct driver {/,/^};/s/.*(\*\([a-z_]*\))(enum.*/\1/p' "$header" |
	while read -r op; do
		grep -qx "\.It Fa $op" "$page" || echo "$page: operation $op is missing"
	done | rule "every operation of the contract is described"

{
	grep -ho '!strcmp(name, "[a-z_]*")' src/drivers/sim_conf.c
	grep -ho 'strncmp(text, "[a-z_]*=' src/drivers/sim_fault.c
} | sed 's/[^"]*"\([a-z_]*\).*/\1/' | sort -u | while read -r key; do
	grep -qx "\.It Cm $key" "$page" || echo "$page: key $key of the sim driver is missing"
done | rule "every key of the sim driver is described"
gate_end
