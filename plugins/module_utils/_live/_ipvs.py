# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The kernel's table of virtual servers, by the generic netlink family IPVS.

Formats: linux/ip_vs.h and the kernel's net/netfilter/ipvs/ip_vs_ctl.c. Whole numbers are of the host's byte order,
addresses, ports and an IPv4 netmask of the network's. Attributes that are not known here are passed over.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from contextlib import AbstractContextManager
from typing import Any, Callable, Optional

from ansible_collections.failover.vip.plugins.module_utils._live import _netlink

#: There as long as IPVS is in the kernel, in each network namespace. Looked for first: asked for a family that it has
#: not, the kernel looks for a module to load, and an info module changes nothing.
PROC_FILE = "/proc/net/ip_vs"

MISSING = (
    "The kernel (%s) has no IPVS: there is no " + PROC_FILE + ". Load it with 'modprobe ip_vs', and at every boot by a "
    "file in /etc/modules-load.d. A container cannot load it: do so on the machine that it runs on. If modprobe finds "
    "no such module, this kernel was built without it: use one that has it, such as the distribution's own. Without it "
    "virtual servers (LVS) do not work; VRRP and HAProxy do."
)

_GET_SERVICE, _GET_DEST, _GET_DAEMON, _GET_CONFIG, _GET_INFO = 4, 8, 11, 13, 15  # IPVS_CMD_*
_SERVICE, _DEST, _DAEMON, _TIMEOUT_TCP, _TIMEOUT_TCP_FIN, _TIMEOUT_UDP = 1, 2, 3, 4, 5, 6  # IPVS_CMD_ATTR_*
_VERSION, _TABLE_SIZE = 1, 2  # IPVS_INFO_ATTR_*

# IPVS_SVC_ATTR_*
_S_FAMILY, _S_PROTOCOL, _S_ADDRESS, _S_PORT, _S_FWMARK, _S_SCHEDULER, _S_FLAGS, _S_TIMEOUT, _S_NETMASK = range(1, 10)
_S_STATS, _S_ENGINE, _S_STATS64 = range(10, 13)
# IPVS_DEST_ATTR_*
_D_ADDRESS, _D_PORT, _D_FORWARDING, _D_WEIGHT, _D_UPPER, _D_LOWER, _D_ACTIVE, _D_INACTIVE, _D_PERSISTENT = range(1, 10)
_D_STATS, _D_FAMILY, _D_STATS64, _D_TUNNEL_TYPE, _D_TUNNEL_PORT = range(10, 15)
# IPVS_DAEMON_ATTR_*
_N_STATE, _N_INTERFACE, _N_SYNC_ID, _N_MAXLEN, _N_GROUP, _N_GROUP6, _N_PORT, _N_TTL = range(1, 9)

_STATS = (
    "connections",
    "in_packets",
    "out_packets",
    "in_bytes",
    "out_bytes",
    "connections_per_second",
    "in_packets_per_second",
    "out_packets_per_second",
    "in_bytes_per_second",
    "out_bytes_per_second",
)  # IPVS_STATS_ATTR_*, from 1

_FAMILIES = {int(socket.AF_INET): "ipv4", int(socket.AF_INET6): "ipv6"}
_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}
_PERSISTENT, _ONE_PACKET = 0x1, 0x4  # IP_VS_SVC_F_*
_SCHEDULER_FLAGS = {0x8: "flag-1", 0x10: "flag-2", 0x20: "flag-3"}
# What the flags mean to the schedulers sh and mh, in ipvsadm's words
_HASH_FLAGS = {"flag-1": "fallback", "flag-2": "port"}
_FORWARDING = {0: "nat", 1: "local", 2: "tunnel", 3: "dr", 4: "bypass"}  # IP_VS_CONN_F_FWD_MASK
_TUNNELS = {0: "ipip", 1: "gue", 2: "gre"}  # IP_VS_CONN_F_TUNNEL_TYPE_*
_STATES = {1: "master", 2: "backup"}  # IP_VS_STATE_*


class IpvsError(Exception):
    """What could not be learned, and what to do."""


