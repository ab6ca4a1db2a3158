#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vfkeeper-http(7): every path, metrics that promtool takes, who is refused, clients that behave
# badly, and the status page in a browser.

. "$(dirname "$0")/lib.sh"
world_enter "$@"
requires curl python3
here=$top_srcdir/tests/netns
URL=http://127.0.0.1:9477
world 2 8 "http = 127.0.0.1:9477"
config=$(cat $ROOT/etc/vfkeeper/vfkeeper.conf)
add_netns p 1 30

# fetch PATH [CURL ARGUMENT...]: sets STATUS and BODY
fetch() {
	local path=$1
	shift
	STATUS=$(curl -s -m 20 -o $ROOT/body -D $ROOT/head -w '%{http_code}' "$@" "$URL$path")
	BODY=$(tr -d '\0' <$ROOT/body 2>/dev/null)
}
gives() { fetch "$2" "${@:3}"; is "$1" "$STATUS"; }
metric() { curl -s -m 20 $URL/metrics | awk -v name="$1" 'index($0, name " ") == 1 { print $2 }'; }
listens() { awk '$4 == "0A"' /proc/net/tcp /proc/net/tcp6 | grep -q . || [ -e $ROOT/run/vfkeeper/http.sock ]; }

# --- off, and by whom ---
grep -v '^http' <<<"$config" >$ROOT/etc/vfkeeper/vfkeeper.conf
service_start
check "without the key nothing listens" is 1 "$(listens; echo $?)"
engines_end
echo "$config" >$ROOT/etc/vfkeeper/vfkeeper.conf
add od net1 /run/netns/p30 "$(conf "$(vf_addr 1 7)")"
check "an engine on demand serves no HTTP" is "0 1" "$RC $(listens; echo $?)"
engines_end
service_start

# --- paths ---
for path in / /metrics /healthz /readyz /v1/vfs /v1/status /v1/leases; do
	check "$path is answered" gives 200 $path
	check "$path is answered to HEAD, without a body" is "200 0" \
		"$(curl -s -m 20 -I -o /dev/null -w '%{http_code} %{size_download}' $URL$path)"
done
check "another path is not found" gives 404 /v1/vfs/..
fetch /healthz
check "the answer may not be kept, framed or guessed at" matches \
	'no-store.*nosniff.*default-src .none.*frame-ancestors .none' "$(tr '\r\n' '  ' <$ROOT/head)"
same_list() {
	diff <(curl -s $URL/v1/vfs | grep -v '"age_s"') <("$VFCTL" -o json list | grep -v '"age_s"')
}
check "/v1/vfs is what vfctl -o json list prints" same_list
"$VFCTL" cordon node >/dev/null
fetch /readyz
check "cordoned, it is not ready" is 503 "$STATUS"
check "and says why" matches 'cannot serve ADD: this node is cordoned' "$BODY"
check "uncordoned, it is" eval '"$VFCTL" uncordon node >/dev/null && gives 200 /readyz'

# --- nothing is changed, and nobody else's page reads it ---
before=$("$VFCTL" -o json list | grep -v age_s)
for method in POST PUT DELETE PATCH OPTIONS; do
	check "$method is refused" gives 501 /v1/vfs -X $method
	fetch /v1/vfs -X $method -d x=1
	check "$method with a body is refused" matches '^(501|413)$' "$STATUS"
done
check "and nothing has changed" is "$before" "$("$VFCTL" -o json list | grep -v age_s)"
check "a name that is not ours is refused" gives 421 /v1/vfs -H 'Host: rebind.example'
check "also with a loopback address in it" gives 421 /v1/vfs -H 'Host: 127.0.0.1.rebind.example'
check "also in the request line" gives 421 / --request-target http://rebind.example/
check "also without one" gives 421 / -H 'Host:'
check "localhost is ours" gives 200 / -H 'Host: localhost:1234'

# --- metrics ---
for i in 1 2 3; do
	add m$i net1 /run/netns/p$i "$(conf "$(vf_addr 0 $i)")"
