# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# Input that is not a configuration.
pod pod1
d=$(vfpci 0)
call empty ADD </dev/null
for v in ADD DEL CHECK; do call "malformed-$v" $v <<<'{"cniVersion":"0.4.0","name":"net","type":'; done
call null ADD <<<'null'
call array ADD <<<'[]'
call string ADD <<<'"x"'
call empty-object ADD <<<'{}'
call trailing ADD < <(
	conf
	echo 'garbage'
)
sweep < <(conf)
call two-objects ADD < <(
	conf
	conf
)
sweep < <(conf)
call no-name ADD <<<"{\"cniVersion\":\"0.4.0\",\"type\":\"$TYPE\",\"deviceID\":\"$d\"}"
sweep < <(conf)
call bad-name ADD <<<"{\"cniVersion\":\"0.4.0\",\"name\":\"a b/c\",\"type\":\"$TYPE\",\"deviceID\":\"$d\"}"
sweep < <(conf)
call no-type ADD <<<"{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"deviceID\":\"$d\"}"
sweep < <(conf)
call other-type ADD <<<"{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"type\":\"bridge\",\"deviceID\":\"$d\"}"
sweep < <(conf)
call bom ADD < <(
	printf '\357\273\277'
	conf
)
call bad-utf8 ADD < <(conf '"x":"'$'\xff\xfe''"')
sweep < <(conf)
call duplicate-key ADD < <(conf "\"deviceID\":\"$(vfpci 1)\"")
if [ $RC = 0 ]; then
	snap which-vf
	VF=1 del cleanup < <(VF=1 conf)
fi
call big-unknown ADD < <(conf "\"x\":\"$(head -c 200000 /dev/zero | tr '\0' a)\"")
sweep < <(conf)
call deep ADD < <(conf "\"x\":$(printf '[%.0s' {1..500})$(printf ']%.0s' {1..500})")
sweep < <(conf)
