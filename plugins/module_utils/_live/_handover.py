# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Connections that outlive the move of their VIP: which there are, and the commands that let two directors share it.

A TCP connection is known to the one host that it was opened to: to its kernel's sockets, or to its table of virtual
servers (IPVS). When the VIP moves, the next packet comes to another host, which answers with a reset (RFC 9293 section
3.10.7.1). So for a while the new holder passes on to the old one what belongs to no connection of its own, and the old
one takes packets for an address that it no longer has, without a word about it to anybody (ARP, neighbour discovery).

Everything here is pure; the module runs the commands.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import ipaddress
import shlex
import struct
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

#: The nftables table of the new holder, in the families ip and ip6.
TABLE = "failover_vip_handover"
#: Marks the old holder's routes as those of this module.
METRIC = 4242
#: Marks packets that are passed on, so that two hosts which both pass on never send one to and fro. Of the code points
#: for local use (RFC 2474 section 6).
DSCP = 0x2B
#: Connections that are told apart; what is beyond goes to the old holder and is served there.
SET_SIZE = 1048576

_LISTEN = 0x0A
#: States of linux/tcp_states.h in which bytes are still to come or to be acknowledged.
_BUSY = frozenset((0x01, 0x03, 0x04, 0x08))


class HandoverError(Exception):
    """It cannot be done; the message says why and what to do."""


class Connection(NamedTuple):
    """One TCP connection, as its client's packets have it."""

    client: Address
    client_port: int
    vip: Address
    vip_port: int
    busy: bool


class Kept(NamedTuple):
    """A VIP of the old holder, and the interface that it was on."""

    address: Address
    interface: str


class Relayed(NamedTuple):
    """A VIP of the new holder, and the old one's own address: *to*, reached through *interface*."""

    address: Address
    to: Address
    interface: str


def _socket_address(digits: str) -> Address:
    """An address of ``/proc/net/tcp``: 32-bit words, each in the byte order of this machine."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    packed = struct.pack("%s%dI" % ("<" if sys.byteorder == "little" else ">", len(words)), *words)
    if len(words) == 1:
        return ipaddress.IPv4Address(packed)
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address


def sockets(text: str) -> list[Connection]:
    """The connections in the text of ``/proc/net/tcp`` or ``/proc/net/tcp6`` (proc(5)), but for those that listen."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        state = int(words[3], 16)
        if state == _LISTEN:
            continue
        (own, own_port), (peer, peer_port) = (word.split(":") for word in words[1:3])
        found.append(
            Connection(
                _socket_address(peer), int(peer_port, 16), _socket_address(own), int(own_port, 16), state in _BUSY
            )
        )
    return found


def _balanced_address(digits: str) -> Address:
    return ipaddress.ip_address(digits) if ":" in digits else ipaddress.IPv4Address(int(digits, 16))


def balanced(text: str) -> list[Connection]:
    """The TCP connections in the text of ``/proc/net/ip_vs_conn``: those that IPVS forwards, or would after a failover.

    Ports and IPv4 addresses are hexadecimal numbers there, IPv6 addresses are written out.
    """
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        # Entries of another protocol, and templates of persistence, which have no port.
        if words[0] != "TCP" or int(words[2], 16) == 0:
            continue
        client, vip = _balanced_address(words[1]), _balanced_address(words[3])
        found.append(Connection(client, int(words[2], 16), vip, int(words[4], 16), words[7] == "ESTABLISHED"))
    return found


def relay_rules(relayed: Sequence[Relayed], known: Iterable[Connection]) -> str:
    """The nftables rules (nft(8)) of the new holder.

    :param relayed: its VIPs.
    :param known: the connections that it has already, and will not pass on.
    """
    known = list(known)
    tables = []
    for version, family, kind in ((4, "ip", "ipv4_addr"), (6, "ip6", "ipv6_addr")):
        moves = [move for move in relayed if move.address.version == version]
        if not moves:
            continue
        vips = {move.address for move in moves}
        mine = sorted({item[:4] for item in known if item.vip in vips}, key=str)
        elements = ", ".join("%s . %d . %s . %d" % item for item in mine)
        which = "%s saddr . tcp sport . %s daddr . tcp dport" % (family, family)
        lines = [
            "table %s %s {" % (family, TABLE),
            "    set here {",
            "        type %s . inet_service . %s . inet_service" % (kind, kind),
            "        flags dynamic",
            "        size %d" % SET_SIZE,
            *(["        elements = { %s }" % elements] if elements else []),
            "    }",
            "    chain in {",
            # Before connection tracking (-200), which would call these packets invalid.
            "        type filter hook prerouting priority -350; policy accept;",
            "        %s daddr != { %s } return" % (family, ", ".join(sorted(map(str, vips)))),
            "        meta l4proto != tcp return",
            "        %s dscp %d return" % (family, DSCP),
            "        tcp flags & (syn | ack) == syn update @here { %s } return" % which,
            "        %s @here return" % which,
            *(
                '        %s daddr %s %s dscp set %d dup to %s device "%s" drop'
                % (family, move.address, family, DSCP, move.to, move.interface)
                for move in moves
            ),
            "    }",
            "}",
        ]
        tables.append("\n".join(lines) + "\n")
    return "".join(tables)


def relay_undo() -> str:
    """The shell commands that remove these rules, if they are there."""
    return "".join("nft delete table %s %s 2>/dev/null\n" % (family, TABLE) for family in ("ip", "ip6")) + "true\n"


def _local_route(verb: str, kept: Kept) -> str:
    # While the address is still there the kernel has a route of its own, of another metric.
    return "ip -%d route %s local %s dev lo table local metric %d" % (
        kept.address.version,
        verb,
        kept.address,
        METRIC,
    )


def _settings(kept: Sequence[Kept], state: str) -> list[tuple[str, str, int]]:
    """What keeps a host from answering or asking by ARP with an address that is not on the interface.

    Of each setting its file, where its value of before is noted (both quoted for the shell), and its least value.
    """
    return [
        (
            shlex.quote("/proc/sys/net/ipv4/conf/%s/%s" % (interface, key)),
            shlex.quote("%s/%s.%s" % (state, interface, key)),
            least,
        )
        for interface in sorted({item.interface for item in kept if item.address.version == 4})
        for key, least in (("arp_ignore", 1), ("arp_announce", 2))
    ]


def keep_script(kept: Sequence[Kept], state: str) -> str:
    """The shell commands with which the old holder goes on to take packets for its VIPs.

    IPv6 has no such settings and needs none: neighbour discovery answers for addresses of an interface, not for routes.

    :param state: the directory where the settings of before are written down.
    """
    lines = ["set -e"]
    for setting, note, least in _settings(kept, state):
        lines.append("cat %s >%s" % (setting, note))
        lines.append('if [ "$(cat %s)" -lt %d ]; then echo %d >%s; fi' % (setting, least, least, setting))
    lines += [_local_route("replace", item) for item in kept]
    return "\n".join(lines) + "\n"


def keep_undo(kept: Sequence[Kept], state: str) -> str:
    """The shell commands that undo :func:`keep_script`, also if it was not run to its end."""
    lines = ["%s 2>/dev/null" % _local_route("del", item) for item in kept]
    for setting, note, _least in _settings(kept, state):
        lines.append("if [ -s %s ]; then cat %s >%s; fi" % (note, note, setting))
    return "\n".join([*lines, "true"]) + "\n"
