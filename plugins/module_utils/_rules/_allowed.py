# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Findings that somebody allows, each with a reason: in the inventory, or by a comment in the file.

KI006 (no reason), KI007 (no such rule) and KI008 (nothing to allow) are about the allowances themselves.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import (
    INFO,
    WARNING,
    Allowance,
    Finding,
    ordered,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import READING, TITLES
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import HOST

#: Every rule, and those that one host's files alone can break.
EVERY_RULE = frozenset(rule.id for rule in RULES) | frozenset(TITLES)
HOST_RULES = frozenset(rule.id for rule in RULES if rule.scope == HOST) | frozenset(READING)
VARIABLE = "keepalived_allowed_findings"


def from_inventory(items: Iterable[Mapping[str, Any]]) -> list[Allowance]:
    """The allowances of the inventory's variable, each a mapping of rule, reason, host and instance."""

    def said(item: Mapping[str, Any], key: str) -> str:
        return str(item.get(key) or "").strip()

    return [
        Allowance(
            said(item, "rule"),
            said(item, "reason"),
            said(item, "host"),
            said(item, "instance"),
            written="%s[%d]" % (VARIABLE, index),
        )
        for index, item in enumerate(items)
    ]


def applied(
    findings: Iterable[Finding], allowances: Iterable[Allowance], judged: Collection[str]
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Parts the findings: those that stay, with what is wrong with the allowances, and those that are allowed.

    A finding of a rule KI… is about the description itself and stays.

    :param judged: the rules that were looked for; of the others nobody can say that there was nothing to allow.
    :returns: the findings, worst first, and each allowed one as plain data with its ``reason`` and ``allowed_at``.
    """
    left, allowed = [], []
    sound: dict[str, list[Allowance]] = {}
    used: set[Allowance] = set()
    every = list(dict.fromkeys(allowances))
    for allowance in every:
        wrong = _fault(allowance)
        if wrong is None:
            sound.setdefault(allowance.rule, []).append(allowance)
        else:
            left.append(wrong)
    for finding in ordered(findings):
        covering = [allowance for allowance in sound.get(finding.rule, []) if allowance.covers(finding)]
        used.update(covering)
        if covering:
            said = covering[0]
            allowed.append({**finding.as_dict(), "reason": said.reason, "allowed_at": said.place()})
        else:
            left.append(finding)
    for rule in set(sound) & set(judged):
        left += [
            _about(
                allowance,
                "KI008",
                INFO,
                "nothing that %s finds is left to allow" % rule,
                "Drop the allowance, or correct what it speaks of.",
            )
            for allowance in sound[rule]
            if allowance not in used
        ]
    return ordered(left), allowed


def _fault(allowance: Allowance) -> Optional[Finding]:
    """What is wrong with an allowance, whatever was found."""
    if allowance.rule not in EVERY_RULE or allowance.rule.startswith("KI"):
        near = difflib.get_close_matches(allowance.rule.upper(), sorted(EVERY_RULE), n=1, cutoff=0.75)
        why = "cannot be allowed" if allowance.rule in EVERY_RULE else "is no rule"
        return _about(
            allowance,
            "KI007",
            WARNING,
            "'%s' %s: nothing is allowed by this" % (allowance.rule, why),
            "Did you mean '%s'?" % near[0]
            if near
            else "Write 'allow RULE because REASON', as 'allow KH009 because …'.",
        )
    if not allowance.reason:
        return _about(
            allowance,
            "KI006",
            WARNING,
            "%s is to be allowed, but no reason is given: it is not allowed" % allowance.rule,
            "Say why it may stay, for whoever reads it next: 'because …' in a comment, 'reason' in the inventory.",
        )
    return None


def _about(allowance: Allowance, rule: str, severity: str, message: str, hint: str) -> Finding:
    return Finding(
        rule,
        severity,
        message,
        hint,
        allowance.host,
        allowance.written,
        allowance.written_line,
        allowance.instance,
    )
