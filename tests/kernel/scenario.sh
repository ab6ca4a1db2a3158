# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Plays the scenarios of the simulator (HACKING, SCENARIOS) in a guest, after node.sh, and prints
# the list that tests/sim/scenario_look.c prints: here from ip, sysfs and vfctl.
#	scenario_begin		once; two VFs of each card remain
#	scenario_play FILE	prints the list
IBPF=0001:3b:00.0 ETHPF=0002:3b:00.0
OWN=/tmp/own # what the VFs have: "vf name mtu address pf-address..." a line
N_VFS=2

declare -A ADDR PID_OF
pf_of() { case $1 in ib*) echo $IBPF ;; *) echo $ETHPF ;; esac; }
find_vfs() {
	ADDR=([eth0]=$(vf $ETHPF 0) [eth1]=$(vf $ETHPF 1) [ib0]=$(vf $IBPF 0) [ib1]=$(vf $IBPF 1))
}
vfs_exist() { # in the order of the kernel
	local pf
	for pf in $IBPF $ETHPF; do
		echo 0 >$PCI/$pf/sriov_numvfs
		echo $N_VFS >$PCI/$pf/sriov_numvfs
	done
}

scenario_begin() {
	rdma system set netns exclusive
	node_enter
	printf '[vfkeeper]\nplugin_dirs = %s\n' "$PLUGIN_DIRS" >$ROOT/etc/vfkeeper/vfkeeper.conf
	echo 0 >$PARAM/sa_on # the partition's MTU comes when it likes
	vfs_exist
	find_vfs
	cp /proc/sys/kernel/random/boot_id /tmp/boot_id
	mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
	BOOTS=0
	mkdir -p $ROOT/book
	cat >$ROOT/plugins/book <<'PLUGIN'
#!/bin/bash
# One address for a container and interface; $ROOT/book.<verb> says how the next call ends.
read -r -d '' conf
verb=${CNI_COMMAND,,} at=/run/w/book/$CNI_CONTAINERID.$CNI_IFNAME how=
if [ -e /run/w/book.$verb ]; then
	how=$(</run/w/book.$verb)
	: >/run/w/book.$verb
fi
no() {
	echo '{"cniVersion":"1.0.0","code":11,"msg":"no"}'
	exit 1
}
[ "$how" != fails ] || no
case $verb in
add) [ ! -e "$at" ] && : >"$at" || no ;;
del) [ ! -e "$at" ] || unlink "$at" ;;
*) exit 0 ;;
esac
case $how in
fails-late) no ;;
lies) echo '{"ips":[{"address":"nonsense"}' ;;
*) [ $verb = del ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.1/24"}]}' ;;
esac
exit 0
PLUGIN
	chmod 755 $ROOT/plugins/book
}

# --- looking ---

