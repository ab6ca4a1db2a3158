#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-replay over the golden journals: whole, torn, damaged, of a later version; and its
# page against its help.
. "$(dirname "$0")/gate.sh"

replay=${REPLAY:-${top_builddir:-.}/src/vfkeeper-replay/vfkeeper-replay}
make_journal=${MAKE_JOURNAL:-${top_builddir:-.}/tests/golden/make_journal}
golden=tests/golden/v1
page=man/vfkeeper-replay.8

if [ ! -x "$replay" ]; then
	skip_rule "golden journals are read" "vfkeeper-replay is not built"
	gate_end
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# unpack: a fresh copy of the golden journal in $work/j.
unpack() {
	rm -rf "$work/j"
	mkdir "$work/j"
	for n in 0 1 2; do
		gunzip -c "$golden/journal.$n.gz" >"$work/j/journal.$n"
	done
}

# run ARGUMENT...: standard output in $work/out, the rest in $work/err, the status in $status.
run() {
	"$replay" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# is WHAT FOUND WANTED
is() {
	[ "$2" = "$3" ] || printf '%s: is "%s", not "%s"\n' "$1" "$2" "$3"
}

# poke FILE OFFSET OCTAL: overwrites one byte.
poke() {
	# shellcheck disable=SC2059
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

unpack
{
	run -d "$work/j" --json
	is status $status 0
	diff "$work/out" $golden/records.json
	cat "$work/err"
} | rule "a journal of version 1 reads as it was written"

{
	run -d "$work/j" --verify
	is status $status 0
	is verdict "$(tail -n 1 "$work/out")" "verdict: clean"
	grep -qx 'records 1 to 62, synced up to 46; 32 transitions run again, 0 findings' "$work/out" ||
		cat "$work/out"
	# It is what happens without a word, too.
	cp "$work/out" "$work/verify"
	run -d "$work/j"
	diff "$work/verify" "$work/out"
} | rule "a clean journal is verified"

{
	run -d "$work/j" --dump
	is status $status 0
	is lines "$(wc -l <"$work/out")" "$(wc -l <$golden/records.json)"
	grep -q '^      13 0:0000[0-9a-f]*   vf    0000:3b:00.1 FREE -ADD-> RESERVED .* request "ADD c0ffee0/net1" ' \
		"$work/out" || head -n 12 "$work/out"
	! LC_ALL=C grep -q $'\x1b' "$work/out" || echo "a name brought an escape sequence to the terminal"
} | rule "a dump has a line for each record and nothing for the terminal"

{
	run -d "$work/j" --stats
	is status $status 0
	for line in 'type vf: 32 records, ' 'vf event ADD: 3$' 'lease event UNPAID: 3$' \
		'vf state DETACHING: 1$' 'vf state FAULTED: 2$' 'lease state OWED: 1$' 'verdict: clean$'; do
		grep -q "^$line" "$work/out" || echo "no line \"$line\""
	done
} | rule "statistics count types, events and states"

# Offsets of the last records of the file in use, from the list.
last_offset=$(sed -n '$s/.*"offset":\([0-9]*\).*/\1/p' $golden/records.json)
last_bytes=$(sed -n '$s/.*"bytes":\([0-9]*\).*/\1/p' $golden/records.json)

{
	unpack
	head -c $((65536 - last_offset - last_bytes + 8)) /dev/zero |
		dd of="$work/j/journal.2" bs=1 seek=$((last_offset + last_bytes - 8)) conv=notrunc status=none
	poke "$work/j/journal.2" $((last_offset + 60)) 252
	run -d "$work/j" --verify
	is status $status 3
	is verdict "$(tail -n 1 "$work/out")" \
		"verdict: torn (journal.2: cut at offset $last_offset, behind record 61)"
	run -d "$work/j" --json
	is status $status 3
	diff "$work/out" <(sed '$d' $golden/records.json)
	is stderr "$(cat "$work/err")" \
		"vfkeeper-replay: verdict: torn (journal.2: cut at offset $last_offset, behind record 61)"
} | rule "a torn tail is cut and called torn"

{
	unpack
	offset=$(sed -n 's/^{"seq":45,.*"offset":\([0-9]*\),"bytes".*/\1/p' $golden/records.json)
	poke "$work/j/journal.2" $((offset + 70)) 377
	run -d "$work/j" --verify
	is status $status 4
	tail -n 1 "$work/out" | grep -qE "^verdict: damaged \(journal\.2: record 45 at offset $offset has checksum 0x[0-9a-f]{8}, wanted 0x[0-9a-f]{8}; it had been synced, as all up to 46\)$" ||
		tail -n 1 "$work/out"
	run -d "$work/j" --json
	is status $status 4
	diff "$work/out" <(grep -v '^{"seq":45,' $golden/records.json)
} | rule "damage is found and everything else is still read"

{
	unpack
	# Version 2, with the checksum that such a header would have (gzip knows it, too).
	head -c 128 "$work/j/journal.2" >"$work/head"
	poke "$work/head" 8 2
	for at in 12 13 14 15; do poke "$work/head" $at 0; done
	gzip -nc "$work/head" | tail -c 8 | head -c 4 |
		dd of="$work/head" bs=1 seek=12 conv=notrunc status=none
	dd if="$work/head" of="$work/j/journal.2" conv=notrunc status=none
	run -d "$work/j"
	is status $status 4
	is verdict "$(cat "$work/out")" \
		"verdict: unknown version (journal.2: format version 2 is not known, only 1 is)"
} | rule "a journal of a later version is left alone"

{
	unpack
	for n in 0 1 2; do : >"$work/j/journal.$n"; done
	run -d "$work/j"
	is status $status 0
	is output "$(cat "$work/out")" "verdict: empty"
	run -d "$work/no-such-directory"
	is status $status 1
	is message "$(cat "$work/err")" "vfkeeper-replay: open $work/no-such-directory: ENOENT"
} | rule "an empty journal is clean, a missing one an error"

{
	unpack
	before=$(cat "$work"/j/* | md5sum) names=$(ls -la --full-time "$work/j")
	for mode in --verify --dump --json --stats; do
		run -d "$work/j" $mode
	done
	is files "$(cat "$work"/j/* | md5sum)" "$before"
	is names "$(ls -la --full-time "$work/j")" "$names"
} | rule "reading changes nothing"

{
	run --verify --dump
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: only one of --verify, --dump, --json, --stats, --until, --repair and --apply can be given"
	run --until
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: option --until needs a value (see vfkeeper-replay --help)"
	run -d
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: option -d needs a value (see vfkeeper-replay --help)"
	run file
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: unexpected argument file (see vfkeeper-replay --help)"
	run --apply -d "$work/j"
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: --apply works on the node's own journal: no -d"
	run --apply -t 0
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: option -t takes 1 to 3600 seconds, not 0"
	run -t 5
	is status $status 2
	is message "$(cat "$work/err")" "vfkeeper-replay: -t goes with --apply and --repair"
	"$replay" -d "$work/j" --dump >/dev/full 2>"$work/err"
	is 'status with a full disk' $? 1
	is message "$(cat "$work/err")" "vfkeeper-replay: write standard output: ENOSPC"
} | rule "wrong usage says what is wrong"

{
	run --help
	is status $status 0
	sed -nE 's/^  (-[a-zA-Z], )?--([a-z]+) .*/\2/p' "$work/out" | while read -r option; do
		grep -qE "^\\.It Fl ([a-zA-Z] , )?-$option( |\$)" "$page" || echo "$page: no --$option"
	done
	sed -nE 's/^\.It Fl ([a-zA-Z] , )?-([a-z]+)( .*)?$/\2/p' "$page" | while read -r option; do
		grep -qE "^  (-[a-zA-Z], )?--$option( |\$)" "$work/out" || echo "--help: no --$option"
	done
	for code in 0 1 2 3 4 5; do
		grep -qx "\\.It $code" "$page" || echo "$page: no exit status $code"
		sed -n '/^Exit status/,$p' "$work/out" | grep -qE "(^|[ :])$code [a-z]" ||
			echo "--help: no exit status $code"
	done
	# Every member of the objects stands in the page.
	{ cat $golden/records.json; grep -ohE 'set[a-z_]*\(obj, "[a-z_0-9]+"' src/vfkeeper-replay/record_json.c |
		sed -E 's/.*"(.*)"/"\1":/'; } | grep -oE '"[a-z_]+":' | tr -d '":' | sort -u |
		grep -vE '^(link_state|node_guid|port_guid|mac|vlan|qos|vlan_proto|min_tx_mbps|max_tx_mbps|spoofchk|trust|mtu|allmulti|promisc|ipoib_mode|pkey|rdma_isolation|scrub)$' |
		while read -r member; do
			grep -qE "^\\.(Va|It) .*\\b$member\\b|^\\.It .*\\b$member\\b" "$page" ||
				echo "$page: no member $member"
		done
} | rule "the page has every option, exit status and member"

if [ -x "$make_journal" ]; then
	{
		rm -rf "$work/new"
		mkdir "$work/new"
		"$make_journal" "$work/new" || echo "make_journal failed"
		run -d "$work/new" --json
		is status $status 0
		diff "$work/out" $golden/records.json
	} | rule "the present code writes a journal that reads the same"
else
	skip_rule "the present code writes a journal that reads the same" "make_journal is not built"
fi
gate_end
