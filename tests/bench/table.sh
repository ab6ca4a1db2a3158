#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of a bench.json, as it stands in the README.
#
#	table.sh BENCH.JSON             prints it
#	table.sh BENCH.JSON README      puts it into the README in place of the one there
#
# The table begins with the line of its headings ("what", "unit", ...) and ends before the next
# empty line.

set -u
LC_ALL=C
export LC_ALL

table() {
	awk '
	function value(key,   s) {
		if (!match($0, "\"" key "\": *(\"[^\"]*\"|[^,}]*)"))
			return "-"
		s = substr($0, RSTART, RLENGTH)
		sub("^\"" key "\": *", "", s)
		gsub("\"", "", s)
		return s == "null" ? "-" : s
	}
	BEGIN {
		what["client_version"] = "client, VERSION, exec to exit"
		what["add_free"] = "one ADD, free driver"
		what["del_free"] = "one DEL, free driver"
		what["storm600_8"] = "600 DELs, 8 callers, until the last VF is FREE"
		what["storm600_64"] = "600 DELs, 64 callers, until the last VF is FREE"
		what["storm600_600"] = "600 DELs, 600 callers, until the last VF is FREE"
		what["storm600_8_add"] = "600 ADDs, 8 callers, until the last is ATTACHED"
		what["storm600_64_add"] = "600 ADDs, 64 callers, until the last is ATTACHED"
		what["storm600_600_add"] = "600 ADDs, 600 callers, until the last is ATTACHED"
		what["del_repeated"] = "repeated DELs, 8 callers"
		what["free600_600_add"] = "ADDs, 600 callers, free driver"
		what["free600_600_del"] = "DELs, 600 callers, free driver"
		what["replay_1016"] = "vfkeeper-replay --verify, 1016 VFs attached"
		what["memory"] = "memory of all engine processes, 1016 VFs attached"
		what["first_answer"] = "first answer, 1016 VFs in the journal"
		printf "    %-55s %-4s %7s %7s %7s %6s\n", "what", "unit", "p50", "p99", "floor", "ratio"
	}
	/"machine"/ { machine = value("machine") }
	/"date"/ { date = value("date") }
	/"commit"/ { commit = value("commit") }
	/"name"/ {
		name = value("name")
		text = name
		tail = ""
		if (sub("_on_demand$", "", text))
			tail = ", engine on demand"
		else if (sub("_sync_all$", "", text))
			tail = ", sync = all"
		if (text in what)
			text = what[text]
		text = text tail
		gsub("until the last VF is FREE, engine on demand", "engine on demand", text)
		gsub("until the last is ATTACHED, engine on demand", "engine on demand", text)
		printf "    %-55s %-4s %7s %7s %7s %6s\n", text, value("unit"), value("p50"), value("p99"), value("floor_p50"), value("ratio")
	}
	END { printf "    (%s; %s; commit %s)\n", machine, date, commit }' "$1"
}

case $# in
1) table "$1" ;;
2)
	new=$(mktemp) || exit 1
	table "$1" >"$new.table"
	awk -v file="$new.table" '
	/what .*unit .*floor .*ratio/ && !done { while ((getline line < file) > 0) print line; inside = done = 1 }
	inside && /^$/ { inside = 0 }
	!inside { print }
	END { exit !done }' "$2" >"$new" || { echo "table.sh: no table in $2" >&2; exit 1; }
	cat "$new" >"$2"
	rm -f "$new" "$new.table"
	;;
*)
	echo "usage: table.sh BENCH.JSON [README]" >&2
	exit 2
	;;
esac
