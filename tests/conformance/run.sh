#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh [SCRIPT ...] - the independent implementation against the real servers and the client.
# EMSG_BUILD: where those were built; with tests/suite.sh that is its gcc build.
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
EMSG_BUILD=${EMSG_BUILD:-${EMSG_WORK:-$EMSG_SRC}/gcc}
export EMSG_SRC EMSG_BUILD
status=0

if ! /usr/bin/python3 -c 'import cbor2, websockets, cryptography, OpenSSL' 2>/dev/null; then
	echo "skipped: conformance, Debian's cbor2, websockets, cryptography or pyOpenSSL is missing"
	exit 0
fi
[ $# -gt 0 ] || set -- vectors devices faults federation proofs interop
for script; do
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$EMSG_SRC/tests/conformance/$script.py" ||
		status=1
done
exit "$status"
