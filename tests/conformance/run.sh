#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh [gcc|clang] [SCRIPT ...] - the independent implementation against the real servers and
# the client. EMSG_BUILD: where those were built; with tests/suite.sh that is one of its builds,
# gcc's if none is named. The one by clang carries the sanitizers, which end a process at once.
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=gcc
case ${1-} in
gcc | clang)
	build=$1
	shift
	;;
esac
EMSG_BUILD=${EMSG_BUILD:-${EMSG_WORK:-$EMSG_SRC}/$build}
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
export EMSG_SRC EMSG_BUILD
status=0

if ! /usr/bin/python3 -c 'import cbor2, websockets, cryptography, OpenSSL' 2>/dev/null; then
	echo "skipped: conformance, Debian's cbor2, websockets, cryptography or pyOpenSSL is missing"
	exit 0
fi
[ $# -gt 0 ] || set -- federation vectors devices faults proofs interop restart

# Most of their time is waiting, so all run at once, each with servers of its own; the output
# stays apart.
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
for script; do
	(
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
			"$EMSG_SRC/tests/conformance/$script.py" >"$out/$script" 2>&1
		echo $? >"$out/$script.status"
	) &
done
wait
for script; do
	cat "$out/$script"
	[ "$(cat "$out/$script.status")" -eq 0 ] || status=1
done
exit "$status"
