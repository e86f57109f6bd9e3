#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Installs what the container lab needs from the system. What is there already is left as it is.
set -euo pipefail

packages=(
    podman netavark aardvark-dns runc crun conmon uidmap nftables iptables # containers and their network
    mmdebstrap debian-archive-keyring                                     # images from packages, without a registry
    git                                                                   # the list of files for ansible-test
    openssh-client                                                        # what Ansible says of a host that is not there
)
commands=(podman runc conmon nft iptables mmdebstrap git ssh)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    missing=()
    for command in "${commands[@]}"; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    ((${#missing[@]})) || exit 0
    echo "** system-packages: the lab needs ${missing[*]}, and this system has no apt-get." >&2
    echo "   Install them with its package manager (Debian's names: ${packages[*]}), then run the same command again." >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

sudo=()
if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || {
        echo "** system-packages: missing: ${missing[*]}. As root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    sudo=(sudo)
fi
echo "== system-packages: installing ${missing[*]}"
"${sudo[@]}" apt-get -q update >/dev/null
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" >/dev/null || {
    echo "** system-packages: apt-get failed (see above). By hand: apt-get install ${missing[*]}" >&2
    exit 1
}
