# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Who holds the VIP after which failures: keepalived's arithmetic, the election, the table and the rules on it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import _holders
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import ALL, PAIRS, SINGLE, Candidate, elect
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import Check, checks_of, priority

SCRIPT = "vrrp_script {0} {{\n script {1}\n weight {2}\n}}\n"


def instance(name: str, vrid: int, base: int, last: int, more: str = "") -> str:
    """An instance of the host with the address 192.0.2.LAST."""
    return (
        "vrrp_instance %s {\n interface eth0\n virtual_router_id %d\n priority %d\n unicast_src_ip 192.0.2.%d\n"
        " unicast_peer {\n  192.0.2.250\n }\n virtual_ipaddress {\n  192.0.2.%d/24\n }\n%s}\n"
        % (name, vrid, base, last, vrid, more)
    )


def cluster(**texts: str) -> Cluster:
    found = Cluster()
    for host, text in texts.items():
        parsed = parse("main", from_texts({"main": text}))
        director, findings = read(parsed.nodes, host)
        assert [*parsed.findings, *findings] == []
        found.directors[host] = director
    return found


def tracks(*names: str, keyword: str = "track_script") -> str:
    return " %s {\n%s }\n" % (keyword, "".join("  %s\n" % name for name in names))


def table(**texts: str) -> _holders.Table:
    return _holders.tables(cluster(**texts))[0]


def rows(found: _holders.Table) -> dict[tuple[tuple[str, ...], ...], str]:
    """Holder by what failed on each host, in the order of the hosts."""
    return {tuple(row.failed.get(host, ()) for host in row.priorities): row.holder for row in found.rows}


@pytest.mark.parametrize(
    ("tracked", "states"),
    [  # what it adds to the priority in the states 0 and 1; None is FAULT
        (Check("track_script", "x", 20), (20, 0)),
        (Check("track_script", "x", -20), (0, -20)),
        (Check("track_script", "x", 20, reverse=True), (-20, 0)),
        (Check("track_script", "x", -20, reverse=True), (0, 20)),
        (Check("track_script", "x"), (0, None)),
        (Check("track_process", "x", 0, reverse=True), (None, 0)),
        (Check("track_file", "x"), (0, None)),
        (Check("track_file", "x", 0, reverse=True), (None, 0)),
        (Check("track_file", "x", -20), (0, -20)),
        (Check("track_file", "x", -254), (0, None)),
    ],
)
def test_what_a_check_changes(tracked: Check, states: tuple[Any, Any]) -> None:
    assert (tracked.change(0), tracked.change(1)) == states


def test_the_number_in_a_file() -> None:
    one = Check("track_file", "x", 1)
    assert [one.change(number) for number in (-300, -254, -253, -7, 7, 400)] == [None, None, -253, -7, 7, 253]
    for weight in (1, -1, 30, -30, 254, -254):
        lever = Check("track_file", "x", weight)
        assert (lever.change(lever.worst) or -254) <= -127


def test_priorities_are_kept_within_1_and_254_and_those_of_the_owner_stand() -> None:
    down, up = Check("track_script", "a", -100), Check("track_script", "b", 100)
    failed = {("track_script", "a"): 1}
    assert priority(50, [down], failed) == 1
    assert priority(200, [up], {}) == 254
    # The sum is cut, not its parts: 200 + 100 - 100.
    assert priority(200, [up, down], failed) == 200
    assert priority(255, [down], failed) == 255


def test_weights_in_a_sync_group() -> None:
    both = tracks("a", "f") + tracks("eth1 weight -10", keyword="track_interface")
    group = "vrrp_sync_group G {\n group {\n  X\n  Y\n }\n%s}\n"
    scripts = SCRIPT.format("a", "/bin/a", -30) + SCRIPT.format("f", "/bin/f", 0) + SCRIPT.format("g", "/bin/g", -40)

    def names(more: str) -> set[tuple[str, int]]:
        text = scripts + instance("X", 51, 200, 1, both) + instance("Y", 52, 200, 1) + group % more
        director = cluster(h=text).directors["h"]
        return {(one.name, one.weight) for one in checks_of(director, director.instances[0])}

    # A weighted script is dropped, a weighted interface becomes decisive; the group's own weights count.
    assert names(tracks("g")) == {("f", 0), ("eth1", 0), ("eth0", 0), ("g", -40)}
    assert names(" sync_group_tracking_weight\n") == {("a", -30), ("f", 0), ("eth1", -10), ("eth0", 0)}


