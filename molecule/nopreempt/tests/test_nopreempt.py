# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Rows S6 and S7: VIPs that stay where they are when a director comes back, or wait before they go home."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_watch import BUSY_MS, SKEW_MS, HolderWatch, WatchError

#: What inventory/hosts.yml gives DB_VIP, in seconds.
PREEMPT_DELAY = 5


def test_s6_the_vip_stays_when_its_preferred_director_comes_back(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    with watch_holders() as watch:
        first = next(iter(watch.holders(vip)))
        other = {"ka1": "ka2", "ka2": "ka1"}[first]
        hosts[first].check_output("systemctl stop keepalived")
        watch.wait_for(vip, {other}, seconds=10)
        hosts[first].check_output("systemctl start keepalived")
        # A preempting director would have it back after three intervals and its skew, about 3 s after its start.
        with pytest.raises(WatchError, match="is not held by"):
            watch.wait_for(vip, {first}, seconds=6)
        assert hosts[first].service("keepalived").is_running
        assert watch.holders(vip) == {other}
    watch.assert_bounded(vip, SKEW_MS + BUSY_MS)
    # At a hand-over both may hold it for a moment, or nobody.
    assert [held for held in watch.timeline(vip).holders if len(held) == 1] == [{first}, {other}]


def test_s6_a_failed_check_still_moves_the_vip(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    with watch_holders() as watch:
        first = next(iter(watch.holders(vip)))
        other = {"ka1": "ka2", "ka2": "ka1"}[first]
        try:
            hosts[first].check_output("touch /run/keepalived/down")
            watch.wait_for(vip, {other}, seconds=15)
        finally:
            hosts[first].check_output("rm -f /run/keepalived/down")
    # A check without a weight means FAULT: the VIP is given up with a goodbye, and the backup waits its skew.
    watch.assert_bounded(vip, SKEW_MS + BUSY_MS)


def test_s7_the_vip_goes_home_after_its_delay_and_not_before(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["DB_VIP"]
    with watch_holders() as watch:
        watch.wait_for(vip, {"ka2"}, seconds=30)
        hosts["ka2"].check_output("systemctl stop keepalived")
        watch.wait_for(vip, {"ka1"}, seconds=10)
        started = float(hosts["ka2"].check_output("date +%s.%N; systemctl start keepalived").split()[0])
        home = watch.wait_for(vip, {"ka2"}, seconds=30)
    watch.assert_bounded(vip, SKEW_MS + BUSY_MS)
    assert home - started >= PREEMPT_DELAY, watch.timeline(vip)
    # The delay, then what every returning director waits, and the start of a process on a busy machine.
    assert home - started <= PREEMPT_DELAY + 4 + 3, watch.timeline(vip)
