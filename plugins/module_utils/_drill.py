# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""One drill: what the client, the kernels and keepalived's logs say of a fault, held against what VRRP promises.

Pure. Times are in seconds of the epoch, lengths in milliseconds, and say so in their names.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._live._holders import Event, Timeline, draw_timeline
from ansible_collections.failover.vip.plugins.module_utils._model import Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._timers import Bounds, bounds_of

#: After these the master is silent, and only the missing advertisements tell.
SILENT = ("kill", "link_down", "isolate", "power_off")
#: During these two holders are what is to be expected: the director that is cut off cannot know.
DIVIDED = ("hang", "isolate", "vrrp_filtered", "link_down", "power_off")
#: With these the master says goodbye.
GOODBYE = ("stop", "restart")
#: Two holders at a hand-over: one adds the address and another removes it, each when its process is scheduled.
HANDOVER_MS = 300.0
#: A client that sent a request later than this measured nothing.
LATE_MS = 1000.0
#: Hours of a year, for what availability means to people.
YEAR_HOURS = 8766.0


class Expected(NamedTuple):
    """How long clients may be without the service, by the protocol alone."""

    low_ms: float
    high_ms: float
    why: str


def best_backup(
    directors: Mapping[str, Director], instance: str, without: str
) -> Optional[tuple[Director, VrrpInstance]]:
    """The director that takes over from *without*: the one of the highest priority."""
    found = [
        (director, member)
        for host, director in directors.items()
        if host != without
        for member in director.instances
        if member.name == instance
    ]
    return max(found, key=lambda pair: pair[1].priority, default=None)


def noticed_after(director: Director, instance: VrrpInstance) -> float:
    """Seconds until the slowest script of an instance has failed often enough (keepalived.conf(5), vrrp_script)."""
    waits = [
        definition.interval * int(definition.options.get("fall", 1)) + (definition.timeout or definition.interval)
        for keyword, _track, definition in director.tracks_of(instance)
        if keyword == "track_script" and definition is not None
    ]
    return max(waits, default=0.0)


def expected(fault: str, bounds: Bounds, noticed: float) -> Expected:
    """What is to be expected of a fault.

    :param noticed: seconds until the instance's checks have noticed, for faults that only they can see.
    """
    low, high, stop = (round(seconds * 1000, 1) for seconds in (bounds.crash_min, bounds.crash_max, bounds.stop))
    if fault in SILENT and fault != "kill":
        return Expected(low, high, "the missing advertisements and Skew_Time")
    if fault == "kill":
        # What is killed comes back by systemd, maybe before the others have noticed.
        return Expected(0.0, high, "at most the missing advertisements and Skew_Time")
    if fault in GOODBYE:
        return Expected(0.0, stop, "Skew_Time after an advertisement of priority 0")
    if fault == "service":
        return Expected(
            0.0, round(noticed * 1000 + high, 1), "the check's interval, fall and time-out, then the takeover"
        )
    if fault == "command":
        return Expected(0.0, stop, "by priority no gap; without a weight Skew_Time")
    return Expected(0.0, 0.0, "the one that holds the VIP goes on")


def _timeline(vip: str, watches: Mapping[str, Mapping[str, Any]], start: float, end: float) -> Timeline:
    at_first, events = [], []
    for host, watch in watches.items():
        for seen in watch["vips"]:
            if seen["address"] == vip:
                at_first += [host] if seen["held_at_first"] else []
                events += [Event(event["at"], host, vip, event["held"]) for event in seen["events"]]
    return draw_timeline(vip, at_first, events, start, end)


def _silenced(
    vip: str, watches: Mapping[str, Mapping[str, Any]], start: float, end: float, broken: float, healed: float
) -> dict[str, Any]:
    """The watch of a director whose own died with it: it held the VIP until then, and again once all others let go."""
    released = [
        event["at"]
        for watch in watches.values()
        for seen in watch["vips"]
        for event in seen["events"]
        if seen["address"] == vip and not event["held"] and event["at"] > healed
    ]
    back = [{"at": max(released), "held": True}] if released else []
    events = [{"at": broken, "held": False}, *back]
    return {
        "began": start,
        "ended": end,
        "log": [],
        "vips": [{"address": vip, "held_at_first": True, "events": events}],
    }


def transitions(watches: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """The lines of the logs that tell of a change of state: host and text, in the order of their times."""
    lines = [
        {"host": host, "line": line}
        for host, watch in watches.items()
        for line in watch.get("log", [])
        if re.search(r"Entering \w+ STATE|Stopped|Starting Keepalived|Reloading|Quorum|priority from", line)
    ]
    return sorted(lines, key=lambda item: item["line"])


def _rows(answers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "host": answer["item"],
            "instance": instance["name"],
            "state": instance["state"],
            "held": ", ".join(instance["held"]),
            "nopreempt": instance["nopreempt"],
        }
        for answer in answers
        for instance in answer["instances"]
    ]


