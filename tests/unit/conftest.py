# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""How tests that generate their input run: a busy machine is slow, and that is no mistake of what is tested."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("failover", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("failover")
