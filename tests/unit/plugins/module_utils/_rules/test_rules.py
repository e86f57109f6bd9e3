# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules that need several hosts, and what is true of all rules. The other rooms have files of their own."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding, at_or_above, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Track, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules import _pair, _peers, _weights
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import CLUSTER, GROUP, GROUPS, HOST
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    WEB,
    Case,
    Change,
    around,
    both,
    complete,
    director,
    everywhere,
    find,
    globally,
    healthy,
    on,
    silent,
)


def test_the_healthy_pair_has_no_findings() -> None:
    assert check(healthy()) == []


def rename(cluster: Cluster) -> None:
    cluster.directors["ka2"].instances[0].name = "VI_60"


def lone(cluster: Cluster) -> None:
    del cluster.directors["ka2"].instances[0]


def vip_of_the_other(cluster: Cluster) -> None:
    """ka1 alone runs WEB_VIP, ka2 alone an instance of another name and VRID whose excluded VIP is the same."""
    stranger = cluster.directors["ka2"].instances[0]
    stranger.name, stranger.options["virtual_router_id"] = "OTHER", 60
    stranger.options["virtual_ipaddress"] = [Vip("172.25.254.110", 24)]
    stranger.options["virtual_ipaddress_excluded"] = [Vip(WEB, 24)]


def third(cluster: Cluster) -> None:
    """A third director that comes last for both VIPs."""
    cluster.directors["ka3"] = director("ka3", 70, (233, 233))
    for one in cluster.directors.values():
        for instance in one.instances:
            instance.options["unicast_peer"] = [
                "172.25.254.%d" % last for last in (50, 60, 70) if not instance.unicast_src_ip.endswith(str(last))
            ]


def old(cluster: Cluster) -> None:
    """Both hosts run the keepalived of Debian 12."""
    for one in cluster.directors.values():
        one.machine.release = (2, 2, 7)


ONE_MORE = on("ka2", virtual_ipaddress=[Vip(WEB, 24), Vip("172.25.254.101", 24)])
COPIED = on("ka2", unicast_src_ip="172.25.254.50", unicast_peer=["172.25.254.60"])


def old_release(cluster: Cluster) -> None:
    """ka2 has a keepalived that does not know down_timer_adverts."""
    cluster.directors["ka2"].machine.release = (2, 2, 2)


