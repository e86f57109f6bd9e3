# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What advertisements say, from packets that keepalived 2.2.7 sent, and from bytes that nobody should send."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._wire._vrrp_packet import Advertisement, Undecoded, decode

# Heard from keepalived 2.2.7 on Debian 12, each from its IP header on
PASS = bytes.fromhex("45c0002c00010000ff70188dc0000201e00000122133fe0201011ee4c0000264c00002657333637265740000")
NO_AUTH = bytes.fromhex("45c0002800010000ff701891c0000201e0000012213a64010001b856c000026c0000000000000000")
AH = bytes.fromhex(
    "45c0004000010000ff3318b6c0000201e0000012"
    "70040000c00002010000000199f74a6f45604e7a47c673b8"
    "213478010202a261c00002660000000000000000"
)
V3 = bytes.fromhex("45c0002000010000ff701899c0000201e00000123135fd0100326c9ec0000267")
V3_UNICAST = bytes.fromhex("45c0002000010000ff7036a9c0000201c00002023136fc0100648b7ac0000268")
V3_OLD_UNICAST = bytes.fromhex("45c0002000010000ff7036a9c0000201c00002023137640100640569c0000269")
V6 = bytes.fromhex(
    "6c00d222002870fffe80000000000000505400fffe000001ff020000000000000000000000000012"
    "313864020064ef4dfe80000000000000000000000000005620010db8000000000000000000000100"
)
V6_UNICAST = bytes.fromhex(
    "6c07ba210018704020010db800000000000000000000000120010db8000000000000000000000002"
    "3139640100640f8cfe800000000000000000000000000057"
)
REAL = {
    "pass": PASS,
    "no auth": NO_AUTH,
    "ah": AH,
    "v3": V3,
    "v3 unicast": V3_UNICAST,
    "v3 old unicast": V3_OLD_UNICAST,
    "v6": V6,
    "v6 unicast": V6_UNICAST,
}


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def summed(data: bytes, skip: int) -> bytes:
    """The Internet checksum of `data` without the two bytes at `skip` (RFC 1071): a remainder by 65535."""
    total = int.from_bytes(changed(data, skip, b"\0\0"), "big") % 0xFFFF
    return struct.pack("!H", 0xFFFF - total)


def advertisement(*expected: Any) -> Advertisement:
    return Advertisement(*expected)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        pytest.param(
            PASS,
            Advertisement(
                family=4,
                source="192.0.2.1",
                destination="224.0.0.18",
                ttl=255,
                version=2,
                vrid=51,
                priority=254,
                advert_int=1.0,
                addresses=("192.0.2.100", "192.0.2.101"),
                auth_type="pass",
                password=True,
                checksum="ok",
            ),
            id="version 2 with a password",
        ),
        pytest.param(
            NO_AUTH,
            advertisement(4, "192.0.2.1", "224.0.0.18", 255, 2, 58, 100, 1.0, ("192.0.2.108",), "none", False, "ok"),
            id="version 2",
        ),
        pytest.param(
            AH,
            advertisement(4, "192.0.2.1", "224.0.0.18", 255, 2, 52, 120, 2.0, ("192.0.2.102",), "ah", False, "ok"),
            id="version 2 in an authentication header",
        ),
        pytest.param(
            V3,
            advertisement(4, "192.0.2.1", "224.0.0.18", 255, 3, 53, 253, 0.5, ("192.0.2.103",), "none", False, "ok"),
            id="version 3",
        ),
        pytest.param(
            V3_UNICAST,
            advertisement(4, "192.0.2.1", "192.0.2.2", 255, 3, 54, 252, 1.0, ("192.0.2.104",), "none", False, "ok"),
            id="version 3 unicast",
        ),
        pytest.param(
            V3_OLD_UNICAST,
            advertisement(
                4, "192.0.2.1", "192.0.2.2", 255, 3, 55, 100, 1.0, ("192.0.2.105",), "none", False, "ok_old_unicast"
            ),
            id="version 3 with old_unicast_checksum",
        ),
        pytest.param(
            V6,
            advertisement(
                6,
                "fe80::5054:ff:fe00:1",
                "ff02::12",
                255,
                3,
                56,
                100,
                1.0,
                ("fe80::56", "2001:db8::100"),
                "none",
                False,
                "ok",
            ),
            id="IPv6",
        ),
        pytest.param(
            V6_UNICAST,
            advertisement(6, "2001:db8::1", "2001:db8::2", 64, 3, 57, 100, 1.0, ("fe80::57",), "none", False, "ok"),
            id="IPv6 unicast",
        ),
    ],
)
def test_real_advertisements(packet: bytes, expected: Advertisement) -> None:
    assert decode(packet) == expected
    assert decode(packet + bytes(14)) == expected, "Ethernet pads short frames"


