# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Who holds the VIP: the election, and the table of every combination of failed checks.

Taken for granted is that the hosts hear and accept each other, which the rules in ``_pair`` are about.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY, Cluster, Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Group, Member, groups
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import (
    HIGHEST,
    LOWEST,
    Check,
    checks_of,
    priority,
    sync_group_of,
)

#: As many combinations are gone through for all instances together; beyond, only pairs of hosts, or single hosts.
MOST_ROWS = 4096
#: An instance gets this many of them at least.
LEAST_ROWS = 64
#: How far a table goes: every combination of all hosts; failures on up to two hosts; on one host at a time, and of
#: these the first only where there are too many.
ALL, PAIRS, SINGLE = "all", "pairs", "single"


class Candidate(NamedTuple):
    """A host in an election. ``priority`` None: it is in FAULT."""

    host: str
    priority: Optional[int]
    #: Its source address as a number; 0: not known.
    address: int = 0
    nopreempt: bool = False

    @property
    def strength(self) -> tuple[int, int]:
        """Priority, and the address among equals (RFC 9568 section 6.4.3)."""
        return self.priority or 0, self.address


class Row(NamedTuple):
    """One line of the table. ``holder`` empty: nobody."""

    #: What has failed, by host; empty: all is well.
    failed: dict[str, tuple[str, ...]]
    holder: str
    #: Another host has the holder's priority, so that another start would elect another.
    tie: bool
    #: The effective priorities by host; None: FAULT.
    priorities: dict[str, Optional[int]]


class Table(NamedTuple):
    """The table of one instance; ``covers`` says how far it goes (ALL, PAIRS or SINGLE)."""

    instance: str
    covers: str
    rows: tuple[Row, ...]


class _Outcome(NamedTuple):
    """A set of failures on one host that stands for all that come to the same priority."""

    failed: tuple[str, ...]
    priority: Optional[int]


def elect(candidates: Iterable[Candidate], incumbent: str = "") -> tuple[str, bool]:
    """The holder ('' if nobody can be) and whether the priorities alone do not decide.

    A backup only steps over a holder of lower priority than its own, and never with nopreempt (RFC 9568 section 6.4.2).

    :param incumbent: the host that holds the VIP before; empty: all start at once.
    """
    able = [candidate for candidate in candidates if candidate.priority is not None]
    if not able:
        return "", False
    holder = next((candidate for candidate in able if candidate.host == incumbent), None)
    if holder is None:
        holder = max(able, key=lambda candidate: candidate.strength)
    else:
        least = holder.strength[0]
        stronger = [one for one in able if one.strength[0] > least and not one.nopreempt]
        holder = max(stronger, key=lambda candidate: candidate.strength, default=holder)
    return holder.host, any(one is not holder and one.priority == holder.priority for one in able)


def address_of(director: Director, instance: VrrpInstance) -> int:
    """The address that the instance's advertisements come from, as a number; 0 if it is not known."""
    word = instance.unicast_src_ip or str(instance.options.get("mcast_src_ip", ""))
    interface = (director.interfaces or {}).get(instance.interface)
    if not word and interface is not None:
        word = next((str(one.ip) for one in interface.addresses if one.version == instance.family), "")
    return _number(word.partition("%")[0])


@lru_cache(maxsize=4096)
def _number(address: str) -> int:
    try:
        return int(ipaddress.ip_address(address))
    except ValueError:
        return 0


def candidate(member: Member, effective: Optional[int]) -> Candidate:
    """The member in an election; keepalived drops nopreempt beside state MASTER and beside priority 255."""
    instance = member.instance
    stays = instance.nopreempt and instance.state != "MASTER" and instance.priority != OWNER_PRIORITY
    return Candidate(member.host, effective, address_of(member.director, instance), stays)


def _siblings(member: Member) -> list[VrrpInstance]:
    """The other members of the instance's sync group on this host."""
    group = sync_group_of(member.director, member.instance)
    if group is None:
        return []
    names = set(group.group)
    return [one for one in member.director.instances if one.name in names and one is not member.instance]


def member_checks(member: Member) -> list[Check]:
    """What matters to the instance on its host: its checks, and those that put its sync group into FAULT."""
    siblings = _siblings(member)
    if not siblings:
        return member.checks
    found = {(check.keyword, check.name): check for check in member.checks}
    for sibling in siblings:
        for check in checks_of(member.director, sibling):
            if not check.weight:
                found.setdefault((check.keyword, check.name), check)
    return list(found.values())


def _outcomes(base: int, checks: list[Check]) -> list[_Outcome]:
    """Every priority that some set of failures comes to, each with the fewest failures; all is well comes first.

    Checks that cost the same stand for each other: 'one of chk_a, chk_b'. So a host has at most 255 outcomes, and
    finding them costs the number of distinct weights times the number of sums that they can make.
    """
    healthy = priority(base, checks, {})
    found: dict[Optional[int], tuple[str, ...]] = {healthy: ()}
    classes: dict[Optional[int], list[str]] = {}
    always = any(check.change(0) is None for check in checks)
    for check in checks:
        good, bad = check.change(0), check.change(check.worst)
        loss = None if good is None or bad is None else bad - good
        if loss is None and good is not None:
            classes.setdefault(None, []).append(check.name)
        elif loss and base != OWNER_PRIORITY:
            classes.setdefault(loss, []).append(check.name)
    total = base + sum(check.change(0) or 0 for check in checks)
    sums: dict[int, tuple[str, ...]] = {total: ()}
    for cost, names in classes.items():
        if cost is None:
            continue
        for start, failed in list(sums.items()):
            for count in range(1, len(names) + 1):
                sums.setdefault(start + cost * count, (*failed, *_some(names, count)))
    if not always:
        for end, failed in sums.items():
            effective = base if base == OWNER_PRIORITY else max(LOWEST, min(HIGHEST, end))
            if effective not in found or len(failed) < len(found[effective]):
                found[effective] = failed
        if None in classes:
            found[None] = _some(classes[None], 1)
    return [_Outcome(failed, effective) for effective, failed in found.items()]


