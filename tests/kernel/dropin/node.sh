# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the scenarios, in the guest: they call the plugin as a runtime does and look at the kernel
# and the disk between the calls.  Nothing in a scenario knows whose plugin it is.
#	KIND	ib | eth: the card, and the name that the plugin is called by
#	WAY	service | demand
# Every call and every look is a step with files $W/NUMBER.*; compare.py reads them.
shopt -s nullglob
W=/tmp/w IPAMDIR=/tmp/ipam
DEBUG=$DBG/$IB/ops
PFDIR=$PCI/$IB
PF=$(link_of $IB)
NVF=4
case $KIND in
ib) TYPE=ib-sriov OPS='node_guid port_guid state' ;;
eth) TYPE=sriov OPS='mac vlan rate spoofchk trust state' ;;
esac
PLUGIN=$ROOT/bin/$TYPE
cat >$ROOT/etc/vfkeeper/vfkeeper.conf <<CONF
[vfkeeper]
plugin_dirs = $IPAMDIR
CONF

# --- devices ---

vfpci() { vf $IB "$1" 2>/dev/null; }
vfname() { (cd -P "$PFDIR/virtfn$1/net" 2>/dev/null && echo *); }
hostguid() { echo "02:00:00:00:00:00:aa:0$1"; } # of a VF that no pod had yet
hostmac() { echo "02:11:22:33:44:0$1"; }
# card FILE VALUE: for every command of the card; probe FILE VALUE: for the probe of a VF
card() {
	local op
	for op in $OPS; do echo "$2" >"$DEBUG/$op/$1"; done
}
probe() { echo "$2" >"$DEBUG/probe/$1"; }
# The first command of the card that an ADD needs fails.
card_fails() { echo "$1" >"$DEBUG/${OPS%% *}/fail"; }
begun() { # how many commands
	local op n=0
	for op in $OPS; do n=$((n + $(<"$DEBUG/$op/count"))); done
	echo $n
}

