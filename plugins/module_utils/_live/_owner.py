# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Who answers for an address on its link: nobody, one host, or two (split brain).

Private to the collection failover.vip: it may change with any release.

The questions are chosen so that asking changes nothing on anybody's side:

* IPv4 is asked with an ARP *probe* (RFC 5227, section 1.1: sender address 0.0.0.0). Linux answers it like any other
  request, honouring ``arp_ignore``, and touches no neighbour entry for it; the answer is unicast. A request with the
  host's own address would make and refresh entries on every listener, and proxy ARP would answer it although the proxy
  does not hold the address; ``arp_announce`` and ``arp_filter`` could also bend the sender address and the answer.
* IPv6 is asked with a Neighbour Solicitation (RFC 4861, section 7.2.2) *from the host's own link-local address* with
its
  true link-layer address. The unspecified source, which looks like the counterpart of the ARP probe, is wrong here: it
  is Duplicate Address Detection (RFC 4862, section 5.4.3), makes a holder with a tentative address give it up, and is
  answered
  to *all nodes* with the override flag, so in a split brain each question would turn everybody's neighbour entry.

Everything is pure but :func:`read_host` (its two readers are handed in) and :func:`ask` (sockets).
"""

from __future__ import annotations

import ipaddress
import json
import math
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
CommandRunner = Callable[[list[str]], str]  # an argument list -> its standard output
FileReader = Callable[[str], str]  # a path -> its text

ETH_P_ARP = 0x0806
_ICMPV6_FILTER = 1  # linux/icmpv6.h; the socket module has no name for it
_NEIGHBOUR_SOLICITATION = 135
_NEIGHBOUR_ADVERTISEMENT = 136
_ARP = struct.Struct("!HHBBH6s4s6s4s")  # RFC 826, with the sizes of Ethernet and IPv4
_VIRTUAL_ROUTER_MACS = ("00:00:5e:00:01:", "00:00:5e:00:02:")  # RFC 9568, section 7.3


class OwnerError(Exception):
    """The question cannot be asked; the message says what to do."""


class LocalAddress(NamedTuple):
    """One address of this host, as the kernel shows it."""

    interface: str
    address: Address
    failed: bool  # IPv6 found a duplicate and does not use it


class Link(NamedTuple):
    """One network interface of this host."""

    name: str
    mac: str
    lower: str | None  # the interface below a macvlan or VLAN
    ethernet: bool
    up: bool
    carrier: bool
    quiet: bool  # loopback and dummy interfaces: addresses on them are not announced on any wire by themselves
    arp_ignore: int  # the effective value, the larger one of conf/all and conf/<interface>


class Route(NamedTuple):
    """One unicast route of the main table."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    interface: str
    gateway: str | None
    metric: int


class Host(NamedTuple):
    """What this host knows of its own network, at one moment."""

    links: dict[str, Link]
    addresses: list[LocalAddress]
    routes: list[Route]


class Question(NamedTuple):
    """Ask on one interface for one address; `mac` is the asking interface's own."""

    address: Address
    interface: str
    mac: str


class Heard(NamedTuple):
    """One message that may be an answer: milliseconds since the first question, and what came in."""

    ms: float
    interface: str
    version: int  # 4: an Ethernet frame; 6: an ICMPv6 message
    data: bytes
    hop_limit: int  # of the IPv6 header; 0 for ARP, which has none


class Asked(NamedTuple):
    """The outcome of :func:`ask`: how often each question was sent, and all that was heard."""

    rounds: int
    heard: list[Heard]


Ask = Callable[[Sequence[Question], float, float], Asked]


# ---- bytes ---------------------------------------------------------------------------------------------------------


def arp_probe(mac: str, target: ipaddress.IPv4Address) -> bytes:
    """Return the Ethernet frame of an ARP probe for `target` (RFC 5227, section 2.1.1), to be broadcast."""
    own = _pack_mac(mac)
    return (
        b"\xff" * 6
        + own
        + struct.pack("!H", ETH_P_ARP)
        + _ARP.pack(1, 0x0800, 6, 4, 1, own, bytes(4), bytes(6), target.packed)
    )


def read_arp_reply(frame: bytes, mac: str) -> tuple[Address, str] | None:
    """Return (address, hardware address) of an ARP reply to `mac`; None for anything else, however broken (RFC 826)."""
    if len(frame) < 14 + _ARP.size or frame[12:14] != b"\x08\x06":
        return None
    hardware, protocol, hlen, plen, operation, sender_mac, sender, target_mac, _target = _ARP.unpack_from(frame, 14)
    if (hardware, protocol, hlen, plen, operation) != (1, 0x0800, 6, 4, 2) or target_mac != _pack_mac(mac):
        return None
    return ipaddress.IPv4Address(sender), _show_mac(sender_mac)


