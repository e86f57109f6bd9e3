#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: tests/run/lvs.sh COMMAND…
#
# Runs COMMAND where the kernel has ip_vs: here if this one has it, else under user-mode Linux (lab/uml.sh), where the lab that
# COMMAND makes is gone when it ends. This is the only place that decides.
set -euo pipefail

modprobe --quiet ip_vs 2>/dev/null || true # not needed where it is built in or loaded, and not possible everywhere
if [[ -e /proc/net/ip_vs ]]; then
    exec "$@"
fi
exec "$(dirname "${BASH_SOURCE[0]}")/../../lab/uml.sh" run -- "$@"
