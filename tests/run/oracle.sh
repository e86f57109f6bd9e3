#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: make oracle [ONLY=tests/oracle/test_pairs.py]
#
# Our reader and rules against real keepalived, of both Debian releases. ORACLE_SHARE=1 asks everything that the generator
# makes, which takes some minutes more; the usual part takes four on two busy cores, most of it waiting for elections.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${RESULTS:?start it through make oracle}"
[[ $(id -u) == 0 ]] || {
    echo "** oracle: containers and network namespaces need root: sudo make oracle" >&2
    exit 1
}
for release in bookworm trixie; do
    lab/image.sh "$release" >/dev/null
done
mkdir -p "$RESULTS"
echo "== oracle"
python -m pytest --junitxml="$RESULTS/oracle.xml" --override-ini=junit_suite_name=oracle "${@:-tests/oracle}"
