#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 'make bench-ipam': what a lease costs with IPAM of our own and with host-local, with 0, 600 and
# 60,000 addresses held, in one run and in turns: the median ADD with it, less the median ADD
# without IPAM.  Driver and links cost nothing.  Asserts nothing about time; it fails only where
# a call failed.
#
#	BENCH_LEASES=600    calls of a median (host-local with 60,000 held: a sixtieth)
#	BENCH_HELD='0 600 60000'

. "$(dirname "$0")/../netns/lib.sh"
world_enter inside
LEASES=${BENCH_LEASES:-600} HELD=${BENCH_HELD:-0 600 60000}
PER_VF=8 # addresses of a VF that only holds
N_PFS=2 N_VFS=4064 PACE=${BENCH_CALLERS:-64}
[ $has_go = yes ] || skip_all "no host-local"
n_bad=0

say() { printf '%s\n' "$*" >&2; }
vf_no() { printf '0000:%02x:%02x.%d' $((0x3b + $1 / N_VFS * 16 + ($1 % N_VFS + 1) / 256)) \
	$((($1 % N_VFS + 1) % 256 / 8)) $((($1 % N_VFS + 1) % 8)); }

sets() { # N: that many range sets, side by side
	local i out=
	for ((i = 0; i < $1; i++)); do
		out+="${out:+,}[{\"subnet\":\"10.$((i + 1)).0.0/16\"}]"
	done
	printf '"ipam":{"type":"vfkeeper","ranges":[%s]}' "$out"
}

# configurations KIND FIRST LAST MEMBER...: $ROOT/conf/KIND.<VF>
configurations() {
	local kind=$1 first=$2 last=$3 i
	shift 3
	for ((i = first; i < last; i++)); do
		conf "$(vf_no $i)" "$@" >$ROOT/conf/$kind.$i
	done
}
list() { # VERB PREFIX KIND FIRST LAST
	local i
	for ((i = $4; i < $5; i++)); do
		echo "$1 $2$i net1 /run/netns/p1 $ROOT/conf/$3.$i"
	done
}

# calls FILE STORM-ARGUMENTS: microseconds of each call, appended.
calls() {
	local out=$1 said
	shift
	said=$("$HELPERS/storm" -b "$CNI_BIN/vfkeeper" -p "$CNI_PATH" -r $ROOT/tsv "$@") ||
		{ say "bench: storm failed"; exit 1; }
	cut -d' ' -f5 $ROOT/tsv >>"$out"
	case $said in
	*' failed=0 '*) ;;
	*) say "bench: $said: $*"; n_bad=$((n_bad + 1)) ;;
	esac
}
median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# Fills host-local's directory as if it had given that many addresses.
prefill() { # HELD
	rm -rf $ROOT/ipam
	mkdir -p $ROOT/ipam/net
	awk -v n="$1" -v dir="$ROOT/ipam/net" 'BEGIN {
		for (i = 0; i < n; i++) {
			file = dir "/10.64." int((i + 2) / 256) "." (i + 2) % 256
			printf "held%d\r\nnet1", i >file
			close(file)
		}
		if (n) {
			printf "10.64.%d.%d", int((n + 1) / 256), (n + 1) % 256 >(dir "/last_reserved_ip.0")
		}
	}'
}

# one KIND TURN LEASES: a tenth of the ADDs one at a time, then their DELs, with what KIND's
# configuration asks.
one() {
	local from=$((first + $2 * $3 / 10)) to=$((first + ($2 + 1) * $3 / 10))
	list ADD "$1-" "$1" $from $to >$ROOT/list
	calls "$ROOT/s.add.$1" $ROOT/list
	list DEL "$1-" "$1" $from $to >$ROOT/list
	calls "$ROOT/s.del.$1" $ROOT/list
}

level() { # HELD
	local n_vfs=$(($1 / PER_VF)) hl=$LEASES verb kind cost turn
	say "  $1 addresses held"
	[ "$n_vfs" -le "$n_held" ] || {
		list ADD hold- hold "$n_held" "$n_vfs" >$ROOT/list
		calls /dev/null -k "$PACE" $ROOT/list
		n_held=$n_vfs
	}
	[ "$1" -lt 10000 ] || hl=$((LEASES / 60))
	prefill "$1"
	rm -f $ROOT/s.*
	for turn in 0 1 2 3 4 5 6 7 8 9; do
		one none $turn "$LEASES"
		one own $turn "$LEASES"
		one host $turn "$hl"
	done
	for verb in add del; do
		cost=
		for kind in none own host; do
			cost+=" $(median "$ROOT/s.$verb.$kind")"
		done
		awk -v held="$1" -v verb=$verb -v c="$cost" 'BEGIN {
			split(c, us, " ")
			printf "    %-4s %6d %10.3f %10.3f %10.3f %10.3f %10.3f\n", toupper(verb), held,
				us[1] / 1000, us[2] / 1000, us[3] / 1000,
				(us[2] - us[1]) / 1000, (us[3] - us[1]) / 1000
		}' >>$ROOT/table
	done
}

all=$((N_PFS * N_VFS)) n_held=0
first=$((all - LEASES))
mkdir -p $ROOT/conf
add_netns p 1 1 || exit 1
SIM=$ROOT/etc/vfkeeper/sim.conf
: >$ROOT/faults
{
	printf '[sim]\nfaults = %s\n' $ROOT/faults
	for ((i = 0; i < N_PFS; i++)); do
		printf '[pf 0000:%02x:00.0]\nname = simib%d\nvfs = %d\nlinks = no\n' \
			$((0x3b + i * 16)) "$i" $N_VFS
	done
} >"$SIM"
write_config
configurations hold 0 $first "$(sets $PER_VF)"
configurations none $first $all
configurations own $first $all "$(sets 1)"
configurations host $first $all "$(host_local 10.64.0.0/16)"
service_start >/dev/null || { say "the service does not answer"; world_dump_logs >&2; exit 1; }
wait_for 60 all_free $all || { say "not all VFs are there: $(states)"; exit 1; }
for held in $HELD; do
	level "$held"
done
engines_end >/dev/null
printf '    %-4s %6s %10s %10s %10s %10s %10s\n' 'call' 'held' 'no IPAM' 'own' 'host-local' \
	'own lease' 'its lease'
cat $ROOT/table
printf '    (ms, medians of %d calls, of a sixtieth for host-local and 60,000; %d VFs; %s x %s, Linux %s; %s)\n' "$LEASES" "$all" \
	"$(nproc)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr -s ' ')" \
	"$(uname -r | cut -d- -f1)" "$(date -u +%F)"
[ "$n_bad" = 0 ] || { world_dump_logs >&2; exit 1; }
