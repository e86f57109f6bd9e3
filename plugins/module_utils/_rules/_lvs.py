# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about virtual servers and what is around them: VRRP, the network, real servers, the kernel, HAProxy (KL…, KX…).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Backend,
    Cluster,
    Director,
    Origin,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, networks
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, cluster_rule, host_rule
from ansible_collections.failover.vip.plugins.module_utils._rules._service import (
    Addresses,
    addresses_of,
    number,
    services,
    shown,
)

#: Values of arp_ignore with which an interface is silent about addresses of another one (ip-sysctl, arp_ignore).
_SILENT = ("1", "2")
_ANNOUNCE = "2"
#: What HAProxy calls every address, and the family it means.
_EVERY = {"*": 4, "": 4, "0.0.0.0": 4, "::": 6, "[::]": 6}  # noqa: S104
_SYNC_WORDS = ("id", "maxlen", "port", "ttl", "group")


def _vips(director: Director) -> list[str]:
    return [vip.address for instance in director.instances for vip in instance.vips + instance.excluded_vips]


@host_rule(
    "KL001",
    ERROR,
    "virtual server without its VIP",
    "Add the address to virtual_ipaddress of an instance of this host, or correct it.",
    "measured",
)
def vip_of_service(director: Director) -> Iterator[Fault]:
    """No VRRP instance of the host has the address of the virtual server, so no packet for it ever arrives.

    Mostly one of the two was mistyped or forgotten. It is fine where something else brings the address: an address
    that the host has all the time counts, as one of static_ipaddress, and without any VRRP instance it is a warning.
    """
    static = [vip.address for vip in director.static_vips]
    held = Addresses([*_vips(director), *static, *addresses_of(director.interfaces)])
    for service in services(director):
        for one in service.ranges:
            missing = held.missing(one)
            if not missing:
                continue
            what = one.first if one.first == one.last else "%d addresses of %s" % (missing, shown(one))
            severity = "" if director.instances else WARNING
            yield service.fault("no VRRP instance of this host has %s" % what, severity=severity)


@host_rule(
    "KL005",
    ERROR,
    "direct routing to another network",
    "Put the real server into a network of the director, or use lb_kind TUN or NAT.",
    "measured",
)
def not_on_the_link(director: Director) -> Iterator[Fault]:
    """Direct routing changes the MAC address of the packet alone, so director and real server must share a link.

    Behind a router the packet comes back or is lost, while the health checks, which are routed, succeed.
    """
    if director.interfaces is None:
        return
    links = [network for name in director.interfaces for network in networks(director, name)]
    ranges = [(net.version, int(net.network_address), int(net.broadcast_address)) for net in links]
    own = addresses_of(director.interfaces)
    for service in services(director):
        for server in service.servers:
            version, value = number(server.address)
            if service.server.method_of(server) != "DR" or server.address in own:
                continue
            if not any(version == of and low <= value <= high for of, low, high in ranges):
                yield service.fault("%s lies in no network of this director" % server.address, block=server)


def _effective(backend: Backend, interface: str, key: str) -> Optional[str]:
    """An ARP setting as it counts on an interface: the larger of ``all`` and its own; None if it is not known."""
    names = ("net.ipv4.conf.%s.%s" % (name, key) for name in ("all", interface))
    known = [backend.machine.sysctls[name] for name in names if name in backend.machine.sysctls]
    if not known or (len(known) < 2 and known[0] in ("", "0")):
        return None
    return max(known)


def _loud(backend: Backend, interface: str) -> Iterator[str]:
    """Why a real server answers ARP for an address on its ``lo``."""
    ignore, announce = (_effective(backend, interface, key) for key in ("arp_ignore", "arp_announce"))
    if ignore is not None and ignore not in _SILENT:
        yield "arp_ignore is %s on %s, so it answers ARP for the VIP and takes it from the directors" % (
            ignore,
            interface,
        )
    if announce is not None and announce != _ANNOUNCE:
        yield "arp_announce is %s on %s, so its own ARP requests carry the VIP" % (announce, interface)


