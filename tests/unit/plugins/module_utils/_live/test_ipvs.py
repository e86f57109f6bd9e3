# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The table of virtual servers out of the kernel's bytes, made here as ip_vs_ctl.c makes them."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._live import _ipvs, _netlink

FAMILY = 0x23


def u16(number: int) -> bytes:
    return struct.pack("=H", number)


def u32(number: int) -> bytes:
    return struct.pack("=I", number)


def u64(number: int) -> bytes:
    return struct.pack("=Q", number)


def attributes(values: dict[int, bytes]) -> bytes:
    return b"".join(_netlink.attribute(kind, value) for kind, value in values.items())


def nest(kind: int, values: dict[int, bytes]) -> bytes:
    # The kernel sets no flag "nested" here: it uses the older of its functions.
    return _netlink.attribute(kind, attributes(values))


def address(text: str) -> bytes:
    """The 16 bytes of union nf_inet_addr."""
    return ipaddress.ip_address(text).packed.ljust(16, b"\0")


def narrow(first: int) -> bytes:
    return attributes({n: u64(first + n) if n in (4, 5) else u32(first + n) for n in range(1, 11)})


def wide(first: int) -> bytes:
    pad = {11: b""}
    return attributes({**pad, **{n: u64(first + n) for n in range(1, 11)}})


def counters(first: int) -> dict[str, int]:
    return {name: first + n for n, name in enumerate(_ipvs._STATS, start=1)}


HTTP = {
    1: u16(2),
    2: u16(6),
    3: address("192.0.2.100"),
    4: struct.pack("!H", 80),
    6: b"rr\0",
    7: struct.pack("=II", 0x2, 0xFFFFFFFF),
    8: u32(0),
    9: ipaddress.ip_address("255.255.255.255").packed,
    10: narrow(10),
    12: wide(5_000_000_000),
}
MARKED = {
    1: u16(10),
    5: u32(7),
    6: b"sh\0",
    7: struct.pack("=II", 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20, 0xFFFFFFFF),
    8: u32(360),
    9: u32(64),
    10: narrow(20),
    11: b"sip\0",
}
SERVER = {
    1: address("192.0.2.10"),
    2: struct.pack("!H", 8080),
    3: u32(3),
    4: u32(5),
    5: u32(100),
    6: u32(80),
    7: u32(1),
    8: u32(2),
    9: u32(3),
    10: narrow(30),
    11: u16(2),
    12: wide(40),
    13: b"\0",
    14: struct.pack("!H", 0),
    15: u16(0),
}
MASTER = {1: u32(1), 2: b"eth0\0", 3: u32(51), 4: u16(1472), 5: bytes([224, 0, 0, 81]), 7: u16(8848), 8: b"\x01"}


class Kernel:
    """A socket behind which a kernel with a table answers, as many messages at once as ``together`` says."""

    def __init__(self, together: int = 2) -> None:
        self.services = [HTTP, MARKED]
        self.servers: dict[bytes, list[dict[int, bytes]]] = {
            nest(1, {kind: HTTP[kind] for kind in (1, 2, 3, 4)}): [SERVER, {**SERVER, 4: struct.pack("=i", 0)}, SERVER],
        }
        self.daemons = [MASTER]
        self.info = {1: u32(0x010201), 2: u32(4096)}
        self.config = {4: u32(900), 5: u32(120), 6: u32(300)}
        self.together = together
        self.waiting: list[bytes] = []

    def send(self, data: bytes) -> object:
        length, family, flags, sequence, _port, command = struct.unpack_from("=IHHIIB", data)
        assert length == len(data)

        def message(attributes_: bytes, kind: int = FAMILY, flags: int = 2) -> bytes:
            payload = struct.pack("=BBH", command, 1, 0) + attributes_
            return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 99) + payload

        if family == 16:
            assert attributes({2: b"IPVS\0"}) == data[20:]
            self.waiting = [message(attributes({2: b"IPVS\0", 1: u16(FAMILY)}), kind=16, flags=0)]
            return None
        if command in (13, 15):
            assert not flags & 0x300
            self.waiting = [message(attributes(self.config if command == 13 else self.info), flags=0)]
            return None
        assert flags & 0x300
        if command == 8:
            key = nest(1, _netlink.read_attributes(_netlink.read_attributes(data[20:])[1]))
            answers = [message(nest(2, server)) for server in self.servers.get(key, [])]
        else:
            assert command in (4, 11)
            found = self.services if command == 4 else self.daemons
            answers = [message(nest(1 if command == 4 else 3, one)) for one in found]
        done = struct.pack("=IHHIIi", 20, 3, 2, sequence, 99, 0)
        self.waiting = [b"".join(answers[at : at + self.together]) for at in range(0, len(answers), self.together)] + [
            done
        ]
        return None

    def recv(self, _size: int) -> bytes:
        return self.waiting.pop(0)


