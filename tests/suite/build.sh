#!/bin/sh
# SPDX-License-Identifier: ISC
# build.sh gcc|clang - builds everything, the test programs too, in $EMSG_WORK/gcc or
# $EMSG_WORK/clang. Warnings are errors. The clang build carries ASan and UBSan.
set -u

kind=$1
dir=$EMSG_WORK/$kind
case "$kind" in
gcc) set -- --enable-werror CC=gcc "CFLAGS=-O2 -g" ;;
clang) set -- --enable-werror --enable-sanitizers CC=clang "CFLAGS=-O1 -g" ;;
*) exit 2 ;;
esac

mkdir -p "$dir" && cd "$dir" || exit 1
if [ ! -f Makefile ]; then
	"$EMSG_SRC/configure" "$@" || exit 1
fi
# With no test named, "make check" builds all that the tests need and runs none.
make -j"$EMSG_JOBS" && make -j"$EMSG_JOBS" check TESTS= || exit 1
echo "ok build with $kind without a warning"