def _some(names: list[str], count: int) -> tuple[str, ...]:
    """Any *count* of the names, as few words as tell it."""
    if count == len(names):
        return tuple(names)
    return ("%s of %s" % ("one" if count == 1 else count, ", ".join(names)),)


def _combinations(outcomes: list[list[_Outcome]], most: int) -> tuple[str, Iterable[tuple[_Outcome, ...]]]:
    """The combinations of the hosts' outcomes, fewest failing hosts first, and how far they go."""
    healthy = tuple(one[0] for one in outcomes)
    if math.prod(len(mine) for mine in outcomes) <= most:
        every = itertools.product(*outcomes)
        return ALL, sorted(every, key=lambda row: sum(bool(one.failed) for one in row))
    singles = [(index, one) for index, mine in enumerate(outcomes) for one in mine[1:]][:most]
    pairs = (
        [pair for pair in itertools.combinations(singles, 2) if pair[0][0] != pair[1][0]]
        if len(singles) ** 2 // 2 <= most
        else []
    )
    chosen: list[tuple[tuple[int, _Outcome], ...]] = [(), *((one,) for one in singles), *pairs]
    rows = []
    for failing in chosen:
        row = list(healthy)
        for index, one in failing:
            row[index] = one
        rows.append(tuple(row))
    return (PAIRS if pairs else SINGLE), rows


def table(group: Group, most: int = MOST_ROWS) -> Table:
    """Who holds the instance's VIPs for every combination of failed checks.

    Each row begins with all well and the preferred host as the holder; then all of its checks fail at once. What comes
    to the same priority on a host is one row; a weighted track_file is taken at the number that lowers it most.
    """
    members = group.members
    outcomes = [_outcomes(member.instance.priority, member_checks(member)) for member in members]
    plain = [candidate(member, None) for member in members]
    start, _tie = elect(one._replace(priority=mine[0].priority) for one, mine in zip(plain, outcomes))
    covers, combinations = _combinations(outcomes, most)
    rows = []
    for row in combinations:
        able = [one._replace(priority=outcome.priority) for one, outcome in zip(plain, row)]
        holder, tie = elect(able, start)
        failed = {one.host: outcome.failed for one, outcome in zip(able, row) if outcome.failed}
        rows.append(Row(failed, holder, tie, {one.host: one.priority for one in able}))
    return Table(group.name, covers, tuple(rows))


def tables(cluster: Cluster) -> list[Table]:
    """The table of each instance, within MOST_ROWS in all."""
    found = groups(cluster)
    most = max(LEAST_ROWS, MOST_ROWS // max(1, len(found)))
    return [table(group, most) for group in found]


def as_data(cluster: Cluster) -> dict[str, Any]:
    """The tables as a module returns them: by instance, how far the table goes and its rows."""
    return {
        one.instance: {
            "covers": one.covers,
            "rows": [
                {
                    "failed": {host: list(failed) for host, failed in row.failed.items()},
                    "holder": row.holder,
                    "tie": row.tie,
                    "priorities": row.priorities,
                }
                for row in one.rows
            ],
        }
        for one in tables(cluster)
    }


def as_text(one: Table) -> str:
    """The table for a reader, in Markdown."""
    hosts = list(one.rows[0].priorities)
    lines = [
        "| %s | holder |" % " | ".join("%s: failed | priority" % host for host in hosts),
        "|%s---|" % ("---|---|" * len(hosts)),
    ]
    for row in one.rows:
        cells = []
        for host in hosts:
            shown = row.priorities[host]
            cells += [", ".join(row.failed.get(host, ())) or "–", "FAULT" if shown is None else str(shown)]
        holder = "**nobody**" if not row.holder else row.holder + (" (tie)" if row.tie else "")
        lines.append("| %s | %s |" % (" | ".join(cells), holder))
    return "\n".join(lines) + "\n"


def after(group: Group, states: Mapping[str, Mapping[tuple[str, str], int]], gone: str = "") -> tuple[str, bool]:
    """Holder and tie when all was well, and then these states came.

    :param states: host to (keyword, name) to the state (see ``Check.change``).
    :param gone: a host that is switched off.
    """
    able = []
    for member in group.members:
        effective = priority(member.instance.priority, member_checks(member), states.get(member.host, {}))
        able.append(candidate(member, None if member.host == gone else effective))
    return elect(able, home(group))


def home(group: Group) -> str:
    """Who holds the instance's VIPs while all is well; '' if nobody."""
    return elect(candidate(one, priority(one.instance.priority, member_checks(one), {})) for one in group.members)[0]