def solicited_node(target: ipaddress.IPv6Address) -> str:
    """Return the multicast address to which a solicitation for `target` goes (RFC 4291, section 2.7.1)."""
    return str(ipaddress.IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + target.packed[-3:]))


def neighbour_solicitation(mac: str, target: ipaddress.IPv6Address) -> bytes:
    """Return the ICMPv6 message (RFC 4861, section 4.3) with our link-layer address; the kernel adds the checksum."""
    return struct.pack("!BBHI16sBB6s", _NEIGHBOUR_SOLICITATION, 0, 0, 0, target.packed, 1, 1, _pack_mac(mac))


def read_neighbour_advertisement(message: bytes, hop_limit: int) -> tuple[Address, str] | None:
    """Return (address, hardware address) of a solicited advertisement; None for anything else, however broken.

    Valid is what RFC 4861, section 7.1.2 calls valid: hop limit 255 (nobody behind a router can forge it), code 0, no
    option of
    length 0. An advertisement without the solicited flag is an announcement and no answer.
    """
    if hop_limit != 255 or len(message) < 24 or message[0] != _NEIGHBOUR_ADVERTISEMENT or message[1] != 0:
        return None
    if not message[4] & 0x40:
        return None
    at = 24
    while at + 2 <= len(message):
        kind, size = message[at], message[at + 1] * 8
        if size == 0 or at + size > len(message):
            return None
        if kind == 2 and size == 8:
            return ipaddress.IPv6Address(message[8:24]), _show_mac(message[at + 2 : at + 8])
        at += size
    return None