done
add m9 net1 /run/netns/p9 "$(conf 0000:99:00.1)"
code=$(code)
del m3 net1 /run/netns/p3 "$(conf "$(vf_addr 0 3)")"
check "ADDs are counted" is 3 "$(metric 'vfkeeper_requests_total{verb="ADD",result="ok"}')"
check "failed ones, too" is 1 "$(metric 'vfkeeper_requests_total{verb="ADD",result="error"}')"
check "by their code" is 1 "$(metric "vfkeeper_request_errors_total{verb=\"ADD\",code=\"$code\"}")"
check "DELs are counted" is 1 "$(metric 'vfkeeper_requests_total{verb="DEL",result="ok"}')"
sleep 0.6 # a document is made at most twice a second
check "VFs are counted by PF and state" is 2 "$(metric 'vfkeeper_vfs{pf="0000:3b:00.0",state="ATTACHED"}')"
check "transitions are counted" is 3 "$(metric 'vfkeeper_transitions_total{machine="vf",event="ADD"}')"
check "records have bytes" eval '[ "$(metric vfkeeper_journal_bytes_total)" -gt 1000 ]'
check "times are measured" is 3 "$(metric 'vfkeeper_request_duration_seconds_count{verb="ADD",result="ok"}')"
check "sources of events are open" is 1 "$(metric 'vfkeeper_event_source_open{source="link"}')"
check "and their events counted" eval \
	'[ "$(metric "vfkeeper_event_source_events_total{source=\"link\"}")" -gt 3 ]'
check "ports as well" is 1 \
	"$(metric 'vfkeeper_port_transitions_total{pf="0000:3b:00.0",state="ACTIVE"}')"
if command -v promtool >/dev/null; then
	check "promtool has nothing to say about the metrics" eval \
		'said=$(curl -s $URL/metrics | promtool check metrics 2>&1) && is "" "$said"'
else
	skip "promtool has nothing to say about the metrics" "promtool is not installed"
fi
same_names() {
	diff <(curl -s $URL/metrics | awk '$1 == "#" && $2 == "TYPE" { print $3, $4 }' | sort) \
		<(awk '/^\.It Va / { name = $3 } /^\.Pq (gauge|counter|histogram)/ { print name, $2 }' \
			"$top_srcdir/man/vfkeeper-http.7" | sort)
}
check "the page of the manual has the same metrics and types" same_names

# --- live events ---
[ "$has_go" = no ] && ipam= || ipam=$(host_local)
curl -s -N -m 20 $URL/v1/events >$ROOT/events &
curl_pid=$!
check "a listener is told what was" wait_for 10 grep -q '"event":"SETUP_DONE"' $ROOT/events
add live net1 /run/netns/p5 "$(conf "$(vf_addr 0 5)" ${ipam:+"$ipam"})"
check "and what happens" wait_for 10 grep -q "^data: .*\"to\":\"ATTACHED\".*\"container\":\"live\"" $ROOT/events
kill $curl_pid
wait $curl_pid 2>/dev/null
last=$(sed -n 's/^id: //p' $ROOT/events | tail -n 1)
del live net1 /run/netns/p5 "$(conf "$(vf_addr 0 5)" ${ipam:+"$ipam"})"
curl -s -N -m 1 -H "Last-Event-ID: $last" $URL/v1/events >$ROOT/events2
check "who comes again is told what it missed" grep -q '"event":"RESTORE_DONE"' $ROOT/events2
check "and no more" is 0 "$(grep -c 'SETUP_DONE' $ROOT/events2)"
"$VFCTL" cordon node --reason "new cable" >/dev/null
"$VFCTL" uncordon node >/dev/null
curl -s -N -m 1 $URL/v1/events >$ROOT/events3
check "a cordon is told" grep -q '^data: .*"what":"node".*cordon' $ROOT/events3
# of each record the same members with the same values; the words may say less
same_events() {
	"$VFCTL" -o json history >$ROOT/history
	python3 - $ROOT/history $ROOT/events3 ${ipam:+lease} <<'PY'
import json, sys
told = {e["seq"]: e for e in json.load(open(sys.argv[1]))["events"]}
live = [json.loads(line[6:]) for line in open(sys.argv[2]) if line.startswith("data: ")]
assert len(live) > 15 and {e["what"] for e in live} >= {"vf", "node", *sys.argv[3:]}, live
for e in live:
    assert e.pop("text") and told[e["seq"]].pop("text"), e
    assert e == told[e["seq"]], (e, told[e["seq"]])
PY
}
check "and each event is as vfctl -o json history has it" same_events

