# SPDX-License-Identifier: Apache-2.0
# A private world for a test: its own network, mount and process namespaces, /run and
# /sys of its own, and a VFKEEPER_ROOT that lies in the build directory.  Whatever happens
# to the script, nothing of it outlives it: the kernel ends every process of a process
# namespace with its first one, and mounts and network namespaces go with the last user.
#
#	. "$(dirname "$0")/../netns/lib.sh"     (sourced; bash)
#	world_enter "$@"                        from here on inside
#
# From the environment (make sets them; a script run by hand looks around itself):
#	top_srcdir, top_builddir   the trees
#	VFK_GO_BIN                 cnitool, host-local, static (default $top_builddir/go/bin)
#	VFK_SLOW                   the programs are so many times slower than usual (under
#	                           valgrind): what is waited for may take so much longer, and so
#	                           may the steps that the configuration limits

set -u

lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_srcdir=$(cd "${top_srcdir:-$lib_dir/../..}" && pwd)
if [ -z "${top_builddir:-}" ]; then
	for top_builddir in "$top_srcdir/build" "$top_srcdir" "$PWD"; do
		[ -x "$top_builddir/src/vfkeeper/vfkeeper" ] && break
	done
fi
top_builddir=$(cd "$top_builddir" && pwd)
VFK_GO_BIN=${VFK_GO_BIN:-$top_builddir/go/bin}
HELPERS=${VFK_HELPERS:-$top_builddir/tests/demo}
SLOW=${VFK_SLOW:-1}
export top_srcdir top_builddir VFK_GO_BIN
test_name=$(basename "$0" .sh)

# --- results: what ./run test counts ---

n_failed=0 n_passed=0 n_skipped=0

pass() { echo "PASS: $test_name: $1"; n_passed=$((n_passed + 1)); }
fail() { echo "FAIL: $test_name: $1${2:+: $2}"; n_failed=$((n_failed + 1)); }
skip() { echo "SKIP: $test_name: $1: $2"; n_skipped=$((n_skipped + 1)); }

# check SENTENCE COMMAND...: passes if the command succeeds.
check() {
	local sentence=$1 said
	shift
	if said=$("$@" 2>&1); then
		pass "$sentence"
	else
		fail "$sentence" "$(printf '%s' "$* said: $said" | head -c 600 | tr '\n' ' ')"
		return 1
	fi
}

# is WANTED FOUND, matches PATTERN TEXT, lacks PATTERN TEXT: for check.
is() { [ "$1" = "$2" ] || { echo "wanted '$1', found '$2'"; return 1; }; }
matches() { [[ $2 =~ $1 ]] || { echo "no '$1' in '$2'"; return 1; }; }
lacks() { [[ ! $2 =~ $1 ]] || { echo "'$1' is in '$2'"; return 1; }; }

# Ends the script with the code automake wants.
finish() {
	[ "$n_failed" = 0 ] || { world_dump_logs >&2; exit 1; }
	[ "$n_passed" != 0 ] || [ "$n_skipped" = 0 ] || exit 77
	exit 0
}

skip_all() {
	echo "SKIP: $test_name: all of it: $1"
	exit 77
}

requires() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip_all "$tool is not installed"
	done
}

# --- the world ---

world_enter() {
	if [ -n "${VFK_WORLD:-}" ]; then
		world_init
		return
	fi
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	requires unshare ip nsenter mount
	unshare -n -m -p --fork --mount-proc true 2>/dev/null ||
		skip_all "no private namespaces can be made here"
	local work child status
	work=$(mktemp -d "$top_builddir/world.XXXXXX") || exit 99
	VFK_WORLD=$work unshare -n -m -p --fork --kill-child --mount-proc \
		"$BASH" "$0" "$@" </dev/null &
	child=$!
	trap 'kill -KILL "$child" 2>/dev/null' INT TERM HUP
	# A trapped signal ends a wait early: wait until the child is really gone.
	while :; do
		wait "$child"
		status=$?
		kill -0 "$child" 2>/dev/null || break
	done
	trap - INT TERM HUP
	# After a kill the last writers may still be ending.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rm -rf "$work" 2>/dev/null && break
		sleep 0.2
	done
	exit "$status"
}

