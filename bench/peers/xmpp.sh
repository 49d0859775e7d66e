#!/bin/sh
# SPDX-License-Identifier: ISC
# xmpp.sh prosody|ejabberd [PART ...] - measures an XMPP server on loopback; root only.
#
# local      user to user on one server, TLS: rate, latency at 100 messages/s
# federated  users on two servers, TLS everywhere, dialback: rate, latency
# idle       logins and the memory of idle clients
# Default: all. Sizes: MESSAGES PAIRS WINDOW SECONDS_AT_RATE DEVICES.
# Shapers and limits are off, nothing is archived, messages go to clients that are online.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=bench/lib.sh
. ./lib.sh

which=${1:?prosody or ejabberd}
shift
A=127.0.43.1 B=127.0.43.2 DNS=127.0.43.53
LOAD=$BENCH_BUILD/xmppload

# Not below .test: libunbound answers that itself.
names_prosody() {
	dom_a=a.example dom_b=b.example
	need dnsmasq-base
	dnsmasq -k -C /dev/null -h -R -p 53 -a $DNS --bind-interfaces -x "$W/dns.pid" \
		--local=/example/ -A /a.example/$A -A /b.example/$B \
		-W _xmpp-server._tcp.a.example,a.example,5269 \
		-W _xmpp-server._tcp.b.example,b.example,5269 >"$W/dns.log" 2>&1 &
	started $!
}

# prosody_up NAME ADDRESS DOMAIN
prosody_up() {
	d=$W/$1
	mkdir -p "$d/data"
	cat >"$d/prosody.cfg.lua" <<-TEXT
		pidfile = "$d/prosody.pid"
		data_path = "$d/data"
		interfaces = { "$2" }
		local_interfaces = { "$2" }
		c2s_ports = { }
		c2s_direct_tls_ports = { 5223 }
		s2s_ports = { 5269 }
		http_ports = { }
		https_ports = { }
		modules_enabled = { "roster"; "saslauth"; "tls"; "dialback"; "disco"; "offline";
			"ping"; "register"; "register_ibr"; "posix"; "smacks"; "carbons"; "pep";
			"blocklist"; "private"; "time"; "version" }
		allow_registration = true
		s2s_require_encryption = true
		s2s_secure_auth = false
		authentication = "internal_hashed"
		unbound = { resolvconf = false; hoststxt = false; forward = "$DNS" }
		ssl = { key = "$W/$1.key"; certificate = "$W/$1.crt" }
		log = { warn = "$d/log" }
		VirtualHost "$3"
		VirtualHost "anon.$3"
			authentication = "anonymous"
	TEXT
	chown -R prosody "$d"
	(cd "$d" && exec setpriv --reuid prosody --regid prosody --clear-groups \
		prosody -F --config "$d/prosody.cfg.lua") >"$d/out" 2>&1 &
	up_pid=$!
}

names_ejabberd() {
	dom_a=$A dom_b=$B
}

ejabberd_up() {
	d=$W/$1
	mkdir -p "$d/db"
	cat >"$d/ejabberd.yml" <<-TEXT
		loglevel: warning
		hosts: ["$3", "anon.$3"]
		certfiles: ["$W/$1.pem"]
		auth_method: [internal]
		auth_password_format: scram
		host_config:
		  "anon.$3":
		    auth_method: [anonymous]
		    anonymous_protocol: sasl_anon
		    allow_multiple_connections: true
		s2s_use_starttls: required
		outgoing_s2s_families: [ipv4]
		registration_timeout: infinity
		shaper_rules:
		  max_user_sessions: infinity
		access_rules:
		  register:
		    allow: all
		listen:
		  - {port: 5223, ip: "$2", module: ejabberd_c2s, tls: true, shaper: none, access: all, max_stanza_size: 262144, backlog: 1024}
		  - {port: 5269, ip: "$2", module: ejabberd_s2s_in, shaper: none, max_stanza_size: 524288}
		modules:
		  mod_carboncopy: {}
		  mod_disco: {}
		  mod_offline: {}
		  mod_ping: {}
		  mod_private: {}
		  mod_register: {access: register, ip_access: all}
		  mod_roster: {}
		  mod_s2s_dialback: {}
		  mod_stream_mgmt: {}
	TEXT
	chown -R ejabberd "$d"
	export HOME="$d" ERL_MAX_PORTS=65536 EJABBERD_CONFIG_PATH="$d/ejabberd.yml" \
		EJABBERD_LOG_PATH="$d/ejabberd.log"
	(cd "$d" && exec setpriv --reuid ejabberd --regid ejabberd --clear-groups \
		erl -noinput +K true +P 250000 +Q 65536 -start_epmd false \
		-mnesia dir "\"$d/db\"" -pa /usr/lib/*/ejabberd-*/ebin -s ejabberd) >"$d/out" 2>&1 &
	up_pid=$!
}

# up NAME ADDRESS DOMAIN: starts a server; its process number is in $up_pid.
up() {
	certificate "$1" "$3" "anon.$3"
	"${which}_up" "$@"
	started "$up_pid"
	if ! wait_port "$2" 5223 60 || ! wait_port "$2" 5269; then
		tail -n 5 "$W/$1"/*log "$W/$1/out" >&2
		die "$which does not start"
	fi
}

load() {
	"$LOAD" "$@" "messages=$MESSAGES" "pairs=$PAIRS" "window=$WINDOW" \
		"seconds=$SECONDS_AT_RATE" "devices=$DEVICES" "pid=$pid_a" || {
		tail -n 5 "$W"/?/*log >&2
		die "the load failed"
	}
}

part() {
	here=$dom_a=$A:5223
	there=$dom_b=$B:5223
	case $1 in
	local)
		load "$which.local" rate "$here" "$here"
		load "$which.local" latency "$here" "$here"
		;;
	federated)
		load "$which.federated" rate "$here" "$there" "pid=$pid_b"
		load "$which.federated" latency "$here" "$there" "pid=$pid_b"
		;;
	idle)
		stop "$pid_a"
		rm -rf "${W:?}/a"
		up a $A "$dom_a"
		pid_a=$up_pid
		sleep 8 # what the start needed is given back
		load "$which" idle "$here" "$here"
		;;
	*) die "no such part: $1" ;;
	esac
}

scratch
many_files
[ -x "$LOAD" ] || die "no $LOAD: run make bench"
case $which in
prosody) need prosody lua-unbound openssl python3-minimal ;;
ejabberd) need ejabberd erlang-base openssl python3-minimal ;;
*) die "no such server: $which" ;;
esac
fig "$which.version" "$(dpkg-query -W -f='${Version}' "$which")" ""
"names_$which"
up a $A "$dom_a"
pid_a=$up_pid
up b $B "$dom_b"
pid_b=$up_pid
[ $# -gt 0 ] || set -- local federated idle
for word in "$@"; do
	part "$word"
done
