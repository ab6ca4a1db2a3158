#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh DIR: builds cnitool, host-local, static and convert into DIR/bin, with the machine's Go if
# it is 1.23 or newer, otherwise with that of Debian's backports, unpacked in DIR and not
# installed.  Everything it makes is in DIR; a second call does nothing.
# Says on stderr that it begins to build.
# Exit status: 0; 77 with the reason on stdout (and in DIR/why-not) if this machine cannot.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/bin"
out=$(cd "$1" && pwd)
export GOTOOLCHAIN=local GOPATH=$out/path GOCACHE=$out/cache GOFLAGS=-modcacherw \
	GO111MODULE=on GOWORK=off CGO_ENABLED=0 GOENV=off

cannot() {
	echo "$1" | tee "$out/why-not"
	exit 77
}

fits() { # GO: is it 1.23 or newer?
	local version
	version=$("$1" env GOVERSION 2>/dev/null) || return 1
	[[ $version =~ ^go1\.([0-9]+) && ${BASH_REMATCH[1]} -ge 23 ]]
}

find_go() {
	local go
	for go in "$(command -v go)" /usr/lib/go-1.*/bin/go "$out"/go/usr/lib/go-1.*/bin/go; do
		[ -x "$go" ] && fits "$go" && echo "$go" && return
	done
	return 1
}

# An apt with lists of its own: the machine's Debian mirror, and backports on it.
fetch_go() {
	local apt=$out/apt suite newest
	command -v apt-get >/dev/null || return 1
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ -n "$suite" ] || return 1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$out/go"
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
		'Component: main' | while read -r uri name; do
		[ "$name" != "$suite" ] || echo "deb $uri $suite-backports main"
	done | sort -u >"$apt/sources.list"
	[ -s "$apt/sources.list" ] || return 1
	local options=(-q -o "Dir::Etc::SourceList=$apt/sources.list"
		-o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
		-o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
	apt-get "${options[@]}" update || return 1
	newest=$(apt-cache "${options[@]}" search --names-only '^golang-1\.[0-9]+-go$' |
		cut -d' ' -f1 | sort -V | tail -n 1)
	[ -n "$newest" ] || return 1
	(cd "$apt" && apt-get "${options[@]}" download "$newest" "${newest%-go}-src") || return 1
	for deb in "$apt"/golang-*.deb; do
		dpkg-deb -x "$deb" "$out/go"
	done
}

stamp=$(cat "$here"/*/go.mod "$here"/*/go.sum "$here"/*/*.go | cksum)
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
echo "go: building cnitool, host-local, static and convert" >&2
go=$(find_go) || { fetch_go >"$out/apt.log" 2>&1 && go=$(find_go); } ||
	cannot "no Go 1.23 or newer, and none to be had from backports"

build() { # MODULE PACKAGE...
	(cd "$here/$1" && shift && "$go" build -mod=readonly -trimpath -o "$out/bin/" "$@")
}
plugins=github.com/containernetworking/plugins/plugins/ipam
if ! { build cnitool github.com/containernetworking/cni/cnitool &&
	build plugins $plugins/host-local $plugins/static && build convert .; } >"$out/build.log" 2>&1; then
	cannot "Go modules cannot be built here: $(tail -n 1 "$out/build.log")"
fi
rm -rf "$out/why-not" "$out/apt" "$out/cache" "$out/path" "$out/go"
echo "$stamp" >"$out/stamp"
