# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about virtual servers that their own configuration breaks (KL…): what keepalived changes, drops or refuses.

Most follow ``validate_check_config`` and the parsers in keepalived's ``check_data.c`` and ``check_parser.c``.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Director, Origin, RealServer
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule
from ansible_collections.failover.vip.plugins.module_utils._rules._service import number, services

_SOURCE = "keepalived/check/check_data.c"


@host_rule(
    "KL002",
    ERROR,
    "one service twice",
    "Join them into one virtual_server, or give one of them its own port or protocol.",
    "measured",
)
def duplicate_service(director: Director) -> Iterator[Fault]:
    """The kernel has one service for a protocol, an address and a port, or for a firewall mark; keepalived has two.

    Both then add and remove real servers of the same service, and what one takes out on a failed check the other does
    not know of. keepalived's own test is silent. The same address and port once for TCP and once for UDP is fine.
    """
    seen: dict[object, tuple[str, Origin]] = {}
    for service in services(director):
        protocol = service.server.protocol or "UDP"
        keys = [("%s of %s, port %d" % (protocol, one.first, one.port), (protocol, *one)) for one in service.ranges]
        marked = [("firewall mark %d %s" % mark, tuple(mark)) for mark in service.marks]
        for words, key in [*keys, *marked]:
            if key in seen:
                name, place = seen[key]
                where = " (%s:%d)" % place if place.line else ""
                yield service.fault("%s is already in virtual_server %s%s" % (words.rstrip(), name, where))
            seen.setdefault(key, (service.server.name, service.server.origin))


@host_rule(
    "KL003",
    WARNING,
    "real server without a check",
    "Add a check to it, TCP_CHECK at the least.",
    "measured",
)
def server_without_check(director: Director) -> Iterator[Fault]:
    """Without a check keepalived takes the real server for healthy for ever, and a dead one gets its share of requests.

    It is fine where something else changes the weights, or for a server that must never leave the pool.
    """
    for service in services(director):
        for server in service.server.real_servers:
            if not server.checks:
                yield service.fault("real_server %s has no check" % server.name, block=server)


@host_rule(
    "KL004",
    ERROR,
    "port that direct routing and tunnels cannot change",
    "Give the real server the port of the virtual server, or none; only NAT translates ports.",
    _SOURCE,
)
def port_differs(director: Director) -> Iterator[Fault]:
    """With DR and TUN the packet reaches the real server as the client sent it, to the port of the virtual server.

    keepalived resets the other port and goes on, so the service that was meant is never asked. For the same reason the
    real servers of a firewall mark have no port.
    """
    for service in services(director):
        ports = {one.port for one in service.ranges}
        for server in service.servers:
            method = service.server.method_of(server)
            if method == "NAT" or not server.port:
                continue
            kind = "sorry_server" if server is service.server.sorry_server else "real_server"
            if service.marks:
                message = "%s %s of a firewall mark has the port %d, which %s cannot reach"
                yield service.fault(message % (kind, server.name, server.port, method), block=server)
            elif ports - {server.port}:
                other = min(ports - {server.port})
                message = "%s %s has the port %d and the virtual server %s, which %s does not translate"
                yield service.fault(message % (kind, server.name, server.port, other or "none", method), block=server)


@host_rule(
    "KL013",
    ERROR,
    "quorum that cannot be met, or that changes nothing",
    "Set a quorum that the real servers can reach and lose, and say with sorry_server or quorum_down what follows.",
    _SOURCE,
)
def quorum(director: Director) -> Iterator[Fault]:
    """A quorum above the sum of the weights is cut down by keepalived to that sum: one lost server then loses it.

    A hysteresis must be below the quorum. A quorum without sorry_server and quorum_down is counted and logged, and
    nothing follows from it.
    """
    for service in services(director):
        server = service.server
        total = sum(server.weight_of(one) for one in server.real_servers)
        wanted = int(server.options.get("quorum", 1))
        if server.real_servers and wanted > total:
            message = "quorum %d is more than the weights of all real servers, %d"
            yield service.fault(message % (wanted, total), "quorum")
        elif int(server.options.get("hysteresis", 0)) >= wanted:
            message = "hysteresis %d is not below the quorum %d"
            yield service.fault(message % (server.options["hysteresis"], wanted), "hysteresis")
        elif wanted > 1 and not server.sorry_server and "quorum_down" not in server.options:
            message = "quorum %d, and neither sorry_server nor quorum_down: losing it changes nothing"
            yield service.fault(message % wanted, "quorum", severity=WARNING)


@host_rule(
    "KL014",
    ERROR,
    "forwarding method missing or misspelt",
    "Write lb_kind with NAT, DR or TUN, in capitals.",
    _SOURCE,
)
def no_method(director: Director) -> Iterator[Fault]:
    """Without lb_kind keepalived takes NAT, and one that it cannot read it drops: ``dr`` or ``lb-kind`` are none.

    Real servers that are set up for direct routing then answer the client by themselves, with an address it never
    asked, and every connection hangs.
    """
    for service in services(director):
        server = service.server
        if server.lb_kind:
            continue
        keyword = {True: "sorry_server_lvs_method", False: "lvs_method"}
        for one in service.servers:
            options = server.options if one is server.sorry_server else one.options
            if keyword[one is server.sorry_server] not in options:
                yield service.fault("no lb_kind: keepalived takes NAT")
                break