class _Fields:
    """The attributes of one thing, read by their kinds. A missing or misshapen one is an IpvsError that names both."""

    def __init__(self, thing: str, attributes: dict[int, bytes]) -> None:
        self.thing = thing
        self.attributes = attributes

    def has(self, kind: int) -> bool:
        return kind in self.attributes

    def bytes(self, kind: int, size: int) -> bytes:
        value = self.attributes.get(kind)
        if value is None or len(value) != size:
            found = "none" if value is None else "%d" % len(value)
            raise IpvsError(
                "The kernel's answer about %s cannot be read: attribute %d should have %d bytes and has %s."
                % (self.thing, kind, size, found)
            )
        return value

    def number(self, kind: int, layout: str, default: Optional[int] = None) -> int:
        """A number of a layout of the module struct. ``default`` stands for an attribute that older kernels lack."""
        if default is not None and not self.has(kind):
            return default
        return int(struct.unpack(layout, self.bytes(kind, struct.calcsize(layout)))[0])

    def text(self, kind: int) -> str:
        """A string, which ends at its first NUL; empty if there is none."""
        return self.attributes.get(kind, b"").split(b"\0", 1)[0].decode("ascii", "replace")

    def nested(self, kind: int, thing: str) -> _Fields:
        if not self.has(kind):
            raise IpvsError("The kernel's answer about %s cannot be read: it has none." % thing)
        return _Fields(thing, _netlink.read_attributes(self.attributes[kind]))

    def address(self, kind: int, family: int) -> str:
        """An address, which stands at the beginning of the kernel's 16 bytes for either family."""
        data = self.bytes(kind, 16)
        return str(ipaddress.IPv4Address(data[:4]) if family == socket.AF_INET else ipaddress.IPv6Address(data))

    def family(self, kind: int, default: Optional[int] = None) -> int:
        number = self.number(kind, "=H", default)
        if number not in _FAMILIES:
            raise IpvsError(
                "The kernel's answer about %s has the address family %d, unknown here." % (self.thing, number)
            )
        return number


def _stats(fields: _Fields, narrow: int, wide: int) -> dict[str, int]:
    """The counters: those of 64 bits where the kernel has them (4.1), since the others begin anew after 2**32."""
    kind = wide if fields.has(wide) else narrow
    stats = fields.nested(kind, "the counters of " + fields.thing)
    return {
        name: stats.number(number, "=Q" if kind == wide or name in ("in_bytes", "out_bytes") else "=I")
        for number, name in enumerate(_STATS, start=1)
    }


def read_service(answer: dict[int, bytes]) -> dict[str, Any]:
    """A virtual service of the answer to GET_SERVICE, without its real servers."""
    fields = _Fields("an answer", answer).nested(_SERVICE, "a virtual service")
    family = fields.family(_S_FAMILY)
    marked = fields.has(_S_FWMARK)
    scheduler = fields.text(_S_SCHEDULER)
    flags = fields.number(_S_FLAGS, "=I4x")  # then the mask, which the kernel answers with all ones
    persistent = bool(flags & _PERSISTENT)
    protocol = 0 if marked else fields.number(_S_PROTOCOL, "=H")
    return {
        "family": _FAMILIES[family],
        "protocol": None if marked else _PROTOCOLS.get(protocol, str(protocol)),
        "address": None if marked else fields.address(_S_ADDRESS, family),
        "port": None if marked else fields.number(_S_PORT, "!H"),
        "fwmark": fields.number(_S_FWMARK, "=I") if marked else None,
        "scheduler": None if scheduler == "none" else scheduler,
        "scheduler_flags": [
            "%s-%s" % (scheduler, _HASH_FLAGS[name]) if scheduler in ("sh", "mh") and name in _HASH_FLAGS else name
            for bit, name in _SCHEDULER_FLAGS.items()
            if flags & bit
        ],
        "one_packet": bool(flags & _ONE_PACKET),
        "persistence_timeout": fields.number(_S_TIMEOUT, "=I") if persistent else None,
        "persistence_engine": fields.text(_S_ENGINE) or None,
        "netmask": _netmask(fields, family),
        "stats": _stats(fields, _S_STATS, _S_STATS64),
    }


def _netmask(fields: _Fields, family: int) -> str:
    """As ipvsadm takes it: an IPv4 mask, or an IPv6 prefix length, which is a number of the host's byte order."""
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(fields.bytes(_S_NETMASK, 4)))
    return "%d" % fields.number(_S_NETMASK, "=I")


def service_key(answer: dict[int, bytes]) -> bytes:
    """The attribute that names the service of an answer in the question for its real servers."""
    attributes = _Fields("an answer", answer).nested(_SERVICE, "a virtual service").attributes
    kinds = (_S_FAMILY, _S_FWMARK) if _S_FWMARK in attributes else (_S_FAMILY, _S_PROTOCOL, _S_ADDRESS, _S_PORT)
    inner = b"".join(_netlink.attribute(kind, attributes[kind]) for kind in kinds)
    return _netlink.attribute(_SERVICE, inner, nested=True)


def read_real_server(answer: dict[int, bytes], family_of_service: str) -> dict[str, Any]:
    """A real server of the answer to GET_DEST. It has a family of its own only through a tunnel (since 3.18)."""
    fields = _Fields("an answer", answer).nested(_DEST, "a real server")
    default = next(number for number, name in _FAMILIES.items() if name == family_of_service)
    family = fields.family(_D_FAMILY, default)
    forwarding = fields.number(_D_FORWARDING, "=I") & 0x7
    tunnel = forwarding == 2 and fields.has(_D_TUNNEL_TYPE)
    kind = fields.number(_D_TUNNEL_TYPE, "=B") if tunnel else 0
    return {
        "address": fields.address(_D_ADDRESS, family),
        "port": fields.number(_D_PORT, "!H"),
        "forwarding": _FORWARDING.get(forwarding, "%d" % forwarding),
        "tunnel_type": _TUNNELS.get(kind, "%d" % kind) if tunnel else None,
        "tunnel_port": fields.number(_D_TUNNEL_PORT, "!H") if tunnel and kind == 1 else None,
        "weight": fields.number(_D_WEIGHT, "=i"),
        "upper_threshold": fields.number(_D_UPPER, "=I"),
        "lower_threshold": fields.number(_D_LOWER, "=I"),
        "active_connections": fields.number(_D_ACTIVE, "=I"),
        "inactive_connections": fields.number(_D_INACTIVE, "=I"),
        "persistent_connections": fields.number(_D_PERSISTENT, "=I"),
        "stats": _stats(fields, _D_STATS, _D_STATS64),
    }


