#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gates can go red: faults are planted in a copy of the tree, one for each rule, in files
# named "planted"; each rule has to fail and to name the planted file.
. "$(dirname "$0")/gate.sh"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
tree=$work/tree

copy() {
	rm -rf "$tree"
	mkdir -p "$tree"
	tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' . | tar -xf - -C "$tree"
}

# The gate's output on the copy goes to $work/said, its status to gate_status.
run_gate() {
	VFK_GATE_ROOT=$tree bash "tests/$1.sh" >"$work/said" 2>&1
	gate_status=$?
}

# red GATE SENTENCE [WORDS]: the rule failed, and its findings name a planted file.
red() {
	awk -v wanted="FAIL: $1: $2" -v status="$gate_status" '
		$0 == wanted { found = 1; if (said !~ /planted/) print "red, but not for the planted fault" }
		/^(PASS|FAIL|SKIP): / { said = ""; next }
		{ said = said $0 }
		END {
			if (!found) print "the planted fault was not seen"
			if (status != 1) print "it ended with status " status
		}' "$work/said" |
		rule "$1 goes red${3:+, $3}: $2"
}

# put FILE: stdin, with the licence line so that only the fault is one.
put() {
	mkdir -p "$tree/$(dirname "$1")"
	{ echo '/* SPDX-License-Identifier: Apache-2.0 */'; cat; } >"$tree/$1"
}

# --- layers ---
copy
put src/base/planted.c <<<'#include "fsm/vf.h"'
put src/fsm/planted.c <<<'#include <unistd.h>'
put src/io/planted.c <<-'C'
	#include <netlink/netlink.h>
	#include "fsm/vf.h"
	static int send(struct nl_sock *s, struct nl_msg *m) { return nl_send_auto(s, m); }
	static int write(struct disk *d) { return d->pwrite(d->ctx, 0, "", 1, 0); }
	static const char *name = "journal.0";
C
put src/drivers/planted.c <<<'#include "engine/node.h"'
put src/drivers/planted_step.c <<<'static int f(struct vf_fsm *vf) { return vf_step(vf, VF_EV_ADD, NULL); }'
put src/engine/planted.c <<-'C'
	#include <event2/event.h>
	#include "proto/journal.pb-c.h"
	extern const struct driver driver_planted;
	static void f(struct vf *vf)
	{
		vf->fsm.state = VF_FREE;
	}
C
put src/vfkeeper/planted.c <<<'#include "io/loop.h"'
put src/vfkeeperd/planted.c <<<'#include "drivers/driver.h"'
put src/vfkeeper-engine/planted.c <<<'#include <jansson.h>'
put src/vfctl/planted.c <<<'#include "drivers/driver.h"'
put src/vfkeeper-replay/planted.c <<<'#include <event2/event.h>'
run_gate check-layers
for sentence in "base includes base and libc alone" \
	"fsm includes base and six headers of libc alone" \
	"io includes base, libevent, libnl, protobuf-c and zlib alone" \
	"drivers include base, io, libnl, libibverbs and inih alone" \
	"engine includes our layers, jansson and inih alone" \
	"the client includes base and libc alone" \
	"vfkeeperd includes base and engine alone" \
	"vfkeeper-engine includes base and engine alone" \
	"vfctl includes no driver and no library but jansson" \
	"vfkeeper-replay includes no driver and no library but jansson" \
	"only loop and http know libevent" \
	"only nl sends and receives with libnl" \
	"only codec sees protobuf-c" \
	"only journal writes to the journal's disk" \
	"only fs knows the names of the journal files" \
	"only engine and replay step a state machine" \
	"only the registry knows the drivers" \
	"a state is assigned in *_step() and in the decoder alone"; do
	red check-layers "$sentence"
done

libs=$work/libs
mkdir -p "$libs"
echo 'int planted_above(void); int f(void); int f(void) { return planted_above(); }' >"$work/a.c"
echo 'int planted_above(void); int planted_above(void) { return 1; }' >"$work/b.c"
${CC:-gcc} -c -o "$work/a.o" "$work/a.c" && ${CC:-gcc} -c -o "$work/b.o" "$work/b.c" &&
	ar cr "$libs/libvfkbase.a" "$work/a.o" && ar cr "$libs/libvfkengine.a" "$work/b.o"
VFK_GATE_LIBS=$libs run_gate check-layers
red check-layers "no library calls one above it"

