#!/bin/sh
# SPDX-License-Identifier: ISC
# client.sh - emsg against a running server: two users, three devices, several emsg at once, a
# server that goes and comes back, what lies on disk, and what bad input is answered with.
set -u

top=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
EMSG_BUILD=${EMSG_BUILD:-$top/build}
for p in emsg emsgd emsgctl emsg-listener emsg-queue emsg-relay emsg-store emsg-keyd \
	emsg-dialer emsg-control; do
	[ -x "$EMSG_BUILD/$p" ] || {
		echo "skipped: client, $p has not been built"
		exit 77
	}
done
command -v jq >/dev/null 2>&1 || {
	echo "skipped: client, jq is missing"
	exit 77
}
EMSG_RUN=$(mktemp -d) || exit 1
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"
followers=
trap 'kill $followers 2>/dev/null; server_stop alpha; rm -rf "$EMSG_RUN"' EXIT
trap 'exit 1' INT TERM

failed=0
port=$((20000 + $$ % 10000))
out=$EMSG_RUN/out
err=$EMSG_RUN/err
A='alice#im.alpha.test'
B='bob#im.alpha.test'

ok() {
	echo "ok client: $1"
}

bad() {
	echo "not ok client: $1"
	sed 's/^/! /' "$out" "$err" 2>/dev/null | head -n 20
	failed=1
}

# check WHAT COMMAND ...: the command succeeds.
check() {
	what=$1
	shift
	if "$@" >"$out" 2>"$err"; then ok "$what"; else bad "$what"; fi
}

# ends CODE USER ARGUMENTS: emsg ends with the code and one line on standard error.
ends() {
	want=$1
	who=$2
	shift 2
	user "$who" "$@" >"$out" 2>"$err" </dev/null
	code=$?
	if [ "$code" -ne "$want" ]; then
		bad "emsg $*: exit code $code instead of $want"
	elif [ "$(wc -l <"$err")" -ne 1 ] || ! grep -q '^emsg: ' "$err"; then
		bad "emsg $*: not one clear line"
	else
		ok "emsg $* ends with $want"
	fi
}

# shellcheck disable=SC2317 # called through check
# has USER TEXT: the user's history has the text once.
has() {
	user "$1" history --offline --json >"$out" 2>"$err"
	[ "$(jq -r --arg text "$2" 'select(.text == $text) | .mid' "$out" | wc -l)" -eq 1 ]
}

# shellcheck disable=SC2317 # called through wait_until
# fate USER MID STATE: the user knows that fate of the message.
fate() {
	user "$1" fates "$2" --json | jq -e --arg s "$3" 'select(.state == $s)'
}

# in_clear TEXT: the text lies readable somewhere in the users' files.
in_clear() {
	grep -rqaF "$1" "$EMSG_RUN/alice" "$EMSG_RUN/bob"
}

# Without an account.
mkdir -p "$EMSG_RUN/eve"
echo passphrase >"$EMSG_RUN/eve/passphrase"
ends 4 eve status
ends 2 eve register nonsense
ends 2 eve register emsg:invite:AAAA
ends 2 eve nonsense
ends 2 eve contact
ends 2 eve contact nonsense
ends 2 eve send
ends 2 eve send 'no address' text
ends 2 eve send "$B" one two
ends 2 eve status --nonsense
ends 2 eve status --limit 3
ends 2 eve history --limit many
ends 2 eve history --limit 0
ends 2 eve status --timeout
ends 2 eve status --account 'no address'

server_init alpha im.alpha.test "$port" >"$out" 2>&1 || { bad "setup"; exit 1; }
server_start alpha >"$out" 2>"$err" || { bad "start"; exit 1; }

# A server that cannot prove the key that the invitation pins is told nothing.
# shellcheck disable=SC2317 # called below
other_pin() {
	python3 -c '
import base64, sys
head, text = sys.argv[1].rsplit(":", 1)
cbor = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
cbor[cbor.index(b"\x05\x58\x20") + 3] ^= 1
print(head + ":" + base64.urlsafe_b64encode(cbor).decode().rstrip("="))' "$1"
}
invite=$(ctl alpha invite create --user "$A" --json | jq -r .invite)
ends 5 eve register "$(other_pin "$invite")"
grep -q 'another domain key than the one that is pinned' "$err" || bad "a wrong pin is named"
check "a wrong pin leaves nothing behind" [ "$(ls "$EMSG_RUN/eve")" = passphrase ]