def read(kernel: Kernel) -> dict[str, Any]:
    @contextlib.contextmanager
    def opened() -> Iterator[Kernel]:
        yield kernel

    return _ipvs.read(lambda path: path == "/proc/net/ip_vs", opened, "6.1.0")


@pytest.mark.parametrize("together", [1, 2, 9])
def test_the_whole_table(together: int) -> None:
    found = read(Kernel(together))
    http, marked = found.pop("services")
    assert found == {
        "available": True,
        "message": "",
        "version": "1.2.1",
        "connection_table_size": 4096,
        "timeouts": {"tcp": 900, "tcp_fin": 120, "udp": 300},
        "sync_daemons": [
            {
                "state": "master",
                "interface": "eth0",
                "sync_id": 51,
                "sync_maxlen": 1472,
                "group": "224.0.0.81",
                "port": 8848,
                "ttl": 1,
            }
        ],
    }
    first, drained, third = http.pop("real_servers")
    assert http == {
        "family": "ipv4",
        "protocol": "tcp",
        "address": "192.0.2.100",
        "port": 80,
        "fwmark": None,
        "scheduler": "rr",
        "scheduler_flags": [],
        "one_packet": False,
        "persistence_timeout": None,
        "persistence_engine": None,
        "netmask": "255.255.255.255",
        "stats": counters(5_000_000_000),
    }
    assert first == third
    assert first == {
        "address": "192.0.2.10",
        "port": 8080,
        "forwarding": "dr",
        "tunnel_type": None,
        "tunnel_port": None,
        "weight": 5,
        "upper_threshold": 100,
        "lower_threshold": 80,
        "active_connections": 1,
        "inactive_connections": 2,
        "persistent_connections": 3,
        "stats": counters(40),
    }
    assert drained["weight"] == 0
    assert marked == {
        "family": "ipv6",
        "protocol": None,
        "address": None,
        "port": None,
        "fwmark": 7,
        "scheduler": "sh",
        "scheduler_flags": ["sh-fallback", "sh-port", "flag-3"],
        "one_packet": True,
        "persistence_timeout": 360,
        "persistence_engine": "sip",
        "netmask": "64",
        "stats": counters(20),
        "real_servers": [],
    }


def service(**changes: bytes) -> dict[str, Any]:
    values = {**HTTP, **{int(kind[1:]): value for kind, value in changes.items()}}
    return _ipvs.read_service(_netlink.read_attributes(nest(1, values)))


def server(**changes: bytes) -> dict[str, Any]:
    values = {**SERVER, **{int(kind[1:]): value for kind, value in changes.items()}}
    return _ipvs.read_real_server(_netlink.read_attributes(nest(2, values)), "ipv4")