# --- style ---
copy
echo 'int planted;' >"$tree/src/base/planted_licence.c"
put src/base/planted.c <<-C
	static void f(char *a) { sprintf(a, "x"); }
	/* $(printf 'TO%s' DO): planted */
	$(printf '%0120d' 0)
	static int blank;$(printf ' ')
	static int g(int *p) { return pipe(p); }
C
put src/engine/planted.c <<<'#include "config.h"'
{ echo 'static void f(void)'; echo '{'; yes '	g();' | head -n 90; echo '}'; } |
	put src/base/planted_function.c
yes 'int i;' | head -n 900 | put src/base/planted_file.c
printf '# SPDX-License-Identifier: Apache-2.0\nfalse || %s\n' true >"$tree/tests/planted.sh"
run_gate check-style
for sentence in "every file names its licence" "no function that HACKING bans is called" \
	"engine includes config.h of the build in angle brackets" \
	"nothing is left for later in a comment" "no script ignores a failure" \
	"no file is longer than 800 lines (a test: 1200)" \
	"no function is longer than 80 lines without a reason (a test: 120)" \
	"no line of C is wider than 100 columns but for a string" "no line ends in blanks" \
	"no descriptor is made without close-on-exec where the call has a better form"; do
	red check-style "$sentence"
done

# --- headers ---
# The planted ones alone: each header costs two compilers their start.
copy_without_headers() {
	copy
	find "$tree/src" "$tree/tests" -name '*.h' -delete
}
copy_without_headers
printf '#ifndef VFK_PLANTED_H\n#define VFK_PLANTED_H\nint planted(size_t n);\n#endif\n' |
	put src/base/planted.h
echo 'struct planted;' | put src/base/planted_guard.h
run_gate check-headers
for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	red check-headers "every header compiles alone with $compiler"
done
red check-headers "every header has an include guard of its own"
copy_without_headers
for i in 1 2; do
	printf '#ifndef VFK_PLANTED_H\n#define VFK_PLANTED_H\n#endif\n' | put src/base/same$i.h
done
sed -i s/VFK_PLANTED_H/VFK_planted_H/ "$tree"/src/base/same?.h
run_gate check-headers
red check-headers "every header has an include guard of its own"

