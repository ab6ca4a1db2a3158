# SPDX-License-Identifier: Apache-2.0
# What the scripts here share: the programs as 'make install DESTDIR=' puts them (sourced, after
# world_enter).

unset MAKEFLAGS MFLAGS MAKELEVEL
"${MAKE:-make}" -C "$top_builddir" -s install "DESTDIR=$ROOT/dest" >$ROOT/install.log 2>&1 || {
	fail "make install DESTDIR= works" "$(tail -n 3 $ROOT/install.log)"
	finish
}
# A find in $ROOT/dest, since cnibindir and sbindir are the configuration's choice.
installed() { find $ROOT/dest -name "$1" \( -type f -o -type l \) | head -n 1; }
CNI_BIN=$(dirname "$(installed vfkeeper-engine)")
sbin=$(dirname "$(installed vfkeeperd)")
VFKEEPERD=$sbin/vfkeeperd VFCTL=$sbin/vfctl REPLAY=$sbin/vfkeeper-replay
PLUGIN_DIRS=$CNI_BIN:$ROOT/gobin:$ROOT/plugins
CNI_PATH=$PLUGIN_DIRS
