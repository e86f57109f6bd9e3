# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Bytes, interface choice and verdict of vip_owner_info, without any socket."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._live import _owner

OWN = "52:54:00:00:00:01"
HOLDER = "52:54:00:00:00:02"
RIVAL = "52:54:00:00:00:03"
VIRTUAL = "00:00:5e:00:01:33"

# Heard from Linux 6.x as the answers to the questions below
ARP_REPLY = bytes.fromhex("52540000000152540000000208060001080006040002525400000002c000026452540000000100000000")
ADVERTISEMENT = bytes.fromhex("880018056000000020010db80000000000000000000001000201525400000002")


def test_arp_probe_is_an_rfc_5227_probe() -> None:
    frame = _owner.arp_probe(OWN, ipaddress.IPv4Address("192.0.2.100"))
    assert frame.hex() == ("ffffffffffff5254000000010806000108000604000152540000000100000000000000000000c0000264")


def test_neighbour_solicitation_carries_our_hardware_address() -> None:
    message = _owner.neighbour_solicitation(OWN, ipaddress.IPv6Address("2001:db8::100"))
    assert message.hex() == "870000000000000020010db80000000000000000000001000101525400000001"
    assert _owner.solicited_node(ipaddress.IPv6Address("2001:db8::12:3456:789a")) == "ff02::1:ff56:789a"


def test_answers_are_read() -> None:
    assert _owner.read_arp_reply(ARP_REPLY, OWN) == (ipaddress.ip_address("192.0.2.100"), HOLDER)
    padded = ARP_REPLY + bytes(18)  # Ethernet's least length
    assert _owner.read_arp_reply(padded, OWN) == (ipaddress.ip_address("192.0.2.100"), HOLDER)
    assert _owner.read_neighbour_advertisement(ADVERTISEMENT, 255) == (ipaddress.ip_address("2001:db8::100"), HOLDER)


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="empty"),
        pytest.param(ARP_REPLY[:41], id="truncated"),
        pytest.param(changed(ARP_REPLY, 13, 0), id="not ARP"),
        pytest.param(changed(ARP_REPLY, 15, 6), id="not Ethernet"),
        pytest.param(changed(ARP_REPLY, 16, 0x86), id="not IPv4"),
        pytest.param(changed(ARP_REPLY, 18, 8), id="long hardware address"),
        pytest.param(changed(ARP_REPLY, 19, 16), id="long protocol address"),
        pytest.param(changed(ARP_REPLY, 21, 1), id="a request"),
        pytest.param(changed(ARP_REPLY, 37, 9), id="to somebody else"),
    ],
)
def test_other_frames_are_no_answer(frame: bytes) -> None:
    assert _owner.read_arp_reply(frame, OWN) is None


@pytest.mark.parametrize(
    ("message", "hop_limit"),
    [
        pytest.param(b"", 255, id="empty"),
        pytest.param(ADVERTISEMENT, 64, id="from behind a router"),
        pytest.param(ADVERTISEMENT[:23], 255, id="truncated"),
        pytest.param(ADVERTISEMENT[:24], 255, id="no hardware address"),
        pytest.param(ADVERTISEMENT[:31], 255, id="truncated option"),
        pytest.param(changed(ADVERTISEMENT, 0, 135), 255, id="a solicitation"),
        pytest.param(changed(ADVERTISEMENT, 1, 1), 255, id="code"),
        pytest.param(changed(ADVERTISEMENT, 4, 0x20), 255, id="unsolicited"),
        pytest.param(changed(ADVERTISEMENT, 25, 0), 255, id="option of length 0"),
        pytest.param(changed(ADVERTISEMENT, 25, 2), 255, id="option longer than the message"),
        pytest.param(changed(ADVERTISEMENT, 24, 1), 255, id="source option alone"),
    ],
)
def test_other_messages_are_no_answer(message: bytes, hop_limit: int) -> None:
    assert _owner.read_neighbour_advertisement(message, hop_limit) is None


@given(st.binary(max_size=120), st.integers(0, 255))
def test_garbage_is_never_an_error(data: bytes, hop_limit: int) -> None:
    for _read in (data, ARP_REPLY[:14] + data, ARP_REPLY[:22] + data):
        _owner.read_arp_reply(_read, OWN)
    for _read in (data, ADVERTISEMENT[:8] + data, ADVERTISEMENT[:24] + data):
        answer = _owner.read_neighbour_advertisement(_read, hop_limit)
        assert answer is None or hop_limit == 255


# ---- this host

