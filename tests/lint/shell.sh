#!/bin/sh
# SPDX-License-Identifier: ISC
# shell.sh - shellcheck finds nothing in our scripts, and Python compiles the others.
set -u
cd "$EMSG_SRC" || exit 1

if [ -e .git ]; then
	list=$(git ls-files -co --exclude-standard '*.sh' '*.py')
else
	list=$(find . \( -name '.*' -o -name 'build*' -o -name _build \) ! -name . -prune -o \
		\( -name '*.sh' -o -name '*.py' \) -print)
fi
status=0
shell_scripts=quickstart
[ ! -f .ci/run ] || shell_scripts="$shell_scripts .ci/run"
python_scripts=
for file in $list; do
	case "$file" in
	*.sh) shell_scripts="$shell_scripts $file" ;;
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
if [ ! -x /usr/bin/python3 ]; then
	echo "skipped: Python scripts, /usr/bin/python3 is missing"
elif /usr/bin/python3 -c '
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