def test_other_services() -> None:
    ipv6 = service(_1=u16(10), _3=address("2001:db8::100"), _9=u32(128), _2=u16(17))
    assert (ipv6["family"], ipv6["address"], ipv6["netmask"], ipv6["protocol"]) == (
        "ipv6",
        "2001:db8::100",
        "128",
        "udp",
    )
    assert [service(_2=u16(number))["protocol"] for number in (6, 17, 132, 50)] == ["tcp", "udp", "sctp", "50"]
    assert service(_6=b"none\0")["scheduler"] is None
    flags = struct.pack("=II", 0x18, 0xFFFFFFFF)
    assert service(_6=b"mh\0", _7=flags)["scheduler_flags"] == ["mh-fallback", "mh-port"]
    assert service(_6=b"wrr\0", _7=flags)["scheduler_flags"] == ["flag-1", "flag-2"]


def test_other_real_servers() -> None:
    names = [server(_3=u32(method))["forwarding"] for method in range(6)]
    assert names == ["nat", "local", "tunnel", "dr", "bypass", "5"]
    assert server(_3=u32(0x100 | 3))["forwarding"] == "dr", "other flags of a connection"
    assert server(_4=struct.pack("=i", -1))["weight"] == -1
    through = server(_3=u32(2), _13=b"\x01", _14=struct.pack("!H", 6080), _11=u16(10), _1=address("2001:db8::10"))
    assert (through["address"], through["tunnel_type"], through["tunnel_port"]) == ("2001:db8::10", "gue", 6080)
    assert [server(_3=u32(2), _13=bytes([kind]))["tunnel_type"] for kind in (0, 2, 9)] == ["ipip", "gre", "9"]


def test_what_older_kernels_leave_out() -> None:
    kernel = Kernel()
    kernel.services = [{kind: value for kind, value in HTTP.items() if kind != 12}]
    old = {kind: value for kind, value in SERVER.items() if kind <= 10}
    kernel.servers = {key: [old, {**old, 3: u32(2)}] for key in kernel.servers}
    kernel.daemons = [{kind: MASTER[kind] for kind in (1, 2, 3)}, {1: u32(2), 2: b"eth1\0", 3: u32(0)}]
    kernel.config = {}
    found = read(kernel)
    (http,) = found["services"]
    assert http["stats"] == counters(10)
    assert [one["stats"] for one in http["real_servers"]] == [counters(30)] * 2
    assert [one["tunnel_type"] for one in http["real_servers"]] == [None, None]
    assert [(one["state"], one["interface"], one["group"]) for one in found["sync_daemons"]] == [
        ("master", "eth0", None),
        ("backup", "eth1", None),
    ]
    assert found["timeouts"] == {"tcp": 0, "tcp_fin": 0, "udp": 0}


def test_what_newer_kernels_add_is_passed_over() -> None:
    kernel = Kernel()
    plain = read(Kernel())
    kernel.services = [{**one, 99: b"new"} for one in kernel.services]
    kernel.servers = {key: [{**one, 99: b""} for one in many] for key, many in kernel.servers.items()}
    kernel.info[99] = b"\0" * 32
    assert read(kernel) == plain


def test_an_ipv6_group() -> None:
    values = {**MASTER, 6: ipaddress.ip_address("ff02::81").packed}
    del values[5]
    assert _ipvs.read_daemon(_netlink.read_attributes(nest(3, values)))["group"] == "ff02::81"


def test_text_ends_at_its_nul_and_is_always_text() -> None:
    assert service(_6=b"rr\0wrr\0")["scheduler"] == "rr"
    assert service(_6=b"r\xffr")["scheduler"] == "r\ufffdr"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_1": u16(16)}, "a virtual service has the address family 16, unknown here"),
        ({"_1": b"\x02"}, "a virtual service cannot be read: attribute 1 should have 2 bytes and has 1"),
        ({"_3": b"\xc0\x00\x02\x64"}, "a virtual service cannot be read: attribute 3 should have 16 bytes and has 4"),
        ({"_7": u32(1)}, "a virtual service cannot be read: attribute 7 should have 8 bytes and has 4"),
        (
            {"_12": b""},
            "the counters of a virtual service cannot be read: attribute 1 should have 8 bytes and has none",
        ),
    ],
)
def test_misshapen_services_are_named(changes: dict[str, bytes], reason: str) -> None:
    with pytest.raises(_ipvs.IpvsError, match=reason):
        service(**changes)