world_init() {
	ROOT=/run/w # short: a socket's path has 107 bytes
	mount -t tmpfs -o mode=755 tmpfs /run &&
		mkdir -p /run/netns $ROOT &&
		mount -t sysfs sysfs /sys &&
		mount --bind "$VFK_WORLD" $ROOT &&
		mkdir -p $ROOT/run $ROOT/bin $ROOT/gobin $ROOT/tmp $ROOT/etc/vfkeeper $ROOT/var/lib &&
		mount -t tmpfs -o mode=755 tmpfs $ROOT/run || exit 99
	ip link set lo up
	world_programs
}

# Puts the programs below $ROOT, which is there.
world_programs() {
	export VFKEEPER_ROOT=$ROOT TMPDIR=$ROOT/tmp
	CNI_BIN=$ROOT/bin
	if [ -z "${WORLD_INSTALLED:-}" ]; then
		# Client and tools find the engine beside themselves.
		local program
		for program in vfkeeper vfkeeper-engine vfkeeperd vfctl vfkeeper-replay; do
			cp "$top_builddir/src/$program/$program" $ROOT/bin/ || exit 99
		done
		ln -f $ROOT/bin/vfkeeper $ROOT/bin/ib-sriov && ln -f $ROOT/bin/vfkeeper $ROOT/bin/sriov || exit 99
	fi
	VFKEEPERD=$CNI_BIN/vfkeeperd VFCTL=$CNI_BIN/vfctl REPLAY=$CNI_BIN/vfkeeper-replay
	if [ -x "$VFK_GO_BIN/host-local" ]; then
		mount --bind "$VFK_GO_BIN" $ROOT/gobin || exit 99
		has_go=yes
	else
		has_go=no
	fi
	PLUGIN_DIRS=$CNI_BIN:$ROOT/gobin:$ROOT/plugins
	mkdir -p $ROOT/plugins
	CNI_PATH=$PLUGIN_DIRS
	SVC=
	cd $ROOT || exit 99
}

