# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""VRRP's timers: what the protocol promises for given numbers, and numbers that belong together.

All times are in seconds.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import Director, VrrpInstance

#: Advertisements that must be missing before a backup takes over (RFC 9568 section 6.1).
DOWN_TIMER_ADVERTS = 3
#: keepalived has down_timer_adverts from here on.
DOWN_TIMER_ADVERTS_SINCE = (2, 2, 3)


def skew_unit(version: int, advert_int: float) -> float:
    """Seconds of Skew_Time for a priority of 0, 256ths of which count: 1 in version 2, the interval in version 3.

    RFC 3768 section 6.1; RFC 9568 section 6.1.
    """
    return 1.0 if version == 2 else advert_int


def skew_time(version: int, advert_int: float, priority: int) -> float:
    """Seconds that a backup of this priority waits longer, or after an advertisement of priority 0 (RFC 9568, 6.1)."""
    return skew_unit(version, advert_int) * (256 - priority) / 256


class Bounds(NamedTuple):
    """How long nobody holds a VIP, in seconds, if only the protocol decides: see :func:`bounds`."""

    #: The master stops in good order, or fails a check that has no weight.
    stop: float
    #: The master falls silent: at the soonest, right before its next advertisement,
    crash_min: float
    #: and at the latest, right after its last one.
    crash_max: float


def bounds(version: int, advert_int: float, down_timer_adverts: int, backup_priority: int) -> Bounds:
    """What RFC 9568 section 6.1 promises when the best backup has *backup_priority*.

    Active_Down_Interval is ``down_timer_adverts`` (3 in the RFC) intervals and Skew_Time, counted from the last
    advertisement; the master dies anywhere between two of them.
    """
    skew = skew_time(version, advert_int, backup_priority)
    return Bounds(skew, (down_timer_adverts - 1) * advert_int + skew, down_timer_adverts * advert_int + skew)


def down_timer_adverts(director: Director, instance: VrrpInstance) -> int:
    """Advertisements that must be missing before this director takes over: its own, the global ones, else 3.

    A release that is too old for the keyword drops it (keepalived.conf(5), down_timer_adverts).
    """
    release = director.machine.release
    if release is not None and release < DOWN_TIMER_ADVERTS_SINCE:
        return DOWN_TIMER_ADVERTS
    adverts = instance.options.get("down_timer_adverts") or director.global_defs.options.get("vrrp_down_timer_adverts")
    return int(adverts or DOWN_TIMER_ADVERTS)


def bounds_of(director: Director, instance: VrrpInstance) -> Bounds:
    """The bounds of an instance whose best backup is this director."""
    adverts = down_timer_adverts(director, instance)
    return bounds(director.version_of(instance), instance.advert_int, adverts, instance.priority)


class Preset(NamedTuple):
    """Numbers that belong together."""

    advert_int: float
    down_timer_adverts: int
    #: For keepalived without down_timer_adverts: the interval of which three make about the same wait.
    advert_int_alone: float


#: By the name in ``keepalived_timers``. The wait for a silent master is the product; it is divided into many
#: intervals, since only that many advertisements lost in a row are a false alarm: with 30 % of them lost, 18 in a row
#: happen once in 0.3 ** -18 intervals, which is years. docs/timers.md has the measurements.
PRESETS: Mapping[str, Preset] = {
    "safe": Preset(0.15, 20, 1.0),
    "standard": Preset(0.05, 18, 0.3),
    "fast": Preset(0.01, 12, 0.04),
}
#: What an interval below a second needs of the scheduler: keepalived gives itself real-time priority, a step more each
#: time that it runs late; by default (keepalived.conf(5), min_auto_priority_delay) only when it is late by a second.
#: Microseconds: less than half of the shortest wait, so that it is noticed before a backup has lost its patience.
SUBSECOND_GLOBAL_DEFS: Mapping[str, Any] = {"max_auto_priority": 50, "min_auto_priority_delay": 50_000}


def preset_options(
    preset: str, version: int, options: Mapping[str, Any], release: Optional[tuple[int, ...]] = None
) -> dict[str, Any]:
    """The keywords that a preset adds to an instance: none where its options say one of them themselves.

    Version 2 counts in whole seconds (RFC 3768 section 5.3.7), so it keeps keepalived's own 1 s and 3.

    :param release: of keepalived where it is known; one without down_timer_adverts gets longer intervals instead.
    """
    chosen = PRESETS.get(preset)
    if chosen is None or version == 2 or {"advert_int", "down_timer_adverts"} & set(options):
        return {}
    if release is not None and release < DOWN_TIMER_ADVERTS_SINCE:
        return {"advert_int": chosen.advert_int_alone}
    return {"advert_int": chosen.advert_int, "down_timer_adverts": chosen.down_timer_adverts}
