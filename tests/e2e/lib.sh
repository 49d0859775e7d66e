# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# lib.sh - servers and users for the demonstration and the end-to-end tests. To be sourced.
#
# EMSG_BUILD: folder of the built programs. EMSG_RUN: folder for everything that is made here.
# A server lives in $EMSG_RUN/NAME (its configuration, keys, store, queue and log), a user in
# $EMSG_RUN/NAME as well (his database and the file with his passphrase).

e2e_say() {
	printf '%s\n' "$*"
}

e2e_die() {
	printf 'failed: %s\n' "$*" >&2
	exit 1
}

# wait_until SECONDS COMMAND ...: runs the command until it succeeds; 1 if time is up.
wait_until() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# Started by root, every process takes a user of its own; the package makes them, here they are
# made from the package's own list.
system_users() {
	[ "$(id -u)" -eq 0 ] || return 0
	while read -r kind name _; do
		case $kind in
		u) getent passwd "$name" >/dev/null || {
			e2e_say "adding the system user $name"
			useradd --system --user-group --no-create-home \
				--shell /usr/sbin/nologin "$name" || return 1
		} ;;
		g) getent group "$name" >/dev/null || groupadd --system "$name" || return 1 ;;
		esac
	done <"$1"
}

# server_init NAME DOMAIN PORT: configuration, keys and a self-signed certificate.
server_init() {
	mkdir -p "$EMSG_RUN/$1" || return 1
	cat >"$EMSG_RUN/$1/emsg.yaml" <<-TEXT
		version: 1
		domain: $2
		listen: ["127.0.0.1:$3"]
		registration:
		  policy: invite
		invite:
		  host: 127.0.0.1
		  port: $3
		queue:
		  segment_size: 4MiB
		dialer:
		  allow_private: ["127.0.0.0/8"]
	TEXT
	ctl "$1" setup --self-signed
}

# server_pin NAME: the fingerprint of the server's root key.
server_pin() {
	ctl "$1" domain --json | jq -r .root
}

# server_peer NAME DOMAIN PORT PIN: where a peer is that DNS does not know.
server_peer() {
	grep -q '^peers:' "$EMSG_RUN/$1/emsg.yaml" || echo 'peers:' >>"$EMSG_RUN/$1/emsg.yaml"
	cat >>"$EMSG_RUN/$1/emsg.yaml" <<-TEXT
		  - domain: $2
		    host: 127.0.0.1
		    port: $3
		    pin: $4
		    allow_private: true
	TEXT
}

# server_start NAME: starts it and waits until it serves. Its number is in NAME/pid.
server_start() {
	"$EMSG_BUILD/emsgd" -F -d "$EMSG_RUN/$1" -x "$EMSG_BUILD" \
		2>>"$EMSG_RUN/$1/log" &
	echo $! >"$EMSG_RUN/$1/pid"
	wait_until 10 ctl "$1" status || {
		tail -n 20 "$EMSG_RUN/$1/log" >&2
		return 1
	}
}

# server_stop NAME: stops it in order and waits for its end.
server_stop() {
	[ -f "$EMSG_RUN/$1/pid" ] || return 0
	pid=$(cat "$EMSG_RUN/$1/pid")
	rm -f "$EMSG_RUN/$1/pid"
	kill "$pid" 2>/dev/null || return 0
	wait "$pid" 2>/dev/null
}

# ctl NAME ...: emsgctl for that server.
ctl() {
	server=$1
	shift
	"$EMSG_BUILD/emsgctl" -d "$EMSG_RUN/$server" "$@"
}

# user NAME ...: emsg for that user.
user() {
	who=$1
	shift
	"$EMSG_BUILD/emsg" --home "$EMSG_RUN/$who" \
		--passphrase-file "$EMSG_RUN/$who/passphrase" "$@"
}

# user_register NAME SERVER ADDRESS: an account on that server, by invitation.
user_register() {
	mkdir -p "$EMSG_RUN/$1" && chmod 700 "$EMSG_RUN/$1" || return 1
	(umask 077 && head -c 24 /dev/urandom | base64 >"$EMSG_RUN/$1/passphrase")
	invite=$(ctl "$2" invite create --user "$3" --json | jq -r .invite) &&
		user "$1" register "$invite"
}

# arrived NAME TEXT: the user's history has that text.
arrived() {
	user "$1" receive --json >/dev/null
	user "$1" history --json | jq -e --arg text "$2" 'select(.text == $text)' >/dev/null
}
