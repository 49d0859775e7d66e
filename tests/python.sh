#!/bin/sh
# SPDX-License-Identifier: ISC
# python.sh SCRIPT ... - runs a test written in Python with the system's interpreter, whose
# modules come from Debian packages; without it the test is skipped, not passed.
[ -x /usr/bin/python3 ] || {
	echo "skipped: $1, /usr/bin/python3 is missing"
	exit 77
}
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$@"