# reset_node [VFS]: a node as after its boot: no engine, no namespace, no file, fresh VFs with
# known GUIDs or MACs.
reset_node() {
	local i f n=${1:-$NVF}
	node_stop
	for f in /run/netns/*; do ip netns del "${f##*/}" 2>/dev/null || rm -f "$f"; done
	rm -rf /var/lib/cni/* /run/cni $ROOT/run/* $ROOT/var/lib/* "$W" /tmp/ipam.log /tmp/ipam.hang
	mkdir -p "$W"
	for f in $(ip -br link show type dummy | cut -d' ' -f1); do ip link del "$f"; done
	card delay_ms 0
	card fail 0
	card ignore 0
	card errno 0
	probe delay_ms 0
	probe fail 0
	ip link set "$PF" up
	fresh_vfs "$n"
	CID=c1 IFN=net1 NETNS=/run/netns/pod1 CNIV=0.4.0 VF=0 D='' STEP=0 TRIES=0 RC=0 S='' UNSET='' PODS='' EXCL=''
	SNAPVFS=2 IPAM='' SETTLE='' KILL_IF='' KILL_WHEN='' KILL_AFTER='' SIG=KILL
	[ "$WAY" != service ] || service_start
}
# The card keeps what it was told beyond the life of a VF: told anew, then the VFs are made again.
fresh_vfs() {
	local i
	echo 0 >"$PFDIR/sriov_numvfs"
	within 20 rdma system set netns shared
	echo 0 >"$PFDIR/sriov_drivers_autoprobe"
	echo "$1" >"$PFDIR/sriov_numvfs"
	for ((i = 0; i < $1; i++)); do
		if [ $KIND = ib ]; then
			printf "link set $PF vf $i %s\n" "node_guid $(hostguid $((i % 10)))" \
				"port_guid $(hostguid $((i % 10)))" "state auto"
		else
			printf "link set $PF vf $i %s\n" "mac 00:00:00:00:00:00" "vlan 0" "spoofchk on" \
				"trust off" "max_tx_rate 0 min_tx_rate 0" "state auto"
		fi
	done | ip -force -batch - >/dev/null
	echo 1 >"$PFDIR/sriov_drivers_autoprobe"
	for ((i = 0; i < $1; i++)); do vfpci $i >$DRV/bind; done
	[ $KIND = ib ] || for ((i = 0; i < $1; i++)); do
		echo "link set $(vfname $i) address $(hostmac $((i % 10)))"
	done | ip -batch -
}
# again: a clean node in the middle of a scenario
again() {
	local s=$STEP
	W=/tmp/w.x reset_node
	STEP=$s
}
# An engine looks at all VFs when it starts, and then every half a minute.
look_anew() {
	node_stop
	[ "$WAY" != service ] || service_start
}
exclusive() {
	rdma system set netns exclusive
	EXCL=1
}
pod() {
	local p
	for p; do
		ip netns add "$p"
		ip -n "$p" link set lo up
		PODS+=" $p"
	done
}

# --- calls ---

# conf [MEMBERS]: a configuration for VF number $VF (D: another deviceID, "-" none; IPAM: JSON)
conf() {
	local d=${D:-$(vfpci "$VF")}
	printf '{"cniVersion":"%s","name":"net","type":"%s"' "$CNIV" $TYPE
	[ "$d" = - ] || printf ',"deviceID":"%s"' "$d"
	[ -z "$IPAM" ] || printf ',"ipam":%s' "$IPAM"
	[ -z "${1:-}" ] || printf ',%s' "$1"
	printf '}\n'
}

new_step() {
	STEP=$((STEP + 1))
	printf -v S %s/%03d "$W" $STEP
	echo "$1" >"$S.label"
}
plugin() { # with E as its environment, and nothing else of ours but the root of the engine
	local a
	for a in $(compgen -e); do export -n "$a"; done
	export PATH VFKEEPER_ROOT
	for a in "${!E[@]}"; do export "$a=${E[$a]}"; done
	exec "$PLUGIN" >"$S.stdout" 2>"$S.stderr"
}

# call LABEL VERB [VARIABLE=VALUE...]: the plugin, with what is read as its input; RC is its
# exit code.  UNSET: variables left out.  KILL_AFTER (seconds), KILL_WHEN (a file is there) or
# KILL_IF (a condition): then signal SIG.
call() {
	local a
	local -A E=([CNI_COMMAND]=$2 [CNI_CONTAINERID]=$CID [CNI_NETNS]=$NETNS [CNI_IFNAME]=$IFN
		[CNI_PATH]=$IPAMDIR)
	new_step "$1"
	shift 2
	for a; do E[${a%%=*}]=${a#*=}; done
	for a in $UNSET; do unset "E[$a]"; done
	if [ -n "$KILL_AFTER$KILL_WHEN$KILL_IF" ]; then
		(plugin) <&0 &
		kill_in_time $!
		wait $! 2>/dev/null && RC=0 || RC=$?
		if [ -e /tmp/ipam.hang ]; then
			kill -KILL "$(</tmp/ipam.hang)" 2>/dev/null
			rm -f /tmp/ipam.hang
		fi
	else
		(plugin) && RC=0 || RC=$?
	fi
	echo "$RC" >"$S.rc"
}
kill_in_time() {
	local n
	if [ -n "$KILL_AFTER" ]; then
		sleep "$KILL_AFTER"
	else
		for ((n = 0; n < 1000; n++)); do
			if [ -n "$KILL_IF" ]; then
				if eval "$KILL_IF"; then break; fi
			elif [ -e "$KILL_WHEN" ]; then
				break
			fi
			kill -0 "$1" 2>/dev/null || return 0
			read -r -t 0.02 -u "$T_WAIT"
		done
	fi
	kill "-$SIG" "$1" 2>/dev/null
}
add() { call "$1" ADD "${@:2}"; }
del() { call "$1" DEL "${@:2}"; }
# try NAME MEMBERS [VARIABLE=VALUE...]: one life of VF number $VF, in a container of its own
try() {
	CID=c$((++TRIES))
	add "add-$1" "${@:3}" < <(conf "$2")
	snap "attached-$1"
	del "del-$1" "${@:3}" < <(conf "$2")
}
# next_pod CID [SUFFIX]: what the VF is like for the next one, which asks for nothing
next_pod() {
	CID=$1 NETNS=/run/netns/pod2
	add "next${2:--pod}" < <(conf)
	snap "next-attached${2-}"
	del "next-del${2-}" < <(conf)
}
# A DEL that is no step, so that one step does not meet what the one before has left.
sweep() { # with what is read as its input
	local s=$STEP r=$RC
	call sweep DEL
	rm -f "$S".*
	STEP=$s RC=$r
}

# chance COMMAND...: a step whose outcome is chance is none
chance() {
	"$@"
	rm -f "$S".*
}

# snap LABEL: what kernel and disk show now.  SETTLE: seconds to wait before; an engine that
# says it is releasing is waited for, but not for ever.
snap() {
	local i n p d
	new_step "$1"
	read -r -t "${SETTLE:-0.05}" -u "$T_WAIT"
	for ((i = 0; i < 30; i++)); do
		[[ $("$VFCTL" list 2>/dev/null) =~ RESERVED|DETACHING ]] || break
		read -r -t 0.2 -u "$T_WAIT"
	done
	ip -d -j addr >"$S.host"
	for ((i = 0; i < SNAPVFS; i++)); do
		n=$(vfname $i)
		d=$(cd -P "$PFDIR/virtfn$i/driver" 2>/dev/null && echo "${PWD##*/}")
		echo "$i ${n:--} $d"
	done >"$S.vfs"
	for p in $PODS; do
		ip -n "$p" -j addr >"$S.pod.$p" 2>/dev/null || {
			rm -f "$S.pod.$p"
			continue
		}
		[ -z "$EXCL" ] || ip netns exec "$p" ls /sys/class/infiniband >"$S.rdma.$p"
	done
	[ -z "$EXCL" ] || (cd /sys/class/infiniband && printf '%s\n' *) >"$S.rdma.host"
	(cd /var/lib/cni/networks/net 2>/dev/null && printf '%s\n' [0-9]*[.:]* fd*:*) >"$S.leases"
	[ ! -e /tmp/ipam.log ] || mv /tmp/ipam.log "$S.ipam"
}
note() {
	new_step "$1"
	echo "$2" >"$S.note"
}

