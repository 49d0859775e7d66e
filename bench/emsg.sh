#!/bin/sh
# SPDX-License-Identifier: ISC
# emsg.sh [PART ...] - measures EMSG on loopback.
#
# local      both accounts on one server: rate, latency at 100 messages/s
# serial     one pair, one message at a time, one server
# federated  accounts on two servers: rate, latency at 100 messages/s
# idle       logins and the memory of idle devices
# Default: all. Sizes: MESSAGES PAIRS WINDOW SECONDS_AT_RATE DEVICES.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=bench/lib.sh
. ./lib.sh
# shellcheck source=tests/e2e/lib.sh
. ../tests/e2e/lib.sh

A=127.0.41.1 B=127.0.41.2 PORT=7443
LOAD=$BENCH_BUILD/emsg-load

# init NAME DOMAIN ADDRESS: a server that any number of accounts may use from one address.
init() {
	mkdir -p "$W/$1"
	cat >"$W/$1/emsg.yaml" <<-TEXT
		version: 1
		domain: $2
		listen: ["$3:$PORT"]
		registration:
		  policy: open
		limits:
		  connections: 100000
		  unauthenticated: 1000
		  connections_per_address: 100000
		  idle_timeout: 30m
		dialer:
		  allow_private: ["127.0.0.0/8"]
		log:
		  level: warning
	TEXT
	ctl "$1" setup --libexec "$BENCH_BUILD" --self-signed >"$W/$1/setup.out" 2>&1 || {
		cat "$W/$1/setup.out" >&2
		die "setup of $2"
	}
}

pin() {
	ctl "$1" domain --libexec "$BENCH_BUILD" --json | jq -r .root
}

# peer NAME DOMAIN ADDRESS PIN
peer() {
	cat >>"$W/$1/emsg.yaml" <<-TEXT
		peers:
		  - domain: $2
		    host: $3
		    port: $PORT
		    pin: $4
		    allow_private: true
	TEXT
}

# up NAME: starts it; its process number is in $up_pid.
up() {
	"$BENCH_BUILD/emsgd" -F -d "$W/$1" -x "$BENCH_BUILD" 2>>"$W/$1/log" &
	up_pid=$!
	started "$up_pid"
	n=100
	until ctl "$1" status >/dev/null 2>&1; do
		n=$((n - 1))
		if [ "$n" -eq 0 ] || ! kill -0 "$up_pid" 2>/dev/null; then
			tail -n 20 "$W/$1/log" >&2
			die "$1 does not start"
		fi
		sleep 0.1
	done
}

load() {
	"$LOAD" --pairs "$PAIRS" --window "$WINDOW" --messages "$MESSAGES" \
		--seconds "$SECONDS_AT_RATE" --devices "$DEVICES" "$@" || {
		tail -n 20 "$W"/*/log >&2
		die "the load failed"
	}
}

part() {
	case $1 in
	local) load --name emsg.local --server "im.alpha.test=$A:$PORT" --pid "$pid_a" rate latency ;;
	serial) load --name emsg.serial --server "im.alpha.test=$A:$PORT" --pid "$pid_a" \
		--pairs 1 --window 1 --messages "$((MESSAGES / 10))" rate ;;
	federated) load --name emsg.federated --server "im.alpha.test=$A:$PORT" \
		--server "im.beta.test=$B:$PORT" --pid "$pid_a" --pid "$pid_b" rate latency ;;
	idle) load --name emsg --server "im.alpha.test=$A:$PORT" --pid "$pid_a" idle ;;
	*) die "no such part: $1" ;;
	esac
}

scratch
# shellcheck disable=SC2034 # for lib.sh of the end-to-end tests
EMSG_BUILD=$BENCH_BUILD EMSG_RUN=$W
many_files
need jq openssl python3-minimal
[ -x "$LOAD" ] || die "no $LOAD: run make bench"
init a im.alpha.test $A
init b im.beta.test $B
peer a im.beta.test $B "$(pin b)"
peer b im.alpha.test $A "$(pin a)"
up a
pid_a=$up_pid
up b
pid_b=$up_pid
wait_port $A $PORT || exit 1
wait_port $B $PORT || exit 1
[ $# -gt 0 ] || set -- local serial federated idle
for word in "$@"; do
	part "$word"
done