@pytest.mark.parametrize("kind", sorted(set(HTTP) - {6, 10, 12} | {8}))
def test_a_persistent_service_without_an_attribute_is_refused(kind: int) -> None:
    values = {**HTTP, 7: struct.pack("=II", 1, 0xFFFFFFFF)}
    del values[kind]
    with pytest.raises(_ipvs.IpvsError, match=f"attribute {kind} should have"):
        _ipvs.read_service(_netlink.read_attributes(nest(1, values)))


def test_an_answer_about_nothing_is_refused() -> None:
    with pytest.raises(_ipvs.IpvsError, match="about a virtual service cannot be read: it has none"):
        _ipvs.read_service({})
    with pytest.raises(_ipvs.IpvsError, match="about a real server cannot be read: it has none"):
        _ipvs.read_real_server({}, "ipv4")
    kernel = Kernel()
    kernel.info = {}
    with pytest.raises(_ipvs.IpvsError, match="about IPVS itself cannot be read: attribute 1"):
        read(kernel)


@given(st.dictionaries(st.integers(0, 16), st.binary(max_size=24)), st.sampled_from([HTTP, MARKED]))
def test_garbage_in_a_service_is_read_or_refused(values: dict[int, bytes], base: dict[int, bytes]) -> None:
    with contextlib.suppress(_ipvs.IpvsError, _netlink.NetlinkError):
        _ipvs.read_service(_netlink.read_attributes(nest(1, {**base, **values})))


@given(st.dictionaries(st.integers(0, 16), st.binary(max_size=24)))
def test_garbage_in_the_rest_is_read_or_refused(values: dict[int, bytes]) -> None:
    with contextlib.suppress(_ipvs.IpvsError, _netlink.NetlinkError):
        _ipvs.read_real_server(_netlink.read_attributes(nest(2, {**SERVER, **values})), "ipv6")
    with contextlib.suppress(_ipvs.IpvsError, _netlink.NetlinkError):
        _ipvs.read_daemon(_netlink.read_attributes(nest(3, {**MASTER, **values})))


class Refusing:
    """A socket that fails in its own way."""

    def __init__(self, error: OSError | int) -> None:
        self.error = error

    def send(self, data: bytes) -> object:
        if isinstance(self.error, OSError):
            raise self.error
        return len(data)

    def recv(self, _size: int) -> bytes:
        assert isinstance(self.error, int)
        return struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -self.error)


def refused(error: OSError | int) -> dict[str, Any]:
    @contextlib.contextmanager
    def opened() -> Iterator[Refusing]:
        yield Refusing(error)

    return _ipvs.read(lambda _path: True, opened, "6.1.0")


def test_a_kernel_without_ipvs_is_asked_nothing_and_says_what_to_do() -> None:
    def opened() -> contextlib.AbstractContextManager[Kernel]:
        pytest.fail("a question makes the kernel load a module")

    found = _ipvs.read(lambda _path: False, opened, "6.1.0")
    assert found["available"] is False
    for words in ("kernel (6.1.0) has no IPVS", "modprobe ip_vs", "A container cannot", "VRRP and HAProxy do"):
        assert words in found["message"]
    assert set(found) == set(read(Kernel()))
    assert refused(errno.ENOENT) == found, "the family went away meanwhile"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errno.EPERM, "The kernel tells of IPVS only to root (CAP_NET_ADMIN). Use become."),
        (errno.EBUSY, "The kernel's answer about IPVS cannot be read: Device or resource busy."),
        (
            OSError(errno.ECONNREFUSED, "Connection refused"),
            "Cannot ask the kernel about IPVS by generic netlink: Connection refused.",
        ),
        (TimeoutError("timed out"), "Cannot ask the kernel about IPVS by generic netlink: timed out."),
    ],
)
def test_refusals_say_what_to_do(error: OSError | int, message: str) -> None:
    with pytest.raises(_ipvs.IpvsError) as caught:
        refused(error)
    assert str(caught.value) == message


