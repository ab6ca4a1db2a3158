#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a CNI plugin for VFs owes to its callers, item by item, against the real programs: each
# item is a function i_NN in items-*.sh, named by number and sentence, and runs with the
# service and with engines on demand.  ITEMS='07 22' runs only these.  The last line says how
# many have been shown both ways.

. "$(dirname "$0")/../netns/lib.sh"
world_enter "$@"
here=$top_srcdir/tests/cni
for part in invocation add-del verbs results; do
	. "$here/items-$part.sh"
done
N_ITEMS=86

# --- one item -------------------------------------------------------------------

# item SENTENCE: the first line of each.
item() { sentence=$1; }
# t COMMAND...: has to succeed, or the item has failed; what it said is kept.
t() {
	local said
	if ! said=$("$@" 2>&1); then
		bad=${bad:-line ${BASH_LINENO[0]} of ${FUNCNAME[1]}: $(printf '%s' "$* said: $said" |
			head -c 500 | tr '\n' ' ')}
		return 1
	fi
}
# cannot REASON: the item needs what is not here.
cannot() { why_not=$1; }

declare -A good
run_item() { # NUMBER
	local bad= why_not= sentence=
	id=c$1 # a container ID of its own
	"i_$1"
	if [ -n "$bad" ]; then
		fail "C-$1 $sentence ($HOW)" "$bad"
	elif [ -n "$why_not" ]; then
		skip "C-$1 $sentence ($HOW)" "$why_not"
	else
		pass "C-$1 $sentence ($HOW)"
		good[$1]=$((${good[$1]:-0} + 1))
	fi
	restore
}
# Whatever an item leaves behind must not be the next one's.
restore() {
	local left
	CNI_ENV=(LC_ALL=C) CNI_PATH=$PLUGIN_DIRS VERSION= NETWORK= CNI_NAME=
	faults
	rm -f $ROOT/fake.ADD $ROOT/fake.DEL $ROOT/fake.CHECK $ROOT/fake.GC $ROOT/fake.STATUS \
		$ROOT/say.*
	# A GC of each network that an item used.
	for left in net other; do
		cni GC x x - "{\"cniVersion\":\"1.1.0\",\"name\":\"$left\",\"type\":\"vfkeeper\",\"cni.dev/valid-attachments\":[]}"
	done
	wait_clean >/dev/null || fail "C-$1 leaves a clean node ($HOW)" "$(states)"
}

# --- what they share ---------------------------------------------------------------

# raw STDIN NAME=VALUE...: calls with this environment only.
raw() {
	OUT=$(printf '%s' "$1" | env -i VFKEEPER_ROOT=$ROOT "${@:2}" timeout -s KILL 150 \
		"$CNI_BIN/${CNI_NAME:-vfkeeper}" 2>$ROOT/stderr)
	RC=$?
}
quiet() { is '0:' "$RC:$OUT"; } # success without a word
failed_with() { # CODE PATTERN
	answered "$1" && matches "$2" "$(msg)"
}
# with CONF MEMBER...: CONF with more members.
with() {
	local c=${1%\}}
	shift
	for member in "$@"; do
		c+=",$member"
	done
	printf '%s}' "$c"
}
prev() { printf '"prevResult":%s' "$OUT"; } # the last answer
flat() { tr -d '\n' <<<"$OUT"; }
valid() { # CONTAINER...
	local one list=
	for one in "$@"; do
		list+="${list:+,}{\"containerID\":\"$one\",\"ifname\":\"net1\"}"
	done
	printf '"cni.dev/valid-attachments":[%s]' "$list"
}
# one_document TEXT: exactly one JSON object and nothing around it.
one_document() {
	printf '%s' "$1" | awk '
		{ for (i = 1; i <= length($0); i++) {
			c = substr($0, i, 1)
			if (quoted) { if (c == "\\") i++; else if (c == "\"") quoted = 0; continue }
			if (c == "\"") quoted = 1
			else if (c == "{" || c == "[") { if (!depth) n++; depth++ }
			else if (c == "}" || c == "]") depth--
			else if (!depth && c != " ") n += 100
		} }
		END { exit !(n == 1 && depth == 0 && !quoted) }' ||
		{ echo "not one document: $1"; return 1; }
}
link_there() { matches "$2" "$(link_in "$1" "$2" 2>&1)"; }
no_link() { lacks "$2" "$(ip -n "$1" -o link show)"; }
vf=$(vf_addr 0 0) vf2=$(vf_addr 0 1)
P1=/run/netns/p1 P2=/run/netns/p2

# An IPAM plugin that prints $ROOT/say.VERB and ends with the status in say.VERB.rc.
say_ipam() {
	cat >$ROOT/plugins/say <<'PLUGIN'
#!/bin/bash
cat >/run/w/say.stdin.$CNI_COMMAND
env >/run/w/say.env.$CNI_COMMAND
echo "say was here" >&2
cat /run/w/say.$CNI_COMMAND 2>/dev/null ||
	{ [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}'; }
exit "$(cat /run/w/say.$CNI_COMMAND.rc 2>/dev/null || echo 0)"
PLUGIN
	chmod 755 $ROOT/plugins/say
}
SAY='"ipam":{"type":"say"}'

world 2 4
add_netns p 1 6
fake_ipam
say_ipam

run_all() {
	local n
	for n in ${ITEMS:-$(seq -w 1 $N_ITEMS)}; do
		run_item "$n"
	done
}
in_both_ways run_all
shown=0
for n in "${!good[@]}"; do
	[ "${good[$n]}" != 2 ] || shown=$((shown + 1))
done
[ "$n_failed" = 0 ] || world_dump_logs >&2
echo "cni: shown=$shown of $N_ITEMS"
[ "$n_failed" = 0 ] || exit 1
exit 0
