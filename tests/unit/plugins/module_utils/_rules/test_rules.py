# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Every rule of the catalogue: an example that it finds, and the healthy pair beside it, on which all are silent."""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding, at_or_above, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Cluster,
    Director,
    Interface,
    SyncGroup,
    Track,
    Tracked,
    Vip,
    VrrpInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._rules import _host, _pair, _weights
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import CLUSTER, GROUP, HOST, rules_in

WEB, DB = "172.25.254.100", "172.25.254.200"


def director(host: str, last: int, priorities: tuple[int, int]) -> Director:
    """One healthy director of the reference cluster, with a script that moves the VIP."""
    source, peer = "172.25.254.%d" % last, "172.25.254.%d" % (110 - last)
    instances = [
        VrrpInstance(
            name,
            {
                "state": "BACKUP",
                "interface": "eth0",
                "virtual_router_id": vrid,
                "priority": priority,
                "advert_int": 1,
                "unicast_src_ip": source,
                "unicast_peer": [peer],
                "virtual_ipaddress": [Vip(vip, 24, "eth0", "eth0:0")],
                "track_script": [Track("chk")],
            },
        )
        for name, vrid, vip, priority in (("WEB_VIP", 51, WEB, priorities[0]), ("DB_VIP", 52, DB, priorities[1]))
    ]
    return Director(
        host,
        Block("", {"router_id": host, "vrrp_version": 2, "enable_script_security": True}),
        instances,
        scripts=[Tracked("chk", {"script": "/bin/true", "interval": 2, "timeout": 1, "weight": Track("", -30)})],
        interfaces={"eth0": Interface("eth0", (ipaddress.ip_interface(source + "/24"),))},
    )


def healthy() -> Cluster:
    """The reference cluster: two directors, two VIPs, each home to one."""
    return Cluster({"ka1": director("ka1", 50, (254, 253)), "ka2": director("ka2", 60, (253, 254))})


def test_the_healthy_pair_has_no_findings() -> None:
    assert check(healthy()) == []


def on(hosts: str, **options: Any) -> Callable[[Cluster], None]:
    """Sets options of WEB_VIP on some hosts; None takes one away."""

    def change(cluster: Cluster) -> None:
        for host in hosts.split():
            own = cluster.directors[host].instances[0].options
            own.update(options)
            for key in [key for key, value in own.items() if value is None]:
                del own[key]

    return change


def everywhere(**options: Any) -> Callable[[Cluster], None]:
    """Sets options of WEB_VIP on both hosts."""
    return on("ka1 ka2", **options)


def globally(hosts: str, **options: Any) -> Callable[[Cluster], None]:
    """Sets global_defs on some hosts."""

    def change(cluster: Cluster) -> None:
        for host in hosts.split():
            cluster.directors[host].global_defs.options.update(options)

    return change


def both(*changes: Callable[[Cluster], None]) -> Callable[[Cluster], None]:
    """All of the changes."""

    def change(cluster: Cluster) -> None:
        for one in changes:
            one(cluster)

    return change


