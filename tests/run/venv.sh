#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Makes or updates the virtual environment $VENV from requirements-dev.txt; does nothing when it is as wanted.
# Environment: VENV; PYTHON, an interpreter of 3.11 or newer (default: the first one found).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# An environment whose interpreter has gone must not hide a good one.
PATH=${PATH//"$VENV/bin:"/}

mkdir -p "$(dirname "$VENV")"
# Two clones, or two makes, may come at once.
exec 9>"$VENV.lock"
flock 9

stamp=$VENV/requirements-dev.txt # what was installed
if [[ -f $stamp ]] && cmp -s requirements-dev.txt "$stamp" && "$VENV/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

# Asking the interpreter itself also passes over pyenv's shims of versions that are not active: they only print an error.
usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
find_python() {
    local candidate
    # 3.11 to 3.13 first: they all get the same Ansible.
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        if usable "$candidate"; then
            # The interpreter behind a shim or a virtual environment that happens to be active.
            "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
            return
        fi
    done
    return 1
}
# Debian packs ensurepip separately; without it the environment gets no pip.
complete() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}
apt() {
    local sudo=()
    [[ $(id -u) == 0 ]] || sudo=(sudo)
    { "${sudo[@]}" apt-get -q update && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"; } >/dev/null
}
can_apt() {
    command -v apt-get >/dev/null && { [[ $(id -u) == 0 ]] || command -v sudo >/dev/null; }
}

if ! python=$(find_python) || ! complete "$python"; then
    if [[ -z ${PYTHON:-} ]] && can_apt; then
        echo "== venv: no complete Python 3.11 or newer yet: installing python3-venv"
        apt python3 python3-venv
        # Before any unfinished one that stands earlier in PATH.
        python=/usr/bin/python3
    fi
    if ! usable "${python:-false}" || ! complete "$python"; then
        cat >&2 <<-MESSAGE
			** venv: the tools need Python 3.11 or newer with the modules venv and ensurepip, and none was found.
			   Install one (Debian 12 and newer, Ubuntu 24.04 and newer: apt install python3 python3-venv; Fedora, RHEL 9 and
			   newer: dnf install python3.12), or name one: make venv PYTHON=/path/to/python3.12
		MESSAGE
        exit 1
    fi
fi

echo "== venv: $VENV from $python; a minute or two when it is new"
if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
fi
rm -f "$stamp"
if ! "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy only-if-needed \
    --requirement requirements-dev.txt; then
    echo "** venv: pip failed (see above). Is the package index reachable? Again: make venv" >&2
    exit 1
fi
cp requirements-dev.txt "$stamp"
