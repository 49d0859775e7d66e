#!/bin/sh
# SPDX-License-Identifier: ISC
# init.sh ROOT - the system in ROOT with systemd as its first process. For boot.sh, which calls it
# in name spaces of its own (unshare -m -p -f -u -i -C -n).
set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
ip link set lo up
cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
export container=test
exec /lib/systemd/systemd --system --unit=multi-user.target
