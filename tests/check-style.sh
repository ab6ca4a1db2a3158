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

grep -nIE '\b(TO''DO|FIX''ME|X''XX|HA''CK)\b' $(code) /dev/null |
	rule "nothing is left for later in a comment"

grep -nE '(\|\||;)[[:space:]]*tr''ue[[:space:]]*$' $(code | grep -E '\.(sh|am)$|run$|kernel/') /dev/null |
	grep -vE 'while|until' | rule "no script ignores a failure"

# Tests may be longer: tables of cases.
# shellcheck disable=SC2086 # words
awk '
	function finish() { if (lines > most && !reason) print file ": " lines " lines" }
	FNR == 1 {
		finish()
		file = FILENAME
		most = file ~ /^tests\// ? 1200 : 800
		reason = 0
	}
	{ lines = FNR }
	tolower($0) ~ /long because/ { reason = 1 }
	END { finish() }' $files | rule "no file is longer than 800 lines (a test: 1200)"

# shellcheck disable=SC2086
awk '
	FNR == 1 {
		most = FILENAME ~ /^tests\// ? 120 : 80
		reason = start = 0
		fn = ""
	}
	/long because/ { reason = FNR }
	/^[a-zA-Z].*\(/ && !/;[ \t]*$/ { fn = $0; sub(/\(.*/, "", fn); sub(/.*[ *]/, "", fn) }
	/^{/ { start = FNR }
	/^}/ && start {
		if (FNR - start - 1 > most && !(reason > start - 12 && reason))
			print FILENAME ":" start ": " fn " has " FNR - start - 1 " lines"
		start = 0
	}' $files | rule "no function is longer than 80 lines without a reason (a test: 120)"

# With tabs of 8; of what is not ASCII only the first byte counts.
# shellcheck disable=SC2086
awk '
	/"/ || 8 * length($0) <= 100 { next }
	{
		text = $0
		gsub(/[\200-\277]/, "", text)
		n = split(text, part, "\t")
		width = 0
		for (i = 1; i < n; i++) width += int(length(part[i]) / 8) * 8 + 8
		if (width + length(part[n]) > 100) print FILENAME ":" FNR ":" $0
	}' $files | rule "no line of C is wider than 100 columns but for a string"

grep -nE '\b(open|openat|socket|accept4?|socketpair|epoll_create1?|timerfd_create|signalfd|memfd_create|pipe2?|inotify_init1?|eventfd|fopen|dup3?|pidfd_open)\(' \
	$(c_files src) /dev/null |
	grep -E '\b(pipe|accept|epoll_create|inotify_init|dup)\(' |
	rule "no descriptor is made without close-on-exec where the call has a better form"

grep -n '#include "config\.h"' src/engine/*.[ch] /dev/null |
	rule "engine includes config.h of the build in angle brackets"

grep -nIE '[[:space:]]+$' $(code | grep -vE '\.patch$') /dev/null | rule "no line ends in blanks"

# The second one silently replaces the first.
for file in $(code | grep -E '\.sh$'); do
	grep -oE '^[a-zA-Z_]+\(\)' "$file" | sort | uniq -d | sed "s|^|$file: |"
done | rule "no script defines a function twice"
gate_end
