# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""From packets of real keepalived to the model, and what the rules between hosts say of it."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._wire._listen import Frame, Heard, report
from ansible_collections.failover.vip.plugins.module_utils._wire._model_of import clusters_of
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._wire.test_listen import (
    AH,
    V2,
    V3,
    V6,
    by,
    changed,
)

#: Offsets in an IPv4 packet without options.
VERSION_AND_TYPE, VRID, PRIORITY, INTERVAL, LAST_OF_VIP = 20, 21, 22, 25, 31
TO_ONE_HOST = bytes((192, 0, 2, 9))
PAIR_RULES = [rule for rule in RULES if rule.scope != "host" and rule.id.startswith("KP")]


def links(*packets: bytes, interface: str = "eth0") -> list[Cluster]:
    """The model of what was heard, each packet from a hardware address of its own."""
    frames = [
        (float(number), Frame(interface, "52:54:00:00:00:%02x" % number, False, packet))
        for number, packet in enumerate(packets)
    ]
    heard = report(Heard(frames, complete=True), set())
    return clusters_of(heard["routers"], {"192.0.2.1": "ka1", "192.0.2.2": "ka2"}, {("ipv4", 51): "WEB_VIP"})


def test_one_sender() -> None:
    (link,) = links(V2)
    (director,) = link.directors.values()
    (instance,) = director.instances
    assert (director.host, instance.name, instance.virtual_router_id) == ("ka1", "WEB_VIP", 51)
    assert (director.version_of(instance), instance.priority, instance.advert_int) == (2, 254, 1.0)
    assert [vip.address for vip in instance.vips] == ["192.0.2.100", "192.0.2.101"]
    assert (instance.auth_type, instance.auth_pass, instance.unicast_peer) == ("PASS", "", [])
    assert instance.place("priority").path == "VRRP on eth0"


def test_other_senders() -> None:
    (ours,) = links(by(V3, 7))
    (director,) = ours.directors.values()
    assert (director.host, director.instances[0].name, director.instances[0].auth_type) == ("192.0.2.7", "VRID 53", "")
    (unicast,) = links(changed(V3, 16, TO_ONE_HOST))
    instance = unicast.directors["ka1"].instances[0]
    assert (instance.unicast_src_ip, instance.unicast_peer) == ("192.0.2.1", ["192.0.2.9"])
    (ah,) = links(AH)
    assert ah.directors["ka1"].instances[0].auth_type == "AH"


def test_links_and_families_are_apart() -> None:
    assert [list(link.directors) for link in links(V3, V6)] == [["ka1"], ["fe80::5054:ff:fe00:1"]]
    assert links() == []


@pytest.mark.parametrize(
    ("packets", "rules"),
    [
        ([V2], set()),
        ([V2, V3], set()),  # two virtual routers, each with its master
        ([V2, changed(by(V2, 2), VERSION_AND_TYPE, b"\x31")], {"KP004", "KP002", "KP003"}),
        ([V2, changed(by(V2, 2), INTERVAL, b"\x05")], {"KP003"}),
        ([V3, changed(by(V3, 2), INTERVAL, b"\x64")], {"KP003"}),
        ([V2, changed(by(V2, 2), LAST_OF_VIP, b"\x65")], {"KP005"}),
        ([V2, changed(by(V2, 2), VRID, b"\x3d")], {"KP001"}),
        ([V2, changed(by(V2, 2), 24, b"\x00")], {"KP002"}),
        ([V2, changed(by(V2, 2), 16, TO_ONE_HOST)], {"KP007"}),
        ([V2, changed(by(V2, 2), 16, bytes((224, 0, 0, 44)))], {"KP007"}),
    ],
)
def test_rules_between_hosts(packets: list[bytes], rules: set[str]) -> None:
    packets = [*packets[:1], *(changed(packet, PRIORITY, b"\xf0") for packet in packets[1:])]
    meant = {"KP001", "KP002", "KP003", "KP004", "KP005", "KP007", "KP010", "KP015", "KP027"}
    found = {one.rule for link in links(*packets) for one in check(link, PAIR_RULES)}
    assert found & meant == rules


def test_equal_priorities() -> None:
    (link,) = links(V2, by(V2, 2))
    assert {one.rule for one in check(link, PAIR_RULES)} == {"KP010"}
