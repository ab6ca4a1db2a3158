# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the scripts in the guest.  A suite defines functions and runs them:
#	t_case "NAME" FUNCTION		PASS: or FAIL: with what the function printed; not where
#					T_ONLY is a pattern that does not match, and LEFT: where
#					T_TURN="K N" leaves it to another kernel: of N cases in
#					a row the Kth (from 0) is done
#	T_ALONE=1			the cases that follow are for this kernel only; T_ALONE=
#					for each again
#	t_skip "NAME" REASON
#	t_end				exit code
# A function fails at its first failing command.
T_FAILED=0 T_NUMBER=0
exec {T_WAIT}<> <(:)
PCI=/sys/bus/pci/devices
DBG=/sys/kernel/debug/ibvfsim
DRV=/sys/bus/pci/drivers/mlx5_core
PARAM=/sys/module/ibvfsim_driver/parameters
IB=0001:3b:00.0 # the PF of the first card

t_case() {
	[[ $1 =~ ${T_ONLY-} ]] || return 0
	if [ -n "${T_TURN-}" ] && [ -z "${T_ALONE-}" ]; then
		T_NUMBER=$((T_NUMBER + 1))
		if [ $((T_NUMBER % ${T_TURN#* })) != "${T_TURN% *}" ]; then
			echo "LEFT: $1"
			return
		fi
	fi
	(
		set -eE
		trap 'echo "line $LINENO: $BASH_COMMAND"' ERR
		"$2"
	) >/tmp/t.log 2>&1
	if [ $? = 0 ]; then
		echo "PASS: $1"
	else
		echo "FAIL: $1"
		sed 's/^/	/' /tmp/t.log
		T_FAILED=1
	fi
}

t_skip() { echo "SKIP: $1: $2"; }
t_end() { exit $T_FAILED; }

# want GOT EXPECTED
want() {
	[ "$1" = "$2" ] || {
		echo "got '$1', want '$2'"
		return 1
	}
}

# fails WORDS COMMAND...: the command fails and says WORDS
fails() {
	local words=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "succeeded: $*"
		return 1
	fi
	[[ $said == *"$words"* ]] || {
		echo "said '$said', want '$words'"
		return 1
	}
}

# write VALUE FILE, for use with fails
write() { echo "$1" >"$2"; }

# within SECONDS COMMAND...: the command succeeds in time (guest seconds)
within() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "not in time: $*"
			return 1
		}
		read -r -t 0.05 -u $T_WAIT || continue # nothing ever comes: it waits
	done
}

# lines PATTERN: how many of the lines read have it
lines() { awk -v p="$1" '$0 ~ p { n++ } END { print n + 0 }'; }
not() { ! "$@"; }
ms() {
	local t
	read -r t _ </proc/uptime
	echo $((10#${t/./} * 10))
}

# VF number N of PF: its PCI address, link, RDMA device.  Without other programs: starting one
# takes 30 ms and more in a guest.
vf() {
	cd -P "$PCI/$1/virtfn$2" && echo "${PWD##*/}"
}
first_of() {
	local f
	for f in "$1"/*; do
		[ ! -e "$f" ] || echo "${f##*/}"
		return 0
	done
}
link_of() { first_of "$PCI/$1/net"; }
rdma_of() { first_of "$PCI/$1/infiniband"; }
uverbs_of() { first_of "$PCI/$1/infiniband_verbs"; }
there() { [ -e "$1" ]; }
driver_of() {
	local d=none
	[ ! -e "$PCI/$1/driver" ] || d=$(cd -P "$PCI/$1/driver" && echo "${PWD##*/}")
	echo "$d"
}
has_link() { there "$PCI/$1/net/"*; }
has_rdma() { there "$PCI/$1/infiniband/"*; }
rebind() {
	echo "$1" >"$DRV/unbind"
	echo "$1" >"$DRV/bind"
}
# guid_of LINK: the port GUID in its address
guid_of() {
	local a
	read -r a <"/sys/class/net/$1/address"
	echo "${a:36}"
}
index_of() { echo "$(<"/sys/class/net/$1/ifindex")"; }
# carrier LINK [NETNS]
carrier() { ip ${2:+-n "$2"} link show "$1" 2>/dev/null | grep -q LOWER_UP; }
# provision PF VF LAST: gives the VF a GUID that ends in LAST, and makes it so
provision() {
	local l a
	l=$(link_of "$1") a=$(vf "$1" "$2")
	ip link set "$l" vf "$2" node_guid "02:00:00:00:00:01:00:$3"
	ip link set "$l" vf "$2" port_guid "02:00:00:00:00:00:00:$3"
	rebind "$a"
}
# knob PF OP FILE VALUE
knob() { echo "$4" >"$DBG/$1/ops/$2/$3"; }
event() { echo "$2" >"$DBG/$1/event"; }
