# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Which interfaces, how long, which packets pass, and the report, without any socket."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._wire import _listen
from ansible_collections.failover.vip.plugins.module_utils._wire._listen import Frame, Heard

# From keepalived 2.2.7, as in test_vrrp_packet.py: VRID 53 and 51 by 192.0.2.1, and VRID 56 over IPv6
V3 = bytes.fromhex("45c0002000010000ff701899c0000201e00000123135fd0100326c9ec0000267")
V2 = bytes.fromhex("45c0002c00010000ff70188dc0000201e00000122133fe0201011ee4c0000264c00002657333637265740000")
V6 = bytes.fromhex(
    "6c00d222002870fffe80000000000000505400fffe000001ff020000000000000000000000000012"
    "313864020064ef4dfe80000000000000000000000000005620010db8000000000000000000000100"
)
AH = bytes.fromhex(
    "45c0004000010000ff3318b6c0000201e000001270040000c00002010000000199f74a6f45604e7a47c673b8"
    "213478010202a261c00002660000000000000000"
)
OWN, RIVAL = "52:54:00:00:00:01", "52:54:00:00:00:02"


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def by(packet: bytes, last: int) -> bytes:
    """The same advertisement from another address."""
    return changed(packet, 15, bytes([last]))


# ---- interfaces


def link(name: str, *flags: str, slave: str = "", mac: str = OWN) -> dict[str, Any]:
    return {"ifname": name, "flags": list(flags), "address": mac, "linkinfo": {"info_slave_kind": slave}}


LINKS = json.dumps(
    [
        {},
        link("lo", "LOOPBACK", "UP"),
        link("eth0", "UP", "LOWER_UP"),
        link("eth1", "UP"),
        link("eth2"),
        link("eth3", "UP", slave="bridge"),
        link("eth4", "UP", slave="bond"),
        link("eth5", "UP", slave="team"),
        link("eth6", "UP", slave="vrf"),
        link("vrrp.51", "UP", mac="00:00:5e:00:01:33"),
        {"ifname": "tun0", "flags": ["UP"]},
    ]
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], ["eth0", "eth1", "eth6", "tun0"]),
        (["eth1", "eth0", "eth1"], ["eth1", "eth0"]),
        (["eth3", "lo"], ["eth3", "lo"]),
    ],
)
def test_interfaces(wanted: list[str], found: list[str]) -> None:
    assert _listen.interfaces_of(LINKS, wanted) == found


@pytest.mark.parametrize(
    ("links", "wanted", "message"),
    [
        ("[]", [], "no interface is up on this host, beside loopback: bring one up, or set interfaces"),
        (
            LINKS,
            ["eth0", "eth9"],
            "there is no interface eth9 on this host; "
            "it has eth0, eth1, eth2, eth3, eth4, eth5, eth6, lo, tun0, vrrp.51",
        ),
        (LINKS, ["eth2"], "cannot listen on eth2: it is down, so silence would say nothing; bring it up first"),
    ],
)
def test_refused_interfaces(links: str, wanted: list[str], message: str) -> None:
    with pytest.raises(_listen.ListenError) as caught:
        _listen.interfaces_of(links, wanted)
    assert str(caught.value) == message


def test_known() -> None:
    given = ["192.0.2.1/24", " 192.0.2.2", "fe80::1%eth0", "2001:DB8:0:0::1/64"]
    assert _listen.parse_known(given) == {"192.0.2.1", "192.0.2.2", "fe80::1", "2001:db8::1"}
    with pytest.raises(_listen.ListenError) as caught:
        _listen.parse_known(["ka1"])
    assert str(caught.value) == "'ka1' in known is no IP address; write it as 192.0.2.10 or 2001:db8::10"


# ---- how long

FRAME = Frame("eth0", RIVAL, False, V3)


class Wire:
    """A clock, and what comes at which of its seconds."""

    def __init__(self, *frames: tuple[float, Frame]) -> None:
        self.now = 100.0
        self.frames: Iterator[tuple[float, Frame]] = iter(frames)
        self.next = next(self.frames, None)

    def clock(self) -> float:
        return self.now

    def receive(self, seconds: float) -> Frame | None:
        assert seconds > 0
        if self.next is None or self.next[0] > self.now + seconds:
            self.now += seconds
            return None
        self.now, frame = self.next
        self.next = next(self.frames, None)
        return frame


def test_listens_for_all_of_its_time() -> None:
    wire = Wire((100.25, FRAME), (103.5, FRAME), (104.1, FRAME))
    heard = _listen.collect(wire.receive, 4, 10, wire.clock)
    assert heard == Heard([(250.0, FRAME), (3500.0, FRAME)], complete=True)
    assert wire.now == 104


