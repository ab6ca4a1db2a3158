#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an administrator does with vfctl: cordon and uncordon, retry, reconcile, history, watch,
# ports; with real engines.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
world 2 4 'give_up_after = 2' 'retry_min_ms = 50' 'retry_max_ms = 600000'
VFCTL=$ROOT/bin/vfctl

# vfctl ARGUMENT...: sets RC, OUT and ERR.
vfctl() {
	OUT=$("$VFCTL" "$@" 2>$ROOT/vfctl.err)
	RC=$?
	ERR=$(cat $ROOT/vfctl.err)
}
line() { tr '\n' ' ' <<<"$1"; }
# status_code: the code of CNI STATUS, 0 if it succeeds.
status_code() {
	cni STATUS "" "" - '{"cniVersion":"1.1.0","name":"n","type":"vfkeeper"}' >/dev/null 2>&1
	code
}

cordons() {
	local vf=$(vf_addr 1 2) other=$(vf_addr 1 3) c o
	c=$(conf "$vf")
	o=$(conf "$other")
	add_netns p 1 2
	add 0123456789abcdef net1 /run/netns/p1 "$c"
	check "an ADD before any cordon ($HOW)" is 0 "$RC"

	vfctl cordon "$vf"
	check "a VF in use can be cordoned ($HOW)" matches "^0:cordoned +vf $vf, for " \
		"$RC:$(line "$OUT")"
	check "its pod keeps it ($HOW)" vf_is ATTACHED "$vf"
	del 0123456789abcdef net1 /run/netns/p1 "$c"
	check "and its DEL is served ($HOW)" is 0 "$RC"
	check "to the end ($HOW)" wait_for 20 vf_is FREE "$vf"
	add 1123456789abcdef net1 /run/netns/p2 "$c"
	check "the next ADD is refused, to be tried again ($HOW)" is 11 "$(code)"
	check "by one line that says how to end it ($HOW)" is \
		"VF $vf is cordoned by an administrator (vfctl uncordon $vf)" "$(msg)"
	vfctl list
	check "the list marks it ($HOW)" matches "$vf .* FREE .*cordoned \(vf\)" "$OUT"
	vfctl -j show "$vf"
	check "so does its JSON ($HOW)" matches '"cordoned": "vf"' "$OUT"
	engines_end
	vfctl list
	check "the journal knows it without an engine ($HOW)" matches \
		"$vf .*cordoned \(vf\)" "$OUT"
	add 1123456789abcdef net1 /run/netns/p2 "$c"
	check "another engine refuses likewise ($HOW)" is 11 "$(code)"
	add 2123456789abcdef net1 /run/netns/p2 "$o"
	check "another VF is served ($HOW)" is 0 "$(code)"
	del 2123456789abcdef net1 /run/netns/p2 "$o"
	vfctl uncordon "$vf"
	check "uncordon ends it ($HOW)" is "0:nothing is cordoned" "$RC:$OUT"
	add 1123456789abcdef net1 /run/netns/p2 "$c"
	check "and the ADD is served ($HOW)" is 0 "$(code)"
	del 1123456789abcdef net1 /run/netns/p2 "$c"

	vfctl cordon "$vf" --reason 'cable 7'
	check "a cordon can have a reason ($HOW)" matches "vf $vf, for [^ ]+: cable 7" \
		"$(line "$OUT")"
	add 1123456789abcdef net1 /run/netns/p2 "$c"
	check "that the refused ADD tells ($HOW)" matches "uncordon $vf\\): cable 7\$" "$(msg)"
	vfctl list
	check "and the list ($HOW)" matches "$vf .*cordoned \\(vf: cable 7\\)" "$OUT"
	vfctl uncordon "$vf"
	vfctl cordon simib1 --reason 'bad port'
	check "a PF is cordoned by its netdev ($HOW)" matches "cordoned +pf 0000:3c:00.0" \
		"$(line "$OUT")"
	add 1123456789abcdef net1 /run/netns/p2 "$c"
	check "its VFs take no ADD ($HOW)" matches \
		"its PF is cordoned .*vfctl uncordon 0000:3c:00.0" "$(msg)"
	vfctl ports
	check "the ports show it ($HOW)" matches \
		'0000:3c:00.0 +simib1 +1 +[A-Z]+ +sim +4 +cordoned: bad port' "$OUT"
	check "STATUS is good while another PF serves ($HOW)" is 0 "$(status_code)"
	vfctl cordon node
	check "with the node cordoned STATUS says so ($HOW)" is 50 "$(status_code)"
	check "in one line ($HOW)" matches 'this node is cordoned' "$(cni STATUS "" "" - \
		'{"cniVersion":"1.1.0","name":"n","type":"vfkeeper"}'; msg)"
	vfctl status
	check "vfctl status lists both ($HOW)" matches \
		'cordoned +pf 0000:3c:00.0, for [^ ]+: bad port +node, for' "$(line "$OUT")"
	vfctl status -v
	check "with -v what the engine listens to, too ($HOW)" matches \
		'SOURCE +OPEN +EVENTS +OVERRUNS +WHY NOT +[a-z]+ +(yes|no) +[0-9]+ +[0-9]+ ' \
		"$(line "$OUT")"
	if [ "$HOW" = 'with the service' ]; then
		check "a service says when it is ready ($HOW)" matches \
			"^notice daemon ready: [1-9][0-9]* VFs, serving vfctl at $ROOT/run/vfkeeper/control.sock\$" \
			"$(grep ' ready: ' $ROOT/vfkeeperd.log | tail -n 1)"
	else
		check "and why one is not open ($HOW)" matches \
			'verbs +no +0 +0 +no process listens: only the service has one ' "$(line "$OUT") "
	fi
	vfctl uncordon node
	vfctl uncordon 0000:3c:00.0
	check "both are ended ($HOW)" is "nothing is cordoned" "$OUT"
	vfctl cordon nosuchthing
	check "a wrong name is refused ($HOW)" matches "^1:vfctl: no VF is called" "$RC:$ERR"
	del_netns p 1 2
	engines_end
}

