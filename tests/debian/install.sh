#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh DIR - the packages in DIR are installed in a fresh Debian 12, and purge leaves
# nothing of them behind.
set -u

packages=$1
root=$EMSG_WORK/chroot
base=$EMSG_WORK/bookworm.tar

[ "$(id -u)" -eq 0 ] || {
	echo "skipped: installation of the packages, needs root"
	exit 0
}
command -v debootstrap >/dev/null 2>&1 || {
	echo "skipped: installation of the packages, debootstrap is missing"
	exit 0
}

# The mirror that this machine uses, so that a fresh system comes from the same place.
mirror() {
	# shellcheck disable=SC2016 # the expression is apt-get's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1
}

clean() {
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
		inside apt-get update -q
}

left_over() {
	(cd "$root" && find etc/emsg var/lib/emsg var/spool/emsg run/emsg usr/libexec/emsg \
		2>/dev/null)
}

trap clean EXIT
if ! prepare; then
	echo "not ok debian: a fresh system"
	exit 1
fi
if ! inside sh -c 'apt-get install -q -y --no-install-recommends ./packages/*.deb'; then
	echo "not ok debian: installs in a fresh system"
	exit 1
fi
echo "ok debian: installs in a fresh system"
if inside apt-get purge -q -y emsg-server emsg-client libemsg1 libemsg-dev &&
	[ -z "$(left_over)" ]; then
	echo "ok debian: purge leaves nothing"
else
	left_over | sed 's/^/! left: /'
	echo "not ok debian: purge"
	exit 1
fi
