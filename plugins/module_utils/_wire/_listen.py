# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Who speaks VRRP on the links of this host.

Heard are packet sockets, which see what the host itself sends, too, and need neither a free protocol nor an address:
the advertisements to VRRP's groups, those to this host alone, and this host's own. A filter in the kernel (a classic
BPF program) lets nothing else through, so that a busy link costs nothing here.

Everything is pure but :func:`opened` (sockets); :func:`collect` is handed what receives.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import json
import selectors
import socket
import struct
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._wire._vrrp_packet import Advertisement, decode

_ETH_P_ALL = 0x0003  # only sockets of this protocol see what the host sends (packet(7))
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; the socket module has no name for it
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_MR_MULTICAST = 0
_GROUPS = ("01:00:5e:00:00:12", "33:33:00:00:00:12")  # of 224.0.0.18 and ff02::12 (RFC 1112 6.4, RFC 2464 7)
_GROUP6 = "ff02::12"
_VIRTUAL_ROUTER_MACS = ("00:00:5e:00:01:", "00:00:5e:00:02:")  # RFC 9568, section 7.3


class ListenError(Exception):
    """Listening is not possible; the message says what to do."""


class Frame(NamedTuple):
    """One IP packet that may be an advertisement, and how it came."""

    interface: str
    mac: str  # of the sender; empty on links without such addresses
    own: bool  # sent by this host
    packet: bytes


class Heard(NamedTuple):
    """The outcome of :func:`collect`: each frame with its milliseconds since the start."""

    frames: list[tuple[float, Frame]]
    complete: bool  # listened to the end; if not, there was more than was wanted


Receive = Callable[[float], Optional[Frame]]  # waits at most that many seconds for a frame


# ---- this host -----------------------------------------------------------------------------------------------------


def interfaces_of(links: str, wanted: Sequence[str] = ()) -> list[str]:
    """Return the interfaces to listen on, of those that `links` (the output of ``ip -j -d link show``) describes.

    Those in `wanted`, or else all that are up, without loopback, and without those that hear nothing of their own: the
    ports of a bridge, bond or team, and the macvlans that keepalived's use_vmac makes.
    Raises ListenError when a wanted one is missing or down, or none is left.
    """
    found = {item["ifname"]: item for item in json.loads(links) if item.get("ifname")}
    if not wanted:
        chosen = [name for name, item in found.items() if _is_end(item)]
        if not chosen:
            raise ListenError("no interface is up on this host, beside loopback: bring one up, or set interfaces")
        return chosen
    for name in wanted:
        if name not in found:
            raise ListenError(f"there is no interface {name} on this host; it has {', '.join(sorted(found))}")
        if "UP" not in found[name].get("flags", []):
            raise ListenError(f"cannot listen on {name}: it is down, so silence would say nothing; bring it up first")
    return list(dict.fromkeys(wanted))


def _is_end(item: dict[str, Any]) -> bool:
    flags = item.get("flags", [])
    port = item.get("linkinfo", {}).get("info_slave_kind") in ("bridge", "bond", "team")
    virtual_router = str(item.get("address", "")).startswith(_VIRTUAL_ROUTER_MACS)
    return "UP" in flags and "LOOPBACK" not in flags and not port and not virtual_router


def parse_known(addresses: Sequence[str]) -> set[str]:
    """Return the addresses in the form that packets are shown with; prefix lengths and zones are dropped.

    Raises ListenError on anything that is no address.
    """
    known = set()
    for text in addresses:
        try:
            known.add(str(ipaddress.ip_address(text.strip().split("/")[0].split("%")[0])))
        except ValueError:
            raise ListenError(f"{text!r} in known is no IP address; write it as 192.0.2.10 or 2001:db8::10") from None
    return known


# ---- listening -----------------------------------------------------------------------------------------------------


