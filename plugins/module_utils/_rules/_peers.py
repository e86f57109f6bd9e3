# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about who sends advertisements to whom, where they go by unicast.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule


def _listed(group: Group) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Host by source address, and each host's peers; empty unless every unicast host has a source of its own."""
    unicast = [member for member in group.members if member.instance.unicast_peer]
    sources = {member.instance.unicast_src_ip: member.host for member in unicast if member.instance.unicast_src_ip}
    if len(sources) < len(unicast):
        return {}, {}  # KH016 or KP025 speaks of these.
    return sources, {m.host: [peer.split()[0] for peer in m.instance.unicast_peer] for m in unicast}


@group_rule(
    "KP008",
    ERROR,
    "unicast peers not reciprocal",
    "List every other host's unicast_src_ip, and nothing else.",
    MAN + ", unicast_peer",
)
def peers_not_reciprocal(group: Group) -> Iterator[Fault]:
    """Who is not among the master's peers hears nothing and becomes master too; an address of nobody gets everything.

    Measured with a wrong peer on the master: both hold the VIP. With a wrong peer on the backup all is well until the
    first failover, so a test of the healthy pair does not find it.
    """
    sources, peers = _listed(group)
    lost = {host for _address, host in _unheard(sources, peers)}
    addresses = set(sources)
    for member in group.members:
        mine = peers.get(member.host)
        if mine is None:
            continue
        for peer in mine:
            if peer not in addresses:
                yield fault(
                    member.director,
                    member.instance,
                    "unicast_peer %s is the address of no host of this instance" % peer,
                    "unicast_peer",
                )
        for address in sorted(addresses.difference(mine)):
            if sources[address] not in (member.host, *lost):
                yield fault(
                    member.director,
                    member.instance,
                    "%s (%s) is missing in unicast_peer" % (sources[address], address),
                    "unicast_peer",
                )


def _unheard(sources: dict[str, str], peers: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(address, host) of those that no other host sends to."""
    count = Counter(address for mine in peers.values() for address in set(mine))
    own = {(host, address) for host, mine in peers.items() for address in mine}
    return [
        (address, host)
        for address, host in sources.items()
        if count[address] == ((host, address) in own) and len(peers) > 1
    ]


@group_rule(
    "KP009",
    ERROR,
    "host in nobody's peers",
    "Add its unicast_src_ip to unicast_peer of every other host.",
    MAN + ", unicast_peer",
)
def in_nobodys_peers(group: Group) -> Iterator[Fault]:
    """The host runs the instance, and no other host sends to it: it hears no master, so it is one.

    A director that was added and never told to the others looks like this. Both hold the VIP from the moment it starts.
    """
    sources, peers = _listed(group)
    by_host = {member.host: member for member in group.members}
    for address, host in _unheard(sources, peers):
        member = by_host[host]
        yield fault(
            member.director, member.instance, "%s (%s) is in nobody's unicast_peer" % (host, address), "unicast_src_ip"
        )


@group_rule(
    "KP025",
    ERROR,
    "one unicast_src_ip on two hosts",
    "Give each host its own address.",
    MAN + ", unicast_src_ip",
)
def source_address_shared(group: Group) -> Iterator[Fault]:
    """Advertisements from one's own address look like one's own, and no list of peers can tell the hosts apart.

    It is what a copied file looks like in which only the priority was changed. Measured: keepalived before 2.3.3 cannot
    bind the address that is not there and stays in FAULT, so that nobody takes over; since then both hold the VIP.
    """
    seen: dict[str, str] = {}
    releases = [member.director.machine.release for member in group.members]
    binds_only_its_own = all(release is not None and release < (2, 3, 3) for release in releases)
    ends = "stays in FAULT" if binds_only_its_own else "holds the VIP beside the other"
    for member in group.members:
        source = member.instance.unicast_src_ip
        if source and seen.setdefault(source, member.host) != member.host:
            yield fault(
                member.director,
                member.instance,
                "unicast_src_ip %s is that of %s too: who does not have the address %s" % (source, seen[source], ends),
                "unicast_src_ip",
            )