def second_script(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts.append(copy.deepcopy(cluster.directors["ka1"].scripts[0]))


def unused(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts.append(Tracked("idle", {"script": "/bin/true"}))


def slow_script(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts[0].options["timeout"] = 2


def script_of_root(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts[0].options["user"] = ["root", "root"]


def only_notify(cluster: Cluster) -> None:
    """No vrrp_script any more, but a notify script, and no security."""
    director = cluster.directors["ka1"]
    director.scripts = []
    director.global_defs.options["enable_script_security"] = False
    director.instances[0].options.update(track_script=[], notify_master="/etc/keepalived/mail.sh")


def sync_group(*members: str) -> Callable[[Cluster], None]:
    def change(cluster: Cluster) -> None:
        cluster.directors["ka1"].sync_groups.append(SyncGroup("VG", {"group": list(members)}))

    return change


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


CASES: list[tuple[str, str, str, Callable[[Cluster], None]]] = [
    ("KH001", "error", "keepalived ignores nopreempt", on("ka1", nopreempt=True, state="MASTER")),
    ("KH002", "error", "no preemption to delay", on("ka1", nopreempt=True, preempt_delay=10)),
    ("KH002", "error", "drops the delay", on("ka1", state="MASTER", preempt_delay=10)),
    ("KH003", "error", "weighted check chk", everywhere(nopreempt=True)),
    ("KH005", "error", "has 9 characters", everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcdefghi"})),
    (
        "KH006",
        "error",
        "VRRP version 3, which has none",
        both(
            everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcd"}), globally("ka1 ka2", vrrp_version=3)
        ),
    ),
    ("KH007", "warning", "has 4 characters", everywhere(authentication={"auth_type": "PASS", "auth_pass": "abcd"})),
    ("KH007", "warning", "manuals", everywhere(authentication={"auth_type": "PASS", "auth_pass": "1ce24b6e"})),
    ("KH008", "error", "vrrp_strict together with unicast_peer", on("ka1", strict_mode=True, accept=True)),
    ("KH008", "error", "the VIP answers nobody", globally("ka1", vrrp_strict=True)),
    ("KH009", "warning", "becomes /32", everywhere(virtual_ipaddress=[Vip(WEB)])),
    ("KH009", "warning", "becomes /128", everywhere(virtual_ipaddress_excluded=[Vip("2001:db8::1")])),
    ("KH010", "error", "is in no subnet of eth0", everywhere(virtual_ipaddress=[Vip("192.0.2.1", 24)])),
    ("KH010", "error", "is the network address", everywhere(virtual_ipaddress=[Vip("172.25.254.0", 24)])),
    ("KH012", "error", "stands in WEB_VIP too", everywhere(virtual_ipaddress=[Vip(DB, 24)])),
    ("KH014", "warning", "is on eth1, which nobody tracks", on("ka1", virtual_ipaddress=[Vip(WEB, 24, "eth1")])),
    ("KH015", "warning", "among unicast_peer", on("ka1", unicast_peer=["172.25.254.50", "172.25.254.60"])),
    ("KH016", "error", "falls back to multicast", on("ka1", unicast_peer=None)),
    ("KH016", "error", "whichever address the kernel picks", on("ka1", unicast_src_ip=None)),
    ("KH016", "error", "is no address of this host", on("ka1", unicast_src_ip="172.25.254.51")),
    (
        "KH017",
        "error",
        "21 VIPs",
        everywhere(virtual_ipaddress=[Vip("172.25.254.%d" % last, 24) for last in range(101, 122)]),
    ),
    ("KH018", "warning", "never moved by a check", on("ka1", priority=255)),
    ("KH019", "warning", "less its weights is -5", on("ka1", priority=25)),
    ("KH019", "warning", "plus its weights is 284", on("ka1", track_script=[Track("chk", 30)])),
    ("KH020", "warning", "timeout 2 s is not below its interval of 2 s", slow_script),
    ("KH021", "error", "track_script names gone", on("ka1", track_script=[Track("gone")])),
    ("KH022", "warning", "vrrp_script idle is tracked by nothing", unused),
    ("KH023", "error", "two vrrp_script of the name chk", second_script),
    ("KH026", "error", "chk runs a script", globally("ka1", enable_script_security=False)),
    ("KH026", "error", "WEB_VIP runs a script", only_notify),
    ("KH027", "warning", "all scripts run as root", globally("ka1", script_user=["root"])),
    ("KH027", "warning", "vrrp_script chk runs as root", script_of_root),
    ("KH031", "error", "names GONE", sync_group("WEB_VIP", "GONE")),
    ("KH031", "error", "fewer than two", sync_group("WEB_VIP")),
    ("KH035", "error", "has 16 characters", on("ka1", virtual_ipaddress=[Vip(WEB, 24, "eth0", "eth0:longerthan1")])),
    ("KH043", "error", "is already that of WEB_VIP on eth0", everywhere(virtual_router_id=52)),
    ("KH044", "error", "has no virtual_router_id", everywhere(virtual_router_id=None)),
    ("KH044", "error", "has no virtual_ipaddress", everywhere(virtual_ipaddress=None)),
    ("KH045", "error", "interface eth7 does not exist here", on("ka1", interface="eth7")),
    ("KH046", "error", "IPv4 and IPv6", everywhere(virtual_ipaddress=[Vip(WEB, 24), Vip("2001:db8::1", 64)])),
    ("KH046", "error", "is not of the VIPs' family", on("ka1", unicast_peer=["2001:db8::60"])),
    ("KH047", "error", "knows whole seconds", everywhere(advert_int=0.5)),
    ("KH047", "error", "ends at 40.95", both(everywhere(advert_int=41), globally("ka1 ka2", vrrp_version=3))),
    ("KH048", "error", "127.0.0.0 is no host", globally("ka1", smtp_server=["127.0.0.0"])),
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
    ("KP004", "error", "ka1: 2, ka2: 3", globally("ka2", vrrp_version=3)),
    (
        "KP005",
        "error",
        "the set of VIPs differs",
        on("ka2", virtual_ipaddress=[Vip(WEB, 24), Vip("172.25.254.101", 24)]),
    ),
    ("KP006", "warning", "is /24 on ka1 and /32 on ka2", on("ka2", virtual_ipaddress=[Vip(WEB)])),
    ("KP007", "error", "ka1: multicast to 224.0.0.18, ka2: unicast", on("ka1", unicast_src_ip=None, unicast_peer=None)),
    (
        "KP007",
        "error",
        "ka1: multicast to 224.0.0.44, ka2: multicast to 224.0.0.18",
        both(everywhere(unicast_src_ip=None, unicast_peer=None), globally("ka1", vrrp_mcast_group4="224.0.0.44")),
    ),
    ("KP008", "error", "172.25.254.61 is the address of no host", on("ka1", unicast_peer=["172.25.254.61"])),
    ("KP008", "error", "ka2 (172.25.254.60) is missing", on("ka1", unicast_peer=["172.25.254.61"])),
    ("KP010", "warning", "priority 253 is that of ka1 too", on("ka1", priority=253)),
    ("KP011", "warning", "state MASTER on ka1, ka2", everywhere(state="MASTER")),
    ("KP012", "warning", "nopreempt differs (ka1: yes, ka2: no)", on("ka1", nopreempt=True)),
    ("KP015", "error", "is the own address of ka2", everywhere(virtual_ipaddress=[Vip("172.25.254.60", 24)])),
    ("KP015", "error", "belongs to WEB_VIP too", vip_of_the_other),
    ("KP016", "warning", "router_id ka1 is that of ka1 too", globally("ka2", router_id="ka1")),
    ("KP017", "warning", "only ka1 runs this instance", lone),
    ("KP018", "error", "ka1 still has 170 and ka2 only 150", both(on("ka1", priority=200), on("ka2", priority=150))),
    ("KP019", "error", "ka1 ties with ka2 at 170", both(on("ka1", priority=200), on("ka2", priority=170))),
    ("KP024", "info", "ka2 is home to all of DB_VIP, WEB_VIP", both(on("ka1", priority=253), on("ka2", priority=254))),
    ("KP025", "error", "is that of ka1 too", on("ka2", unicast_src_ip="172.25.254.50", unicast_peer=["172.25.254.60"])),
    ("KP026", "warning", "ka1: WEB_VIP, ka2: VI_60", rename),
    ("KP027", "error", "priority 255 on ka1, ka2", everywhere(priority=255)),
    ("KP028", "error", "even while all is well", everywhere(track_script=[Track("chk", 0, reverse=True)])),
    ("KP029", "info", "without ka1, ka2 holds all of DB_VIP, WEB_VIP, and ka3 idles", third),
]


@pytest.mark.parametrize(("rule", "severity", "words", "change"), CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(rule: str, severity: str, words: str, change: Callable[[Cluster], None]) -> None:
    cluster = healthy()
    change(cluster)
    found = [finding for finding in check(cluster) if finding.rule == rule and words in finding.message]
    assert found, [finding.text() for finding in check(cluster)]
    assert {finding.severity for finding in found} == {severity}
    assert all(finding.hint for finding in found)


def test_every_rule_has_a_case() -> None:
    rules = [rule for room in (_host, _pair, _weights) for rule in rules_in(vars(room))]
    assert {(rule.id, rule.severity) for rule in rules} == {case[:2] for case in CASES}


def test_every_rule_is_complete() -> None:
    for rule in RULES:
        assert all((rule.title, rule.hint, rule.source))
        assert rule.scope in (HOST, GROUP, CLUSTER)


ACCEPTED: list[tuple[str, Callable[[Cluster], None]]] = [
    ("nopreempt with an unweighted check", everywhere(nopreempt=True, track_script=[Track("chk", 0)])),
    ("preempt_delay, both BACKUP", everywhere(preempt_delay=10)),
    (
        "passwords that agree in 8 characters",
        both(
            on("ka1", authentication={"auth_type": "PASS", "auth_pass": "abcdefgh"}),
            on("ka2", authentication={"auth_type": "PASS", "auth_pass": "abcdefgh"}),
        ),
    ),
    ("an extra VIP outside the advertisement", on("ka2", virtual_ipaddress_excluded=[Vip("172.25.254.101", 24)])),
    ("half a second in version 3", both(everywhere(advert_int=0.5), globally("ka1 ka2", vrrp_version=3))),
    (
        "a multicast group of both",
        both(everywhere(unicast_src_ip=None, unicast_peer=None), globally("ka1 ka2", vrrp_mcast_group4="224.0.0.44")),
    ),
    ("one MASTER", on("ka1", state="MASTER")),
    ("a mail server on the host", globally("ka1 ka2", smtp_server=["127.0.0.1", "25"])),
    ("a script user of its own", globally("ka1 ka2", script_user=["keepalived_script"])),
    ("a VIP of full width inside the subnet", everywhere(virtual_ipaddress=[Vip(WEB, 32)])),
    ("a sync group of both", sync_group("WEB_VIP", "DB_VIP")),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Callable[[Cluster], None]) -> None:
    cluster = healthy()
    change(cluster)
    assert [finding.text() for finding in check(cluster)] == [], name


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
            assert not keyword.until or not keyword.since or keyword.since < keyword.until