def test_the_password_is_in_no_result() -> None:
    assert "s3cret" not in repr(decode(PASS))


@pytest.mark.parametrize(("name", "multicast"), [("pass", True), ("v3 unicast", False), ("v6", True)])
def test_transport(name: str, multicast: bool) -> None:
    said = decode(REAL[name])
    assert isinstance(said, Advertisement)
    assert said.multicast is multicast


@pytest.mark.parametrize(
    ("packet", "field", "value"),
    [
        pytest.param(changed(V3, 26, summed(V3[20:], 6)), "checksum", "ok_no_pseudo_header", id="v3_checksum_as_v2"),
        pytest.param(changed(V3, 22, b"\xfc"), "checksum", "bad", id="version 3, changed on its way"),
        pytest.param(changed(PASS, 36, b"x"), "checksum", "bad", id="version 2, another password put in"),
        pytest.param(changed(V6, 44, b"\x01"), "checksum", "bad", id="IPv6, changed on its way"),
        pytest.param(changed(V3_UNICAST, 19, b"\x09"), "checksum", "bad", id="version 3, sent on to another host"),
        pytest.param(changed(V3, 8, b"\x40"), "ttl", 64, id="through many routers"),
        pytest.param(changed(V3, 24, b"\xf0\x01"), "advert_int", 0.01, id="reserved bits are not of the interval"),
        pytest.param(changed(V3, 22, b"\0"), "priority", 0, id="leaving"),
        pytest.param(changed(NO_AUTH, 24, b"\x07"), "auth_type", "7", id="unknown authentication"),
        pytest.param(changed(NO_AUTH, 2, b"\0\x44") + b"\x01" + bytes(27), "auth_type", "hmac", id="signed, version 2"),
        pytest.param(changed(V3, 2, b"\0\x3c") + b"\x01" + bytes(27), "auth_type", "hmac", id="signed, version 3"),
        pytest.param(
            changed(V3, 2, b"\0\x3c") + b"\x01" + bytes(27), "checksum", "ok", id="the signature is not summed"
        ),
        pytest.param(
            changed(changed(V3, 23, b"\0"), 2, b"\0\x1c"), "addresses", (), id="no address, which keepalived allows"
        ),
    ],
)
def test_fields(packet: bytes, field: str, value: object) -> None:
    said = decode(packet)
    assert isinstance(said, Advertisement)
    assert getattr(said, field) == value


CARP = changed(V3[:20], 2, b"\0\x38") + bytes.fromhex("2133000700010000") + bytes(range(28))


