# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""A rule: what the catalogue says of it, beside the function that finds it.

The decorators turn a function into a :class:`Rule`; its docstring is the rule's explanation in ``docs/rules.md``.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group

#: The manual page, as the source of a rule.
MAN = "keepalived.conf(5)"

HostRule = Callable[[Director], Iterator[Fault]]
GroupRule = Callable[[Group], Iterator[Fault]]
GroupsRule = Callable[[list[Group]], Iterator[Fault]]
ClusterRule = Callable[[Cluster], Iterator[Fault]]

#: What a rule looks at: one host, the members of one instance, all instances, or the whole cluster.
HOST, GROUP, GROUPS, CLUSTER = "host", "group", "groups", "cluster"


class Rule(NamedTuple):
    """One rule. ``check`` takes what ``scope`` names and gives faults."""

    id: str
    severity: str
    title: str
    hint: str
    source: str
    scope: str
    check: Callable[[Any], Iterator[Fault]]

    def finding(self, found: Fault) -> Finding:
        """The fault as a finding; its own severity and hint come before the rule's."""
        return Finding(
            self.id,
            found.severity or self.severity,
            found.message,
            found.hint or self.hint,
            found.host,
            found.origin.path,
            found.origin.line,
            found.instance,
        )


def host_rule(rule: str, severity: str, title: str, hint: str, source: str) -> Callable[[HostRule], Rule]:
    """Decorate a function of one :class:`Director`."""
    return lambda check: Rule(rule, severity, title, hint, source, HOST, check)


def group_rule(rule: str, severity: str, title: str, hint: str, source: str) -> Callable[[GroupRule], Rule]:
    """Decorate a function of one :class:`Group`, the members of a VRRP instance."""
    return lambda check: Rule(rule, severity, title, hint, source, GROUP, check)


def groups_rule(rule: str, severity: str, title: str, hint: str, source: str) -> Callable[[GroupsRule], Rule]:
    """Decorate a function of all the :class:`Group` of a cluster."""
    return lambda check: Rule(rule, severity, title, hint, source, GROUPS, check)


def cluster_rule(rule: str, severity: str, title: str, hint: str, source: str) -> Callable[[ClusterRule], Rule]:
    """Decorate a function of the whole :class:`Cluster`."""
    return lambda check: Rule(rule, severity, title, hint, source, CLUSTER, check)


def rules_in(room: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules among a module's names (``vars(module)``), in the order in which they are written."""
    return tuple(value for value in room.values() if isinstance(value, Rule))
