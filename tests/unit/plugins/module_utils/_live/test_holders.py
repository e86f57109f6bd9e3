# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The verdicts of drills and of the failover tests rest on this."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._holders import (
    Event,
    draw_timeline,
    parse_addresses,
    parse_event,
)

VIP = "172.25.254.100"


def came(at: float, host: str, address: str = VIP) -> Event:
    return Event(at, host, address, held=True)


def left(at: float, host: str, address: str = VIP) -> Event:
    return Event(at, host, address, held=False)


def shape(at_first: list[str], events: list[Event]) -> list[tuple[str, float]]:
    """Holders and milliseconds of each interval from second 100 to second 110."""
    timeline = draw_timeline(VIP, at_first, events, 100.0, 110.0)
    return [("+".join(sorted(i.holders)), round(i.length_ms, 3)) for i in timeline.intervals]


@pytest.mark.parametrize(
    ("at_first", "events", "expected"),
    [
        pytest.param(["ka1"], [], [("ka1", 10000)], id="nothing happens"),
        pytest.param([], [], [("", 10000)], id="nobody all the time"),
        pytest.param(
            ["ka1"], [left(101, "ka1"), came(101.25, "ka2")], [("ka1", 1000), ("", 250), ("ka2", 8750)], id="a gap"
        ),
        pytest.param(
            ["ka1"],
            [came(101, "ka2"), left(101.5, "ka1")],
            [("ka1", 1000), ("ka1+ka2", 500), ("ka2", 8500)],
            id="two holders",
        ),
        pytest.param(
            ["ka1"],
            [came(101.25, "ka2"), left(101, "ka1")],
            [("ka1", 1000), ("", 250), ("ka2", 8750)],
            id="read in another order",
        ),
        pytest.param(["ka1"], [came(103, "ka1"), left(104, "ka2")], [("ka1", 10000)], id="news that change nothing"),
        pytest.param(["ka1"], [left(101, "ka1", "172.25.254.200")], [("ka1", 10000)], id="another address"),
        pytest.param(["ka1"], [left(99, "ka1")], [("", 10000)], id="before the window"),
        pytest.param(["ka1"], [left(111, "ka1")], [("ka1", 10000)], id="after the window"),
        pytest.param(
            ["ka1"], [left(101, "ka1"), came(101, "ka2")], [("ka1", 1000), ("ka2", 9000)], id="at the same moment"
        ),
    ],
)
def test_timeline(at_first: list[str], events: list[Event], expected: list[tuple[str, float]]) -> None:
    assert shape(at_first, events) == expected


def test_what_a_test_asks_a_timeline() -> None:
    events = [
        left(101, "ka1"),
        came(101.2, "ka2"),
        came(105, "ka1"),
        left(105.03, "ka2"),
        left(106, "ka1"),
        came(106.1, "ka1"),
    ]
    timeline = draw_timeline(VIP, ["ka1"], events, 100.0, 110.0)
    assert [(gap.start, round(gap.length_ms, 3)) for gap in timeline.gaps] == [(101, 200), (106, 100)]
    assert round(timeline.longest_gap_ms, 3) == 200
    assert [(both.start, sorted(both.holders)) for both in timeline.doubled] == [(105, ["ka1", "ka2"])]
    assert round(timeline.longest_doubled_ms, 3) == 30
    assert [sorted(holders) for holders in timeline.holders] == [["ka1"], ["ka2"], ["ka1", "ka2"], ["ka1"]]
    assert "nobody for 200.0 ms" in str(timeline)


def test_no_gap_and_no_double() -> None:
    timeline = draw_timeline(VIP, ["ka1"], [], 100.0, 110.0)
    assert (timeline.gaps, timeline.doubled) == ([], [])
    assert (timeline.longest_gap_ms, timeline.longest_doubled_ms) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            r"[1970-01-01T00:01:40.250000] 2: eth0    inet 172.25.254.100/24 scope global eth0:0\ valid_lft",
            came(100.25, "ka1"),
            id="added",
        ),
        pytest.param(
            r"[1970-01-01T00:01:40.250000] Deleted 2: eth0    inet 172.25.254.100/24 scope global eth0\ valid_lft",
            left(100.25, "ka1"),
            id="deleted",
        ),
        pytest.param(
            r"[1970-01-01T00:01:40.250000] 2: eth0    inet6 2001:DB8::0:1/64 scope global tentative \ valid_lft",
            came(100.25, "ka1", "2001:db8::1"),
            id="IPv6, in another spelling",
        ),
        pytest.param(
            "[1970-01-01T00:01:40.250000] 172.25.254.60 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE",
            None,
            id="a neighbour",
        ),
        pytest.param("", None, id="empty"),
    ],
)
def test_event_of_a_line(line: str, expected: Event | None) -> None:
    assert parse_event("ka1", line) == expected


def test_addresses_of_a_host() -> None:
    text = (
        "1: lo    inet 127.0.0.1/8 scope host lo\\ valid_lft forever preferred_lft forever\n"
        "1: lo    inet6 ::1/128 scope host noprefixroute \\ valid_lft forever preferred_lft forever\n"
        "2: eth0    inet 172.25.254.100/24 brd 172.25.254.255 scope global eth0:0\\ valid_lft\n"
    )
    assert parse_addresses(text) == {"127.0.0.1", "::1", VIP}
