#!/bin/sh
# SPDX-License-Identifier: ISC
# taken.sh - starts that cannot succeed end at once with one clear line and the right exit code: a
# port or a directory that another server has, a missing key.
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
e2e_run

# refused NAME STATUS SERVER PATTERN: that server does not start, and says so in one line with PATTERN.
refused() {
	out=$(timeout 20 "$EMSG_BUILD/emsgd" -F -d "$EMSG_RUN/$3" -x "$EMSG_BUILD" 2>&1 </dev/null)
	status=$?
	[ "$status" -eq "$2" ] && [ "$(echo "$out" | wc -l)" -eq 1 ] && echo "$out" | grep -q "$4"
	verdict "start: $1 is one clear line" $? "status $status: $out"
	echo "! $out"
}

port=$(test_port 0)
if ! { server_init alpha im.alpha.test "$port" && server_init beta im.beta.test "$port" &&
	server_start alpha; }; then
	not_ok "start: the first server" "$(tail -n 3 "$EMSG_RUN/alpha/log")"
	exit 1
fi
refused "a taken port" 7 beta "127.0.0.1:$port is taken"
refused "a running server" 1 alpha "another emsgd is running"

free=$(test_port 5)
sed -i "s/$port/$free/" "$EMSG_RUN/beta/emsg.yaml"
mv "$EMSG_RUN/beta/tls/key.pem" "$EMSG_RUN/beta/tls/other.pem"
refused "a missing key" 7 beta 'tls/key.pem'
mv "$EMSG_RUN/beta/tls/other.pem" "$EMSG_RUN/beta/tls/key.pem"
mv "$EMSG_RUN/beta/keys/domain-sign.pem" "$EMSG_RUN/beta/keys/other"
refused "a missing signing key" 7 beta 'domain-sign.pem'
mv "$EMSG_RUN/beta/keys/other" "$EMSG_RUN/beta/keys/domain-sign.pem"
server_start beta
verdict "start: mended, it starts" $? "$(tail -n 3 "$EMSG_RUN/beta/log")"
exit "${e2e_failed:-0}"
