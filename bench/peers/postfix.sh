#!/bin/sh
# SPDX-License-Identifier: ISC
# postfix.sh [PART ...] - measures Postfix on loopback; root only.
#
# relay      smtp-source -> Postfix -> smtp-sink
# serial     the same with one session, one message at a time
# local      smtp-source -> Postfix -> maildir
# federated  smtp-source -> Postfix A -> (TLS 1.3) -> Postfix B -> maildir; rate and latency
# Default: all. MAILS: messages of 1 KiB in a run; SESSIONS: parallel SMTP sessions (50).
# Tuned for throughput: more processes, no delays, connections kept.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=bench/lib.sh
. ./lib.sh

A=127.0.42.1 B=127.0.42.2 SINK=127.0.42.3 PORT=2525
SESSIONS=${SESSIONS:-50}

# instance NAME ADDRESS LINE ...: a Postfix of its own below $W/NAME; LINEs go to main.cf.
instance() {
	d=$W/$1
	address=$2
	mkdir -p "$d/etc" "$d/queue" "$d/data" "$d/mail"
	chown postfix "$d/data"
	chown nobody "$d/mail"
	cp /etc/postfix/postfix-files "$d/etc/" 2>/dev/null
	cat >"$d/etc/main.cf" <<-TEXT
		compatibility_level = 3.6
		myhostname = $1.test
		mydestination =
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		queue_directory = $d/queue
		data_directory = $d/data
		maillog_file = $d/mail.log
		maillog_file_prefixes = $d
		alias_maps =
		alias_database =
		smtp_dns_support_level = disabled
		smtp_host_lookup = native
		smtpd_peername_lookup = no
		smtpd_client_event_limit_exceptions = 127.0.0.0/8
		smtpd_client_connection_count_limit = 0
		default_process_limit = 200
		default_destination_concurrency_limit = 100
		initial_destination_concurrency = 50
		smtp_destination_concurrency_limit = 50
		virtual_destination_concurrency_limit = 50
		qmgr_message_active_limit = 50000
		qmgr_message_recipient_limit = 50000
		in_flow_delay = 0s
		max_use = 1000
		virtual_mailbox_domains =
		virtual_mailbox_base = $d/mail
		virtual_mailbox_maps = static:box/
		virtual_uid_maps = static:$(id -u nobody)
		virtual_gid_maps = static:$(id -g nobody)
	TEXT
	shift 2
	for line in "$@"; do
		echo "$line" >>"$d/etc/main.cf"
	done
	services >"$d/etc/master.cf"
	at_exit "postfix -c $d/etc stop >/dev/null 2>&1"
	postfix -c "$d/etc" start >>"$W/postfix.out" 2>&1
	wait_port "$address" $PORT || {
		tail -n 5 "$W/postfix.out" "$d/mail.log" >&2
		die "Postfix does not start"
	}
}

services() {
	echo "$address:$PORT inet n - n - - smtpd"
	while read -r name type private unpriv wake limit program; do
		echo "$name $type $private $unpriv n $wake $limit $program"
	done <<-TEXT
		cleanup unix n - - 0 cleanup
		qmgr unix n - 300 1 qmgr
		flush unix n - 1000? 0 flush
		rewrite unix - - - - trivial-rewrite
		bounce unix - - - 0 bounce
		defer unix - - - 0 bounce
		trace unix - - - 0 bounce
		verify unix - - - 1 verify
		smtp unix - - - - smtp
		relay unix - - - - smtp
		tlsmgr unix - - 1000? 1 tlsmgr
		tlsproxy unix - - - 0 tlsproxy
		scache unix - - - 1 scache
		anvil unix - - - 1 anvil
		proxymap unix - - - - proxymap
		error unix - - - - error
		retry unix - - - - error
		virtual unix - n - - virtual
		postlog unix-dgram n - - 1 postlogd
	TEXT
}

# drop NAME: stops the instance and removes its files.
drop() {
	postfix -c "$W/$1/etc" stop >>"$W/postfix.out" 2>&1
	rm -rf "${W:?}/$1"
}

# inject N SESSIONS RECIPIENT
inject() {
	smtp-source -d -l 1024 -m "$1" -s "$2" -f s@a.test -t "$3" "$A:$PORT" \
		>>"$W/source.out" 2>&1 || die "smtp-source failed"
}

# report NAME N START ACCEPTED DELIVERED SNAPSHOT
report() {
	fig "$1.accepted" "$(calc "$2 / ($4 - $3)")" msg/s
	fig "$1.delivered" "$(calc "$2 / ($5 - $3)")" msg/s
	per_message "$1" "$2" "$6"
}

# to_sink NAME N SESSIONS
to_sink() {
	instance a $A "relayhost = [$SINK]:$PORT" "relay_domains = sink.test" \
		"smtp_connection_cache_destinations = [$SINK]:$PORT"
	timeout 300 smtp-sink -u nobody -M "$2" "$SINK:$PORT" 512 >/dev/null 2>&1 &
	sink=$!
	started $sink
	sleep 0.5
	before=$(snapshot)
	start=$(now)
	inject "$2" "$3" r@sink.test
	accepted=$(now)
	wait $sink || die "mails do not reach the sink"
	report "$1" "$2" "$start" "$accepted" "$(now)" "$before"
	drop a
}

mails_in() {
	find "$1" -type f 2>/dev/null | wc -l
}

# to_box NAME N SESSIONS RECIPIENT MAILDIR
to_box() {
	had=$(mails_in "$5/new")
	before=$(snapshot)
	start=$(now)
	inject "$2" "$3" "$4"
	accepted=$(now)
	n=600
	while [ "$(mails_in "$5/new")" -lt $((had + $2)) ]; do
		n=$((n - 1))
		[ "$n" -gt 0 ] || die "mails do not arrive"
		sleep 0.2
	done
	report "$1" "$2" "$start" "$accepted" "$(now)" "$before"
}

two_instances() {
	certificate b b.test
	instance b $B "virtual_mailbox_domains = b.test" "smtpd_tls_security_level = may" \
		"smtpd_tls_cert_file = $W/b.crt" "smtpd_tls_key_file = $W/b.key"
	instance a $A "relayhost = [$B]:$PORT" "smtp_tls_security_level = encrypt" \
		"smtp_tls_connection_reuse = yes"
}

part() {
	case $1 in
	relay) to_sink postfix.relay "$MAILS" "$SESSIONS" ;;
	serial) to_sink postfix.serial "$((MAILS / 4))" 1 ;;
	local)
		instance a $A "virtual_mailbox_domains = a.test"
		to_box postfix.local "$MAILS" "$SESSIONS" u@a.test "$W/a/mail/box"
		drop a
		;;
	federated)
		two_instances
		to_box postfix.federated "$MAILS" "$SESSIONS" u@b.test "$W/b/mail/box"
		/usr/bin/python3 peers/smtplat.py postfix.federated $A $PORT u@b.test \
			"$W/b/mail/box/new" "$((SECONDS_AT_RATE * 100))" 100 || die "latency"
		drop a
		drop b
		;;
	*) die "no such part: $1" ;;
	esac
}

scratch
need postfix openssl python3-minimal
fig postfix.version "$(dpkg-query -W -f='${Version}' postfix)" ""
[ $# -gt 0 ] || set -- relay serial local federated
for word in "$@"; do
	part "$word"
done
