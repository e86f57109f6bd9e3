# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about the addresses of one host."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Interface, Track, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules import _addresses
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    DB,
    WEB,
    Case,
    Change,
    around,
    both,
    complete,
    everywhere,
    find,
    on,
    silent,
)


def held(cluster: Cluster) -> None:
    """ka1 has WEB_VIP although keepalived does not run there."""
    one = cluster.directors["ka1"]
    assert one.interfaces is not None
    link = one.interfaces["eth0"]
    one.interfaces["eth0"] = link._replace(addresses=(*link.addresses, ipaddress.ip_interface(WEB + "/24")))


#: A VIP on another interface than its instance, whose link keepalived is told not to watch.
NOT_TRACKED = Vip(WEB, 24, "eth1", flags=("no_track",))


def second_link(cluster: Cluster) -> None:
    """ka1 has eth1 as well, in the VIP's network."""
    one = cluster.directors["ka1"]
    assert one.interfaces is not None
    one.interfaces["eth1"] = Interface("eth1", (ipaddress.ip_interface("172.25.254.51/24"),))


CASES: list[Case] = [
    ("KH009", "warning", "becomes /32", everywhere(virtual_ipaddress=[Vip(WEB)])),
    ("KH009", "warning", "becomes /128", everywhere(virtual_ipaddress_excluded=[Vip("2001:db8::1")])),
    ("KH010", "error", "is in no subnet of eth0", everywhere(virtual_ipaddress=[Vip("192.0.2.1", 24)])),
    ("KH010", "error", "is the network address", everywhere(virtual_ipaddress=[Vip("172.25.254.0", 24)])),
    ("KH012", "error", "stands in WEB_VIP too", everywhere(virtual_ipaddress=[Vip(DB, 24)])),
    ("KH014", "warning", "is on eth1 with no_track", on("ka1", virtual_ipaddress=[NOT_TRACKED])),
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
    ("KH035", "error", "has 16 characters", on("ka1", virtual_ipaddress=[Vip(WEB, 24, "eth0", "eth0:longerthan1")])),
    ("KH045", "error", "interface eth7 does not exist here", on("ka1", interface="eth7")),
    ("KH046", "error", "IPv4 and IPv6", everywhere(virtual_ipaddress=[Vip(WEB, 24), Vip("2001:db8::1", 64)])),
    ("KH046", "error", "is not of the VIPs' family", on("ka1", unicast_peer=["2001:db8::60"])),
    ("KH011", "error", "the instance advertises from it", everywhere(virtual_ipaddress=[Vip("172.25.254.50", 24)])),
    ("KH011", "error", "host: ifcfg-eth0:7 gives it", around(configured={WEB: ["ifcfg-eth0", 7]})),
    ("KH011", "error", "although keepalived does not run", both(held, around(running=False))),
    ("KH036", "warning", "without vmac_xmit_base", on("ka1", use_vmac=[])),
    (
        "KH036",
        "warning",
        "the kernel drops",
        both(
            on("ka1", use_vmac=["vrrp.51"], vmac_xmit_base=True), around(sysctls={"net.ipv4.conf.all.rp_filter": "1"})
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_addresses, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    (
        "a VIP on another interface, which keepalived watches by itself",
        both(second_link, on("ka1", virtual_ipaddress=[Vip(WEB, 24, "eth1")])),
    ),
    (
        "no_track where the instance tracks the interface",
        both(second_link, on("ka1", virtual_ipaddress=[NOT_TRACKED], track_interface=[Track("eth1")])),
    ),
    ("no_track on the instance's own interface", on("ka1", virtual_ipaddress=[NOT_TRACKED._replace(dev="eth0")])),
    ("an extra VIP outside the advertisement", on("ka2", virtual_ipaddress_excluded=[Vip("172.25.254.101", 24)])),
    ("a VIP of full width inside the subnet", everywhere(virtual_ipaddress=[Vip(WEB, 32)])),
    ("the VIP where keepalived runs", held),
    ("another address in the host's configuration", around(configured={"172.25.254.7": ["ifcfg-eth0", 7]})),
    (
        "use_vmac that sends from the base",
        both(around(sysctl_read_only=False), on("ka1", use_vmac=["vrrp.51"], vmac_xmit_base=True)),
    ),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