def collect(receive: Receive, timeout: float, max_packets: int, clock: Callable[[], float] = time.monotonic) -> Heard:
    """Return what `receive` hears in `timeout` seconds of `clock`, at most `max_packets` frames."""
    start = clock()
    frames: list[tuple[float, Frame]] = []
    while len(frames) < max_packets:
        left = start + timeout - clock()
        if left <= 0:
            return Heard(frames, complete=True)
        frame = receive(left)
        if frame is not None:
            frames.append(((clock() - start) * 1000, frame))
    return Heard(frames, complete=False)


@contextlib.contextmanager
def opened(interfaces: Sequence[str]) -> Iterator[Receive]:
    """Give what receives from sockets on all of `interfaces`, for :func:`collect`; closed at the end of the block.

    Raises ListenError when the sockets are not allowed or an interface is gone. Needs CAP_NET_RAW.
    """
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for interface in interfaces:
            selector.register(stack.enter_context(_open(interface)), selectors.EVENT_READ)
            _join(interface, stack)

        def receive(seconds: float) -> Frame | None:
            for key, _events in selector.select(max(0.0, seconds))[:1]:
                sock = key.fileobj
                if isinstance(sock, socket.socket):
                    return _read(sock)
            return None

        yield receive


def _open(interface: str) -> socket.socket:
    try:
        # Protocol 0 hears nothing, so that nothing unfiltered can come in before the filter is there
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    except PermissionError:
        raise ListenError("raw sockets need CAP_NET_RAW: run the task as root (become: true)") from None
    try:
        program = vrrp_filter()
        code = ctypes.create_string_buffer(program, len(program))
        sock.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(code))
        )
        for group in _GROUPS:
            address = bytes.fromhex(group.replace(":", ""))
            member = struct.pack("iHH8s", socket.if_nametoindex(interface), _PACKET_MR_MULTICAST, len(address), address)
            with contextlib.suppress(OSError):  # a link without multicast, such as a tunnel
                sock.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, member)
        sock.bind((interface, _ETH_P_ALL))
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen on {interface}: {error.strerror}") from None
    return sock


def _join(interface: str, stack: contextlib.ExitStack) -> None:
    """Tell switches that follow MLD to send VRRP's IPv6 group here. That of IPv4 goes everywhere (RFC 4541, 2.1.2)."""
    with contextlib.suppress(OSError):  # no IPv6 here
        sock = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        group = socket.inet_pton(socket.AF_INET6, _GROUP6) + struct.pack("@I", socket.if_nametoindex(interface))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)


def _read(sock: socket.socket) -> Frame | None:
    try:
        packet, (interface, _protocol, kind, _hardware, address) = sock.recvfrom(65535)
    except OSError:  # e.g. the link went down: silence, like any other
        return None
    return Frame(interface, ":".join(f"{byte:02x}" for byte in address), kind == socket.PACKET_OUTGOING, packet)