def test_interfaces_are_checks_too() -> None:
    def names(text: str) -> set[tuple[str, int]]:
        director = cluster(h=text).directors["h"]
        return {(one.name, one.weight) for one in checks_of(director, director.instances[0])}

    assert names(instance("X", 51, 200, 1, tracks("eth0 weight -5", keyword="track_interface"))) == {("eth0", 0)}
    alone = " dont_track_primary\n"
    assert names(instance("X", 51, 200, 1, alone)) == set()
    elsewhere = instance("X", 51, 200, 1).replace("192.0.2.51/24", "192.0.2.51/24 dev eth1")
    assert names(elsewhere) == {("eth0", 0), ("eth1", 0)}
    assert names(elsewhere.replace("dev eth1", "dev eth1 no_track")) == {("eth0", 0)}


def test_election() -> None:
    low, high = Candidate("low", 100, address=9), Candidate("high", 200, address=1)
    assert elect([low, high]) == ("high", False)
    assert elect([low, high], "low") == ("high", False)
    assert elect([low, high._replace(nopreempt=True)], "low") == ("low", False)
    assert elect([low, high._replace(priority=None)], "high") == ("low", False)
    assert elect([low._replace(priority=None), high._replace(priority=None)], "high") == ("", False)
    # Equal: the higher address where both begin, else nobody moves.
    equal = high._replace(priority=100)
    assert elect([low, equal]) == ("low", True)
    assert elect([low, equal], "high") == ("high", True)


def test_the_table_of_two_hosts() -> None:
    scripts = "".join(
        SCRIPT.format(name, "/bin/" + name, weight) for name, weight in (("a", -30), ("b", -30), ("f", 0))
    )
    found = table(
        one=scripts + instance("X", 51, 254, 1, tracks("a", "b", "f")),
        two=scripts + instance("X", 51, 253, 2, tracks("a", "b", "f")),
    )
    assert found.covers == ALL
    any_weighted, both, fatal = ("one of a, b",), ("a", "b"), ("one of f, eth0",)
    expected: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {
        ((), ()): "one",
        **{((), other): "one" for other in (any_weighted, both, fatal)},
        **{(mine, ()): "two" for mine in (any_weighted, both, fatal)},
        (any_weighted, any_weighted): "one",
        (any_weighted, both): "one",
        (any_weighted, fatal): "one",
        (both, any_weighted): "two",
        (both, both): "one",
        (both, fatal): "one",
        (fatal, any_weighted): "two",
        (fatal, both): "two",
        (fatal, fatal): "",
    }
    assert rows(found) == expected
    assert "| one of a, b | 224 | – | 253 | two |" in _holders.as_text(found)


def test_the_table_says_the_same_as_each_combination_alone() -> None:
    """Every subset of five checks on either host, one by one, against the row that stands for it."""
    weights = {"a": -30, "b": 12, "c": -7, "d": 0, "e": -7}
    scripts = "".join(SCRIPT.format(name, "/bin/" + name, weight) for name, weight in weights.items())
    texts = {
        "one": scripts + instance("X", 51, 200, 1, tracks(*weights) + " dont_track_primary\n"),
        "two": scripts + instance("X", 51, 190, 2, tracks(*weights) + " dont_track_primary\n nopreempt\n"),
    }
    group = groups(cluster(**texts))[0]
    known = {tuple(row.priorities.values()): (row.holder, row.tie) for row in _holders.table(group).rows}
    subsets = [set(itertools.compress(weights, mask)) for mask in itertools.product((0, 1), repeat=len(weights))]
    for first, second in itertools.product(subsets, repeat=2):
        states: dict[str, dict[tuple[str, str], int]] = {
            host: {("track_script", name): 1 for name in failed} for host, failed in (("one", first), ("two", second))
        }
        priorities = tuple(
            priority(m.instance.priority, _holders.member_checks(m), states[m.host]) for m in group.members
        )
        assert known[priorities] == _holders.after(group, states), (first, second)


