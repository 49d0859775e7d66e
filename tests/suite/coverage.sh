#!/bin/sh
# SPDX-License-Identifier: ISC
# coverage.sh - the corpora reach at least 90 % of the lines of the parsers that they are for.
# tests/fuzz/targets.list says which target is for which sources.
set -u

least=90
list=$EMSG_SRC/tests/fuzz/targets.list
dir=$EMSG_WORK/coverage
for tool in llvm-profdata llvm-cov; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "skipped: coverage of the parsers, $tool is missing"
		exit 0
	}
done
mkdir -p "$dir" && cd "$dir" || exit 1
if [ ! -f Makefile ]; then
	"$EMSG_SRC/configure" CC=clang \
		"CFLAGS=-O0 -g -fprofile-instr-generate -fcoverage-mapping" || exit 1
fi
# shellcheck disable=SC2046 # one argument per target
make -j"$EMSG_JOBS" $(grep -v '^#' "$list" | cut -d ' ' -f 1) || exit 1

status=0
while read -r target _ sources; do
	case "$target" in
	"" | "#"*) continue ;;
	esac
	LLVM_PROFILE_FILE=$dir/$target.raw "./$target" >/dev/null || status=1
	llvm-profdata merge -o "$target.prof" "$target.raw" || exit 1
	for source in $sources; do
		reached=$(llvm-cov export -summary-only -instr-profile "$target.prof" \
			"$target" "$EMSG_SRC/$source" |
			jq '.data[0].totals.lines.percent | floor')
		if [ "${reached:-0}" -ge "$least" ]; then
			echo "ok coverage: $target reaches $reached % of $source"
		else
			echo "not ok coverage: $target reaches $reached % of $source, $least wanted"
			status=1
		fi
	done
done <"$list"
exit "$status"