def test_a_flood_ends_it() -> None:
    wire = Wire(*((100 + number / 1000, FRAME) for number in range(1000)))
    heard = _listen.collect(wire.receive, 4, 7, wire.clock)
    assert (len(heard.frames), heard.complete) == (7, False)
    assert wire.now == 100.006


def test_wakes_without_a_packet_do_not_make_it_longer() -> None:
    times = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    heard = _listen.collect(lambda _seconds: None, 4, 10, lambda: next(times))
    assert heard == Heard([], complete=True)
    assert list(times) == []


# ---- what passes


def passes(packet: bytes, protocol: int = 0x0800, kind: int = 0, vlan: int = 0) -> int:
    """Run the filter as the kernel does (Documentation/networking/filter.rst): how many bytes it lets pass."""
    code = list(struct.iter_unpack("=HBBI", _listen.vrrp_filter()))
    ancillary = {0xFFFFF000: protocol, 0xFFFFF004: kind, 0xFFFFF030: vlan}
    a = x = at = 0
    while True:
        operation, if_true, if_false, k = code[at]
        at += 1
        assert at <= len(code)
        if operation == 0x06:
            return int(k)
        if operation == 0x15:
            at += if_true if a == k else if_false
        elif operation == 0x20:
            a = ancillary[k]
        else:
            place = k + x if operation == 0x50 else k
            if place >= len(packet):
                return 0  # a load behind the end rejects
            if operation == 0xB1:
                x = (packet[place] & 0x0F) * 4
            else:
                assert operation in (0x30, 0x50)
                a = packet[place]


AH_OPTIONS = b"\x46" + AH[1:20] + bytes(4) + AH[20:]
AH6 = changed(V6, 6, b"\x33")[:40] + AH[20:]


@pytest.mark.parametrize(
    ("packet", "around", "passing"),
    [
        pytest.param(V3, {}, True, id="IPv4"),
        pytest.param(V3, {"kind": 4}, True, id="sent by this host"),
        pytest.param(V3, {"kind": 2}, True, id="multicast"),
        pytest.param(V3, {"kind": 3}, False, id="to another host"),
        pytest.param(V3, {"vlan": 1}, False, id="in a VLAN"),
        pytest.param(V6, {"protocol": 0x86DD}, True, id="IPv6"),
        pytest.param(AH, {}, True, id="authentication header"),
        pytest.param(AH_OPTIONS, {}, True, id="authentication header behind IP options"),
        pytest.param(AH6, {"protocol": 0x86DD}, True, id="authentication header, IPv6"),
        pytest.param(changed(AH, 20, b"\x06"), {}, False, id="TCP in an authentication header"),
        pytest.param(changed(AH6, 40, b"\x06"), {"protocol": 0x86DD}, False, id="the same, IPv6"),
        pytest.param(changed(V3, 9, b"\x06"), {}, False, id="TCP"),
        pytest.param(changed(V6, 6, b"\x06"), {"protocol": 0x86DD}, False, id="TCP, IPv6"),
        pytest.param(V3, {"protocol": 0x0806}, False, id="ARP"),
        pytest.param(V3[:9], {}, False, id="truncated"),
    ],
)
def test_filter(packet: bytes, around: dict[str, int], passing: bool) -> None:
    assert (passes(packet, **around) > 0) is passing


@given(st.binary(max_size=80), st.sampled_from([0x0800, 0x86DD, 0x0806]))
def test_filter_ends(packet: bytes, protocol: int) -> None:
    assert passes(packet, protocol) in (0, 0xFFFF)


# ---- the report


def heard(*frames: tuple[float, Frame]) -> Heard:
    return Heard(list(frames), complete=True)


def theirs(packet: bytes, mac: str = RIVAL, interface: str = "eth0") -> Frame:
    return Frame(interface, mac, False, packet)


def ours(packet: bytes) -> Frame:
    return Frame("eth0", OWN, True, packet)


def test_one_router() -> None:
    leaving = changed(V3, 22, b"\0")
    result = _listen.report(heard((300.1234, theirs(V3)), (800.5, theirs(V3)), (900, theirs(leaving))), set())
    assert result["routers"] == [
        {
            "interface": "eth0",
            "family": "ipv4",
            "vrid": 53,
            "version": 3,
            "source": "192.0.2.1",
            "mac": RIVAL,
            "priority": 0,
            "advert_int": 0.5,
            "addresses": ["192.0.2.103"],
            "auth_type": "none",
            "password": False,
            "checksum": "bad",  # of the changed one
            "ttl": 255,
            "transport": "multicast",
            "destinations": ["224.0.0.18"],
            "packets": 3,
            "first_ms": 300.123,
            "last_ms": 900,
            "own": False,
            "stranger": True,
        }
    ]
    assert result["strangers"] == result["routers"]
    assert (result["split"], result["undecoded"], result["packets"], result["complete"]) == ([], [], 3, True)


