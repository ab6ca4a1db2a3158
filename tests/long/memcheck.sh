#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# memcheck.sh SCRIPT...: netns scripts with the engine (service and on demand, its workers too)
# under valgrind, which makes them ten to twenty times slower: VFK_SLOW lets the scripts wait so
# much longer.  Judged by valgrind; what a script itself did not find right is shown: the
# valgrind of Debian 12 knows no pidfd_open, so that an engine cannot pay a lease under it.
# Built anew in long/memcheck of the build directory, without sanitizers and with shared
# libraries, which valgrind wants.
set -uo pipefail
: "${top_srcdir:?}" "${top_builddir:?}"
dir=$top_builddir/long/memcheck
world=$dir/world logs=$dir/logs
if ! command -v valgrind >/dev/null; then
	echo "SKIP: memcheck: the engine under valgrind: missing packages: apt-get install valgrind"
	exit 0
fi

mkdir -p "$dir/tree" "$logs"
rm -f "$logs"/*
build() {
	cd "$dir/tree" || return
	[ -e Makefile ] || "$top_srcdir/configure" -q --disable-tests --disable-hardening \
		CFLAGS='-O1 -g' || return
	make -s STATIC_LDFLAGS=
}
if ! (build) >"$dir/build.log" 2>&1; then
	tail -n 20 "$dir/build.log" | sed 's/^/      /'
	echo "FAIL: memcheck: an engine without static libraries is built"
	exit 1
fi

# A build directory for the scripts.  They know an engine by the path of its program, so
# valgrind's own program stands in a directory of that name.
rm -rf "$world"
valgrind_lib=$(dirname "$(find /usr/libexec/valgrind /usr/lib/*/valgrind /usr/lib/valgrind \
	-name 'memcheck-*-linux' 2>/dev/null | head -n 1)")
mkdir -p "$world/vfkeeperd.valgrind"
cp "$valgrind_lib"/memcheck-*-linux "$valgrind_lib"/*.so "$valgrind_lib"/default.supp \
	"$world/vfkeeperd.valgrind/" || exit 1
for program in vfkeeper vfctl vfkeeper-replay vfkeeperd vfkeeper-engine; do
	mkdir -p "$world/src/$program" "$world/real"
	case $program in
	vfkeeperd | vfkeeper-engine)
		cp "$dir/tree/src/$program/$program" "$world/real/"
		cat >"$world/src/$program/$program" <<-WRAPPER
			#!/bin/sh
			VALGRIND_LIB='$world/vfkeeperd.valgrind' exec valgrind -q --leak-check=full \\
				--show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=20 --sim-hints=lax-ioctls \\
				--log-file='$logs/$program.%p' '$world/real/$program' "\$@"
		WRAPPER
		chmod 755 "$world/src/$program/$program"
		;;
	*) cp "$dir/tree/src/$program/$program" "$world/src/$program/" ;;
	esac
done

export VFK_HELPERS=$top_builddir/tests/demo VFK_SLOW=${VFK_SLOW:-10}
for script; do
	name=$(basename "$script" .sh)
	t0=$SECONDS
	top_builddir=$world bash "$top_srcdir/tests/verdict.sh" "$script" >"$dir/$name.out" 2>&1
	n=$(find "$logs" -type f | wc -l)
	said=$(grep -c '^PASS' "$dir/$name.out"):$(grep -c '^FAIL' "$dir/$name.out")
	# With -q a process that did nothing wrong leaves an empty log; what valgrind says of
	# itself (system calls that it does not know) begins with dashes.
	bad=$(find "$logs" -type f -exec grep -l '^==' {} + | head -n 1)
	if [ "$n" = 0 ]; then
		echo "FAIL: memcheck: $name runs an engine"
	elif [ -n "$bad" ]; then
		grep -h '^==' "$bad" | head -n 60 | sed 's/^/      /'
		echo "FAIL: memcheck: $name: valgrind finds nothing in its engines"
	elif [ "${said%:*}" = 0 ]; then
		# An engine that is not ready in time ends a script at its beginning.
		echo "FAIL: memcheck: $name gets somewhere under valgrind"
	else
		echo "PASS: memcheck: $name: valgrind finds nothing in its engines"
	fi
	grep '^FAIL' "$dir/$name.out" | cut -c1-200 | sed 's/^/      /'
	echo "      ($n engine processes; the script passed:failed $said; $((SECONDS - t0)) s)"
	mkdir -p "$logs.$name" && find "$logs" -type f -exec mv -t "$logs.$name" {} +
done
