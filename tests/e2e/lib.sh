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

# e2e_build: where the programs are: EMSG_BUILD, or the gcc build of tests/suite.sh.
e2e_build() {
	EMSG_BUILD=${EMSG_BUILD:-${EMSG_WORK:-$EMSG_SRC/build-check}/gcc}
	export EMSG_BUILD
}

# e2e_has PROGRAM ...: ends the test as skipped if one is missing.
e2e_has() {
	for needed; do
		command -v "$needed" >/dev/null 2>&1 || {
			echo "skipped: $(basename "$0"), $needed is missing"
			exit 0
		}
	done
}

# e2e_run: a new folder in EMSG_RUN; it and its servers go with the test.
e2e_run() {
	EMSG_RUN=$(mktemp -d "${TMPDIR:-/tmp}/emsg-e2e.XXXXXX") || exit 1
	export EMSG_RUN
	trap e2e_end EXIT
	trap 'exit 130' INT TERM HUP
}

e2e_end() {
	for e2e_pid in "$EMSG_RUN"/*/pid; do
		[ -f "$e2e_pid" ] && server_stop "$(basename "$(dirname "$e2e_pid")")"
	done
	if [ "${e2e_failed:-0}" -ne 0 ] && [ -n "${EMSG_KEEP-}" ]; then
		echo "! kept: $EMSG_RUN"
	else
		rm -rf "$EMSG_RUN"
	fi
}

# What tests/suite.sh counts. ok NAME; not_ok NAME WHY.
ok() {
	echo "ok $*"
}

not_ok() {
	e2e_failed=1
	not_ok_name=$1
	shift
	echo "not ok $not_ok_name: $*"
}

# verdict NAME STATUS WHY: one or the other.
verdict() {
	if [ "$2" -eq 0 ]; then
		ok "$1"
	else
		not_ok "$1" "$3"
	fi
}

# wait_until SECONDS COMMAND ...: runs the command until it succeeds; 1 if time is up.
wait_until() {
	until_time=$(($(date +%s) + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le "$until_time" ] || return 1
		sleep 0.1
	done
}

# Started by root without -d, every process takes a user of its own; the package makes them, here
# they are made from the package's own list.
system_users() {
	[ "$(id -u)" -eq 0 ] || return 0
	while read -r kind name _; do
		case $kind in
		u) getent passwd "$name" >/dev/null || useradd --system --user-group \
			--no-create-home --shell /usr/sbin/nologin "$name" || return 1 ;;
		g) getent group "$name" >/dev/null || groupadd --system "$name" || return 1 ;;
		esac
	done <"$1"
}

# free_port FIRST: prints a port of the loopback interface from FIRST on that nobody listens on.
free_port() {
	port=$1
	while grep -qi ":$(printf %04x "$port") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 \
		2>/dev/null; do
		port=$((port + 1))
	done
	echo "$port"
}

# test_port N: a port for the Nth server of this run; runs at the same time get others.
test_port() {
	free_port $((20000 + $$ % 4000 * 10 + $1))
}

# server_init NAME DOMAIN PORT [OPTION ...]: configuration, keys and a certificate, which is
# self-signed unless options of "emsgctl setup" give another one.
server_init() {
	init_name=$1
	init_domain=$2
	init_port=$3
	shift 3
	[ $# -gt 0 ] || set -- --self-signed
	mkdir -p "$EMSG_RUN/$init_name" &&
		ctl "$init_name" -x "$EMSG_BUILD" setup --domain "$init_domain" \
			--host 127.0.0.1 --port "$init_port" "$@" \
			>"$EMSG_RUN/$init_name/setup" || return 1
	# Small journal segments: this is for a short life.
	cat >>"$EMSG_RUN/$init_name/emsg.yaml" <<-TEXT

		queue:
		  segment_size: 4MiB
		  retry_min: 1s
		  retry_max: 5s
	TEXT
}

# server_pin NAME: the fingerprint of the server's root key.
server_pin() {
	ctl "$1" domain --json | jq -r .root
}

# server_peer NAME DOMAIN PORT [LINE ...]: where a peer is that DNS does not know, and further
# keys of the entry, such as "pin: ...".
server_peer() {
	peer_file=$EMSG_RUN/$1/emsg.yaml
	grep -q '^peers:' "$peer_file" || echo 'peers:' >>"$peer_file"
	cat >>"$peer_file" <<-TEXT
		  - domain: $2
		    host: 127.0.0.1
		    port: $3
		    allow_private: true
	TEXT
	shift 3
	for peer_line; do
		echo "    $peer_line" >>"$peer_file"
	done
}

# server_ready NAME: all its processes are.
server_ready() {
	ctl "$1" status
}

# server_start NAME: starts it and waits until it serves. Its number is in NAME/pid.
server_start() {
	# In a session of its own, so that Ctrl-C stops it in order, by server_stop.
	setsid "$EMSG_BUILD/emsgd" -F -d "$EMSG_RUN/$1" -x "$EMSG_BUILD" \
		</dev/null >/dev/null 2>>"$EMSG_RUN/$1/log" &
	echo $! >"$EMSG_RUN/$1/pid"
	wait_until 20 server_ready "$1" || {
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
	wait_until 20 test ! -d "/proc/$pid"
}

# ctl NAME ...: emsgctl for that server; queue NAME ...: emsgq.
ctl() {
	ctl_name=$1
	shift
	"$EMSG_BUILD/emsgctl" -d "$EMSG_RUN/$ctl_name" "$@"
}

queue() {
	queue_name=$1
	shift
	"$EMSG_BUILD/emsgq" -d "$EMSG_RUN/$queue_name" "$@"
}

# child_pid NAME PROCESS: the number of a process of that server.
child_pid() {
	ctl "$1" status --json | jq -r --arg name "$2" 'select(.name == $name) | .pid'
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
	(umask 077 && mkdir -p "$EMSG_RUN/$1" &&
		head -c 24 /dev/urandom | base64 >"$EMSG_RUN/$1/passphrase") || return 1
	invite=$(ctl "$2" user add "$3" --json | jq -r .invite) &&
		user "$1" register "$invite"
}

# is_contact NAME ADDRESS: each of the two has the other's consent.
is_contact() {
	user "$1" contact show "$2" --json |
		jq -se 'any(.state == "full")' >/dev/null
}

# befriend NAME ADDRESS NAME2 ADDRESS2: the first asks, the second grants.
befriend() {
	user "$1" contact add "$4" >/dev/null &&
		wait_until 20 user "$3" contact grant "$2" &&
		wait_until 20 is_contact "$1" "$4" && wait_until 20 is_contact "$3" "$2"
}

# arrived NAME MID: the user's history has that message.
arrived() {
	user "$1" history --json |
		jq -se --arg mid "$2" 'any(.mid == $mid)' >/dev/null
}

# has_fate NAME MID STATES: the user's program says one of those states (an expression of grep).
has_fate() {
	user "$1" fates "$2" --json | jq -r .state | grep -Ex "$3"
}

# ca_init: an authority of our own; its certificate is $EMSG_RUN/ca/ca.pem.
ca_init() {
	mkdir -p "$EMSG_RUN/ca" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-nodes -days 2 -subj "/CN=EMSG test authority" -keyout "$EMSG_RUN/ca/ca.key" \
		-out "$EMSG_RUN/ca/ca.pem" 2>"$EMSG_RUN/ca/log"
}

# ca_issue DOMAIN: its certificate by that authority, DOMAIN.pem and DOMAIN.key beside it.
ca_issue() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$EMSG_RUN/ca/$1.key" -out "$EMSG_RUN/ca/$1.csr" 2>>"$EMSG_RUN/ca/log" &&
		printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$1" \
			>"$EMSG_RUN/ca/$1.ext" &&
		openssl x509 -req -in "$EMSG_RUN/ca/$1.csr" -CA "$EMSG_RUN/ca/ca.pem" \
			-CAkey "$EMSG_RUN/ca/ca.key" -CAcreateserial -days 2 \
			-extfile "$EMSG_RUN/ca/$1.ext" -out "$EMSG_RUN/ca/$1.pem" \
			2>>"$EMSG_RUN/ca/log"
}

# ca_trust NAME: that server trusts the authority from its next start or reload on.
ca_trust() {
	mkdir -p "$EMSG_RUN/$1/conf.d" &&
		printf 'tls:\n  ca_file: %s\n' "$EMSG_RUN/ca/ca.pem" \
			>"$EMSG_RUN/$1/conf.d/ca.yaml"
}

# two_servers: im.alpha.test and im.beta.test start. Each has the other's pin, unless ca_init was
# called: then the authority gave them their certificates, and alpha and beta in $trusting trust
# it, and there is no pin.
two_servers() {
	alpha_port=${alpha_port:-$(test_port 0)}
	beta_port=${beta_port:-$(free_port $((alpha_port + 1)))}
	if [ -f "$EMSG_RUN/ca/ca.pem" ]; then
		two_servers_by_ca || return 1
	else
		server_init alpha im.alpha.test "$alpha_port" &&
			server_init beta im.beta.test "$beta_port" || return 1
		server_peer alpha im.beta.test "$beta_port" "pin: $(server_pin beta)"
		server_peer beta im.alpha.test "$alpha_port" "pin: $(server_pin alpha)"
	fi
	server_start alpha && server_start beta
}

two_servers_by_ca() {
	ca_issue im.alpha.test && ca_issue im.beta.test || return 1
	server_init alpha im.alpha.test "$alpha_port" --cert "$EMSG_RUN/ca/im.alpha.test.pem" \
		--key "$EMSG_RUN/ca/im.alpha.test.key" || return 1
	server_init beta im.beta.test "$beta_port" --cert "$EMSG_RUN/ca/im.beta.test.pem" \
		--key "$EMSG_RUN/ca/im.beta.test.key" || return 1
	server_peer alpha im.beta.test "$beta_port"
	server_peer beta im.alpha.test "$alpha_port"
	for trusting_name in ${trusting:-alpha beta}; do
		ca_trust "$trusting_name"
	done
}