# --- IPAM plugins: okipam gives 10.9.0.5/24, the others do what their names say ---

make_ipam() {
	mkdir -p $IPAMDIR
	[ $has_go = no ] || cp "$ROOT/gobin/host-local" $IPAMDIR/
	cat >$IPAMDIR/okipam <<'PLUGIN'
#!/bin/bash
c=$(</dev/stdin)
echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME ${CNI_NETNS:--}" >>/tmp/ipam.log
what=${0##*/}
[ "$CNI_COMMAND $what" != 'DEL delfailipam' ] || {
	echo '{"code":11,"msg":"ipam store away"}'
	exit 1
}
[ "$CNI_COMMAND" = ADD ] || exit 0
v=${c#*\"cniVersion\":\"}
v=${v%%\"*}
case $what in
failipam)
	echo '{"cniVersion":"0.4.0","code":11,"msg":"no free address","details":"pool full"}'
	exit 1
	;;
emptyipam)
	echo '{"cniVersion":"0.4.0","ips":[],"dns":{}}'
	exit 0
	;;
hangipam)
	echo $$ >/tmp/ipam.hang
	exec sleep 1000
	;;
esac
end='"routes":[{"dst":"10.77.0.0/16"}]'
case $v in
0.1.0 | 0.2.0) a="\"ip4\":{\"ip\":\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\",$end}" ;;
*) a="\"ips\":[{\"version\":\"4\",\"address\":\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\"}],$end" ;;
esac
echo "{\"cniVersion\":\"$v\",$a,\"dns\":{\"nameservers\":[\"10.9.0.2\"]}}"
PLUGIN
	chmod 755 $IPAMDIR/okipam
	for p in failipam emptyipam hangipam delfailipam; do ln -f $IPAMDIR/okipam $IPAMDIR/$p; done
}
