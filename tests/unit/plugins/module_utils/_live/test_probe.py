# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""vip_probe: which plans are refused, without any socket."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live import _probe
from ansible_collections.failover.vip.plugins.module_utils._live._outages import Target

WEB = Target("WEB_VIP", "http", "192.0.2.100", 80)
PLAN = _probe.Plan(interval=0.01, timeout=0.5, duration=10, max_probes=1000)


@pytest.mark.parametrize(
    ("interval", "duration", "count"), [(0.01, 10, 1000), (0.001, 0.3, 300), (0.03, 0.1, 4), (0.1, 0.3, 3), (2, 2, 1)]
)
def test_count_of_probes(interval: float, duration: float, count: int) -> None:
    assert _probe.check([WEB], PLAN._replace(interval=interval, duration=duration)) == count


@pytest.mark.parametrize(
    ("targets", "plan", "message"),
    [
        ([], {}, "no targets: there is nothing to ask"),
        ([WEB, WEB], {}, "two targets have the name WEB_VIP: the results could not be told apart"),
        ([WEB._replace(kind="icmp")], {}, "target WEB_VIP: kind icmp is unknown; it is one of arp, http, tcp, udp"),
        ([WEB._replace(port=0)], {}, "target WEB_VIP: port 0 is not between 1 and 65535"),
        (
            [WEB._replace(address="web.example.com")],
            {},
            "target WEB_VIP: 'web.example.com' is no IP address, and names are not looked up",
        ),
        (
            [WEB._replace(path="/ HTTP/1.0\r\nX: y")],
            {},
            "target WEB_VIP: path must start with / and, like host, have no blanks or control characters",
        ),
        ([WEB], {"interval": 0.0005}, "interval is 0.0005, and must be 0.001 to 60 (times in seconds)"),
        ([WEB], {"timeout": math.nan}, "timeout is nan, and must be 0.001 to 60 (times in seconds)"),
        ([WEB], {"duration": math.inf}, "duration is inf, and must be 0.01 to 3600 (times in seconds)"),
        ([WEB], {"duration": 0}, "duration is 0, and must be 0.01 to 3600 (times in seconds)"),
        ([WEB], {"max_probes": 10**8}, "max_probes is 1e+08, and must be 1 to 1e+07 (times in seconds)"),
        (
            [WEB, WEB._replace(name="DB_VIP")],
            {},
            "2 targets, every 10 ms for 10 s, are 2000 probes, more than max_probes (1000): shorten duration, lengthen "
            "interval or raise max_probes",
        ),
    ],
)
def test_plan_without_bound_or_sense_is_refused(targets: list[Target], plan: dict[str, Any], message: str) -> None:
    with pytest.raises(_probe.ProbeError) as caught:
        _probe.check(targets, PLAN._replace(**plan))
    assert str(caught.value) == message