@host_rule(
    "KL016",
    ERROR,
    "protocol missing, or for a firewall mark",
    "Write protocol TCP (or UDP, SCTP) where there is an address, and none where there are firewall marks alone.",
    _SOURCE,
)
def protocol(director: Director) -> Iterator[Fault]:
    """keepalived takes UDP where no protocol is written, and a web server behind it is never reached.

    A firewall mark has the protocol of the packets that were marked, and keepalived drops what is written.
    """
    for service in services(director):
        written = service.server.protocol
        if service.ranges and not written:
            yield service.fault("no protocol: keepalived takes UDP")
        elif written and service.marks and not service.ranges:
            yield service.fault("protocol %s has no effect for a firewall mark" % written, "protocol")


@host_rule(
    "KL017",
    ERROR,
    "scheduler missing or misspelt",
    "Write lb_algo, as lb_algo rr; wlc is what keepalived takes.",
    _SOURCE,
)
def no_scheduler(director: Director) -> Iterator[Fault]:
    """Without lb_algo keepalived takes wlc, weighted least connections, and its test fails.

    wlc is a good choice; write it, so that nobody has to know.
    """
    for service in services(director):
        if not service.server.lb_algo:
            yield service.fault("no lb_algo: keepalived takes wlc")


@host_rule(
    "KL018",
    ERROR,
    "virtual server or group with nothing in it",
    "Add what is missing, or remove it.",
    _SOURCE,
)
def nothing_in_it(director: Director) -> Iterator[Fault]:
    """keepalived drops a virtual_server without a real_server, and a virtual_server_group without a line.

    The VIP is up, and nobody answers at the port.
    """
    for service in services(director):
        if not service.server.real_servers:
            yield service.fault("has no real_server that keepalived takes: it drops the virtual_server")
    for group in director.virtual_server_groups:
        if not group.addresses and not group.fwmarks:
            message = "virtual_server_group %s has no entry that keepalived takes: it drops the group" % group.name
            yield Fault(message, director.host, origin=group.origin)


@host_rule(
    "KL019",
    ERROR,
    "virtual server of a group that is not there, or is there twice",
    "Define one virtual_server_group of that name.",
    "keepalived/check/ipwrapper.c, link_vsg_to_vs",
)
def group_of_service(director: Director) -> Iterator[Fault]:
    """A virtual_server whose group does not exist is dropped with a line in the log, and the test passes.

    Of two groups with one name the first counts, and the addresses of the second are served by nobody.
    """
    for service in services(director):
        if service.server.group and service.group is None:
            yield service.fault("there is no virtual_server_group %s" % service.server.group)
    first: dict[str, Origin] = {}
    for group in director.virtual_server_groups:
        if group.name in first:
            message = "a second virtual_server_group %s, the first is in %s:%d"
            yield Fault(message % (group.name, *first[group.name]), director.host, origin=group.origin)
        first.setdefault(group.name, group.origin)


@host_rule(
    "KL020",
    ERROR,
    "service of all ports without persistence",
    "Write a port, or persistence_timeout with the seconds that you want.",
    MAN + ", LVS CONFIGURATION",
)
def no_port(director: Director) -> Iterator[Fault]:
    """A virtual server without a port takes every port of the address, and the kernel wants that to be persistent.

    keepalived turns persistence on, for six minutes a client: balancing is by client then, not by connection.
    """
    for service in services(director):
        if "persistence_timeout" in service.server.options or "persistence_granularity" in service.server.options:
            continue
        for one in service.ranges:
            if not one.port:
                message = "no port for %s, and no persistence_timeout: keepalived sets 360 seconds" % one.first
                yield service.fault(message)
                break


@host_rule(
    "KL021",
    ERROR,
    "real server twice in one virtual server",
    "Remove one; give the other the weight of both.",
    _SOURCE,
)
def duplicate_server(director: Director) -> Iterator[Fault]:
    """keepalived removes the second of two real servers with one address and port, with its checks and its weight.

    A port that is not written is that of the virtual server.
    """
    for service in services(director):
        seen: dict[tuple[str, int], RealServer] = {}
        default = service.server.port
        for server in service.server.real_servers:
            key = (server.address, server.port or default)
            if key in seen:
                message = "real_server %s stands twice, also in line %d"
                yield service.fault(message % (server.name, seen[key].origin.line), block=server)
            seen.setdefault(key, server)


