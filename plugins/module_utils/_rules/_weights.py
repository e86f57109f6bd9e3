# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules that follow from who holds the VIP after a failure: does a failed check really move it, and where to?

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import os.path
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, Member, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import after, candidate
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import Check, priority
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule, groups_rule

#: Programs that ask another machine.
_ASKING = frozenset(("ping", "ping6", "fping", "arping", "nc", "ncat", "curl", "wget"))


class _Loss(NamedTuple):
    """A failed check of a member, and what is left to it beside the next host."""

    member: Member
    check: Check
    left: int
    gap: int
    following: Member


def _losses(group: Group) -> Iterator[_Loss]:
    """Each single failure on each member whose host still has at least as much as the next healthy one.

    A reversed weight gains by a failure, and a track_file's loss depends on what stands in it: neither is judged.
    """
    ranked = sorted(group.members, key=lambda member: -member.healthy_priority)
    for position, member in enumerate(ranked[:-1]):
        if member.instance.priority == OWNER_PRIORITY or member.instance.nopreempt:
            continue  # KH018 and KH003 speak of these.
        following = ranked[position + 1]
        gap = member.healthy_priority - following.healthy_priority
        for check in member.checks:
            if check.weight and not check.reverse and check.keyword != "track_file" and gap:
                left = priority(member.instance.priority, member.checks, {(check.keyword, check.name): 1})
                if left is not None and left >= following.healthy_priority:
                    yield _Loss(member, check, left, gap, following)


@group_rule(
    "KP018",
    ERROR,
    "weight smaller than the priority gap",
    "Make the weight larger than the gap.",
    MAN + ", weight",
)
def weight_below_the_gap(group: Group) -> Iterator[Fault]:
    """A failed check takes its weight from the priority, and the VIP moves only if another host then has more.

    With priorities 150 and 100 and a weight of -10 the sick host keeps 140, stays master, and nothing is logged but the
    new priority: measured, no failover at all. keepalived cannot see it, since the gap is between two files. Each check
    is compared with the next host in line, so that a chain of three works too.
    """
    for loss in _losses(group):
        member, following = loss.member, loss.following
        if loss.left > following.healthy_priority:
            yield fault(
                member.director,
                member.instance,
                "when %s fails (weight %d), %s still has %d and %s only %d: no failover"
                % (
                    loss.check.name,
                    loss.check.weight,
                    member.host,
                    loss.left,
                    following.host,
                    following.healthy_priority,
                ),
                loss.check.keyword,
                "Make the weight at least %d, or bring the priorities closer." % (loss.gap + 1),
            )


@group_rule(
    "KP019",
    ERROR,
    "weight equal to the priority gap",
    "Make the weight larger than the gap.",
    MAN + ", weight",
)
def weight_ties(group: Group) -> Iterator[Fault]:
    """After the failure both hosts have the same priority, and a backup only steps over a lower one.

    So the sick host keeps the VIP, unless both start at the same moment, when the higher address wins (RFC 9568 section
    6.4): the same failure has two outcomes, by history. One point more of weight decides it.
    """
    for loss in _losses(group):
        member, following = loss.member, loss.following
        if loss.left == following.healthy_priority:
            yield fault(
                member.director,
                member.instance,
                "when %s fails (weight %d), %s ties with %s at %d"
                % (loss.check.name, loss.check.weight, member.host, following.host, loss.left),
                loss.check.keyword,
                "Make the weight at least %d, or bring the priorities closer." % (loss.gap + 1),
            )


def _asked(member: Member) -> dict[str, set[tuple[str, str]]]:
    """The machines that the member's scripts ask, by address, and the checks that fail when one is gone."""
    found: dict[str, set[tuple[str, str]]] = {}
    for script in member.director.scripts:
        words = str(script.options.get("script", "")).split()
        if not words or os.path.basename(words[0]) not in _ASKING:
            continue
        for word in words[1:]:
            try:
                address = ipaddress.ip_address(word.rpartition("://")[2].strip("[]/"))
            except ValueError:
                continue
            if not address.is_loopback:
                found.setdefault(str(address), set()).add(("track_script", script.name))
    return found


@group_rule(
    "KP028",
    ERROR,
    "nobody holds the VIP",
    "Give the check a weight, so that the least sick host keeps the VIP.",
    MAN + ", track_script",
)
def nobody_holds(group: Group) -> Iterator[Fault]:
    """A check without a weight puts the instance into FAULT, and what all hosts ask together fails on all of them.

    The usual case is a ping of the gateway: while the gateway restarts, every director gives the VIP up, and clients on
    the same network lose a service that was well. With a weight on it all priorities fall together and the holder
    stays. The other case is a reversed check without a weight, which is a FAULT while all is well.
    """
    if not any(member.healthy_priority for member in group.members):
        last = group.members[-1]
        hosts = ", ".join(member.host for member in group.members)
        yield fault(
            last.director,
            last.instance,
            "nobody holds the VIP even while all is well: FAULT on %s" % hosts,
            "track_script",
            "Drop 'reverse', or give the check a weight.",
        )
        return
    asked = [_asked(member) for member in group.members]
    for address in sorted(set().union(*asked)) if any(asked) and len(asked) > 1 else ():
        states = {member.host: dict.fromkeys(mine.get(address, ()), 1) for member, mine in zip(group.members, asked)}
        if not after(group, states)[0]:
            last = group.members[-1]
            names = ", ".join(sorted({name for mine in asked for _keyword, name in mine.get(address, ())}))
            yield fault(
                last.director,
                last.instance,
                "when %s does not answer, %s fails on every host: all are in FAULT and nobody holds the VIP"
                % (address, names),
                "track_script",
            )._replace(severity=WARNING)


@groups_rule(
    "KP029",
    INFO,
    "one host inherits everything",
    "Let the VIPs of one home differ in their second host.",
    "ha practice",
)
def one_heir_for_all(instances: list[Group]) -> Iterator[Fault]:
    """With three directors or more, the loss of one need not put every VIP on one of the others.

    It does where the VIPs of both homes name each other's home as their second host: one machine then carries the whole
    load while a third one idles. Vary who comes second.
    """
    ranked: dict[frozenset[str], list[tuple[str, str, str]]] = {}
    for group in instances:
        if len(group.members) > 2:
            able = [candidate(member, member.healthy_priority or None) for member in group.members]
            first, second = sorted(able, key=lambda one: one.strength, reverse=True)[:2]
            hosts = frozenset(member.host for member in group.members)
            ranked.setdefault(hosts, []).append((first.host, second.host, group.name))
    for hosts, rows in ranked.items():
        homes = sorted({first for first, _second, _name in rows})
        if len(homes) != 2:
            continue  # KP024 speaks of one home; with three, two are always left.
        for lost, heir in (homes, homes[::-1]):
            if all(second == heir for first, second, _name in rows if first == lost):
                names = ", ".join(sorted(name for _first, _second, name in rows))
                idle = ", ".join(sorted(hosts - set(homes)))
                yield Fault("without %s, %s holds all of %s, and %s idles" % (lost, heir, names, idle), heir)
