# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What './run test' does once the packages and the copy of the sources are there (sourced by
# run, at the top of the tree).  The last line is "N passed, N failed, N skipped".

rm -rf build/log
mkdir -p build/log
jobs=$(nproc)
nice=
lane=first
lanes=
verdicts=build/log/verdicts
: >$verdicts
go=$PWD/build/go/bin
export KERNEL_CACHE="$PWD/build/kernel"
begun=$(date +%s)

# begin, took: around a part of the run.  Processor time is that of what this shell has started
# and seen end: a pipe would not know it, and what runs beside is in shells of its own.
spent() {
  times >build/log/.times-$lane
  cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "m"); s += 60 * t[1] + t[2] } }
    END { printf "%d", s }' build/log/.times-$lane)
}
begin() {
  spent
  t0=$(date +%s) c0=$cpu
}
took() { # WHAT WORDS
  spent
  printf '%-20s %s (%d s, %d s of processor time)\n' "$1" "$2" $(($(date +%s) - t0)) $((cpu - c0))
}

# suite TREE TARGET [VARIABLE=VALUE...]: makes one target and keeps its verdicts.
suite() {
  out=build/log/$1-$2.out
  said=build/log/$1-$2.verdicts
  begin
  case $2 in
  check | check-unit)
    find "build/$1" -name '*.trs' -exec sh -c 'rm -f "$1" "${1%.trs}.log"' - {} \;
    ;;
  esac
  tree_target="$1 $2"
  status=0
  (dir=$1 && shift && $nice make -C "build/$dir" -k -j"$jobs" "$@") >"$out" 2>&1 || status=$?
  # automake's harness keeps what a test said in logs; other targets say it directly.
  case $2 in
  check | check-unit)
    find "build/$1" -name '*.trs' | sed 's/trs$/log/' | sort | xargs -r cat | tee "${out%.out}.said"
    ;;
  distcheck) [ $status != 0 ] || echo "PASS: distcheck: builds, tests and installs from the archive" ;;
  *) cat "$out" ;;
  esac | grep -aE '^(PASS|FAIL|SKIP): ' | sed "s/^\(....\): /\1: $1: /" >"$said"
  if [ $status != 0 ] && ! grep -q '^FAIL' "$said"; then
    echo "FAIL: $1: make $2 failed, its end is:" >>"$said"
    tail -n 25 "$out" | sed 's/^/      /'
  elif [ $status = 0 ] && ! [ -s "$said" ]; then
    echo "FAIL: $1: make $2 ran nothing" >>"$said"
  fi
  grep -a '^FAIL' "$said" || :
  if [ -s "${out%.out}.said" ]; then reasons "${out%.out}.said"; else reasons "$out"; fi
  cat "$said" >>$verdicts
  took "$tree_target" "$(totals "$said")"
}

# reasons FILE: what was said around each failure in it
reasons() {
  awk '!/^(PASS|FAIL|SKIP): / {
      before[++n] = $0
      if (left-- > 0) print "      " $0
      next
    }
    { left = 0 }
    /^FAIL: / {
      for (i = n > 5 ? n - 4 : 1; i <= n; i++) print "      " before[i]
      print "      " $0
      left = 30
    }
    { n = 0 }' "$1"
}

totals() {
  awk '{ n[$1]++ } END { printf "%d passed, %d failed, %d skipped", n["PASS:"], n["FAIL:"],
    n["SKIP:"] }' "$1"
}

# build NAME [CONFIGURE ARGUMENT...]: a tree of its own; a failure is a failed case.
build() {
  begin
  if tree "$@" >"build/log/$1.out" 2>&1; then
    took "$1" built
    echo "PASS: $1: builds without a warning" >>$verdicts
  else
    tail -n 25 "build/log/$1.out" | sed 's/^/      /'
    echo "FAIL: $1: does not build" | tee -a $verdicts
    return 1
  fi
}

# --- the lanes: what runs beside what ---

go_modules() {
  begin
  if why=$(build/src/tests/go/build.sh build/go); then
    took "go modules" built
  else
    echo "SKIP: go: cnitool, host-local and static: $why" >>$verdicts
  fi
}
# Packages, kernels and modules of the guests.  Where it fails check-kernel does it again and
# says why.
kernels() {
  begin
  if build/src/tests/kernel/prepare >build/log/kernels.out 2>&1; then took kernels prepared; fi
}
# The other trees are built and tested with what the timers of the rest leave of the processors.
others() {
  nice='nice -n 10'
  # Each target searches for a minute, two at once.
  make_target=fuzz-programs
  if build fuzz CC=clang --enable-werror --enable-sanitizers --enable-fuzzers; then
    suite fuzz fuzz
  fi
  make_target=all
  if build clang CC=clang --enable-werror --enable-sanitizers; then
    suite clang check-unit
    suite clang check-sim SIM_SEEDS=200 SIM_COVERAGE=
  fi
}
# Guests keep a processor each, and the suites without guests wait for timers.  What is for two
# kernels is done on one of them, case by case; make check-long does it on both.
guests() {
  export KERNEL_JOBS="$jobs" KERNEL_TURNS=1
  suite test check-kernel
  suite test check-vfs VFK_GO_BIN="$go"
}
programs() {
  suite test check
  suite test check-journal
  suite test check-sim
  suite test long-cppcheck
  suite test check-netns VFK_GO_BIN="$go"
  suite test check-cni VFK_GO_BIN="$go"
  suite test check-crash VFK_GO_BIN="$go"
  # What is in the archive does not depend on how far the compiler goes.  The client without musl.
  suite test distcheck DISTCHECK_CONFIGURE_FLAGS='CFLAGS=-O1 --without-musl'
  suite test check-disk
}

# start NAME: the lane NAME, with verdicts of its own
start() {
  (
    lane=$1 verdicts=$verdicts.$1
    : >$verdicts
    "$1"
  ) &
  lanes="$lanes $!"
}
# end PID: it, and what it started
end() (
  for child in $(pgrep -P "$1"); do end "$child"; done
  kill "$1" 2>/dev/null || :
)
trap 'for pid in $lanes; do end "$pid"; done' EXIT
trap 'exit 130' INT TERM

# What the guests wait for, which take longest, comes first.
start kernels
(go_modules)
# The netns suite runs with a loop process that dies if it blocks.  What both lanes
# need of this tree is built before they start.
make_target=helpers
if (build test --enable-werror --enable-loop-hold); then
  start guests
  start programs
fi
start others
for pid in $lanes; do
  wait "$pid" || echo "FAIL: run: some suites broke off" >>$verdicts
done
trap - EXIT
cat $verdicts.* >>$verdicts

echo
grep -a '^SKIP' $verdicts || :
grep -a '^FAIL' $verdicts || :
spent
echo "all of it took $(($(date +%s) - begun)) s and $cpu s of processor time; what was said is in build/log"
totals $verdicts
echo
! grep -qa '^FAIL' $verdicts