world_dump_logs() {
	local log
	for log in $ROOT/*.log; do
		[ -s "$log" ] || continue
		echo "--- $(basename "$log"), last lines"
		tail -n "${VFK_LOG_LINES:-30}" "$log"
	done
}

# sim_node PFS VFS_EACH [LINE...]: describes PFs 0000:3b:00.0, 0000:3c:00.0, ...; each LINE
# goes into every PF's section.
sim_node() {
	local n_pfs=$1 n_vfs=$2 i
	shift 2
	SIM=$ROOT/etc/vfkeeper/sim.conf
	{
		printf '[sim]\nfaults = %s\n' "$ROOT/faults"
		for ((i = 0; i < n_pfs; i++)); do
			printf '\n[pf 0000:%02x:00.0]\nname = simib%d\nvfs = %d\n' \
				$((0x3b + i)) "$i" "$n_vfs"
			[ $# = 0 ] || printf '%s\n' "$@"
		done
	} >"$SIM"
	: >$ROOT/faults
}

# vf_addr PF INDEX (both from 0): the PCI address of a simulated VF.
vf_addr() { printf '0000:%02x:%02x.%d' $((0x3b + $1)) $((($2 + 1) / 8)) $((($2 + 1) % 8)); }

# slower LINE...: prints them, with the limits that this world needs (110 s is the most).
slower() {
	local line n
	for line; do
		if [ "$SLOW" != 1 ] && [[ $line =~ ^(add|step)_timeout_s\ =\ ([0-9]+)$ ]]; then
			n=$((BASH_REMATCH[2] * SLOW))
			line="${BASH_REMATCH[1]}_timeout_s = $((n > 110 ? 110 : n))"
		fi
		printf '%s\n' "$line"
	done
}

# write_config [LINE...]
write_config() {
	{
		printf '[vfkeeper]\nplugin_dirs = %s\nsim = %s\n' "$PLUGIN_DIRS" "$SIM"
		slower "$@"
	} >$ROOT/etc/vfkeeper/vfkeeper.conf
}

# faults LINE...: the simulated PFs' faults from now on; none: no faults.
faults() {
	printf '%s\n' "$@" >$ROOT/faults.new
	mv $ROOT/faults.new $ROOT/faults
}

# step_begun: the fault with "count=1" of the last 'faults' has been met: its step is under way
# for as long as the fault says.
step_begun() { grep -q 'count=0' $ROOT/faults; }

add_netns() { "$HELPERS/netns-pool" add /run/netns "$1" "$2" "$3"; }
del_netns() { "$HELPERS/netns-pool" del /run/netns "$1" "$2" "$3"; }

# --- network configurations ---

# conf DEVICE [MEMBER...]: prints one; each MEMBER is JSON text ("ipam":{...}).  VERSION and
# NETWORK may be set for it.
conf() {
	local device=$1 member
	shift
	printf '{"cniVersion":"%s","name":"%s","type":"vfkeeper"' "${VERSION:-1.1.0}" \
		"${NETWORK:-net}"
	[ -z "$device" ] || printf ',"deviceID":"%s"' "$device"
	for member in "$@"; do
		printf ',%s' "$member"
	done
	printf '}'
}

host_local() {
	printf '"ipam":{"type":"host-local","dataDir":"%s","ranges":[[{"subnet":"%s"}]]}' \
		"$ROOT/ipam" "${1:-10.64.0.0/16}"
}

static_ip() { printf '"ipam":{"type":"static","addresses":[{"address":"%s"}]}' "$1"; }

# Members that make every step of the plans necessary.
SETTINGS='"trust":"on","vlan":7,"mtu":1400'
GUID='"rdmaIsolation":true,"runtimeConfig":{"infinibandGUID":"02:00:5e:10:00:00:12:34"}'

# leases: how many addresses host-local holds.
leases() { find "$ROOT/ipam" -type f -name '[0-9]*.[0-9]*' 2>/dev/null | wc -l; }

# --- calls ---

# cni VERB CONTAINER IFNAME NETNS CONF: calls the plugin as a runtime does.  Sets RC and OUT
# (its stdout); stderr goes to $ROOT/client.log.  NETNS "-" is an empty CNI_NETNS, CONF is
# the text itself.
cni() {
	local try
	for ((try = 1; try <= CNI_TRIES; try++)); do
		cni_once "$@"
		[ "$1" = DEL ] && [[ $OUT == *'engine gave no answer within'* ]] || return 0
	done
}
# Where engines are slow a client gives up before one is there; a runtime calls DEL again.
CNI_TRIES=$((SLOW > 1 ? 10 : 1))
cni_once() {
	local netns=$4
	[ "$netns" != - ] || netns=
	OUT=$(printf '%s' "$5" | env "${CNI_ENV[@]}" CNI_COMMAND="$1" CNI_CONTAINERID="$2" \
		CNI_IFNAME="$3" CNI_NETNS="$netns" CNI_PATH="$CNI_PATH" \
		"CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=tests;K8S_POD_NAME=$2" \
		timeout -s KILL $((150 * SLOW)) "$CNI_BIN/${CNI_NAME:-vfkeeper}" 2>>$ROOT/client.log) &&
		RC=0 || RC=$? # also under "set -e"
	return 0
}
CNI_ENV=(LC_ALL=C)

add() { cni ADD "$1" "$2" "$3" "$4"; }
del() { cni DEL "$1" "$2" "$3" "$4"; }

# What is asked again and again starts no program but vfctl: in a guest each one takes a tenth
# of a second of a processor.

# first_group ERE TEXT: prints what the first group matches
first_group() { [[ $2 =~ $1 ]] && echo "${BASH_REMATCH[1]}"; }
# msg: the text of the error in OUT; "" where none is said: never ask what is not in it.
# code: the CNI error code in OUT; 0 if there is none.
code() { first_group '.*"code": *([0-9]+)' "$OUT" || echo 0; }
msg() { first_group '.*"msg": *"(([^"\\]|\\.)*)"' "${OUT//$'\n'/}" || :; }

# --- engines ---

# engine_pid: the process that holds the lock of the engine; empty if none does.
engine_pid() {
	local link
	for link in /proc/[0-9]*/fd/*; do
		if [ "$link" -ef "$ROOT/run/vfkeeper/LOCK" ]; then
			link=${link#/proc/}
			echo "${link%%/*}"
			return
		fi
	done
}

# engine_pids: all processes of all engines (this world's only, by construction).
engine_pids() {
	local exe pid
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		*/vfkeeper-engine* | */vfkeeperd*)
			pid=${exe#/proc/}
			echo "${pid%/exe}"
			;;
		esac
	done
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1 * SLOW))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 0.05
	done
}

