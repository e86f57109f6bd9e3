#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: lab/demo.sh        (make demo installs what it needs, and calls it)
#
# The reference cluster in containers, set up by site.yml, and a failover with its time. Leaves the lab up.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."

step() {
    printf '\n== demo: %s (%s s so far)\n' "$1" "$SECONDS"
    shift
    "$@" || {
        printf '** demo: that failed. It alone: %s\n' "$*" >&2
        exit 1
    }
}

step "five containers: two directors, two real servers, a client" lab/lab.sh up
step "the cluster, by ansible-playbook -i inventories/lab site.yml" ansible-playbook -i inventories/lab site.yml
step "a failover and a planned move, and what the client sees of them" ansible-playbook -i inventories/lab lab/failover.yml

cat <<EOF

== demo: done after $SECONDS s. The lab is up:
   podman exec ka1 tail /var/log/keepalived.log       what a director did
   podman exec client curl -s 172.25.254.100         the page through WEB_VIP
   lab/lab.sh status                                 the containers
   make clean                                        removes them
EOF