ADDRESSES = [
    {},
    {
        "ifname": "lo",
        "flags": ["LOOPBACK", "UP", "LOWER_UP"],
        "link_type": "loopback",
        "address": "00:00:00:00:00:00",
        "addr_info": [
            {"family": "inet", "local": "127.0.0.1", "prefixlen": 8},
            {"family": "inet", "local": "192.0.2.200", "prefixlen": 32},
            {"family": "inet6", "local": "2001:db8::200", "prefixlen": 128},
        ],
    },
    {
        "ifname": "eth0",
        "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
        "link_type": "ether",
        "address": OWN,
        "addr_info": [
            {"family": "inet", "local": "192.0.2.1", "prefixlen": 24},
            {"family": "inet", "local": "192.0.2.100", "prefixlen": 24, "label": "eth0:0"},
            {"family": "inet6", "local": "2001:db8::100", "prefixlen": 128},
            {"family": "inet6", "local": "2001:db8::bad", "prefixlen": 64, "dadfailed": True},
        ],
    },
    {"ifname": "eth1", "flags": ["UP", "LOWER_UP"], "link_type": "ether", "address": RIVAL, "addr_info": []},
    {"ifname": "eth2", "flags": ["UP"], "link_type": "ether", "address": "52:54:00:00:00:09", "addr_info": []},
    {"ifname": "eth3", "flags": [], "link_type": "ether", "address": "52:54:00:00:00:0a", "addr_info": []},
    {
        "ifname": "vrrp.51",
        "link": "eth1",
        "flags": ["UP", "LOWER_UP"],
        "link_type": "ether",
        "address": VIRTUAL,
        "addr_info": [{"family": "inet", "local": "198.51.100.51", "prefixlen": 32}],
    },
]
ROUTES4 = [
    {"dst": "default", "gateway": "192.0.2.254", "dev": "eth0"},
    {"dst": "192.0.2.0/24", "dev": "eth0", "scope": "link"},
    {"dst": "192.0.2.0/24", "dev": "eth1", "scope": "link", "metric": 100},
    {"dst": "198.51.100.0/24", "dev": "eth1", "scope": "link"},
    {"dst": "203.0.113.0/24", "dev": "eth2", "scope": "link"},
    {"type": "unreachable", "dst": "203.0.113.7", "dev": "lo"},
    {"dst": "203.0.113.9", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0"},
]
ROUTES6 = [
    {"dst": "2001:db8::200", "dev": "lo", "metric": 256},
    {"dst": "2001:db8::/64", "dev": "eth0", "metric": 256},
    {"dst": "fe80::/64", "dev": "eth0", "metric": 256},
]


def make_host(arp_ignore: dict[str, int] | None = None) -> _owner.Host:
    values = arp_ignore or {}
    return _owner.read_host(
        lambda command: {
            ("ip", "-j", "address", "show"): json.dumps(ADDRESSES),
            ("ip", "-j", "-4", "route", "show", "table", "main"): json.dumps(ROUTES4),
            ("ip", "-j", "-6", "route", "show", "table", "main"): json.dumps(ROUTES6),
        }[tuple(command)],
        lambda path: f"{values.get(path.split('/')[-2], 0)}\n",
    )


@pytest.mark.parametrize(
    ("vip", "interface"),
    [
        pytest.param("192.0.2.50/24", "eth0", id="by the lower metric"),
        pytest.param("192.0.2.100", "eth0", id="held here"),
        pytest.param("192.0.2.200", "eth0", id="on lo, asked on its network"),
        pytest.param("2001:db8::200/64", "eth0", id="IPv6 on lo"),
        pytest.param("2001:db8::1", "eth0", id="IPv6"),
        pytest.param("198.51.100.9", "eth1", id="other network"),
        pytest.param("198.51.100.51", "eth1", id="held on a virtual MAC, asked below it"),
    ],
)
def test_interface_is_found(vip: str, interface: str) -> None:
    host = make_host()
    (question,) = _owner.questions(host, [vip])
    assert (question.interface, question.mac) == (interface, host.links[interface].mac)


@pytest.mark.parametrize(
    ("vip", "interface", "message"),
    [
        (
            "192.0.2.300",
            None,
            "'192.0.2.300' is no IP address; write it as 192.0.2.10, 192.0.2.10/24 or 2001:db8::10/64",
        ),
        ("224.0.0.18", None, "224.0.0.18 cannot be a virtual address: it is a multicast, loopback or unspecified one"),
        ("fe80::7", None, "fe80::7 is link-local, every interface has such a network: set the option interface"),
        (
            "2001:db8:1::1",
            None,
            "no route to 2001:db8:1::1 on this host: set the option interface, or ask from a host in its network",
        ),
        (
            "203.0.114.1",
            None,
            "203.0.114.1 is not on a network of this host (it is reached through 192.0.2.254), and ARP and Neighbour "
            "Discovery do not cross a router: ask from a host in its network, or set the option interface",
        ),
        (
            "203.0.113.9",
            None,
            "203.0.113.9 is not on a network of this host (it is reached through fe80::1), and ARP and Neighbour "
            "Discovery do not cross a router: ask from a host in its network, or set the option interface",
        ),
        (
            "203.0.113.1",
            None,
            "cannot ask for 203.0.113.1 on eth2: it has no carrier, so silence would say nothing; bring it up first",
        ),
        (
            "192.0.2.9",
            "eth3",
            "cannot ask for 192.0.2.9 on eth3: it is down, so silence would say nothing; bring it up first",
        ),
        ("192.0.2.9", "lo", "cannot ask for 192.0.2.9 on lo: it is no Ethernet interface; set the option interface"),
        ("192.0.2.9", "eth7", "there is no interface eth7 on this host; it has eth0, eth1, eth2, eth3, lo, vrrp.51"),
    ],
)
def test_refusals_say_what_to_do(vip: str, interface: str | None, message: str) -> None:
    with pytest.raises(_owner.OwnerError) as caught:
        _owner.questions(make_host(), [vip], interface)
    assert str(caught.value) == message


def test_each_address_is_asked_once_in_order() -> None:
    asked = _owner.questions(make_host(), ["192.0.2.50/24", "192.0.2.40", "192.0.2.50"])
    assert [str(question.address) for question in asked] == ["192.0.2.50", "192.0.2.40"]


# ---- the verdict


def reply(vip: str, mac: str, ms: float, interface: str = "eth0") -> _owner.Heard:
    own, other = bytes.fromhex(OWN.replace(":", "")), bytes.fromhex(mac.replace(":", ""))
    if ":" in vip:
        data = ADVERTISEMENT[:8] + ipaddress.IPv6Address(vip).packed + ADVERTISEMENT[24:26] + other
        return _owner.Heard(ms, interface, 6, data, 255)
    frame = own + other + ARP_REPLY[12:22] + other + ipaddress.IPv4Address(vip).packed + own + bytes(4)
    return _owner.Heard(ms, interface, 4, frame, 0)


@pytest.mark.parametrize(
    ("vip", "arp_ignore", "heard", "held_here", "local", "owners", "verdict"),
    [
        ("192.0.2.50", 0, [], False, None, 0, "none"),
        ("192.0.2.50", 0, [(HOLDER, 2)], False, None, 1, "one"),
        ("192.0.2.50", 0, [(HOLDER, 2), (VIRTUAL, 2)], False, None, 2, "split"),
        ("192.0.2.50", 0, [(HOLDER, 9)], False, None, 1, "one"),
        ("192.0.2.50", 0, [(RIVAL, 2)], False, None, 0, "none"),  # eth1 of this host answers, too (ARP flux)
        ("192.0.2.50", 0, [(VIRTUAL, 2)], False, None, 1, "one"),  # a backup has the virtual MAC on an interface
        ("192.0.2.50", 0, [(VIRTUAL, 4)], False, None, 2, "split"),
        ("192.0.2.100", 0, [], True, "eth0", 1, "one"),
        ("192.0.2.100", 0, [(HOLDER, 2)], True, "eth0", 2, "split"),
        ("192.0.2.200", 1, [(HOLDER, 2)], False, "lo", 1, "one"),
        ("192.0.2.200", 2, [], False, "lo", 0, "none"),
        ("192.0.2.200", 0, [(HOLDER, 2)], True, "lo", 2, "split"),
        ("192.0.2.200", 3, [], True, "lo", 1, "one"),
        ("192.0.2.200", 8, [], False, "lo", 0, "none"),
        ("2001:db8::200", 0, [(HOLDER, 2)], False, "lo", 1, "one"),
        ("2001:db8::100", 0, [], True, "eth0", 1, "one"),
        ("2001:db8::bad", 0, [(HOLDER, 1)], False, None, 1, "one"),  # found a duplicate: does not use the address
    ],
)
def test_verdict(
    vip: str,
    arp_ignore: int,
    heard: list[tuple[str, int]],
    held_here: bool,
    local: str | None,
    owners: int,
    verdict: str,
) -> None:
    host = make_host({"all": arp_ignore})
    answers = [reply(vip, mac, 1.0 + n) for mac, times in heard for n in range(times)]
    stray = [reply("192.0.2.77", HOLDER, 1.0), reply(vip, "52:54:00:00:00:77", 1.0, "eth1")]
    (result,) = _owner.judge(host, _owner.questions(host, [vip]), _owner.Asked(2, answers + stray))
    assert (result["held_here"], result["local_interface"]) == (held_here, local)
    assert (result["owners"], result["verdict"]) == (owners, verdict)
    assert {answer["mac"]: answer["replies"] for answer in result["answers"]} == dict(heard)
    assert result["asked"] == 2


def test_arp_ignore_is_the_larger_of_all_and_the_interface() -> None:
    host = make_host({"all": 0, "eth0": 1, "lo": 0})
    (result,) = _owner.judge(host, _owner.questions(host, ["192.0.2.200"]), _owner.Asked(1, []))
    assert result["held_here"] is False


def test_answers_have_their_times_first_come_first() -> None:
    host = make_host()
    heard = [reply("192.0.2.50", HOLDER, 2.5), reply("192.0.2.50", VIRTUAL, 0.25), reply("192.0.2.50", HOLDER, 252.75)]
    (result,) = _owner.judge(host, _owner.questions(host, ["192.0.2.50"]), _owner.Asked(4, heard))
    assert result["answers"] == [
        {"mac": VIRTUAL, "first_ms": 0.25, "last_ms": 0.25, "replies": 1},
        {"mac": HOLDER, "first_ms": 2.5, "last_ms": 252.75, "replies": 2},
    ]
