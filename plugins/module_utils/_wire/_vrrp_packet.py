# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""VRRP advertisements, from the bytes of an IP packet to what they say.

Read are version 2 (RFC 3768) and version 3 (RFC 9568), over IPv4 and IPv6, unicast and multicast, and what keepalived
adds to them: an authentication header around version 2 (``auth_type AH``), and the signature behind the message of its
version 2.4 (``auth_hmac``). A password is never part of what is returned, only whether there is one.

All of it is pure, and no bytes whatsoever raise an exception.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple, Union

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

PROTOCOL = 112  # RFC 9568, section 5.1.1.4; CARP uses the same number
_AUTHENTICATION_HEADER = 51  # RFC 4302
_GROUP4 = ipaddress.IPv4Address("224.0.0.18")

#: The checksum is the one that the version's standard describes: version 2 over the message, version 3 with a pseudo
#: header (RFC 5798, section 5.2.8; keepalived's default also for IPv4).
OK = "ok"
#: Version 3 over IPv4 without a pseudo header (RFC 9568, section 5.2.8; keepalived's v3_checksum_as_v2; some hardware).
OK_NO_PSEUDO_HEADER = "ok_no_pseudo_header"
#: Unicast of version 3 with the multicast group in the pseudo header (keepalived to 1.3.6, and old_unicast_checksum).
OK_OLD_UNICAST = "ok_old_unicast"
BAD = "bad"

_AUTH_TYPES = {0: "none", 1: "pass", 2: "ah"}  # RFC 2338, section 5.3.6
_HMAC_TRAILER = 28  # bytes, of keepalived's auth_hmac
_CARP = 36  # bytes of a CARP message


class Advertisement(NamedTuple):
    """What one router says in one packet."""

    family: int  # 4 or 6
    source: str
    destination: str
    ttl: int  # of the IP header as it came; the hop limit with IPv6
    version: int
    vrid: int
    priority: int
    advert_int: float  # seconds
    addresses: tuple[str, ...]
    auth_type: str  # none, pass, ah, hmac, or the number
    password: bool  # whether there is one; version 2 sends it in plain text
    checksum: str  # OK, OK_NO_PSEUDO_HEADER, OK_OLD_UNICAST or BAD

    @property
    def multicast(self) -> bool:
        """Whether it was sent to a group."""
        return ipaddress.ip_address(self.destination).is_multicast


class Undecoded(NamedTuple):
    """Bytes that are no advertisement: why, and who sent them as far as can be told."""

    reason: str
    source: str = ""


class _Unreadable(Exception):
    """Ends the reading of a packet, with the reason."""


class _Carried(NamedTuple):
    """A VRRP message and what the IP header around it says."""

    source: IPAddress
    destination: IPAddress
    ttl: int
    message: bytes


def decode(packet: bytes) -> Advertisement | Undecoded:
    """Return what the IP packet `packet`, from its IP header on, says. Bytes behind its stated length are ignored."""
    source = _source(packet)
    try:
        return _advertisement(_ip(packet))
    except _Unreadable as unreadable:
        return Undecoded(str(unreadable), source)


def _source(packet: bytes) -> str:
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return str(ipaddress.IPv4Address(packet[12:16]))
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        return str(ipaddress.IPv6Address(packet[8:24]))
    return ""


# ---- IP ------------------------------------------------------------------------------------------------------------


def _ip(packet: bytes) -> _Carried:
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        return _ipv4(packet)
    if version == 6:
        return _ipv6(packet)
    raise _Unreadable("no IP packet")


def _ipv4(packet: bytes) -> _Carried:
    """RFC 791, section 3.1."""
    header = (packet[0] & 0x0F) * 4
    if header < 20 or len(packet) < header:
        raise _Unreadable("truncated in the IPv4 header")
    (total,) = struct.unpack_from("!H", packet, 2)
    if not header <= total <= len(packet):
        raise _Unreadable(f"truncated: the IPv4 header tells of {total} bytes, and there are {len(packet)}")
    (fragment,) = struct.unpack_from("!H", packet, 6)
    if fragment & 0x3FFF:  # more fragments, or an offset
        raise _Unreadable("a fragment")
    message = _unwrapped(packet[9], packet[header:total])
    return _Carried(ipaddress.IPv4Address(packet[12:16]), ipaddress.IPv4Address(packet[16:20]), packet[8], message)


