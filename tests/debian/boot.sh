#!/bin/sh
# SPDX-License-Identifier: ISC
# boot.sh DIR - the unit in the packages in DIR, run by systemd in name spaces: it starts and
# notifies, every process is caged, it reloads, its children come back, a bad configuration does
# not loop, its exposure is low, and purge of the running server leaves nothing.
# shellcheck disable=SC2317 # functions that judge and wait_until run
set -u

packages=$1
root=$EMSG_WORK/booted
exposure_max=3.0
holder=
# shellcheck source=tests/debian/lib.sh
. "$EMSG_SRC/tests/debian/lib.sh"
need "the unit under systemd" debootstrap ip nsenter unshare

clean() {
	[ -z "$holder" ] || kill -9 "$holder" 2>/dev/null
	wait 2>/dev/null
	remove_root
}

# The same as inside(), in the system that runs.
within() {
	nsenter -t "$init" -m -p -C -u -i -n -r env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

can_boot() {
	unshare -m -p -f -u -i -C -n true 2>/dev/null &&
		grep -qw cgroup2 /proc/filesystems
}

has_init() {
	init=$(pgrep -P "$holder") && within systemctl is-system-running >/dev/null 2>&1
}

boot() {
	unshare -m -p -f -u -i -C -n --kill-child "$EMSG_SRC/tests/debian/init.sh" "$root" &
	holder=$!
	wait_until 60 has_init
}

# The master's number and its children's, as we count.
processes() {
	master=$(pgrep -P "$init" -x emsgd) || return 1
	echo "$master"
	pgrep -P "$master"
}

is_caged() {
	# shellcheck disable=SC2046 # one argument per process
	caged $(processes)
}

starts() {
	within timeout 30 systemctl start emsg &&
		within systemctl is-active emsg && within emsgctl status
}

# Every child is killed at once; master starts them again, systemd sees nothing of it.
children_come_back() {
	# shellcheck disable=SC2046 # one argument per process
	kill -9 $(pgrep -P "$(pgrep -P "$init" -x emsgd)") || return 1
	wait_until 10 is_well && [ "$(within systemctl show -p NRestarts --value emsg)" = 0 ]
}

is_well() {
	within emsgctl status >/dev/null 2>&1
}

bad_configuration() {
	echo 'bogus: 1' >>"$root/etc/emsg/emsg.yaml"
	! within systemctl reload emsg && within systemctl is-active emsg || return 1
	! within systemctl restart emsg || return 1
	sleep 3
	[ "$(within systemctl is-active emsg)" = failed ] &&
		[ "$(within systemctl show -p ExecMainStatus --value emsg)" = 7 ] &&
		[ "$(within systemctl show -p NRestarts --value emsg)" = 0 ] || return 1
	sed -i '/^bogus/d' "$root/etc/emsg/emsg.yaml"
	within systemctl start emsg
}

is_little_exposed() {
	exposure=$(inside systemd-analyze security --offline=true emsg.service |
		sed -n 's/.*Overall exposure level for emsg.service: \([0-9.]*\).*/\1/p')
	echo "exposure $exposure"
	[ -n "$exposure" ] &&
		awk -v e="$exposure" -v m="$exposure_max" 'BEGIN { exit !(e <= m) }'
}

purges_running() {
	within apt-get purge -q -y emsg-server && nothing_left
}

# --- the course of it ----------------------------------------------------------------------

can_boot || {
	echo "skipped: the unit under systemd, no name spaces or no cgroup2 here"
	exit 0
}
trap clean EXIT
if ! prepare || ! inside apt-get install -q -y --no-install-recommends systemd-sysv dbus ||
	! install_packages || ! set_up; then
	fail "a fresh system with systemd"
	exit 1
fi
judge "the unit's exposure is at most $exposure_max" is_little_exposed
unmount
# It will be below what the system mounts there.
rm -rf "$root/run/emsg"
boot || {
	fail "systemd starts"
	exit 1
}
judge "the unit starts and says so" starts
judge "every process of the unit is caged under a user of its own" is_caged
judge "systemctl reload" within systemctl reload emsg
judge "killed children come back under the same master" children_come_back
judge "a bad configuration stops nothing and does not loop" bad_configuration
judge "purge of a running server leaves nothing" purges_running
exit "$status"
