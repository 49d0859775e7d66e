#!/bin/sh
# SPDX-License-Identifier: ISC
# webpki.sh - two servers without pins talk because both trust the authority that made their
# certificates; a server that does not trust it refuses, and the queue says why.
#
# shellcheck disable=SC2317 # functions that others call by their names
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
e2e_has openssl jq
e2e_run

ALICE='alice#im.alpha.test'
BOB='bob#im.beta.test'

refused() {
	queue beta list --json | jq -se 'any(.error | test("certificate is not valid for im.alpha.test: .*issuer"))'
}

# sent FROM TO ADDRESS TEXT: it arrives.
sent() {
	mid=$(user "$1" send "$3" "$4" --json | jq -r .mid)
	wait_until 30 arrived "$2" "$mid"
}

if ! { ca_init && two_servers && user_register alice alpha "$ALICE" &&
	user_register bob beta "$BOB" && befriend alice "$ALICE" bob "$BOB"; } \
	>"$EMSG_RUN/out" 2>&1; then
	not_ok "web pki: start" "$(tail -n 5 "$EMSG_RUN/out" | tr '\n' ' ')"
	exit 1
fi
! grep -q pin: "$EMSG_RUN/alpha/emsg.yaml" "$EMSG_RUN/beta/emsg.yaml" &&
	sent alice bob "$BOB" one
verdict "web pki: alice reaches bob without a pin" $? "$(queue alpha list)"
sent bob alice "$ALICE" two
verdict "web pki: bob reaches alice without a pin" $? "$(queue beta list)"

# beta does not trust the authority any longer.
server_stop beta
rm "$EMSG_RUN/beta/conf.d/ca.yaml"
server_start beta
mid=$(user bob send "$ALICE" three --json | jq -r .mid)
wait_until 20 refused
verdict "web pki: an unknown authority is refused with a reason" $? "$(queue beta list)"
queue beta list --json | jq -r '"! " + .error'
sleep 3
! arrived alice "$mid" && [ "$(queue beta list --json | jq -s length)" -eq 1 ]
verdict "web pki: nothing is delivered" $? "$(queue beta list)"

ca_trust beta
ctl beta reload >"$EMSG_RUN/out" 2>&1 && queue beta retry --all >>"$EMSG_RUN/out" 2>&1
wait_until 30 arrived alice "$mid"
verdict "web pki: trusted again, it arrives" $? "$(cat "$EMSG_RUN/out")"
exit "${e2e_failed:-0}"
