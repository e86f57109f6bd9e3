# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""docs/timers.md: what it says of the presets is what the presets are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._timers import PRESETS, SUBSECOND_GLOBAL_DEFS, bounds

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "timers.md").read_text(encoding="utf-8")
#: What vrrp_plan gives to the first backup.
BACKUP = 253
UNITS = (("years", 365.25 * 86400), ("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def duration(seconds: float) -> str:
    """In the largest unit of which there is one at least, with two digits."""
    unit, length = next((unit for unit in UNITS if seconds >= unit[1]), UNITS[-1])
    value = seconds / length
    if value >= 1e6:
        return "over a million %s" % unit
    return "%d %s" % (float("%.2g" % value), unit) if value >= 10 else "%.1f %s" % (value, unit)


def between_alarms(advert_int: float, adverts: int, loss: float) -> float:
    """Seconds: so many advertisements in a row are lost, after one that arrived, once in so long."""
    return advert_int / ((1 - loss) * loss**adverts)


def row(name: str, advert_int: float, adverts: int) -> str:
    """A row of the first table."""
    own = bounds(3, advert_int, adverts, BACKUP)
    cells = (
        name,
        "%g s × %d" % (advert_int, adverts),
        "%.0f to %.0f ms" % (own.crash_min * 1000, own.crash_max * 1000),
        "%.1f ms" % (own.stop * 1000),
        "%d" % (adverts - 1),
        duration(between_alarms(advert_int, adverts, 0.1)),
        duration(between_alarms(advert_int, adverts, 0.3)),
        "%.3g" % (1 / advert_int),
    )
    return "| %s |" % " | ".join(cells)


@pytest.mark.parametrize(
    ("name", "advert_int", "adverts"),
    [
        *(("`%s`" % name, one.advert_int, one.down_timer_adverts) for name, one in PRESETS.items()),
        ("keepalived's own", 1, 3),
        ("0.3 s, the rest as it is", 0.3, 3),
    ],
)
def test_computed_row(name: str, advert_int: float, adverts: int) -> None:
    assert row(name, advert_int, adverts) in PAGE.splitlines()


@pytest.mark.parametrize("name", PRESETS)
def test_row_of_old_releases(name: str) -> None:
    alone = PRESETS[name].advert_int_alone
    assert "| `%s` | %g s × 3 | %.0f ms |" % (name, alone, bounds(3, alone, 3, BACKUP).crash_max * 1000) in PAGE


def test_scheduling() -> None:
    for keyword, value in SUBSECOND_GLOBAL_DEFS.items():
        assert "`%s %d`" % (keyword, value) in PAGE


def test_the_measurements_are_of_these_presets() -> None:
    """A preset that changes must be measured again: the tables of measurements name the numbers that were measured."""
    for name, one in PRESETS.items():
        assert PAGE.count("| `%s` (%g × %d) |" % (name, one.advert_int, one.down_timer_adverts)) == 2
