# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about what each host hears on the wire (KP014 and KW…).

A director's ``machine.facts["wire"]`` is what ``vrrp_advert_info`` returned there; without it nothing is said.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director, Origin
from ansible_collections.failover.vip.plugins.module_utils._rules._daemon import WIRE
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import cluster_rule


def _heard(director: Director, part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (director.machine.facts.get(WIRE) or {}).get(part) or []
    return found


def senders(cluster: Cluster) -> dict[str, str]:
    """The addresses from which advertisements are expected, each with its host, or with itself for a peer unseen."""
    found: dict[str, str] = {}
    for director in cluster.directors.values():
        for interface in (director.interfaces or {}).values():
            found.update((str(address.ip), director.host) for address in interface.addresses)
        for instance in director.instances:
            for keyword in ("unicast_src_ip", "mcast_src_ip"):
                if instance.options.get(keyword):
                    found[str(instance.options[keyword])] = director.host
        found.update((router["source"], director.host) for router in _heard(director, "routers") if router["own"])
    for director in cluster.directors.values():
        for instance in director.instances:
            for peer in instance.unicast_peer:
                address = peer.split()[0]
                found.setdefault(address, address)
    return found


def names(cluster: Cluster) -> dict[tuple[str, int], str]:
    """(family, VRID) to the instance's name, as the first host that has it calls it."""
    found: dict[tuple[str, int], str] = {}
    for director in cluster.directors.values():
        for instance in director.instances:
            found.setdefault(("ipv%d" % instance.family, instance.virtual_router_id), instance.name)
    return found


def _strangers(cluster: Cluster) -> Iterator[tuple[Director, dict[str, Any], str]]:
    """Each router that nobody told of, once for each VRID: who heard it first, what it said, and all who heard it."""
    known = senders(cluster)
    found: dict[tuple[str, str, int], list[tuple[Director, dict[str, Any]]]] = {}
    for director in cluster.directors.values():
        for router in _heard(director, "routers"):
            if router["source"] not in known:
                key = (router["source"], router["mac"], router["vrid"])
                found.setdefault(key, []).append((director, router))
    for heard in found.values():
        hearers = ", ".join(dict.fromkeys(director.host for director, _router in heard))
        yield heard[0][0], heard[0][1], hearers


def _link(router: Mapping[str, Any]) -> Origin:
    return Origin("VRRP on %s" % router["interface"])


@cluster_rule(
    "KP014",
    ERROR,
    "a stranger speaks the same VRID",
    "Find that router, or take another virtual_router_id. If it is a director, audit it with the others.",
    "RFC 9568 section 7.1",
)
def vrid_of_a_stranger(cluster: Cluster) -> Iterator[Fault]:
    """KP014: it takes the VIP, or is disturbed by these hosts."""
    known = names(cluster)
    for director, router, hearers in _strangers(cluster):
        name = known.get((router["family"], router["vrid"]))
        if name is not None:
            yield Fault(
                "VRID %d is spoken by a stranger too, %s (%s, priority %d), heard by %s"
                % (router["vrid"], router["source"], router["mac"], router["priority"], hearers),
                director.host,
                name,
                _link(router),
            )


@cluster_rule(
    "KW002",
    INFO,
    "another cluster on the same network",
    "Nothing, if it is meant to be there. No instance here may take its VRID.",
    "RFC 9568 section 5.2.3",
)
def other_clusters(cluster: Cluster) -> Iterator[Fault]:
    """KW002: VRIDs of a link are shared by all who speak VRRP there."""
    known = names(cluster)
    for director, router, hearers in _strangers(cluster):
        if (router["family"], router["vrid"]) not in known:
            yield Fault(
                "%s (%s) speaks VRID %d for %s, heard by %s"
                % (
                    router["source"],
                    router["mac"],
                    router["vrid"],
                    ", ".join(router["addresses"]) or "nothing",
                    hearers,
                ),
                director.host,
                "",
                _link(router),
            )


@cluster_rule(
    "KW001",
    ERROR,
    "split brain on the wire",
    "Mend what else is found of this instance. If that is nothing, a firewall between them drops VRRP (protocol 112).",
    "RFC 9568 section 6.4.3",
)
def two_speak(cluster: Cluster) -> Iterator[Fault]:
    """KW001: of a virtual router in health one speaks and the others are silent; a handover while listening is none."""
    who, known = senders(cluster), names(cluster)
    said: set[tuple[Any, ...]] = set()
    for director in cluster.directors.values():
        for split in _heard(director, "split"):
            key = (split["family"], split["vrid"], *sorted(split["senders"]))
            if not split["at_once"] or key in said:
                continue
            said.add(key)
            listed = " and ".join(
                "%s (%s)" % (who[sender], sender) if who.get(sender, sender) != sender else sender
                for sender in split["senders"]
            )
            yield Fault(
                "%s both speak for VRID %d, so both hold its VIPs" % (listed, split["vrid"]),
                director.host,
                known.get((split["family"], split["vrid"]), ""),
                _link(split),
            )


@cluster_rule(
    "KW003",
    WARNING,
    "VRRP that cannot be understood",
    "Find the sender by its hardware address: its advertisements are dropped by whoever hears them.",
    "RFC 9568 section 7.1",
)
def not_understood(cluster: Cluster) -> Iterator[Fault]:
    """KW003: a wrong checksum, or no advertisement at all (CARP uses the same protocol number)."""
    said: set[tuple[str, str]] = set()
    for director in cluster.directors.values():
        bad = [
            (router, "a wrong checksum in its advertisements for VRID %d" % router["vrid"])
            for router in _heard(director, "routers")
            if router["checksum"] == "bad"
        ] + [(packet, packet["reason"]) for packet in _heard(director, "undecoded")]
        for packet, reason in bad:
            if (packet["source"], reason) not in said:
                said.add((packet["source"], reason))
                yield Fault(
                    "from %s (%s): %s" % (packet["source"] or "nobody", packet["mac"], reason),
                    director.host,
                    "",
                    _link(packet),
                )