def _ipv6(packet: bytes) -> _Carried:
    """RFC 8200, section 3."""
    if len(packet) < 40:
        raise _Unreadable("truncated in the IPv6 header")
    (length,) = struct.unpack_from("!H", packet, 4)
    if 40 + length > len(packet):
        raise _Unreadable(f"truncated: the IPv6 header tells of {40 + length} bytes, and there are {len(packet)}")
    message = _unwrapped(packet[6], packet[40 : 40 + length])
    return _Carried(ipaddress.IPv6Address(packet[8:24]), ipaddress.IPv6Address(packet[24:40]), packet[7], message)


def _unwrapped(protocol: int, payload: bytes) -> bytes:
    """Return the VRRP message, taken out of an authentication header (RFC 4302, section 2) if it is in one."""
    if protocol == _AUTHENTICATION_HEADER:
        if len(payload) < 12:
            raise _Unreadable("truncated in the authentication header")
        protocol, length = payload[0], (payload[1] + 2) * 4
        if len(payload) < length:
            raise _Unreadable("truncated in the authentication header")
        payload = payload[length:]
    if protocol != PROTOCOL:
        raise _Unreadable(f"protocol {protocol}, not VRRP's {PROTOCOL}")
    return payload


# ---- VRRP ----------------------------------------------------------------------------------------------------------


def _advertisement(carried: _Carried) -> Advertisement:
    message, family = carried.message, carried.source.version
    if len(message) < 8:
        raise _Unreadable(f"truncated: {len(message)} bytes are no VRRP header")
    kind, vrid, priority, count, interval, _checksum = struct.unpack_from("!BBBBHH", message)
    version = kind >> 4
    if version == 2 and count == 7 and len(message) == _CARP:
        # OpenBSD's ip_carp.h: where VRRP counts addresses, CARP tells the length of its counter, always 7 words
        raise _Unreadable(f"CARP, not VRRP; its virtual host {vrid} has the hardware address of VRID {vrid}")
    if version not in (2, 3):
        raise _Unreadable(f"VRRP version {version}, which is not known")
    if kind & 0x0F != 1:
        raise _Unreadable(f"VRRP type {kind & 0x0F}, not an advertisement's 1")
    if vrid == 0:
        raise _Unreadable("VRID 0, which is not allowed")
    width = 4 if family == 4 else 16
    # RFC 3768, section 5.3.10. keepalived's version 2 over IPv6, which no standard describes, has no such field.
    password = 8 if version == 2 and family == 4 else 0
    end = 8 + count * width
    if len(message) < end + password:
        raise _Unreadable(f"truncated: {count} addresses need {end + password} bytes, and there are {len(message)}")
    auth_type = _AUTH_TYPES.get(interval >> 8, str(interval >> 8)) if version == 2 else "none"
    if len(message) - end - password == _HMAC_TRAILER and message[end + password] == 1:
        auth_type = "hmac"
    return Advertisement(
        family=family,
        source=str(carried.source),
        destination=str(carried.destination),
        ttl=carried.ttl,
        version=version,
        vrid=vrid,
        priority=priority,
        # Version 2: seconds in one byte. Version 3: hundredths of a second in 12 bits, the other four are reserved.
        advert_int=float(interval & 0xFF) if version == 2 else (interval & 0x0FFF) / 100,
        addresses=tuple(str(ipaddress.ip_address(message[at : at + width])) for at in range(8, end, width)),
        auth_type=auth_type,
        password=any(message[end : end + password]),
        checksum=_verify(carried, version, end + password),
    )


def _verify(carried: _Carried, version: int, length: int) -> str:
    """Return which way of summing up agrees with the checksum. `length` is the message's without what is behind it."""
    source, destination = carried.source, carried.destination
    if source.version == 6:
        # The kernel makes it, and so over everything (RFC 8200, section 8.1)
        return OK if _agrees(_pseudo_header(source, destination, len(carried.message)) + carried.message) else BAD
    message = carried.message[:length]
    if version == 2:
        return OK if _agrees(message) else BAD
    if _agrees(_pseudo_header(source, destination, length) + message):
        return OK
    if _agrees(message):
        return OK_NO_PSEUDO_HEADER
    if not destination.is_multicast and _agrees(_pseudo_header(source, _GROUP4, length) + message):
        return OK_OLD_UNICAST
    return BAD


def _pseudo_header(source: IPAddress, destination: IPAddress, length: int) -> bytes:
    """RFC 8200, section 8.1; for IPv4 in the form that TCP uses (RFC 9293, section 3.1)."""
    layout = "!BBH" if source.version == 4 else "!xxHxxBB"
    numbers = (0, PROTOCOL, length) if source.version == 4 else (length, 0, PROTOCOL)
    return source.packed + destination.packed + struct.pack(layout, *numbers)


def _agrees(data: bytes) -> bool:
    """Whether the Internet checksum somewhere in `data` is right (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF
