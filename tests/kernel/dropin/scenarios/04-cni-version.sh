# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# The result and the acceptance of every cniVersion, with an IPAM result.
pod pod1
IPAM='{"type":"okipam"}'
for CNIV in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0 '' 0.5.0 1.2.0 2.0.0 abc; do
	add "add-${CNIV:-empty}" < <(conf)
	r=$RC
	call "check-${CNIV:-empty}" CHECK < <(conf)
	del "del-${CNIV:-empty}" < <(conf)
	[ $r = 0 ] && [ $RC != 0 ] && { CNIV=0.4.0 call cleanup DEL < <(CNIV=0.4.0 conf); }
done
add add-absent <<<"{\"name\":\"net\",\"type\":\"$TYPE\",\"deviceID\":\"$(vfpci 0)\"}"
del del-absent <<<"{\"name\":\"net\",\"type\":\"$TYPE\",\"deviceID\":\"$(vfpci 0)\"}"
snap end
