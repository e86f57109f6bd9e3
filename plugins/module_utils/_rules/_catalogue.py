# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The catalogue of rules, and the function that runs them all on a cluster.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._finding import Finding, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import (
    _addresses,
    _authentication,
    _daemon,
    _environment,
    _globals,
    _haproxy,
    _hmac,
    _instance,
    _lvs,
    _lvs_checks,
    _lvs_services,
    _pair,
    _peers,
    _rollout,
    _scripts,
    _together,
    _weights,
    _wire,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import (
    CLUSTER,
    GROUP,
    GROUPS,
    HOST,
    Rule,
    rules_in,
)

#: The modules that hold rules.
ROOMS: tuple[ModuleType, ...] = (
    _addresses,
    _authentication,
    _daemon,
    _environment,
    _globals,
    _haproxy,
    _hmac,
    _instance,
    _lvs,
    _lvs_checks,
    _lvs_services,
    _pair,
    _peers,
    _rollout,
    _scripts,
    _together,
    _weights,
    _wire,
)

#: Every rule, by its id.
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule for room in ROOMS for rule in rules_in(vars(room))),
        key=lambda rule: rule.id,
    )
)


def check(cluster: Cluster, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """All findings of a cluster, worst first. Takes a model from any source."""
    instances = groups(cluster)
    subjects: dict[str, Sequence[Any]] = {
        HOST: list(cluster.directors.values()),
        GROUP: instances,
        GROUPS: [instances],
        CLUSTER: [cluster],
    }
    return ordered(
        rule.finding(found) for rule in rules for subject in subjects[rule.scope] for found in rule.check(subject)
    )
