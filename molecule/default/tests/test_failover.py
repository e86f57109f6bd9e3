# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Failovers, from the kernel's own timestamps: who holds a VIP when, and what a client saw meanwhile.

Bounds. A backup takes over its Skew_Time after a clean stop, and after three advertisement intervals and its Skew_Time
when it hears nothing more: (256 - priority)/256 of the interval (RFC 9568 section 6.1), here 3/256 s = 12 ms. The rest
is what a busy machine of two cores may add.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_watch import BUSY_MS, HANDOVER_MS, SKEW_MS, HolderWatch

ADVERT_MS = 1000

HOME = {"WEB_VIP": "ka1", "DB_VIP": "ka2"}


@pytest.fixture(autouse=True)
def _at_home(watch_holders: Callable[[], HolderWatch], vips: dict[str, str]) -> None:
    """Each test begins with every VIP at home, and so ends the one before it."""
    with watch_holders() as watch:
        for instance, home in HOME.items():
            watch.wait_for(vips[instance], {home}, seconds=30)


@pytest.mark.parametrize(("stopped", "other"), [("ka1", "ka2"), ("ka2", "ka1")])
def test_s12_stop_and_start_of_a_director(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch], stopped: str, other: str
) -> None:
    (moving,) = (vip for instance, vip in vips.items() if HOME[instance] == stopped)
    (staying,) = (vip for instance, vip in vips.items() if HOME[instance] == other)
    with watch_holders() as watch:
        hosts[stopped].check_output("systemctl stop keepalived")
        watch.wait_for(moving, {other}, seconds=10)
        assert watch.holders(staying) == {other}, "the other director must now hold both"
        hosts[stopped].check_output("systemctl start keepalived")
        watch.wait_for(moving, {stopped}, seconds=20)
    watch.assert_bounded(moving, SKEW_MS + BUSY_MS)
    assert watch.timeline(moving).holders[0] == watch.timeline(moving).holders[-1] == {stopped}
    watch.assert_bounded(staying, 0)
    assert watch.timeline(staying).holders == [{other}], "the other VIP must not move"


def test_s16_a_flag_file_moves_the_vip_with_no_gap(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    with watch_holders() as watch:
        hosts["ka1"].check_output("touch /run/keepalived/down")
        # fall 2 at an interval of 1 s, then the backup notices the lower priority within its master-down interval.
        watch.wait_for(vip, {"ka2"}, seconds=15)
        hosts["ka1"].check_output("rm /run/keepalived/down")
        watch.wait_for(vip, {"ka1"}, seconds=15)
    # The old master serves until the new one advertises (make before break).
    watch.assert_bounded(vip, HANDOVER_MS)
    assert watch.timeline(vip).holders[:1] == [{"ka1"}]
    assert {"ka2"} in watch.timeline(vip).holders


def test_s16_haproxy_stopped_moves_the_vip(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    with watch_holders() as watch:
        try:
            hosts["ka1"].check_output("systemctl stop haproxy")
            watch.wait_for(vip, {"ka2"}, seconds=15)
            assert hosts["client"].check_output(f"curl -sS --max-time 5 http://{vip}/").startswith("rs")
        finally:
            hosts["ka1"].check_output("systemctl start haproxy")
        watch.wait_for(vip, {"ka1"}, seconds=15)
    watch.assert_bounded(vip, HANDOVER_MS)


def test_haproxy_killed_is_back_before_the_vip_moves(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    before = hosts["ka1"].check_output("systemctl show --property MainPID --value haproxy")
    with watch_holders() as watch:
        hosts["ka1"].check_output("systemctl kill --signal KILL haproxy")
        # systemd starts it again at once; a check that fails twice in a row would move the VIP after 2 s.
        hosts["client"].check_output(
            f"timeout 10 sh -c 'until curl -sS --max-time 1 http://{vip}/ >/dev/null 2>&1; do sleep 0.05; done'"
        )
        assert hosts["client"].check_output(f"curl -sS --max-time 5 http://{vip}/").startswith("rs")
    assert hosts["ka1"].check_output("systemctl show --property MainPID --value haproxy") != before
    watch.assert_bounded(vip, HANDOVER_MS)


def test_keepalived_killed_leaves_no_vip_behind_and_comes_back(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    vip = vips["WEB_VIP"]
    with watch_holders() as watch:
        killed = time.time()
        hosts["ka1"].check_output("systemctl kill --signal KILL keepalived")
        taken = watch.wait_for(vip, {"ka2"}, seconds=15)
        home = watch.wait_for(vip, {"ka1"}, seconds=20)
    timeline = watch.timeline(vip)
    # Unless a dying child still says goodbye (Debian 12), the backup waits three intervals and its skew from the last
    # advertisement it heard.
    watch.assert_bounded(vip, 3 * ADVERT_MS + SKEW_MS + BUSY_MS)
    removed = timeline.intervals[0].start + timeline.intervals[0].length_ms / 1000
    # Far below the second after which the service starts again, which would remove the VIP as well.
    assert removed - killed < 0.8 + watch.late_ms / 1000, f"the VIP was not removed at once: {timeline}"
    assert home > taken
    assert hosts["ka1"].service("keepalived").is_running


def test_s9_every_change_of_state_is_told_by_mail(
    hosts: dict[str, Host], vips: dict[str, str], watch_holders: Callable[[], HolderWatch]
) -> None:
    host = hosts["ka2"]
    host.check_output("rm -f /var/tmp/keepalived-mails")
    with watch_holders() as watch:
        hosts["ka1"].check_output("touch /run/keepalived/down")
        watch.wait_for(vips["WEB_VIP"], {"ka2"}, seconds=15)
        hosts["ka1"].check_output("rm /run/keepalived/down")
        watch.wait_for(vips["WEB_VIP"], {"ka1"}, seconds=15)
    for before, state in (("BACKUP", "MASTER"), ("MASTER", "BACKUP")):
        subject = f"Subject: \\[failover.vip\\] ka2 WEB_VIP {before} -> {state}"
        host.check_output(
            f"timeout 10 sh -c 'until grep -q \"{subject}\" /var/tmp/keepalived-mails; do sleep 0.1; done'"
        )
        assert f"INSTANCE WEB_VIP is {state}" in host.file("/var/log/keepalived.log").content_string
