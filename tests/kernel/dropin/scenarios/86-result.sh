# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth ib
# What the result says at 1.1.0 and below, with and without IPAM.
pod pod1
n=0
for CNIV in 0.2.0 0.3.1 0.4.0 1.0.0 1.1.0; do
	for IPAM in '' '{"type":"okipam"}'; do
		CID=c$((++n))
		add "add-$CNIV-${IPAM:-noipam}" < <(conf '"link_state":"enable"')
		sweep < <(conf)
	done
done
snap end
