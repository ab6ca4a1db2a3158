#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What we print at each version is what libcni makes of the same result at 1.1.0, and libcni
# reads it without a loss.

. "$(dirname "$0")/../netns/lib.sh"
[ -x "$VFK_GO_BIN/convert" ] ||
	skip_all "tests/go/convert is not built: $(cat "$VFK_GO_BIN/../why-not" 2>/dev/null || echo "no Go 1.23 or newer")"
world_enter "$@"
world 1 2
add_netns p 1 1
vf=$(vf_addr 0 0)
service_start
cat >$ROOT/plugins/say <<'PLUGIN'
#!/bin/bash
[ "$CNI_COMMAND" != ADD ] || cat /run/w/say.ADD
PLUGIN
chmod 755 $ROOT/plugins/say

# result_at VERSION CONTAINER MEMBER...: its ADD's result into the file $ROOT/at.VERSION
result_at() {
	local c
	c=$(VERSION=$1 conf "$vf" "${@:3}")
	add "$2" net1 /run/netns/p1 "$c"
	[ "$RC" = 0 ] && printf '%s' "$OUT" >$ROOT/at.$1
	del "$2" net1 /run/netns/p1 "$c"
	[ -s $ROOT/at.$1 ] || { echo "no result: $OUT"; return 1; }
}
drive() { # SENTENCE FIRST-VERSION MEMBER...
	local version of='0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0' what=$1
	rm -f $ROOT/at.*
	check "$what: the result at 1.1.0" result_at 1.1.0 base "${@:3}" || return
	cp $ROOT/at.1.1.0 $ROOT/newest
	for version in $of; do
		[[ ! $version < $2 ]] || continue
		check "$what: the result at $version" result_at $version c-$version "${@:3}" || continue
		check "$what: libcni makes the same of it at $version" \
			"$VFK_GO_BIN/convert" $version $ROOT/newest $ROOT/at.$version
	done
}
SAY='"ipam":{"type":"say"}'

echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.5/24"}]}' >$ROOT/say.ADD
drive "one address" 0.1.0 "$SAY"
echo '{"cniVersion":"1.0.0","ips":[{"address":"fd09::5/64","gateway":"fd09::1"}],"routes":[{"dst":"::/0"}]}' >$ROOT/say.ADD
drive "IPv6 only" 0.1.0 "$SAY"
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.5/24","gateway":"10.9.0.1"},{"address":"10.9.1.5/24"},{"address":"fd09::5/64","gateway":"fd09::1"},{"address":"fd10::5/64"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"10.77.0.0/16","gw":"10.9.0.2"},{"dst":"fd77::/48","gw":"fd09::2"}],"dns":{"nameservers":["10.9.0.2","fd09::53"],"domain":"x.test","search":["a.test","b.test"],"options":["ndots:5"]}}' >$ROOT/say.ADD
drive "two families, routes and dns" 0.1.0 "$SAY"
echo '{"cniVersion":"1.1.0","ips":[{"address":"10.9.0.5/24"}],"routes":[{"dst":"10.77.0.0/16","mtu":1400,"advmss":1300,"priority":5,"table":100,"scope":253},{"dst":"10.78.0.0/16","scope":0,"table":0}]}' >$ROOT/say.ADD
drive "routes with everything" 0.1.0 "$SAY"
drive "no address at all" 0.3.0 '"mtu":1400'
PREV='"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"br0","mac":"00:00:5e:00:53:01"},{"name":"eth0","mac":"00:00:5e:00:53:02","sandbox":"/run/netns/p1"}],"ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":1}],"routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"}],"dns":{"nameservers":["10.1.0.2"]}}'
echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.9.0.5/24"}]}' >$ROOT/say.ADD
drive "behind another plugin" 0.1.0 "$SAY" "$PREV"
drive "behind another plugin, without addresses of its own" 0.1.0 "$PREV"
check "the node is clean" wait_clean
engines_end
finish
