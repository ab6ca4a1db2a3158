#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 'make mutants': puts each fault of tests/sim/mutants into a copy of the sources it is about,
# compiles these, links them before everything that is built already, and sees whether the
# simulator, or the test that the fault names, finds it.
#
#   mutants.sh [PATTERN...]     only those whose file names begin so ("07", "07-fence")
#   mutants.sh --write          all of them, and the table in HACKING
#
#   SEEDS=N     histories that a fault is looked for in (20000)
#   JOBS=N      faults at a time (as many as there are processors)
#
# Who is to see a fault has to be green without it.  A test that does not come to its end has
# seen nothing, unless the fault says so in its head ("Hangs: " and where).
#
# From tests/sim/mutants.am: MUTANTS_COMPILE (a compiler call without its files), MUTANTS_LINK,
# MUTANTS_LIBS, and the objects of programs: MUTANTS_SIM, MUTANTS_vfkeeperd, MUTANTS_engine.
set -u
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "${top_srcdir:-$here/../..}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
seeds=${SEEDS:-20000}
export LC_ALL=C
cd "$build" || exit 99

# field NAME PATCH: a line of the head of a patch.
field() {
	sed -n "s/^$1: //p;/^---/q" "$2"
}

# play PROGRAM SEED N SECONDS: prints the promise that is broken and the seed; "hang" or "end"
# and the first seed, where it does not come to its end or ends without breaking one.
play() {
	local said status
	said=$(timeout "$4" "$1" --first "$2" --seeds "$3" --jobs 1 --stop 2>&1)
	status=$?
	sed -n 's/^seed \([0-9]*\): \([^:]*\):.*/\2 \1/p' <<<"$said" | grep -m 1 . && return
	case $status in
	0) ;;
	124) echo "hang $2" ;;
	*) echo "end $2" ;;
	esac
}

# search PROGRAM: until a promise is broken.  Prints the promise and the number of seeds.
search() {
	local first=1 n=50 found seed
	while [ $first -le "$seeds" ]; do
		found=$(play "$1" $first $n 300)
		case $found in
		'hang '* | 'end '*) # which of them was it?
			for ((seed = first; seed < first + n; seed++)); do
				found=$(play "$1" $seed 1 60)
				[ -z "$found" ] || break
			done
			;;
		esac
		if [ -z "$found" ]; then
			first=$((first + n)) n=$((n < 800 ? n * 2 : n))
		elif [ -z "$(play tests/sim/sim "${found##* }" 1 60)" ]; then
			echo "$found"
			return
		else # not because of the fault: it is broken without it, too
			first=$((${found##* } + 1))
		fi
	done
}

# link PROGRAM OBJECT...
link() {
	# shellcheck disable=SC2086 # words
	$MUTANTS_LINK -o "$1" "${@:2}" $MUTANTS_LIBS >"$work/said" 2>&1
}

# ended STATUS WHAT: what became of a test that is to see a fault.
ended() {
	case $1 in
	0) ;;
	77) echo "skipped 0" ;;
	124) if grep -q '^FAIL: ' "$work/said"; then echo "$2 1"; else echo "hang 1"; fi ;;
	*) echo "$2 1" ;;
	esac
}

# run_unit TEST OBJECT...: the test with these objects.
run_unit() {
	local file
	file=$(ls "tests/unit/$1.o" "tests/unit/$1-$1.o" 2>/dev/null)
	link "$work/program" "${@:2}" "$file" || return
	timeout 60 "$work/program" >"$work/said" 2>&1 </dev/null
	ended $? unit
}

# run_netns SCRIPT OBJECT...: the script with an engine of these objects.
run_netns() {
	local program script=$1
	shift
	for program in vfkeeper vfkeeper-engine vfkeeperd vfctl vfkeeper-replay; do
		mkdir -p "$work/src/$program"
		cp "src/$program/$program" "$work/src/$program/"
	done
	# shellcheck disable=SC2086
	link "$work/src/vfkeeperd/vfkeeperd" "$@" $MUTANTS_vfkeeperd &&
		link "$work/src/vfkeeper-engine/vfkeeper-engine" "$@" $MUTANTS_engine || return
	top_srcdir=$src top_builddir=$work VFK_HELPERS=$build/tests/demo timeout 300 \
		bash "$src/tests/verdict.sh" "$src/tests/netns/$script.sh" >"$work/said" 2>&1
	ended $? netns
}

# red_or_not RUN TEST OBJECT...: the test with the fault, if it is green without it.
red_or_not() {
	local without
	without=$("$1" "$2") || return
	case $without in
	'') "$@" ;;
	'skipped 0') echo "$without" ;;
	*) echo "$2 is red without the fault, too" >>"$work/said" ;;
	esac
}

