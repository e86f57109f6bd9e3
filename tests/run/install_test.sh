#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Builds the collection, installs it into an empty place and uses it from there, far from the checkout.
# usage: make install [ONLY=syntax]; build and install always run, as the others need them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/run/steps.sh

checkout=$PWD
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
installed=$temporary/collections/ansible_collections/failover/vip

# Nothing of the checkout: no configuration, no link, another directory.
elsewhere() {
    (cd "$temporary" && env -u ANSIBLE_CONFIG ANSIBLE_HOME="$temporary/home" ANSIBLE_COLLECTIONS_PATH="$temporary/collections" "$@")
}

build() {
    ansible-galaxy collection build --output-path "$temporary" >"$temporary/build.log" 2>&1 || {
        cat "$temporary/build.log"
        return 1
    }
}
install() {
    # Its one dependency, ansible.posix, is in the virtual environment.
    elsewhere ansible-galaxy collection install --no-deps --offline -p "$temporary/collections" "$temporary"/failover-vip-*.tar.gz
}
contents() {
    # What belongs to the checkout alone has no place in the artifact, and what is needed must be in it.
    local path bad=0
    for path in tests lab molecule .ansible .ci .config Makefile ansible.cfg inventories/lab; do
        [[ ! -e $installed/$path ]] || { echo "packed though it should not be: $path" && bad=1; }
    done
    for path in meta/runtime.yml playbooks/site.yml roles plugins/modules README.md LICENSE inventories/example; do
        [[ -e $installed/$path ]] || { echo "not packed: $path" && bad=1; }
    done
    return "$bad"
}
site_elsewhere() {
    printf -- '---\n- name: The cluster, as part of something larger\n  ansible.builtin.import_playbook: failover.vip.site\n' \
        >"$temporary/larger.yml"
    elsewhere ansible-playbook -i "$installed/inventories/example" --syntax-check larger.yml
    # A check of syntax alone would also pass for a playbook of nothing.
    elsewhere ansible-playbook -i "$installed/inventories/example" --list-tasks larger.yml >"$temporary/tasks.txt"
    local role
    for role in keepalived haproxy real_server; do
        grep -q "$role" "$temporary/tasks.txt" || { echo "no task of the role $role in failover.vip.site" && return 1; }
    done
}
modules_documented() {
    local module found=0
    for module in "$installed"/plugins/modules/[!_]*.py; do
        [[ -e $module ]] || break
        module=failover.vip.$(basename "$module" .py)
        elsewhere ansible-doc --type module "$module" >"$temporary/doc.txt" || { echo "no documentation: $module" && return 1; }
        grep -q "^EXAMPLES" "$temporary/doc.txt" || { echo "no examples: $module" && return 1; }
        found=$((found + 1))
    done
    echo "   $found modules"
    ((found))
}
roles_documented() {
    local role
    for role in "$installed"/roles/*/; do
        role=failover.vip.$(basename "$role")
        elsewhere ansible-doc --type role "$role" | grep -q "OPTIONS\|ENTRY POINT" || { echo "no documentation: $role" && return 1; }
    done
}
inventory() {
    (cd "$checkout" && ansible-playbook -i "inventories/$1" --syntax-check site.yml)
}

steps_begin install
step build build
step install install
if ((${#failed[@]})); then
    steps_end
    exit
fi
only=${1:-}
step contents contents
step syntax site_elsewhere
step modules modules_documented
step roles roles_documented
step example inventory example
step lab inventory lab
steps_end
