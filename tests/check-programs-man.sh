#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The pages of the programs and of HTTP against programs and sources: options, exit codes, paths,
# variables, protocol fields, metrics.  (Keys of the configuration: test_config; vfctl's commands:
# check-vfctl-man; state machines: check-fsm-man.)
. "$(dirname "$0")/gate.sh"

build=${top_builddir:-.}
programs='vfkeeper vfkeeperd vfkeeper-engine vfkeeper-replay vfctl'
program() { echo "$build/src/$1/$1"; }
# section PAGE NAME: its lines.
section() { awk -v name="$2" '/^\.Sh / { inside = ($0 == ".Sh " name) } inside' "$1"; }

# --- options ---

# All options that a program's source knows, as "-d" and "--debug".
known() {
	grep -ohE '\{ "[a-z-]+", (no|required)_argument, [^}]*\}' "src/$1/main.c" |
		sed -E 's/\{ "([a-z-]+)".*/--\1/'
	sed -nE 's/.*getopt_long\(argc, argv, "([^"]*)".*/\1/p' "src/$1/main.c" | tr -d ':+' |
		sed 's/./-&\n/g'
	# The client has no getopt.
	[ "$1" != vfkeeper ] || grep -ohE '"--[a-z]+"' src/vfkeeper/*.c | tr -d '"'
}
# All options that its page explains: ".It Fl d , Fl -debug Ar x".
explained() {
	grep -h '^\.It Fl ' "man/$1.8" | sed -E 's/^\.It //; s/ (Ar|Cm) [^,]*//g' |
		tr ',|' '\n\n' | sed -nE 's/^ *(Fl )?-?([A-Za-z-]+) *$/\2/p' |
		awk '{ sub(/^-/, ""); print (length($0) == 1 ? "-" : "--") $0 }'
	# Those of a command: ".It Ic fsm Op Fl -dot".
	grep -h '^\.It Ic ' "man/$1.8" | grep -oE 'Fl [a-z-]+' | sed 's/Fl /-/'
}
for p in $programs; do
	[ -n "$(known "$p")" ] || echo "src/$p/main.c: no option could be read"
	comm -3 <(known "$p" | grep -v '^$' | sort -u) <(explained "$p" | sort -u) |
		sed "s|^\t\(.*\)|man/$p.8: \1 does not exist|; t; s|^|man/$p.8: does not explain |"
done | rule "the pages have every option of their programs, and no other"

# --- exit codes ---

for p in $programs; do
	for code in $(section "man/$p.8" 'EXIT STATUS' | sed -nE 's/^\.It ([0-9]+)$/\1/p'); do
		grep -qE "^[[:space:]]*X\(VFK_E_[A-Z]+, [0-9]+, \"[^\"]*\", $code, |return $code;|exit\($code\)|\? $code :" \
			src/base/err.h "src/$p/main.c" || [ "$code" = 0 ] ||
			echo "man/$p.8: nothing ends with $code"
	done
	for code in 0 1 2; do
		section "man/$p.8" 'EXIT STATUS' | grep -qx "\\.It $code" ||
			echo "man/$p.8: no exit status $code"
	done
done | rule "the exit codes of the pages exist, and those of every program are there"

if [ -x "$(program vfkeeperd)" ]; then
	for p in $programs; do
		CNI_COMMAND='' timeout 20 "$(program $p)" --help </dev/null >/dev/null 2>&1
		[ $? = 0 ] || echo "$p --help: not 0"
		CNI_COMMAND='' timeout 20 "$(program $p)" --no-such-option </dev/null >/dev/null 2>&1
		[ $? = 2 ] || echo "$p --no-such-option: not 2"
	done | rule "every program ends with 0 after help and with 2 after nonsense"
	for p in vfkeeperd vfkeeper-engine; do
		VFKEEPER_ROOT=relative timeout 20 "$(program $p)" >/dev/null 2>&1
		[ $? = 1 ] || echo "$p, with a root that is none: not 1"
	done | rule "an engine that cannot start ends with 1"
else
	skip_rule "every program ends with 0 after help and with 2 after nonsense" "it is not built"
	skip_rule "an engine that cannot start ends with 1" "it is not built"
fi

# --- paths and variables ---

