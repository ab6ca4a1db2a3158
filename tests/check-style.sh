#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The rules of HACKING that a machine can hold, besides layers and layout.
. "$(dirname "$0")/gate.sh"

code() { # everything we wrote, ibvfsim (its own style) left out
	find src tests proto systemd man run .ci configure.ac Makefile.am -type f \
		! -path 'tests/golden/*' ! -name '*.mod' ! -name '*.sum' ! -name '*.json' \
		! -name '*.patch' ! -name '*~' ! -name '*.swp' 2>/dev/null | sort
}

for file in $(code | grep -vE '/(README|COVERAGE)$|/config|\.conf$|tests/fuzz/.*/|tests/.*/(corpus|seeds)/'); do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier' || echo "$file"
done | grep -vE '^(run|\.ci/run)$' | rule "every file names its licence"

files=$(c_files src tests)
grep -nE '\b(sprintf|vsprintf|strcpy|strcat|strncpy|strncat|gets|strtok|alloca|tmpnam|mktemp)[[:space:]]*\(' \
	$files /dev/null | rule "no function that HACKING bans is called"

grep -nE '\b(TO''DO|FIX''ME|X''XX|HA''CK)\b' $(code) /dev/null |
	rule "nothing is left for later in a comment"

grep -nE '(\|\||;)[[:space:]]*tr''ue[[:space:]]*$' $(code | grep -E '\.(sh|am)$|run$|kernel/') /dev/null |
	grep -vE 'while|until' | rule "no script ignores a failure"

# Tests may be longer: tables of cases.
for file in $files; do
	lines=$(wc -l <"$file") most=800
	[ "${file#tests/}" = "$file" ] || most=1200
	[ "$lines" -le $most ] || grep -qi 'long because' "$file" || echo "$file: $lines lines"
done | rule "no file is longer than 800 lines (a test: 1200)"

for file in $files; do
	most=80
	[ "${file#tests/}" = "$file" ] || most=120
	awk -v file="$file" -v most="$most" '
		/long because/ { reason = NR }
		/^[a-zA-Z].*\(/ && !/;[ \t]*$/ { fn = $0; sub(/\(.*/, "", fn); sub(/.*[ *]/, "", fn) }
		/^{/ { start = NR }
		/^}/ && start {
			if (NR - start - 1 > most && !(reason > start - 12 && reason))
				print file ":" start ": " fn " has " NR - start - 1 " lines"
			start = 0
		}' "$file"
done | rule "no function is longer than 80 lines without a reason (a test: 120)"

for file in $files; do
	expand -t8 "$file" | LC_ALL=C.UTF-8 grep -nE '^.{101,}' | grep -v '"' | sed "s|^|$file:|"
done | rule "no line of C is wider than 100 columns but for a string"

grep -nE '\b(open|openat|socket|accept4?|socketpair|epoll_create1?|timerfd_create|signalfd|memfd_create|pipe2?|inotify_init1?|eventfd|fopen|dup3?|pidfd_open)\(' \
	$(c_files src) /dev/null |
	grep -E '\b(pipe|accept|epoll_create|inotify_init|dup)\(' |
	rule "no descriptor is made without close-on-exec where the call has a better form"

grep -n '#include "config\.h"' src/engine/*.[ch] /dev/null |
	rule "engine includes config.h of the build in angle brackets"

grep -nE '[[:space:]]+$' $(code | grep -vE '\.patch$') /dev/null | rule "no line ends in blanks"
gate_end
