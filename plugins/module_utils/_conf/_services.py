# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Virtual servers as the inventory describes them once: with defaults, and real servers taken from groups of hosts.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._conf._keywords_lvs import CHECKS
from ansible_collections.failover.vip.plugins.module_utils._conf._variables_lvs import virtual_servers
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Backend,
    Block,
    IPAddress,
    IPNetwork,
    Origin,
    VirtualServer,
    VirtualServerGroup,
)

#: What a virtual server has if it does not say so itself. A real server that is dead or hangs is found after
#: delay_loop + (retry + 1) * connect_timeout + retry * delay_before_retry = 4 seconds, and never by one lost packet.
DEFAULTS: Mapping[str, Any] = {
    "lb_algo": "wlc",
    # Answers go straight to the client, so the director carries requests alone; and the client's address is kept.
    "lb_kind": "DR",
    "delay_loop": 1,
    "connect_timeout": 1,
    "retry": 1,
    "delay_before_retry": 1,
}
#: Of a virtual server with an address; keepalived would take UDP.
PROTOCOL = "TCP"
#: Of a real server behind TCP that has none. Whatever the service speaks, it is never wrong about a healthy server;
#: HTTP_GET, which also finds one that hangs or is in maintenance, must know a page.
CHECK = "TCP_CHECK"
#: Other words for a keyword.
_SAME = {"lb_algo": "lvs_sched", "lb_kind": "lvs_method"}
#: Keys of a virtual server that keepalived has no word for.
GROUP, COMMON = "real_servers_group", "real_servers_defaults"


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]


class Pools:
    """The hosts that real servers are taken from.

    :param groups: the hosts of each group of the inventory, in its order.
    :param backends: what is known of each of them.
    :param links: the networks in which an address is looked for, the VIPs' own first.
    :param vips: addresses that are VIPs, and so no host's own.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[str]],
        backends: Mapping[str, Backend],
        links: Sequence[IPNetwork],
        vips: Sequence[str],
    ) -> None:
        self.groups = groups
        self.backends = backends
        self.links = list(dict.fromkeys(links))
        self.vips = set(vips)

    def address(self, host: str, near: Sequence[IPAddress]) -> str:
        """A host's address: in the network of *near*, else in one of the directors'; '' if there is none.

        :param near: addresses of the virtual server; empty for a firewall mark.
        """
        backend = self.backends.get(host)
        if backend is None or backend.interfaces is None:
            return ""
        family = near[0].version if near else 0
        own = [
            address.ip
            for interface in backend.interfaces.values()
            for address in interface.addresses
            if not address.is_loopback and not address.is_link_local and str(address.ip) not in self.vips
        ]
        links = [link for link in self.links if family in (0, link.version)]
        for link in [*(link for link in links if any(ip in link for ip in near)), *links]:
            for ip in own:
                if ip.version == link.version and ip in link:
                    return str(ip)
        return ""


class _Expanded:
    """One virtual server of the inventory as keepalived's own keywords alone, and where each of them was said."""

    def __init__(self, item: Mapping[str, Any], place: str, groups: Mapping[str, VirtualServerGroup]) -> None:
        self.place = place
        #: Places that the user never wrote -> where it comes from.
        self.origins: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.item = {key: value for key, value in item.items() if key not in (GROUP, COMMON)}
        self.group = groups.get(str(item.get("group")))
        self.common = item.get(COMMON) or {}
        if not isinstance(self.common, Mapping):
            self.bad(COMMON, "KH042", "must be a mapping of keywords of a real_server")
            self.common = {}
        for key, value in self.defaults():
            if self.item.get(key) is None and self.item.get(_SAME.get(key, "")) is None:
                self.item[key] = value
                self.origins["%s.%s" % (place, key)] = place

    def bad(self, key: str, rule: str, message: str, hint: str = "", host: str = "") -> None:
        path = "%s.%s" % (self.place, key)
        self.findings.append(Finding(rule, ERROR, message, hint, host=host, path=path))

    def defaults(self) -> Iterator[tuple[str, Any]]:
        yield from DEFAULTS.items()
        if self.item.get("address") is not None or (self.group and self.group.addresses):
            yield "protocol", PROTOCOL

    def near(self) -> list[IPAddress]:
        """The addresses it serves, as far as they are any."""
        texts = [one.first for one in self.group.addresses] if self.group else _texts(self.item.get("address"))
        found = []
        for text in texts:
            try:
                found.append(ipaddress.ip_address(text.partition(" ")[0]))
            except ValueError:
                continue
        return found

    def port(self) -> Any:
        """The port of its real servers if they say none."""
        if self.group:
            ports = {one.port for one in self.group.addresses}
            return ports.pop() if len(ports) == 1 else None
        return self.item.get("port")

    def real_servers(self, name: Any, pools: Pools) -> None:
        """Adds the hosts of a group, and to each real server what all have."""
        written = self.item.get("real_servers") or []
        if not isinstance(written, (list, tuple)):
            return
        servers = list(written)
        for host in self.hosts(name, pools):
            address = pools.address(host, self.near())
            if not address:
                self.bad(
                    GROUP,
                    "KI010",
                    "%s has no known address in a network of the virtual server or of the directors" % host,
                    "Gather its facts in this play, or write its address into real_servers.",
                    host,
                )
                continue
            place = "%s.real_servers[%d]" % (self.place, len(servers))
            for key in ("", ".address", ".port"):
                self.origins[place + key] = "%s.%s" % (self.place, GROUP)
            servers.append({"address": address, **({"port": self.port()} if self.port() else {})})
        self.item["real_servers"] = [
            self.server(server, "%s.real_servers[%d]" % (self.place, index), index >= len(written))
            if isinstance(server, Mapping)
            else server
            for index, server in enumerate(servers)
        ]

    def hosts(self, name: Any, pools: Pools) -> Sequence[str]:
        """The hosts of a group."""
        if name is None:
            return []
        if not isinstance(name, str) or not pools.groups.get(name):
            hint = did_you_mean(str(name), pools.groups) + " It is a group of the inventory."
            self.bad(GROUP, "KI004", "the inventory has no group %s with hosts in it" % name, hint.strip())
            return []
        return pools.groups[name]

    def server(self, server: Mapping[str, Any], place: str, of_group: bool) -> dict[str, Any]:
        """A real server with what all have, and with a check."""
        own = {key: value for key, value in server.items() if value is not None or key in CHECKS}
        checked = any(key in own for key in CHECKS)
        found = dict(own)
        for key, value in self.common.items():
            if key in own and not (of_group and key == "port"):
                continue
            if key in CHECKS and checked:
                continue
            found[key] = value
            self.origins["%s.%s" % (place, key)] = "%s.%s.%s" % (self.place, COMMON, key)
        if not any(key in found for key in CHECKS) and str(self.item.get("protocol", "")).upper() == "TCP":
            found[CHECK] = True
            self.origins["%s.%s" % (place, CHECK)] = self.origins.get(place, place)
        return found

    def said(self, path: str) -> str:
        """Where the user wrote what stands at a place."""
        head = path
        while head and head != self.place:
            if head in self.origins:
                return self.origins[head] + ("" if self.origins[head] == self.place else path[len(head) :])
            head = head[: max(head.rfind("."), head.rfind("["), 0)]
        return path

    def placed(self, blocks: Sequence[Optional[Block]]) -> None:
        """Gives blocks the places that the user wrote."""
        for block in blocks:
            if block is not None:
                block.origin = Origin(self.said(block.origin.path))
                block.places = {key: Origin(self.said(place.path)) for key, place in block.places.items()}


