#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Every part of `make test`, one after the other, also after a failure; the last line is the count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rm -rf "$RESULTS"
mkdir -p "$RESULTS"

failed=()
for part in lint sanity unit install oracle short-soak molecule; do
    start=$SECONDS
    if make "$part" ONLY=; then
        echo "== $part: passed ($((SECONDS - start)) s)"
    else
        failed+=("$part")
        echo "** $part: FAILED after $((SECONDS - start)) s. It alone: make $part"
    fi
done
echo "== all parts after $((SECONDS / 60)) min $((SECONDS % 60)) s"
python tests/run/count.py "${failed[@]}"
