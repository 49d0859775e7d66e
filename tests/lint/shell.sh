#!/bin/sh
# SPDX-License-Identifier: ISC
# shell.sh - shellcheck finds nothing in our scripts, and Python compiles the others.
set -u
cd "$EMSG_SRC" || exit 1

list=$(sh tests/python.sh tests/lint/tree.py .sh .py .prerm .postinst .postrm) || {
	echo "$list"
	exit 77
}
status=0
shell_scripts="quickstart .ci/run bench/run"
python_scripts=
for file in $list; do
	case "$file" in
	*.sh | *.prerm | *.postinst | *.postrm) shell_scripts="$shell_scripts $file" ;;
	*.py) python_scripts="$python_scripts $file" ;;
	esac
done

# shellcheck disable=SC2086 # lists of names
if ! command -v shellcheck >/dev/null 2>&1; then
	echo "skipped: shell scripts, shellcheck is missing"
elif shellcheck -x $shell_scripts; then
	echo "ok shell: shellcheck is silent"
else
	echo "not ok shell: shellcheck"
	status=1
fi

# shellcheck disable=SC2086 # lists of names
if /usr/bin/python3 -c '
import sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as f:
        compile(f.read(), name, "exec")' $python_scripts; then
	echo "ok shell: every Python script compiles"
else
	echo "not ok shell: Python scripts"
	status=1
fi
exit $status
