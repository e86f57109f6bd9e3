#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# The first process under the kernel that uml.sh starts. Its root is the machine that uml.sh runs on, read only. Lays a
# layer in memory over it, so that everything can be written and nothing is changed, runs the command, and powers off.
# $JOB is the directory that uml.sh made: settings, environment and, written here, the command's exit status.
# shellcheck disable=SC1091,SC2154  # the settings are written by uml.sh: root checkout images directory command size
set -u
if [[ ${1:-} == command ]]; then
    # Started once more, below. Its own shell, as variables are exported into it.
    . /run/job/environment
    . /run/job/settings
    cd "$directory" || exit
    "${command[@]}"
    exit
fi
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. "$JOB/settings"

power_off() {
    echo o >/proc/sysrq-trigger
    sleep infinity
}
trap power_off EXIT

layer() {
    set -e
    mount -t tmpfs -o size=75% memory /run
    mkdir /run/over /run/work /run/root /run/containers
    chroot "$root" /usr/sbin/modprobe overlay
    mount -t overlay -o lowerdir=/,upperdir=/run/over,workdir=/run/work overlay /run/root
    cd /run/root
    mount -t proc proc proc
    mount -t sysfs sys sys
    mount -t cgroup2 cgroup sys/fs/cgroup
    mount -t devtmpfs dev dev
    mkdir -p dev/pts dev/shm
    mount -t devpts -o gid=5,mode=620 devpts dev/pts
    mount -t tmpfs shm dev/shm
    # podman's layers cannot lie on a layer.
    mkdir -p var/lib/containers
    mount --bind /run/containers var/lib/containers
    mount -t tmpfs run run
    mkdir -m 1777 run/lock
    mkdir run/old run/job run/images
    mount -t hostfs -o "/machine$JOB" job run/job
    mount -t hostfs -o "/machine$checkout" checkout ".$checkout"
    # In place of the old root, not within it: a container's root must be the root of its namespace.
    pivot_root . run/old
    cd /
    umount --lazy run/old
}

# What a machine has after its boot.
settle() {
    set -e
    hostname uml
    ip link set lo up
    # The kernel asks for its modules with this command.
    mkdir -p /lib/modules
    ln -sfn "$root/usr/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"
    rm -f /usr/sbin/modprobe
    printf '#!/bin/sh\nexec chroot %q /usr/sbin/modprobe "$@"\n' "$root" >/usr/sbin/modprobe
    chmod 755 /usr/sbin/modprobe
    modprobe ip_vs
    # The machine's images, to be run from where they are; everything else of podman's is new.
    if [[ -n $images ]]; then
        mount -t hostfs -o "ro,/machine$images" images /run/images
        mkdir -p /etc/containers
        printf '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n[storage.options]\nadditionalimagestores = ["/run/images"]\n' \
            >/etc/containers/storage.conf
    fi
}

mount -t proc proc /proc
# Not in a condition: bash would then pass over a failure in the middle.
layer
settle
set +e

if [[ -n $size ]]; then
    stty -F /dev/tty1 rows "${size% *}" cols "${size#* }"
    setsid --ctty --wait /run/job/init command <>/dev/tty1 >&0 2>&0
    status=$?
else
    # Through pipes, so that the command sees no terminal, whose width and colours would not be the caller's.
    mkfifo /run/output /run/errors
    stty -F /dev/tty1 -opost
    stty -F /dev/tty2 -opost
    cat /run/output >/dev/tty1 &
    printers=(--pid=$!)
    cat /run/errors >/dev/tty2 &
    printers+=(--pid=$!)
    /run/job/init command </dev/null >/run/output 2>/run/errors
    status=$?
    # To the last line, but for what a process left behind may still print.
    timeout 5 tail "${printers[@]}" --sleep-interval=0.1 -f /dev/null
    stty -F /dev/tty1 opost
    stty -F /dev/tty2 opost
fi
echo "$status" >/run/job/status