def vrrp_filter() -> bytes:
    """Return the BPF program that lets VRRP pass (linux/filter.h), for packets that begin with their IP header.

    Kept out are frames for other hosts, which a link may flood, and those of a VLAN: they are heard on its own
    interface, and here they would look as if they belonged to this one.
    """
    load_byte, load_word, load_index = 0x30, 0x20, 0xB1  # BPF_LD|B|ABS, BPF_LD|W|ABS, BPF_LDX|B|MSH
    load_byte_at_index, equal, give = 0x50, 0x15, 0x06  # BPF_LD|B|IND, BPF_JMP|JEQ|K, BPF_RET|K
    ancillary = 0xFFFFF000  # SKF_AD_OFF
    protocol, kind, vlan = ancillary, ancillary + 4, ancillary + 48
    program = [
        (load_word, 0, 0, kind),
        (equal, 17, 0, 3),  # PACKET_OTHERHOST: nothing
        (load_word, 0, 0, vlan),
        (equal, 0, 15, 0),
        (load_word, 0, 0, protocol),
        (equal, 0, 6, 0x0800),
        (load_byte, 0, 0, 9),
        (equal, 10, 0, 112),
        (equal, 0, 10, 51),
        (load_index, 0, 0, 0),
        (load_byte_at_index, 0, 0, 0),  # the next header of an authentication header behind IPv4's
        (equal, 6, 7, 112),
        (equal, 0, 6, 0x86DD),
        (load_byte, 0, 0, 6),
        (equal, 3, 0, 112),
        (equal, 0, 3, 51),
        (load_byte, 0, 0, 40),
        (equal, 0, 1, 112),
        (give, 0, 0, 0xFFFF),
        (give, 0, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


# ---- the report ----------------------------------------------------------------------------------------------------


def report(heard: Heard, known: Collection[str], vrids: Collection[int] = ()) -> dict[str, Any]:
    """Return who spoke, in the shape that `vrrp_advert_info` returns; with `vrids` only of these virtual routers."""
    routers: dict[tuple[Any, ...], dict[str, Any]] = {}
    undecoded: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for ms, frame in heard.frames:
        said = decode(frame.packet)
        if isinstance(said, Advertisement):
            if not vrids or said.vrid in vrids:
                _add(routers, ms, frame, said, known)
        else:
            key = (frame.interface, frame.mac, said.source, said.reason)
            entry = undecoded.setdefault(key, dict(zip(("interface", "mac", "source", "reason"), key), packets=0))
            entry["packets"] += 1
    found = sorted(routers.values(), key=lambda router: (*_place(router), router["first_ms"]))
    return {
        "routers": found,
        "strangers": [router for router in found if router["stranger"]],
        "split": _splits(found),
        "undecoded": list(undecoded.values()),
        "packets": len(heard.frames),
        "complete": heard.complete,
    }


def _place(router: dict[str, Any]) -> tuple[str, str, int]:
    """One virtual router: the two families of an interface have their own (RFC 9568, section 1)."""
    return router["interface"], router["family"], router["vrid"]


def _add(
    routers: dict[tuple[Any, ...], dict[str, Any]], ms: float, frame: Frame, said: Advertisement, known: Collection[str]
) -> None:
    """Count one advertisement; of what may change with time, the last word counts."""
    key = (frame.interface, said.family, said.vrid, said.version, said.source, frame.mac, frame.own, said.multicast)
    before = routers.get(key, {"first_ms": round(ms, 3), "packets": 0, "destinations": [], "checksum": said.checksum})
    routers[key] = {
        "interface": frame.interface,
        "family": f"ipv{said.family}",
        "vrid": said.vrid,
        "version": said.version,
        "source": said.source,
        "mac": frame.mac,
        "priority": said.priority,
        "advert_int": said.advert_int,
        "addresses": list(said.addresses),
        "auth_type": said.auth_type,
        "password": said.password,
        "checksum": before["checksum"] if before["checksum"] == "bad" else said.checksum,
        "ttl": said.ttl,
        "transport": "multicast" if said.multicast else "unicast",
        "destinations": sorted({*before["destinations"], said.destination}),
        "packets": before["packets"] + 1,
        "first_ms": before["first_ms"],
        "last_ms": round(ms, 3),
        "own": frame.own,
        "stranger": not frame.own and said.source not in known,
    }


def _splits(routers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the virtual routers for which more than one speaks: of a healthy one, the backups are silent."""
    spoken: dict[tuple[str, str, int], dict[tuple[str, str], list[float]]] = {}
    for router in routers:
        times = spoken.setdefault(_place(router), {}).setdefault((router["source"], router["mac"]), [])
        times += (router["first_ms"], router["last_ms"])
    return [
        {
            "interface": interface,
            "family": family,
            "vrid": vrid,
            "senders": [source for source, _mac in senders],
            # One that falls silent before the other begins hands the addresses over; else both have them
            "at_once": any(
                min(one) < max(other) and min(other) < max(one)
                for number, one in enumerate(senders.values())
                for other in list(senders.values())[number + 1 :]
            ),
        }
        for (interface, family, vrid), senders in spoken.items()
        if len(senders) > 1
    ]
