# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Findings that are allowed, and allowances that are wrong themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._finding import Allowance, Finding
from ansible_collections.failover.vip.plugins.module_utils._rules._allowed import (
    EVERY_RULE,
    HOST_RULES,
    applied,
    from_inventory,
)

PATH = "/etc/keepalived/keepalived.conf"
FOUND = [
    Finding("KP017", "warning", "alone", "Add one.", "ka1", PATH, 4, "WEB_VIP"),
    Finding("KP017", "warning", "alone", "Add one.", "ka2", PATH, 9, "DB_VIP"),
    Finding("KH009", "warning", "no prefix", "Write it.", "ka1", PATH, 7, "WEB_VIP"),
]


def parted(*allowances: Allowance, judged: Any = EVERY_RULE) -> tuple[list[str], list[str]]:
    """What stays and what is allowed, as 'rule host'."""
    left, allowed = applied(FOUND, allowances, judged)
    return (
        [f"{one.rule} {one.host}".strip() for one in left],
        [f"{one['rule']} {one['host']}".strip() for one in allowed],
    )


def inventory(**item: Any) -> Allowance:
    (allowance,) = from_inventory([{"reason": "because", **item}])
    return allowance


ALL = ["KH009 ka1", "KP017 ka1", "KP017 ka2"]


@pytest.mark.parametrize(
    ("allowance", "stays"),
    [
        (inventory(rule="KP017"), ["KH009 ka1"]),
        (inventory(rule="KP017", host="ka1"), ["KH009 ka1", "KP017 ka2"]),
        (inventory(rule="KP017", instance="DB_VIP"), ["KH009 ka1", "KP017 ka1"]),
        (inventory(rule="KP017", host="ka1", instance=None), ["KH009 ka1", "KP017 ka2"]),
        (Allowance("KH009", "because", path=PATH, line=7, host="ka1"), ["KP017 ka1", "KP017 ka2"]),
        (inventory(rule="KP017", host="ka1", instance="DB_VIP"), [*ALL, "KI008 ka1"]),
        (Allowance("KH009", "because", path=PATH, line=8), [*ALL, "KI008"]),
        (Allowance("KH009", "because", path="/other", line=7), [*ALL, "KI008"]),
    ],
)
def test_what_stays(allowance: Allowance, stays: list[str]) -> None:
    left, allowed = parted(allowance)
    assert sorted(left) == sorted(stays)
    assert sorted(allowed) == sorted(set(ALL) - set(stays))


def test_the_reason_and_its_place_are_kept() -> None:
    _left, (one,) = applied(FOUND, [Allowance("KH009", "routed", written=PATH, written_line=6)], EVERY_RULE)
    assert one == {**FOUND[2].as_dict(), "reason": "routed", "allowed_at": PATH + ":6"}
    _left, (two,) = applied(FOUND, [inventory(rule="KH009")], EVERY_RULE)
    assert two["allowed_at"] == "keepalived_allowed_findings[0]"


@pytest.mark.parametrize(
    ("allowance", "rule", "words", "hint"),
    [
        (inventory(rule="KP017", reason=""), "KI006", "no reason is given", "Say why"),
        (inventory(rule="KP017", reason=" "), "KI006", "no reason is given", "Say why"),
        (inventory(rule="KP017", reason=None), "KI006", "no reason is given", "Say why"),
        (inventory(rule="KP0017"), "KI007", "'KP0017' is no rule", "Did you mean 'KP017'?"),
        (inventory(), "KI007", "'' is no rule", "Write 'allow RULE because REASON'"),
        (inventory(rule="KI005"), "KI007", "'KI005' cannot be allowed", ""),
        (inventory(rule="KH034"), "KI008", "nothing that KH034 finds", "Drop the allowance"),
    ],
)
def test_what_is_wrong_with_an_allowance(allowance: Allowance, rule: str, words: str, hint: str) -> None:
    left, allowed = applied(FOUND, [allowance], EVERY_RULE)
    assert allowed == []
    (wrong,) = [one for one in left if one not in FOUND]
    assert (wrong.rule, wrong.path) == (rule, "keepalived_allowed_findings[0]")
    assert words in wrong.message
    assert wrong.hint.startswith(hint)


def test_nothing_is_said_of_a_rule_that_nobody_looked_for() -> None:
    assert parted(inventory(rule="KH034"), judged={"KP017"}) == (
        ["KP017 ka1", "KH009 ka1", "KP017 ka2"],
        [],
    )


def test_every_rule_that_the_sources_name_can_be_named() -> None:
    plugins = Path(__file__).parents[5] / "plugins"
    named = set()
    for path in plugins.rglob("*.py"):
        named |= set(re.findall(r'"(K[A-Z]\d{3})"', path.read_text(encoding="utf-8")))
    assert len(named) > 60
    assert named <= EVERY_RULE
    assert HOST_RULES < EVERY_RULE