retries() {
	local vf=$(vf_addr 0 1) c
	c=$(conf "$vf")
	add_netns p 1 1
	vfctl retry "$vf"
	check "there is nothing to retry on a free VF ($HOW)" matches "^2:.*is FREE: only a FAULTED" \
		"$RC:$ERR"
	add 3123456789abcdef net1 /run/netns/p1 "$c"
	faults "verify $vf errno=EIO"
	del 3123456789abcdef net1 /run/netns/p1 "$c"
	check "a release that fails leaves it FAULTED ($HOW)" wait_for 20 vf_is FAULTED "$vf"
	vfctl retry "$vf"
	check "a retry that fails says so ($HOW)" matches "^1:vfctl: the release failed" "$RC:$ERR"
	faults
	vfctl retry pod tests/3123456789abcdef
	check "one that works frees it at once ($HOW)" is "0:$vf is FREE" "$RC:$OUT"
	vfctl explain "$vf"
	check "explain tells who retried ($HOW)" matches \
		"\[ADMIN_RETRY\].*cause: admin, vfctl retry $vf" "$(line "$OUT")"
	check "the node is clean ($HOW)" wait_clean
	del_netns p 1 1
	engines_end
}

reconciles() {
	# An engine that begins looks at everything anyway: only one that runs has to be told.
	if [ "$HOW" != 'with the service' ]; then
		vfctl reconcile --dry-run
		check "a dry run starts an engine ($HOW)" matches '^0:8 VFs looked at' "$RC:$OUT"
		engines_end
		return
	fi
	vfctl reconcile
	check "nothing differs ($HOW)" is "0:8 VFs looked at, 0 left alone, 0 new" "$RC:$OUT"
	vfctl reconcile --dry-run
	check "a dry run says that it is one ($HOW)" is \
		"0:8 VFs looked at, 0 left alone, 0 new; nothing was changed" "$RC:$OUT"
	engines_end
}

