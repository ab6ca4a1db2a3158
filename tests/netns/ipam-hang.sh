#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An IPAM plugin that hangs in 20 ADDs delays nobody: 200 other ADDs and DELs are done while it
# hangs, and what they took is said beside the same without (P8, R8).

. "$(dirname "$0")/lib.sh"
world_enter "$@"
# No links: what is left of a call is our own work, so that a delay would be seen.
SIM_LINES='links = no'
sim_node 2 127 "$SIM_LINES"
write_config
fake_ipam

# Hangs as long as nobody opens the gate, without a child.
cat >$ROOT/plugins/stuck <<'PLUGIN'
#!/bin/bash
if [ "$CNI_COMMAND" = ADD ]; then
	echo "$CNI_CONTAINERID" >>/run/w/stuck.calls
	exec 8<>/run/w/fake.fifo
	until [ -e /run/w/gate.open ]; do
		read -r -t 0.5 -u 8
	done
fi
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}'
PLUGIN
printf '#!/bin/sh\necho %s\n' \
	\''{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}'\' >$ROOT/plugins/quick
chmod 755 $ROOT/plugins/stuck $ROOT/plugins/quick

mkdir -p $ROOT/conf
for ((i = 1; i <= 220; i++)); do
	# Half of the others ask a plugin that works, half ask none.
	member=()
	[ $((i % 2)) = 0 ] || member=('"ipam":{"type":"quick"}')
	[ $i -le 200 ] || member=('"ipam":{"type":"stuck"}')
	conf "$(vf_addr $((i % 2)) $((i / 2)))" "${member[@]}" >$ROOT/conf/$i
done
list() { # VERB FIRST LAST PREFIX
	local i
	for ((i = $2; i <= $3; i++)); do
		echo "$1 $4$i net1 /run/netns/p$i $ROOT/conf/$i"
	done
}
storm() { "$HELPERS/storm" -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" "$@"; }

# the_others PREFIX: 200 ADDs, then 200 DELs, 50 at a time; says what they took.
the_others() {
	list ADD 1 200 "$1" >$ROOT/list.add
	list DEL 1 200 "$1" >$ROOT/list.del
	added=$(storm -k 50 $ROOT/list.add)
	deleted=$(storm -k 50 $ROOT/list.del)
	echo "$test_name: $HOW, $2: 200 ADDs $added; 200 DELs $deleted"
}
none_failed() { matches ' failed=0 ' "$added" && matches ' failed=0 ' "$deleted"; }
hanging() { is 20 "$(sort -u $ROOT/stuck.calls | wc -l)"; }
none_answered() { is "20 0" "$(cat $ROOT/hung.out/* | wc -c | xargs echo "$(ls $ROOT/hung.out | wc -l)")"; }

hang() {
	local hung
	rm -rf $ROOT/gate.open $ROOT/hung.out
	mkdir $ROOT/hung.out
	: >$ROOT/stuck.calls
	cni DEL nobody net1 - "$(conf "")" # an engine is there
	the_others "a" "nothing hangs"
	check "200 ADDs and DELs succeed beside nothing ($HOW)" none_failed

	list ADD 201 220 h >$ROOT/list.hung
	storm -k 20 -o $ROOT/hung.out $ROOT/list.hung >$ROOT/hung.sum &
	hung=$!
	check "20 ADDs hang in IPAM ($HOW)" wait_for 60 hanging
	the_others "b" "20 ADDs hang in IPAM"
	check "200 ADDs and DELs succeed beside them ($HOW)" none_failed
	check "all were done before the first of the 20 was answered ($HOW)" none_answered
	check "whose VFs are RESERVED all the while ($HOW)" matches 'RESERVED=20 ' "$(states)"
	touch $ROOT/gate.open
	wait $hung
	check "the 20 succeed when their plugin goes on ($HOW)" \
		matches 'count=20 failed=0 ' "$(cat $ROOT/hung.sum)"
	list DEL 201 220 h >$ROOT/list.hung
	check "and are released ($HOW)" matches 'count=20 failed=0 ' "$(storm -k 20 $ROOT/list.hung)"
	check "all VFs are FREE ($HOW)" wait_for 20 all_free 254
	check "no lease is left ($HOW)" wait_for 30 no_lease
}

add_netns p 1 220
in_both_ways hang
finish
