# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The rules about what runs and what is heard: one example that each finds, beside a pair in health."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Cluster,
    Director,
    Interface,
    Track,
    Tracked,
    Vip,
    VrrpInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._rules import _daemon, _wire
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import rules_in

VIP = "172.25.254.100"
ADDRESS = {"ka1": "172.25.254.50", "ka2": "172.25.254.60"}
OWN = [*rules_in(vars(_daemon)), *rules_in(vars(_wire))]


def router(source: str, **said: Any) -> dict[str, Any]:
    """What vrrp_advert_info tells of one sender."""
    return {
        "interface": "eth0",
        "family": "ipv4",
        "vrid": 51,
        "version": 3,
        "source": source,
        "mac": "52:54:00:00:00:01",
        "priority": 254,
        "advert_int": 1.0,
        "addresses": [VIP],
        "auth_type": "none",
        "checksum": "ok",
        "transport": "unicast",
        "destinations": ["172.25.254.60"],
        "own": False,
        **said,
    }


def healthy() -> Cluster:
    """ka1 is MASTER and speaks, ka2 hears it."""
    cluster = Cluster()
    for host, other, priority, state in (("ka1", "ka2", 254, "MASTER"), ("ka2", "ka1", 253, "BACKUP")):
        instance = VrrpInstance(
            "WEB_VIP",
            {
                "interface": "eth0",
                "virtual_router_id": 51,
                "priority": priority,
                "unicast_src_ip": ADDRESS[host],
                "unicast_peer": [ADDRESS[other]],
                "virtual_ipaddress": [Vip(VIP, 24)],
                "track_script": [Track("chk")],
            },
        )
        director = Director(
            host,
            Block("", {"router_id": host, "vrrp_version": 3}),
            [instance],
            scripts=[Tracked("chk", {"weight": Track("", -30)})],
            interfaces={"eth0": Interface("eth0", (ipaddress.ip_interface(ADDRESS[host] + "/24"),))},
        )
        believed = {
            "name": "WEB_VIP",
            "virtual_router_id": 51,
            "interface": "eth0",
            "version": 3,
            "state": state,
            "priority": priority,
            "advert_int": 1.0,
            "virtual_ipaddress": [VIP + "/24"],
            "virtual_ipaddress_excluded": [],
            "held": [VIP] if state == "MASTER" else [],
            "consistent": True,
        }
        director.machine.facts["daemon"] = {"running": True, "instances": [believed]}
        director.machine.facts["wire"] = {
            "routers": [router(ADDRESS["ka1"], own=host == "ka1")],
            "split": [],
            "undecoded": [],
        }
        cluster.directors[host] = director
    return cluster


Change = Callable[[Cluster], object]


def daemon(host: str, **believed: Any) -> Change:
    return lambda cluster: cluster.directors[host].machine.facts["daemon"]["instances"][0].update(believed)


def stopped(cluster: Cluster) -> None:
    cluster.directors["ka2"].machine.facts["daemon"] = {"running": False, "instances": []}


def forgotten(cluster: Cluster) -> None:
    cluster.directors["ka1"].instances[0].name = "NEW_VIP"
    cluster.directors["ka1"].instances[0].options["virtual_router_id"] = 61


def heard(host: str, **said: Any) -> Change:
    return lambda cluster: (
        cluster.directors[host].machine.facts["wire"]["routers"].append(router("172.25.254.150", **said))
    )


def split(at_once: bool, *senders: str) -> Change:
    def change(cluster: Cluster) -> None:
        for director in cluster.directors.values():
            director.machine.facts["wire"]["split"] = [
                {
                    "interface": "eth0",
                    "family": "ipv4",
                    "vrid": 51,
                    "senders": list(senders) or list(ADDRESS.values()),
                    "at_once": at_once,
                }
            ]

    return change


def undecoded(cluster: Cluster) -> None:
    packet = {"interface": "eth0", "mac": "52:54:00:00:00:03", "source": "172.25.254.9", "reason": "CARP", "packets": 3}
    for director in cluster.directors.values():
        director.machine.facts["wire"]["undecoded"] = [packet]


def without_daemon(change: Change) -> Change:
    def both(cluster: Cluster) -> None:
        for director in cluster.directors.values():
            del director.machine.facts["daemon"]
        change(cluster)

    return both


def silent(change: Change) -> Change:
    def both(cluster: Cluster) -> None:
        for director in cluster.directors.values():
            director.machine.facts["wire"]["routers"].clear()
        change(cluster)

    return both


def own_word(**said: Any) -> Change:
    return lambda cluster: cluster.directors["ka1"].machine.facts["wire"]["routers"][0].update(said)