class _Loopback:
    """The addresses of a real server, those on ``lo`` apart."""

    def __init__(self, backend: Backend) -> None:
        known = backend.interfaces or {}
        quiet = [known[name] for name in known if name == "lo" or name.startswith("dummy")]
        self._own = {str(address.ip): address for interface in quiet for address in interface.addresses}
        self._set = Addresses(self._own)
        self._everywhere = addresses_of(backend.interfaces)

    def fault(self, one: AddressRange) -> str:
        """Why the host does not take packets for addresses, or takes them in the wrong way; empty: it does well."""
        if self._set.missing(one):
            where = self._everywhere.get(one.first)
            if where and one.first not in self._own:
                return "has the VIP %s on %s instead of lo, where it answers ARP for it" % (one.first, where)
            return "does not have the VIP %s on lo, so it drops what the director sends it" % shown(one)
        address = self._own[one.first]
        if address.network.prefixlen < address.max_prefixlen:
            return "has the VIP on lo as %s, so it takes that whole network for its own" % address
        return ""


@cluster_rule(
    "KL006",
    ERROR,
    "real server that is not set up for direct routing",
    "Use the role real_server on it: the VIP on lo as /32, arp_ignore = 1 and arp_announce = 2.",
    "linux/Documentation/networking/ip-sysctl.rst",
)
def backend_of_direct_routing(cluster: Cluster) -> Iterator[Fault]:
    """With direct routing the packet comes for the VIP: the real server must have that address, and be silent about it.

    Without it the packet is dropped. If the real server answers ARP for it, clients talk to that server past the
    directors, and nothing is balanced or failed over. IPv6 needs the address on lo alone: neighbour discovery answers
    for the receiving interface only.
    """
    owners = {
        address: (backend, name)
        for backend in cluster.backends.values()
        for address, name in addresses_of(backend.interfaces).items()
        if name != "lo"
    }
    loopbacks = {backend.host: _Loopback(backend) for backend in cluster.backends.values()}
    said: set[tuple[str, str]] = set()
    for director in cluster.directors.values() if owners else ():
        for service in services(director):
            for server in service.server.real_servers:
                if service.server.method_of(server) != "DR" or server.address not in owners:
                    continue
                backend, interface = owners[server.address]
                why = [loopbacks[backend.host].fault(one) for one in service.ranges]
                if any(number(one.first)[0] == 4 for one in service.ranges):
                    why += _loud(backend, interface)
                for words in why:
                    if words and (backend.host, words) not in said:
                        said.add((backend.host, words))
                        yield Fault(words, backend.host, service.server.name, server.origin)


@cluster_rule(
    "KL007",
    WARNING,
    "director that balances to a director",
    "Use hosts of their own for the real servers, or mark the packets that come from outside (fwmark).",
    "https://github.com/acassen/keepalived/issues/2450",
)
def director_as_real_server(cluster: Cluster) -> Iterator[Fault]:
    """A director that is a real server too has the same virtual server, and balances again what it is sent as a backup.

    Half of that goes back to the master, and packets circle until their time to live is over. It is fine with firewall
    marks that only packets from outside get.
    """
    own: dict[str, str] = {}
    for director in cluster.directors.values():
        vips = set(_vips(director))
        sources = [instance.unicast_src_ip for instance in director.instances]
        mine = [*addresses_of(director.interfaces), *sources]
        own.update((one, director.host) for one in mine if one not in vips and not one.startswith("127."))
    for director in cluster.directors.values():
        for service in services(director):
            for server in service.server.real_servers:
                host = own.get(server.address)
                if (
                    host
                    and service.ranges
                    and service.server.method_of(server) == "DR"
                    and server.address[:4] != "127."
                ):
                    message = "real_server %s is the director %s" % (server.name, host)
                    yield service.fault(message, block=server)


@host_rule(
    "KL010",
    ERROR,
    "NAT without forwarding",
    "Set net.ipv4.ip_forward = 1 (net.ipv6.conf.all.forwarding = 1) on every director.",
    "measured",
)
def nat_without_forwarding(director: Director) -> Iterator[Fault]:
    """With NAT the answers of the real servers pass the director, and a kernel that does not forward drops them.

    The same id tells, as information, of a persistence_timeout without a value: that is six minutes.
    """
    said: set[str] = set()
    keys = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
    for service in services(director):
        for server in service.server.real_servers:
            key = keys[number(server.address)[0]]
            wanted = service.server.method_of(server) == "NAT" and key not in said
            if wanted and director.machine.sysctls.get(key) == "0":
                said.add(key)
                yield service.fault("lb_kind NAT, and %s is 0 on this host" % key, "lb_kind")


