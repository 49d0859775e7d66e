#!/bin/sh
# SPDX-License-Identifier: ISC
# fuzz.sh - every fuzz target by libFuzzer for EMSG_FUZZ_SECONDS (default 60), from its corpus on.
# What it finds goes to $EMSG_WORK/fuzz/found; a crash's input belongs into the corpus with the fix.
set -u

dir=$EMSG_WORK/fuzz
seconds=${EMSG_FUZZ_SECONDS:-60}
mkdir -p "$dir/found" && cd "$dir" || exit 1
if [ ! -f Makefile ]; then
	"$EMSG_SRC/configure" --enable-werror --enable-fuzzers CC=clang "CFLAGS=-O1 -g" || exit 1
fi
make Makefile && targets=$(make -s list-fuzz) || exit 1
[ -n "$targets" ] || exit 1
# shellcheck disable=SC2086 # one argument per target
make -j"$EMSG_JOBS" $targets || exit 1

status=0
for target in $targets; do
	corpus=$(awk -v t="$target" '$1 == t { print $2 }' "$EMSG_SRC/tests/fuzz/targets.list")
	[ -n "$corpus" ] || {
		echo "not ok $target: not in tests/fuzz/targets.list"
		status=1
		continue
	}
	mkdir -p "found/$target"
	if "./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$dir/found/$target-" "found/$target" "$EMSG_SRC/$corpus"; then
		echo "ok $target: $seconds s"
	else
		echo "not ok $target: see $dir/found"
		status=1
	fi
done
exit "$status"