def read_daemon(answer: dict[int, bytes]) -> dict[str, Any]:
    """A sync daemon of the answer to GET_DAEMON. Kernels before 4.3 tell the first three alone."""
    fields = _Fields("an answer", answer).nested(_DAEMON, "a sync daemon")
    state = fields.number(_N_STATE, "=I")
    group = None
    if fields.has(_N_GROUP):
        group = str(ipaddress.IPv4Address(fields.bytes(_N_GROUP, 4)))
    elif fields.has(_N_GROUP6):
        group = str(ipaddress.IPv6Address(fields.bytes(_N_GROUP6, 16)))
    return {
        "state": _STATES.get(state, "%d" % state),
        "interface": fields.text(_N_INTERFACE),
        "sync_id": fields.number(_N_SYNC_ID, "=I"),
        "sync_maxlen": fields.number(_N_MAXLEN, "=H") if fields.has(_N_MAXLEN) else None,
        "group": group,
        "port": fields.number(_N_PORT, "=H") if fields.has(_N_PORT) else None,
        "ttl": fields.number(_N_TTL, "=B") if fields.has(_N_TTL) else None,
    }


def read_table(link: _netlink.Link, family: int) -> dict[str, Any]:
    """All that the kernel tells of IPVS, through a socket that is open.

    A service that goes between two questions has no real servers.

    :raises IpvsError: when an answer has not the kernel's form.
    :raises _netlink.NetlinkError: when the kernel refuses, or an answer is no netlink.
    """
    sequence = 1

    def ask(command: int, attributes: bytes = b"", dump: bool = True) -> list[dict[int, bytes]]:
        nonlocal sequence
        sequence += 1
        return _netlink.ask(link, _netlink.request(family, command, sequence, attributes, dump))

    def one(command: int, thing: str) -> _Fields:
        answers = ask(command, dump=False)
        return _Fields(thing, answers[0] if answers else {})

    info, config = one(_GET_INFO, "IPVS itself"), one(_GET_CONFIG, "the time-outs")
    version = info.number(_VERSION, "=I")
    services = []
    for answer in ask(_GET_SERVICE):
        service = read_service(answer)
        servers = ask(_GET_DEST, service_key(answer))
        services.append({**service, "real_servers": [read_real_server(one, service["family"]) for one in servers]})
    return {
        "version": "%d.%d.%d" % (version >> 16 & 0xFF, version >> 8 & 0xFF, version & 0xFF),
        "connection_table_size": info.number(_TABLE_SIZE, "=I"),
        "timeouts": {
            "tcp": config.number(_TIMEOUT_TCP, "=I", 0),
            "tcp_fin": config.number(_TIMEOUT_TCP_FIN, "=I", 0),
            "udp": config.number(_TIMEOUT_UDP, "=I", 0),
        },
        "services": services,
        "sync_daemons": [read_daemon(answer) for answer in ask(_GET_DAEMON)],
    }


def read(
    exists: Callable[[str], bool],
    opened: Callable[[], AbstractContextManager[_netlink.Link]],
    release: str,
) -> dict[str, Any]:
    """All that the module ipvs_info returns.

    :param exists: whether a path is there.
    :param opened: makes a socket of generic netlink.
    :param release: of the kernel, for the message where it has no IPVS.
    :raises IpvsError: with what could not be learned, and what to do.
    """
    nothing: dict[str, Any] = {
        "version": None,
        "connection_table_size": None,
        "timeouts": {"tcp": None, "tcp_fin": None, "udp": None},
        "services": [],
        "sync_daemons": [],
    }
    missing = {"available": False, "message": MISSING % release, **nothing}
    if not exists(PROC_FILE):
        return missing
    try:
        with opened() as link:
            family = _netlink.find_family(link, "IPVS")
            if family is None:
                return missing
            return {"available": True, "message": "", **read_table(link, family)}
    except _netlink.NetlinkError as error:
        if error.number == 1:  # EPERM
            raise IpvsError("The kernel tells of IPVS only to root (CAP_NET_ADMIN). Use become.") from None
        raise IpvsError("The kernel's answer about IPVS cannot be read: %s." % error) from None
    except OSError as error:
        reason = error.strerror or str(error) or os.strerror(error.errno or 0)
        raise IpvsError("Cannot ask the kernel about IPVS by generic netlink: %s." % reason) from None
