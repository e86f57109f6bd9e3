# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The plan's LVS half: which director gets which virtual servers, and what its kernel needs for them.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Director,
    Topology,
    Vip,
    VirtualServer,
    VirtualServerGroup,
    VrrpInstance,
)

#: Schedulers that send a client to the same real server on every director.
_BY_CLIENT = ("sh", "mh")


def _ranges(service: VirtualServer, groups: Mapping[str, VirtualServerGroup]) -> list[AddressRange]:
    """The addresses that a virtual server serves."""
    if service.address:
        return [AddressRange(service.address, service.address, service.port)]
    return groups[service.group].addresses if service.group in groups else []


def _serves(ranges: Iterable[AddressRange], vip: Vip) -> bool:
    for one in ranges:
        first, last = ipaddress.ip_address(one.first), ipaddress.ip_address(one.last)
        if first.version == vip.ip.version and int(first) <= int(vip.ip) <= int(last):
            return True
    return False


def _vips(options: Mapping[str, Any]) -> list[Vip]:
    return [*options.get("virtual_ipaddress", []), *options.get("virtual_ipaddress_excluded", [])]


class Placement:
    """Where virtual servers go: to the hosts of the instances that hold their VIPs, and to all if none does."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        #: The first of two groups with one name counts, as for keepalived.
        self.groups = {group.name: group for group in reversed(topology.virtual_server_groups)}
        self.hosts = [self._hosts(service) for service in topology.virtual_servers]

    def _hosts(self, service: VirtualServer) -> set[str]:
        everybody = set(self.topology.hosts)
        ranges = _ranges(service, self.groups)
        found: set[str] = set()
        for instance in self.topology.instances:
            if any(_serves(ranges, vip) for vip in _vips(instance.options)):
                found |= set(instance.hosts) or everybody
        return found or everybody

    def services(self, host: str) -> list[VirtualServer]:
        """The virtual servers of one host."""
        return [service for service, hosts in zip(self.topology.virtual_servers, self.hosts) if host in hosts]

    def service_groups(self, host: str) -> list[VirtualServerGroup]:
        """The groups of one host: those that its virtual servers name, and those that none in the cluster names."""
        named = {service.group for service in self.topology.virtual_servers}
        own = {service.group for service in self.services(host)}
        return [group for group in self.topology.virtual_server_groups if group.name in own or group.name not in named]

    def sync_daemon(self, host: str, instances: list[VrrpInstance]) -> dict[str, Any]:
        """``lvs_sync_daemon``, by which connections survive their director; empty if there is nobody to tell.

        It runs over the interface of the first instance with a virtual server. Its id keeps clusters of one network
        apart, so it is the lowest virtual_router_id. Without an instance keepalived lets each director send and receive
        at the same time, so that it does not matter which of them holds which VIP.
        """
        wanted, services = self.topology.sync_daemon, self.services(host)
        if not wanted.enabled or not services or len(self.topology.hosts) < 2:
            return {}
        ranges = [one for service in services for one in _ranges(service, self.groups)]
        serving = [one for one in instances if any(_serves(ranges, vip) for vip in one.vips + one.excluded_vips)]
        interface = wanted.interface or next((one.interface for one in serving or instances if one.interface), "")
        if not interface:
            return {}
        vrids = [int(one.options.get("virtual_router_id", 0)) for one in self.topology.instances]
        number = min(vrids, default=0) if wanted.id is None else wanted.id
        follows = ["inst", wanted.instance] if wanted.instance else []
        return {"lvs_sync_daemon": [interface, *follows, "id", str(number)]}


def lvs_sysctls(director: Director) -> dict[str, str]:
    """What the kernel of a director needs for its virtual servers; empty if it has none.

    Sources: linux/Documentation/networking/ipvs-sysctl.rst, and measurements.
    """
    services = director.virtual_servers
    if not services:
        return {}
    found = {
        # Connections to a real server that was removed end at once, and a client that comes back from the same port
        # is not sent to one that is being drained.
        "net.ipv4.vs.expire_nodest_conn": "1",
        # Neither is a client with persistence.
        "net.ipv4.vs.expire_quiescent_template": "1",
    }
    if all(service.lb_algo in _BY_CLIENT for service in services):
        # After a failover a packet in the middle of an unknown connection makes it known, with the real server of
        # before. Other schedulers would take another one.
        found["net.ipv4.vs.sloppy_tcp"] = "1"
    for service in services:
        for server in service.real_servers:
            if service.method_of(server) == "NAT":
                six = ":" in server.address
                found["net.ipv6.conf.all.forwarding" if six else "net.ipv4.ip_forward"] = "1"
    return found
