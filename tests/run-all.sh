# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What './run test' does once the packages and the copy of the sources are there (sourced by
# run, at the top of the tree).  The last line is "N passed, N failed, N skipped".

rm -rf build/log
mkdir -p build/log
jobs=$(nproc)
nice=
verdicts=build/log/verdicts
: >$verdicts
begun=$(date +%s)

# suite TREE TARGET [VARIABLE=VALUE...]: makes one target and keeps its verdicts.
suite() {
  out=build/log/$1-$2.out
  said=build/log/$1-$2.verdicts
  t0=$(date +%s)
  find "build/$1" -name '*.trs' -exec sh -c 'rm -f "$1" "${1%.trs}.log"' - {} \;
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
  cat "$said" >>$verdicts
  printf '%-20s %s (%d s)\n' "$tree_target" "$(totals "$said")" $(($(date +%s) - t0))
}

totals() {
  awk '{ n[$1]++ } END { printf "%d passed, %d failed, %d skipped", n["PASS:"], n["FAIL:"],
    n["SKIP:"] }' "$1"
}

# build NAME [CONFIGURE ARGUMENT...]: a tree of its own; a failure is a failed case.
build() {
  t0=$(date +%s)
  if tree "$@" >"build/log/$1.out" 2>&1; then
    printf '%-20s %s (%d s)\n' "$1" "built" $(($(date +%s) - t0))
    echo "PASS: $1: builds without a warning" >>$verdicts
  else
    tail -n 25 "build/log/$1.out" | sed 's/^/      /'
    echo "FAIL: $1: does not build" | tee -a $verdicts
    return 1
  fi
}

go=$PWD/build/go/bin
t0=$(date +%s)
if why=$(build/src/tests/go/build.sh build/go); then
  printf '%-20s %s (%d s)\n' "go modules" "built" $(($(date +%s) - t0))
else
  echo "SKIP: go: cnitool, host-local and static: $why" >>$verdicts
fi

# The other trees are built and tested beside it with what its timers leave of the processors.
others() {
  nice='nice -n 10'
  verdicts=$verdicts.beside
  : >$verdicts
  # Each target searches for a minute, two at once.
  make_target=fuzz-programs
  if build fuzz CC=clang --enable-werror --enable-sanitizers --enable-fuzzers; then
    suite fuzz fuzz
  fi
  make_target=all
  if build clang CC=clang --enable-werror --without-musl; then
    suite clang check-unit
  fi
  if build asan --enable-werror --enable-sanitizers; then
    suite asan check-unit
    suite asan check-sim SIM_SEEDS=200 SIM_COVERAGE=
  fi
}
# end PID: it, and what it started
end() (
  for child in $(pgrep -P "$1"); do end "$child"; done
  kill "$1" 2>/dev/null || :
)
others &
lane=$!
trap 'end $lane' EXIT
trap 'exit 130' INT TERM

# The netns suite runs with a loop process that dies if it blocks.
if build test --enable-werror --enable-loop-hold; then
  suite test check
  suite test check-journal
  suite test check-sim
  suite test long-cppcheck
  suite test check-netns VFK_GO_BIN="$go"
  suite test check-cni VFK_GO_BIN="$go"
  suite test check-crash VFK_GO_BIN="$go"
  export KERNEL_CACHE="$PWD/build/kernel"
  suite test check-kernel
  suite test check-vfs VFK_GO_BIN="$go"
  suite test check-disk
  suite test distcheck
fi
wait "$lane" || echo "FAIL: run: the suites of the other trees broke off" >>$verdicts
trap - EXIT
cat $verdicts.beside >>$verdicts

echo
grep -a '^SKIP' $verdicts || :
grep -a '^FAIL' $verdicts || :
echo "all of it took $(($(date +%s) - begun)) s; what was said is in build/log"
totals $verdicts
echo
! grep -qa '^FAIL' $verdicts
