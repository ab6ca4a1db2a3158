#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is known to go wrong with other plugins that attach VFs, by its number (2.4, N): all that
# the kernel has a part in is a case of a suite in a guest, which says "(2.4, N)" in its name.
. "$(dirname "$0")/gate.sh"

numbers=' 1 2 3 4 5 6 7 8 9 10 11 14 15 16 17 18 19 20 21 22 23 24 25 26 28 30 31 32 '
found=' '
while IFS=: read -r file name; do
	for n in $(sed 's/.*(2\.4, //' <<<"$name" | grep -o '[0-9]*'); do
		found+="$n "
		[[ $numbers == *" $n "* ]] || echo "$file: (2.4, $n) is no such number"
	done
	echo "$found" >&3
done < <(grep -Ho 't_case "[^"]*(2\.4, [^)]*)' tests/kernel/suites/*.sh) 3>&1 |
	awk -v numbers="$numbers" '
		/^ / { found = $0; next }
		{ print }
		END {
			n = split(numbers, number, " ")
			for (i = 1; i <= n; i++)
				if (!index(found " ", " " number[i] " "))
					print "tests/kernel/suites: no case (2.4, " number[i] ")"
		}' | rule "every broken behaviour that concerns the kernel is a case of a suite"
gate_end