# every_order NAME SCENARIO PROGRAM: the enumeration finds it, too, and says how to get there.
every_order() {
	local said
	said=$(timeout 600 "$3" --exhaustive "$2" 2>&1)
	if [ $? = 1 ] && grep -q '^replay: .* --path ' <<<"$said"; then
		echo "PASS: every order: $1: scenario $2 comes to it: $(sed -n 's/^broken: //p' \
			<<<"$said" | head -n 1)"
	else
		echo "FAIL: every order: $1: scenario $2 does not come to it: missed"
	fi
}

# one PATCH: its line of the result.
one() {
	local patch=$1 name by file said='' scenario sources=() objects=()
	name=$(basename "$patch" .patch)
	work=$MUTANTS_WORK/$name
	by=$(field 'Caught by' "$patch")
	mapfile -t sources < <(sed -n 's|^+++ b/||p' "$patch")
	mkdir -p "$work"
	for file in "${sources[@]}"; do
		mkdir -p "$work/$(dirname "$file")"
		cp "$src/$file" "$work/$file"
		objects+=("$work/$(basename "$file" .c).o")
	done
	if ! patch -s -p1 -d "$work" <"$patch" >"$work/said" 2>&1; then
		echo "FAIL: mutants: $name: the patch does not apply any more: missed"
		return
	fi
	for file in "${sources[@]}"; do
		if ! eval "$MUTANTS_COMPILE -w -c '$work/$file' \
			-o '$work/$(basename "$file" .c).o'" >"$work/said" 2>&1; then
			echo "FAIL: mutants: $name: it does not compile: missed"
			return
		fi
	done
	case $by in
	sim)
		# shellcheck disable=SC2086
		link "$work/program" "${objects[@]}" $MUTANTS_SIM && said=$(search "$work/program")
		;;
	'unit '*) said=$(red_or_not run_unit "${by#unit }" "${objects[@]}") ;;
	'netns '*) said=$(red_or_not run_netns "${by#netns }" "${objects[@]}") ;;
	esac
	if [ "${said% *}" = hang ] && [ -z "$(field Hangs "$patch")" ]; then
		echo "${by} does not come to its end (seed ${said#* })" >>"$work/said"
		said=
	fi
	case $said in
	'')
		tail -n 3 "$work/said" 2>/dev/null
		echo "FAIL: mutants: $name: $(field Breaks "$patch") is not seen to break: missed"
		;;
	'skipped 0') echo "SKIP: mutants: $name: ${by}: needs root and private namespaces" ;;
	*) echo "PASS: mutants: $name: ${said% *} is broken: caught seeds=${said##* }" ;;
	esac
	scenario=$(field 'Every order' "$patch")
	[ -z "$scenario" ] || every_order "$name" "$scenario" "$work/program"
	rm -rf "$work"
}

# table: the lines of HACKING for the results in $results.
table() {
	local patch name
	for patch in "$src"/tests/sim/mutants/*.patch; do
		name=$(basename "$patch" .patch)
		sed -n "s/^PASS: mutants: $name: \(.*\) is broken: caught seeds=\(.*\)/\1 \2/p" \
			"$results" | while read -r promise n; do
			printf '  %s %-67s %-5s %5s\n' "${name%%-*}" "$(field Fault "$patch")" \
				"$promise" "$n"
		done
	done
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi
write=
if [ "${1-}" = --write ]; then
	write=1
	shift
fi
MUTANTS_WORK=$(mktemp -d "$build/mutants.XXXXXX") || exit 99
export MUTANTS_WORK
trap 'rm -rf "$MUTANTS_WORK"' EXIT
results=$MUTANTS_WORK/results
if [ $# = 0 ]; then
	set -- ''
fi
t0=$(date +%s)
for pattern; do
	ls "$src/tests/sim/mutants/$pattern"*.patch
done | sort -u |
	xargs -P "${JOBS:-$(nproc)}" -n 1 bash "$here/mutants.sh" --one | tee "$results"
n=$(grep -c ': mutants: ' "$results") missed=$(grep -c '^FAIL' "$results")
echo "mutants: $n faults, $missed missed, $(($(date +%s) - t0)) s"
if [ -n "$write" ] && [ "$missed" = 0 ]; then
	table >"$MUTANTS_WORK/table"
	# What stands between the head of the table and the next empty line.
	sed -i -e '/^  no fault  .* seeds$/,/^$/{//!d;}' "$src/HACKING"
	sed -i -e "/^  no fault  .* seeds\$/r $MUTANTS_WORK/table" "$src/HACKING"
fi
[ "$n" != 0 ] && [ "$missed" = 0 ]
