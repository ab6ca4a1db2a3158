# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# DeviceID that is not a free VF.
pod pod1
# with D, or with a deviceID that is empty
given() { if [ -z "$D" ]; then D=- conf '"deviceID":""'; else conf; fi; }
for D in - '' 0009:3b:00.1 0001:3b:1f.7 nonsense "$IB" 3b:00.1 "$(vfpci 0 | tr a-f A-F)" \
	../../../etc/passwd "$(vfpci 0) " 0000:00:00.0; do
	add "add-'$D'" < <(given)
	[ $RC != 0 ] || snap "attached-'$D'"
	del "del-'$D'" < <(given)
done
D=''
snap end
