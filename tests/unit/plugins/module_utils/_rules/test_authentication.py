# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about passwords."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import _authentication
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    both,
    complete,
    everywhere,
    find,
    globally,
    silent,
)


def password(*words: str) -> Change:
    """Gives the instances these passwords, on both hosts."""

    def change(cluster: Cluster) -> None:
        for one in cluster.directors.values():
            for number, word in enumerate(words):
                one.instances[number].options["authentication"] = {"auth_type": "PASS", "auth_pass": word}

    return change


CASES: list[Case] = [
    ("KH005", "error", "has 9 characters", everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcdefghi"})),
    (
        "KH006",
        "error",
        "VRRP version 3, which has none",
        both(
            everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcd"}), globally("ka1 ka2", vrrp_version=3)
        ),
    ),
    ("KH007", "warning", "has 4 characters", everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcd"})),
    ("KH007", "warning", "manuals", everywhere(authentication={"auth_type": "PASS", "auth_pass": "1ce24b6e"})),
    ("KH007", "warning", "one auth_pass is used for all of DB_VIP, WEB_VIP", password("abcdefgh", "abcdefgh")),
    ("KH007", "warning", "one auth_pass", password("%%auth_pass:1a2b%%", "%%auth_pass:1a2b%%")),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_authentication, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("a password for each instance", password("abcdefgh", "abcdefgi")),
    ("the tokens of two passwords", password("%%auth_pass:1a2b%%", "%%auth_pass:1a2c%%")),
    ("tokens that tell nothing", password("%%auth_pass%%", "%%auth_pass%%")),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
