#!/bin/sh
# SPDX-License-Identifier: ISC
# control.sh - emsgctl and emsgq against a running server: each command with good and bad input
# gives one clear line or rows that Python reads as JSON, and the documented exit code.
set -u

top=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
EMSG_BUILD=${EMSG_BUILD:-$top/build}
for p in emsgd emsgctl emsgq emsg-listener emsg-queue emsg-relay emsg-store emsg-keyd \
	emsg-dialer emsg-control; do
	[ -x "$EMSG_BUILD/$p" ] || {
		echo "skipped: control, $p has not been built"
		exit 77
	}
done
EMSG_RUN=$(mktemp -d) || exit 1
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"
trap 'server_stop alpha; rm -rf "$EMSG_RUN"' EXIT
trap 'exit 1' INT TERM

failed=0
port=$((20000 + $$ % 10000))
out=$EMSG_RUN/out
err=$EMSG_RUN/err

bad() {
	echo "not ok control: $1"
	sed 's/^/! /' "$out" "$err" | head -n 20
	failed=1
}

# lines COUNT FILE: whether the file has that many lines.
lines() {
	[ "$(wc -l <"$2")" -eq "$1" ]
}

# good CODE TOOL ARGUMENTS: ends with the code and nothing on standard error, or, where the code
# is not 0, with one line there that begins with the tool's name.
good() {
	want=$1
	tool=$2
	shift 2
	"$EMSG_BUILD/$tool" -d "$EMSG_RUN/alpha" "$@" >"$out" 2>"$err" </dev/null
	code=$?
	if [ "$code" -ne "$want" ]; then
		bad "$tool $*: exit code $code instead of $want"
	elif [ "$want" -eq 0 ] && [ -s "$err" ]; then
		bad "$tool $*: says something on standard error"
	elif [ "$want" -ne 0 ] && { ! lines 1 "$err" || ! grep -q "^$tool: " "$err"; }; then
		bad "$tool $*: not one clear line"
	else
		echo "ok control: $tool $* ends with $want"
	fi
}

# json MEMBERS TOOL ARGUMENTS: the same with --json; each line is an object with "v": 1 and these
# members, and there is at least one.
json() {
	members=$1
	shift
	good 0 "$@" --json
	/usr/bin/python3 - "$members" "$out" <<-'PY' || bad "$* --json: not the members $members"
		import json, sys
		rows = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
		wanted = set(sys.argv[1].split())
		ok = rows and all(r.get("v") == 1 and wanted <= set(r) for r in rows)
		sys.exit(0 if ok else 1)
	PY
}

# Without a server, without a configuration.
mkdir "$EMSG_RUN/alpha"
good 3 emsgctl status
good 3 emsgq
good 3 emsgq list
good 3 emsgctl stop
good 3 emsgctl user list
good 2 emsgctl setup
good 2 emsgctl setup --domain Im.Alpha.Test
good 2 emsgctl setup --domain im.alpha.test --cert /nowhere
good 0 emsgctl setup --domain im.alpha.test --self-signed --dry-run
[ -e "$EMSG_RUN/alpha/keys" ] && bad "setup --dry-run made something"

# Setup: makes all, then nothing.
rmdir "$EMSG_RUN/alpha"
server_init alpha im.alpha.test "$port" >/dev/null 2>"$err" || bad "setup"
before=$(cd "$EMSG_RUN/alpha" && find . -type f -exec sha256sum {} + | sort)
json "domain pin config keys certificate made sign_until_at" emsgctl setup --self-signed
after=$(cd "$EMSG_RUN/alpha" && find . -type f -exec sha256sum {} + | sort)
[ "$before" = "$after" ] || bad "setup a second time changed something"
[ -z "$(find "$EMSG_RUN/alpha/keys" "$EMSG_RUN/alpha/tls/key.pem" -type f -name '*.pem' \
	-perm /077)" ] || bad "a private key is open to others"
good 1 emsgctl setup --domain im.beta.test
json "domain root seq document" emsgctl domain
pin=$(server_pin alpha)

# Configuration.
good 0 emsgctl config check
good 4 emsgctl config check /nowhere/emsg.yaml
good 0 emsgctl config show
good 0 emsgctl config show --all --json
json "key value" emsgctl config show domain queue.lifetime
good 4 emsgctl config show nothing.there
good 0 emsgctl config explain queue.lifetime
good 0 emsgctl config defaults
cp "$EMSG_RUN/alpha/emsg.yaml" "$EMSG_RUN/good.yaml"

# Words and options.
good 2 emsgctl
good 2 emsgctl nothing
good 2 emsgctl stat
good 2 emsgctl user
good 2 emsgctl user add
good 2 emsgctl status extra
good 2 emsgctl status --nothing
good 2 emsgctl invite create --ttl soon
good 2 emsgctl --timeout 0s status
good 0 emsgctl help
good 0 emsgctl help user add
good 2 emsgctl help nothing
good 0 emsgctl user add --help
json "version" emsgctl version
good 0 emsgctl completion bash
good 2 emsgctl completion csh

server_start alpha || bad "the server does not start"
wait_until 10 ctl alpha status || bad "a process is not ready"

