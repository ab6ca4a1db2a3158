# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kinds: ib eth
# often: service demand
# The plain life of an attachment, no IPAM.
pod pod1
snap before
add add < <(conf)
snap attached
del del < <(conf)
snap after
