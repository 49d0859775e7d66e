#!/bin/sh
# SPDX-License-Identifier: ISC
# load.sh - many messages at a time from server to server, small ones and such near the limit:
# all arrive once and in order, no link ends meanwhile, no process dies.
#
# shellcheck disable=SC2317 # functions that others call by their names
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
[ -x "$EMSG_BUILD/emsg-load" ] || {
	echo "skipped: load, emsg-load has not been built"
	exit 77
}
e2e_run

# load NAME BODY MESSAGES: no repeat, no disorder; the figures are in $EMSG_RUN/NAME.
load() {
	timeout 100 "$EMSG_BUILD/emsg-load" --patience 90 --body "$2" --messages "$3" \
		--server "im.alpha.test=127.0.0.1:$port_a" \
		--server "im.beta.test=127.0.0.1:$port_b" rate >"$EMSG_RUN/$1" 2>&1
	status=$?
	[ "$status" -eq 0 ] && ! grep -q 'repeats' "$EMSG_RUN/$1" &&
		{ ! grep -q 'disorder' "$EMSG_RUN/$1" || grep -q 'retried' "$EMSG_RUN/$1"; }
	verdict "load: $1" $? "status $status: $(grep -v latency "$EMSG_RUN/$1" | tail -n 3 | tr '\n' ' ')"
}

port_a=$(test_port 0)
port_b=$(test_port 1)
server_init alpha im.alpha.test "$port_a" >/dev/null || e2e_die "setup of im.alpha.test"
server_init beta im.beta.test "$port_b" >/dev/null || e2e_die "setup of im.beta.test"
server_peer alpha im.beta.test "$port_b" "pin: $(server_pin beta)"
server_peer beta im.alpha.test "$port_a" "pin: $(server_pin alpha)"
for name in alpha beta; do
	sed -i 's/policy: .*/policy: open/' "$EMSG_RUN/$name/emsg.yaml"
	server_start "$name" || e2e_die "start of $name"
done
load small 1024 1000
load large 200000 400
! grep 'ev=relay.down' "$EMSG_RUN/alpha/log" >"$EMSG_RUN/ends"
verdict "load: the link between the servers lives" $? "$(head -n 1 "$EMSG_RUN/ends")"
! grep 'ev=master.child.*state=gone' "$EMSG_RUN"/*/log >"$EMSG_RUN/deaths"
verdict "load: no process dies" $? "$(head -n 1 "$EMSG_RUN/deaths")"
exit "${e2e_failed:-0}"
