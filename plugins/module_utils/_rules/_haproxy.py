# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about HAProxy on a director.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Command, Director, Origin
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import host_rule

#: Programs that ask another host, by which a line of a script is known to test an address rather than to mention it.
_ASKING = re.compile(r"\b(?:curl|wget|nc|ncat|netcat|telnet|ping|ping6|nmap|http|openssl)\b|/dev/tcp/")


def _same(one: str, other: str) -> bool:
    """Whether two addresses are the same however they are written."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one == other


@host_rule(
    "KX001",
    ERROR,
    "HAProxy binds a VIP that may be elsewhere",
    "Set net.ipv4.ip_nonlocal_bind = 1 (and net.ipv6.ip_nonlocal_bind = 1) on every director.",
    "ip(7), ip_nonlocal_bind",
)
def bind_without_nonlocal(director: Director) -> Iterator[Fault]:
    """The kernel lets a program bind only addresses that the host has, and the backup director has no VIP.

    HAProxy then refuses to start there, and is missing when the VIP arrives. It goes unseen as long as HAProxy was
    started while the host was master. IPv4 and IPv6 have a setting each.
    """
    machine = director.machine
    free = {Origin(str(place[0]), int(place[1])) for place in machine.facts.get("haproxy_freebind") or []}
    vips = [vip for instance in director.instances for vip in instance.vips + instance.excluded_vips]
    for address, port, place in machine.haproxy_binds or []:
        for vip in vips:
            key = "net.ipv%d.ip_nonlocal_bind" % vip.ip.version
            if _same(address, vip.address) and machine.sysctls.get(key) == "0" and place not in free:
                yield Fault(
                    "HAProxy binds the VIP %s, port %d, and %s is 0: it cannot start where the VIP is not"
                    % (vip.address, port, key),
                    director.host,
                    origin=place,
                    hint="Set %s = 1 on every director." % key,
                )
                break


@host_rule(
    "KX002",
    ERROR,
    "check that asks the VIP or the real servers",
    "Ask the HAProxy of the same host, on an address of its own, as 127.0.0.1.",
    "measured",
)
def check_asks_the_vip(director: Director) -> Iterator[Fault]:
    """A check decides whether this director may hold the VIP, so it must ask what runs on this director.

    Asked through the VIP, the answer comes from whoever is master: every director sees the same and none or all of
    them fail. Asked of the real servers, all directors fail together, and moving the VIP mends nothing.
    """
    vips = [vip.address for instance in director.instances for vip in instance.vips + instance.excluded_vips]
    own = {str(address.ip) for item in (director.interfaces or {}).values() for address in item.addresses} - set(vips)
    servers = [str(server) for server in director.machine.facts.get("haproxy_servers") or []]
    servers += [real.address for virtual in director.virtual_servers for real in virtual.real_servers if real.address]
    targets = [(address, "a VIP") for address in vips]
    targets += [
        (address, "a real server") for address in servers if address not in own and not address.startswith("127.")
    ]
    tracked = {
        track.name
        for block in [*director.instances, *director.sync_groups]
        for track in block.options.get("track_script", [])
    }
    for command in director.commands():
        if command.keyword != "script" or command.block.name not in tracked:
            continue
        told = _told(director, command)
        for address, what in targets:
            if address in told and re.search(r"(?<![0-9a-fA-F.:])%s(?![0-9a-fA-F.])" % re.escape(address), told):
                yield Fault(
                    "vrrp_script %s asks %s, which is %s and tells nothing about this director"
                    % (command.block.name, address, what),
                    director.host,
                    origin=command.block.place("script"),
                )
                break


def _told(director: Director, command: Command) -> str:
    """The words of a command line, and the lines with which a script among them asks somebody."""
    facts = [director.machine.paths[word] for word in command.words if word in director.machine.paths]
    lines = [line for its in facts for line in its.head.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join([*command.words, *(line for line in lines if _ASKING.search(line))])


@host_rule(
    "KX004",
    WARNING,
    "HAProxy's controls open to all",
    "Use a socket file of mode 660, bind pages to 127.0.0.1, and give pages that others see a password (stats auth).",
    "HAProxy configuration manual, stats socket",
)
def controls_open(director: Director) -> Iterator[Fault]:
    """Whoever reaches the stats socket with level admin can take every server out of service or read the traffic.

    That is meant for root and the tools of this host. A socket on a network address has no password at all, and a
    statistics page without one shows all names, addresses and loads.
    """
    for item in director.machine.facts.get("haproxy_stats") or []:
        where = str(item.get("address", ""))
        place = Origin(str(item["place"][0]), int(item["place"][1]))
        local = _local(where)
        message = ""
        if item.get("kind") == "socket":
            if local is False:
                message = "the stats socket listens on %s with level %s" % (where, item.get("level"))
            elif local is None and int(str(item.get("mode") or "0"), 8) & 0o002:
                message = "everybody may write to the stats socket %s (mode %s, level %s)" % (
                    where,
                    item.get("mode"),
                    item.get("level"),
                )
        elif local is False and not item.get("auth"):
            message = "the statistics page on %s has no password%s" % (
                where,
                " and lets visitors switch servers" if item.get("admin") else "",
            )
        if message:
            yield Fault("HAProxy: " + message, director.host, origin=place)


@host_rule(
    "KX005",
    WARNING,
    "duration of HAProxy without a unit",
    "Write the unit, as 3s.",
    "HAProxy configuration manual, section 2.5",
)
def duration_without_unit(director: Director) -> Iterator[Fault]:
    """HAProxy reads a number without a unit as milliseconds.

    So ``inter 3`` asks every server more than 300 times a second, where once in three seconds was meant. Numbers from
    100 on are taken for milliseconds that are meant.
    """
    for words, path, line in director.machine.facts.get("haproxy_durations") or []:
        number = int(words.split()[-1])
        if 0 < number < 100:
            yield Fault(
                "HAProxy reads '%s' as %d milliseconds" % (words, number),
                director.host,
                origin=Origin(str(path), int(line)),
                hint="Write %ds, or %dms if that is meant." % (number, number),
            )


def _local(where: str) -> Optional[bool]:
    """Whether an address with its port is of this host alone; None: it is a file."""
    if where.startswith(("/", "unix@", "abns@", "fd@")):
        return None
    host = re.sub(r"^ipv[46]@", "", where).rsplit(":", 1)[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
