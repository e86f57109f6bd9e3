# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Which packet filters surely drop VRRP: rule sets as nft 1.0.6 and iptables 1.8.9 print them, and single rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._firewall import (
    Packet,
    dropped_by_iptables,
    dropped_by_nft,
)

DATA = Path(__file__).parents[3] / "data" / "firewall"
KA2 = Packet(4, "eth0", "172.25.254.60", "172.25.254.50")
STRANGER = Packet(4, "eth0", "192.0.2.1", "172.25.254.50")
MULTICAST = Packet(4, "eth0", "", "224.0.0.18")
SIX = Packet(6, "eth0", "2001:db8::60", "2001:db8::50")


def data(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "packet", "expected"),
    [
        ("firewalld.json", KA2, {"4": "table inet firewalld, chain filter_INPUT: reject"}),
        ("firewalld.json", SIX, {"6": "table inet firewalld, chain filter_INPUT: reject"}),
        ("firewalld.json", KA2._replace(interface="lo"), {}),
        ("server.json", KA2, {}),
        ("server.json", SIX, {}),
        ("server.json", STRANGER, {"4": "table inet filter, chain input: policy drop"}),
        # Whoever sends by multicast may be the one that is accepted.
        ("server.json", MULTICAST, {}),
        # What iptables wrote there has conditions that nft cannot show.
        ("iptables-nft.json", STRANGER, {}),
    ],
)
def test_nft(name: str, packet: Packet, expected: dict[str, str]) -> None:
    assert dropped_by_nft(data(name), [packet]) == expected


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (KA2, {}),
        (STRANGER, {"4": "iptables chain INPUT: ! -s 172.25.254.0/24 -j DROP"}),
        (KA2._replace(source="172.25.254.61"), {"4": "iptables chain INPUT: policy drop"}),
        (MULTICAST, {}),
        (SIX, {}),
    ],
)
def test_iptables(packet: Packet, expected: dict[str, str]) -> None:
    assert dropped_by_iptables(data("iptables.txt"), [packet], 4) == expected


def ruleset(*expressions: Any, policy: str = "drop", family: str = "inet") -> str:
    """One base chain with one rule."""
    place = {"family": family, "table": "t"}
    chain = {**place, "name": "in", "type": "filter", "hook": "input", "policy": policy}
    return json.dumps({"nftables": [{"chain": chain}, {"rule": {**place, "chain": "in", "expr": list(expressions)}}]})


def is_(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


PROTOCOL = {"payload": {"protocol": "ip", "field": "protocol"}}
SOURCE = {"payload": {"protocol": "ip", "field": "saddr"}}
L4 = {"meta": {"key": "l4proto"}}
ACCEPT = {"accept": None}


@pytest.mark.parametrize(
    ("expressions", "dropped"),
    [
        ([], True),
        ([ACCEPT], False),
        ([is_(L4, "vrrp"), ACCEPT], False),
        ([is_(L4, 112), ACCEPT], False),
        ([is_(L4, {"set": [6, 17, {"range": [100, 120]}]}), ACCEPT], False),
        ([is_(L4, {"set": ["tcp", "udp"]}), ACCEPT], True),
        ([is_(L4, "vrrp", "!="), ACCEPT], True),
        ([is_(PROTOCOL, "vrrp"), ACCEPT], False),
        ([is_({"payload": {"protocol": "ip6", "field": "nexthdr"}}, 112), ACCEPT], True),
        ([is_(SOURCE, {"prefix": {"addr": "172.25.254.0", "len": 24}}), ACCEPT], False),
        ([is_(SOURCE, {"range": ["172.25.254.1", "172.25.254.50"]}), ACCEPT], True),
        ([is_(SOURCE, {"set": [{"elem": {"val": "172.25.254.60"}}]}), ACCEPT], False),
        # Somebody else knows what is in the set.
        ([is_(SOURCE, "@peers"), ACCEPT], False),
        ([is_({"payload": {"protocol": "tcp", "field": "dport"}}, "@ports"), ACCEPT], True),
        ([is_({"meta": {"key": "mark"}}, 7), ACCEPT], False),
        ([is_({"meta": {"key": "iifname"}}, "eth*"), ACCEPT], False),
        ([is_({"meta": {"key": "iifname"}}, "eth1"), ACCEPT], True),
        ([is_({"meta": {"key": "nfproto"}}, "ipv6"), ACCEPT], True),
        ([is_({"meta": {"key": "pkttype"}}, "multicast"), ACCEPT], True),
        ([is_({"ct": {"key": "state"}}, ["established", "related"], "in"), ACCEPT], True),
        ([is_({"ct": {"key": "state"}}, "new"), ACCEPT], False),
        ([{"limit": {"rate": 1, "per": "second"}}, ACCEPT], False),
        ([{"vmap": {"key": L4, "data": {"set": [["vrrp", ACCEPT]]}}}], False),
        ([{"vmap": {"key": L4, "data": {"set": [["tcp", ACCEPT]]}}}], True),
        ([{"vmap": {"key": L4, "data": "@verdicts"}}], False),
        ([{"jump": {"target": "gone"}}], False),
    ],
)
def test_one_rule_before_the_policy_drop(expressions: list[Any], dropped: bool) -> None:
    assert bool(dropped_by_nft(ruleset(*expressions), [KA2])) is dropped


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        (ruleset({"drop": None}, policy="accept"), True),
        (ruleset({"limit": {"rate": 1, "per": "second"}}, {"drop": None}, policy="accept"), False),
        (ruleset({"drop": None}, policy="accept", family="ip6"), False),
        ('{"nftables": []}', False),
    ],
)
def test_other_rulesets(text: str, dropped: bool) -> None:
    assert bool(dropped_by_nft(text, [KA2])) is dropped


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nftables": 1}'])
def test_no_document(text: str) -> None:
    with pytest.raises(ValueError, match=r"nftables|Expecting"):
        dropped_by_nft(text, [KA2])


@pytest.mark.parametrize(
    ("line", "dropped"),
    [
        ("-A INPUT -p 112 -j ACCEPT", False),
        ("-A INPUT -p tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -m limit --limit 5/sec -j ACCEPT", False),
        ("-A INPUT -d 172.25.254.0/24 -g OTHER", False),
        ("-A INPUT -m iprange --src-range 172.25.254.60-172.25.254.61 -j ACCEPT", False),
        ('-A INPUT -m comment --comment "it is not" -i eth1 -j ACCEPT', True),
        ("-A INPUT -m state --state NEW -j ACCEPT", False),
        ("-A INPUT -j LOG --log-prefix open", True),
        ("-A INPUT -j RETURN", True),
        ('-A INPUT -i eth1 -m comment --comment "half -j ACCEPT', True),
    ],
)
def test_one_line_of_iptables(line: str, dropped: bool) -> None:
    text = "*nat\n:INPUT DROP [0:0]\n*filter\n:INPUT DROP [0:0]\n%s\nCOMMIT\n" % line
    assert bool(dropped_by_iptables(text, [KA2], 4)) is dropped
