# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about what runs: what the daemon of each host believes, beside its files and the other hosts (KD…).

A director's ``machine.facts["daemon"]`` is what ``keepalived_info`` returned there; without it nothing is said.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, Member, fault, weights
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule, host_rule

DAEMON, WIRE = "daemon", "wire"


def _running(director: Director) -> list[dict[str, Any]]:
    """The instances of the daemon, none if it is not known or does not run."""
    found: list[dict[str, Any]] = (director.machine.facts.get(DAEMON) or {}).get("instances") or []
    return found


def _believed(director: Director, instance: VrrpInstance) -> Optional[dict[str, Any]]:
    """The daemon's part of an instance: that of its name, else that of its VRID and family."""
    running = _running(director)
    named = [one for one in running if one["name"] == instance.name]
    same = [one for one in running if (one["virtual_router_id"], _family(one)) == (_vrid(instance), instance.family)]
    return next(iter(named or same), None)


def _vrid(instance: VrrpInstance) -> int:
    return instance.virtual_router_id


def _family(believed: Mapping[str, Any]) -> int:
    vips = [*believed["virtual_ipaddress"], *believed["virtual_ipaddress_excluded"]]
    return 6 if vips and ":" in vips[0] else 4


def _states(group: Group) -> list[tuple[Member, str]]:
    """Each member whose daemon is known, with the state that it is in."""
    found = []
    for member in group.members:
        believed = _believed(member.director, member.instance)
        if believed is not None:
            found.append((member, str(believed["state"])))
    return found


@host_rule(
    "KD001",
    ERROR,
    "keepalived does not run",
    "Start it (systemctl start keepalived); why it ended is in its log (journalctl -u keepalived).",
    "keepalived(8)",
)
def does_not_run(director: Director) -> Iterator[Fault]:
    """KD001: a host that does not run keepalived takes over nothing, and nobody notices before the other one fails."""
    daemon = director.machine.facts.get(DAEMON)
    if daemon and not daemon["running"] and (director.instances or director.virtual_servers):
        yield Fault("keepalived does not run here", director.host, origin=director.global_defs.origin)


@group_rule(
    "KD002",
    ERROR,
    "split brain: two hosts are MASTER",
    "Mend what else is found of this instance. If that is nothing, a firewall between them drops VRRP (protocol 112).",
    "RFC 9568 section 6.4.3",
)
def two_masters(group: Group) -> Iterator[Fault]:
    """KD002: both hold the VIP, and clients reach one or the other."""
    masters = [member for member, state in _states(group) if state == "MASTER"]
    if len(masters) > 1:
        hosts = " and ".join(member.host for member in masters)
        yield fault(masters[-1].director, masters[-1].instance, "split brain: %s are MASTER at once" % hosts)


@group_rule(
    "KD005",
    ERROR,
    "nobody is MASTER",
    "Look into keepalived's log on these hosts for what put them into FAULT, or why they still wait.",
    "RFC 9568 section 6.4.2",
)
def no_master(group: Group) -> Iterator[Fault]:
    """KD005: the VIP is nowhere. Nothing is said where somebody could not be asked, or is heard, as that one has it."""
    states = _states(group)
    members = {member.instance.unicast_src_ip for member in group.members}
    seen = all(
        {peer.split()[0] for peer in member.instance.unicast_peer} <= members and not _hears_another(member)
        for member in group.members
    )
    if seen and len(states) == len(group.members) and all(state != "MASTER" for _member, state in states):
        listed = ", ".join("%s: %s" % (member.host, state) for member, state in states)
        last = states[-1][0]
        yield fault(last.director, last.instance, "nobody is MASTER, so nobody has the VIP (%s)" % listed)


def _hears_another(member: Member) -> bool:
    """Whether somebody speaks for the instance, as the master does."""
    return any(
        (router["vrid"], router["family"]) == (_vrid(member.instance), "ipv%d" % member.instance.family)
        for router in (member.director.machine.facts.get(WIRE) or {}).get("routers", [])
    )


@host_rule(
    "KD003",
    ERROR,
    "state and addresses disagree",
    "Restart keepalived on this host; a VIP that stays without it was put there by hand or left by a killed process.",
    "measured",
)
def state_without_addresses(director: Director) -> Iterator[Fault]:
    """KD003: a MASTER without its VIP is a black hole, and any other host that has it a split brain."""
    for instance in director.instances:
        believed = _believed(director, instance)
        if believed is None or believed["consistent"]:
            continue
        vips = [vip.split("/")[0] for vip in believed["virtual_ipaddress"] + believed["virtual_ipaddress_excluded"]]
        lacking = [vip for vip in vips if vip not in believed["held"]]
        if believed["state"] == "MASTER":
            message = "is MASTER and lacks the VIP %s" % ", ".join(lacking)
        else:
            message = "is %s and still has the VIP %s" % (believed["state"], ", ".join(believed["held"]))
        yield fault(director, instance, message, "virtual_ipaddress")


