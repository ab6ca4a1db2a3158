# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Every key with a value of the wrong type.
pod pod1
keys='cniVersion name type deviceID ipam dns capabilities runtimeConfig args link_state'
case $KIND in
ib)
	keys+=' pkey ibKubernetesEnabled rdmaIsolation vfioPciMode args.cni args.cni.guid'
	keys+=' runtimeConfig.infinibandGUID'
	;;
eth)
	keys+=' vlan vlanQoS vlanProto mac spoofchk trust min_tx_rate max_tx_rate logLevel logFile'
	keys+=' runtimeConfig.mac'
	;;
esac
with() { # KEY VALUE: a configuration with it
	local c
	case $1 in
	args.cni) conf "\"args\":{\"cni\":$2}" ;;
	args.cni.guid) conf "\"args\":{\"cni\":{\"guid\":$2}}" ;;
	runtimeConfig.*) conf "\"runtimeConfig\":{\"${1#*.}\":$2}" ;;
	deviceID) D=- conf "\"$1\":$2" ;;
	cniVersion | name | type)
		c=$(conf)
		[[ $c =~ \"$1\":\"[^\"]*\" ]]
		echo "${c/"${BASH_REMATCH[0]}"/"\"$1\":$2"}"
		;;
	*) conf "\"$1\":$2" ;;
	esac
}
for k in $keys; do
	for v in 5 true '"text"' '[]' '{}' null; do
		add "$k=$v" < <(with $k "$v")
		case $k in name) sweep < <(with $k "$v") ;; *) sweep < <(conf) ;; esac
	done
done
snap end
