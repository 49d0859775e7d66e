#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh - the Debian packages: built from the release archive, judged by lintian, looked into,
# installed in a fresh Debian 12, used, run by systemd, and purged.
set -u

work=$EMSG_WORK/debian
version=$(cat "$EMSG_SRC/VERSION")
status=0

fail() {
	echo "not ok debian: $*"
	status=1
}

# Builds all packages in $work from the archive that "make dist" makes.
build_packages() {
	make -C "$EMSG_WORK/gcc" dist || return 1
	rm -rf "$work" && mkdir -p "$work" && cd "$work" || return 1
	cp "$EMSG_WORK/gcc/emsg-$version.tar.xz" "emsg_$version.orig.tar.xz" &&
		tar -xf "emsg_$version.orig.tar.xz" &&
		cp -R "$EMSG_SRC/debian" "emsg-$version/debian" &&
		cd "emsg-$version" &&
		DEB_BUILD_OPTIONS="parallel=$EMSG_JOBS nocheck" dpkg-buildpackage -us -uc -sa
}

# lintian finds no error and no warning, and nothing was hidden by an override.
judge() {
	cd "$work" || return 1
	lintian --allow-root --show-overrides --fail-on error,warning ./*.changes \
		>lintian.out 2>&1
	judged=$?
	sed 's/^/! /' lintian.out
	[ "$judged" -eq 0 ] && ! grep -q '^[EWO]: ' lintian.out
}

# has PACKAGE PATTERN: some file in that package has such a name.
has() {
	dpkg-deb -c "$work/$1"_*.deb | grep -Eq "$2" || fail "$1 lacks $2"
}

for tool in dpkg-buildpackage lintian dh; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "skipped: debian packages, $tool is missing"
		exit 0
	}
done

if build_packages; then
	echo "ok debian: packages build from the release archive"
else
	fail "dpkg-buildpackage"
	exit 1
fi
if judge; then
	echo "ok debian: lintian is silent"
else
	fail "lintian"
fi

has emsg-server '/usr/sbin/emsgd$'
has emsg-server '/libexec/emsg/emsg-keyd$'
has emsg-server '/lib/systemd/system/emsg\.service$'
has emsg-server '/bash-completion/completions/emsgctl$'
has emsg-server '/sysusers\.d/emsg-server\.conf$'
has emsg-server '/tmpfiles\.d/emsg-server\.conf$'
has emsg-server '/man8/emsgctl\.8\.gz$'
has emsg-server '/man8/emsgd\.8\.gz$'
has emsg-server '/man5/emsg\.yaml\.5\.gz$'
has emsg-server '/examples/emsg\.yaml$'
has emsg-client '/usr/bin/emsg$'
has emsg-client '/man1/emsg\.1\.gz$'
has libemsg1 '/libemsg\.so\.1'
has libemsg-dev '/include/emsg\.h$'
has libemsg-dev '/man3/libemsg\.3\.gz$'
has libemsg-dev '/pkgconfig/libemsg\.pc$'
[ "$status" -ne 0 ] || echo "ok debian: every package has what it is for"
"$EMSG_SRC/tests/debian/install.sh" "$work" || status=1
"$EMSG_SRC/tests/debian/boot.sh" "$work" || status=1
exit "$status"