@host_rule(
    "KD006",
    ERROR,
    "instance in FAULT",
    "Look at its interface and its checks without weight. Until that is mended it takes over nothing.",
    MAN + ", track_script",
)
def in_fault(director: Director) -> Iterator[Fault]:
    """KD006: its interface is down, or a check without a weight has failed.

    That is what such checks are for. But the host cannot take over, so the VIP hangs on the others until it is well
    again.
    """
    for instance in director.instances:
        believed = _believed(director, instance)
        if believed is not None and believed["state"] == "FAULT":
            yield fault(director, instance, "is in FAULT")


@host_rule(
    "KD004",
    WARNING,
    "what runs is not what the files say",
    "Reload keepalived (systemctl reload keepalived), on all hosts at once if VIPs, version or password changed.",
    "measured",
)
def runs_something_else(director: Director) -> Iterator[Fault]:
    """KD004: files that were changed and never loaded wait for the next reload, which may be in the worst moment.

    The daemon is asked for all that its dump tells, and the wire for all that an advertisement tells.
    """
    running = _running(director)
    matched = []
    for instance in director.instances:
        believed = _believed(director, instance)
        if believed is None:
            if running:
                yield fault(director, instance, "stands in the file, and the daemon does not know it")
        else:
            matched.append(believed)
        for message in _differences(director, instance, believed):
            yield fault(director, instance, message)
    for believed in running:
        if believed not in matched:
            yield Fault(
                "the daemon runs %s (VRID %s), which stands in no file"
                % (believed["name"], believed["virtual_router_id"]),
                director.host,
                believed["name"],
                director.global_defs.origin,
            )


def _differences(director: Director, instance: VrrpInstance, believed: Optional[Mapping[str, Any]]) -> Iterator[str]:
    """One message for each keyword that is another in the daemon, or on the wire, than in the file."""
    daemon = {} if believed is None else {"virtual_router_id": believed["virtual_router_id"], **_said(believed)}
    if believed is not None:
        daemon["priority"] = believed["priority"]
        if "use_vmac" not in instance.options:
            daemon["interface"] = believed["interface"]
    heard = [
        router
        for router in (director.machine.facts.get(WIRE) or {}).get("routers", [])
        if router["own"] and (router["vrid"], router["family"]) == (_vrid(instance), "ipv%d" % instance.family)
    ]
    wire = {} if not heard else _said({**heard[-1], "virtual_ipaddress": heard[-1]["addresses"]})
    written: dict[str, Any] = {
        "virtual_router_id": _vrid(instance),
        "version": director.version_of(instance),
        "advert_int": instance.advert_int,
        "virtual_ipaddress": _addresses(vip.address for vip in instance.vips),
        "priority": instance.priority,
        "interface": instance.interface,
    }
    if heard and "priority" not in daemon and _impossible(director, instance, heard[-1]["priority"]):
        wire["priority"] = heard[-1]["priority"]
    for keyword, value in written.items():
        others = [
            (where, said[keyword])
            for where, said in (("in the daemon", daemon), ("on the wire", wire))
            if keyword in said and said[keyword] != value
        ]
        if others:
            found = " and ".join("%s %s" % (_shown(other), where) for where, other in others)
            yield "%s is %s in the file, and %s" % (keyword, _shown(value), found)


def _said(source: Mapping[str, Any]) -> dict[str, Any]:
    """What the daemon's dump and an advertisement both tell."""
    return {
        "version": source["version"],
        "advert_int": source["advert_int"],
        "virtual_ipaddress": _addresses(source["virtual_ipaddress"]),
    }


def _addresses(vips: Any) -> frozenset[str]:
    return frozenset(str(ipaddress.ip_address(str(vip).split("/", maxsplit=1)[0])) for vip in vips)


def _shown(value: Any) -> str:
    if isinstance(value, frozenset):
        return " ".join(sorted(value)) or "none"
    return "%g" % value if isinstance(value, float) else str(value)


def _impossible(director: Director, instance: VrrpInstance, priority: int) -> bool:
    """Whether no outcome of the checks makes the file's priority into this one; 0 is a goodbye (RFC 9568, 5.2.4)."""
    moves = weights(director, instance)
    if not priority or any(keyword == "track_file" for keyword, _name, _weight, _reverse in moves):
        return False
    lowest = instance.priority - sum(abs(weight) for _keyword, _name, weight, _reverse in moves)
    highest = instance.priority + sum(abs(weight) for _keyword, _name, weight, _reverse in moves)
    return not max(1, lowest) <= priority <= min(254, highest) and priority != instance.priority