@pytest.mark.parametrize(
    ("packet", "reason", "source"),
    [
        pytest.param(b"", "no IP packet", "", id="empty"),
        pytest.param(b"\x00" * 60, "no IP packet", "", id="zeros"),
        pytest.param(V3[:19], "truncated in the IPv4 header", "", id="half an IPv4 header"),
        pytest.param(b"\x4f" + V3[1:], "truncated in the IPv4 header", "192.0.2.1", id="longer options than packet"),
        pytest.param(b"\x44" + V3[1:], "truncated in the IPv4 header", "192.0.2.1", id="header shorter than allowed"),
        pytest.param(
            V3[:31], "truncated: the IPv4 header tells of 32 bytes, and there are 31", "192.0.2.1", id="a byte missing"
        ),
        pytest.param(
            changed(V3, 2, b"\0\x10"),
            "truncated: the IPv4 header tells of 16 bytes, and there are 32",
            "192.0.2.1",
            id="length less than the header's",
        ),
        pytest.param(changed(V3, 6, b"\x20\0"), "a fragment", "192.0.2.1", id="first fragment"),
        pytest.param(changed(V3, 6, b"\0\x01"), "a fragment", "192.0.2.1", id="last fragment"),
        pytest.param(changed(V3, 9, b"\x11"), "protocol 17, not VRRP's 112", "192.0.2.1", id="UDP"),
        pytest.param(
            changed(changed(AH, 20, b"\x06"), 2, b"\0\x40"), "protocol 6, not VRRP's 112", "192.0.2.1", id="TCP in AH"
        ),
        pytest.param(
            changed(AH, 21, b"\xff"), "truncated in the authentication header", "192.0.2.1", id="AH longer than packet"
        ),
        pytest.param(changed(AH, 2, b"\0\x1f"), "truncated in the authentication header", "192.0.2.1", id="half an AH"),
        pytest.param(V6[:39], "truncated in the IPv6 header", "", id="half an IPv6 header"),
        pytest.param(
            V6[:79],
            "truncated: the IPv6 header tells of 80 bytes, and there are 79",
            "fe80::5054:ff:fe00:1",
            id="a byte missing, IPv6",
        ),
        pytest.param(
            changed(V3, 2, b"\0\x1b"), "truncated: 7 bytes are no VRRP header", "192.0.2.1", id="half a VRRP header"
        ),
        pytest.param(
            changed(V3, 23, b"\x02"),
            "truncated: 2 addresses need 16 bytes, and there are 12",
            "192.0.2.1",
            id="more addresses than there are",
        ),
        pytest.param(
            changed(NO_AUTH, 2, b"\0\x20"),
            "truncated: 1 addresses need 20 bytes, and there are 12",
            "192.0.2.1",
            id="no place for authentication",
        ),
        pytest.param(changed(V3, 20, b"\x41"), "VRRP version 4, which is not known", "192.0.2.1", id="version 4"),
        pytest.param(changed(V3, 20, b"\x32"), "VRRP type 2, not an advertisement's 1", "192.0.2.1", id="type 2"),
        pytest.param(changed(V3, 21, b"\0"), "VRID 0, which is not allowed", "192.0.2.1", id="VRID 0"),
        pytest.param(
            CARP,
            "CARP, not VRRP; its virtual host 51 has the hardware address of VRID 51",
            "192.0.2.1",
            id="CARP of the BSDs",
        ),
    ],
)
def test_others_have_a_reason(packet: bytes, reason: str, source: str) -> None:
    assert decode(packet) == Undecoded(reason, source)


@given(st.binary(max_size=120))
def test_garbage_is_never_an_error(data: bytes) -> None:
    assert isinstance(decode(data), (Advertisement, Undecoded))
    for packet in REAL.values():
        header = 20 if packet[0] >> 4 == 4 else 40
        assert isinstance(decode(packet[:header] + data), (Advertisement, Undecoded))


@given(st.sampled_from(sorted(REAL)), st.lists(st.tuples(st.integers(0, 79), st.binary(min_size=1, max_size=3))))
def test_damaged_packets_are_never_an_error(name: str, damage: list[tuple[int, bytes]]) -> None:
    packet = REAL[name]
    for at, value in damage:
        packet = changed(packet, at, value)
    said = decode(packet)
    assert isinstance(said, (Advertisement, Undecoded))
    if isinstance(said, Advertisement):
        assert 1 <= said.vrid <= 255
        assert "s3cret" not in repr(said)


@pytest.mark.parametrize("name", REAL)
def test_each_changed_bit_of_the_message_is_seen(name: str) -> None:
    packet = REAL[name]
    start = {4: 20, 6: 40}[packet[0] >> 4] + (24 if name == "ah" else 0)
    for bit in range(start * 8, len(packet) * 8):
        said = decode(changed(packet, bit // 8, bytes([packet[bit // 8] ^ 1 << bit % 8])))
        assert isinstance(said, Undecoded) or said.checksum == "bad", bit