@pytest.mark.parametrize(
    ("frame", "known", "stranger"),
    [
        (theirs(V3), set(), True),
        (theirs(V3), {"192.0.2.1"}, False),
        (theirs(V3), {"192.0.2.2"}, True),
        (theirs(V6), {"fe80::5054:ff:fe00:1"}, False),
        (ours(V3), set(), False),
    ],
)
def test_strangers(frame: Frame, known: set[str], stranger: bool) -> None:
    result = _listen.report(heard((1, frame)), known)
    assert [router["stranger"] for router in result["routers"]] == [stranger]
    assert len(result["strangers"]) == int(stranger)


@pytest.mark.parametrize(
    ("frames", "senders", "at_once"),
    [
        pytest.param([(1, ours(V3)), (2, theirs(by(V3, 2)))], ["192.0.2.1", "192.0.2.2"], False, id="handed over"),
        pytest.param(
            [(1, theirs(by(V3, 2))), (2, theirs(by(V3, 2))), (3, ours(V3)), (4, ours(V3))],
            ["192.0.2.2", "192.0.2.1"],
            False,
            id="handed over later",
        ),
        pytest.param(
            [(1, ours(V3)), (2, theirs(by(V3, 2))), (3, ours(V3))],
            ["192.0.2.1", "192.0.2.2"],
            True,
            id="one between two of the other",
        ),
        pytest.param(
            [(1, ours(V3)), (2, theirs(by(V3, 2))), (3, ours(V3)), (4, theirs(by(V3, 2)))],
            ["192.0.2.1", "192.0.2.2"],
            True,
            id="both go on",
        ),
        pytest.param(
            [(1, ours(V3)), (2, theirs(V3)), (3, ours(V3)), (4, theirs(V3))],
            ["192.0.2.1", "192.0.2.1"],
            True,
            id="both with one address",
        ),
    ],
)
def test_split(frames: Sequence[tuple[float, Frame]], senders: list[str], at_once: bool) -> None:
    result = _listen.report(heard(*frames), set())
    expected = {"interface": "eth0", "family": "ipv4", "vrid": 53, "senders": senders, "at_once": at_once}
    assert result["split"] == [expected]


def test_no_split_between_interfaces_families_and_virtual_routers() -> None:
    v6 = changed(V6, 41, b"\x35")
    frames = [theirs(V3), theirs(by(V3, 2), interface="eth1"), theirs(v6), theirs(V2)]
    result = _listen.report(heard(*enumerate(frames)), set())
    assert [(r["interface"], r["family"], r["vrid"]) for r in result["routers"]] == [
        ("eth0", "ipv4", 51),
        ("eth0", "ipv4", 53),
        ("eth0", "ipv6", 53),
        ("eth1", "ipv4", 53),
    ]
    assert result["split"] == []


def test_one_sender_to_several_peers_is_one_router() -> None:
    to = [changed(V3, 16, bytes([192, 0, 2, last])) for last in (3, 2, 3)]
    (router,) = _listen.report(heard(*((number, ours(packet)) for number, packet in enumerate(to))), set())["routers"]
    assert (router["transport"], router["destinations"]) == ("unicast", ["192.0.2.2", "192.0.2.3"])
    assert router["packets"] == 3


def test_only_the_wanted_virtual_routers() -> None:
    result = _listen.report(heard((1, theirs(V2)), (2, theirs(V3))), set(), [51])
    assert [router["vrid"] for router in result["routers"]] == [51]
    assert result["packets"] == 2


def test_what_is_no_advertisement_is_told_once_for_each_sender() -> None:
    broken = theirs(changed(V3, 20, b"\x41"))
    result = _listen.report(heard((1, broken), (2, broken), (3, theirs(b"", mac=OWN))), set())
    assert result["routers"] == []
    assert result["undecoded"] == [
        {
            "interface": "eth0",
            "mac": RIVAL,
            "source": "192.0.2.1",
            "reason": "VRRP version 4, which is not known",
            "packets": 2,
        },
        {"interface": "eth0", "mac": OWN, "source": "", "reason": "no IP packet", "packets": 1},
    ]


@given(st.lists(st.tuples(st.floats(0, 4000), st.binary(max_size=60), st.booleans())))
def test_garbage_is_never_an_error(frames: list[tuple[float, bytes, bool]]) -> None:
    result = _listen.report(
        heard(*((ms, Frame("eth0", RIVAL, own, V3[:20] + data)) for ms, data, own in frames)), set()
    )
    assert sum(entry["packets"] for entry in result["routers"] + result["undecoded"]) == len(frames)
