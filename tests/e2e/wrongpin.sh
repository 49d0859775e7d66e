#!/bin/sh
# SPDX-License-Identifier: ISC
# wrongpin.sh - a peer whose certificate is valid but whose pinned domain key is another: nothing
# is delivered, the item stays queued and the queue says why. With the true pin it goes.
#
# shellcheck disable=SC2317 # functions that others call by their names
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
e2e_has openssl jq
e2e_run

BOB='bob#im.beta.test'
WRONG=0000000000000000000000000000000000000000000000000000000000000001

# The entry of peers for beta, with another pin.
set_pin() {
	sed -i "s/^    pin: .*/    pin: $1/" "$EMSG_RUN/alpha/emsg.yaml"
}

queued() {
	[ "$(queue alpha list --json | jq -s length)" -eq 1 ]
}

attempted() {
	queue alpha list --json | jq -se 'any(.tries > 0)'
}

not_queued() {
	[ "$(queue alpha list --json | jq -s length)" -eq 0 ]
}

if ! { ca_init && two_servers && user_register alice alpha 'alice#im.alpha.test' &&
	user_register bob beta "$BOB" && befriend alice 'alice#im.alpha.test' bob "$BOB"; } \
	>"$EMSG_RUN/out" 2>&1; then
	not_ok "wrong pin: start" "$(tail -n 5 "$EMSG_RUN/out" | tr '\n' ' ')"
	exit 1
fi

# The first message brings alice bob's keys.
mid=$(user alice send "$BOB" 'before' --json | jq -r .mid)
wait_until 20 arrived bob "$mid"
verdict "wrong pin: without a pin the authority is enough" $? "$(queue alpha list)"
server_stop alpha
echo "    pin: $WRONG" >>"$EMSG_RUN/alpha/emsg.yaml"
server_start alpha
verdict "wrong pin: alpha starts with it" $? "$(tail -n 2 "$EMSG_RUN/alpha/log")"
mid=$(user alice send "$BOB" 'for the true bob only' --json | jq -r .mid)
wait_until 20 attempted
verdict "wrong pin: the item is queued and was tried" $? \
	"$(queue alpha list --json; user alice fates "$mid")"
qid=$(queue alpha list --json | jq -r .qid)
queue alpha show "$qid" >"$EMSG_RUN/show" 2>&1
grep -qi 'pin' "$EMSG_RUN/show"
verdict "wrong pin: emsgq show has the reason" $? "$(tr '\n' ' ' <"$EMSG_RUN/show")"
grep -i 'pin' "$EMSG_RUN/show" | head -n 2 | sed 's/^/! /'
sleep 3
queued && ! arrived bob "$mid"
verdict "wrong pin: nothing is delivered" $? "$(queue alpha list)"

set_pin "$(server_pin beta)"
ctl alpha reload >"$EMSG_RUN/out" 2>&1
verdict "wrong pin: reload with the true pin" $? "$(cat "$EMSG_RUN/out")"
queue alpha retry "$qid" >"$EMSG_RUN/out" 2>&1 || queue alpha retry --all >"$EMSG_RUN/out" 2>&1
wait_until 30 arrived bob "$mid"
verdict "wrong pin: with the true pin it arrives" $? \
	"$(queue alpha show "$qid" 2>&1 | tr '\n' ' '), retry: $(cat "$EMSG_RUN/out")"
wait_until 20 not_queued
verdict "wrong pin: the queue is empty" $? "$(queue alpha list)"
exit "${e2e_failed:-0}"
