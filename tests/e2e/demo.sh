#!/bin/sh
# SPDX-License-Identifier: ISC
# demo.sh [--once] - two servers on loopback, two users, one message each way. Without --once the
# servers go on until Ctrl-C. Exits with 0 only if both messages arrived.
#
# Both servers run below EMSG_RUN as the user who starts this, root or not; how they run under
# users of their own is shown by the package.
#
# shellcheck disable=SC2317 # traps
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
EMSG_BUILD=${EMSG_BUILD:-$top/build}
EMSG_RUN=${EMSG_RUN:-$top/run}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

ALICE='alice#im.alpha.test'
BOB='bob#im.beta.test'

stop_all() {
	trap - EXIT INT TERM HUP
	server_stop alpha
	server_stop beta
}

# Makes room for this run; only what an earlier one left is removed.
fresh_run() {
	if [ -e "$EMSG_RUN" ]; then
		[ -f "$EMSG_RUN/.emsg-demo" ] || e2e_die "$EMSG_RUN exists and is not of this demo"
		for old in "$EMSG_RUN/alpha/run/emsgd.pid" "$EMSG_RUN/beta/run/emsgd.pid"; do
			[ -f "$old" ] && grep -qs emsgd "/proc/$(cat "$old")/comm" &&
				e2e_die "servers still run below $EMSG_RUN; end them with Ctrl-C"
		done
		rm -rf "$EMSG_RUN"
	fi
	(umask 077 && mkdir -p "$EMSG_RUN") && touch "$EMSG_RUN/.emsg-demo"
}

start_servers() {
	alpha_port=$(free_port 7443)
	beta_port=$(free_port 8443)
	e2e_say "==> starting im.alpha.test on 127.0.0.1:$alpha_port and im.beta.test on 127.0.0.1:$beta_port"
	two_servers
}

make_contacts() {
	e2e_say "==> registering $ALICE and $BOB"
	user_register alice alpha "$ALICE" && user_register bob beta "$BOB" || return 1
	e2e_say "==> alice asks bob for consent, bob grants it"
	befriend alice "$ALICE" bob "$BOB"
}

# message FROM TO ADDRESS TEXT: sends, waits until it is shown on the other side and until the
# sender knows, and shows both.
message() {
	e2e_say "==> $1 sends to $2: $4"
	mid=$(user "$1" send "$3" "$4" --json | jq -r .mid)
	[ -n "$mid" ] && wait_until 20 arrived "$2" "$mid" || return 1
	e2e_say "    $2 has, decrypted:"
	user "$2" history --limit 1
	wait_until 20 has_fate "$1" "$mid" 'arrived|on-device|read' || return 1
	e2e_say "    what $1 knows of it:"
	user "$1" fates "$mid"
}

go_on() {
	cat <<TEXT

The servers go on until Ctrl-C. In other terminals:
  alice="$EMSG_BUILD/emsg --home $EMSG_RUN/alice --passphrase-file $EMSG_RUN/alice/passphrase"
  bob="$EMSG_BUILD/emsg --home $EMSG_RUN/bob --passphrase-file $EMSG_RUN/bob/passphrase"
  \$bob receive --follow
  \$alice send '$BOB' 'And now you.'
  \$alice fates
  \$alice verify '$BOB'
  $EMSG_BUILD/emsgctl -d $EMSG_RUN/alpha status
  $EMSG_BUILD/emsgq -d $EMSG_RUN/alpha
TEXT
	for pid in "$EMSG_RUN/alpha/pid" "$EMSG_RUN/beta/pid"; do
		wait "$(cat "$pid")"
	done
}

case "${1-}" in
"" | --once) ;;
*)
	echo "usage: demo.sh [--once]" >&2
	exit 2
	;;
esac

for program in emsgd emsgctl emsg; do
	[ -x "$EMSG_BUILD/$program" ] || e2e_die "$EMSG_BUILD/$program is missing: run ./quickstart"
done
fresh_run || e2e_die "$EMSG_RUN cannot be made"
trap stop_all EXIT
trap 'stop_all; exit 130' INT TERM HUP
if start_servers && make_contacts && message alice bob "$BOB" 'Hello Bob, this is Alice.' &&
	message bob alice "$ALICE" 'Hello Alice, Bob here.'; then
	e2e_say "==> both messages arrived"
else
	e2e_say "the exchange failed; the logs are $EMSG_RUN/alpha/log and $EMSG_RUN/beta/log" >&2
	exit 1
fi
[ "${1-}" = --once ] || go_on
