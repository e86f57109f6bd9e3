# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter bare_durations: HAProxy's durations carry a unit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.filter.bare_durations import FilterModule, bare_durations

READS = "has no unit; HAProxy would read 3 milliseconds: write 3s, or 3ms if that is meant"
KEYS = ["inter", "fastinter", "downinter", "slowstart", "hard_stop_after", "stats_timeout", "timeout_check"]
WANTS = "is not a duration; write a whole number and a unit (us, ms, s, m, h, d), for example 500ms"

ACCEPTED: dict[str, Any] = {
    "nothing": None,
    "every unit": {
        "inter": "1us",
        "fastinter": "2ms",
        "downinter": "3s",
        "slowstart": "4m",
        "timeout_tunnel": "5h",
        "timeout_queue": "6d",
    },
    "not set": {"inter": None, "timeout_client": ""},
    "numbers that are no durations": {
        "fall": 2,
        "port": 80,
        "retries": 3,
        "lines": ["maxconn 3", "server a 192.0.2.1:80 check fall 2"],
    },
    "lines with units": {"lines": ["timeout client 3s", "server a 192.0.2.1:80 check inter 3s"]},
    "a comment": {"lines": ["  # inter 3 is three milliseconds"]},
    "words that only look like it": {
        "lines": ["http-request set-header X-inter 3x", "http-request set-timeout server 3"]
    },
}

REFUSED: dict[str, tuple[Any, list[str]]] = {
    "the lesson's": (
        {"haproxy_listens": [{"servers": [{"name": "a"}, {"inter": 3}]}]},
        [f"haproxy_listens[0].servers[1].inter: '3' {READS}"],
    ),
    "as text": ({"timeout_connect": "3"}, [f"timeout_connect: '3' {READS}"]),
    "for each key": (
        dict.fromkeys(KEYS, 3),
        [f"{key}: '3' {READS}" for key in KEYS],
    ),
    "zero": (
        {"inter": 0},
        ["inter: '0' has no unit; HAProxy would read 0 milliseconds: write 0s, or 0ms if that is meant"],
    ),
    "a unit that HAProxy does not know": ({"inter": "3sec"}, [f"inter: '3sec' {WANTS}"]),
    "a fraction": ({"inter": "1.5s"}, [f"inter: '1.5s' {WANTS}"]),
    "in a raw line": (
        {"lines": ["balance roundrobin", "server a 192.0.2.1:80 check inter 3 fall 2"]},
        [f"lines[1]: 'inter 3' {READS}"],
    ),
    "twice in a raw line": (
        {"lines": ["server a 192.0.2.1:80 check inter 3 fastinter 3"]},
        [f"lines[0]: 'inter 3' {READS}", f"lines[0]: 'fastinter 3' {READS}"],
    ),
    "a raw time-out": ({"lines": ["timeout http-request 3"]}, [f"lines[0]: 'timeout http-request 3' {READS}"]),
}


@pytest.mark.parametrize("value", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(value: Any) -> None:
    assert bare_durations(value) == []


@pytest.mark.parametrize(("value", "messages"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(value: Any, messages: list[str]) -> None:
    assert bare_durations(value) == messages


def test_ansible_finds_it() -> None:
    assert FilterModule().filters()["bare_durations"] is bare_durations
