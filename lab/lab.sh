#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: lab/lab.sh up|down|status
#
# The container lab that inventories/lab describes. Environment, all optional: LAB_ID (one more lab beside the
# usual one), LAB_SUBNET, LAB_DEBIAN (bookworm or trixie), LAB_IMAGE, LAB_CONNECTION (inventories/lab/group_vars/lab.yml
# says what each means), ANSIBLE_PLAYBOOK (which one to run; default: the one of "make venv", else the one in PATH).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/failover.vip/venv
network=failover-vip${LAB_ID:+-$LAB_ID}

die() {
    printf 'lab: %s\n' "$*" >&2
    exit 1
}

play() {
    local ansible=${ANSIBLE_PLAYBOOK:-$venv/bin/ansible-playbook}
    [[ -x $ansible ]] || ansible=$(command -v ansible-playbook) || die "ansible-playbook not found: run make venv"
    ANSIBLE_CONFIG="$here/../ansible.cfg" "$ansible" -i "$here/../inventories/lab" "$@"
}

(($# == 1)) || die "usage: lab/lab.sh up|down|status"
[[ $(id -u) == 0 ]] || die "needs root (systemd and kernel settings in containers): use sudo"
command -v podman >/dev/null || die "podman is not installed: run make system-packages"

case $1 in
up)
    # Built here as well as in the playbook, as here its progress can be seen.
    "$here/image.sh" "${LAB_IMAGE:-${LAB_DEBIAN:-trixie}}" >/dev/null
    play "$here/create.yml"
    ;;
down) play "$here/destroy.yml" ;;
status)
    podman network exists "$network" || die "network $network does not exist: the lab is down (lab/lab.sh up)"
    podman ps --all --filter "network=$network" --format 'table {{.Names}} {{.Status}} {{.Image}}'
    podman network inspect --format '{{.Name}} {{range .Subnets}}{{.Subnet}}{{end}} internal={{.Internal}}' "$network"
    ;;
*) die "usage: lab/lab.sh up|down|status" ;;
esac
