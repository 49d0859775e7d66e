#!/bin/sh
# SPDX-License-Identifier: ISC
# exchange.sh - the demonstration ends with 0, shows both texts, knows that both arrived, and
# leaves no process behind.
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
e2e_run

out=$EMSG_RUN/out
run=$EMSG_RUN/run
env EMSG_RUN="$run" timeout 120 "$EMSG_SRC/tests/e2e/demo.sh" --once >"$out" 2>&1
status=$?
[ "$status" -eq 0 ] && grep -q 'alice#im.alpha.test:.*Hello Bob, this is Alice' "$out" &&
	grep -q 'bob#im.beta.test:.*Hello Alice, Bob here' "$out"
verdict "exchange: both texts are shown" $? "status $status: $(tail -n 5 "$out" | tr '\n' ' ')"
[ "$(grep -cE '(arrived|on-device|read).*(alice#im.alpha.test|bob#im.beta.test)$' "$out")" -eq 2 ]
verdict "exchange: both senders know the fate" $? "$(grep -E "^[0-9]{4}-" "$out" | tr '\n' ' ')"
! grep -qs emsgd "/proc/$(cat "$run/alpha/run/emsgd.pid" 2>/dev/null)/comm"
verdict "exchange: the server is stopped" $? "it runs"
exit "${e2e_failed:-0}"
