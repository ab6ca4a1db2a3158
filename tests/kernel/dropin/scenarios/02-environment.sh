# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Missing and bad environment.
pod pod1
UNSET=CNI_COMMAND call no-command ADD < <(conf)
call bad-command FROB < <(conf)
call lower-command add < <(conf)
for v in CNI_CONTAINERID CNI_IFNAME CNI_NETNS CNI_PATH; do
	UNSET=$v call "add-no-$v" ADD < <(conf)
	sweep < <(conf)
done
for v in CNI_CONTAINERID CNI_IFNAME CNI_PATH; do UNSET=$v call "del-no-$v" DEL < <(conf); done
CID='bad id!' call add-bad-cid ADD < <(conf)
CID=../../../tmp/x call add-cid-path ADD < <(conf)
CID=$(printf 'a%.0s' {1..300}) call add-cid-300 ADD < <(conf)
[ $RC = 0 ] && CID=$(printf 'a%.0s' {1..300}) call cleanup DEL < <(conf)
call add-bad-args ADD 'CNI_ARGS=no-equals-sign' < <(conf)
sweep < <(conf)
call add-unknown-args ADD 'CNI_ARGS=FOO=bar;BAZ=1' < <(conf)
sweep < <(conf)
k8s='IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=p;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u'
call add-k8s-args ADD "CNI_ARGS=$k8s" < <(conf)
sweep < <(conf)
NETNS=/run/netns/none call add-netns-missing ADD < <(conf)
NETNS=/etc/hostname call add-netns-plain-file ADD < <(conf)
NETNS=/proc/self/ns/net call add-netns-is-host ADD < <(conf)
snap after-host-netns