CASES: list[tuple[str, str, str, str, Change]] = [
    ("KD001", "error", "ka2", "keepalived does not run here", stopped),
    ("KD002", "error", "ka2", "ka1 and ka2 are MASTER", daemon("ka2", state="MASTER", held=[VIP])),
    ("KD003", "error", "ka1", "is MASTER and lacks the VIP " + VIP, daemon("ka1", consistent=False, held=[])),
    ("KD003", "error", "ka2", "is BACKUP and still has the VIP", daemon("ka2", consistent=False, held=[VIP])),
    ("KD004", "warning", "ka1", "priority is 254 in the file, and 100 in the daemon", daemon("ka1", priority=100)),
    ("KD004", "warning", "ka1", "advert_int is 1 in the file, and 3 in the daemon", daemon("ka1", advert_int=3.0)),
    (
        "KD004",
        "warning",
        "ka1",
        "virtual_ipaddress is 172.25.254.100 in the file, and none in the daemon",
        daemon("ka1", virtual_ipaddress=[]),
    ),
    ("KD004", "warning", "ka1", "version is 3 in the file, and 2 on the wire", own_word(version=2)),
    ("KD004", "warning", "ka1", "the daemon does not know it", forgotten),
    ("KD004", "warning", "ka1", "the daemon runs WEB_VIP (VRID 51), which stands in no file", forgotten),
    (
        "KD004",
        "warning",
        "ka1",
        "priority is 254 in the file, and 100 on the wire",
        without_daemon(own_word(priority=100)),
    ),
    ("KD005", "error", "ka2", "nobody has the VIP (ka1: BACKUP, ka2: BACKUP)", silent(daemon("ka1", state="BACKUP"))),
    ("KD006", "error", "ka2", "is in FAULT", daemon("ka2", state="FAULT")),
    ("KP014", "error", "ka2", "spoken by a stranger too, 172.25.254.150 (52:54:00:00:00:01, priority", heard("ka2")),
    ("KW001", "error", "ka1", "ka1 (172.25.254.50) and ka2 (172.25.254.60) both speak for VRID 51", split(True)),
    ("KW002", "info", "ka2", "172.25.254.150 (52:54:00:00:00:01) speaks VRID 77 for", heard("ka2", vrid=77)),
    ("KW003", "warning", "ka2", "a wrong checksum", heard("ka2", checksum="bad")),
    ("KW003", "warning", "ka1", "from 172.25.254.9 (52:54:00:00:00:03): CARP", undecoded),
]


def found(change: Change) -> list[Finding]:
    cluster = healthy()
    change(cluster)
    return check(cluster, OWN)


def test_a_pair_in_health() -> None:
    assert check(healthy(), OWN) == []
    assert {rule.id for rule in OWN} <= {rule.id for rule in RULES}


@pytest.mark.parametrize(("rule", "severity", "host", "words", "change"), CASES)
def test_found(rule: str, severity: str, host: str, words: str, change: Change) -> None:
    mine = [one for one in found(change) if one.rule == rule and words in one.message]
    assert [(one.severity, one.host) for one in mine] == [(severity, host)]
    assert all(one.hint for one in mine)


def test_every_rule_has_a_case() -> None:
    assert {(rule.id, rule.severity) for rule in OWN} == {case[:2] for case in CASES}


@pytest.mark.parametrize(
    "change",
    [
        split(False),
        without_daemon(own_word(priority=224)),  # the check failed
        without_daemon(own_word(priority=0)),  # it says goodbye
        own_word(priority=224),
        daemon("ka2", virtual_ipaddress=["172.25.254.100"]),
        lambda cluster: cluster.directors.pop("ka2"),  # not read, and a peer of ka1 all the same
    ],
)
def test_accepted(change: Change) -> None:
    assert found(change) == []


def test_a_master_that_was_not_read_is_neither_a_stranger_nor_missed() -> None:
    def change(cluster: Cluster) -> None:
        del cluster.directors["ka1"]
        routers = cluster.directors["ka2"].machine.facts["wire"]["routers"]
        assert routers[0]["source"] == ADDRESS["ka1"]

    assert found(change) == []
    assert found(silent(lambda cluster: cluster.directors.pop("ka1"))) == []
    assert found(without_daemon(own_word())) == []


def test_a_stranger_is_said_once_for_all_who_hear_it() -> None:
    def change(cluster: Cluster) -> None:
        heard("ka1")(cluster)
        heard("ka2")(cluster)

    (finding,) = found(change)
    assert (finding.rule, finding.instance, finding.path) == ("KP014", "WEB_VIP", "VRRP on eth0")
    assert finding.message.endswith("heard by ka1, ka2")