def wanted_services(
    value: Any,
    groups: Sequence[VirtualServerGroup],
    pools: Pools,
    findings: list[Finding],
    variable: str = "keepalived_virtual_servers",
) -> list[VirtualServer]:
    """``keepalived_virtual_servers`` read into the model, complete.

    :param value: as :func:`_variables_lvs.virtual_servers` takes it; beside that each virtual server may have
        ``real_servers_group`` (a group of the inventory whose hosts are its real servers) and ``real_servers_defaults``
        (port, keywords and checks of every real server that does not say its own; a check of its own replaces all of
        these). What is said nowhere comes from :data:`DEFAULTS`.
    :param findings: what is wrong is added to it, at the places that the user wrote.
    """
    if not isinstance(value, (list, tuple)):
        return virtual_servers(value, findings, variable)
    by_name = {group.name: group for group in reversed(groups)}
    items: list[Any] = []
    expanded: dict[str, _Expanded] = {}
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            place = "%s[%d]" % (variable, index)
            one = expanded[place] = _Expanded(item, place, by_name)
            one.real_servers(item.get(GROUP), pools)
            items.append(one.item)
        else:
            items.append(item)
    found: list[Finding] = []
    services = virtual_servers(items, found, variable)
    for service in services:
        of = expanded[service.origin.path]
        of.placed([service, service.sorry_server, *service.real_servers])
        of.placed([check for server in service.real_servers for check in server.checks])
    for one in expanded.values():
        findings += one.findings
    for finding in found:
        of_item = expanded.get(finding.path[: finding.path.find("]") + 1])
        path = of_item.said(finding.path) if of_item else finding.path
        findings.append(
            Finding(finding.rule, finding.severity, finding.message, finding.hint, "", path, 0, finding.instance)
        )
    return services
