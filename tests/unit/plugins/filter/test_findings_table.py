# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter findings_table: order, breaking, joining, and the summary."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.filter.findings_table import FilterModule, findings_table
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding

MAIN = "/etc/keepalived/keepalived.conf"


def finding(rule: str, severity: str, host: str = "ka1", line: int = 7, **more: Any) -> dict[str, Any]:
    given = {"message": "%s is wrong" % rule, "hint": "Mend %s." % rule, "path": MAIN, **more}
    return Finding(rule, severity, host=host, line=line, **given).as_dict()


def rules(lines: list[str]) -> list[str]:
    return [match[1] for match in (re.match(r"(?:error|warning|info) +(K\w+)", line) for line in lines) if match]


def test_a_small_table() -> None:
    lines = findings_table(
        [finding("KP010", "warning", instance="WEB_VIP"), finding("KH009", "error", "ka2", 31)], hosts=["ka1", "ka2"]
    )
    assert [re.sub(r" +", " ", line) for line in lines] == [
        "SEVERITY RULE WHERE WHAT WHAT TO DO",
        "error KH009 ka2:/etc/keepalived/keepalived.conf:31 KH009 is wrong Mend KH009.",
        "",
        "warning KP010 ka1:/etc/keepalived/keepalived.conf:7 WEB_VIP: KP010 is wrong Mend KP010.",
        "",
        "1 error, 1 warning on ka1, ka2.",
    ]
    assert len({line.index(cell) for line, cell in zip(lines[:4:3], ("WHAT", "WEB_VIP"), strict=True)}) == 1


def test_what_happens_now_comes_first_among_the_worst() -> None:
    found = [finding(rule, "error") for rule in ("KH009", "KW001", "KI009", "KP001", "KD002")]
    lines = findings_table([finding("KD004", "warning"), finding("KW002", "info"), *found])
    assert rules(lines) == ["KW001", "KI009", "KD002", "KH009", "KP001", "KD004", "KW002"]


def test_what_is_the_same_in_several_places_is_one_row() -> None:
    lines = findings_table(
        [
            finding("KH007", "warning", "ka1", 36, instance="WEB_VIP"),
            finding("KH007", "warning", "ka1", 59, instance="DB_VIP"),
            finding("KH007", "warning", "ka2", 25, instance="WEB_VIP"),
            finding("KH007", "warning", "ka2", 25, instance="WEB_VIP", hint="Another."),
        ]
    )
    assert rules(lines) == ["KH007", "KH007"]
    assert "WEB_VIP, DB_VIP: KH007 is wrong" in lines[1]
    assert [f"ka{host}:{MAIN}:{line}" in lines[row] for row, host, line in ((1, 1, 36), (2, 1, 59), (3, 2, 25))]
    assert lines[-1] == "4 warnings."


@pytest.mark.parametrize("width", [80, 100, 132, 200])
def test_nothing_is_lost_in_narrow_columns(width: int) -> None:
    words = ["word%d" % number for number in range(60)]
    long = finding("KH034", "error", message=" ".join(words[:30]), hint=" ".join(words[30:]), path="/a" * 60)
    lines = findings_table([long, finding("KH009", "info")], width=width)
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert all(re.search(r"\b%s\b" % word, text) for word in words)
    assert not any(line.endswith(" ") for line in lines)


def test_places_without_file_or_host() -> None:
    lines = findings_table(
        [
            finding("KI009", "error", path="", line=0),
            finding("KI008", "info", host="", path="keepalived_allowed_findings[0]", line=0),
            finding("KW001", "error", path="VRRP on eth0", line=0),
        ]
    )
    text = "\n".join(lines)
    for place in ("ka1 ", " keepalived_allowed_findings[0] ", "ka1:VRRP on eth0 "):
        assert place in text


def test_summary() -> None:
    assert findings_table([]) == ["Nothing found."]
    assert findings_table([], [{}], ["ka1"]) == ["Nothing found on ka1; 1 allowed."]
    many = [finding("KH009", severity, line=line) for severity in ("error", "warning", "info") for line in (1, 2)]
    assert findings_table(many, hosts=["ka1"])[-1] == "2 errors, 2 warnings, 2 info on ka1."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([{"rule": "KH009"}],), "needs findings of vrrp_validate"),
        (("text",), "needs findings of vrrp_validate"),
        (([finding("KH009", "fatal")],), "needs findings of vrrp_validate"),
        (([], [], [], 79), "width is 79, and must be at least 80"),
    ],
)
def test_misuse_is_an_error(arguments: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        findings_table(*arguments)


def test_ansible_finds_it() -> None:
    assert FilterModule().filters()["findings_table"] is findings_table
