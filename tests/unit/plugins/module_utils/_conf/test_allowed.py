# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Comments that allow a finding: which line they speak of, and what is no such comment."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._allowed import allowances, remembered
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse

PATH = "/etc/keepalived/keepalived.conf"


def said(text: str) -> list[tuple[str, str, int, int]]:
    found = allowances({PATH: text})
    assert all((one.path, one.written, one.host, one.instance) == (PATH, PATH, "", "") for one in found)
    return [(one.rule, one.reason, one.line, one.written_line) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb # failover.vip: allow KH009 because it is routed\n", [("KH009", "it is routed", 2, 2)]),
        ("b ! failover.vip: allow KH009 because it is routed", [("KH009", "it is routed", 1, 1)]),
        ("# failover.vip: allow KH009 because x\nb\n", [("KH009", "x", 2, 1)]),
        ("\t## failover.vip:allow KH009 because x \r\n\r\n# more\r\nb\r\n", [("KH009", "x", 4, 1)]),
        (
            "# failover.vip: allow KH009 because x\n! failover.vip: allow KP006 because y\nb\n",
            [("KH009", "x", 3, 1), ("KP006", "y", 3, 2)],
        ),
        ("# failover.vip: allow KH009, KP006 because x\nb", [("KH009", "x", 2, 1), ("KP006", "x", 2, 1)]),
        ("b # failover.vip: allow KH009", [("KH009", "", 1, 1)]),
        ("b # failover.vip: allow KH009 because", [("KH009", "", 1, 1)]),
        ("b # failover.vip: allow", [("", "", 1, 1)]),
        ("b # failover.vip: alow KH009 because x", [("", "", 1, 1)]),
        ("b # failover.vip:", [("", "", 1, 1)]),
        ('script "/bin/a # failover.vip: allow KH009 because x"', []),
        ('script "/bin/a" # failover.vip: allow KH009 because x', [("KH009", "x", 1, 1)]),
        ("# made by failover.vip: allow KH009 because x\nb", []),
        ("failover.vip: allow KH009 because x", []),
        ("", []),
    ],
)
def test_comments(text: str, expected: list[tuple[str, str, int, int]]) -> None:
    assert said(text) == expected


def test_a_comment_above_is_right_for_the_line_that_the_parser_counts() -> None:
    text = "global_defs {\n}\n# failover.vip: allow KH034 because x\n\nunknown_word\n"
    ((_rule, _reason, line, _written),) = said(text)
    nodes = parse(PATH, from_texts({PATH: text})).nodes
    assert line == nodes[-1].origin.line == 5


def test_time_grows_with_the_text_alone() -> None:
    many = 20000
    found = said("# failover.vip: allow KH009 because x\n" * many + "b\n")
    assert len(found) == many
    assert {line for _rule, _reason, line, _written in found} == {many + 1}


@pytest.mark.parametrize(
    ("line", "blocks"),
    [
        ("vrrp_instance A {", (1, 0)),
        ("172.25.254.100", (4, 3)),
        ("priority 100", (2, 1)),
        ("}", (5, 3)),
        ("weight 3", (11, 9)),
    ],
)
def test_the_block_around_a_line(line: str, blocks: tuple[int, int]) -> None:
    text = """vrrp_instance A {
    priority 100 # {
    virtual_ipaddress {
        172.25.254.100
    }
    notify "/bin/a } {"
}

vrrp_script b
{
    weight 3
}
"""
    commented = text.replace(line, line + " # failover.vip: allow KH009 because x", 1)
    ((allowance),) = allowances({PATH: commented})
    assert (allowance.line, allowance.block_line) == blocks


def test_every_file_that_was_read_is_remembered() -> None:
    files = {"/a/main.conf": "include sub.conf\ninclude gone.conf\n", "/a/sub.conf": "global_defs {\n}\n"}
    load, texts = remembered(from_texts(files))
    parse("/a/main.conf", load)
    assert texts == files
