#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# A minute of benchmarks/soak.py, with the keepalived of Debian 12: no false failover of safe and standard on loaded cores and with
# 30 % of the advertisements lost, and a crash within the protocol's interval. `make soak` takes ten minutes and says more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${RESULTS:?start it through make short-soak}"
lab/image.sh bookworm >/dev/null
mkdir -p "$RESULTS"
echo "== soak"
if python benchmarks/soak.py --image bookworm --minutes 1 --crash 1; then
    echo "passed short-soak" >"$RESULTS/short-soak.txt"
else
    echo "failed short-soak" >"$RESULTS/short-soak.txt"
    exit 1
fi
