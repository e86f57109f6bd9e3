# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The catalogue of rules, and the function that runs them all on a cluster.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.failover.vip.plugins.module_utils._finding import Finding, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import _host, _pair, _weights
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import CLUSTER, GROUP, HOST, Rule, rules_in

#: Every rule, by its id.
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule for room in (_host, _pair, _weights) for rule in rules_in(vars(room))),
        key=lambda rule: rule.id,
    )
)


def check(cluster: Cluster, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """All findings of a cluster, worst first. Takes a model from any source."""
    subjects = {HOST: list(cluster.directors.values()), GROUP: groups(cluster), CLUSTER: [cluster]}
    return ordered(
        rule.finding(found) for rule in rules for subject in subjects[rule.scope] for found in rule.check(subject)
    )
