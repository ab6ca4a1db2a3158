# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What prepare and guest share: where things are, what a layout means, how QEMU is called.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
CACHE=${KERNEL_CACHE:-$TOP/build/kernel}
KERNELS='6.12 6.1'

# Exit codes of guest besides those of the script in it.
E_CANNOT=77 E_WARNING=122 E_SHARE=123 E_LIMIT=124 E_DIED=125

say() { echo "guest: $*" >&2; }
die() { say "$*"; exit 1; }
cannot() { say "cannot run here: $*"; exit $E_CANNOT; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

LAYOUTS='ib eth mixed ib-large igb igb-iommu'

# Prints the words of a layout: cards of ibvfsim (with VFs that exist when the script
# starts), QEMU's igb cards, a virtual IOMMU, two NUMA nodes, memory in MiB, processors (one
# unless asked for more: all of a guest takes half as much processor time on one).
layout_words() {
	local base='cards=2 ports=1 totalvfs=16 vfs=16 class=ib igb=0 iommu=0 numa=0 mem=1024'
	base+=" smp=${KERNEL_CPUS:-1}"
	case $1 in
	ib) echo "$base" ;;
	eth) echo "$base class=eth" ;;
	mixed) echo "$base class=ib:eth numa=1" ;;
	ib-large) echo "$base cards=5 totalvfs=127 vfs=127 mem=6144" ;;
	igb) echo "$base cards=0 igb=2" ;;
	igb-iommu) echo "$base cards=0 igb=1 iommu=1" ;;
	*=*) echo "$base ${1//,/ }" ;;
	*) die "layout '$1': want one of $LAYOUTS, or words like cards=1,class=eth,vfs=4" ;;
	esac
}

# parse_layout NAME: sets a variable for each word, CARD_ARGS for the module, and SAVED
# (whether a saved state is possible: VFs of igb cannot be saved).
parse_layout() {
	local words kv k v
	words=$(layout_words "$1") || exit 1
	for kv in $words; do
		k=${kv%%=*} v=${kv#*=}
		case $k in
		cards | ports | totalvfs | vfs | igb | iommu | numa | mem | smp)
			[[ $v =~ ^[0-9]+$ ]] || die "layout: $kv: want a number"
			;;
		class) [[ $v =~ ^(ib|eth)(:(ib|eth))*$ ]] || die "layout: $kv: want ib or eth" ;;
		*) die "layout: $kv: unknown word" ;;
		esac
		printf -v "$k" %s "$v"
	done
	# shellcheck disable=SC2154
	v=${class//ib/0x020700}
	v=${v//eth/0x020000}
	# shellcheck disable=SC2154
	CARD_ARGS="cards=$cards ports=$ports totalvfs=$totalvfs class=${v//:/,}"
	# shellcheck disable=SC2154
	[ "$numa" = 0 ] || CARD_ARGS+=" node=0,1"
	SAVED=1
	# shellcheck disable=SC2154
	[ "$igb$iommu" = 00 ] || SAVED=
}

# qemu_args KERNEL CTL OUT APPEND: fills the array QEMU for the layout parsed last.  CTL: the
# directory for commands and results, OUT: what the script may write to.
qemu_args() {
	local k=$CACHE/k/$1 ctl=$2 out=$3 append=$4 machine=q35 n cmdline cpus
	QEMU=(qemu-system-x86_64 -nodefaults -display none -no-reboot)
	# shellcheck disable=SC2154
	if [ "$iommu" = 1 ]; then
		machine+=,kernel-irqchip=split
		append+=" intel_iommu=on"
		QEMU+=(-device intel-iommu,caching-mode=on)
	fi
	# shellcheck disable=SC2154
	cpus=$smp
	[ "$numa" = 0 ] || cpus+=,sockets=$smp
	# KVM is never used: it often looks present and cannot run this kernel.  Five levels of
	# page tables cost a quarter of all time in emulation, and a page cleared byte by byte
	# (ERMS) a twentieth.
	# shellcheck disable=SC2154
	QEMU+=(-M "$machine" -accel tcg,thread=multi,tb-size=512 -cpu max,la57=off,-erms,-fsrm
		-smp "$cpus" -m "$mem")
	# The clock: calibration on a busy host is wrong by factors, and the check of the
	# timer panics; so neither is done.
	cmdline="console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off nokaslr tsc=reliable
		tsc_early_khz=$(cat "$CACHE/tsc_khz") no_timer_check rcupdate.rcu_expedited=1
		random.trust_cpu=on init_on_alloc=0 apparmor=0 audit=0 t.vfs=$vfs t.igb=$igb t.iommu=$iommu"
	[ "$cards" = 0 ] || cmdline+=" t.cards=${CARD_ARGS// /@}"
	QEMU+=(-kernel "$k/vmlinux" -initrd "$k/initrd.zst"
		-append "$(echo "$cmdline" "$append" | tr -s '\n\t ' ' ')"
		-device isa-debug-exit,iobase=0x501,iosize=1
		-serial "file:$ctl/serial" -serial "pipe:$ctl/go" -monitor "pipe:$ctl/mon")
	# Always these three, mounted after the restore: a mounted 9p cannot be saved.
	QEMU+=(-fsdev "local,id=ctl,path=$ctl,security_model=none,multidevs=remap"
		-device virtio-9p-pci,fsdev=ctl,mount_tag=ctl
		-fsdev "local,id=root,path=/,security_model=none,multidevs=remap,readonly=on"
		-device virtio-9p-pci,fsdev=root,mount_tag=root
		-fsdev "local,id=out,path=$out,security_model=none,multidevs=remap"
		-device virtio-9p-pci,fsdev=out,mount_tag=out)
	if [ "$numa" = 1 ]; then
		for n in 0 1; do
			QEMU+=(-object "memory-backend-ram,id=m$n,size=$((mem / 2))M"
				-numa "node,nodeid=$n,memdev=m$n$([ "$n" -ge "$smp" ] || echo ",cpus=$n")")
		done
	fi
	for ((n = 0; n < igb; n++)); do
		QEMU+=(-device "pcie-root-port,id=rp$n,chassis=$((n + 1)),slot=$((n + 1)),addr=$((4 + n / 8)).$((n % 8)),multifunction=on"
			-netdev "hubport,id=h$n,hubid=0"
			-device "igb,bus=rp$n,netdev=h$n,mac=52:54:00:12:00:$(printf %02x "$n")")
	done
}

# Makes a control directory and prints its name.
new_ctl() {
	local d
	mkdir -p "$CACHE/run" && d=$(mktemp -d "$CACHE/run/g.XXXXXX") || return
	mkfifo "$d"/{go,mon}.{in,out} && mkdir "$d"/{files,out} && echo "$d"
}

# Prints the name of the saved state for KERNEL and the layout parsed last.  Everything that
# ties a state to its making is in the name: QEMU, the initramfs, the command line.
state_file() {
	local key
	qemu_args "$1" CTL OUT t.snap=1
	key=$( (qemu-system-x86_64 --version && cat "$CACHE/k/$1/initrd.sum" && echo "${QEMU[*]}") | sha256sum)
	echo "$CACHE/state/$1-$2-${key:0:12}"
}
