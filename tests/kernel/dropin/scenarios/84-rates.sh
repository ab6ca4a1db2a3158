# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: eth
# Min_tx_rate, max_tx_rate.
pod pod1
for x in '"max_tx_rate":1000' '"min_tx_rate":100' '"min_tx_rate":100,"max_tx_rate":1000' \
	'"min_tx_rate":1000,"max_tx_rate":100' \
	'"max_tx_rate":0' '"min_tx_rate":0,"max_tx_rate":0' \
	'"max_tx_rate":-5' '"max_tx_rate":5000000000'; do
	try "$x" "$x"
	snap "after-$x"
done