watched() { grep -qE "$1" $ROOT/watch.out; }
watches() {
	local vf=$(vf_addr 1 1) c text json
	c=$(conf "$vf")
	add_netns p 1 1
	: >$ROOT/watch.out
	"$VFCTL" watch >$ROOT/watch.out 2>&1 &
	text=$!
	"$VFCTL" --json watch >$ROOT/watch.json 2>&1 &
	json=$!
	check "watch begins with the table ($HOW)" wait_for 20 watched "^$vf .* FREE "
	add 4123456789abcdef net1 /run/netns/p1 "$c"
	check "an ADD is told ($HOW)" wait_for 20 watched \
		"#[0-9]+ +$vf +FREE -> RESERVED +tests/4123456789abcdef"
	check "to its end ($HOW)" wait_for 20 watched "$vf +RESERVED -> ATTACHED"
	engines_end
	del 4123456789abcdef net1 /run/netns/p1 "$c"
	check "and a DEL by another engine ($HOW)" wait_for 20 watched "$vf +DETACHING -> FREE"
	check "each event once ($HOW)" is 1 \
		"$(grep -cE "$vf +FREE -> RESERVED" $ROOT/watch.out)"
	kill $text $json
	wait $text $json 2>/dev/null
	check "the JSON has the table ($HOW)" matches '"type":"list"' "$(head -1 $ROOT/watch.json)"
	check "and the event ($HOW)" matches \
		'"event":"ADD".*"type":"event"' "$(grep '"event":"ADD"' $ROOT/watch.json)"

	vfctl history "$vf"
	check "history has the same, oldest first ($HOW)" matches \
		'FREE -> RESERVED.*RESERVED -> ATTACHED.*DETACHING -> FREE' "$(line "$OUT")"
	check "of this VF alone ($HOW)" lacks "$(vf_addr 1 3)" "$OUT"
	vfctl history
	check "without a name it tells of all ($HOW)" matches 'node +engine started' "$OUT"
	vfctl history "$vf"
	text=$(tail -n 2 <<<"$OUT")
	vfctl history -n 2 "$vf"
	check "the last two of it can be asked for ($HOW)" is "0:$text" "$RC:$OUT"
	vfctl history -n 1000000 "$vf"
	check "more than there are gives all ($HOW)" is "$text" "$(tail -n 2 <<<"$OUT")"
	vfctl -j history -n 1
	check "in JSON likewise ($HOW)" is 1 "$(grep -c '"seq":' <<<"$OUT")"
	vfctl --json history pod tests/4123456789abcdef
	check "a pod that is gone can be named, in JSON too ($HOW)" matches \
		"\"events\".*\"event\":\"RESTORE_DONE\"" "$(line "$OUT")"
	del_netns p 1 1
	engines_end
}

# Every key of every document stands in its page.
schemas() {
	local vf=$(vf_addr 1 1) page=${srcdir:-.}/man/vfctl-json.7 name command
	[ -e "$page" ] || page=$top_srcdir/man/vfctl-json.7
	add_netns p 1 1
	add 5123456789abcdef net1 /run/netns/p1 "$(conf "$vf" "$FAKE")"
	mkdir -p $ROOT/json
	vfctl cordon "$(vf_addr 1 3)"
	while read -r name command; do
		# shellcheck disable=SC2086
		"$VFCTL" --json $command >"$ROOT/json/$name" 2>/dev/null
	done <<-COMMANDS
		list list
		show show $vf
		leases leases
		status status
		ports ports
		explain explain $vf
		history history
		cordon uncordon $(vf_addr 1 3)
		release release $(vf_addr 1 3)
		reconcile reconcile
		doctor doctor
		log log
		version version
		fsm fsm
	COMMANDS
	check "every key is explained in vfctl-json(7)" is "" "$(python3 - "$page" $ROOT/json <<'PY'
import json, os, re, sys
page = open(sys.argv[1]).read()
known = set(re.findall(r'[a-z0-9_]+', ' '.join(re.findall(r'(?m)^\.(?:It )?Va (.*)', page))))
free = {'vfs', 'leases', 'modules'}  # their keys are names of states and modules
missing = set()
n = 0
def walk(doc, where, name):
    global n
    if isinstance(doc, list):
        for one in doc:
            walk(one, where, name)
    elif isinstance(doc, dict):
        for key, value in doc.items():
            if key not in known:
                missing.add(where + ': ' + key)
            n += 1
            if not (key in free and isinstance(value, dict)):
                walk(value, where, key)
for f in sorted(os.listdir(sys.argv[2])):
    text = open(os.path.join(sys.argv[2], f)).read()
    try:
        walk(json.loads(text), f, '')
    except ValueError:
        missing.add(f + ': no document')
if n < 300:
    missing.add('only %d keys' % n)
print(' '.join(sorted(missing)))
PY
)"
	del 5123456789abcdef net1 /run/netns/p1 "$(conf "$vf" "$FAKE")"
	del_netns p 1 1
	engines_end
}

everything() {
	cordons
	retries
	reconciles
	watches
}
fake_ipam
service_start || fail "vfkeeperd starts" "no answer on the control socket"
HOW='with the service' everything
schemas
HOW='with an engine on demand' everything
finish
