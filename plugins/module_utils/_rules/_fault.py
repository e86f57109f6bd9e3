# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What rules take and give.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import Check, checks_of, priority

#: The user that keepalived takes for scripts if no other is named and it exists (keepalived.conf(5), script_user).
DEFAULT_SCRIPT_USER = "keepalived_script"


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


@dataclass(frozen=True, eq=False)
class Member:
    """One host's part of a VRRP instance."""

    director: Director
    instance: VrrpInstance

    @property
    def host(self) -> str:
        """The host's name."""
        return self.director.host

    @property
    def release(self) -> str:
        """Its keepalived's release as people write it; empty if it is not known."""
        return ".".join(str(part) for part in self.director.machine.release or ())

    @cached_property
    def version(self) -> int:
        """The version of VRRP that it speaks: 2 or 3."""
        return self.director.version_of(self.instance)

    @cached_property
    def checks(self) -> list[Check]:
        """All that the instance tracks on this host."""
        return checks_of(self.director, self.instance)

    @cached_property
    def healthy_priority(self) -> int:
        """The effective priority while all is well; 0: FAULT even then."""
        return priority(self.instance.priority, self.checks, {}) or 0


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


def script_user(director: Director, named: str = "") -> str:
    """Who runs a script: the user named for it, else script_user, else keepalived_script if there is one, else root.

    keepalived.conf(5), script_user. Empty: not known.
    """
    given = named or str((director.global_defs.options.get("script_user") or [""])[0])
    if given:
        return given
    there = director.machine.users.get(DEFAULT_SCRIPT_USER)
    return "" if there is None else DEFAULT_SCRIPT_USER if there else "root"


def config_test_ends_itself(director: Director) -> bool:
    """Whether keepalived's test of the configuration ends itself.

    It does from 2.2.5 to 2.2.7, over a script of another user than root (measured, see KE005).
    """
    release = director.machine.release
    if release is None or not (2, 2, 5) <= release[:3] <= (2, 2, 7):
        return False
    return any(script_user(director, command.user) != "root" for command in director.commands())


def takes_other_vips(group: Group) -> bool:
    """Whether every host of the instance takes an advertisement with other VIPs than its own, and only counts it.

    keepalived does since 2.3.3 (measured); before, and where its release is not known, it drops the advertisement.
    """
    return all((member.director.machine.release or ()) >= (2, 3, 3) for member in group.members)


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
        # How many of a key's sets are known to have the host already: they never lose one, so none is asked twice.
        passed: dict[tuple[Any, str], int] = {}
        for index, member in enumerate(members):
            host = member.host
            for key in keys(member, strength):
                found, one = first.setdefault(key, []), root(index)
                start, listed = passed.get((key, host), 0), False
                while start < len(found) and host in hosts[root(found[start])]:
                    listed = listed or root(found[start]) == one
                    start += 1
                passed[(key, host)] = start
                for other in found[start:]:
                    two = root(other)
                    if hosts[one].isdisjoint(hosts[two]):
                        parent[max(one, two)] = min(one, two)
                        hosts[min(one, two)] |= hosts[max(one, two)]
                        listed = True
                        break
                if not listed:
                    found.append(index)
    sets: dict[int, list[Member]] = {}
    for index, member in enumerate(members):
        sets.setdefault(root(index), []).append(member)
    return [Group(own[0].instance.name, tuple(own)) for own in sets.values()]


def vip_network(vip: Vip, director: Director, instance: VrrpInstance) -> Optional[IPNetwork]:
    """The network of the host's interface in which the VIP lies, if any."""
    for network in networks(director, vip.dev or instance.interface):
        if vip.ip.version == network.version and vip.ip in network:
            return network
    return None