def test_many_checks_are_collapsed_and_many_hosts_are_bounded() -> None:
    many = {"s%02d" % index: -1 - index % 3 for index in range(40)}
    scripts = "".join(SCRIPT.format(name, "/usr/bin/true", weight) for name, weight in many.items())
    found = table(**{"h%d" % n: scripts + instance("X", 51, 254 - n, n, tracks(*many)) for n in (1, 2)})
    # 78 sums of 40 weights and FAULT, on each of two hosts, are too many for every combination.
    assert found.covers == SINGLE
    assert len(found.rows) < _holders.MOST_ROWS
    hosts = {"h%02d" % n: instance("X", 51, 254 - n, n) for n in range(1, 21)}
    found = table(**hosts)
    assert (found.covers, len(found.rows)) == (PAIRS, 1 + 20 + 190)
    assert found.rows[-1].holder == "h01"


def test_a_sync_group_falls_as_one() -> None:
    scripts = SCRIPT.format("f", "/bin/f", 0)
    group = "vrrp_sync_group G {\n group {\n  X\n  Y\n }\n}\n"
    texts = {
        host: scripts + instance("X", 51, base, last) + instance("Y", 52, base, last, tracks("f")) + group
        for host, base, last in (("one", 254, 1), ("two", 253, 2))
    }
    by_name = {found.instance: found for found in _holders.tables(cluster(**texts))}
    assert rows(by_name["X"])[(("one of eth0, f",), ())] == "two"


def messages(found: Cluster, rule: str) -> list[tuple[str, str]]:
    return [(finding.severity, finding.message) for finding in check(found) if finding.rule == rule]


def test_what_all_hosts_ask_together_wants_a_weight() -> None:
    ping = '"/usr/bin/ping -c 1 -W 1 192.0.2.254"'
    for weight, expected in (
        (
            0,
            [
                (
                    "warning",
                    "when 192.0.2.254 does not answer, gw fails on every host: "
                    "all are in FAULT and nobody holds the VIP",
                )
            ],
        ),
        (-30, []),
    ):
        text = SCRIPT.format("gw", ping, weight)
        found = cluster(
            one=text + instance("X", 51, 254, 1, tracks("gw")), two=text + instance("X", 51, 253, 2, tracks("gw"))
        )
        assert messages(found, "KP028") == expected


def test_a_check_of_the_host_itself_may_be_fatal() -> None:
    text = SCRIPT.format("web", '"/usr/bin/curl -f http://127.0.0.1/"', 0)
    found = cluster(
        one=text + instance("X", 51, 254, 1, tracks("web")), two=text + instance("X", 51, 253, 2, tracks("web"))
    )
    assert messages(found, "KP028") == []


def test_the_heirs_of_three_hosts() -> None:
    def three(second: dict[str, int]) -> Cluster:
        return cluster(
            one=instance("X", 51, 254, 1) + instance("Y", 52, second["one"], 1),
            two=instance("X", 51, 253, 2) + instance("Y", 52, 254, 2),
            three=instance("X", 51, 233, 3) + instance("Y", 52, second["three"], 3),
        )

    assert messages(three({"one": 253, "three": 233}), "KP029") == [
        ("info", "without two, one holds all of X, Y, and three idles"),
        ("info", "without one, two holds all of X, Y, and three idles"),
    ]
    assert messages(three({"one": 233, "three": 253}), "KP029") == [
        ("info", "without one, two holds all of X, Y, and three idles")
    ]


def test_a_loss_that_the_cut_at_254_hides_is_no_failover() -> None:
    text = SCRIPT.format("a", "/bin/a", 20)
    found = cluster(
        one=text + instance("X", 51, 254, 1, tracks("a")), two=text + instance("X", 51, 233, 2, tracks("a"))
    )
    # 254 + 20 is 254, and still 254 after the failure.
    assert [message for _severity, message in messages(found, "KP018")] == [
        "when a fails (weight 20), one still has 254 and two only 253: no failover"
    ]