# Accounts, consent, a message each way.
check "alice registers" user_register alice alpha "$A"
check "bob registers" user_register bob alpha "$B"
ends 2 alice register "$(ctl alpha invite create --user "$A" --json | jq -r .invite)" "$B"
ends 4 alice send "$B" 'too early'
ends 4 alice contact grant "$B"
ends 4 alice contact show "$B"
check "alice asks" user alice contact add "$B"
ends 5 alice send "$B" 'still too early'
check "bob grants" user bob contact grant "$A"
mid=$(user alice send "$B" 'marker-to-bob' --json | jq -r .mid)
check "bob receives" user bob receive
grep -q 'marker-to-bob' "$out" || bad "bob's text"
check "the fate is read" wait_until 5 fate alice "$mid" read
printf 'line one\nline two\033[31m\n' | user bob send "$A" >/dev/null 2>&1
check "alice receives" user alice receive
grep -q 'two\\u{1b}\[31m$' "$out" || bad "control characters are escaped"
check "nothing is shown twice" user alice receive
[ ! -s "$out" ] || bad "nothing is shown twice"

# The number is the same on both sides; marking is remembered.
check "one number" [ "$(user alice verify "$B")" = "$(user bob verify "$A")" ]
check "marking" user alice verify "$B" --mark
user alice contact show "$B" --json | jq -e .verified >/dev/null || bad "marking is remembered"

# On disk.
find "$EMSG_RUN/alice" -mindepth 1 \( -type d ! -perm 700 -o -type f ! -perm 600 \) \
	! -name passphrase >"$out"
check "files are private" [ ! -s "$out" ]
user alice status --json >"$out" 2>"$err"
jq -e '.passphrase and .linked and .pinned' "$out" >/dev/null || bad "status"
echo marker-planted >"$EMSG_RUN/alice/planted"
in_clear marker-planted || bad "the search finds what is there"
for text in marker-to-bob im.alpha.test 'alice#' 'bob#'; do
	if in_clear "$text"; then bad "$text lies in the clear"; else ok "no $text on disk"; fi
done
echo wrong >"$EMSG_RUN/wrong"
"$EMSG_BUILD/emsg" --home "$EMSG_RUN/alice" --passphrase-file "$EMSG_RUN/wrong" status \
	>"$out" 2>"$err"
code=$?
check "a wrong passphrase is refused" [ "$code" -eq 5 ]

# A second device sees contacts and messages.
mkdir -p "$EMSG_RUN/alice2" && cp "$EMSG_RUN/alice/passphrase" "$EMSG_RUN/alice2/"
user alice device invite --wait --ttl 30 >"$EMSG_RUN/invite" 2>"$err" &
waiting=$!
wait_until 5 grep -q . "$EMSG_RUN/invite"
check "a second device" user alice2 register "$(head -n 1 "$EMSG_RUN/invite")" --name laptop
wait "$waiting" || bad "the first device adds it"
user alice receive >/dev/null 2>&1
check "it knows the contact" wait_until 5 user alice2 contact show "$B"
user alice2 send "$B" 'from the laptop' >/dev/null 2>&1
user bob receive >"$out" 2>"$err"
check "bob gets what it sends" has bob 'from the laptop'
user alice receive >/dev/null 2>&1
check "the first device has a copy" has alice 'from the laptop'
ends 5 alice2 device invite

# Several at once, one killed, the server gone for a while: each text is shown once.
# Each in the place of its shell, so that its number is the program's own.
for i in 1 2 3; do
	(exec "$EMSG_BUILD/emsg" --home "$EMSG_RUN/bob" --passphrase-file \
		"$EMSG_RUN/bob/passphrase" receive --follow --json \
		>"$EMSG_RUN/follow$i" 2>/dev/null) &
	followers="$followers $!"
done
user alice send "$B" 'text 1' >/dev/null 2>&1
# shellcheck disable=SC2086 # a list
set -- $followers
kill -9 "$1" 2>/dev/null
user alice send "$B" 'text 2' >/dev/null 2>&1
server_stop alpha
user alice send "$B" 'text 3' >"$out" 2>"$err"
state=$(cut -d ' ' -f 2 "$out")
check "without a link it waits" [ "$state" = waiting ]
ends 3 alice receive
server_start alpha >"$out" 2>"$err" || bad "start again"
user alice send "$B" 'text 4' >/dev/null 2>&1
# shellcheck disable=SC2317 # called through wait_until
shown() {
	[ "$(cat "$EMSG_RUN"/follow? | jq -r .text | sort | uniq -c | grep -c '^ *1 text')" -eq 4 ]
}
check "four texts, each shown once" wait_until 15 shown
user bob history --offline --json | jq -r .text | grep '^text' >"$out"
check "in order" [ "$(tr '\n' ' ' <"$out")" = 'text 1 text 2 text 3 text 4 ' ]

exit $failed