see() { # everything that the list is made of
	local n v
	for v in eth0 eth1 ib0 ib1; do
		echo "V $v ${ADDR[$v]}"
		[ -e "$PCI/${ADDR[$v]}" ] || echo "S $v gone"
		[ -e "$PCI/${ADDR[$v]}/driver" ] || echo "S $v unbound"
		case $v in ib*) if has_rdma "${ADDR[$v]}"; then echo "R $v home"; else echo "R $v away"; fi ;; esac
	done
	echo "N home"
	ip -d -o link show
	for n in a b c d; do
		[ -e /run/netns/$n ] || continue
		echo "N pod-$n"
		ip -n $n -d -o link show
	done
	[ ! -e $OWN ] || echo "$(<$OWN)"
	[ "${1-}" != own ] || return 0
	echo "J vfs"
	"$VFCTL" -o json list
	[ -n "$IPAM" ] || return 0
	echo "J leases"
	"$VFCTL" -o json leases
}
# list [OF-A-VF]: prints the list, or with an argument what is its own from now on
list() {
	see ${1:+own} | awk -v ib=$IBPF -v eth=$ETHPF -v "new=${1-}" '
	function given(key, value, own, prefix) {
		if (value == own) return key "=own"
		if (index(value, prefix) == 1 && substr(value, length(prefix) + 1) ~ /^0[a-f]$/)
			return key "=" toupper(substr(value, length(prefix) + 2))
		return key "=other"
	}
	function word(key) { # of the link
		for (k = 1; k < NF; k++) if ($k == key) return $(k + 1)
	}
	function after(text, key) {
		if (!match(text, key " [^ ,]*")) return "-"
		return substr(text, RSTART + length(key) + 1, RLENGTH - length(key) - 1)
	}
	$1 == "V" { vf[++n] = $2; at[$3] = $2; next }
	$1 == "S" { if (!state[$2]) state[$2] = $3; next }
	$1 == "R" { rdma[$2] = $3; next }
	$1 == "N" { ns = $2; next }
	$1 == "O" { own[$2] = $3; own_mtu[$2] = $4; own_hw[$2] = $5; own_pf[$2] = $6; own_node[$2] = $7; own_port[$2] = $8; own_state[$2] = $9; own_vlan[$2] = $10; line[$2] = $0; next }
	$1 == "J" { kind = $2; cur = ""; next }
	kind == "" && $1 ~ /^[0-9]+:$/ {
		dev = word("parentdev")
		name = $2
		sub(/[@:].*/, "", name)
		if (dev == ib || dev == eth) {
			c = split($0, part, /\\ *vf /)
			for (k = 2; k <= c; k++) held[(dev == ib ? "ib" : "eth") (part[k] + 0)] = part[k]
		} else if (dev in at) {
			v = at[dev]
			where[v] = ns
			link[v] = name
			updown[v] = $3 ~ /[<,]UP[,>]/ ? "up" : "down"
			mtu[v] = word("mtu")
			hw[v] = word("link/ether")
			if (hw[v] == "") hw[v] = substr(word("link/infiniband"), 37)
		}
		next
	}
	kind != "" {
		if (!match($0, /"[a-z_]+": */)) next
		key = substr($0, RSTART + 1)
		value = key
		sub(/".*/, "", key)
		sub(/^[a-z_]+": */, "", value)
		gsub(/"|,? *$/, "", value)
		if (kind == "vfs" && key == "address") cur = at[value]
		if (kind == "leases" && key == "id") cur = ++leases
		if (kind == "leases") {
			if (key == "state" && !(cur in l_state)) l_state[cur] = value
			if (key == "container") l_pod[cur] = value
			if (key == "ifname") l_if[cur] = value
		} else {
			if (key == "state" && !(cur in record)) record[cur] = value
			if (key == "container") pod[cur] = value
			if (key == "ifname") ifname[cur] = value
			if (key == "foreign" && value == "true") foreign[cur] = "(foreign)"
		}
	}
	END {
		for (i = 1; i <= n; i++) {
			v = vf[i]
			pf_mac = after(held[v], "link/ether")
			node = after(held[v], "NODE_GUID")
			port = after(held[v], "PORT_GUID")
			st = after(held[v], "link-state")
			vlan = held[v] ~ /vlan / ? after(held[v], "vlan") : 0
			if (new != "") {
				if (new == v || new == "all")
					print "O", v, link[v] == "" ? "-" : link[v], mtu[v] == "" ? "-" : mtu[v],
						hw[v] == "" ? "-" : hw[v], pf_mac, node, port, st, vlan
				else if (v in line) print line[v]
				continue
			}
			printf "%s %s%s", v, (v in record) ? record[v] : "UNKNOWN", foreign[v]
			if (pod[v] != "" && pod[v] != "null") printf " of %s %s", pod[v], ifname[v]
			if (state[v] == "gone") {
				print " gone"
				continue
			}
			if (state[v] == "unbound") printf " unbound"
			else if (!(v in where)) printf " elsewhere"
			else {
				name = link[v]
				if (name == own[v]) name = "own"
				else if (name ~ /^(vfk|dev|eth|ib)/) sub(/[0-9].*/, "N", name)
				printf " %s %s %s mtu=%s", where[v], name, updown[v], mtu[v] == own_mtu[v] ? "own" : mtu[v]
				if (v ~ /^ib/) printf " %s", given("guid", hw[v], own_hw[v], "02:00:00:00:00:00:ff:")
				else printf " %s", given("mac", hw[v], own_hw[v], "02:00:00:00:be:")
			}
			printf " |"
			if (v ~ /^ib/)
				printf " %s %s", given("node", node, own_node[v], "02:00:00:00:00:00:ff:"),
					given("port", port, own_port[v], "02:00:00:00:00:00:ff:")
			else {
				printf " %s", given("mac", pf_mac, own_pf[v], "02:00:00:00:be:")
				if (vlan != own_vlan[v]) printf " vlan=%s", vlan
				if (after(held[v], "spoof checking") != "off") printf " spoofchk=%s", after(held[v], "spoof checking")
				if (after(held[v], "trust") == "on") printf " trust=on"
			}
			if (st != own_state[v]) printf " state=%s", st
			if ((v in rdma) && state[v] != "unbound") printf " rdma=%s", rdma[v]
			print ""
		}
		for (i = 0; i < 8; i++)
			for (k = 1; k <= leases; k++)
				if (l_pod[k] l_if[k] == substr("abcd", i / 2 + 1, 1) "net" i % 2 + 1)
					print "lease of", l_pod[k], l_if[k], l_state[k]
	}'
}
look() {
	local f
	list
	for f in $ROOT/book/*; do
		f=${f##*/}
		[ "$f" = '*' ] || echo "address of ${f/./ }"
	done
}
take_own() {
	local now
	now=$(list "${1:-all}")
	echo "$now" >$OWN
}
# place VF: "NAME" of its link at home, or "-n POD NAME"
place() {
	local l n
	l=$(link_of "${ADDR[$1]}")
	[ -z "$l" ] || {
		echo "$l"
		return
	}
	for n in a b c d; do
		[ -e /run/netns/$n ] || continue
		l=$(ip -n $n -d -o link show | grep -F "parentdev ${ADDR[$1]} ")
		[ -z "$l" ] || {
			l=${l#*: }
			echo "-n $n ${l%%[:@]*}"
			return
		}
	done
}
# set_link VF WORD...: ip link set
set_link() {
	local at
	read -ra at <<<"$(place "$1")"
	ip "${at[@]:0:${#at[@]}-1}" link set "${at[-1]}" "${@:2}" || echo "${words[0]} $1: refused"
}

# --- requests ---

declare -a ASKED # "ADD|DEL POD VF IFNAME IPAM"
value() { # KEY WORD...: sets V to that of KEY=VALUE; fails where there is none
	local w
	for w in "${@:2}"; do
		case $w in
		"$1="*) V=${w#*=} && return ;;
		"$1") V='' && return ;;
		esac
	done
	return 1
}
members() {
	if value mtu "$@"; then echo "\"mtu\":$V"; fi
	if value vlan "$@"; then echo "\"vlan\":$V"; fi
	if value mac "$@"; then echo "\"mac\":\"02:00:00:00:be:0$V\""; fi
	if value guid "$@"; then echo "\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:ff:0$V\"}"; fi
	if value state "$@"; then echo "\"link_state\":\"$V\""; fi
	if value spoofchk "$@"; then echo "\"spoofchk\":\"$V\""; fi
	if value trust "$@"; then echo "\"trust\":\"$V\""; fi
	if value isolated "$@"; then echo '"rdmaIsolation":true'; fi
	if value keep "$@"; then echo '"guidPolicy":"keep"'; fi
}
# call add|del POD VF [WORD...]
call() {
	local verb=${1^^} pod=$2 vf=$3 ifname netns m=() ipam=
	shift 3
	ifname=net1
	if value if "$@"; then ifname=$V; fi
	netns=/run/netns/$pod
	if value nonetns "$@"; then netns=-; fi
	[ "$verb" = DEL ] || mapfile -t m < <(members "$@")
	if value ipam "$@"; then
		ipam=ipam
		m+=('"ipam":{"type":"book"}')
	fi
	ASKED+=("$verb $pod $vf $ifname $ipam")
	(
		cni "$verb" "$pod" "$ifname" "$netns" "$(NETWORK=n-$ifname conf "${ADDR[$vf]}" "${m[@]}")"
		case $RC in
		0) r=ok ;;
		137) r='no answer' ;;
		*) r="code $(code)" ;;
		esac
		echo "$verb $pod $vf $ifname: $r"
	) >"/tmp/answer.${#ASKED[@]}" &
	CALLS+=("${#ASKED[@]}")
}
answers() {
	local n
	wait "${PID_OF[@]}" 2>/dev/null
	for n in "${CALLS[@]}"; do cat "/tmp/answer.$n"; done
	CALLS=() PID_OF=()
}
call_and_wait() {
	call "$@"
	PID_OF[${#ASKED[@]}]=$!
	answers
}
all_leave() { # of whom no DEL was answered with 0 since the last ADD
	local i k n=${#ASKED[@]} r ipam
	for ((i = 0; i < n; i++)); do
		read -ra r <<<"${ASKED[i]}"
		for ((k = i + 1; k < n; k++)); do
			[[ ${ASKED[k]} != *" ${r[1]} "*" ${r[3]} "* ]] || continue 2
		done
		[ "${r[0]}" = ADD ] || [[ $(</tmp/answer.$((i + 1))) != *": ok" ]] || continue
		call_and_wait del "${r[1]}" "${r[2]}" nonetns "if=${r[3]}" ${r[4]-}
	done
}

# --- waiting ---

wait_for() { within "$@"; } # that of lib.sh starts a program to wait
# in_time SECONDS WORDS COMMAND...: says WORDS when it is not
in_time() {
	within "$1" "${@:3}" >/dev/null || echo "$2"
}
rests() {
	local l
	l=$("$VFCTL" -o json list) || return
	[[ ! $l =~ RESERVED|DETACHING ]] && [[ $l == *"${ADDR[ib1]}"* ]] || return
	[ -n "$IPAM" ] || return 0
	l=$("$VFCTL" -o json leases) || return
	[[ ! $l =~ ASKED|OWED ]]
}
is_now() {
	local l
	l=$("$VFCTL" -o json list) || return
	l=${l#*"\"${ADDR[$1]}\""}
	l=${l#*\"state\": \"}
	[ "${l%%\"*}" = "$2" ]
}
more_than() { [ "$(<"$1")" -gt "$2" ]; }

# --- the card ---

declare -A ERRNO=([EIO]=5 [EBUSY]=16)
fault() { # PF COMMAND KIND [TIMES]
	local pf
	pf=$(pf_of "$1")
	COUNT=$(<"$DBG/$pf/ops/$2/count")
	case $3 in
	ignored) knob "$pf" "$2" ignore "${4:-1}" ;;
	slow) knob "$pf" "$2" delay_ms 3000 ;;
	*)
		knob "$pf" "$2" errno "${ERRNO[$3]}"
		knob "$pf" "$2" fail "${4:-1}"
		;;
	esac
	FAULTS+=("$pf/ops/$2")
}
no_faults() {
	local f
	for f in "${FAULTS[@]}"; do
		echo 0 >"$DBG/$f/fail"
		echo 0 >"$DBG/$f/ignore"
		echo 0 >"$DBG/$f/delay_ms"
	done
	FAULTS=()
}
begun() { # PF COMMAND: only this one is slow
	local pf
	pf=$(pf_of "$1")
	in_time 60 "the command is never met" more_than "$DBG/$pf/ops/$2/count" "$COUNT"
	no_faults
}

# --- engine and node ---

engines_die() {
	local pid
	for pid in $(engine_pids); do
		kill -KILL "$pid" 2>/dev/null
	done
	if [ -n "$SVC" ]; then wait "$SVC" 2>/dev/null; fi
	within 20 no_engine
}
engines_return() {
	if [ -n "$SVC" ]; then service_start; fi
}
reboot_node() {
	local n
	engines_die
	for n in "${!HOLDER[@]}"; do kill -KILL "${HOLDER[$n]}"; done
	HOLDER=()
	for n in $PODS; do
		[ ! -e /run/netns/$n ] || ip netns del $n
	done
	within 20 all_links_back
	for n in 0 1; do # the firmware forgets everything
		echo 0 >/sys/kernel/debug/ibvfsim_cards/$n/present
		echo 1 >/sys/kernel/debug/ibvfsim_cards/$n/present
	done
	within 20 there $PCI/$ETHPF/sriov_numvfs
	vfs_exist
	find_vfs
	rm -rf $ROOT/run/vfkeeper
	BOOTS=$((BOOTS + 1))
	printf '%08x-0000-4000-8000-000000000000\n' $BOOTS >/tmp/boot_id
	for n in $PODS; do ip netns add $n; done
	engines_return
	take_own
}
all_links_back() {
	local v
	for v in "${!ADDR[@]}"; do has_link "${ADDR[$v]}" || [ ! -e "$PCI/${ADDR[$v]}/driver" ] || return; done
}

# --- a scenario ---

step() {
	local at n
	case $1 in
	add | del) call_and_wait "$@" ;;
	start)
		call "${@:2}"
		PID_OF[${#ASKED[@]}]=$!
		;;
	await) answers ;;
	kill-client)
		for n in /proc/[0-9]*/exe; do
			if [ "$n" -ef $ROOT/bin/vfkeeper ]; then
				n=${n#/proc/}
				kill -KILL "${n%/exe}"
				break
			fi
		done
		;;
	plugin) echo "$3" >"$ROOT/book.$2" ;;
	kill-netns) ip netns del "$2" ;;
	again)
		ip netns del "$2"
		ip netns add "$2"
		;;
	hold)
		ip netns exec "$2" sleep 1000 &
		HOLDER[$2]=$!
		within 20 grep -q sleep /proc/$!/comm
		;;
	let-go)
		kill -KILL "${HOLDER[$2]}"
		unset "HOLDER[$2]"
		;;
	taken) ip -n "$2" link add net1 type dummy ;;
	untaken) ip -n "$2" link del net1 ;;
	squat)
		SQUATTER=$(sed -n "s/^O $2 \([^ ]*\) .*/\1/p" $OWN)
		ip link add "$SQUATTER" type dummy
		;;
	unsquat)
		ip link del "$SQUATTER"
		SQUATTER=
		;;
	rename) set_link "$2" name "$3" ;;
	mtu) set_link "$2" mtu "$3" ;;
	mac) set_link "$2" address "02:00:00:00:be:0$3" ;;
	up | down) set_link "$2" "$1" ;;
	move)
		at=$3
		[ "$3" != home ] || at=1
		set_link "$2" netns "$at" ${4:+name "$4"}
		;;
	unbind) echo "${ADDR[$2]}" >$DRV/unbind ;;
	bind) echo "${ADDR[$2]}" >$DRV/bind ;;
	rebind) rebind "${ADDR[$2]}" ;;
	operator)
		at=$(link_of "$(pf_of "$2")") n=${2#"${2%?}"}
		if value vlan "${@:3}"; then ip link set "$at" vf "$n" vlan "$V"; fi
		if value guid "${@:3}"; then
			ip link set "$at" vf "$n" node_guid "02:00:00:00:00:00:ff:0$V"
			ip link set "$at" vf "$n" port_guid "02:00:00:00:00:00:ff:0$V"
		fi
		;;
	own) take_own "$2" ;;
	numvfs) echo "${3/#2/$N_VFS}" >"$PCI/$(pf_of "$2")/sriov_numvfs" ;;
	fault) fault "${@:2}" ;;
	no-faults) no_faults ;;
	port)
		event "$(pf_of "$2")" "link_$3"
		PORT=$2
		;;
	begun) begun "$2" "$3" ;;
	kill-engine)
		engines_die
		engines_return
		;;
	lose-journal)
		engines_die
		rm -rf $ROOT/var/lib/vfkeeper/journal
		engines_return
		;;
	reboot) reboot_node ;;
	release) "$VFCTL" release "${ADDR[$2]}" --force >>/tmp/vfctl 2>&1 ;;
	pass) read -r -t "$2" -u "$T_WAIT" ;;
	settle) in_time 20 "not settled" rests ;;
	until) in_time 60 "$2 is not $3" is_now "$2" "$3" ;;
	home) in_time 20 "$2 is not at home" has_link "${ADDR[$2]}" ;;
	look)
		echo look
		look
		;;
	leave)
		no_faults
		[ -z "$SQUATTER" ] || step unsquat
		[ -z "$PORT" ] || event "$(pf_of "$PORT")" link_up
		for n in "${!HOLDER[@]}"; do step let-go "$n"; done
		for n in $PODS; do
			[ ! -e /run/netns/$n ] || ip netns del $n
		done
		all_leave
		step settle
		echo end
		look
		;;
	*) echo "no such step: $1" ;;
	esac
}

