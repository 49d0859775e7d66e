# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# lib.sh - a fresh Debian 12 in $root with the packages in $packages beside it, and how the tests
# of the packages report. To be sourced; the caller sets root and packages.

# shellcheck disable=SC2034 # status is what the caller exits with
: "${root:?}" "${packages:?}" "${EMSG_WORK:?}"
base=$EMSG_WORK/bookworm.tar
names="emsg-server emsg-client libemsg1 libemsg-dev"
status=0

# need WHAT TOOL ...: ends the script if the tools are not there or we are not root.
need() {
	what=$1
	shift
	[ "$(id -u)" -eq 0 ] || {
		echo "skipped: $what, needs root"
		exit 0
	}
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "skipped: $what, $tool is missing"
			exit 0
		}
	done
}

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

inside() {
	chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

unmount() {
	umount -l "$root/dev" 2>/dev/null
	umount -l "$root/proc" 2>/dev/null
}

remove_root() {
	unmount
	rm -rf --one-file-system "$root"
}

# The mirror that this machine uses, so that a fresh system comes from the same place.
mirror() {
	# shellcheck disable=SC2016 # the expression is apt-get's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1
}

# Makes the fresh system once and keeps it as an archive.
make_base() {
	[ ! -f "$base" ] || return 0
	remove_root
	debootstrap --variant=minbase --include=ca-certificates,systemd-standalone-sysusers \
		bookworm "$root" "$(mirror)" || return 1
	rm -f "$root/etc/apt/sources.list"
	[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$root/etc/apt/"
	cp -R /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/"
	tar -C "$root" --one-file-system -cf "$base.new" . && mv "$base.new" "$base"
}

prepare() {
	make_base || return 1
	remove_root
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

# Says what it does to $EMSG_WORK/purge.out as well.
purge() {
	# shellcheck disable=SC2086 # one argument per package
	inside apt-get purge -q -y $names >"$EMSG_WORK/purge.out" 2>&1
	purged=$?
	cat "$EMSG_WORK/purge.out"
	return "$purged"
}

set_up() {
	inside emsgctl setup --domain im.alpha.test --self-signed \
		--host 127.0.0.1 --port 443 || return 1
	sed -i 's/policy: closed/policy: invite/' "$root/etc/emsg/emsg.yaml"
	inside emsgctl config check
}

left_over() {
	(cd "$root" && find etc/emsg var/lib/emsg var/spool/emsg run/emsg usr/libexec/emsg \
		etc/systemd/system -name '*emsg*' 2>/dev/null)
}

purges_all() {
	purge && nothing_left
}

nothing_left() {
	[ -z "$(left_over)" ] || {
		left_over | sed 's/^/! left: /'
		return 1
	}
}

# caged MASTER CHILD ...: eight processes, each under a user of its own, each in its sandbox.
caged() {
	users=
	for pid; do
		grep -Eq '^Seccomp:[[:space:]]2' "/proc/$pid/status" &&
			grep -Eq '^NoNewPrivs:[[:space:]]1' "/proc/$pid/status" || return 1
		users="$users $(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")"
	done
	[ $# -eq 8 ] && [ "$(echo "$users" | tr ' ' '\n' | grep . | sort -u | wc -l)" -eq 8 ]
}
