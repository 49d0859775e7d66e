#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh DIR - the packages in DIR, installed in a fresh Debian 12: a server is set up and
# started as root with the unit's capabilities and no other, two users register with the packed
# emsg and talk, and purge leaves nothing but undelivered mail.
# shellcheck disable=SC2317 # functions that judge and wait_until run
set -u

packages=$1
root=$EMSG_WORK/chroot
server=
# shellcheck source=tests/debian/lib.sh
. "$EMSG_SRC/tests/debian/lib.sh"
need "installation of the packages" debootstrap ip jq setpriv unshare

clean() {
	[ -z "$server" ] || kill -9 "$server" 2>/dev/null
	remove_root
}

# --- a server ------------------------------------------------------------------------------

# The capabilities of the unit in the form of setpriv: "-all,+chown,...".
unit_capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "$root/lib/systemd/system/emsg.service" |
		tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g; s/^/-all,/'
}

# Programs of the server's network: a name space of its own, so that port 443 is free and
# nothing goes out.
there() {
	nsenter -n -t "$server" chroot "$root" env LC_ALL=C "$@"
}

serves() {
	inside emsgctl status >/dev/null 2>&1
}

start() {
	unshare -n sh -c 'ip link set lo up && exec "$@"' sh \
		setpriv --bounding-set "$(unit_capabilities)" --no-new-privs \
		chroot "$root" /usr/sbin/emsgd -F >>"$EMSG_WORK/emsgd.log" 2>&1 &
	server=$!
	wait_until 20 serves || {
		tail -n 20 "$EMSG_WORK/emsgd.log" | sed 's/^/! /'
		return 1
	}
}

has_ended() {
	! kill -0 "$server" 2>/dev/null
}

# Waits for a server that was told to end.
ended() {
	wait_until 20 has_ended && server=
}

stop() {
	inside emsgctl stop && ended
}

# --- two users -----------------------------------------------------------------------------

user() {
	who=$1
	shift
	there emsg --home "/home/$who" --passphrase-file /home/passphrase "$@"
}

register() {
	invite=$(inside emsgctl invite create --user "$1" --json | jq -r .invite) &&
		user "$1" register "$invite"
}

# Whether that text is in the user's history by now.
arrived() {
	user "$1" receive --json >/dev/null
	user "$1" history --json | jq -e --arg text "$2" 'select(.text == $text)' >/dev/null
}

granted() {
	user bob contact grant 'alice#im.alpha.test' >/dev/null 2>&1
}

talk() {
	echo 'only for a test' >"$root/home/passphrase" && chmod 600 "$root/home/passphrase" &&
		register alice && register bob &&
		user alice contact add 'bob#im.alpha.test' && wait_until 10 granted &&
		user alice contact show 'bob#im.alpha.test' &&
		user alice send 'bob#im.alpha.test' 'from the package' &&
		wait_until 10 arrived bob 'from the package' &&
		user bob send 'alice#im.alpha.test' 'from there, too' &&
		wait_until 10 arrived alice 'from there, too'
}

# Something for a domain that cannot be reached.
leave_undelivered() {
	register dave && user dave contact add 'carol#im.beta.test' && wait_until 10 is_queued
}

is_queued() {
	[ -n "$(inside emsgq list --json)" ]
}

kept_with_a_word() {
	grep -q 'undelivered messages' "$EMSG_WORK/purge.out" &&
		[ -n "$(find "$root/var/spool/emsg" -type f)" ] &&
		[ ! -e "$root/etc/emsg" ] && [ ! -e "$root/var/lib/emsg" ]
}

purge_and_end() {
	purge && ended
}

# --- the course of it ----------------------------------------------------------------------

trap clean EXIT
: >"$EMSG_WORK/emsgd.log"
if ! prepare; then
	fail "a fresh system"
	exit 1
fi
install_packages || {
	fail "installs in a fresh system"
	exit 1
}
pass "installs in a fresh system"
if set_up && start; then
	pass "set up, and started with the unit's capabilities"
	# shellcheck disable=SC2046 # one argument per process
	judge "every process is caged under a user of its own" \
		caged "$server" $(pgrep -P "$server")
	judge "two local users talk" talk
	judge "reloads" inside emsgctl reload
	judge "stops" stop
else
	fail "set up, and started with the unit's capabilities"
fi
judge "purge of a stopped server leaves nothing" purges_all

if install_packages && set_up && start && leave_undelivered; then
	judge "purge stops the server" purge_and_end
	judge "purge keeps undelivered mail and says so" kept_with_a_word
else
	fail "a message that cannot be delivered"
fi
rm -rf "$root/var/spool/emsg"
judge "then nothing but the mail was left" nothing_left
exit "$status"
