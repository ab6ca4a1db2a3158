# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# Spoofchk and trust.
pod pod1
n=0
for k in spoofchk trust; do
	for v in on off On ON yes true garbage ''; do
		CID=c$((++n))
		add "add-$k=$v" < <(conf "\"$k\":\"$v\"")
		snap "attached-$k=$v"
		del "del-$k=$v" < <(conf)
	done
done
snap end
