#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh DIR - the packages in DIR, installed in a fresh Debian 12: a server is set up and
# started as root with the unit's capabilities and no other, two users register with the packed
# emsg and talk, and purge leaves nothing but undelivered mail.
# shellcheck disable=SC2317 # functions that judge and wait_until run
set -u

packages=$1
root=$EMSG_WORK/chroot
base=$EMSG_WORK/bookworm.tar
names="emsg-server emsg-client libemsg1 libemsg-dev"
status=0
server=

[ "$(id -u)" -eq 0 ] || {
	echo "skipped: installation of the packages, needs root"
	exit 0
}
for tool in debootstrap ip jq setpriv unshare; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "skipped: installation of the packages, $tool is missing"
		exit 0
	}
done

pass() {
	echo "ok debian: $*"
}

fail() {
	echo "not ok debian: $*"
	status=1
}

# judge WHAT COMMAND ...: one result.
judge() {
	what=$1
	shift
	if "$@"; then
		pass "$what"
	else
		fail "$what"
	fi
}

# The mirror that this machine uses, so that a fresh system comes from the same place.
mirror() {
	# shellcheck disable=SC2016 # the expression is apt-get's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1
}

clean() {
	[ -z "$server" ] || kill -9 "$server" 2>/dev/null
	umount -l "$root/dev" 2>/dev/null
	umount -l "$root/proc" 2>/dev/null
	rm -rf --one-file-system "$root"
}

inside() {
	chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

# Makes the fresh system once and keeps it as an archive.
make_base() {
	[ ! -f "$base" ] || return 0
	clean
	debootstrap --variant=minbase --include=ca-certificates,systemd-standalone-sysusers \
		bookworm "$root" "$(mirror)" || return 1
	rm -f "$root/etc/apt/sources.list"
	[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$root/etc/apt/"
	cp -R /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/"
	tar -C "$root" --one-file-system -cf "$base.new" . && mv "$base.new" "$base"
}

prepare() {
	make_base || return 1
	clean
	mkdir -p "$root" && tar -C "$root" -xf "$base" &&
		mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" &&
		cp /etc/resolv.conf "$root/etc/resolv.conf" &&
		mkdir "$root/packages" && cp "$packages"/*.deb "$root/packages/" &&
		rm -f "$root"/packages/*-dbgsym_*.deb &&
		inside apt-get update -q
}

install_packages() {
	inside sh -c 'apt-get install -q -y --no-install-recommends ./packages/*.deb'
}

purge() {
	# shellcheck disable=SC2086 # one argument per package
	inside apt-get purge -q -y $names >"$EMSG_WORK/purge.out" 2>&1
	purged=$?
	cat "$EMSG_WORK/purge.out"
	return "$purged"
}

left_over() {
	(cd "$root" && find etc/emsg var/lib/emsg var/spool/emsg run/emsg usr/libexec/emsg \
		etc/systemd/system -name '*emsg*' 2>/dev/null)
}

nothing_left() {
	[ -z "$(left_over)" ] || {
		left_over | sed 's/^/! left: /'
		return 1
	}
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

set_up() {
	inside emsgctl setup --domain im.alpha.test --self-signed \
		--host 127.0.0.1 --port 443 || return 1
	sed -i 's/policy: closed/policy: invite/' "$root/etc/emsg/emsg.yaml"
	inside emsgctl config check
}

serves() {
	inside emsgctl status >/dev/null 2>&1
}

# wait_until SECONDS COMMAND ...
wait_until() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
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

# Seven children, each under a user of its own, and the master, all caged.
caged() {
	users=
	for pid in $server $(pgrep -P "$server"); do
		grep -Eq '^Seccomp:[[:space:]]2' "/proc/$pid/status" &&
			grep -Eq '^NoNewPrivs:[[:space:]]1' "/proc/$pid/status" || return 1
		users="$users $(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")"
	done
	[ "$(echo "$users" | tr ' ' '\n' | grep -c .)" -eq 8 ] &&
		[ "$(echo "$users" | tr ' ' '\n' | grep . | sort -u | wc -l)" -eq 8 ]
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
	judge "every process is caged under a user of its own" caged
	judge "two local users talk" talk
	judge "reloads" inside emsgctl reload
	judge "stops" stop
else
	fail "set up, and started with the unit's capabilities"
fi
purge && judge "purge of a stopped server leaves nothing" nothing_left

if install_packages && set_up && start && leave_undelivered; then
	purge && ended && judge "purge keeps undelivered mail and says so" kept_with_a_word
else
	fail "a message that cannot be delivered"
fi
rm -rf "$root/var/spool/emsg"
judge "then nothing but the mail was left" nothing_left
exit "$status"
