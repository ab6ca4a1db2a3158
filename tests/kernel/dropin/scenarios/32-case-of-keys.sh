# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Keys in another case, keys that look like others.
pod pod1
d=$(vfpci 0)
add DEVICEID < <(D=- conf "\"DEVICEID\":\"$d\"")
snap attached
del del < <(conf)
add deviceid < <(D=- conf "\"deviceid\":\"$d\"")
del del-2 < <(conf)
add pciBusID-only < <(D=- conf "\"pciBusID\":\"$d\"")
del del-3 < <(conf)
add both-differ < <(conf "\"pciBusID\":\"$(vfpci 1)\"")
snap both-differ
del del-4 < <(conf)
case $KIND in
ib) x='"LINK_STATE":"enable","RuntimeConfig":{"InfinibandGuid":"02:00:00:00:00:00:bb:14"}' ;;
eth) x='"VLAN":114,"Trust":"on","RUNTIMECONFIG":{"MAC":"02:aa:aa:aa:aa:14"}' ;;
esac
add upper-keys < <(conf "$x")
snap upper-attached
del del-5 < <(conf "$x")
snap end
add runtime-deviceID < <(D=- conf "\"runtimeConfig\":{\"deviceID\":\"$d\"}")
del del-6 < <(conf)
