# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Who held a VIP, from when to when: what ``ip -ts -oneline monitor address`` (ip-monitor(8)) tells, as intervals.

Everything here is pure. Times are in seconds of the epoch, lengths in milliseconds. Events of several hosts lie on one
line of time as well as their clocks agree.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Event:
    """An address came to a host or left it; ``at`` is in seconds since the epoch, ``address`` without its prefix."""

    at: float
    host: str
    address: str
    held: bool


@dataclass(frozen=True)
class Interval:
    """A time in which the holders of a VIP did not change; ``start`` is in seconds since the epoch."""

    start: float
    length_ms: float
    holders: frozenset[str]


@dataclass(frozen=True)
class Timeline:
    """All that happened to one VIP within a window; prints readably, for the message of an assertion."""

    vip: str
    intervals: tuple[Interval, ...]

    @property
    def gaps(self) -> list[Interval]:
        """The intervals with no holder."""
        return [interval for interval in self.intervals if not interval.holders]

    @property
    def doubled(self) -> list[Interval]:
        """The intervals with two holders or more."""
        return [interval for interval in self.intervals if len(interval.holders) > 1]

    @property
    def longest_gap_ms(self) -> float:
        """The longest time without a holder, 0.0 if there was none."""
        return max((interval.length_ms for interval in self.gaps), default=0.0)

    @property
    def longest_doubled_ms(self) -> float:
        """The longest time with two holders or more, 0.0 if there was none."""
        return max((interval.length_ms for interval in self.doubled), default=0.0)

    @property
    def holders(self) -> list[frozenset[str]]:
        """The holders one after the other, gaps left out; a holder that came back stands twice."""
        found: list[frozenset[str]] = []
        for interval in self.intervals:
            if interval.holders and (not found or found[-1] != interval.holders):
                found.append(interval.holders)
        return found

    def __str__(self) -> str:
        parts = [f"{'+'.join(sorted(i.holders)) or 'nobody'} for {i.length_ms:.1f} ms" for i in self.intervals]
        return f"{self.vip}: {', '.join(parts)}"


def parse_event(host: str, line: str) -> Optional[Event]:
    """Reads one line of ``ip -ts -oneline monitor address``, run with ``TZ=UTC``; ``None`` if it is of another kind.

    Example: ``[2026-11-22T16:12:00.123456] Deleted 2: eth0    inet 172.25.254.100/24 scope global eth0 …``
    """
    match = re.match(r"\[(\S+)\] (Deleted )?\d+: \S+\s+inet6? ([0-9a-fA-F.:]+)", line)
    if not match:
        return None
    moment = datetime.datetime.fromisoformat(match[1]).replace(tzinfo=datetime.timezone.utc)
    return Event(moment.timestamp(), host, str(ipaddress.ip_address(match[3])), match[2] is None)


def parse_addresses(text: str) -> set[str]:
    """The addresses in the output of ``ip -oneline address show``, without their prefixes."""
    return {str(ipaddress.ip_address(found)) for found in re.findall(r"\binet6? ([0-9a-fA-F.:]+)", text)}


def draw_timeline(vip: str, at_first: Iterable[str], events: Iterable[Event], start: float, end: float) -> Timeline:
    """Puts the events of one VIP in order of time and cuts the window from ``start`` to ``end`` into intervals.

    ``at_first`` are the hosts that held it when the recording began. Events before ``start`` count, but draw nothing;
    an event that changes nothing (the kernel tells of an address again when its flags change) is passed over.
    """
    intervals: list[Interval] = []
    holders = frozenset(at_first)
    since = start

    def close(until: float) -> None:
        if until > since:
            intervals.append(Interval(since, (until - since) * 1000, holders))

    for event in sorted(events, key=lambda event: event.at):
        changed = holders | {event.host} if event.held else holders - {event.host}
        if event.address != vip or changed == holders or event.at >= end:
            continue
        close(event.at)
        holders = changed
        since = max(since, event.at)
    close(end)
    return Timeline(vip, tuple(intervals))
