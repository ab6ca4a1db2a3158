# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# VERSION with different inputs.
call empty VERSION </dev/null
call v1.0.0 VERSION <<<'{"cniVersion":"1.0.0"}'
call v9 VERSION <<<'{"cniVersion":"9.9.9"}'
call garbage VERSION <<<'{{{'
UNSET='CNI_CONTAINERID CNI_NETNS CNI_IFNAME CNI_PATH' call no-env VERSION <<<'{"cniVersion":"0.4.0"}'