# ---- a real kernel


class Recorded:
    """A socket that gives the answers that a kernel gave, to the questions that it was asked."""

    def __init__(self, exchange: list[tuple[str, list[str]]]) -> None:
        self.exchange = list(exchange)
        self.waiting: list[bytes] = []

    def send(self, data: bytes) -> object:
        question, answers = self.exchange.pop(0)
        assert data.hex() == question
        assert not self.waiting
        self.waiting = [bytes.fromhex(answer) for answer in answers]
        return len(data)

    def recv(self, _size: int) -> bytes:
        return self.waiting.pop(0)


def rules(services: list[dict[str, Any]]) -> Iterator[str]:
    """The table in the words of ``ipvsadm --save --numeric``."""
    for service in services:
        kind = {"tcp": "-t", "udp": "-u", None: "-f"}[service["protocol"]]
        host = f"[{service['address']}]" if service["family"] == "ipv6" else service["address"]
        name = f"{kind} {service['fwmark'] or '%s:%s' % (host, service['port'])}"
        persistence = f" -p {service['persistence_timeout']}" if service["persistence_timeout"] else ""
        mask = "" if service["netmask"] in ("255.255.255.255", "128") else f" -M {service['netmask']}"
        flags = f" -b {','.join(service['scheduler_flags'])}" if service["scheduler_flags"] else ""
        yield f"-A {name} -s {service['scheduler']}{persistence}{mask}{flags}{' -o' if service['one_packet'] else ''}"
        for server in service["real_servers"]:
            host = f"[{server['address']}]" if ":" in server["address"] else server["address"]
            way = {"dr": "-g", "nat": "-m", "tunnel": "-i"}[server["forwarding"]]
            tunnel = f" --tun-type {server['tunnel_type']}" if server["tunnel_type"] else ""
            yield f"-a {name} -r {host}:{server['port']} {way} -w {server['weight']}{tunnel}"


@pytest.mark.skipif(sys.byteorder != "little", reason="recorded on a machine of the other byte order")
def test_what_a_real_kernel_said_is_what_ipvsadm_read() -> None:
    """Linux 7.2.7, with five requests served by 198.51.100.10 and both sync daemons."""
    data = next(up for up in Path(__file__).parents if up.name == "unit") / "data/ipvs-7.2.json"
    recorded = json.loads(data.read_text(encoding="utf-8"))
    socket = Recorded(recorded["exchange"])

    @contextlib.contextmanager
    def opened() -> Iterator[Recorded]:
        yield socket

    found = _ipvs.read(lambda _path: True, opened, "7.2.7")
    assert (socket.exchange, socket.waiting) == ([], [])
    assert sorted(rules(found["services"])) == sorted(recorded["ipvsadm --save --numeric"])
    (served,) = (
        server
        for service in found["services"]
        for server in service["real_servers"]
        if server["address"] == "198.51.100.10"
    )
    assert (served["upper_threshold"], served["lower_threshold"]) == (100, 80)
    assert (served["active_connections"], served["inactive_connections"]) == (0, 5)
    assert list(served["stats"].values())[:5] == [5, 31, 29, 2087, 2558]
    assert found["timeouts"] == {"tcp": 901, "tcp_fin": 121, "udp": 301}
    common = {"group": "224.0.0.81"}
    assert found["sync_daemons"] == [
        {"state": "master", "interface": "dc", "sync_id": 51, "sync_maxlen": 1472, "port": 8848, "ttl": 1, **common},
        {"state": "backup", "interface": "dr", "sync_id": 52, "sync_maxlen": 1400, "port": 9000, "ttl": 3, **common},
    ]
