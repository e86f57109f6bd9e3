# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about how one host runs its instances."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, SyncGroup, Track, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules import _instance
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    WEB,
    Case,
    Change,
    around,
    both,
    complete,
    everywhere,
    find,
    globally,
    on,
    silent,
)


def moved(interface: str) -> Change:
    """Both instances get one VRID, and WEB_VIP another interface on both hosts."""

    def change(cluster: Cluster) -> None:
        for one in cluster.directors.values():
            one.instances[0].options.update(interface=interface, virtual_router_id=52)
            one.instances[0].options["virtual_ipaddress"] = [Vip(WEB, 24)]
            assert one.interfaces is not None
            one.interfaces[interface] = one.interfaces["eth0"]._replace(name=interface)

    return change


def sync_group(*members: str, **options: Any) -> Change:
    def change(cluster: Cluster) -> None:
        cluster.directors["ka1"].sync_groups.append(SyncGroup("VG", {"group": list(members), **options}))

    return change


CASES: list[Case] = [
    ("KH001", "error", "keepalived ignores nopreempt", on("ka1", nopreempt=True, state="MASTER")),
    ("KH002", "error", "no preemption to delay", on("ka1", nopreempt=True, preempt_delay=10)),
    ("KH002", "error", "drops the delay", on("ka1", state="MASTER", preempt_delay=10)),
    ("KH003", "error", "weighted check chk", everywhere(nopreempt=True)),
    ("KH008", "error", "vrrp_strict together with unicast_peer", on("ka1", strict_mode=True, accept=True)),
    ("KH008", "error", "the VIP answers nobody", globally("ka1", vrrp_strict=True)),
    ("KH018", "warning", "never moved by a check", on("ka1", priority=255)),
    ("KH019", "warning", "less its weights is -5", on("ka1", priority=25)),
    ("KH019", "warning", "plus its weights is 284", on("ka1", track_script=[Track("chk", 30)])),
    ("KH021", "error", "track_script names gone", on("ka1", track_script=[Track("gone")])),
    ("KH021", "error", "track_bfd names gone", on("ka1", track_bfd=[Track("gone")])),
    ("KH031", "error", "names GONE", sync_group("WEB_VIP", "GONE")),
    ("KH031", "error", "fewer than two", sync_group("WEB_VIP")),
    ("KH043", "error", "is already that of WEB_VIP on eth0", everywhere(virtual_router_id=52)),
    ("KH044", "error", "has no virtual_router_id", everywhere(virtual_router_id=None)),
    ("KH044", "error", "has no virtual_ipaddress", everywhere(virtual_ipaddress=None)),
    ("KH047", "error", "knows whole seconds", everywhere(advert_int=0.5)),
    ("KH047", "error", "ends at 40.95", both(everywhere(advert_int=41), globally("ka1 ka2", vrrp_version=3))),
    (
        "KH013",
        "warning",
        "eth1 and eth0 are bridged by br0",
        both(moved("eth1"), around(bridges={"eth0": "br0", "eth1": "br0"})),
    ),
    ("KH013", "warning", "br0 and eth0 are bridged by br0", both(moved("br0"), around(bridges={"eth0": "br0"}))),
    ("KH037", "info", "a dead link leaves this host master", on("ka1", dont_track_primary=True)),
    ("KH037", "info", "speaks multicast", everywhere(unicast_peer=[], unicast_src_ip=None)),
    (
        "KH038",
        "warning",
        "after 0.3 s without the processor",
        both(everywhere(advert_int=0.1), globally("ka1 ka2", vrrp_version=3)),
    ),
    (
        "KH038",
        "warning",
        "any other process until it is late by 1 s: the peer takes over after 0.3 s",
        both(everywhere(advert_int=0.1), globally("ka1 ka2", vrrp_version=3, max_auto_priority=50)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_instance, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("nopreempt with an unweighted check", everywhere(nopreempt=True, track_script=[Track("chk", 0)])),
    ("preempt_delay, both BACKUP", everywhere(preempt_delay=10)),
    ("half a second in version 3", both(everywhere(advert_int=0.5), globally("ka1 ka2", vrrp_version=3))),
    (
        "a short interval, and a priority raised in time",
        both(
            everywhere(advert_int=0.1),
            globally("ka1 ka2", vrrp_version=3, max_auto_priority=50, min_auto_priority_delay=200_000),
        ),
    ),
    (
        "many short intervals",
        both(everywhere(advert_int=0.05, down_timer_adverts=20), globally("ka1 ka2", vrrp_version=3)),
    ),
    ("one MASTER", on("ka1", state="MASTER")),
    ("a sync group of both", sync_group("WEB_VIP", "DB_VIP")),
    ("another interface is tracked", everywhere(dont_track_primary=True, track_interface=[Track("eth0")])),
    ("one VRID on two networks", both(moved("eth1"), around(bridges={"eth0": "br0", "eth1": "br1"}))),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
