#!/bin/sh
# SPDX-License-Identifier: ISC
# demo.sh [--once] - two servers on loopback, two users, one message each way. Without --once the
# servers go on until Ctrl-C. Exits with 0 only if both messages arrived.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
EMSG_BUILD=${EMSG_BUILD:-$top/build}
EMSG_RUN=${EMSG_RUN:-$top/run}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

stop_all() {
	server_stop alpha
	server_stop beta
}

# message FROM TO ADDRESS TEXT: sends, waits for it on the other side, shows text and fate.
message() {
	user "$1" send "$3" "$4" || return 1
	wait_until 20 arrived "$2" "$4" || return 1
	user "$2" history --limit 1
	user "$1" fates --limit 1
}

[ ! -e "$EMSG_RUN" ] || {
	[ -f "$EMSG_RUN/.emsg-demo" ] || e2e_die "$EMSG_RUN exists and is not ours"
	rm -rf "$EMSG_RUN"
}
mkdir -p "$EMSG_RUN" && touch "$EMSG_RUN/.emsg-demo"
trap 'stop_all; exit 130' INT TERM

system_users "$top/debian/emsg-server.sysusers" || e2e_die "system users"
e2e_say "starting im.alpha.test on port 7443 and im.beta.test on port 8443"
server_init alpha im.alpha.test 7443 || e2e_die "setup of im.alpha.test"
server_init beta im.beta.test 8443 || e2e_die "setup of im.beta.test"
server_peer alpha im.beta.test 8443 "$(server_pin beta)"
server_peer beta im.alpha.test 7443 "$(server_pin alpha)"
server_start alpha || e2e_die "start of im.alpha.test"
server_start beta || e2e_die "start of im.beta.test"

status=0
if user_register alice alpha 'alice#im.alpha.test' &&
	user_register bob beta 'bob#im.beta.test' &&
	user alice contact add 'bob#im.beta.test' &&
	wait_until 20 user bob contact grant 'alice#im.alpha.test' &&
	wait_until 20 user alice contact show 'bob#im.beta.test' &&
	message alice bob 'bob#im.beta.test' 'Hello Bob, this is Alice.' &&
	message bob alice 'alice#im.alpha.test' 'Hello Alice, Bob here.'; then
	e2e_say "both messages arrived"
else
	e2e_say "the exchange failed; the logs are $EMSG_RUN/alpha/log and $EMSG_RUN/beta/log"
	status=1
fi

if [ "${1-}" != --once ] && [ "$status" -eq 0 ]; then
	cat <<TEXT

Go on in another terminal:
  E="$EMSG_BUILD/emsg --home $EMSG_RUN/alice --passphrase-file $EMSG_RUN/alice/passphrase"
  \$E send 'bob#im.beta.test' 'and now you'
  \$E receive --follow
The servers go on until Ctrl-C.
TEXT
	wait
fi
stop_all
exit "$status"
