#!/bin/sh
# SPDX-License-Identifier: ISC
# browser.sh - stock WebSocket clients (chromium, Node's own, the package ws), whichever are
# installed, open the way of devices and get the hello frame.
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build
e2e_has openssl jq
e2e_run
here=$EMSG_SRC/tests/e2e

# is_hello NAME LINE: the line is "NAME HEX", HEX a frame [1, 0, {...}] in CBOR: type 1 is hello.
is_hello() {
	case $2 in
	*" 830100a"* | *" 830100b"*) ok "browser: $1 gets hello" ;;
	*) not_ok "browser: $1 gets hello" "$2; $(tail -n 1 "$EMSG_RUN/alpha/log")" ;;
	esac
}

# The page logs what it got; the browser stays until it is killed.
try_chromium() {
	chromium --headless --no-sandbox --disable-gpu --user-data-dir="$EMSG_RUN/chromium" \
		--host-resolver-rules='MAP im.alpha.test 127.0.0.1' --ignore-certificate-errors \
		--enable-logging=stderr --remote-debugging-port=0 \
		"file://$here/wsclient.html#$url" >/dev/null 2>"$EMSG_RUN/chromium.log" &
	browser=$!
	wait_until 20 grep -q 'CONSOLE.*"chromium ' "$EMSG_RUN/chromium.log"
	kill "$browser" && wait "$browser"
	sed -n 's/.*CONSOLE.*"\(chromium [a-z0-9]*\)".*/\1/p' "$EMSG_RUN/chromium.log"
}

# try_node OPTION ...
try_node() {
	env NODE_PATH=/usr/share/nodejs NODE_NO_WARNINGS=1 \
		NODE_EXTRA_CA_CERTS="$EMSG_RUN/ca/ca.pem" node "$@" "$here/wsclient.js" "$url" 2>&1
}

port=$(test_port 0)
if ! { ca_init && ca_issue im.alpha.test && server_init alpha im.alpha.test "$port" \
	--cert "$EMSG_RUN/ca/im.alpha.test.pem" --key "$EMSG_RUN/ca/im.alpha.test.key" &&
	server_start alpha; }; then
	not_ok "browser: start" "$(tail -n 3 "$EMSG_RUN/alpha/log")"
	exit 1
fi
url=wss://im.alpha.test:$port/emsg/v1/c2s

if command -v chromium >/dev/null 2>&1; then
	is_hello chromium "$(try_chromium 2>/dev/null)"
else
	echo "skipped: browser chromium, it is not installed"
fi
if ! command -v node >/dev/null 2>&1; then
	echo "skipped: browser node, it is not installed"
elif node --experimental-websocket -e 'WebSocket' >/dev/null 2>&1; then
	is_hello "node's own client" "$(try_node --experimental-websocket)"
else
	echo "skipped: browser node's own client, this node has none"
fi
if env NODE_PATH=/usr/share/nodejs node -e 'require("ws")' >/dev/null 2>&1; then
	is_hello node-ws "$(try_node)"
else
	echo "skipped: browser node-ws, it is not installed"
fi
exit "${e2e_failed:-0}"