# needs FILE: sets what the steps of a scenario speak of: PODS, IPAM, ENGINES
needs() {
	local line words w found=
	PODS='' IPAM='' ENGINES=service
	while read -r line; do
		[ "$line" != list: ] || break
		read -ra words <<<"${line%%#*}"
		for w in "${words[@]}"; do
			case $w in
			[a-d]) found+=$w ;;
			ipam) IPAM=yes ;;
			on-demand) ENGINES=on-demand ;;
			esac
		done
	done <"$1"
	for w in a b c d; do
		[[ $found != *$w* ]] || PODS+="$w "
	done
}
scenario_play() {
	local line words
	declare -gA HOLDER=()
	declare -ga FAULTS=() CALLS=() ASKED=()
	SQUATTER='' PORT='' PID_OF=()
	needs "$1"
	rm -f $ROOT/book.*
	for n in $PODS; do ip netns add $n; done
	take_own
	if [ $ENGINES = on-demand ]; then
		[ -z "$SVC" ] || node_stop
		SVC=
	elif [ -z "$SVC" ]; then
		node_stop
		service_start
	fi
	while read -r line; do
		[ "$line" != list: ] || break
		read -ra words <<<"${line%%#*}"
		[ ${#words[@]} = 0 ] || [ "${words[0]}" = on-demand ] || step "${words[@]}"
	done <"$1"
	step leave
}