@host_rule(
    "KL022",
    ERROR,
    "IPv4 and IPv6 in one service",
    "Use addresses of one family, or lb_kind TUN.",
    MAN + ", LVS CONFIGURATION",
)
def families(director: Director) -> Iterator[Fault]:
    """Only a tunnel carries packets of one family to a server of the other; keepalived skips such a real server.

    Of a group with the other family it drops the whole virtual server, with no more than a line in the log.
    """
    for service in services(director):
        server = service.server
        wanted = {number(one.first)[0] for one in service.ranges}
        wanted |= {6 if mark.family == "inet6" else 4 for mark in service.marks if mark.family}
        family = server.options.get("ip_family")
        if family and server.address and wanted != {6 if family == "inet6" else 4}:
            yield service.fault("ip_family %s is not the family of %s" % (family, server.address), "ip_family")
        if not wanted and family:
            wanted = {6 if family == "inet6" else 4}
        for one in service.servers:
            if server.method_of(one) == "TUN":
                continue
            own = number(one.address)[0]
            # A service of firewall marks has the family of its first server.
            wanted = wanted or {own}
            if wanted != {own}:
                yield service.fault("%s is not of the family of the virtual server" % one.address, block=one)


@host_rule(
    "KL023",
    ERROR,
    "keyword without effect",
    "Drop it, or add what it needs.",
    _SOURCE + ", check_parser.c",
)
def without_effect(director: Director) -> Iterator[Fault]:
    """Some keywords need another one beside them, or before them; keepalived drops them else and goes on.

    ops is for UDP and firewall marks, the sh and mh flags for these schedulers, ha_suspend for addresses, and what is
    said of the sorry server comes after the sorry_server.
    """
    for service in services(director):
        server, options = service.server, service.server.options
        algorithm = "lb_algo" if "lb_algo" in options else "lvs_sched"
        if options.get("ops") and service.ranges and server.protocol in ("TCP", "SCTP"):
            yield service.fault("ops (one-packet scheduling) is for UDP, not for %s" % server.protocol, "ops")
        if options.get("ha_suspend") and service.marks:
            yield service.fault("ha_suspend has no effect with firewall marks, which have no address", "ha_suspend")
        for flag, scheduler in (("sh-port", "sh"), ("sh-fallback", "sh"), ("mh-port", "mh"), ("mh-fallback", "mh")):
            if options.get(flag) and server.lb_algo != scheduler:
                message = "%s is for the scheduler %s, not for %s" % (flag, scheduler, server.lb_algo or "wlc")
                yield service.fault(message, flag)
            elif options.get(flag) and _before(server.place(flag), server.place(algorithm)):
                yield service.fault("%s stands above %s, and keepalived drops it" % (flag, algorithm), flag)
        if options.get("hashed"):
            message = "hashed has no effect: keepalived knows the word and sets nothing"
            yield service.fault(message, "hashed", severity=WARNING)
        for keyword in ("sorry_server_inhibit", "sorry_server_lvs_method"):
            if keyword in options and (
                not server.sorry_server or _before(server.place(keyword), server.sorry_server.origin)
            ):
                yield service.fault("%s stands without a sorry_server before it" % keyword, keyword)
        for one in server.real_servers:
            sorry = server.sorry_server
            if sorry and (one.address, one.port or server.port) == (sorry.address, sorry.port or server.port):
                inhibit = bool(one.options.get("inhibit_on_failure", options.get("inhibit_on_failure")))
                if inhibit != bool(options.get("sorry_server_inhibit")):
                    message = "real_server %s is the sorry_server too, and inhibits differently" % one.name
                    yield service.fault(message, block=one)


def _before(place: Origin, other: Origin) -> bool:
    """Whether a place comes before another, as far as one file tells."""
    return bool(place.line) and place.path == other.path and place.line < other.line


@host_rule(
    "KL026",
    ERROR,
    "persistence by one number in IPv4",
    "Write a netmask, as 255.255.255.0.",
    MAN + ", persistence_granularity",
)
def granularity(director: Director) -> Iterator[Fault]:
    """In IPv4 persistence_granularity is a netmask; keepalived reads the number 24 as the address 0.0.0.24.

    Clients are then told apart by two bits in the middle of the last byte, and most of them share one real server. In
    IPv6 it is a prefix length.
    """
    for service in services(director):
        written = str(service.server.options.get("persistence_granularity", ""))
        families_here = {number(one.first)[0] for one in service.ranges}
        if written.isdigit() and families_here == {4}:
            message = "persistence_granularity %s is read as the netmask 0.0.0.%s" % (written, written)
            yield service.fault(message, "persistence_granularity")
        elif "." in written and families_here == {6}:
            message = "persistence_granularity %s is no prefix length" % written
            yield service.fault(message, "persistence_granularity")


@host_rule(
    "KL027",
    ERROR,
    "thresholds that the kernel refuses",
    "Set uthreshold above lthreshold.",
    "linux/net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_add_dest",
)
def thresholds(director: Director) -> Iterator[Fault]:
    """The kernel refuses a real server whose lthreshold is above its uthreshold, and the server never gets a packet.

    keepalived's test knows nothing of it. An lthreshold alone is above the uthreshold, which is 0 then.
    """
    for service in services(director):
        for server in service.server.real_servers:
            low, high = (int(server.options.get(key, 0)) for key in ("lthreshold", "uthreshold"))
            if low > high:
                message = "real_server %s: lthreshold %d is above uthreshold %d" % (server.name, low, high)
                yield service.fault(message, "lthreshold", server)