# The VFs per state by our own account ("FREE=1016 "); vfctl gives it without an engine too.
# "" where it says nothing, which is no state that a test wants: never ask what is not in it.
states() {
	local counts count
	counts=$("$VFCTL" -o json status 2>/dev/null) || :
	counts=$(first_group '.*"vfs": *\{([^}]*)\}' "$counts") || return 0
	counts=${counts//[$' \n"']/}
	for count in ${counts//,/ }; do
		[ "${count#*:}" = 0 ] || printf '%s=%s ' "${count%:*}" "${count#*:}"
	done
}
# All N VFs are there and nothing is under way any more.
settled() {
	local now
	now=$(states)
	[[ ! $now =~ RESERVED|DETACHING|ABSENT ]] &&
		is "$1" "$(tr ' ' '\n' <<<"$now" | awk -F= '{ n += $2 } END { print n + 0 }')"
}
all_free() { is "FREE=$1 " "$(states)"; }

# vfctl answers from the journal where no engine runs: only its process counts.
service_answers() { [[ $("$VFCTL" -o json status) =~ \"pid\":\ $SVC[^0-9] ]]; }
has_engine() { [ -n "$(engine_pid)" ]; }
no_engine() { [ -z "$(engine_pids)" ]; }
is_gone() { ! kill -0 "$1"; }

service_start() {
	"$VFKEEPERD" "$@" >>$ROOT/vfkeeperd.log 2>&1 &
	SVC=$!
	wait_for 30 service_answers
}

# service_end SIGNAL: and waits until the process is gone.
service_end() {
	local status
	[ -n "$SVC" ] || return 0
	kill "-$1" "$SVC" 2>/dev/null
	wait "$SVC" 2>/dev/null && status=0 || status=$?
	SVC=
	[ "$1" != TERM ] || [ $status = 0 ] || fail "vfkeeperd ends well" "status $status"
}

# engines_end: SIGKILLs every engine process and waits for the last.
engines_end() {
	local pid
	service_end KILL
	for pid in $(engine_pids); do
		kill -KILL "$pid" 2>/dev/null
	done
	wait_for 10 no_engine || { fail "every engine ends" "$(engine_pids | xargs)"; return 1; }
}

# in_both_ways FUNCTION: runs it with the service, and again with engines on demand.  HOW says
# which in sentences.
in_both_ways() {
	HOW='with the service'
	service_start || fail "vfkeeperd starts" "no answer on the control socket"
	"$1"
	engines_end
	HOW='with an engine on demand'
	"$1"
	engines_end
}

# --- looking at the kernel, without our programs ---

# link_in NETNS IFNAME; link_home NAME
link_in() { ip -n "$(basename "$1")" -o link show dev "$2"; }
addr_in() { ip -n "$(basename "$1")" -o -4 addr show dev "$2" | grep -o 'inet [0-9./]*' | cut -d' ' -f2; }
# Every link of the home namespace with an alias, as "name alias", sorted.
links_home() {
	ip -o link show | sed -n 's/^[0-9]*: \([^:@]*\)[@:].*\\    alias \(.*\)$/\1 \2/p' | sort
}

# state_of VF: by our own account; "" if vfctl cannot tell, which no test wants.
state_of() {
	first_group '^[^}]*"state": *"([A-Z]*)"' "$("$VFCTL" -o json show "$1" 2>/dev/null)" || :
}
vf_is() { is "$1" "$(state_of "$2")"; }
# lease_states: "1 HELD 2 OWED"; "" is said by vfctl, and not where it says nothing.
lease_states() {
	local said
	said=$("$VFCTL" -o json leases 2>/dev/null) || : # 4: of a damaged journal what is whole
	[[ $said == *'"leases"'* ]] || { echo 'vfctl says nothing'; return; }
	grep -o '"state": *"[A-Z]*"' <<<"$said" | cut -d'"' -f4 | sort | uniq -c | xargs
}

# at_home VF: its link stands in the home namespace under its baseline name.  Known from a
# snapshot that sim_ready takes: the n-th VF of a PF is the n-th link of that PF there.
at_home() {
	local line
	line=$(grep -F " $(alias_of "$1")" $ROOT/links) || { echo "no link of $1 in the snapshot"; return 1; }
	links_home | grep -qxF "$line" || { echo "'$line' is not at home"; return 1; }
}
alias_of() { grep -F "$1" $ROOT/links | head -1 | cut -d' ' -f2-; }

# links_snapshot: what node_clean compares with; $ROOT/before has all that a VF has to get back.
LEAKCHECK=$top_srcdir/tests/demo/leakcheck.sh
links_snapshot() {
	links_home >$ROOT/links
	"$LEAKCHECK" snapshot $ROOT/before
}
# node_clean: every link is home as it was, and host-local holds nothing.
node_clean() {
	"$LEAKCHECK" snapshot $ROOT/now || return
	diff $ROOT/now $ROOT/before | head -5 | grep . && return 1
	is 0 "$(leases)"
}
wait_clean() { wait_for "${1:-20}" node_clean || node_clean; }

# world PFS VFS [CONFIG LINE...]: describes the node, makes its links by one engine on
# demand, snapshots them, and ends that engine.
world() {
	local n_pfs=$1 n_vfs=$2
	shift 2
	sim_node "$n_pfs" "$n_vfs" ${SIM_LINES:+"$SIM_LINES"}
	write_config "$@"
	# A client waits 8 s for an engine; a runtime calls again.
	wait_for 10 engine_answers || { fail "an engine on demand starts" "exit $RC: $OUT"; finish; }
	wait_for 20 all_links $((n_pfs * n_vfs)) # it answers before it has looked at all VFs
	links_snapshot
	[ "$(wc -l <$ROOT/links)" -ge "$((n_pfs * n_vfs))" ] ||
		{ fail "the simulated links are there" "$(wc -l <$ROOT/links) of $((n_pfs * n_vfs))"; finish; }
	engines_end
}

engine_answers() {
	cni DEL nobody net1 - "$(conf "")"
	[ "$RC" = 0 ]
}
all_links() { [ "$(links_home | wc -l)" -ge "$1" ]; }

# fake_ipam: an IPAM plugin "fake" that does what $ROOT/fake.ADD and $ROOT/fake.DEL say
# ("ok" where there is none) and writes its calls into $ROOT/fake.calls.
fake_ipam() {
	: >$ROOT/fake.calls
	mkfifo $ROOT/fake.fifo
	cat >$ROOT/plugins/fake <<'PLUGIN'
#!/bin/bash
conf=$(cat)
network=${conf#*\"name\":\"}
echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME ${network%%\"*}" >>/run/w/fake.calls
printf '%s' "$conf" >/run/w/fake.stdin.$CNI_COMMAND.$CNI_CONTAINERID
env >/run/w/fake.env.$CNI_COMMAND.$CNI_CONTAINERID
read -r what how 2>/dev/null </run/w/fake.$CNI_COMMAND
case $what in
fail) echo '{"cniVersion":"1.0.0","code":'"${how:-999}"',"msg":"no address is left"}'; exit 1 ;;
silent) exit 1 ;;
garbage) echo 'this is { no JSON'; exit 0 ;;
empty) echo '{"cniVersion":"1.0.0","ips":[]}'; exit 0 ;;
version) echo '{"cniVersion":"9.9.9","ips":[{"address":"10.9.9.9/24"}]}'; exit 0 ;;
badip) echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.999/24"}]}'; exit 0 ;;
flood) head -c 4000000 /dev/zero | tr '\0' 'x'; exit 0 ;;
crash) kill -SEGV $$ ;;
hang) # without a child: one that outlives the plugin would keep the lease's byte
	exec 8<>/run/w/fake.fifo
	read -r -t "${how:-1000}" -u 8
	;;
esac
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24","gateway":"10.9.9.1"}]}'
PLUGIN
	chmod 755 $ROOT/plugins/fake
	rm -f $ROOT/fake.ADD $ROOT/fake.DEL
}
FAKE='"ipam":{"type":"fake"}'
fake_calls() { grep -c "^$1 $2 " $ROOT/fake.calls; }

no_addresses() { is 0 "$(leases)"; }     # host-local's files
no_lease() { is "" "$(lease_states)"; } # our own account
asked() { [ "$(fake_calls "$1" "$2")" -ge "${3:-1}" ]; } # VERB CONTAINER [TIMES]

# answered CODE: the last call succeeded (0), or failed with that CNI code and one line.
answered() {
	if [ "$1" = 0 ]; then
		[ "$RC" = 0 ] || { echo "exit $RC: $OUT"; return 1; }
	else
		[ "$RC" != 0 ] && [ "$(code)" = "$1" ] || { echo "exit $RC: $OUT"; return 1; }
		case $OUT in *'"msg"'*) ;; *) echo "no msg: $OUT"; return 1 ;; esac
		case $(msg) in *'\n'*) echo "more than one line: $OUT"; return 1 ;; esac
	fi
}