def _share(target: Mapping[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    return [outage for outage in target["outages"] if start <= outage["start"] < end]


def record(
    instance: str,
    vip: str,
    fault: str,
    director: str,
    directors: Mapping[str, Director],
    probe: Mapping[str, Any],
    watches: Mapping[str, Mapping[str, Any]],
    broken_at: Optional[float],
    healed_at: Optional[float],
    states: Mapping[str, Sequence[Mapping[str, Any]]],
    tolerance_ms: float = 100.0,
    return_ms: float = 100.0,
) -> dict[str, Any]:
    """All that a report says of one fault.

    :param director: the one that was broken, the holder of *vip*.
    :param directors: models of all, from their live files.
    :param probe: the result of ``vip_probe``, with a target named after the instance.
    :param watches: host to the result of ``vip_watch``; a director without power has none.
    :param states: ``before`` and ``after``: the results of ``keepalived_info`` on every director (``item``).
    :param tolerance_ms: what a busy machine may add to the protocol's bound; what the client itself was late comes on
        top, as a measurement is no better than that.
    :param return_ms: how long clients may be away when the fault has healed.
    """
    target = next(item for item in probe["targets"] if item["name"] == instance)
    start = max(watch["began"] for watch in watches.values())
    end = min(watch["ended"] for watch in watches.values())
    broken = broken_at if broken_at is not None else start
    healed = healed_at if healed_at is not None else end
    if director not in watches:
        watches = {**watches, director: _silenced(vip, watches, start, end, broken, healed)}
    timeline = _timeline(vip, watches, start, end)
    backup = best_backup(directors, instance, director)
    own = next((item for item in directors[director].instances if item.name == instance), None)
    bounds = bounds_of(*backup) if backup else Bounds(0.0, 0.0, 0.0)
    wanted = expected(fault, bounds, noticed_after(directors[director], own) if own else 0.0)
    # The last answer before the fault may be an interval old; what was missing earlier is not the fault's doing.
    pace = probe["interval_ms"] / 1000
    away = max((outage["length_ms"] for outage in _share(target, broken - pace, healed)), default=0.0)
    # A second after the last change of holders the return is over, clients' caches included.
    settled = max([part.start for part in timeline.intervals if part.start > healed], default=healed) + 1.0
    back = max((outage["length_ms"] for outage in _share(target, healed, settled)), default=0.0)
    # The client cannot tell its own delay from the service's, and a machine that kept it waiting may have kept others.
    late = probe["pace"]["late_ms"]["max"] or 0.0
    spare = tolerance_ms + late
    # Two holders while the one is cut off say nothing; afterwards, and with any other fault, they do.
    judged = timeline if fault not in DIVIDED else _timeline(vip, watches, min(healed + 1.0, end), end)
    doubts = []
    if any(outage["length_ms"] > spare for outage in _share(target, 0.0, broken - pace)):
        doubts.append("the client missed answers before the fault began, so nothing it saw can be trusted")
    if late > LATE_MS:
        doubts.append("the client sent a request %.0f ms late: measure again from one with less to do" % late)
    if away > wanted.high_ms + spare:
        doubts.append("away for %.0f ms, more than %.0f ms and %.0f ms" % (away, wanted.high_ms, spare))
    if back > return_ms + late:
        doubts.append("away for %.0f ms at the return" % back)
    if judged.longest_doubled_ms > HANDOVER_MS + late:
        doubts.append("two holders for %.0f ms" % judged.longest_doubled_ms)
    rows = {when: _rows(answers) for when, answers in states.items()}
    # With nopreempt the VIP stays where it went.
    moved = [row for row in rows["after"] if row not in rows["before"] and not row["nopreempt"]]
    if moved:
        doubts.append("not as before: %s" % ", ".join("%(instance)s is %(state)s on %(host)s" % row for row in moved))
    if not broken_at:
        doubts.append("the fault did not happen")
    return {
        "instance": instance,
        "vip": vip,
        "fault": fault,
        "director": director,
        "start": start,
        "end": end,
        "broken_at": broken,
        "healed_at": healed,
        "expected": wanted._asdict(),
        "away_ms": away,
        "back_ms": back,
        "longest_gap_ms": target["longest_gap_ms"],
        "sent": target["sent"],
        "failed": target["failed"],
        "availability": target["availability"],
        "answer_ms": target["answer_ms"],
        "backends": target["backends"],
        "outages": target["outages"],
        "others": [
            {"name": item["name"], "sent": item["sent"], "failed": item["failed"], "longest_ms": item["longest_ms"]}
            for item in probe["targets"]
            if item["name"] != instance
        ],
        "holders": [
            {"start": part.start, "length_ms": round(part.length_ms, 3), "holders": sorted(part.holders)}
            for part in timeline.intervals
        ],
        "none_ms": round(timeline.longest_gap_ms, 3),
        "doubled_ms": round(timeline.longest_doubled_ms, 3),
        "states": rows,
        "log": transitions(watches),
        "late_ms": late,
        "doubts": doubts,
        "passed": not doubts,
    }


def summary(records: Iterable[Mapping[str, Any]], failures_per_year: float) -> dict[str, Any]:
    """What all drills together say.

    Availability is MTBF / (MTBF + MTTR), with the mean time that clients were away after a fault that came without
    notice as MTTR, and the year divided by *failures_per_year* as MTBF.
    """
    every = list(records)
    crashes = [item["away_ms"] for item in every if item["fault"] in SILENT or item["fault"] == "service"]
    planned = [item["away_ms"] for item in every if item["fault"] in ("reload", "restart", "stop", "command")]
    mttr = sum(crashes) / len(crashes) / 1000 if crashes else 0.0
    mtbf = YEAR_HOURS * 3600 / failures_per_year if failures_per_year else 0.0
    sent, failed = sum(item["sent"] for item in every), sum(item["failed"] for item in every)
    return {
        "drills": len(every),
        "passed": sum(bool(item["passed"]) for item in every),
        "sent": sent,
        "failed": failed,
        "drill_availability": round(1 - failed / sent, 6) if sent else None,
        "crashes": len(crashes),
        "crash_mean_ms": round(mttr * 1000, 1),
        "crash_max_ms": max(crashes, default=0.0),
        "planned_max_ms": max(planned, default=0.0),
        "failures_per_year": failures_per_year,
        "mtbf_hours": round(mtbf / 3600, 1),
        "availability": round(mtbf / (mtbf + mttr), 9) if mtbf and crashes else None,
        "downtime_seconds_a_year": round(mttr * failures_per_year, 1),
    }
