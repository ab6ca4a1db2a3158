# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# LogLevel and logFile.
pod pod1
n=0
for x in '"logLevel":"debug"' '"logLevel":"error"' '"logLevel":"nonsense"' \
	'"logLevel":"debug","logFile":"/tmp/p.log"' '"logFile":"/nosuch/dir/p.log"' '"logFile":"/"'; do
	CID=c$((++n))
	add "add-$x" < <(conf "$x")
	del "del-$x" < <(conf "$x")
done