# What shows.
json "name state restarts" emsgctl status
json "domain root seq document" emsgctl domain
[ "$(server_pin alpha)" = "$pin" ] || bad "the pin differs between disk and server"
json "name type fingerprint" emsgctl key list
json "name type fingerprint" emsgctl key show domain-sign.pem
good 4 emsgctl key show nothing
good 0 emsgctl peer list
good 0 emsgq
good 0 emsgq list
good 0 emsgq list --dest im.beta.test --limit 5 --json
good 2 emsgq list --limit none
good 4 emsgq show 1111111111111
good 2 emsgq show nothing

# Accounts.
good 0 emsgctl user list
good 0 emsgctl user add alice --dry-run
json "invite account expires_at" emsgctl user add alice
json "account state devices" emsgctl user list
json "account state devices" emsgctl user show ALICE@im.alpha.test
good 4 emsgctl user show bob
good 2 emsgctl user show 'a b'
good 1 emsgctl user add 'bob#im.beta.test'
json "invite expires_at" emsgctl invite create --ttl 1h
json "invite account" emsgctl invite create --user bob
good 0 emsgctl user del alice --dry-run
good 0 emsgctl user del alice
good 4 emsgctl user del carol
json "result text" emsgctl reload

# The queue.
good 2 emsgq retry
good 2 emsgq retry --all --dest im.beta.test
json "result text" emsgq retry --all
good 2 emsgq drop --all
good 0 emsgq drop --all --dry-run
json "result text" emsgq drop --all --yes

# The level of the log, live in every process: store logs the first account, not the second.
good 0 emsgctl user add loud
printf 'log:\n  level: error\n' >>"$EMSG_RUN/alpha/emsg.yaml"
good 0 emsgctl reload
good 0 emsgctl user add quiet
if ! grep -q 'store ev=user.add account=loud' "$EMSG_RUN/alpha/log" ||
	grep -q 'store ev=user.add account=quiet' "$EMSG_RUN/alpha/log"; then
	bad "log.level does not reach the processes"
fi
cp "$EMSG_RUN/good.yaml" "$EMSG_RUN/alpha/emsg.yaml"
good 0 emsgctl reload

# A reload that cannot be.
echo 'nothing: 1' >>"$EMSG_RUN/alpha/emsg.yaml"
good 7 emsgctl reload
"$EMSG_BUILD/emsgctl" -d "$EMSG_RUN/alpha" config check >"$out" 2>"$err"
if [ $? -ne 7 ] || ! grep -q 'emsg.yaml:[0-9]*:[0-9]*: nothing' "$err"; then
	bad "config check does not find it"
fi
cp "$EMSG_RUN/good.yaml" "$EMSG_RUN/alpha/emsg.yaml"
good 0 emsgctl reload

# Garbage closes whoever sent it, and nobody else.
/usr/bin/python3 - "$EMSG_RUN/alpha/run/control.sock" <<-'PY' || bad "garbage is not refused"
	import os, socket, struct, sys

	def caller():
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    s.settimeout(5)
	    return s

	def frame(kind, flags, number, payload):
	    return struct.pack("=IHHQ", 16 + len(payload), kind, flags, number) + payload

	bystander = caller()
	ask = struct.pack(">HII", 1, 0, 1) + b"\xa0"
	for bytes_ in (b"\0" * 16, b"\xff" * 64, os.urandom(64),
	               frame(33, 0, 1, b""), frame(32, 1, 1, ask), frame(32, 0, 1, ask + b"x"),
	               frame(32, 0, 1, b""), frame(999, 0, 1, ask)):
	    s = caller()
	    s.sendall(bytes_)
	    s.shutdown(socket.SHUT_WR)
	    if s.recv(1) != b"":
	        sys.exit(1)
	bystander.sendall(frame(32, 0, 77, ask))
	head = bystander.recv(16)
	sys.exit(0 if struct.unpack("=IHHQ", head)[3] == 77 else 1)
PY
json "name state" emsgctl status

# A process that does not answer, and control itself killed.
pid_of() {
	ctl alpha status --json | jq -r "select(.name == \"$1\") | .pid"
}
store=$(pid_of store)
kill -STOP "$store"
good 75 emsgctl user list --timeout 1s
kill -CONT "$store"
good 0 emsgctl user list
kill -KILL "$(pid_of control)"
wait_until 10 ctl alpha status || bad "control does not come back"
json "name state" emsgctl status

# Somebody else.
if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 --clear-groups \
	"$EMSG_BUILD/emsgctl" version >/dev/null 2>&1; then
	chmod 711 "$EMSG_RUN" "$EMSG_RUN/alpha"
	setpriv --reuid 65534 --clear-groups "$EMSG_BUILD/emsgctl" -d "$EMSG_RUN/alpha" status \
		>"$out" 2>"$err"
	if [ $? -ne 5 ] || ! lines 1 "$err"; then
		bad "another user is not refused"
	fi
fi
grep -q 'ev=admin.ask command="user del" uid=' "$EMSG_RUN/alpha/log" || bad "a change is not logged"
good 0 emsgctl stop --dry-run
json "name state" emsgctl status
good 0 emsgctl stop
wait_until 15 sh -c "! kill -0 $(cat "$EMSG_RUN/alpha/pid")" || bad "stop does not stop it"
good 3 emsgctl status
json "domain root seq document" emsgctl domain
exit $failed
