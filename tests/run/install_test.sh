#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Builds the collection, installs it into an empty place and uses it from there, far from the checkout.
# usage: make install [ONLY=site]; build and install always run, as the others need them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/run/steps.sh

# An inventory that is not there is only a warning otherwise.
export ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true ANSIBLE_INVENTORY_UNPARSED_FAILED=true

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
    elsewhere ansible-galaxy collection install --no-deps --offline --force -p "$temporary/collections" "$temporary"/failover-vip-*.tar.gz
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
    cat >"$temporary/larger.yml" <<-'PLAYBOOK'
		---
		- name: The cluster, as part of something larger
		  ansible.builtin.import_playbook: failover.vip.site
	PLAYBOOK
    elsewhere ansible-playbook -i "$installed/inventories/example" --syntax-check larger.yml
    # A check of syntax alone would also pass for a playbook of nothing: it must come to the same as site.yml here.
    ansible-playbook -i inventories/example --list-tasks site.yml | sed 1,2d >"$temporary/here.txt"
    elsewhere ansible-playbook -i "$installed/inventories/example" --list-tasks larger.yml | sed 1,2d >"$temporary/there.txt"
    grep -q 'play #' "$temporary/here.txt"
    diff "$temporary/here.txt" "$temporary/there.txt"
}
roles_elsewhere() {
    # include_role is not followed by a check of syntax, so once more with the roles named outright.
    cat >"$temporary/roles.yml" <<-'PLAYBOOK'
		---
		- name: The roles, without the playbook
		  hosts: all
		  roles:
		    - role: failover.vip.haproxy
		    - role: failover.vip.keepalived
		    - role: failover.vip.real_server
	PLAYBOOK
    elsewhere ansible-playbook -i "$installed/inventories/example" --syntax-check roles.yml
}
# documented TYPE PART… : ansible-doc knows every one of that type, with all these parts.
documented() {
    local type=$1 path names=()
    shift
    for path in "$installed/plugins/${type}s"/[!_]*.py "$installed/${type}s"/*/; do
        [[ ! -e $path ]] || names+=("failover.vip.$(basename "$path" .py)")
    done
    if ((${#names[@]} == 0)); then
        echo "there is no $type at all"
        return 1
    fi
    elsewhere ansible-doc --json --type "$type" "${names[@]}" >"$temporary/doc.json"
    python - "$temporary/doc.json" "${names[*]}" "$*" <<-'PYTHON'
		import json, sys
		with open(sys.argv[1], encoding="utf-8") as file:
		    documented = json.load(file)
		lacking = [f"{name}: no {part}" for name in sys.argv[2].split() for part in sys.argv[3].split() if not documented.get(name, {}).get(part)]
		sys.exit("\n".join(lacking) or 0)
	PYTHON
    echo "   ${names[*]}"
}
inventory() {
    ansible-playbook -i "inventories/$1" --syntax-check site.yml
}

steps_begin install
step build build
step install install
if ((${#failed[@]})); then
    steps_end
    exit
fi
only=${1:-} ran=0
step contents contents
step site site_elsewhere
step roles roles_elsewhere
step module-docs documented module doc examples return
step role-docs documented role entry_points
step inventory-example inventory example
step inventory-lab inventory lab
steps_end