def _pack_mac(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _show_mac(mac: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in mac)


# ---- this host -----------------------------------------------------------------------------------------------------


def read_host(run: CommandRunner, read: FileReader) -> Host:
    """Read links, addresses and routes with `ip -j` (iproute2), and arp_ignore from /proc."""
    return parse_host(
        run(["ip", "-j", "address", "show"]),
        run(["ip", "-j", "-4", "route", "show", "table", "main"]) or "[]",
        run(["ip", "-j", "-6", "route", "show", "table", "main"]) or "[]",
        lambda interface: int(read(f"/proc/sys/net/ipv4/conf/{interface}/arp_ignore")),
    )


def parse_host(addresses: str, routes4: str, routes6: str, arp_ignore: Callable[[str], int]) -> Host:
    """Return the host that three outputs of `ip -j` describe.

    `arp_ignore` gives the sysctl of one interface or of "all". The kernel obeys the larger of the two (ip-sysctl.rst).
    """
    ignore_all = arp_ignore("all")
    links: dict[str, Link] = {}
    local: list[LocalAddress] = []
    for item in json.loads(addresses):
        name = item.get("ifname")
        if not name:  # older iproute2 leaves an empty object for what it filtered out
            continue
        flags = item.get("flags", [])
        links[name] = Link(
            name=name,
            mac=item.get("address", ""),
            lower=item.get("link"),
            ethernet=item.get("link_type") == "ether",
            up="UP" in flags,
            carrier="LOWER_UP" in flags,
            quiet="LOOPBACK" in flags or "NOARP" in flags,
            arp_ignore=max(ignore_all, arp_ignore(name)),
        )
        for entry in item.get("addr_info", []):
            if "local" in entry:
                failed = bool(entry.get("dadfailed")) or "dadfailed" in entry.get("flags", [])
                local.append(LocalAddress(name, ipaddress.ip_address(entry["local"]), failed))
    routes = [route for text, any_ in ((routes4, "0.0.0.0/0"), (routes6, "::/0")) for route in _routes(text, any_)]
    return Host(links, local, routes)


def _routes(text: str, any_network: str) -> list[Route]:
    found = []
    for item in json.loads(text):
        if "dev" not in item or item.get("type", "unicast") != "unicast":
            continue
        network = any_network if item["dst"] == "default" else item["dst"]
        via: Any = item.get("gateway") or item.get("via", {}).get("host")
        found.append(Route(ipaddress.ip_network(network, strict=False), item["dev"], via, int(item.get("metric", 0))))
    return found


def parse_vip(text: str) -> Address:
    """Return the address in `text`, whose prefix length, if any, is dropped. Raises OwnerError on anything else."""
    try:
        address = ipaddress.ip_interface(text.strip()).ip
    except ValueError:
        raise OwnerError(
            f"{text!r} is no IP address; write it as 192.0.2.10, 192.0.2.10/24 or 2001:db8::10/64"
        ) from None
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        raise OwnerError(f"{address} cannot be a virtual address: it is a multicast, loopback or unspecified one")
    return address


def questions(host: Host, vips: Sequence[str], interface: str | None = None) -> list[Question]:
    """Return one question for each distinct address of `vips`, in their order.

    `interface` is asked on when given; otherwise the one whose link the address belongs to is found.
    Raises OwnerError, whose message says what to do, when there is none or it cannot be used.
    """
    asked = []
    for address in dict.fromkeys(parse_vip(vip) for vip in vips):
        link = _usable(host, interface or find_interface(host, address), address)
        asked.append(Question(address, link.name, link.mac))
    return asked


def find_interface(host: Host, address: Address) -> str:
    """Return the interface on whose link `address` lives: the one that holds it, else the one its route leaves by."""
    for held in host.addresses:
        link = host.links[held.interface]
        if held.address == address and link.ethernet and not link.quiet:
            # keepalived's use_vmac puts the address on a macvlan: the wire is below it
            return link.lower if link.lower and _is_virtual_router(link.mac) else link.name
    if address.is_link_local and address.version == 6:
        raise OwnerError(f"{address} is link-local, every interface has such a network: set the option interface")
    # not the routes to this host's own addresses on lo
    wired = [route for route in host.routes if route.interface in host.links and not host.links[route.interface].quiet]
    routes = [route for route in wired if route.network.version == address.version and address in route.network]
    if not routes:
        raise OwnerError(
            f"no route to {address} on this host: set the option interface, or ask from a host in its network"
        )
    best = min(routes, key=lambda route: (-route.network.prefixlen, route.metric))
    if best.gateway:
        raise OwnerError(
            f"{address} is not on a network of this host (it is reached through {best.gateway}), and ARP and Neighbour "
            f"Discovery do not cross a router: ask from a host in its network, or set the option interface"
        )
    return best.interface


def _usable(host: Host, name: str, address: Address) -> Link:
    link = host.links.get(name)
    if link is None:
        raise OwnerError(f"there is no interface {name} on this host; it has {', '.join(sorted(host.links))}")
    if not link.ethernet:
        raise OwnerError(f"cannot ask for {address} on {name}: it is no Ethernet interface; set the option interface")
    if not link.up or not link.carrier:
        why = "has no carrier" if link.up else "is down"
        raise OwnerError(
            f"cannot ask for {address} on {name}: it {why}, so silence would say nothing; bring it up first"
        )
    return link


# ---- the verdict ---------------------------------------------------------------------------------------------------


def judge(host: Host, asked: Sequence[Question], outcome: Asked) -> list[dict[str, Any]]:
    """Return for each question who owns its address, in the shape that `vip_owner_info` returns.

    A hardware address of this host is not counted as another owner. Two hosts in split brain with keepalived's use_vmac
    answer with *one* virtual router MAC, which a backup has on a local interface, too: such a MAC is never taken for
    our own (a
    host does not hear its own answers), and more answers from it than questions mean two hosts.
    """
    own = {link.mac for link in host.links.values() if not _is_virtual_router(link.mac)}
    times: dict[tuple[Address, str], dict[str, list[float]]] = {(q.address, q.interface): {} for q in asked}
    macs = {question.interface: question.mac for question in asked}
    for heard in outcome.heard:
        if heard.version == 4:
            answer = read_arp_reply(heard.data, macs.get(heard.interface, "00:00:00:00:00:00"))
        else:
            answer = read_neighbour_advertisement(heard.data, heard.hop_limit)
        if answer is not None and (answer[0], heard.interface) in times:
            times[answer[0], heard.interface].setdefault(answer[1], []).append(heard.ms)

    result = []
    for question in asked:
        answers = times[question.address, question.interface]
        others = sum(
            2 if _is_virtual_router(mac) and len(heard_at) > outcome.rounds else 1
            for mac, heard_at in answers.items()
            if mac not in own
        )
        local = [held for held in host.addresses if held.address == question.address and not held.failed]
        held_here = any(_answers(host, held, question) for held in local)
        owners = int(held_here) + others
        result.append(
            {
                "address": str(question.address),
                "interface": question.interface,
                "local_interface": local[0].interface if local else None,
                "held_here": held_here,
                "asked": outcome.rounds,
                "answers": [
                    {
                        "mac": mac,
                        "first_ms": round(min(heard_at), 3),
                        "last_ms": round(max(heard_at), 3),
                        "replies": len(heard_at),
                    }
                    for mac, heard_at in sorted(answers.items(), key=lambda item: min(item[1]))
                ],
                "owners": owners,
                "verdict": ("none", "one")[owners] if owners < 2 else "split",
            }
        )
    return result


def _answers(host: Host, held: LocalAddress, question: Question) -> bool:
    """Would this host's kernel answer for an address it has? (ip-sysctl.rst, arp_ignore)"""
    if not host.links[held.interface].quiet:
        return True
    # On lo, as on a real server of LVS-DR: IPv6 answers for addresses of the asked interface alone; IPv4 for any of
    # the host unless arp_ignore forbids it (3 forbids only addresses of scope host)
    return held.address.version == 4 and host.links[question.interface].arp_ignore in (0, 3)


def _is_virtual_router(mac: str) -> bool:
    return mac.startswith(_VIRTUAL_ROUTER_MACS)


# ---- sockets -------------------------------------------------------------------------------------------------------


def ask(asked: Sequence[Question], timeout: float, interval: float) -> Asked:
    """Send every question at once, again each `interval` seconds, and listen for `timeout` seconds.

    The last round leaves a whole `interval` for its answers. Raises OwnerError when the sockets are not allowed or a
    question
    cannot be sent. Needs CAP_NET_RAW.
    """
    rounds = max(1, math.floor(timeout / interval + 1e-9))
    sockets: dict[socket.socket, tuple[str, int]] = {}
    try:
        senders: dict[tuple[str, int], socket.socket] = {}
        for question in asked:
            key = (question.interface, question.address.version)
            if key not in senders:
                senders[key] = _open(*key)
                sockets[senders[key]] = key
        heard: list[Heard] = []
        start = time.monotonic()
        for turn in range(rounds):
            for question in asked:
                _send(senders[question.interface, question.address.version], question)
                # between two questions, so that thousands of answers overflow no buffer
                _listen(sockets, start, time.monotonic() + 0.001, heard, wait=False)
            last = turn == rounds - 1
            until = max(start + timeout, time.monotonic() + interval) if last else start + (turn + 1) * interval
            _listen(sockets, start, until, heard)
        return Asked(rounds, heard)
    finally:
        for sock in sockets:
            sock.close()


def _open(interface: str, version: int) -> socket.socket:
    try:
        if version == 4:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
            sock.bind((interface, ETH_P_ARP))
        else:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            blocked = bytearray(
                b"\xff" * 32
            )  # RFC 3542, section 3.2; in Linux a set bit blocks its type, words are of the host
            word = struct.unpack_from("=I", blocked, 4 * (_NEIGHBOUR_ADVERTISEMENT // 32))[0]
            struct.pack_into(
                "=I", blocked, 4 * (_NEIGHBOUR_ADVERTISEMENT // 32), word & ~(1 << (_NEIGHBOUR_ADVERTISEMENT % 32))
            )
            sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, bytes(blocked))
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    except PermissionError:
        raise OwnerError("raw sockets need CAP_NET_RAW: run the task as root (become: true)") from None
    except OSError as error:
        raise OwnerError(f"cannot open a raw socket on {interface}: {error.strerror}") from None
    sock.setblocking(False)
    return sock


def _send(sock: socket.socket, question: Question) -> None:
    try:
        if isinstance(question.address, ipaddress.IPv4Address):
            sock.send(arp_probe(question.mac, question.address))
        else:
            scope = socket.if_nametoindex(question.interface)
            message = neighbour_solicitation(question.mac, question.address)
            sock.sendto(message, (solicited_node(question.address), 0, 0, scope))
    except BlockingIOError:
        pass  # the device's queue is full: the next round asks again
    except OSError as error:
        raise OwnerError(
            f"cannot ask for {question.address} on {question.interface}: {error.strerror} "
            f"(an IPv6 question needs a link-local address on the interface)"
        ) from None


def _listen(
    sockets: dict[socket.socket, tuple[str, int]], start: float, until: float, heard: list[Heard], wait: bool = True
) -> None:
    """Collect what comes in until the monotonic time `until`; without `wait` only what is there already."""
    while True:
        ready, _write, _except = select.select(
            list(sockets), [], [], max(0.0, until - time.monotonic()) if wait else 0.0
        )
        for sock in ready:
            interface, version = sockets[sock]
            try:
                data, ancillary, _flags, _source = sock.recvmsg(2048, socket.CMSG_SPACE(4))
            except OSError:  # e.g. the link went down: silence, like any other
                continue
            hop_limit = 0
            for level, kind, value in ancillary:
                if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT) and len(value) >= 4:
                    hop_limit = struct.unpack_from("=i", value)[0]
            heard.append(Heard((time.monotonic() - start) * 1000, interface, version, data, hop_limit))
        if not ready or time.monotonic() >= until:
            return
