#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 'make check-sim': a fixed number of histories, what they have come to, that a seed is one
# history, and every order of a few events.  SIM_SEEDS, SIM_FIRST, SIM_JOBS; SIM_COVERAGE= for
# a run too short for coverage and all orders.
sim=$top_builddir/tests/sim/sim
seeds=${SIM_SEEDS:-2000} first=${SIM_FIRST:-1} jobs=${SIM_JOBS:-2}
out=$(mktemp) || exit 1
trap 'rm -f "$out" "$out".?' EXIT
status=0

verdict() { # 0 or not, sentence
  if [ "$1" = 0 ]; then
    echo "PASS: sim: $2"
  else
    echo "FAIL: sim: $2"
    status=1
  fi
}

# A sanitizer speaks in a program's exit status, and "red" is no hash of 16 digits.
for seed in 0 1 2 3 4 5 6 7; do
  "$sim" --seed "$seed" --hash || echo red
  "$sim" --seed "$seed" --hash || echo red
done | uniq -c | awk '$1 != 2 || length($2) != 16 { bad = 1 } END { exit bad || NR != 8 }'
verdict $? "a seed is the same history each time"

"$sim" --first "$first" --seeds "$seeds" --jobs "$jobs" ${SIM_COVERAGE---coverage} >"$out"
ended=$?
cat "$out"
tail -n 1 "$out" | grep -qx "sim: seeds=$seeds steps=[0-9]* broken=0"
verdict $? "every history keeps every promise"
# What it says and how it ends agree, unless a sanitizer has found something.
grep -q '^coverage: never\|^coverage: reached' "$out" || [ $ended = 0 ]
verdict $? "the simulator ends well, with nothing lost in its memory"
if [ -n "${SIM_COVERAGE---coverage}" ]; then
  ! grep -q '^coverage: never\|^coverage: reached' "$out" && grep -q '^coverage: ' "$out"
  verdict $? "every row, every fault and every way for a job to fail is reached"
fi
histories=$(tail -n 1 "$out")

# The guest plays them, too: tests/kernel/suites/both-worlds.sh.
scenarios=0
for file in "$top_srcdir"/tests/sim/scenarios/*.scenario; do
  "$sim" --scenario "$file" >"$out.s" || { cat "$out.s"; scenarios=1; }
done
verdict $scenarios "every scenario ends as its file says"

# 10,000: each scenario has more than twice as many states.
walk() {
  printf '%s\n' 0 1 2 3 | xargs -P "$jobs" -I {} sh -c "'$sim' --exhaustive {} >'$out.{}' 2>&1 || echo red >>'$out.{}'"
  for n in 0 1 2 3; do
    tail -n 60 "$out.$n"
    ! grep -qx red "$out.$n" &&
      sed -n 's/^exhaustive: .*: states=\([0-9]*\) paths=.*/\1/p' "$out.$n" |
      awk '$1 < 10000 { bad = 1 } END { exit bad || NR != 1 }'
    verdict $? "every order of scenario $n, with a death at every point, keeps every promise"
  done
}
[ -z "${SIM_COVERAGE---coverage}" ] || walk
echo "$histories"
exit $status