CASES: list[Case] = [
    ("KP001", "error", "ka1: 51, ka2: 61", on("ka2", virtual_router_id=61)),
    (
        "KP002",
        "error",
        "auth_pass differs (ka1, ka2)",
        both(
            on("ka1", authentication={"auth_type": "PASS", "auth_pass": "abcd"}),
            on("ka2", authentication={"auth_type": "PASS", "auth_pass": "abce"}),
        ),
    ),
    ("KP002", "error", "ka1: PASS, ka2: none", on("ka1", authentication={"auth_type": "PASS", "auth_pass": "abcd"})),
    ("KP003", "error", "advert_int differs (ka1: 1.0, ka2: 2.0)", on("ka2", advert_int=2)),
    ("KP003", "warning", "advert_int differs", both(on("ka2", advert_int=2), globally("ka1 ka2", vrrp_version=3))),
    ("KP030", "warning", "ka1: 3, ka2: 9", on("ka2", down_timer_adverts=9)),
    ("KP030", "warning", "ka1: 9, ka2: 3", both(globally("ka1 ka2", vrrp_down_timer_adverts=9), old_release)),
    ("KP004", "error", "ka1: 2, ka2: 3", globally("ka2", vrrp_version=3)),
    ("KP005", "error", "the set of VIPs differs", both(ONE_MORE, around(release=(2, 2, 7)))),
    ("KP005", "error", "the set of VIPs differs", both(ONE_MORE, around(release=None))),
    ("KP005", "warning", "lets one host hold", ONE_MORE),
    ("KP006", "warning", "is /24 on ka1 and /32 on ka2", on("ka2", virtual_ipaddress=[Vip(WEB)])),
    ("KP007", "error", "ka1: multicast to 224.0.0.18, ka2: unicast", on("ka1", unicast_src_ip=None, unicast_peer=None)),
    (
        "KP007",
        "error",
        "ka1: multicast to 224.0.0.44, ka2: multicast to 224.0.0.18",
        both(everywhere(unicast_src_ip=None, unicast_peer=None), globally("ka1", vrrp_mcast_group4="224.0.0.44")),
    ),
    ("KP008", "error", "172.25.254.61 is the address of no host", on("ka1", unicast_peer=["172.25.254.61"])),
    ("KP008", "error", "ka2 (172.25.254.60) is missing", both(third, on("ka1", unicast_peer=["172.25.254.70"]))),
    ("KP009", "error", "ka2 (172.25.254.60) is in nobody's", on("ka1", unicast_peer=["172.25.254.61"])),
    ("KP010", "warning", "priority 253 is that of ka1 too", on("ka1", priority=253)),
    ("KP011", "warning", "state MASTER on ka1, ka2", everywhere(state="MASTER")),
    ("KP012", "warning", "nopreempt differs (ka1: yes, ka2: no)", on("ka1", nopreempt=True)),
    ("KP015", "error", "is the own address of ka2", everywhere(virtual_ipaddress=[Vip("172.25.254.60", 24)])),
    ("KP015", "error", "belongs to WEB_VIP too", vip_of_the_other),
    ("KP016", "warning", "router_id ka1 is that of ka1 too", globally("ka2", router_id="ka1")),
    ("KP017", "warning", "only ka1 runs this instance", lone),
    ("KP018", "error", "ka1 still has 170 and ka2 only 150", both(on("ka1", priority=200), on("ka2", priority=150))),
    ("KP019", "error", "ka1 ties with ka2 at 170", both(on("ka1", priority=200), on("ka2", priority=170))),
    ("KP022", "info", "nothing counts it", both(ONE_MORE, globally("ka1", vrrp_skip_check_adv_addr=True))),
    ("KP022", "warning", "keep the peace", both(ONE_MORE, old, globally("ka1", vrrp_skip_check_adv_addr=True))),
    ("KP024", "info", "ka2 is home to all of DB_VIP, WEB_VIP", both(on("ka1", priority=253), on("ka2", priority=254))),
    ("KP025", "error", "is that of ka1 too: who does not have the address holds the VIP beside", COPIED),
    ("KP025", "error", "stays in FAULT", both(COPIED, old)),
    ("KP026", "warning", "ka1: WEB_VIP, ka2: VI_60", rename),
    ("KP027", "error", "priority 255 on ka1, ka2", everywhere(priority=255)),
    ("KP028", "error", "even while all is well", everywhere(track_script=[Track("chk", 0, reverse=True)])),
    ("KP029", "info", "without ka1, ka2 holds all of DB_VIP, WEB_VIP, and ka3 idles", third),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    for room in (_pair, _peers, _weights):
        complete(room, CASES)


def test_every_rule_is_complete() -> None:
    for rule in RULES:
        assert all((rule.title, rule.hint, rule.source))
        assert rule.scope in (HOST, GROUP, GROUPS, CLUSTER)


ACCEPTED: list[tuple[str, Change]] = [
    (
        "one down_timer_adverts, written at two places",
        both(on("ka1", down_timer_adverts=9), globally("ka1 ka2", vrrp_down_timer_adverts=9)),
    ),
    (
        "passwords that agree in 8 characters",
        both(
            on("ka1", authentication={"auth_type": "PASS", "auth_pass": "abcdefgh"}),
            on("ka2", authentication={"auth_type": "PASS", "auth_pass": "abcdefgh"}),
        ),
    ),
    (
        "a multicast group of both",
        both(everywhere(unicast_src_ip=None, unicast_peer=None), globally("ka1 ka2", vrrp_mcast_group4="224.0.0.44")),
    ),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)


def test_one_instance_is_recognised_under_two_names_or_two_vrids() -> None:
    cluster = healthy()
    rename(cluster)
    on("ka2", virtual_router_id=61)(cluster)
    assert sorted(len(group.members) for group in groups(cluster)) == [2, 2]


def test_the_password_is_never_shown() -> None:
    cluster = healthy()
    on("ka1", authentication={"auth_type": "PASS", "auth_pass": "canary1"})(cluster)
    on("ka2", authentication={"auth_type": "PASS", "auth_pass": "canary2"})(cluster)
    assert check(cluster)
    assert "canary" not in " ".join(finding.text() for finding in check(cluster))


def test_findings_are_ordered_and_readable() -> None:
    warning = Finding("KP010", "warning", "priority 100 is that of ka2 too", "Differ.", "ka1", instance="WEB_VIP")
    error = Finding("KP001", "error", "differs.", path="/etc/keepalived/keepalived.conf", line=7)
    assert ordered([warning, error, error]) == [error, warning]
    assert at_or_above([warning, error], "error") == [error]
    assert at_or_above([warning, error], "info") == [warning, error]
    assert warning.text() == "warning KP010 [ka1, WEB_VIP] priority 100 is that of ka2 too. Differ."
    assert error.text() == "error KP001 differs (/etc/keepalived/keepalived.conf:7)."


def test_the_keyword_table_is_sound() -> None:
    for block, table in BLOCKS.items():
        for name, keyword in table.items():
            assert name == keyword.name, block
            assert keyword.kind != "block" or keyword.block in BLOCKS
            assert keyword.kind != "choice" or keyword.choices
