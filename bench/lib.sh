# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# lib.sh - what the bench scripts share: packages, a scratch directory, daemons, figures.
# To be sourced from a script whose working directory is bench/. Everything started here is stopped by its process number at the exit, and the
# scratch directory is removed (KEEP=1 keeps it).

# shellcheck disable=SC2034 # for those who source this
BENCH_BUILD=${EMSG_BUILD:-$(cd .. && pwd)/build}
BENCH_PIDS=
BENCH_UNDO=
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# Sizes of a run; every one can be set in the environment.
MESSAGES=${MESSAGES:-20000}
MAILS=${MAILS:-4000}
PAIRS=${PAIRS:-4}
WINDOW=${WINDOW:-100}
SECONDS_AT_RATE=${SECONDS_AT_RATE:-10}
DEVICES=${DEVICES:-2000}

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "bench: $*"
	exit 1
}

# fig NAME VALUE UNIT: one figure.
fig() {
	printf '%s: %s %s\n' "$1" "$2" "$3"
}

# calc EXPRESSION [FORMAT]
calc() {
	awk "BEGIN { printf \"${2:-%.0f}\", $1 }"
}

now() {
	date +%s.%N
}

cleanup() {
	trap - EXIT INT TERM
	[ -z "$BENCH_UNDO" ] || eval "$BENCH_UNDO"
	for pid in $BENCH_PIDS; do
		stop "$pid"
	done
	[ -z "${W:-}" ] || [ -n "${KEEP:-}" ] || rm -rf "$W"
}

# Commands to run at the exit, the last one first.
at_exit() {
	BENCH_UNDO="$1; $BENCH_UNDO"
}

# A new directory $W on a real disk; memory would flatter whoever syncs.
scratch() {
	W=$(mktemp -d "${BENCH_TMP:-/var/tmp}/emsg-bench.XXXXXX") || exit 1
	trap cleanup EXIT
	trap 'exit 130' INT TERM
	chmod 755 "$W"
	case $(stat -f -c %T "$W") in
	tmpfs | ramfs) die "$W is in memory; set BENCH_TMP to a directory on a disk" ;;
	esac
}

# need PACKAGE ...: installs what is missing, without letting a package start its daemon.
need() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
			missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" -eq 0 ] || die "install$missing, or run as root"
	say "installing$missing"
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
		at_exit 'rm -f /usr/sbin/policy-rc.d'
	fi
	# shellcheck disable=SC2086 # a list
	apt-get install -y -qq --no-install-recommends $missing >"$W/apt.log" 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends \
			$missing; } >"$W/apt.log" 2>&1 || {
		tail -n 5 "$W/apt.log" >&2
		die "cannot install$missing"
	}
}

# More descriptors for this shell and what it starts, as many as root may give.
many_files() {
	# shellcheck disable=SC3045 # dash and bash have it
	ulimit -n 200000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
}

# wait_port ADDRESS PORT [SECONDS]
wait_port() {
	tries=$((${3:-20} * 10))
	until /usr/bin/python3 -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()' "$1" "$2" 2>/dev/null; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || {
			say "nothing listens on $1:$2"
			return 1
		}
		sleep 0.1
	done
}

# started PID: to be stopped at the exit.
started() {
	BENCH_PIDS="$1 $BENCH_PIDS"
}

# stop PID: in order, by force after 15 s.
stop() {
	kill "$1" 2>/dev/null || return 0
	n=150
	while kill -0 "$1" 2>/dev/null && [ "$n" -gt 0 ]; do
		n=$((n - 1))
		sleep 0.1
	done
	[ "$n" -gt 0 ] || kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

# certificate NAME DOMAIN [DOMAIN]: $W/NAME.key, .crt and .pem, self-signed, P-256.
certificate() {
	names="DNS:$2${3:+,DNS:$3}"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-keyout "$W/$1.key" -out "$W/$1.crt" -subj "/CN=$2" \
		-addext "subjectAltName=$names" 2>/dev/null || die "no certificate for $2"
	cat "$W/$1.key" "$W/$1.crt" >"$W/$1.pem"
	chmod 644 "$W/$1.key" "$W/$1.pem"
}

# per_message NAME N SNAPSHOT: what the whole machine spent since the snapshot, load included.
snapshot() {
	awk '/^ctxt/ { c = $2 } /^cpu / { u = $2 + $3 + $4 + $7 + $8 } END { print c, u }' /proc/stat
}

per_message() {
	# shellcheck disable=SC2046,SC2086 # two lists of numbers
	set -- "$1" "$2" $3 $(snapshot)
	fig "$1.machine-cpu" "$(calc "($6 - $4) / $2 * 1000000 / $(getconf CLK_TCK)")" \
		"us/message"
	fig "$1.switches" "$(calc "($5 - $3) / $2" %.1f)" "context switches/message"
}