@host_rule(
    "KL011",
    WARNING,
    "connections to a dead real server live on",
    "Set net.ipv4.vs.expire_nodest_conn = 1 and, with persistence, net.ipv4.vs.expire_quiescent_template = 1.",
    "linux/Documentation/networking/ipvs-sysctl.rst",
)
def dead_connections(director: Director) -> Iterator[Fault]:
    """When a check takes a real server out, the kernel keeps its connections and drops their packets without a word.

    Clients wait for their own time-outs instead of connecting anew. With persistence, clients of a server of weight 0
    are sent to it for as long as the template lives. It is fine where servers are only ever drained by hand.
    """
    sysctls, servers = director.machine.sysctls, list(services(director))
    if servers and sysctls.get("net.ipv4.vs.expire_nodest_conn") == "0":
        yield servers[0].fault("net.ipv4.vs.expire_nodest_conn is 0 on this host")
    persistent = [service for service in servers if "persistence_timeout" in service.server.options]
    if persistent and sysctls.get("net.ipv4.vs.expire_quiescent_template") == "0":
        yield persistent[0].fault(
            "persistence, and net.ipv4.vs.expire_quiescent_template is 0 on this host", "persistence_timeout"
        )


def _sync_instance(words: list[str]) -> str:
    """The instance that ``lvs_sync_daemon`` names: ``INTERFACE [[inst] INSTANCE] [KEYWORD VALUE]…``."""
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if word == "inst":
            return rest[0] if rest else ""
        if word not in _SYNC_WORDS:
            return word
        del rest[:1]
    return ""


@host_rule(
    "KL012",
    ERROR,
    "sync daemon of an instance that is not there",
    "Name an instance of this host.",
    MAN + ", lvs_sync_daemon",
)
def sync_daemon(director: Director) -> Iterator[Fault]:
    """The sync daemon follows the state of a VRRP instance; of one that does not exist it never learns a state.

    Connections are then not synchronised, and break when the VIP moves. keepalived's test is silent.
    """
    written = director.global_defs.options.get("lvs_sync_daemon") or []
    name = _sync_instance([str(word) for word in written])
    if name and name not in [instance.name for instance in director.instances]:
        yield Fault(
            "lvs_sync_daemon names the instance %s, which is not there" % name,
            director.host,
            origin=director.global_defs.place("lvs_sync_daemon"),
        )


@host_rule(
    "KL015",
    ERROR,
    "kernel without IPVS",
    "Load ip_vs (modprobe ip_vs), use a kernel that has it, or balance with HAProxy.",
    "measured",
)
def no_ip_vs(director: Director) -> Iterator[Fault]:
    """keepalived asks the kernel to balance, and without the module ip_vs it ends at start, VRRP and all.

    Its test of the files passes. In a container the module must be loaded on the host, and seen from inside.
    """
    if director.machine.ip_vs is False and director.virtual_servers:
        place = director.virtual_servers[0].origin
        message = "%d virtual servers, and the kernel has no ip_vs" % len(director.virtual_servers)
        yield Fault(message, director.host, origin=place)


@host_rule(
    "KX003",
    ERROR,
    "HAProxy and a virtual server on one address and port",
    "Give one of them another address or port.",
    "linux/net/netfilter/ipvs/ip_vs_core.c",
)
def haproxy_behind_ipvs(director: Director) -> Iterator[Fault]:
    """The kernel's IPVS takes packets before any program of the host does, so HAProxy gets nothing at that VIP.

    What HAProxy adds there (rules, TLS, logs) is missing, and its statistics stay at 0. A bind to all addresses is a
    warning: HAProxy works at the others.
    """
    binds: dict[int, list[tuple[str, Origin]]] = {}
    for address, port, place in director.machine.haproxy_binds or []:
        binds.setdefault(port, []).append((address.strip("[]") if address not in _EVERY else address, place))
    for service in services(director) if binds else ():
        if service.server.protocol != "TCP":
            continue
        for one in service.ranges:
            for port in [one.port] if one.port else sorted(binds):
                for address, place in binds.get(port, []):
                    if not _binds(address, one):
                        continue
                    where = " (%s)" % (place.path + (":%d" % place.line if place.line else "")) if place.path else ""
                    message = "HAProxy binds %s:%d too%s, and IPVS takes what comes for %s"
                    severity = WARNING if address in _EVERY else ""
                    yield service.fault(message % (address or "*", port, where, shown(one)), severity=severity)


def _binds(address: str, one: AddressRange) -> bool:
    """Whether what HAProxy binds has an address of a range; a name has none."""
    (family, first), (_family, last) = number(one.first), number(one.last)
    if address in _EVERY:
        return _EVERY[address] == family
    try:
        version, value = number(address)
    except ValueError:
        return False
    return version == family and first <= value <= last
