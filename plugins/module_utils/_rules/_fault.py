# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What rules take and give.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import (
    Cluster,
    Director,
    Interface,
    IPNetwork,
    Origin,
    Vip,
    VrrpInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import checks_of, priority


class Fault(NamedTuple):
    """What a rule found; the catalogue adds the rule's id, severity and hint."""

    message: str
    host: str = ""
    instance: str = ""
    origin: Origin = Origin()
    #: Replaces the rule's general hint where the numbers of the case make a better one.
    hint: str = ""
    #: Replaces the rule's severity, as where one version of keepalived refuses what another accepts.
    severity: str = ""


class Member(NamedTuple):
    """One host's part of a VRRP instance."""

    director: Director
    instance: VrrpInstance

    @property
    def host(self) -> str:
        """The host's name."""
        return self.director.host

    @property
    def healthy_priority(self) -> int:
        """The effective priority while all is well; 0: FAULT even then."""
        return priority(self.instance.priority, checks_of(self.director, self.instance), {}) or 0


class Group(NamedTuple):
    """The members that make up one VRRP instance across the cluster."""

    name: str
    members: tuple[Member, ...]


def fault(director: Director, instance: VrrpInstance, message: str, keyword: str = "", hint: str = "") -> Fault:
    """A fault of one host's part of an instance, at the keyword's place."""
    return Fault(message, director.host, instance.name, instance.place(keyword), hint)


def weights(director: Director, instance: VrrpInstance) -> list[tuple[str, str, int, bool]]:
    """All that moves the instance's priority: (keyword, name, weight, reverse).

    keepalived sets the weights of a sync group's members to 0 (keepalived.conf(5), "VRRP synchronization group").
    """
    if any(
        instance.name in group.group and not group.options.get("sync_group_tracking_weight")
        for group in director.sync_groups
    ):
        return []
    found = []
    for keyword, track, definition in director.tracks_of(instance):
        weight = track.weight if track.weight is not None else (definition.weight if definition else 0)
        reverse = track.reverse or (definition.reverse if definition and track.weight is None else False)
        if weight:
            found.append((keyword, track.name, weight, reverse))
    return found


def networks(director: Director, name: str) -> list[IPNetwork]:
    """The networks of an interface as the facts tell them; addresses of full width lie in none."""
    interface: Optional[Interface] = (director.interfaces or {}).get(name)
    if interface is None:
        return []
    return [address.network for address in interface.addresses if address.network.prefixlen < address.max_prefixlen]


def groups(cluster: Cluster) -> list[Group]:
    """The cluster's instances, each with its members: what shares a VIP, a name or a VRID.

    Strongest evidence first, so that one instance under two names, or with two VRIDs, is still seen as one.
    """
    members = [Member(director, instance) for director in cluster.directors.values() for instance in director.instances]
    parent = list(range(len(members)))
    hosts: list[set[str]] = [{member.host} for member in members]

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    def keys(member: Member, strength: int) -> list[Any]:
        if strength == 0:
            return [vip.address for vip in member.instance.vips]
        return [member.instance.name] if strength == 1 else [member.instance.virtual_router_id]

    for strength in range(3):
        first: dict[Any, list[int]] = {}
        for index, member in enumerate(members):
            for key in keys(member, strength):
                for other in first.setdefault(key, []):
                    one, two = root(index), root(other)
                    if one == two or not hosts[one].isdisjoint(hosts[two]):
                        continue
                    parent[max(one, two)] = min(one, two)
                    hosts[min(one, two)] |= hosts[max(one, two)]
                    break
                else:
                    first[key].append(index)
    sets: dict[int, list[Member]] = {}
    for index, member in enumerate(members):
        sets.setdefault(root(index), []).append(member)
    return [Group(found[0].instance.name, tuple(found)) for found in sets.values()]


def vip_network(vip: Vip, director: Director, instance: VrrpInstance) -> Optional[IPNetwork]:
    """The network of the host's interface in which the VIP lies, if any."""
    for network in networks(director, vip.dev or instance.interface):
        if vip.ip.version == network.version and vip.ip in network:
            return network
    return None