# --- the page ---
page_test() {
	local answer
	coproc BROWSER { python3 "$here/browser.py" $URL/ $ROOT/browser 2>$ROOT/browser.log; }
	ask() {
		local at=$1
		shift
		echo "$*" >&"${BROWSER[1]}"
		read -r -t 60 answer <&"${BROWSER[0]}" || answer="no answer: $(cat $ROOT/browser.log)"
		[ "$answer" = "$at" ] || { echo "$answer"; return 1; }
	}
	rows='document.querySelectorAll("#vfs tr").length'
	check "the page shows every VF and says that it is live" ask ok \
		"wait 30 document.getElementById('live').textContent === 'live' && $rows === 16"
	check "it has asked nobody else for anything" ask true \
		"eval performance.getEntriesByType('resource').every(e => e.name.startsWith(location.origin))"
	add shown net1 /run/netns/p6 "$(conf "$(vf_addr 1 2)")"
	check "an ADD is seen without asking again" ask ok \
		"wait 20 [...document.querySelectorAll('#vfs tr')].some(r => r.textContent.includes('tests/shown') && r.textContent.includes('attached'))"
	check "and stands among the events" ask ok \
		"wait 20 document.getElementById('events').textContent.includes('ADD shown/net1')"
	check "the counts follow" ask ok \
		"wait 20 document.querySelector('#tiles b').textContent === '4'"
	service_end TERM
	check "without a service it says so" ask ok \
		"wait 30 document.getElementById('live').className === 'off'"
	service_start
	check "and comes back by itself" ask ok \
		"wait 30 document.getElementById('live').textContent === 'live'"
	exec {BROWSER[1]}>&-
	wait "$BROWSER_PID" 2>/dev/null
}
if command -v chromium >/dev/null; then
	page_test
else
	skip "the page in a browser" "chromium is not installed"
fi

# --- clients that behave badly ---
python3 "$here/http_hostile.py" 9477 trickle >$ROOT/trickle &
trickle_pid=$!
check "garbage is survived" is survived "$(python3 "$here/http_hostile.py" 9477 garbage)"
check "headers without end are not taken" eval \
	'[ "$(python3 "$here/http_hostile.py" 9477 headers)" -lt 20000000 ]'
check "and it goes on" gives 200 /healthz
python3 "$here/http_hostile.py" 9477 crowd 500 $ROOT/crowd-over &
crowd_pid=$!
crowd_is_in() { [ "$(find "/proc/$SVC/fd" -lname 'socket:*' | wc -l)" -ge 32 ]; }
check "500 connections come" wait_for 10 crowd_is_in
check "but not all into the engine" eval '[ "$(find "/proc/$SVC/fd" -lname "socket:*" | wc -l)" -le 64 ]'
add crowd net1 /run/netns/p7 "$(conf "$(vf_addr 1 3)")"
check "an ADD is served beside them" answered 0
touch $ROOT/crowd-over
wait $crowd_pid
check "and HTTP again when they are gone" wait_for 30 gives 200 /healthz
wait $trickle_pid
check "one byte a second is not waited for for ever" eval '[ "$(cat $ROOT/trickle)" -lt 20 ]'
check "the engine is the same as before" service_answers
engines_end

# --- the socket; an address that is taken ---
sed -i 's/^http = .*/http = unix/' $ROOT/etc/vfkeeper/vfkeeper.conf
service_start
check "the socket is for uid 0" is 600 "$(stat -c %a $ROOT/run/vfkeeper/http.sock)"
check "and serves the same" gives 200 /metrics --unix-socket $ROOT/run/vfkeeper/http.sock
engines_end
echo "$config" >$ROOT/etc/vfkeeper/vfkeeper.conf
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 9477)); open("'$ROOT'/taken", "w").close(); time.sleep(100)' &
taken_pid=$!
wait_for 10 test -e $ROOT/taken
check "an address that is taken stops no engine" service_start
check "it says so" wait_for 5 grep -q 'HTTP: listen at' $ROOT/vfkeeperd.log
kill $taken_pid
wait $taken_pid 2>/dev/null
check "and takes the address when it is free" wait_for 30 gives 200 /healthz
for i in 1 2; do
	del m$i net1 /run/netns/p$i "$(conf "$(vf_addr 0 $i)")"
done
engines_end
finish