paths=$(sed -nE 's/^\t\[PATH_[A-Z_]+\] = "([^"]+)",/\1/p' src/base/paths.c)
{
	[ "$(wc -l <<<"$paths")" -gt 10 ] || echo "src/base/paths.c: only these paths: $paths"
	for path in $paths; do
		grep -qE "^\\.(It )?Pa (.* , )?$path/?( |\$)" man/vfkeeperd.8 man/vfkeeper.8 ||
			{ [ "$path" = /var/lib/vfkeeper ] || [ "$path" = /run/vfkeeper ]; } ||
			grep -q "\\.Pa $path\\b" man/*.[578] || echo "no page explains $path"
	done
	grep -noE '(/run|/var/lib|/etc)/vfkeeper[a-zA-Z0-9./-]*' man/*.[1-8] |
		while IFS=: read -r page line path; do
			path=${path%[/.]}
			grep -qxF -- "$path" <<<"$paths" ||
				{ [[ $path == /var/lib/vfkeeper/spool/* ]] || [[ $path == /var/lib/vfkeeper/journal/* ]]; } ||
				[ "$path" = /etc/vfkeeper ] ||
				grep -rqF "/$(basename "$path")\"" src || echo "$page:$line: $path does not exist"
		done
} | rule "the pages have every path of the programs, and no other"

{
	variables=$(grep -rhoE 'getenv\("[A-Z_]+"\)' src | sed 's/.*"\(.*\)".*/\1/' | sort -u)
	for v in $variables; do
		grep -qE "^\\.(It )?Ev (.* , )?$v\\b" man/*.[1-8] || echo "no page explains $v"
	done
	grep -hoE '^\.(It )?Ev .*' man/*.[1-8] | grep -oE 'VFKEEPER_[A-Z_]+' | sort -u | while read -r v; do
		grep -qx "$v" <<<"$variables" || grep -rqw "$v" src/io ||
			echo "the pages name $v, which nothing reads"
	done
} | rule "the pages have every variable of the environment, and no other"

# --- control.sock ---

awk '/^message / { m = $2 } /=/ && m { n = $(NF > 3 && $1 == "repeated" ? 3 : 2)
		gsub(/;.*/, ""); print m, n, $NF }' <(sed 's|//.*||' proto/control.proto) |
	while read -r message name number; do
		awk -v s=".Ss $message" '/^\.S[sh] / { inside = ($0 == s) } inside' man/vfkeeper-control.7 |
			grep -q "^\\.It Va $name No ($number," ||
			echo "man/vfkeeper-control.7: $message has no $name with number $number"
	done | rule "vfkeeper-control(7) has every field of control.proto"
sed -n '/^#define CTL_CMDS/,/^$/p' src/engine/ctl_cmds.h | tr -d '\n\\' | sed 's/X(/\nX(/g' |
	grep CTL_INTERNAL | sed -nE 's/^X\([A-Z_]+, "([a-z-]+)".*/\1/p' | while read -r c; do
	grep -qx "\\.It Cm $c" man/vfkeeper-control.7 || echo "man/vfkeeper-control.7: no $c"
done | rule "vfkeeper-control(7) has every command between programs"

# --- HTTP ---

page=man/vfkeeper-http.7
listed=$(sed -n '/^#define METRICS/,/^$/p' src/engine/metrics.h | tr -d '\n\\' | sed 's/X(/\nX(/g' |
	sed -nE 's/^X\([A-Z_]+, "([a-z_]+)",[[:space:]]*"([a-z]+)",[[:space:]]*"([^"]*)".*/\1 \2 \3/p')
{
	[ "$(wc -l <<<"$listed")" -gt 25 ] || echo "src/engine/metrics.h: only these: $listed"
	comm -3 <(sort <<<"$listed") <(awk '/^\.It Va / { name = $3; getline
			type = $2; getline; print name, type, $0 }' "$page" | sort) |
		sed 's|^\t|only in the page: |; t; s|^|not in the page: |'
} | rule "vfkeeper-http(7) has every metric with its type and text, and no other"
{
	served=$(grep -oE 'strcmp\(path, "[^"]+"\)' src/engine/web.c | sed 's/.*"\(.*\)".*/\1/' | sort)
	comm -3 <(echo "$served") <(awk '/^\.Ss Paths/, /^\.Ss Bounds/' "$page" |
		sed -n 's/^\.It Pa //p' | sort) | sed 's|^|in web.c or in the page alone: |'
} | rule "vfkeeper-http(7) has every path that is served, and no other"
for name in CONNS_MAX STREAMS_MAX HEADERS_MAX; do
	value=$(sed -nE "s/^#define HTTP_$name ([0-9]+).*/\\1/p" src/io/http.h)
	awk '/^\.Ss Bounds/, /^\.Ss Metrics/' "$page" | grep -qw -- "${value:-none}" ||
		echo "$page: HTTP_$name is $value"
done | rule "vfkeeper-http(7) has the bounds of the server"
gate_end