# --- the page about drivers ---
copy
sed -i 's/X(VERIFY, 13, LOCK_NONE)/X(PLANTED, 13, LOCK_NONE)/;
	s/^struct driver {/&\n\tvoid (*planted)(const struct drv_env *env);/' \
	"$tree/src/drivers/driver.h"
echo 'int f(void) { return !strcmp(name, "planted"); }' >>"$tree/src/drivers/sim_conf.c"
sed -i 's/^\.It Cm settings Pq pf/&\n.It Cm planted_too Pq pf/' "$tree/man/vfkeeper-drivers.7"
run_gate check-drivers-man
for sentence in "every step of the contract is described with its lock" \
	"every step that is described is one of the contract" \
	"every operation of the contract is described" \
	"every key of the sim driver is described"; do
	red check-drivers-man "$sentence"
done

# --- man pages ---
copy
mkdir -p "$tree/man" "$tree/src/planted"
printf '.\\" SPDX-License-Identifier: Apache-2.0\n.Dd x\n.Dt OTHER 8\n.Os\n.Sh NAME\n.Nm other\n.Nd x\n.Planted\n.Sh SEE ALSO\n.Xr vfplanted 5\n' \
	>"$tree/man/vfkeeper-planted.8"
: >"$tree/src/planted/main.c"
run_gate check-man
for sentence in "every page has the sections of its kind" "every program has a page" \
	"every page says its own name and points to pages that exist"; do
	red check-man "$sentence"
done
! command -v mandoc >/dev/null || red check-man "mandoc has nothing to say about a page"
mkdir "$work/planted"
printf '#!/bin/sh\nexit 5\n' >"$work/planted/mandoc"
chmod 755 "$work/planted/mandoc"
PATH=$work/planted:$PATH run_gate check-man
red check-man "mandoc has nothing to say about a page" "where mandoc cannot run"

# --- layout ---
if [ "$(clang-format --version 2>/dev/null | sed 's/.*version \([0-9]*\).*/\1/')" = 14 ]; then
	copy
	put src/base/planted.c <<<'static int  planted( void ){return 1;}'
	run_gate check-format
	red check-format "the C files have the layout of .clang-format"
fi

# --- static programs ---
fake=$work/fake
for program in vfkeeper vfkeeper-engine vfctl; do
	mkdir -p "$fake/src/$program"
	echo 'int main(void) { return 0; }' | ${CC:-gcc} -x c -o "$fake/src/$program/$program" -
done
printf 'STATIC_LDFLAGS = -static\nCLIENT_CC = musl-gcc\n' >"$fake/Makefile"
echo 'char planted[300000] = { 1 }; int main(void) { return planted[7]; }' |
	${CC:-gcc} -Wl,-z,execstack -x c -o "$fake/src/vfkeeper/vfkeeper" - 2>/dev/null
top_builddir=$fake bash tests/check-static.sh >"$work/said" 2>&1
for program in vfkeeper vfkeeper-engine vfctl; do
	grep -qx "FAIL: check-static: $program needs no shared object and no interpreter" \
		"$work/said" || echo "not seen"
done | rule "check-static goes red on programs with shared libraries"
{ grep -qx "FAIL: check-static: the client has at most 256 KiB" "$work/said" || echo "not seen"; } |
	rule "check-static goes red on a large client"
{ grep -qx "FAIL: check-static: every program has relro and no executable stack" "$work/said" ||
	echo "not seen"; } | rule "check-static goes red on an executable stack"

# --- counting ---
# verdict EXPECTED-STATUS EXPECTED-LAST-LINE SCRIPT-TEXT
verdict() {
	local got status
	echo "$3" >"$work/sample.sh"
	got=$(bash tests/verdict.sh "$work/sample.sh" 2>&1)
	status=$?
	[ "$status" = "$1" ] && [ "$(tail -n 1 <<<"$got")" = "$2" ] ||
		echo "status $status, said: $got"
}
verdict 0 'PASS: a: b' 'echo "PASS: a: b"' | rule "verdict.sh lets a pass be"
verdict 1 'FAIL: sample: said nothing' ':' | rule "verdict.sh fails what says nothing"
verdict 1 'FAIL: sample: ended with status 139 after 1 good cases' \
	'echo "PASS: a: b"; kill -SEGV $$' | rule "verdict.sh fails what dies after a pass"
verdict 1 'FAIL: sample: ended with status 3 after 0 good cases' 'exit 3' |
	rule "verdict.sh fails what ends badly without a word"
verdict 1 'FAIL: a: b' 'echo "FAIL: a: b"; exit 0' |
	rule "verdict.sh fails what failed and ends well"
verdict 77 'SKIP: sample: all of it: needs a moon' 'echo needs a moon; exit 77' |
	rule "verdict.sh names the reason of a skip"

# run-all.sh over trees that are only Makefiles.
mkdir -p "$work"/top/build/src/tests/{go,kernel} "$work/top/tests"
cp tests/run-all.sh "$work/top/tests/"
for script in go/build.sh kernel/prepare; do
	printf '#!/bin/sh\n' >"$work/top/build/src/tests/$script"
	chmod +x "$work/top/build/src/tests/$script"
done
for name in $(sed -n 's/.*\<build \([a-z]*\) .*; then$/\1/p' tests/run-all.sh); do
	mkdir -p "$work/top/build/$name"
	cat >"$work/top/build/$name/Makefile" <<-'M'
		check check-unit: ; @echo ':test-result: PASS' >a.trs; echo 'PASS: a: b' >a.log
		%: ; @echo 'PASS: x: y'; echo 'SKIP: x: z: no moon'
	M
done
everything() {
	(cd "$work/top" && unset MAKEFLAGS MFLAGS MAKELEVEL && sh -euc 'tree() { :; }
		. tests/run-all.sh')
	echo "status $?"
}
everything >"$work/said" 2>&1
{ tail -n 2 "$work/said" | grep -qE '^[0-9]+ passed, 0 failed, [0-9]+ skipped$' &&
	tail -n 1 "$work/said" | grep -qx 'status 0' || cat "$work/said"; } |
	rule "run-all.sh ends with the totals when all is well"
{ grep -qx 'SKIP: test: x: z: no moon' "$work/said" || cat "$work/said"; } |
	rule "run-all.sh lists the skips with their reasons"
# planted RECIPE: what check-unit does in one of the trees; the rest is as before
planted() {
	printf 'check-unit: ; %s\n%%: ; @echo "PASS: x: y"; echo "SKIP: x: z: no moon"\n' "$1" \
		>"$work/top/build/clang/Makefile"
}
passed() { sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$work/said" | tail -n 1; }
before=$(passed)
planted '@echo ":test-result: FAIL" >a.trs; echo "FAIL: a: b\\n	but why" >a.log; exit 1'
everything >"$work/said" 2>&1
{ tail -n 2 "$work/said" | grep -qE "^$((before - 1)) passed, 1 failed, " &&
	tail -n 1 "$work/said" | grep -qx 'status 1' || cat "$work/said"; } |
	rule "run-all.sh counts a failed case and ends badly"
{ grep -q '	but why$' "$work/said" || cat "$work/said"; } | rule "run-all.sh says why a case failed"
planted '@exit 2'
rm -f "$work"/top/build/clang/a.*
everything >"$work/said" 2>&1
{ tail -n 2 "$work/said" | grep -qE "^$((before - 1)) passed, 1 failed, " &&
	tail -n 1 "$work/said" | grep -qx 'status 1' || cat "$work/said"; } |
	rule "run-all.sh counts a suite that dies without a word as failed"
planted '@:'
everything >"$work/said" 2>&1
{ tail -n 1 "$work/said" | grep -qx 'status 1' || cat "$work/said"; } |
	rule "run-all.sh counts a suite that runs nothing as failed"
sed -i 's/^  suite test check-disk/  false/' "$work/top/tests/run-all.sh"
everything >"$work/said" 2>&1
{ grep -qx 'FAIL: run: some suites broke off' "$work/said" || cat "$work/said"; } |
	rule "run-all.sh notices suites that never came to their turn"

# tests/kernel/check without guests: what stands for them lets the same case be for both kernels.
kernels=$work/kernels/tests/kernel
mkdir -p "$kernels/suites"
cp tests/kernel/{check,lib.sh} "$kernels/"
printf '#!/bin/sh\n' >"$kernels/prepare"
cat >"$kernels/guest" <<'S'
#!/bin/sh
case "$*" in
*T_ONLY=moon*) exit ;;
*skipped.sh*) echo "SKIP: planted: a case: no moon"; exit ;;
esac
echo "PASS: planted: done by both"; echo "LEFT: planted: left by both"
S
chmod 755 "$kernels"/{prepare,guest}
printf '# SPDX-License-Identifier: Apache-2.0\n# layout: ib\n# kernel: 6.12 6.1\n# turns: yes\n' \
	>"$kernels/suites/planted.sh"
cp "$kernels/suites/planted.sh" "$kernels/suites/skipped.sh"
KERNEL_TURNS=1 bash "$kernels/check" planted >"$work/said" 2>&1
echo "status $?" >>"$work/said"
{ grep -qx 'FAIL: kernel: left to another kernel by each: planted: left by both' "$work/said" &&
	[ "$(grep -c '^PASS: .*done by both$' "$work/said")" = 2 ] &&
	tail -n 1 "$work/said" | grep -qx 'status 1' || cat "$work/said"; } |
	rule "tests/kernel/check notices a case that is left by each kernel"
# said_by_check STATUS LINE SUITE
said_by_check() {
	bash "$kernels/check" "$3" >"$work/said" 2>&1
	[ $? = "$1" ] && grep -qx "$2" "$work/said" || cat "$work/said"
}
said_by_check 0 'kernel tests: 0 passed, 0 failed, 2 skipped' skipped |
	rule "tests/kernel/check takes a suite that skips all for no failure"
said_by_check 1 'FAIL: kernel: no such suite: plantde' plantde |
	rule "tests/kernel/check names a suite that it does not know"
T_ONLY=moon said_by_check 1 "FAIL: kernel: no case matches T_ONLY='moon'" planted |
	rule "tests/kernel/check says that no case matches"

# --- pages of programs ---
copy
sed -i 's/^\.It Fl d , Fl -debug/.It Fl -planted\n&/; s|^\.It Pa /run/vfkeeper/LOCK|.It Pa /run/vfkeeper/planted\n&|' \
	"$tree/man/vfkeeperd.8"
sed -i 's/^  string command = 3;/&\n  string planted = 9;/' "$tree/proto/control.proto"
sed -i 's|^\.It Pa /healthz|.It Pa /v1/planted\n&|; s|^\.It Va vfkeeper_start_time|.It Va vfkeeper_planted\n.Pq gauge\nNone.\n&|' \
	"$tree/man/vfkeeper-http.7"
run_gate check-programs-man
for sentence in \
	'the pages have every option of their programs, and no other' \
	'the pages have every path of the programs, and no other' \
	'vfkeeper-control(7) has every field of control.proto' \
	'vfkeeper-http(7) has every metric with its type and text, and no other' \
	'vfkeeper-http(7) has every path that is served, and no other'; do
	red check-programs-man "$sentence"
done

# --- cases by number ---
copy
echo 't_case "planted: a case (2.4, 99)" planted' >"$tree/tests/kernel/suites/planted.sh"
run_gate check-cases
red check-cases 'every broken behaviour that concerns the kernel is a case of a suite'

gate_end
