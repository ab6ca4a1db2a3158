#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may see whom (HACKING, "Layers"): include lines, symbols, and the modules that alone
# may do a thing.
. "$(dirname "$0")/gate.sh"

libraries='event2/|netlink/|protobuf-c/|jansson\.h|ini\.h|zlib\.h|infiniband/|rdma/'
libraries="$libraries|CUnit/|seccomp\.h|systemd/"

# includes DIRECTORY OWN OUTSIDE: prints each include line of DIRECTORY that is neither ours
# and matching OWN nor outside and matching OUTSIDE ("libc": any header of no library).
includes() {
	grep -nE '^[[:space:]]*#[[:space:]]*include' $(c_files "src/$1") /dev/null |
		grep -vE '#[[:space:]]*include[[:space:]]+["<]config\.h[">]' |
		while IFS= read -r line; do
			what=${line#*include}
			case $what in
			*\"*)
				what=${what#*\"} what=${what%%\"*}
				[[ $what =~ ^($2)/ || $what =~ ^$1/ ]] || echo "$line"
				;;
			*\<*)
				what=${what#*<} what=${what%%>*}
				if [[ $what =~ ^($libraries) ]]; then
					[[ -n $3 && $what =~ ^($3) ]] || echo "$line"
				elif [ "$1" = fsm ]; then
					[[ $what =~ ^(stdbool|stddef|stdint|string|limits|inttypes)\.h$ ]] ||
						echo "$line"
				fi
				;;
			*) echo "$line" ;;
			esac
		done
}

includes base base '' | rule "base includes base and libc alone"
includes fsm base '' | rule "fsm includes base and six headers of libc alone"
includes io base 'event2/|netlink/|protobuf-c/|zlib\.h' |
	grep -vE '^src/io/codec(_ctl)?\.c:.*"proto/' |
	rule "io includes base, libevent, libnl, protobuf-c and zlib alone"
includes drivers 'base|io' 'netlink/|infiniband/|ini\.h|rdma/(rdma_netlink|ib_user_verbs|mlx5-abi)\.h' |
	rule "drivers include base, io, libnl, libibverbs and inih alone"
includes cni 'base|drivers' 'jansson\.h' | rule "cni includes base, drivers and jansson alone"
includes engine 'base|fsm|io|drivers|cni' 'jansson\.h|ini\.h' |
	grep -v '^src/engine/proto_check\.c:.*"proto/' |
	rule "engine includes our layers, jansson and inih alone"
includes vfkeeper base '' | rule "the client includes base and libc alone"
for program in vfkeeperd vfkeeper-engine; do
	includes $program 'base|engine' '' | rule "$program includes base and engine alone"
done
for program in vfctl vfkeeper-replay; do
	includes $program 'base|fsm|io|cni|engine' 'jansson\.h' |
		rule "$program includes no driver and no library but jansson"
done

# only PATTERN SENTENCE FILE...: the pattern occurs in no other file below src.
only() {
	local pattern=$1 sentence=$2
	shift 2
	grep -nE "$pattern" $(c_files) /dev/null |
		while IFS= read -r line; do
			for file; do
				[ "${line%%:*}" != "$file" ] || continue 2
			done
			echo "$line"
		done | rule "$sentence"
}

only 'include.*<event2/' "only loop and http know libevent" src/io/loop.c src/io/http.c
only '\b(nl_(connect|send|sendto|sendmsg|sendmsg|send_iovec|send_auto|send_auto_complete|send_simple|send_sync|complete_msg|recv|recvmsgs|recvmsgs_default|recvmsgs_report|wait_for_ack|pickup|pickup_keep_syserr)|nl_rtgen_request|rtnl_[a-z0-9_]+_(add|delete|change|alloc_cache)|genl_ctrl_[a-z_]+|genl_connect|genl_send_simple)[[:space:]]*\(' \
	"only nl sends and receives with libnl" src/io/nl.c src/io/nl.h
only 'include.*(pb-c\.h|protobuf-c)' "only codec sees protobuf-c" \
	$(ls src/io/codec*.[ch]) src/engine/proto_check.c
only '(->|\.)(pwrite|extend|set_aside)[[:space:]]*(\(|=)' "only journal writes to the journal's disk" \
	$(ls src/io/journal*.c src/io/journal*.h src/io/fs.c 2>/dev/null)
only '"journal\.(%u|[0-9])' "only fs knows the names of the journal files" \
	src/io/fs.c src/io/disk.h
only '\b(vf|lease|port)_step[[:space:]]*\(' "only engine and replay step a state machine" \
	$(c_files src/fsm src/engine src/vfkeeper-replay)
only 'extern const struct driver\b|&driver_[a-z]+' "only the registry knows the drivers" \
	src/drivers/registry.c $(ls src/drivers/*.h)

# An assignment to a member 'state' outside *_step() and the decoder (codec, and where
# node.c makes an object or takes it from a record).  Not meant: the copy in a record
# ("rec"), the progress of a request ("rq"), and putting back what was there before an append
# that failed.  Functions begin and end in the first column.
for file in $(c_files src/base src/fsm src/io src/drivers src/cni src/engine | grep -v '^src/io/codec'); do
	awk -v file="$file" '
		/^[a-z].*\(/ && !/;[ \t]*$/ { fn = $0; sub(/\(.*/, "", fn); sub(/.*[ *]/, "", fn) }
		/^}/ { fn = "" }
		/(->|\.)state[ \t]*(=[^=]|=$|\+=|-=|\|=|&=|\+\+|--)/ {
			if (fn ~ /_step$/ || /(rec|rq)(->|\.)state/ || /state = before(\.state)?;/)
				next
			if (file == "src/engine/node.c" && fn ~ /^(node_.*_add|replay_.*)$/)
				next
			print file ":" NR ":" $0
		}' "$file"
done | rule "a state is assigned in *_step() and in the decoder alone"

# The same with symbols, where the libraries are built: nothing calls upwards.
libs=${VFK_GATE_LIBS:-}
[ -n "$libs$VFK_GATE_ROOT" ] || libs=${top_builddir:-.}
if [ -n "$libs" ] && [ -f "$libs/libvfkbase.a" ]; then
	lib=$libs/libvfk
	defined() {
		for layer; do
			nm -A "$lib$layer.a" 2>/dev/null | awk '$(NF-1) ~ /^[TDBRC]$/ { print $NF }'
		done | sort -u
	}
	upward() { # LAYER NOT-ALLOWED...
		local layer=$1
		shift
		nm "$lib$layer.a" 2>/dev/null | awk '$1 == "U" { print $2 }' | sort -u |
			comm -12 - <(defined "$@") | sed "s/^/$layer uses /"
	}
	{
		upward base fsm io drivers cni engine
		upward fsm io drivers cni engine
		upward io fsm drivers cni engine
		upward drivers fsm cni engine
		upward cni fsm io drivers engine
	} | rule "no library calls one above it"
else
	skip_rule "no library calls one above it" "the libraries are not built here"
fi
gate_end
