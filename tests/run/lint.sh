#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: make lint [ONLY=ruff]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/run/steps.sh

link=.ansible/collections/ansible_collections/failover/vip

# Through the link every file has its real module name; the messages are to name the real file.
types() {
    files '*.py' | sed --null-data "s|^|$link/|" | xargs -0 mypy 2>&1 | sed "s|^$link/||"
}
shell_scripts() {
    files '*.sh' .ci/run | xargs -0 shellcheck --external-sources
}

steps_begin lint "${1:-}"
step yamllint yamllint --strict .
step ruff ruff check .
step ruff-format ruff format --check .
step mypy types
step shellcheck shell_scripts
step ansible-lint ansible-lint --nocolor -q
step changelog antsibull-changelog lint
step docs antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
steps_end
