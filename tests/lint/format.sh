#!/bin/sh
# SPDX-License-Identifier: ISC
# format.sh - every C file is as clang-format 14 leaves it. Other versions disagree in details,
# so only that one judges.
set -u
cd "$EMSG_SRC" || exit 1

tool=
for t in clang-format-14 clang-format; do
	case $("$t" --version 2>/dev/null) in
	*"version 14."*) tool=$t; break ;;
	esac
done
[ -n "$tool" ] || {
	echo "skipped: format, clang-format 14 is missing"
	exit 77
}

list=$(sh tests/python.sh tests/lint/tree.py .c .h) || {
	echo "$list"
	exit 77
}
bad=0
count=0
for file in $list; do
	count=$((count + 1))
	"$tool" --dry-run -Werror "$file" >/dev/null 2>&1 || {
		echo "! $file"
		bad=$((bad + 1))
	}
done
if [ "$bad" -ne 0 ]; then
	echo "not ok format: $bad of $count files (run $tool -i on them)"
	exit 1
fi
echo "ok format: $count files"
