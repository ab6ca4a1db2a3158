#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo on a real kernel: tests/kernel/suites/demo-ib.sh in a guest with an InfiniBand card of
# 16 VFs; about half a minute once the guest is prepared.
set -u
kernel=$top_srcdir/tests/kernel
suite=$kernel/suites/demo-ib.sh
"$kernel/guest" --prepare --layout "$(sed -n 's/^# layout: //p' "$suite")" || exit
"$kernel/guest" --layout "$(sed -n 's/^# layout: //p' "$suite")" \
	--env "top_srcdir=/host$top_srcdir" --env "top_builddir=/host$top_builddir" \
	"$suite" "$kernel"/{t,node,ibnode}.sh
